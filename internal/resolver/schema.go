package resolver

import (
	"context"
	"crypto/sha256"
	"sync/atomic"

	"mintage"
	"mintage/internal/dpp"
	"mintage/internal/store"
)

// schemaKey names a DPP schema of a brand's own.
type schemaKey struct {
	brand int64
	id    string
}

// schema is one, parsed once for all the products and pages that name it.
type schema struct {
	parsed   *dpp.Schema // nil where there is none, or it cannot be read
	hash     [sha256.Size]byte
	current  atomic.Bool // nothing changed since it was read
	resident resident
}

// A parsed schema takes a dozen times its document (measured: 174 KB for 15 KB).
const (
	schemaBytes  = 8 << 10
	schemaFactor = 16
)

// schema returns the schema that a product names, for its page: cards have none, since
// most scans show none. The page shows no attribute without one, so one that is missing
// or cannot be read hides them and stops nothing else.
func (r *Resolver) schema(ctx context.Context, p *mintage.Product) (*dpp.Schema, error) {
	if p.SchemaID == "" {
		return nil, nil
	}
	if s, ok := dpp.BuiltinByID(p.SchemaID); ok {
		return s, nil
	}
	key := schemaKey{p.BrandNumber, p.SchemaID}
	for _, first := range []bool{true, false} {
		if s := r.cache.schema(key); s != nil && s.current.Load() && r.fresh() {
			s.resident.touch()
			return s.parsed, nil
		}
		if first {
			leave := r.asking.enter(ctx, key)
			defer leave()
		}
	}
	fresh, changes := r.fresh(), r.cache.changes.Load()
	var document []byte
	err := r.ask(ctx, r.store.For(p.BrandNumber), func(rd store.Reader) error {
		stored, err := rd.SchemaByID(ctx, p.BrandNumber, p.SchemaID)
		if err == nil {
			document = stored.Document
		}
		return err
	})
	if err != nil && mintage.ErrorCode(err) != mintage.CodeNotFound {
		return nil, err
	}
	hash := sha256.Sum256(document)
	s := r.cache.schema(key)
	if s == nil || s.hash != hash {
		s = &schema{hash: hash}
		s.resident.bytes = schemaBytes + schemaFactor*int64(len(document))
		s.resident.forget = func() { r.cache.forgetSchema(key, s) }
		if document != nil {
			s.parsed, err = dpp.Parse(p.SchemaID, document)
			if err != nil && mintage.ErrorCode(err) != mintage.CodeInvalidInput { // that is of an older version, with other rules
				return nil, err
			}
		}
	}
	if fresh {
		r.cache.keepSchema(key, s, changes)
	}
	return s.parsed, nil
}

func (c *cache) schema(key schemaKey) *schema {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.schemas[key]
}

// keepSchema remembers a schema; if something changed while it was read, only what it
// is when its document is read again.
func (c *cache) keepSchema(key schemaKey, s *schema, changes uint64) {
	c.mu.Lock()
	old := c.schemas[key]
	c.schemas[key] = s
	s.current.Store(c.changes.Load() == changes)
	c.mu.Unlock()
	if old == s {
		return
	}
	if old != nil {
		c.budget.remove(&old.resident)
	}
	c.budget.add(&s.resident)
}

// forgetSchema is called by the budget.
func (c *cache) forgetSchema(key schemaKey, s *schema) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.schemas[key] == s {
		delete(c.schemas, key)
	}
}

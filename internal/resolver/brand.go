package resolver

import (
	"bytes"
	"context"
	"sync"

	"mintage"
	"mintage/internal/resolver/passport"
	"mintage/internal/store"
)

// brand is a brand with what its pages share.
type brand struct {
	*mintage.Brand

	logo     []byte
	logoType string // its media type
	logoName string // "" where there is no logo
	css      []byte
	cssName  string

	resident resident

	mu     sync.RWMutex
	faults map[faultKey][]byte // error pages
}

const (
	brandBytes = 4 << 10
	// maxFaults is how many error pages are kept of a brand: a few statuses, in a few
	// languages, for each of its bases.
	maxFaults = 100
)

type faultKey struct {
	status   int
	language string
	prefix   string // of the base
}

func (b *brand) site(prefix string) passport.Site {
	return passport.Site{Brand: b.Brand, Prefix: prefix, Logo: b.logoName}
}

// brand reads a brand, or remembers it.
func (r *Resolver) brand(ctx context.Context, number int64) (*brand, error) {
	fresh := r.fresh()
	if fresh {
		if b := r.cache.brand(number); b != nil {
			b.resident.touch()
			return b, nil
		}
	}
	changes := r.cache.changes.Load()
	b := &brand{faults: make(map[faultKey][]byte)}
	err := r.ask(ctx, r.store.For(number), func(rd store.Reader) (err error) {
		if b.Brand, err = rd.BrandByNumber(ctx, number); err != nil || !b.HasLogo {
			return err
		}
		b.logo, b.logoType, err = rd.Logo(ctx, number)
		return err
	})
	if err != nil {
		return nil, err
	}
	if b.HasLogo {
		b.logoName = passport.LogoName(b.logo, b.logoType)
	}
	b.css, b.cssName = r.pages.Stylesheet(b.Brand)
	b.resident.bytes = brandBytes + int64(len(b.logo)+len(b.css))
	b.resident.forget = func() { r.cache.forgetBrand(b) }
	if fresh {
		r.cache.keepBrand(b, changes)
	}
	return b, nil
}

// fault returns the page of an error without a unit in it, rendered once.
func (r *Resolver) fault(b *brand, key faultKey) ([]byte, error) {
	b.mu.RLock()
	page := b.faults[key]
	b.mu.RUnlock()
	if page != nil {
		return page, nil
	}
	var out bytes.Buffer
	if err := r.pages.Fault(&out, key.status, b.site(key.prefix), key.language, nil); err != nil {
		return nil, err
	}
	b.mu.Lock()
	kept := len(b.faults) < maxFaults
	if kept {
		b.faults[key] = out.Bytes()
	}
	b.mu.Unlock()
	if kept {
		r.cache.budget.grow(&b.resident, int64(out.Cap()))
	}
	return out.Bytes(), nil
}

package resolver

import (
	"context"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"mintage"
	"mintage/internal/bucket"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// item is a product as far as it is remembered. What never changes is in its own
// fields, what the brand may edit on its card.
type item struct {
	brand, number int64
	code          string // of the product
	cipher        *serial.Cipher

	card     atomic.Pointer[card] // nil after a change
	cardSize int64                // in bytes, of the last card; guarded by the cache
	resident resident

	mu      sync.RWMutex
	batches []*mintage.Batch // those met so far, in the order of ordinals
	lots    map[string]bool  // those met so far that have units
	chunks  map[int64]*chunk // by ordinal / chunkSize
}

// card is what a brand says of a product, with what follows from it. It is immutable.
type card struct {
	product *mintage.Product
	recalls []*mintage.Recall
	targets []*target // of its links
	first   *target   // the default link; nil without links
	alone   bool      // no other link has the default's type
}

// Estimates of what things need in memory, in bytes, on the high side.
const (
	itemBytes   = 8 << 10
	linkBytes   = 1 << 10
	lotBytes    = 512
	recallBytes = 1 << 10
)

func batchBytes(b *mintage.Batch) int64 { return int64(1+len(b.Lots)) * lotBytes }

// bytes is about what the card takes.
func (c *card) bytes() int64 {
	n := int64(len(c.targets))*linkBytes + int64(len(c.recalls))*recallBytes
	if c.product != nil {
		n += int64(2 * len(c.product.Attributes))
	}
	return n
}

// covering returns the first recall that covers an ordinal, nil if none does.
func (c *card) covering(ordinal int64) *mintage.Recall {
	for _, recall := range c.recalls {
		if recall.Covers(ordinal) {
			return recall
		}
	}
	return nil
}

// subject is a product that was asked for.
type subject struct {
	*item

	card *card
}

// byCode finds a product by its code; nil where the brand has none.
func (r *Resolver) byCode(ctx context.Context, brand int64, code string, client bucket.ID) (*subject, error) {
	return r.find(ctx, brand, client, codeKey{brand, code},
		func() *item { return r.cache.byCode(brand, code) },
		func(rd store.Reader) (*mintage.Product, error) { return rd.ProductByCode(ctx, brand, code) })
}

// byGTIN finds a product by a GTIN that it has or was minted with; nil where the brand
// has none.
func (r *Resolver) byGTIN(ctx context.Context, brand int64, gtin string, client bucket.ID) (*subject, error) {
	return r.find(ctx, brand, client, gtinKey{brand, gtin},
		func() *item { return r.cache.byGTIN(brand, gtin) },
		func(rd store.Reader) (*mintage.Product, error) { return rd.ProductByGTIN(ctx, brand, gtin) })
}

// find finds a product that is remembered, or else asks. Of several who want the same
// at once, the first asks and the others wait for what it will remember. What it will
// not (that there is none, or what is not settled), each finds out anew: it may
// have come true since the first one asked.
func (r *Resolver) find(ctx context.Context, brand int64, client bucket.ID, key any, known func() *item, ask func(store.Reader) (*mintage.Product, error)) (*subject, error) {
	for _, first := range []bool{true, false} {
		if r.fresh() {
			if it := known(); it != nil {
				return r.remembered(ctx, it)
			}
		}
		if first {
			leave := r.asking.enter(ctx, key)
			defer leave()
		}
	}
	return r.read(ctx, brand, client, ask)
}

// remembered is an item with its card, which is read anew after a change.
func (r *Resolver) remembered(ctx context.Context, it *item) (*subject, error) {
	it.resident.touch()
	if c := it.card.Load(); c != nil {
		return &subject{it, c}, nil
	}
	leave := r.asking.enter(ctx, it) // of those who want it anew, one asks first
	defer leave()
	if c := it.card.Load(); c != nil {
		return &subject{it, c}, nil
	}
	changes := r.cache.changes.Load()
	_, c, _, err := r.readCard(ctx, it.brand, it, func(rd store.Reader) (*mintage.Product, error) {
		return rd.ProductByCode(ctx, it.brand, it.code)
	})
	if err != nil {
		return nil, err
	}
	r.cache.keepItem(it, c, changes)
	return &subject{it, c}, nil
}

// read finds a product that is not remembered under the name that it was asked by.
func (r *Resolver) read(ctx context.Context, brand int64, client bucket.ID, find func(store.Reader) (*mintage.Product, error)) (*subject, error) {
	if err := r.misses.products.check(client); err != nil {
		return nil, err
	}
	fresh := r.fresh()
	changes := r.cache.changes.Load()
	it, c, gtins, err := r.readCard(ctx, brand, nil, find)
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		r.misses.products.miss(client)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if fresh {
		it = r.cache.keepItem(it, c, changes, gtins...)
	}
	return &subject{it, c}, nil
}

// readCard reads a product. it is the product's item, or nil where a new one is made.
// gtins are those known to be the product's for ever.
func (r *Resolver) readCard(ctx context.Context, brand int64, it *item, find func(store.Reader) (*mintage.Product, error)) (_ *item, c *card, gtins []string, err error) {
	known := it
	err = r.ask(ctx, r.store.For(brand), func(rd store.Reader) error {
		it, c, gtins = known, &card{}, nil
		p, err := find(rd)
		if err != nil {
			return err
		}
		c.product = p
		links, err := rd.Links(ctx, brand, p.Number)
		if err != nil {
			return err
		}
		c.setLinks(links)
		if c.recalls, err = rd.Recalls(ctx, brand, p.Number); err != nil || it != nil {
			return err
		}
		it = &item{
			brand: brand, number: p.Number, code: p.Code,
			lots: make(map[string]bool), chunks: make(map[int64]*chunk),
		}
		it.resident.forget = func() { r.cache.forgetItem(it) }
		it.resident.bytes = itemBytes // and its card, once it is kept
		if it.cipher, err = r.keys.Cipher(ctx, rd, brand, p.Code); err != nil {
			return err
		}
		// Most products have had one GTIN all their life, that of their first batch.
		b, err := rd.BatchByOrdinal(ctx, brand, p.Number, 0)
		if mintage.ErrorCode(err) == mintage.CodeNotFound {
			return nil
		}
		if err == nil {
			it.batches = []*mintage.Batch{b}
			it.resident.bytes += batchBytes(b)
			gtins = settled(b)
		}
		return err
	})
	if err == nil && known == nil {
		it.card.Store(c)
	}
	return it, c, gtins, err
}

// settled returns the GTIN of a batch that has units: it never moves to another product.
func settled(b *mintage.Batch) []string {
	if b.GTIN == "" || b.MintedQuantity == 0 {
		return nil
	}
	return []string{b.GTIN}
}

// batch returns the remembered batch that owns an ordinal, if that unit is known to be
// minted.
func (it *item) batch(ordinal int64) *mintage.Batch {
	it.mu.RLock()
	defer it.mu.RUnlock()
	i := sort.Search(len(it.batches), func(i int) bool { return it.batches[i].FirstOrdinal > ordinal }) - 1
	if i < 0 || ordinal >= it.batches[i].NextOrdinal() {
		return nil
	}
	return it.batches[i]
}

// learn remembers a batch, or how far it was minted by now.
func (r *Resolver) learn(it *item, b *mintage.Batch) {
	it.mu.Lock()
	i, known := slices.BinarySearchFunc(it.batches, b.FirstOrdinal, func(b *mintage.Batch, first int64) int {
		return int(b.FirstOrdinal - first)
	})
	switch {
	case !known:
		it.batches = slices.Insert(it.batches, i, b)
	case b.MintedQuantity > it.batches[i].MintedQuantity: // of two who read at once
		it.batches[i] = b
	}
	it.mu.Unlock()
	if !known {
		r.cache.budget.grow(&it.resident, batchBytes(b))
	}
	for _, gtin := range settled(b) {
		if r.cache.byGTIN(it.brand, gtin) == nil {
			r.cache.keepGTIN(it, gtin)
		}
	}
}

// hasLot reports whether a product has units of a lot, and in revoked the recall that
// covers all of them, if one does: of several, the latest.
func (r *Resolver) hasLot(ctx context.Context, s *subject, lot string, client bucket.ID) (has bool, revoked *mintage.Recall, err error) {
	s.mu.RLock()
	known := s.lots[lot]
	s.mu.RUnlock()
	if known && len(s.card.recalls) == 0 {
		return true, nil, nil
	}
	if !known {
		if err := r.misses.products.check(client); err != nil {
			return false, nil, err
		}
	}
	var batches []*mintage.Batch
	err = r.ask(ctx, r.store.For(s.brand), func(rd store.Reader) (err error) {
		batches, err = rd.LotsByCode(ctx, s.brand, s.number, lot, maxLotBatches)
		return err
	})
	if err != nil {
		return false, nil, err
	}
	all := len(batches) < maxLotBatches
	for _, b := range batches {
		for _, l := range b.Lots {
			if l.Code != lot || l.FirstOrdinal >= b.NextOrdinal() {
				continue
			}
			has = true
			recall := s.card.covering(l.FirstOrdinal)
			switch {
			case recall == nil:
				all = false
			case revoked == nil || recall.At.After(revoked.At):
				revoked = recall
			}
		}
	}
	if !has {
		r.misses.products.miss(client)
		return false, nil, nil
	}
	if !known && r.fresh() {
		s.mu.Lock()
		s.lots[lot] = true
		s.mu.Unlock()
		r.cache.budget.grow(&s.resident, lotBytes)
	}
	if !all {
		revoked = nil
	}
	return true, revoked, nil
}

// maxLotBatches bounds the batches that are looked at for a lot.
const maxLotBatches = 100

// forgetChunks returns the chunks that the item had.
func (it *item) forgetChunks() []*chunk {
	it.mu.Lock()
	defer it.mu.Unlock()
	var chunks []*chunk
	for _, c := range it.chunks {
		chunks = append(chunks, c)
	}
	clear(it.chunks)
	return chunks
}

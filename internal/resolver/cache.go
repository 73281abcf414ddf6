package resolver

import (
	"sync"
	"sync/atomic"

	"mintage/internal/store"
)

// cache is what a resolver remembers. What it holds is believed only while polls
// succeed, and what is read goes in only if nothing changed while it was read: the
// reader notes changes before it reads, and hands it in with what it found.
type cache struct {
	budget budget

	// changes counts polls that found something other than single units changed.
	changes atomic.Uint64

	mu      sync.RWMutex
	hosts   map[string][]base
	brands  map[int64]*brand
	schemas map[schemaKey]*schema
	items   map[int64]*item // by product number
	gtins   map[gtinKey]*item
	codes   map[codeKey]*item
}

type gtinKey struct {
	brand int64
	gtin  string // 14 digits
}

type codeKey struct {
	brand int64
	code  string // of a product
}

func newCache(limit int64) *cache {
	return &cache{
		budget: budget{limit: limit},
		hosts:  make(map[string][]base), brands: make(map[int64]*brand), schemas: make(map[schemaKey]*schema),
		items: make(map[int64]*item), gtins: make(map[gtinKey]*item), codes: make(map[codeKey]*item),
	}
}

func (c *cache) bases(host string) []base {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.hosts[host]
}

func (c *cache) keepBases(host string, found []base, changes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes.Load() == changes {
		c.hosts[host] = found
	}
}

func (c *cache) brand(number int64) *brand {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.brands[number]
}

func (c *cache) keepBrand(b *brand, changes uint64) {
	c.mu.Lock()
	fits := c.changes.Load() == changes
	if fits {
		c.dropBrand(b.Number) // of two who read at once
		c.brands[b.Number] = b
	}
	c.mu.Unlock()
	if fits {
		c.budget.add(&b.resident)
	}
}

// dropBrand forgets a brand; the caller has the lock.
func (c *cache) dropBrand(number int64) {
	if b := c.brands[number]; b != nil {
		delete(c.brands, number)
		c.budget.remove(&b.resident)
	}
}

// forgetBrand is called by the budget.
func (c *cache) forgetBrand(b *brand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.brands[b.Number] == b {
		delete(c.brands, b.Number)
	}
}

func (c *cache) byGTIN(brand int64, gtin string) *item {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.gtins[gtinKey{brand, gtin}]
}

func (c *cache) byCode(brand int64, code string) *item {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.codes[codeKey{brand, code}]
}

// keepItem remembers a product with its card, and returns it: or the item that it is
// remembered by already, which gets the card. GTINs that are the product's for ever
// are remembered with it.
func (c *cache) keepItem(it *item, card *card, changes uint64, gtins ...string) *item {
	c.mu.Lock()
	known := c.items[it.number]
	fits := c.changes.Load() == changes
	if known == nil && fits {
		c.items[it.number] = it
		c.codes[codeKey{it.brand, it.code}] = it
		known = it
		it.cardSize = card.bytes()
		it.resident.bytes += it.cardSize
		defer c.budget.add(&it.resident) // after the lock, which forgetting takes
	}
	if known != nil {
		if fits {
			known.card.Store(card)
			more := card.bytes() - known.cardSize
			known.cardSize += more
			defer c.budget.grow(&known.resident, more) // likewise
		}
		it = known
		for _, gtin := range gtins {
			c.gtins[gtinKey{it.brand, gtin}] = it
		}
	}
	c.mu.Unlock()
	return it
}

// keepGTIN remembers that a GTIN is the product's for ever.
func (c *cache) keepGTIN(it *item, gtin string) {
	key := gtinKey{it.brand, gtin}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items[it.number] == it {
		c.gtins[key] = it
	}
}

// forgetItem is called by the budget.
func (c *cache) forgetItem(it *item) {
	c.mu.Lock()
	if c.items[it.number] == it {
		delete(c.items, it.number)
		delete(c.codes, codeKey{it.brand, it.code})
		for key, other := range c.gtins {
			if other == it {
				delete(c.gtins, key)
			}
		}
	}
	c.mu.Unlock()
	for _, chunk := range it.forgetChunks() {
		c.budget.remove(&chunk.resident)
	}
}

// apply drops or corrects what changes made untrue. It may be given the same change
// several times.
func (c *cache) apply(changes []store.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	brands := make(map[int64]bool)
	counted := false
	for _, change := range changes {
		it := c.items[change.ProductNumber]
		switch {
		case change.Ordinal >= 0: // revoked
			if it != nil {
				it.revoke(change.Ordinal)
			}
			continue
		case change.ProductNumber != 0:
			if it != nil {
				it.card.Store(nil)
			}
		default:
			brands[change.BrandNumber] = true
		}
		counted = true
	}
	if counted {
		c.changes.Add(1)
	}
	if len(brands) == 0 {
		return
	}
	clear(c.hosts) // one may have got another base
	for number := range brands {
		c.dropBrand(number)
	}
	for key, s := range c.schemas {
		if brands[key.brand] {
			s.current.Store(false)
		}
	}
	for _, it := range c.items {
		if brands[it.brand] {
			it.card.Store(nil) // the change may be of a product that it does not name
		}
	}
}

package resolver

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"mintage"
	"mintage/internal/bucket"
	"mintage/internal/mint"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func byNumber(c *cache, number int64) *item {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.items[number]
}

func size(b *budget) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// The budget holds its limit, forgets what was not used for longest, and never what
// is used between any two turns of its hand.
func TestBudget(t *testing.T) {
	b := &budget{limit: 100}
	gone := make(map[int]bool)
	newResident := func(i int, bytes int64) *resident {
		return &resident{bytes: bytes, forget: func() { gone[i] = true }}
	}
	busy := newResident(-1, 10)
	b.add(busy)
	all := []*resident{}
	for i := range 1000 {
		busy.touch()
		r := newResident(i, int64(1+i%20))
		b.add(r)
		all = append(all, r)
		if size(b) > 100 {
			t.Fatalf("%d bytes after %d", size(b), i)
		}
	}
	if gone[-1] || !gone[0] || gone[999] {
		t.Errorf("the busy one is gone: %t, the first: %t, the last: %t", gone[-1], gone[0], gone[999])
	}
	var sum int64
	for i, r := range all {
		if !gone[i] {
			sum += r.bytes
		}
	}
	if sum+busy.bytes != size(b) {
		t.Errorf("%d bytes are left, %d counted", sum+busy.bytes, size(b))
	}
	b.grow(busy, 85)
	if size(b) > 100 || gone[-1] {
		t.Errorf("%d bytes after one grew; it is gone: %t", size(b), gone[-1])
	}
	b.remove(busy)
	b.remove(busy)
	b.grow(busy, 1000)
	if size(b) > 5 {
		t.Errorf("%d bytes are left", size(b))
	}
	large := newResident(-2, 1000)
	b.add(large)
	if gone[-2] || size(b) != 1000 {
		t.Errorf("one that is too large: gone %t, %d bytes", gone[-2], size(b))
	}
}

// However many units are scanned, what is remembered stays within its bound, and what
// a chunk is taken for is what it needs.
func TestMemoryIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		brand := f.NewBrand()
		keys := mint.NewKeyring(f.MasterKey)
		const limit = 10*chunkBytes + itemBytes
		r := New(Options{Store: db, Keys: keys, Memory: limit})
		for n := range 5 {
			p := f.NewProduct(brand)
			it := &item{brand: brand.Number, number: p.Number, code: p.Code, lots: map[string]bool{}, chunks: map[int64]*chunk{}}
			it.resident.bytes = itemBytes
			it.resident.forget = func() { r.cache.forgetItem(it) }
			r.cache.keepItem(it, &card{}, r.cache.changes.Load(), strconv.Itoa(n))
			for index := range int64(20) {
				it.resident.touch()
				r.loadLater(it, index*chunkSize)
				load := <-r.loads
				if !r.loadChunk(t.Context(), load) {
					t.Fatal("a chunk was not read")
				}
				if size(&r.cache.budget) > limit {
					t.Fatalf("%d bytes are remembered", size(&r.cache.budget))
				}
			}
		}
		chunks := 0
		for _, it := range r.cache.items {
			chunks += len(it.chunks)
		}
		if chunks == 0 || chunks > 10 || len(r.cache.gtins) != len(r.cache.items) || len(r.cache.codes) != len(r.cache.items) {
			t.Errorf("%d chunks, %d items, %d GTINs, %d codes", chunks, len(r.cache.items), len(r.cache.gtins), len(r.cache.codes))
		}
	})
	for name, every := range map[string]uint32{"dense": 1, "every second": 2, "every third": 3, "sparse": 1000} {
		m := roaring.New()
		for i := uint32(0); i < chunkSize; i += every {
			m.Add(i)
		}
		if n := m.GetSizeInBytes(); n > (chunkBytes-1<<10)/2+64 {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

// What changes while it is read is not remembered.
func TestChangedWhileRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		brand := f.NewBrand()
		p := f.NewProduct(brand)
		r := New(Options{Store: db, Keys: mint.NewKeyring(f.MasterKey)})
		r.polled.Store(1 << 40) // as if a poll had just begun

		s, err := r.byCode(t.Context(), brand.Number, p.Code, bucket.ID{})
		if err != nil || byNumber(r.cache, p.Number) == nil {
			t.Fatalf("%v, %v", s, err)
		}
		r.loadLater(s.item, 7)
		load := <-r.loads
		hooked := &hookedStore{Store: db, after: func() {
			r.cache.apply([]store.Change{{Number: 1, BrandNumber: brand.Number, ProductNumber: p.Number, Ordinal: 7}})
		}}
		r.store = hooked
		if r.loadChunk(t.Context(), load) {
			t.Error("a chunk that changed was taken")
		}
		load.item.dropChunk(load.index, load.chunk)
		hooked.after = func() {}
		r.loadLater(s.item, 7)
		load = <-r.loads
		if !r.loadChunk(t.Context(), load) {
			t.Error("a chunk that did not change was not taken")
		}
		r.cache.apply([]store.Change{{Number: 1, BrandNumber: brand.Number, ProductNumber: p.Number, Ordinal: 7}})
		for ordinal, want := range map[int64]mintage.TokenStatus{6: mintage.TokenMinted, 7: mintage.TokenRevoked} {
			if status, known := load.chunk.status(ordinal); status != want || !known {
				t.Errorf("unit %d is %s, %t", ordinal, status, known)
			}
		}

		q := f.NewProduct(brand)
		hooked.after = func() {
			r.cache.apply([]store.Change{{Number: 2, BrandNumber: brand.Number, ProductNumber: q.Number, Ordinal: -1}})
		}
		if s, err := r.byCode(t.Context(), brand.Number, q.Code, bucket.ID{}); err != nil || s == nil || byNumber(r.cache, q.Number) != nil {
			t.Errorf("a product that changed was remembered: %v", err)
		}
		if _, err := r.brand(t.Context(), brand.Number); err != nil || r.cache.brand(brand.Number) != nil {
			t.Errorf("a brand that changed was remembered: %v", err)
		}
		hooked.after = func() {}
		if _, err := r.brand(t.Context(), brand.Number); err != nil || r.cache.brand(brand.Number) == nil {
			t.Errorf("a brand was not remembered: %v", err)
		}
		r.cache.apply([]store.Change{{Number: 3, BrandNumber: brand.Number, Ordinal: -1}})
		if r.cache.brand(brand.Number) != nil || byNumber(r.cache, p.Number).card.Load() != nil {
			t.Error("a brand's change left something")
		}
	})
}

// hookedStore calls after when a brand's transaction has read, before its reader goes on.
type hookedStore struct {
	store.Store

	after func()
}

func (h *hookedStore) For(brand int64) store.Transactions {
	return &hookedReads{h.Store.For(brand), h}
}

type hookedReads struct {
	store.Transactions

	h *hookedStore
}

func (h *hookedReads) Read(ctx context.Context, fn func(store.Reader) error) error {
	err := h.Transactions.Read(ctx, fn)
	h.h.after()
	return err
}

func TestNormalHost(t *testing.T) {
	for host, want := range map[string]string{
		"id.acme.example": "id.acme.example", "ID.Acme.Example.": "id.acme.example", "id.acme.example.:8443": "id.acme.example:8443",
		"LOCALHOST:8081": "localhost:8081", "[::1]:8081": "[::1]:8081", "[FE80::1]": "[fe80::1]", "": "", ".": "", ":": ":",
	} {
		if got := normalHost(host); got != want {
			t.Errorf("%q is %q, want %q", host, got, want)
		}
	}
}

// A scan of what is known costs no question and little memory.
func BenchmarkKnown(b *testing.B) {
	for _, units := range []int64{1 << 16, 1 << 24} {
		b.Run(fmt.Sprint(units), func(b *testing.B) {
			key := serial.NewBrandKey()
			cipher, err := serial.NewCipher(key, "K7QM2X9T")
			if err != nil {
				b.Fatal(err)
			}
			it := &item{chunks: map[int64]*chunk{}, cipher: cipher, batches: []*mintage.Batch{{RequestedQuantity: units, MintedQuantity: units}}}
			for index := range units / chunkSize {
				it.chunks[index] = &chunk{revoked: roaring.New(), active: roaring.New()}
			}
			b.ReportAllocs()
			ordinal := uint64(0)
			for b.Loop() {
				ordinal = (ordinal + 7919*chunkSize/3) % uint64(units)
				code := cipher.Encrypt(ordinal)
				o := int64(cipher.Decrypt(code))
				if it.batch(o) == nil {
					b.Fatal("not minted")
				}
				if s, known := it.chunk(o).status(o); s != mintage.TokenMinted || !known {
					b.Fatal(s)
				}
			}
		})
	}
}

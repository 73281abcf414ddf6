package resolver

import (
	"context"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"mintage"
	"mintage/internal/store"
)

const (
	// chunkSize is how many ordinals a chunk is about: those of one container of a
	// roaring bitmap, which never needs more than 8 KiB.
	chunkSize = 1 << 16
	// chunkBytes is what a chunk needs at most: two bitmaps of one container, and what
	// is around them.
	chunkBytes = 2*(8<<10) + 1<<10

	// chunkLoaders is how many chunks are read at once, and maxLoads how many may wait
	// for it; beyond that units are looked up one by one until there is room.
	chunkLoaders = 2
	maxLoads     = 256
)

// chunk remembers what happened to units of a product, from one ordinal on.
type chunk struct {
	resident resident

	mu      sync.RWMutex
	changes int             // revocations that came since the chunk was made
	revoked *roaring.Bitmap // nil until the chunk was read
	active  *roaring.Bitmap
}

// chunkLoad is a chunk to be read.
type chunkLoad struct {
	item  *item
	index int64 // of the chunk: its first ordinal / chunkSize
	chunk *chunk
}

// status returns what a unit became; known is false where the chunk was not read yet.
func (c *chunk) status(ordinal int64) (status mintage.TokenStatus, known bool) {
	low := uint32(ordinal % chunkSize)
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch {
	case c.revoked == nil:
		return "", false
	case c.revoked.Contains(low):
		return mintage.TokenRevoked, true
	case c.active.Contains(low):
		return mintage.TokenActive, true
	}
	return mintage.TokenMinted, true
}

// chunk returns the chunk of an ordinal, nil if there is none.
func (it *item) chunk(ordinal int64) *chunk {
	it.mu.RLock()
	defer it.mu.RUnlock()
	return it.chunks[ordinal/chunkSize]
}

// revoke notes that a unit was revoked; what is being read meanwhile may not have it.
func (it *item) revoke(ordinal int64) {
	c := it.chunk(ordinal)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	if c.revoked != nil {
		c.revoked.Add(uint32(ordinal % chunkSize))
	}
}

// activate notes that a unit is active. To miss one only costs a question later.
func (it *item) activate(ordinal int64) {
	c := it.chunk(ordinal)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active != nil {
		c.active.Add(uint32(ordinal % chunkSize))
	}
}

// loadLater has the chunk of an ordinal read, if there is room to wait for it.
func (r *Resolver) loadLater(it *item, ordinal int64) {
	index := ordinal / chunkSize
	it.mu.Lock()
	if it.chunks[index] != nil {
		it.mu.Unlock()
		return // it is waiting
	}
	load := chunkLoad{it, index, &chunk{}}
	select {
	case r.loads <- load:
		it.chunks[index] = load.chunk
	default:
	}
	it.mu.Unlock()
}

// loadChunks reads chunks until ctx ends.
func (r *Resolver) loadChunks(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case load := <-r.loads:
			if !r.loadChunk(ctx, load) {
				load.item.dropChunk(load.index, load.chunk)
			}
		}
	}
}

// loadChunk reads a chunk, and reports whether it can be used.
func (r *Resolver) loadChunk(ctx context.Context, load chunkLoad) bool {
	c := load.chunk
	c.mu.RLock()
	before := c.changes
	c.mu.RUnlock()
	revoked, active := roaring.New(), roaring.New()
	err := r.store.For(load.item.brand).Read(ctx, func(rd store.Reader) error {
		revoked.Clear()
		active.Clear()
		first := load.index * chunkSize
		states, err := rd.UnitStates(ctx, load.item.number, first, min(first+chunkSize, mintage.MaxProductUnits))
		for _, s := range states {
			if s.Status == mintage.TokenRevoked {
				revoked.Add(uint32(s.Ordinal % chunkSize))
			} else {
				active.Add(uint32(s.Ordinal % chunkSize))
			}
		}
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			r.log.Warn("what happened to units could not be read; it is tried again when one is asked for", "error", err)
		}
		return false
	}
	c.mu.Lock()
	if c.changes != before {
		c.mu.Unlock()
		return false
	}
	c.revoked, c.active = revoked, active
	c.mu.Unlock()
	c.resident.bytes = chunkBytes
	c.resident.forget = func() { load.item.dropChunk(load.index, c) }
	r.cache.budget.add(&c.resident)
	return true
}

// dropChunk forgets a chunk.
func (it *item) dropChunk(index int64, c *chunk) {
	it.mu.Lock()
	defer it.mu.Unlock()
	if it.chunks[index] == c {
		delete(it.chunks, index)
	}
}

package resolver

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// budget bounds the memory of what is remembered. It forgets what was not used since
// its hand last came by (the CLOCK algorithm), so that using something costs one
// store and no lock.
type budget struct {
	limit int64

	mu   sync.Mutex
	used int64
	ring list.List     // of *resident, its end joined to its beginning
	hand *list.Element // what is looked at next; nil for the beginning
}

// resident is something remembered.
type resident struct {
	bytes  int64         // an upper bound; guarded by the budget
	place  *list.Element // nil while it is not remembered; guarded by the budget
	lately atomic.Bool
	forget func()
}

// touch says that r was used.
func (r *resident) touch() {
	if !r.lately.Load() { // a store would take the cache line from the others each time
		r.lately.Store(true)
	}
}

// add remembers r, and forgets others where there is no room. The caller must hold no
// lock that a forget takes.
func (b *budget) add(r *resident) {
	b.mu.Lock()
	if b.hand == nil {
		r.place = b.ring.PushBack(r)
	} else {
		r.place = b.ring.InsertBefore(r, b.hand) // where the hand comes by last
	}
	b.used += r.bytes
	gone := b.makeRoom(r)
	b.mu.Unlock()
	for _, g := range gone {
		g.forget()
	}
}

// grow says that r needs more than it did.
func (b *budget) grow(r *resident, bytes int64) {
	b.mu.Lock()
	var gone []*resident
	if r.place != nil {
		r.bytes += bytes
		b.used += bytes
		gone = b.makeRoom(r)
	}
	b.mu.Unlock()
	for _, g := range gone {
		g.forget()
	}
}

// remove takes r out; its forget is not called.
func (b *budget) remove(r *resident) {
	b.mu.Lock()
	b.drop(r)
	b.mu.Unlock()
}

// makeRoom takes out what is beyond the limit, all but what room is made for: that is
// being used, and must stay however large it is.
func (b *budget) makeRoom(user *resident) (gone []*resident) {
	for b.used > b.limit && b.ring.Len() > 1 {
		if b.hand == nil {
			b.hand = b.ring.Front()
		}
		r, _ := b.hand.Value.(*resident)
		if r == user || r.lately.Swap(false) {
			b.hand = b.hand.Next()
			continue
		}
		b.drop(r)
		gone = append(gone, r)
	}
	return gone
}

func (b *budget) drop(r *resident) {
	if r.place == nil {
		return
	}
	if b.hand == r.place {
		b.hand = b.hand.Next()
	}
	b.ring.Remove(r.place)
	b.used -= r.bytes
	r.place = nil
}

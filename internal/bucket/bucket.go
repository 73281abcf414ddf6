// Package bucket counts what many do, in token buckets (golang.org/x/time/rate),
// and forgets whom it has not seen for longest: a [Table] is bounded, whoever comes
// how often. To be forgotten early, somebody has to make that many others appear.
//
// It is of one process, keeps nothing, and cannot fail.
package bucket

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// ID names a bucket: an address, or a hash of what else is counted.
type ID [16]byte

// OfAddress is the bucket of a client's address: of IPv6 that of the /64, of which
// one client may have all.
func OfAddress(a netip.Addr) ID {
	b := a.As16()
	if a.Is6() && !a.Is4In6() {
		clear(b[8:])
	}
	return b
}

// Table holds a bucket for each ID seen lately: those of this generation and of the
// one before. What is used moves on to the young one, so the busy stay. It may be
// used by several goroutines.
type Table struct {
	limit      rate.Limit
	burst      int
	generation int

	mu         sync.Mutex
	young, old map[ID]*rate.Limiter
}

// NewTable returns a table whose buckets get limit tokens a second and hold burst at
// most, as at first. It begins to forget at generation of them, and holds twice as many.
func NewTable(limit rate.Limit, burst, generation int) *Table {
	return &Table{limit: limit, burst: burst, generation: generation, young: make(map[ID]*rate.Limiter)}
}

// Turn takes a token from a bucket, now or, as the reservation says, later.
func (t *Table) Turn(id ID, now time.Time) *rate.Reservation {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.young[id]
	if b == nil {
		if b = t.old[id]; b == nil {
			b = rate.NewLimiter(t.limit, t.burst)
		}
		if len(t.young) == t.generation {
			t.old, t.young = t.young, make(map[ID]*rate.Limiter)
		}
		t.young[id] = b
	}
	return b.ReserveN(now, 1)
}

// Take takes a token from a bucket if there is one now, and returns 0; otherwise it
// takes nothing and returns how long until there is one.
func (t *Table) Take(id ID, now time.Time) time.Duration {
	turn := t.Turn(id, now)
	wait := turn.DelayFrom(now)
	if wait > 0 {
		turn.CancelAt(now)
	}
	return wait
}

// Has reports whether a bucket has a token now, and takes none.
func (t *Table) Has(id ID, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.young[id]
	if b == nil {
		b = t.old[id]
	}
	return b == nil || b.TokensAt(now) >= 1
}

// GiveBack undoes a turn that was taken at a time, as if nobody had come: a bucket
// that is full again is forgotten.
func (t *Table) GiveBack(id ID, turn *rate.Reservation, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	turn.CancelAt(at)
	for _, buckets := range []map[ID]*rate.Limiter{t.young, t.old} {
		if b := buckets[id]; b != nil && b.TokensAt(at) >= float64(t.burst) {
			delete(buckets, id)
		}
	}
}

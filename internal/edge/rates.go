package edge

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// generation is how many buckets a table holds before it begins to forget; it
// holds at most twice as many.
const generation = 1 << 15

// rates counts the requests of each credential and of each address. The address
// counts too where there is a credential: made-up ones would be counted anew each.
type rates struct {
	secret    [sha256.Size]byte // of this process
	keys      *table
	addresses *table
}

func newRates(perKey, perAddress float64) *rates {
	r := &rates{keys: newTable(perKey), addresses: newTable(perAddress)}
	rand.Read(r.secret[:]) // never fails
	return r
}

// take counts a request. It returns how long the caller has to wait before it may
// ask again, 0 where it may now.
func (r *rates) take(credential string, address netip.Addr, now time.Time) time.Duration {
	if wait := r.addresses.take(network(address), now); wait > 0 {
		return wait
	}
	if credential == "" {
		return 0
	}
	h := hmac.New(sha256.New, r.secret[:])
	h.Write([]byte(credential)) // never fails
	return r.keys.take(bucketID(h.Sum(nil)[:len(bucketID{})]), now)
}

// network is what counts as one address: of IPv6 the /64, of which one client may
// have all.
func network(a netip.Addr) bucketID {
	b := a.As16()
	if a.Is6() && !a.Is4In6() {
		clear(b[8:])
	}
	return b
}

type bucketID [16]byte

// table holds a bucket for each id seen lately: those of this generation and of
// the one before. What is used moves on to the young one, so the busy stay.
type table struct {
	rate  rate.Limit // a second; 0 means without limit
	burst int

	mu         sync.Mutex
	young, old map[bucketID]*rate.Limiter
}

func newTable(perSecond float64) *table {
	return &table{rate: rate.Limit(perSecond), burst: max(1, int(2*perSecond)), young: make(map[bucketID]*rate.Limiter)}
}

func (t *table) take(id bucketID, now time.Time) time.Duration {
	if t.rate <= 0 {
		return 0
	}
	turn := t.bucket(id).ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait > 0 {
		turn.CancelAt(now)
	}
	return wait
}

func (t *table) bucket(id bucketID) *rate.Limiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.young[id]
	if b != nil {
		return b
	}
	if b = t.old[id]; b == nil {
		b = rate.NewLimiter(t.rate, t.burst)
	}
	if len(t.young) == generation {
		t.old, t.young = t.young, make(map[bucketID]*rate.Limiter)
	}
	t.young[id] = b
	return b
}

package edge

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"mintage/internal/bucket"
)

// generation is how many credentials, and how many addresses, are counted before
// those that were not seen for longest are forgotten; see [bucket.NewTable].
const generation = 1 << 15

// rates counts the requests of each credential and of each address. The address
// counts too where there is a credential: made-up ones would be counted anew each.
type rates struct {
	secret          [sha256.Size]byte // of this process
	keys, addresses *bucket.Table     // nil: without limit
}

func newRates(perKey, perAddress float64) *rates {
	r := &rates{keys: newTable(perKey), addresses: newTable(perAddress)}
	rand.Read(r.secret[:]) // never fails
	return r
}

func newTable(perSecond float64) *bucket.Table {
	if perSecond <= 0 {
		return nil
	}
	return bucket.NewTable(rate.Limit(perSecond), max(1, int(2*perSecond)), generation)
}

// take counts a request. It returns how long the caller has to wait before it may
// ask again, 0 where it may now.
func (r *rates) take(credential string, address netip.Addr, now time.Time) time.Duration {
	if r.addresses != nil {
		if wait := r.addresses.Take(bucket.OfAddress(address), now); wait > 0 {
			return wait
		}
	}
	if r.keys == nil || credential == "" {
		return 0
	}
	h := hmac.New(sha256.New, r.secret[:])
	h.Write([]byte(credential)) // never fails
	return r.keys.Take(bucket.ID(h.Sum(nil)[:len(bucket.ID{})]), now)
}

package access

import (
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"mintage"
)

// How many wrong passwords are borne: at first so many at once, then one in each
// interval. For an account that is under 300 a day, for ever: nothing against the
// passwords that are accepted (NIST SP 800-63B-4, section 3.2.2, asks for a limit).
const (
	accountBurst = 10
	accountEvery = 5 * time.Minute
	addressBurst = 30 // an office behind one address
	addressEvery = 10 * time.Second

	// refusalEvery is how often a refused sign-in leaves events, for each account.
	refusalEvery = time.Minute
)

// throttle counts failures for each account, whether it exists or not, and for
// each address. It is of one process, and forgets when that ends.
type throttle struct {
	accounts, addresses *table
}

func newThrottle() *throttle {
	return &throttle{accounts: newTable(accountEvery, accountBurst), addresses: newTable(addressEvery, addressBurst)}
}

// attempt is a try that counts as a failure unless it is given back.
type attempt struct {
	at    time.Time
	turns []*rate.Reservation
}

// begin counts a try, or refuses it with TOO_MANY_REQUESTS. An address that is not
// valid does not count.
func (t *throttle) begin(email string, address netip.Addr, now time.Time) (*attempt, error) {
	a := &attempt{at: now}
	a.turns = append(a.turns, t.accounts.turn(bucketOf(strings.ToLower(email)), now))
	if address.IsValid() {
		a.turns = append(a.turns, t.addresses.turn(bucketOf(network(address)), now))
	}
	var wait time.Duration
	for _, turn := range a.turns {
		wait = max(wait, turn.DelayFrom(now))
	}
	if wait == 0 {
		return a, nil
	}
	a.giveBack()
	if minutes := int((wait + time.Minute - 1) / time.Minute); minutes > 1 {
		return nil, mintage.Errorf(mintage.CodeTooMany, "Too many failed sign-ins; try again in %d minutes.", minutes)
	}
	return nil, mintage.Errorf(mintage.CodeTooMany, "Too many failed sign-ins; try again in a minute.")
}

// giveBack says that the try was no failure.
func (a *attempt) giveBack() {
	for _, turn := range a.turns {
		turn.CancelAt(a.at)
	}
}

// network is what counts as one address: of IPv6 the /64, of which one client may
// have all.
func network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// generation is how many buckets a table holds before it begins to forget; it
// holds at most twice as many. To be forgotten early, somebody has to fail that
// often elsewhere.
const generation = 1 << 14

type bucket [16]byte

func bucketOf(text string) bucket {
	sum := sha256.Sum256([]byte(text))
	return bucket(sum[:])
}

// table holds a bucket for each id seen lately: those of this generation and of
// the one before. What is used moves on to the young one.
type table struct {
	every time.Duration
	burst int

	mu         sync.Mutex
	young, old map[bucket]*rate.Limiter
}

func newTable(every time.Duration, burst int) *table {
	return &table{every: every, burst: burst, young: make(map[bucket]*rate.Limiter)}
}

// turn takes one from a bucket, now or later.
func (t *table) turn(id bucket, now time.Time) *rate.Reservation {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.young[id]
	if b == nil {
		if b = t.old[id]; b == nil {
			b = rate.NewLimiter(rate.Every(t.every), t.burst)
		}
		if len(t.young) == generation {
			t.old, t.young = t.young, make(map[bucket]*rate.Limiter)
		}
		t.young[id] = b
	}
	return b.ReserveN(now, 1)
}

// allow takes one from a bucket if there is one now.
func (t *table) allow(id bucket, now time.Time) bool {
	turn := t.turn(id, now)
	if turn.DelayFrom(now) == 0 {
		return true
	}
	turn.CancelAt(now)
	return false
}

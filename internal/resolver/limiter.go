package resolver

import (
	"math"
	"sync"

	"golang.org/x/time/rate"

	"mintage"
)

const (
	// missBurst is how many seconds' worth of misses may come at once.
	missBurst = 5
	// networksKept is how many networks the limiter holds before it begins to forget;
	// it holds at most twice as many.
	networksKept = 1 << 14
)

// limiter counts lookups that find nothing, for each client network. Those of this
// generation and of the one before are kept; who comes again moves on to the young one.
type limiter struct {
	rate  rate.Limit
	burst int

	mu         sync.Mutex
	young, old map[string]*rate.Limiter
}

func newLimiter(perSecond float64) *limiter {
	return &limiter{
		rate: rate.Limit(perSecond), burst: max(1, int(math.Ceil(missBurst*perSecond))),
		young: make(map[string]*rate.Limiter),
	}
}

// check fails with TOO_MANY_REQUESTS where the network has had its share of misses.
// Only what turns out to be one is counted, so lookups at the same moment may go a
// little beyond.
func (l *limiter) check(network string) error {
	if l.of(network).Tokens() < 1 {
		return mintage.Errorf(mintage.CodeTooMany, "Too many codes that do not exist were asked for from here; try again in a moment.")
	}
	return nil
}

// miss counts one.
func (l *limiter) miss(network string) { l.of(network).Allow() }

func (l *limiter) of(network string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.young[network]; b != nil {
		return b
	}
	b := l.old[network]
	if b == nil {
		b = rate.NewLimiter(l.rate, l.burst)
	}
	if len(l.young) == networksKept {
		l.old, l.young = l.young, make(map[string]*rate.Limiter)
	}
	l.young[network] = b
	return b
}

package resolver

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"mintage"
	"mintage/internal/bucket"
)

const (
	// missBurst is how many seconds' worth of misses may come at once.
	missBurst = 5
	// addressesKept is how many addresses a limiter holds before it begins to forget; it
	// holds at most twice as many.
	addressesKept = 1 << 14
)

// misses are the lookups that found nothing, by client address. Whoever asks for hosts
// or products that there are not may still ask for units.
type misses struct{ hosts, products, units *limiter }

// limiter counts one kind of them.
type limiter struct{ table *bucket.Table }

func newMisses(perSecond float64) misses {
	of := func() *limiter {
		return &limiter{bucket.NewTable(rate.Limit(perSecond), max(1, int(math.Ceil(missBurst*perSecond))), addressesKept)}
	}
	return misses{hosts: of(), products: of(), units: of()}
}

// check fails with TOO_MANY_REQUESTS where the client has had its share of misses.
// Only what turns out to be one is counted, so lookups at the same moment may go a
// little beyond.
func (l *limiter) check(client bucket.ID) error {
	if !l.table.Has(client, time.Now()) {
		return mintage.Errorf(mintage.CodeTooMany, "Too many codes that do not exist were asked for from here; try again in a moment.")
	}
	return nil
}

// miss counts one.
func (l *limiter) miss(client bucket.ID) { l.table.Take(client, time.Now()) }

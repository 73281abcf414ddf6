package resolver

import (
	"context"
	"sync/atomic"
	"time"

	"mintage/internal/store"
)

const (
	// maxAsking is how many requests ask the database at once: fewer than either engine
	// has connections, so that activations, chunks and scans find one too. More would not
	// be faster.
	maxAsking = 6
	// maxWaiting is how many more may wait for a turn, and turnTime how long.
	maxWaiting = 1024
	turnTime   = 5 * time.Second
)

// turns bounds the requests that ask the database at once.
type turns struct {
	asking  chan struct{} // has room for as many as may
	most    int64         // that may wait
	waiting atomic.Int64
}

func newTurns() *turns { return &turns{asking: make(chan struct{}, maxAsking), most: maxWaiting} }

// take waits for a turn, which done ends. UNAVAILABLE where too many wait already, or
// it takes too long.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	done = func() { <-t.asking }
	select {
	case t.asking <- struct{}{}:
		return done, nil
	default:
	}
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > t.most {
		return nil, busy()
	}
	patience := time.NewTimer(turnTime)
	defer patience.Stop()
	select {
	case t.asking <- struct{}{}:
		return done, nil
	case <-patience.C:
		return nil, busy()
	case <-ctx.Done():
		return nil, later("The scan was broken off.").WithCause(ctx.Err())
	}
}

func busy() error {
	return later("Too many scans have to ask the database at this moment; try again.")
}

// ask is how a request reads from the database: when it is its turn.
func (r *Resolver) ask(ctx context.Context, from store.Transactions, fn func(store.Reader) error) error {
	done, err := r.turns.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	return from.Read(ctx, fn)
}

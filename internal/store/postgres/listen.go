package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// submissions is the channel that CreateJob notifies.
const submissions = "mintage_submissions"

// Waits between two attempts to subscribe.
const (
	firstWait = 250 * time.Millisecond
	longWait  = 15 * time.Second
)

// Submissions subscribes to submissions, over a connection of its own; see
// [store.Store]. Where none can be made, the channel stays silent.
func (s *Store) Submissions(ctx context.Context) <-chan struct{} {
	wake := make(chan struct{}, 1)
	s.subscriptions.Go(func() {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.lifetime, cancel)() //nolint:contextcheck // Close ends it too

		wait := firstWait
		for ctx.Err() == nil {
			if s.listen(ctx, wake) {
				wait = firstWait
			}
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
			wait = min(2*wait, longWait)
		}
	})
	return wake
}

// listen passes notifications on until the connection or the context ends, and
// reports whether it has come to hear any. Why it ended does not matter: workers
// poll as well, and are told about the fault by their own statements.
func (s *Store) listen(ctx context.Context, wake chan<- struct{}) bool {
	conn, err := pgx.ConnectConfig(ctx, s.direct.Copy())
	if err != nil {
		return false
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+submissions); err != nil {
		return false
	}
	for {
		// The first signal is for what was missed while nobody listened.
		select {
		case wake <- struct{}{}:
		default: // one is waiting already
		}
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return true
		}
	}
}

package mint

import (
	"context"
	"log/slog"
	"time"

	"mintage"
	"mintage/internal/store"
)

const (
	// rollUpInterval is how often the stored counts are brought up to date.
	rollUpInterval = time.Second
	// maxRollUp bounds the events of one transaction, so that on SQLite others wait no
	// longer than for a cycle.
	maxRollUp = 5000
)

// RollUp adds what happened to units to the stored counts, which [Service.Counts]
// then need not add up: they are exact without it, but slower. Any number of them, in
// any number of processes, may run on one store. One RollUp is for one goroutine.
type RollUp struct {
	store  store.Store
	log    *slog.Logger
	done   int64 // the horizon up to which nothing is left
	paused bool  // by a fault, as the log has told
}

// NewRollUp returns a roll-up that does nothing until it is run.
func NewRollUp(s store.Store, log *slog.Logger) *RollUp { return &RollUp{store: s, log: log} }

// Run rolls up what was committed, each second, until ctx is done. Faults are logged
// once and waited out, so that Run never gives up.
func (r *RollUp) Run(ctx context.Context) {
	ticker := time.NewTicker(rollUpInterval)
	defer ticker.Stop()
	for {
		err := r.RunOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		r.tell(err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tell logs that the roll-up pauses or goes on, when that changes.
func (r *RollUp) tell(err error) {
	switch {
	case err != nil && !r.paused:
		r.log.Error("the roll-up of counts pauses", "code", mintage.ErrorCode(err), "error", err)
	case err == nil && r.paused:
		r.log.Info("the roll-up of counts goes on")
	}
	r.paused = err != nil
}

// RunOnce rolls up everything up to the present horizon.
func (r *RollUp) RunOnce(ctx context.Context) error {
	horizon, err := r.store.EventHorizon(ctx)
	if err != nil || horizon == r.done {
		return err
	}
	for more := true; more; {
		err := r.store.InTx(ctx, func(tx store.Tx) (err error) {
			more, err = tx.RollUp(ctx, horizon, maxRollUp)
			return err
		})
		if err != nil {
			return err
		}
	}
	r.done = horizon
	return nil
}

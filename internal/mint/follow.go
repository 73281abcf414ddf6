package mint

import (
	"context"
	"slices"
	"time"

	"mintage"
	"mintage/internal/store"
)

// Following is how somebody follows a job.
type Following struct {
	Interval  time.Duration   // how often it is looked at
	Heartbeat time.Duration   // how often Beat is called
	Stopping  <-chan struct{} // closed when it shall end; may be nil
	// Admitted is asked before each look whether to go on.
	Admitted func() error

	// Changed gets each state of the job that is another than the one before, Beat the
	// latest one now and then. Their errors end it.
	Changed, Beat func(*store.Work) error
}

// Follow tells of a job's states as they come, from the given one on, until it is
// done, ctx is, or f ends it. seen is the [ProgressID] of the state that is known
// already. What it returns is why it ended before; nil where nothing was wrong.
func (s *Service) Follow(ctx context.Context, p mintage.Principal, work *store.Work, seen int64, f Following) error {
	look, beat := time.NewTicker(f.Interval), time.NewTicker(f.Heartbeat)
	defer look.Stop()
	defer beat.Stop()
	for {
		if id := ProgressID(work); id != seen {
			if err := f.Changed(work); err != nil {
				return err
			}
			seen = id
		}
		if work.Job.Status.Final() {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.Stopping:
			return nil
		case <-beat.C:
			if err := f.Beat(work); err != nil {
				return err
			}
		case <-look.C:
			err := f.Admitted()
			if err == nil {
				work, err = s.Job(ctx, p, work.Job.ID)
			}
			if err != nil {
				return err
			}
		}
	}
}

// ProgressID numbers the states of a job, ever upwards: units only grow, strikes
// are taken back only by new units, and a status never goes back. Because it
// follows from the state alone, any process can tell what a client has seen.
func ProgressID(w *store.Work) int64 {
	rank := slices.Index(mintage.JobStatuses, w.Job.Status)
	return w.Batch.MintedQuantity*100 + int64(w.Job.ConsecutiveErrors*10+rank)
}

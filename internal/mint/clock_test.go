package mint_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// jumping is a worker's clock that is a day ahead and a day behind in turns.
func jumping(now func() time.Time) func() time.Time {
	var calls atomic.Int64
	return func() time.Time {
		day := 24 * time.Hour
		if calls.Add(1)%2 == 0 {
			day = -day
		}
		return now().Add(day)
	}
}

// A worker whose clock jumps by a day beside one whose clock is right: order,
// waits and claims are as ever, because due times come from the database.
func TestClocksThatJump(t *testing.T) {
	eachWithClock(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand)
		var jobs []*mint.Submission
		for range 5 {
			jobs = append(jobs, w.submit(request(product, 40)))
		}
		// Its first two cycles fail: after each it waits, by the database's clock.
		struck := w.work(jobs[1])
		var faults atomic.Int64
		s := storetest.FailInserts(w.db.Store, func(_ context.Context, slice store.Slice) error {
			if slice.First == struck.Batch.FirstOrdinal && faults.Add(1) <= 2 {
				return errors.New("a fault of the job")
			}
			return nil
		})
		waits := [2]time.Duration{time.Second, 10 * time.Second}
		clocks := []func() time.Time{jumping(w.Now), w.Now}
		engines := make([]*mint.Engine, len(clocks))
		for i, clock := range clocks {
			engines[i] = w.engine(s, func(o *mint.Options) { o.CycleSize, o.Now, o.Waits = 10, clock, waits })
		}
		done := make(chan struct{})
		go func() { defer close(done); w.run(jobs, engines...) }()

		for strikes, wait := range waits {
			// The others are done although this one waits.
			for i, other := range jobs {
				if i != 1 {
					storetest.Eventually(t, "the other jobs complete", func() bool { return w.work(other).Job.Status == mintage.JobCompleted })
				}
			}
			storetest.Eventually(t, "the strike is stored", func() bool { return w.work(jobs[1]).Job.ConsecutiveErrors == strikes+1 })
			w.db.Clock.Advance(wait - time.Microsecond)
			w.idle(s)
			if got := w.work(jobs[1]); got.Job.ConsecutiveErrors != strikes+1 || got.Batch.MintedQuantity != 0 {
				t.Fatalf("after strike %d the job was not let to rest: %+v", strikes+1, got.Job)
			}
			w.db.Clock.Advance(time.Microsecond)
		}
		<-done
		if got := w.work(jobs[1]); got.Job.Status != mintage.JobCompleted || faults.Load() < 3 {
			t.Errorf("the job is %s after %d tries", got.Job.Status, faults.Load())
		}
		w.exact()
	})
}

// idle asserts that no job is runnable now.
func (w *world) idle(s store.Store) {
	w.t.Helper()
	err := s.InTx(w.t.Context(), func(tx store.Tx) error {
		work, err := tx.ClaimJob(w.t.Context())
		if err == nil && work != nil {
			w.t.Errorf("job %s is runnable before its time", work.Job.ID)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Oldest first, and once each, with two workers of which one's clock jumps.
func TestOrderWithClocksThatJump(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand)
		var jobs []*mint.Submission
		for range 6 {
			jobs = append(jobs, w.submit(request(product, 500)))
		}
		clock := jumping(w.Now)
		w.run(jobs,
			w.engine(w.db, func(o *mint.Options) { o.CycleSize, o.Now = 50, clock }),
			w.engine(w.db.Reopen(t), func(o *mint.Options) { o.CycleSize = 50 }))
		w.exact()
		if n := storetest.Overtaken(t, w.db.Raw(t)); n >= 2 {
			t.Errorf("2 workers passed over %d older jobs", n)
		}
	})
}

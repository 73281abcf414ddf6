package storetest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// claimed returns the job that a worker would be given now.
func claimed(t testing.TB, s store.Store) *store.Work {
	t.Helper()
	var w *store.Work
	write(t, s, func(ctx context.Context, tx store.Tx) (err error) {
		w, err = tx.ClaimJob(ctx)
		return err
	})
	return w
}

// asClaimed is a job as a worker gets it: without its lots.
func asClaimed(w *store.Work) *store.Work {
	w = copyOf(w)
	w.Batch.Lots = nil
	return w
}

// claimedIs requires that the next job given to a worker is w; nil for none.
func claimedIs(t testing.TB, s store.Store, w *store.Work) {
	t.Helper()
	got := claimed(t, s)
	switch {
	case got == nil && w == nil:
	case got == nil:
		t.Fatalf("no job was claimed, want %d", w.Job.Number)
	case w == nil:
		t.Fatalf("job %d was claimed, want none", got.Job.Number)
	default:
		same(t, got.Job.Number, w.Job.Number)
	}
}

// strike records a failed cycle of w, which is not claimed first: claiming has
// its own tests, and here the order of strikes matters.
func strike(t testing.TB, s store.Store, w *store.Work, wait time.Duration) *store.Work {
	t.Helper()
	write(t, s, func(ctx context.Context, tx store.Tx) (err error) {
		if w, err = tx.WorkByJobID(ctx, w.Job.BrandNumber, w.Job.ID); err != nil {
			return err
		}
		if w.Job.Status == mintage.JobQueued {
			if err := tx.MoveJob(ctx, &w.Job, mintage.JobReserved); err != nil {
				return err
			}
		}
		next := w.Job.Strike(fmt.Sprintf("strike %d", w.Job.ConsecutiveErrors+1))
		if next == mintage.JobFailed {
			w.Job.FinishedAt = w.Job.CreatedAt.Add(time.Hour)
			return tx.MoveJob(ctx, &w.Job, next)
		}
		return tx.RecordStrike(ctx, &w.Job, wait)
	})
	return w
}

func TestClaimJob(t *testing.T) {
	storetest.EachWithClock(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		claimedIs(t, db, nil)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		first := f.SubmitRequest(storetest.Submission{Product: p, Quantity: 5, Lots: []mintage.LotRequest{{LotCode: "A", Quantity: 2}, {LotCode: "B", Quantity: 3}}})
		second := f.Submit(f.NewProduct(other), 5)
		third := f.Submit(p, 5)

		t.Run("returns the oldest, but for its lots", func(t *testing.T) {
			same(t, claimed(t, db), asClaimed(first))
			same(t, claimed(t, db), asClaimed(first)) // the lock is free again
			f.Mint(2)
			same(t, claimed(t, db), asClaimed(workOf(t, db, first))) // whatever its state
		})
		t.Run("not while it waits", func(t *testing.T) {
			strike(t, db, first, 10*time.Second)
			claimedIs(t, db, second)
			strike(t, db, second, 5*time.Second)
			claimedIs(t, db, third)
			strike(t, db, third, 20*time.Second)
			claimedIs(t, db, nil)
			db.Clock.Advance(5*time.Second - time.Microsecond)
			claimedIs(t, db, nil)
			db.Clock.Advance(time.Microsecond)
			claimedIs(t, db, second)
			db.Clock.Advance(5 * time.Second)
			claimedIs(t, db, first) // the oldest again
		})
		t.Run("not when it is final", func(t *testing.T) {
			f.Mint(3)
			claimedIs(t, db, second)
			f.Fail()
			claimedIs(t, db, nil)
			db.Clock.Advance(time.Hour)
			claimedIs(t, db, third)
		})
	})
}

// TestClaimedAtTheSameTime lets several workers hold claims together, which
// PostgreSQL can and SQLite, where the write transaction is the lock, cannot.
func TestClaimedAtTheSameTime(t *testing.T) {
	claim := func(got **store.Work) func(context.Context, store.Tx) error {
		return func(ctx context.Context, tx store.Tx) (err error) {
			*got, err = tx.ClaimJob(ctx)
			return err
		}
	}
	t.Run("postgres", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		jobs := []*store.Work{f.Submit(p, 5), f.Submit(p, 5)}
		var workers []*held
		for i, s := range []store.Store{db, db.Reopen(t)} {
			var got *store.Work
			workers = append(workers, hold(t, s, claim(&got)))
			same(t, got, asClaimed(jobs[i]))
		}
		claimedIs(t, db, nil) // does not wait for them
		third := f.Submit(p, 5)
		claimedIs(t, db, third)
		workers[0].rollback(t)
		claimedIs(t, db, jobs[0]) // the oldest one is free
		workers[1].commit(t)
	})
	t.Run("sqlite", func(t *testing.T) {
		db := storetest.Open(t, "sqlite")
		f := storetest.NewFixture(t, db)
		w := f.Submit(f.NewProduct(f.NewBrand()), 5)
		var first, second *store.Work
		worker := hold(t, db, func(ctx context.Context, tx store.Tx) error {
			if err := claim(&first)(ctx, tx); err != nil {
				return err
			}
			return f.Move(ctx, tx, first, mintage.JobReserved)
		})
		done := started(func() error {
			return db.InTx(t.Context(), func(tx store.Tx) error { return claim(&second)(t.Context(), tx) })
		})
		worker.commit(t)
		if err := receive(t, done, "the second worker's turn"); err != nil {
			t.Fatal(err)
		}
		same(t, []any{second.Job.ID, second.Job.Status}, []any{w.Job.ID, mintage.JobReserved})
	})
}

// TestManyWorkers lets workers race through many small jobs, and checks that no
// two ever work on one job and that everything is minted once.
func TestManyWorkers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		const jobs, workers = 8, 4
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		for range jobs {
			f.Submit(p, 7)
		}
		var busy sync.Map
		cycle := func(tx store.Tx) (bool, error) {
			ctx := t.Context()
			w, err := tx.ClaimJob(ctx)
			if err != nil || w == nil {
				return false, err
			}
			if _, twice := busy.LoadOrStore(w.Job.Number, true); twice {
				t.Errorf("two workers work on job %d", w.Job.Number)
			}
			defer busy.Delete(w.Job.Number)
			return true, f.Cycle(ctx, tx, w, 2)
		}
		finished := func() bool {
			return count(t, db, "SELECT count(*) FROM mint_jobs WHERE status <> 'COMPLETED'") == 0
		}
		var results []<-chan error
		for range workers {
			results = append(results, started(func() error {
				for {
					more := false
					err := db.InTx(t.Context(), func(tx store.Tx) (err error) {
						more, err = cycle(tx)
						return err
					})
					if err != nil || !more {
						return err
					}
				}
			}))
		}
		for _, result := range results {
			if err := receive(t, result, "a worker"); err != nil {
				t.Fatal(err)
			}
		}
		drain(t, db, f) // a worker stops where all jobs left are in others' hands
		if !finished() {
			t.Fatal("some jobs are not COMPLETED")
		}
		same(t, count(t, db, "SELECT count(*) FROM units"), jobs*7)
		same(t, count(t, db, "SELECT count(*) FROM mint_batches WHERE minted_quantity <> 7"), 0)
	})
}

func TestRecordStrike(t *testing.T) {
	storetest.EachWithClock(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		w := f.Submit(f.NewProduct(f.NewBrand()), 5)
		f.Mint(2)
		want := workOf(t, db, w)
		for i, message := range []string{"", `it's an "error" ä`} {
			want.Job.ConsecutiveErrors, want.Job.LastError = i+1, message
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				got, err := tx.ClaimJob(ctx)
				if err != nil {
					return err
				}
				got.Job.Strike(message)
				return tx.RecordStrike(ctx, &got.Job, time.Second)
			})
			same(t, workOf(t, db, w), want)
			claimedIs(t, db, nil)
			db.Clock.Advance(time.Second)
			same(t, claimed(t, db), asClaimed(want))
		}
		t.Run("no wait", func(t *testing.T) {
			strikes := copyOf(&want.Job)
			strikes.ConsecutiveErrors = 1
			write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.RecordStrike(ctx, strikes, 0) })
			claimedIs(t, db, w)
		})
		t.Run("in another state", func(t *testing.T) {
			stale := copyOf(&want.Job)
			stale.Status = mintage.JobReserved
			refusedWithin(t, db, mintage.CodeTransition, func(ctx context.Context, tx store.Tx) error { return tx.RecordStrike(ctx, stale, 0) })
		})
		t.Run("three without failing", func(t *testing.T) {
			third := copyOf(&want.Job)
			third.ConsecutiveErrors = mintage.MaxStrikes
			unchanged(t, db, func() {
				if err := db.InTx(t.Context(), func(tx store.Tx) error { return tx.RecordStrike(t.Context(), third, 0) }); err == nil {
					t.Error("a job with three strikes lives")
				}
			})
		})
	})
}

func TestClearStrikes(t *testing.T) {
	storetest.EachWithClock(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		w := f.Submit(f.NewProduct(f.NewBrand()), 5)
		f.Mint(2)
		for range 2 {
			strike(t, db, w, 0)
		}
		want := workOf(t, db, w)
		same(t, want.Job.ConsecutiveErrors, 2)
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			got, err := tx.ClaimJob(ctx)
			if err != nil {
				return err
			}
			if err := tx.ClearStrikes(ctx, &got.Job); err != nil {
				return err
			}
			same(t, got.Job.ConsecutiveErrors, 0)
			return nil
		})
		stale := copyOf(&want.Job)
		stale.Status = mintage.JobReserved
		refusedWithin(t, db, mintage.CodeTransition, func(ctx context.Context, tx store.Tx) error { return tx.ClearStrikes(ctx, stale) })
		want.Job.ConsecutiveErrors = 0
		same(t, workOf(t, db, w), want) // the message stays
		claimedIs(t, db, w)
		for range 2 { // the count begins anew
			same(t, strike(t, db, w, 0).Job.Status, mintage.JobProcessing)
		}
		same(t, strike(t, db, w, 0).Job.Status, mintage.JobFailed)
	})
}

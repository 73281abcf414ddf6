package mint_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

var errPoison = mintage.Errorf(mintage.CodeInternal, "the row is poisoned")

// script makes the cycles fail one after another as it says; when it is through,
// they succeed.
func script(errs ...error) func(context.Context, store.Slice) error {
	return func(context.Context, store.Slice) error {
		if len(errs) == 0 {
			return nil
		}
		err := errs[0]
		errs = errs[1:]
		return err
	}
}

func smallCycles(n int) func(*mint.Options) {
	return func(o *mint.Options) { o.CycleSize = n }
}

func TestCycleBoundaries(t *testing.T) {
	for _, n := range []int64{1, 19_999, 20_000, 20_001} {
		t.Run(strconv.FormatInt(n, 10), func(t *testing.T) { cycleBoundary(t, n) })
	}
}

func cycleBoundary(t *testing.T, n int64) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), n))
		w.run([]*mint.Submission{sub}, w.engine(w.db))
		got := w.work(sub)
		if got.Job.Status != mintage.JobCompleted || got.Batch.Status != mintage.BatchMinted || got.Batch.MintedQuantity != n {
			t.Fatalf("%d units: job %s, batch %s with %d", n, got.Job.Status, got.Batch.Status, got.Batch.MintedQuantity)
		}
		cycles := (n + mintage.MaxCycle - 1) / mintage.MaxCycle
		if events := w.query("SELECT count(*) FROM events WHERE kind = 'mint_batch.cycle'"); events != cycles {
			t.Errorf("%d units took %d cycles, want %d", n, events, cycles)
		}
		w.exact()
	})
}

func TestEventsTellTheWholeLife(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 25))
		w.run([]*mint.Submission{sub}, w.engine(w.db, smallCycles(10)))
		events, err := w.service.Events(t.Context(), w.p, mint.EventFilter{BatchID: sub.BatchID}, store.Page{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(events)
		var told []string
		for _, e := range events {
			told = append(told, strings.Join([]string{string(e.Kind), e.From, e.To, e.Actor}, " "))
			if e.At.IsZero() || e.BatchID != sub.BatchID || e.JobID != sub.JobID {
				t.Errorf("event %+v", e)
			}
		}
		want := []string{
			"mint_job.transition  QUEUED key:test",
			"mint_batch.transition  queued key:test",
			"mint_job.transition QUEUED RESERVED worker:test",
			"mint_job.transition RESERVED PROCESSING worker:test",
			"mint_batch.transition queued processing worker:test",
			"mint_batch.cycle   worker:test",
			"mint_batch.cycle   worker:test",
			"mint_batch.cycle   worker:test",
			"mint_job.transition PROCESSING COMPLETED worker:test",
			"mint_batch.transition processing minted worker:test",
		}
		if !slices.Equal(told, want) {
			t.Errorf("told:\n%s\nwant:\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestTwoStrikesSuccessTwoStrikesCompletes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 20))
		s := storetest.FailInserts(w.db, script(errPoison, errPoison, nil, errPoison, errPoison))
		w.run([]*mint.Submission{sub}, w.engine(s, smallCycles(10)))
		got := w.work(sub)
		if got.Job.Status != mintage.JobCompleted || got.Batch.MintedQuantity != 20 || got.Job.ConsecutiveErrors != 0 {
			t.Fatalf("%+v", got)
		}
		if !strings.Contains(got.Job.LastError, "poisoned") {
			t.Errorf("the last message is lost: %q", got.Job.LastError)
		}
		if n := w.query("SELECT count(*) FROM events WHERE kind = 'mint_job.strike'"); n != 4 {
			t.Errorf("%d strikes were recorded, want 4", n)
		}
		w.exact()
	})
}

func TestThreeStrikesFailTheJobAndFreeTheRest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand)
		run := w.NewProductionBatch(product, 100)
		req := request(product, 100)
		req.ProductionBatchID = run.ID
		sub := w.submit(req)
		s := storetest.FailInserts(w.db, script(nil, nil, nil, errPoison, errPoison, errPoison))
		w.run([]*mint.Submission{sub}, w.engine(s, smallCycles(10)))

		got := w.work(sub)
		if got.Job.Status != mintage.JobFailed || got.Batch.Status != mintage.BatchFailed ||
			got.Batch.MintedQuantity != 30 || got.Job.ConsecutiveErrors != 3 || got.Job.FinishedAt.IsZero() {
			t.Fatalf("%+v", got)
		}
		if !strings.Contains(got.Job.LastError, "poisoned") {
			t.Errorf("the last message is lost: %q", got.Job.LastError)
		}
		w.exact()

		// 30 are committed for ever, 70 are free again.
		req.RequestedQuantity = 71
		reasons, err := w.service.Preflight(t.Context(), w.p, req)
		if err != nil || len(reasons) != 1 || *reasons[0].Quantities != (mintage.Quantities{ProductionBatch: 100, Committed: 30, Remaining: 70}) {
			t.Fatalf("71 more: %+v, %v", reasons, err)
		}
		req.RequestedQuantity = 70
		again := w.submit(req)
		w.run([]*mint.Submission{again}, w.engine(w.db))
		if next := w.work(again).Batch; next.FirstOrdinal != got.Batch.FirstOrdinal+100 || next.MintedQuantity != 70 {
			t.Errorf("the next batch begins at %d and has %d units", next.FirstOrdinal, next.MintedQuantity)
		}
		w.exact()
	})
}

func TestAJobThatNeverMintedGivesItsGTINBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		gtin := w.NewGTIN()
		withGTIN := func(p *mintage.Product) { p.GTIN = gtin }
		first, second := w.NewProduct(w.brand, withGTIN), w.NewProduct(w.brand, withGTIN)
		sub := w.submit(request(first, 10))
		_, err := w.service.Submit(t.Context(), w.p, request(second, 10), "")
		blockedFor(t, err, mintage.ReasonGTINTaken)

		w.run([]*mint.Submission{sub}, w.engine(storetest.FailInserts(w.db, script(errPoison, errPoison, errPoison))))
		if got := w.work(sub); got.Job.Status != mintage.JobFailed || got.Batch.MintedQuantity != 0 {
			t.Fatalf("%+v", got)
		}
		w.run([]*mint.Submission{w.submit(request(second, 10))}, w.engine(w.db))
		_, err = w.service.Submit(t.Context(), w.p, request(first, 10), "")
		blockedFor(t, err, mintage.ReasonGTINTaken)
	})
}

func TestAPanicIsAStrike(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 10))
		calls := 0
		s := storetest.FailInserts(w.db, func(context.Context, store.Slice) error {
			if calls++; calls == 1 {
				panic("a bug")
			}
			return nil
		})
		w.run([]*mint.Submission{sub}, w.engine(s))
		if got := w.work(sub); got.Job.Status != mintage.JobCompleted || !strings.Contains(got.Job.LastError, "fault of the program") {
			t.Fatalf("%+v", got)
		}
		w.exact()
	})
}

func TestAFaultOfThePlaceIsNoStrike(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 10))
		full := mintage.Errorf(mintage.CodeUnavailable, "the disk is full")
		var mu sync.Mutex
		broken := true
		s := storetest.FailInserts(w.db, func(context.Context, store.Slice) error {
			mu.Lock()
			defer mu.Unlock()
			if broken {
				return full
			}
			return nil
		})
		e := w.engine(s)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { e.Run(ctx); close(done) }()
		storetest.Eventually(t, "the fault shows", func() bool { return e.Fault() != nil })
		code(t, e.Fault(), mintage.CodeUnavailable)
		if got := w.work(sub); got.Job.ConsecutiveErrors != 0 || got.Batch.MintedQuantity != 0 {
			t.Errorf("the outage cost a strike: %+v", got.Job)
		}
		mu.Lock()
		broken = false
		mu.Unlock()
		storetest.Eventually(t, "the job completes", func() bool { return w.work(sub).Job.Status == mintage.JobCompleted })
		storetest.Eventually(t, "the fault is gone", func() bool { return e.Fault() == nil })
		stop()
		<-done
		if n := w.query("SELECT count(*) FROM events WHERE kind = 'mint_job.strike'"); n != 0 {
			t.Errorf("%d strikes were recorded", n)
		}
		w.exact()
	})
}

func TestALostRaceIsRunAgainAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 10))
		race := mintage.Errorf(mintage.CodeRetry, "deadlock")
		w.run([]*mint.Submission{sub}, w.engine(storetest.FailInserts(w.db, script(race, race, race, race, race, race, race, race))))
		if got := w.work(sub); got.Job.Status != mintage.JobCompleted || got.Job.LastError != "" {
			t.Fatalf("%+v", got.Job)
		}
		w.exact()
	})
}

// The waits go by the database's clock: nothing happens until it moves.
func TestAJobRestsBetweenStrikes(t *testing.T) {
	eachWithClock(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 10))
		s := storetest.FailInserts(w.db, script(errPoison, errPoison))
		e := mint.NewEngine(s, w.keys, mint.Options{Now: w.Now})
		once := func(errors int, status mintage.JobStatus) {
			t.Helper()
			if err := e.RunOnce(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			if got := w.work(sub).Job; got.ConsecutiveErrors != errors || got.Status != status {
				t.Fatalf("%d errors, %s; want %d, %s", got.ConsecutiveErrors, got.Status, errors, status)
			}
		}
		once(1, mintage.JobReserved)
		w.db.Clock.Advance(time.Second - time.Microsecond)
		once(1, mintage.JobReserved)
		w.db.Clock.Advance(time.Microsecond)
		once(2, mintage.JobReserved)
		w.db.Clock.Advance(10*time.Second - time.Microsecond)
		once(2, mintage.JobReserved)
		w.db.Clock.Advance(time.Microsecond)
		once(0, mintage.JobCompleted)
	})
}

// A job that rests does not hold up those behind it.
func TestYoungerJobsRunWhileAnOlderOneRests(t *testing.T) {
	eachWithClock(t, func(t *testing.T, w *world) {
		old := w.submit(request(w.NewProduct(w.brand), 10))
		young := w.submit(request(w.NewProduct(w.brand), 10))
		e := mint.NewEngine(storetest.FailInserts(w.db, script(errPoison)), w.keys, mint.Options{Now: w.Now})
		if err := e.RunOnce(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if o, y := w.work(old).Job.Status, w.work(young).Job.Status; o != mintage.JobReserved || y != mintage.JobCompleted {
			t.Errorf("the old job is %s, the young one %s", o, y)
		}
	})
}

// Several workers on several jobs: each unit once, and at each claim no older
// runnable job stood unlocked.
func TestManyWorkersOldestFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var jobs []*mint.Submission
		for range 6 {
			jobs = append(jobs, w.submit(request(w.NewProduct(w.brand), 500)))
		}
		engines := []*mint.Engine{
			w.engine(w.db, smallCycles(50)), w.engine(w.db.Reopen(t), smallCycles(50)), w.engine(w.db.Reopen(t), smallCycles(50)),
		}
		w.run(jobs, engines...)
		for _, j := range jobs {
			if got := w.work(j); got.Job.Status != mintage.JobCompleted {
				t.Errorf("%s: %s", j.JobID, got.Job.Status)
			}
		}
		w.exact()
		if n := storetest.Overtaken(t, w.db.Raw(t)); n >= int64(len(engines)) {
			t.Errorf("%d workers passed over %d older jobs", len(engines), n)
		}
	})
}

func TestShutdownFinishesTheCycleInHand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 30))
		ctx, stop := context.WithCancel(t.Context())
		s := storetest.FailInserts(w.db, func(context.Context, store.Slice) error { stop(); return nil })
		w.engine(s, smallCycles(10)).Run(ctx)
		if got := w.work(sub); got.Batch.MintedQuantity != 10 || got.Job.Status != mintage.JobProcessing {
			t.Fatalf("%d units, %s: the cycle in hand is to be finished and no other begun", got.Batch.MintedQuantity, got.Job.Status)
		}
		w.run([]*mint.Submission{sub}, w.engine(w.db))
		w.exact()
	})
}

// A cycle that cannot be finished in time is tried in halves; once it can, slices
// grow again.
func TestASlowCycleIsHalved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var slow atomic.Bool
		slow.Store(true)
		s := storetest.FailInserts(w.db, func(ctx context.Context, s store.Slice) error {
			if !slow.Load() || len(s.Codes) <= 10 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		e := w.engine(s, smallCycles(40), func(o *mint.Options) { o.HungAfter = 300 * time.Millisecond })
		first := w.submit(request(w.NewProduct(w.brand), 20))
		w.run([]*mint.Submission{first}, e)
		slow.Store(false)
		second := w.submit(request(w.NewProduct(w.brand), 200))
		w.run([]*mint.Submission{second}, e)
		for _, sub := range []*mint.Submission{first, second} {
			if got := w.work(sub).Job; got.Status != mintage.JobCompleted || got.LastError != "" {
				t.Errorf("%+v", got)
			}
		}
		if most := w.query("SELECT max(quantity) FROM events WHERE kind = 'mint_batch.cycle'"); most != 40 {
			t.Errorf("the largest slice afterwards has %d units", most)
		}
		w.exact()
	})
}

func TestTheWrongMasterKeyPausesAndCostsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 10))
		other := mint.NewKeyring(storetest.NewFixture(t, w.db).MasterKey)
		code(t, other.Check(t.Context(), w.db), mintage.CodeUnavailable)
		code(t, mint.NewEngine(w.db, other, mint.Options{}).RunOnce(t.Context(), 0), mintage.CodeUnavailable)
		if got := w.work(sub).Job; got.ConsecutiveErrors != 0 || got.Status != mintage.JobReserved {
			t.Errorf("%+v", got)
		}
	})
}

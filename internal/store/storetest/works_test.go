package storetest_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// fullWork submits a request with everything that a request can have, and mints
// part of it.
func fullWork(f *storetest.Fixture, b *mintage.Brand) *store.Work {
	p := f.NewProduct(b)
	w := f.SubmitRequest(storetest.Submission{
		Product:        p,
		Quantity:       10,
		Lots:           []mintage.LotRequest{{LotCode: "B/2'", Quantity: 4}, {LotCode: "A", Quantity: 6}},
		IdentityMode:   mintage.IdentityBatch,
		ActivationMode: mintage.ActiveAtMint,
		Production:     f.NewProductionBatch(p, 100),
		Key:            storetest.NewID(),
		CycleLimit:     7,
	})
	f.Strike(`an "ä" error`)
	f.Mint(5)
	return w
}

func TestWorkByJobID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		w := f.SubmitRequest(storetest.Submission{Product: f.NewProduct(b, func(p *mintage.Product) { p.GTIN = "" }), Quantity: 1})
		same(t, workOf(t, db, w), w)
		same(t, f.Mint(1).Job.Status, mintage.JobCompleted)

		w = fullWork(f, b)
		got := workOf(t, db, w)
		started := got.Job.StartedAt
		if started.IsZero() || started.Before(w.Job.CreatedAt) {
			t.Errorf("started at %v", started)
		}
		w.Job.Status, w.Batch.Status = mintage.JobProcessing, mintage.BatchProcessing
		w.Job.LastError, w.Job.StartedAt, w.Batch.MintedQuantity = `an "ä" error`, started, 5
		same(t, got, w)

		foreign := f.Submit(f.NewProduct(other), 1)
		for _, id := range append(malformedIDs(w.Job.ID), storetest.NewID(), w.Batch.ID, foreign.Job.ID) {
			notFound(t, db, func(ctx context.Context, r store.Reader) (*store.Work, error) {
				return r.WorkByJobID(ctx, b.Number, id)
			})
		}
	})
}

func TestWorkByBatchID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		w := fullWork(f, b)
		got := read(t, db, func(ctx context.Context, r store.Reader) (*store.Work, error) {
			return r.WorkByBatchID(ctx, b.Number, w.Batch.ID)
		})
		same(t, got, workOf(t, db, w))
		foreign := f.Submit(f.NewProduct(other), 1)
		for _, id := range append(malformedIDs(w.Batch.ID), storetest.NewID(), w.Job.ID, foreign.Batch.ID) {
			notFound(t, db, func(ctx context.Context, r store.Reader) (*store.Work, error) {
				return r.WorkByBatchID(ctx, b.Number, id)
			})
		}
	})
}

func TestWorkByOrdinal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p, second := f.NewProduct(b), f.NewProduct(b)
		lots := []mintage.LotRequest{{LotCode: "A", Quantity: 3}, {LotCode: "B", Quantity: 2}}
		works := []*store.Work{f.Submit(p, 10), f.Submit(p, 5, lots...), f.Submit(p, 1)}
		alone := f.Submit(second, 1)
		foreign := f.Submit(f.NewProduct(other), 10)
		byOrdinal := func(product, ordinal int64) func(context.Context, store.Reader) (*store.Work, error) {
			return func(ctx context.Context, r store.Reader) (*store.Work, error) {
				return r.WorkByOrdinal(ctx, b.Number, product, ordinal)
			}
		}
		for ordinal := range int64(16) {
			want := works[0]
			switch {
			case ordinal >= 15:
				want = works[2]
			case ordinal >= 10:
				want = works[1]
			}
			same(t, read(t, db, byOrdinal(p.Number, ordinal)), want)
		}
		same(t, read(t, db, byOrdinal(second.Number, 0)), alone)
		for _, missing := range [][2]int64{{p.Number, 16}, {p.Number, -1}, {p.Number, 1 << 40}, {999, 0}, {foreign.Batch.ProductNumber, 0}} {
			notFound(t, db, byOrdinal(missing[0], missing[1]))
		}
		t.Run("of a FAILED job's gap", func(t *testing.T) {
			f.Mint(4)
			f.Fail()
			same(t, read(t, db, byOrdinal(p.Number, 9)).Job.ID, works[0].Job.ID)
		})
	})
}

func TestWorks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p, second := f.NewProduct(b), f.NewProduct(b)
		pb := f.NewProductionBatch(p, 100)
		foreign := f.NewProduct(other)

		var works []*store.Work
		submit := func(s storetest.Submission) {
			s.Quantity = 3
			works = append(works, f.SubmitRequest(s))
		}
		submit(storetest.Submission{Product: p})
		f.Mint(3) // 0: COMPLETED
		submit(storetest.Submission{Product: p, Production: pb})
		f.Fail() // 1: FAILED
		submit(storetest.Submission{Product: second, Lots: []mintage.LotRequest{{LotCode: "A", Quantity: 1}, {LotCode: "B", Quantity: 2}}})
		f.Mint(1)                                                // 2: PROCESSING
		submit(storetest.Submission{Product: p, Production: pb}) // 3: QUEUED
		submit(storetest.Submission{Product: second})            // 4: QUEUED
		f.Submit(foreign, 3)

		list := func(filter store.JobFilter) func(store.Page) []*store.Work {
			return func(page store.Page) []*store.Work {
				return read(t, db, func(ctx context.Context, r store.Reader) ([]*store.Work, error) {
					return r.Works(ctx, b.Number, filter, page)
				})
			}
		}
		number := func(w *store.Work) int64 { return w.Job.Number }
		for limit := 1; limit <= 6; limit++ {
			same(t, mapped(pages(t, limit, number, list(store.JobFilter{})), number), newestFirst(works, number))
		}
		for _, w := range list(store.JobFilter{})(store.Page{Limit: 10}) {
			same(t, w, workOf(t, db, w)) // lots and all
		}
		filters := map[string]struct {
			filter store.JobFilter
			want   []int
		}{
			"COMPLETED":                  {store.JobFilter{Statuses: []mintage.JobStatus{mintage.JobCompleted}}, []int{0}},
			"QUEUED":                     {store.JobFilter{Statuses: []mintage.JobStatus{mintage.JobQueued}}, []int{4, 3}},
			"RESERVED":                   {store.JobFilter{Statuses: []mintage.JobStatus{mintage.JobReserved}}, []int{}},
			"batch processing or failed": {store.JobFilter{Statuses: append(mintage.BatchProcessing.Jobs(), mintage.BatchFailed.Jobs()...)}, []int{2, 1}},
			"product":                    {store.JobFilter{Product: p.Number}, []int{3, 1, 0}},
			"production batch":           {store.JobFilter{ProductionBatch: pb.Number}, []int{3, 1}},
			"all three":                  {store.JobFilter{Statuses: []mintage.JobStatus{mintage.JobQueued}, Product: p.Number, ProductionBatch: pb.Number}, []int{3}},
			"contradicted":               {store.JobFilter{Product: second.Number, ProductionBatch: pb.Number}, []int{}},
			"another brand's product":    {store.JobFilter{Product: foreign.Number}, []int{}},
		}
		for name, test := range filters {
			t.Run(name, func(t *testing.T) {
				for limit := 1; limit <= 3; limit++ {
					got := mapped(pages(t, limit, number, list(test.filter)), number)
					same(t, got, mapped(test.want, func(i int) int64 { return works[i].Job.Number }))
				}
			})
		}
		t.Run("stable while jobs are added", func(t *testing.T) {
			got := pages(t, 2, number, func(page store.Page) []*store.Work {
				rows := list(store.JobFilter{})(page)
				f.Submit(p, 1)
				return rows
			})
			same(t, mapped(got, number), newestFirst(works, number))
		})
	})
}

func TestNextDue(t *testing.T) {
	storetest.EachWithClock(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		due := func() time.Duration {
			return read(t, db, func(ctx context.Context, r store.Reader) (time.Duration, error) { return r.NextDue(ctx) })
		}
		negative := func(t *testing.T) {
			t.Helper()
			if d := due(); d >= 0 {
				t.Fatalf("a job is due in %v", d)
			}
		}
		negative(t)
		first, second := f.Submit(f.NewProduct(b), 5), f.Submit(f.NewProduct(other), 5)
		negative(t) // runnable, not waiting

		strike(t, db, first, 10*time.Second)
		same(t, due(), 10*time.Second)
		db.Clock.Advance(time.Second)
		strike(t, db, second, 2500*time.Millisecond)
		same(t, due(), 2500*time.Millisecond)

		db.Clock.Advance(due())
		if w := claimed(t, db); w == nil || w.Job.ID != second.Job.ID {
			t.Fatal("the job that was due cannot be claimed")
		}
		db.Clock.Advance(time.Millisecond)
		same(t, due(), 6499*time.Millisecond) // the second is due, and no longer waits

		strike(t, db, second, time.Second)
		failed := strike(t, db, second, 0)
		same(t, failed.Job.Status, mintage.JobFailed)
		same(t, due(), 6499*time.Millisecond) // a failed job waits for nothing

		db.Clock.Advance(time.Minute)
		negative(t)
	})
}

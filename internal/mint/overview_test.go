package mint_test

import (
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store/storetest"
)

func TestOverview(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db)
		clock := storetest.NewClock(time.Date(2026, time.March, 29, 23, 59, 0, 0, time.UTC))
		w.Now = clock.Now
		service := mint.New(db, w.keys, clock.Now)
		overview := func(p mintage.Principal) *mint.Overview {
			t.Helper()
			if err := storetest.RollUp(t.Context(), db, 100); err != nil {
				t.Fatal(err)
			}
			o, err := service.Overview(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Days) != mint.OverviewDays || !o.Days[0].Day.Equal(o.Today().Day.AddDate(0, 0, 1-mint.OverviewDays)) {
				t.Fatalf("%d days from %s to %s", len(o.Days), o.Days[0].Day, o.Today().Day)
			}
			return o
		}
		if o := overview(w.p); o.Units() != 0 || o.Today().Minted != 0 || !o.Today().Day.Equal(time.Date(2026, time.March, 29, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("at the beginning: %+v", o)
		}
		batch := w.Submit(w.NewProduct(w.brand), 10)
		w.Submit(w.NewProduct(w.NewBrand()), 7)
		w.Mint(10)
		clock.Advance(2 * time.Minute) // the next day
		w.Activate(&batch.Batch, 1, 2)
		w.Revoke(&batch.Batch, "r", 2, 3)
		o := overview(w.p)
		yesterday := o.Days[len(o.Days)-2]
		if o.Units() != 10 || o.Counts != (mintage.Counts{Minted: 7, Active: 1, Revoked: 2}) || o.Running != 0 {
			t.Errorf("the totals are %+v", o.Totals)
		}
		if yesterday.Minted != 10 || o.Today().Minted != 0 || o.Today().Activated != 2 || o.Today().Revoked != 2 {
			t.Errorf("yesterday %+v, today %+v", yesterday, o.Today())
		}
		clock.Advance(mint.OverviewDays * 24 * time.Hour)
		if o := overview(w.p); o.Days[0].Minted != 0 || o.Days[0].Activated != 0 || o.Units() != 10 {
			t.Errorf("after a month: %+v", o)
		}
		stranger := mintage.Principal{BrandNumber: w.NewBrand().Number}
		if o := overview(stranger); o.Units() != 0 || o.Days[0].Minted != 0 {
			t.Errorf("another brand sees %+v", o)
		}
	})
}

func TestListsOfBatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		done := w.Submit(p, 2)
		w.Mint(2)
		failed := w.Submit(p, 2)
		w.Fail()
		running := w.Submit(p, 2)
		w.Mint(1)
		queued := w.Submit(p, 2)
		foreign := w.Submit(w.NewProduct(w.NewBrand()), 2)

		ids := func(f mint.Filter) string {
			t.Helper()
			works, err := w.service.List(t.Context(), w.p, f, mint.Page{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, one := range works {
				text += one.Batch.ID + " "
			}
			return text
		}
		if got, want := ids(mint.Filter{Unfinished: true}), queued.Batch.ID+" "+running.Batch.ID+" "; got != want {
			t.Errorf("not finished are %s, want %s", got, want)
		}
		if got, want := ids(mint.Filter{Begun: true}), running.Batch.ID+" "+failed.Batch.ID+" "+done.Batch.ID+" "; got != want {
			t.Errorf("begun are %s, want %s", got, want)
		}

		found, err := w.service.Batches(t.Context(), w.p, []string{done.Batch.ID, foreign.Batch.ID, storetest.NewID(), "x", done.Batch.ID})
		if err != nil || len(found) != 1 || found[done.Batch.ID].Job.ID != done.Job.ID {
			t.Errorf("by their IDs: %v, %v", found, err)
		}
		steps, err := w.service.Steps(t.Context(), w.p, &done.Batch)
		if err != nil || len(steps) != 4 || steps[3].To != mintage.JobCompleted {
			t.Errorf("the steps are %v, %v", steps, err)
		}
		if steps, err := w.service.Steps(t.Context(), w.p, &foreign.Batch); err != nil || len(steps) != 0 {
			t.Errorf("of another brand's batch: %v, %v", steps, err)
		}
	})
}

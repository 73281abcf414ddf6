package storetest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// What people look for, in any number of kinds, among what happens by the thousand.
func TestNotableEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		w := f.Submit(f.NewProduct(b), 6)
		f.Mint(2)
		f.Strike("ouch")
		f.Mint(4)
		f.Activate(&w.Batch, 0, 1)
		f.Revoke(&w.Batch, "r", 1)
		f.Recall(&w.Batch, nil, "r")
		failed := f.Submit(f.NewProduct(b), 6)
		f.Fail()
		f.Submit(f.NewProduct(other), 1)

		number := func(e *mintage.Event) int64 { return e.Number }
		all := listEvents(t, db, b.Number, store.EventFilter{})(store.Page{Limit: 1000})
		notable := func(e *mintage.Event) bool {
			switch e.Kind {
			case mintage.EventBatchCycle, mintage.EventBatchTransition:
				return false
			case mintage.EventUnitTransition:
				return e.To == string(mintage.TokenRevoked)
			case mintage.EventJobTransition:
				return e.To != string(mintage.JobReserved) && e.To != string(mintage.JobProcessing)
			default:
				return true
			}
		}
		minting := []mintage.EventKind{mintage.EventJobTransition, mintage.EventJobStrike}
		for name, test := range map[string]struct {
			filter store.EventFilter
			keep   func(*mintage.Event) bool
			least  int
		}{
			"notable": {store.EventFilter{Notable: true}, notable, 9},
			"kinds":   {store.EventFilter{Kinds: minting}, func(e *mintage.Event) bool { return slices.Contains(minting, e.Kind) }, 8},
			"notable of kinds": {
				store.EventFilter{Kinds: minting, Notable: true}, func(e *mintage.Event) bool { return slices.Contains(minting, e.Kind) && notable(e) }, 5,
			},
			"notable of a batch": {
				store.EventFilter{Batch: failed.Batch.Number, Notable: true},
				func(e *mintage.Event) bool { return e.BatchNumber == failed.Batch.Number && notable(e) }, 2,
			},
			"notable, by nobody": {store.EventFilter{Notable: true, Actor: "nobody"}, func(*mintage.Event) bool { return false }, 0},
		} {
			t.Run(name, func(t *testing.T) {
				want := []*mintage.Event{}
				for _, e := range all {
					if test.keep(e) {
						want = append(want, e)
					}
				}
				if len(want) < test.least {
					t.Fatalf("only %d events to look for", len(want))
				}
				for _, limit := range []int{1, 2, 100} {
					same(t, append([]*mintage.Event{}, pages(t, limit, number, listEvents(t, db, b.Number, test.filter))...), want)
				}
			})
		}
	})
}

func TestJobSteps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		clock := storetest.NewClock(time.Date(2026, time.March, 29, 0, 0, 0, 0, time.UTC))
		f.Now = clock.Now
		b, other := f.NewBrand(), f.NewBrand()
		w := f.Submit(f.NewProduct(b), 6)
		foreign := f.Submit(f.NewProduct(other), 1)
		steps := func(s store.Transactions, brand *mintage.Brand, batch *mintage.Batch) []store.JobStep {
			t.Helper()
			return read(t, s, func(ctx context.Context, r store.Reader) ([]store.JobStep, error) {
				return r.JobSteps(ctx, brand.Number, batch.Number)
			})
		}
		begin := clock.Now()
		want := []store.JobStep{{To: mintage.JobQueued, At: begin}}
		same(t, steps(db, b, &w.Batch), want)

		clock.Advance(time.Second)
		f.Mint(2)
		want = append(want, store.JobStep{To: mintage.JobReserved, At: clock.Now()}, store.JobStep{To: mintage.JobProcessing, At: clock.Now()})
		same(t, steps(db, b, &w.Batch), want)

		clock.Advance(time.Second)
		f.Activate(&w.Batch, 0, 1)
		f.Mint(4)
		want = append(want, store.JobStep{To: mintage.JobCompleted, At: clock.Now()})
		clock.Advance(time.Second)
		f.Activate(&w.Batch, 3, 4)
		for _, s := range []store.Transactions{db, planes(t, db).For(b.Number)} {
			same(t, steps(s, b, &w.Batch), want)
			same(t, len(steps(s, b, &foreign.Batch)), 0)
		}
	})
}

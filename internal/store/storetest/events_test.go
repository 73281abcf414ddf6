package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func listEvents(t testing.TB, s store.Store, brand int64, filter store.EventFilter) func(store.Page) []*mintage.Event {
	t.Helper()
	return func(page store.Page) []*mintage.Event {
		return read(t, s, func(ctx context.Context, r store.Reader) ([]*mintage.Event, error) {
			return r.Events(ctx, brand, filter, page)
		})
	}
}

func appendEvent(e *mintage.Event) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.AppendEvent(ctx, e) }
}

func TestAppendEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		w := f.Submit(f.NewProduct(b), 5)
		events := map[string]*mintage.Event{
			"bare": {Kind: mintage.EventBrandUpdated, Actor: "cli", SubjectID: b.ID},
			"full": {
				Kind: mintage.EventJobTransition, Actor: `key:"ä"`, SubjectID: w.Job.ID,
				BatchNumber: w.Batch.Number, BatchID: w.Batch.ID, JobID: w.Job.ID,
				ProductNumber: w.Batch.ProductNumber, FirstOrdinal: 3, Quantity: 2,
				From: "QUEUED", To: "RESERVED", Message: `it's "so" \ %`,
				Origin: mintage.Origin{AddressClass: mintage.AddressPrivate, RequestID: "req-1"},
			},
			"range from 0": {
				Kind: mintage.EventBatchCycle, Actor: "worker:1", SubjectID: w.Batch.ID,
				BatchNumber: w.Batch.Number, BatchID: w.Batch.ID, JobID: w.Job.ID,
				ProductNumber: w.Batch.ProductNumber, FirstOrdinal: 0, Quantity: 5,
			},
		}
		for name, want := range events {
			t.Run(name, func(t *testing.T) {
				want.BrandNumber, want.At = b.Number, f.Now().Add(-time.Hour) // the caller's time, not the database's
				write(t, db, appendEvent(want))
				if want.Number <= 0 {
					t.Errorf("number %d", want.Number)
				}
				got := listEvents(t, db, b.Number, store.EventFilter{})(store.Page{Limit: 1})[0]
				same(t, got, want)
			})
		}
		t.Run("gone on rollback", func(t *testing.T) {
			refused(t, db, mintage.CodeInternal, func(ctx context.Context, tx store.Tx) error {
				if err := tx.AppendEvent(ctx, events["bare"]); err != nil {
					t.Error(err)
				}
				return errRollback
			})
		})
		t.Run("none lost that was committed", func(t *testing.T) {
			const writers, each = 4, 25
			ctx := t.Context()
			var results []<-chan error
			for i := range writers {
				results = append(results, started(func() error {
					for j := range each {
						e := &mintage.Event{BrandNumber: b.Number, At: time.Now(), Kind: mintage.EventKeyCreated, Actor: fmt.Sprintf("w:%d", i), SubjectID: fmt.Sprint(j)}
						if err := db.InTx(ctx, func(tx store.Tx) error { return tx.AppendEvent(ctx, e) }); err != nil {
							return err
						}
					}
					return nil
				}))
			}
			for _, result := range results {
				if err := receive(t, result, "a writer"); err != nil {
					t.Fatal(err)
				}
			}
			for i := range writers {
				got := listEvents(t, db, b.Number, store.EventFilter{Actor: fmt.Sprintf("w:%d", i)})(store.Page{Limit: 100})
				same(t, len(got), each)
				for j, e := range got { // newest first, each writer's in its order
					same(t, e.SubjectID, fmt.Sprint(each-1-j))
				}
			}
		})
	})
}

func TestAppendEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		w := f.Submit(f.NewProduct(b), 1000)
		var want []*mintage.Event
		for i := range int64(600) { // more than one statement holds
			e := &mintage.Event{BrandNumber: b.Number, At: f.Now(), Kind: mintage.EventUnitTransition, Actor: "scan", SubjectID: fmt.Sprint(i)}
			if i%3 > 0 {
				e.BatchNumber, e.BatchID, e.JobID = w.Batch.Number, w.Batch.ID, w.Job.ID
				e.ProductNumber, e.FirstOrdinal, e.Quantity = w.Batch.ProductNumber, i-1, 1
				e.From, e.To, e.Message = "minted", "active", `it's "so" \ %`
				e.Origin = mintage.Origin{AddressClass: mintage.AddressPublic, RequestID: fmt.Sprint("req-", i)}
			}
			want = append(want, e)
		}
		for name, s := range map[string]store.Store{"owner": db, "app": planes(t, db), "resolver": as(t, db, "mintage_resolver")} {
			t.Run(name, func(t *testing.T) {
				write(t, s.For(b.Number), func(ctx context.Context, tx store.Tx) error {
					if err := tx.AppendEvents(ctx, nil); err != nil {
						return err
					}
					return tx.AppendEvents(ctx, want)
				})
				got := listEvents(t, db, b.Number, store.EventFilter{})(store.Page{Limit: len(want)})
				slices.Reverse(got) // oldest first
				last := int64(0)
				for i, e := range got {
					if e.Number <= last || want[i].Number != 0 {
						t.Fatalf("event %d follows %d, and the caller's has the number %d", e.Number, last, want[i].Number)
					}
					last, e.Number = e.Number, 0
				}
				same(t, got, want)
			})
		}
		t.Run("gone on rollback", func(t *testing.T) {
			unchanged(t, db, func() {
				err := db.InTx(t.Context(), func(tx store.Tx) error {
					if err := tx.AppendEvents(t.Context(), want); err != nil {
						t.Error(err)
					}
					return errRollback
				})
				if !errors.Is(err, errRollback) {
					t.Error(err)
				}
			})
		})
	})
}

func TestEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		first, second := f.Submit(p, 10), f.Submit(p, 10)
		f.Mint(10)
		f.Mint(4)
		f.Strike("ouch")
		foreign := f.Submit(f.NewProduct(other), 1)

		type short struct {
			Kind     mintage.EventKind
			From, To string
		}
		brief := func(e *mintage.Event) short { return short{e.Kind, e.From, e.To} }
		number := func(e *mintage.Event) int64 { return e.Number }
		list := func(filter store.EventFilter) func(store.Page) []*mintage.Event {
			return listEvents(t, db, b.Number, filter)
		}

		all := pages(t, 100, number, list(store.EventFilter{}))
		for limit := 1; limit <= len(all)+1; limit++ {
			same(t, pages(t, limit, number, list(store.EventFilter{})), all)
		}
		same(t, mapped(list(store.EventFilter{Batch: first.Batch.Number})(store.Page{Limit: 100}), brief), []short{
			{mintage.EventBatchTransition, "processing", "minted"},
			{mintage.EventJobTransition, "PROCESSING", "COMPLETED"},
			{mintage.EventBatchTransition, "queued", "processing"},
			{mintage.EventJobTransition, "RESERVED", "PROCESSING"},
			{mintage.EventBatchCycle, "", ""},
			{mintage.EventJobTransition, "QUEUED", "RESERVED"},
			{mintage.EventBatchTransition, "", "queued"},
			{mintage.EventJobTransition, "", "QUEUED"},
		})
		for _, e := range list(store.EventFilter{Batch: second.Batch.Number})(store.Page{Limit: 100}) {
			same(t, []string{e.BatchID, e.JobID}, []string{second.Batch.ID, second.Job.ID})
		}
		filters := map[string]struct {
			filter store.EventFilter
			keep   func(*mintage.Event) bool
			want   int
		}{
			"kind": {
				store.EventFilter{Kind: mintage.EventBatchCycle},
				func(e *mintage.Event) bool { return e.Kind == mintage.EventBatchCycle }, 2,
			},
			"batch": {
				store.EventFilter{Batch: second.Batch.Number},
				func(e *mintage.Event) bool { return e.BatchNumber == second.Batch.Number }, 7,
			},
			"batch and kind": {
				store.EventFilter{Batch: second.Batch.Number, Kind: mintage.EventJobStrike},
				func(e *mintage.Event) bool { return e.Message == "ouch" }, 1,
			},
			"actor":                 {store.EventFilter{Actor: storetest.Actor}, func(*mintage.Event) bool { return true }, 15},
			"unknown actor":         {store.EventFilter{Actor: "nobody"}, func(*mintage.Event) bool { return false }, 0},
			"another brand's batch": {store.EventFilter{Batch: foreign.Batch.Number}, func(*mintage.Event) bool { return false }, 0},
		}
		for name, test := range filters {
			t.Run(name, func(t *testing.T) {
				want := []*mintage.Event{}
				for _, e := range all {
					if test.keep(e) {
						want = append(want, e)
					}
				}
				same(t, len(want), test.want)
				for limit := 1; limit <= 3; limit++ {
					same(t, append([]*mintage.Event{}, pages(t, limit, number, list(test.filter))...), want)
				}
			})
		}
		t.Run("time", func(t *testing.T) {
			from, until := all[len(all)-3].At, all[2].At
			for name, filter := range map[string]store.EventFilter{
				"from": {From: from}, "until": {Until: until}, "from and until": {From: from, Until: until},
				"a moment": {From: from, Until: from.Add(time.Microsecond)}, "none": {From: from, Until: from},
				"a brand's own kind": {From: from, Until: until, Kind: mintage.EventBatchTransition},
			} {
				want := []*mintage.Event{}
				for _, e := range all {
					if !e.At.Before(filter.From) && (filter.Until.IsZero() || e.At.Before(filter.Until)) && (filter.Kind == "" || e.Kind == filter.Kind) {
						want = append(want, e)
					}
				}
				t.Run(name, func(t *testing.T) {
					same(t, append([]*mintage.Event{}, pages(t, 2, number, list(filter))...), want)
				})
			}
		})
		t.Run("stable while events are added", func(t *testing.T) {
			got := pages(t, 4, number, func(page store.Page) []*mintage.Event {
				rows := list(store.EventFilter{})(page)
				f.Submit(p, 1)
				return rows
			})
			same(t, got, all)
		})
	})
}

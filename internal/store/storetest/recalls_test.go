package storetest_test

import (
	"context"
	"sync/atomic"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func recallsOf(brand, product int64) func(context.Context, store.Reader) ([]*mintage.Recall, error) {
	return func(ctx context.Context, r store.Reader) ([]*mintage.Recall, error) {
		return r.Recalls(ctx, brand, product)
	}
}

func TestRecalls(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		p, other, theirs := f.NewProduct(b), f.NewProduct(b), f.NewProduct(foreign)
		lots := []mintage.LotRequest{{LotCode: `A/1"%`, Quantity: 3}, {LotCode: "B", Quantity: 7}}
		first, second := f.Submit(p, 10, lots...), f.Submit(p, 5)
		want := []*mintage.Recall{
			f.Recall(&second.Batch, nil, `it's "so" \ %`),
			f.Recall(&first.Batch, &first.Batch.Lots[1], "a lot"),
			f.Recall(&first.Batch, &first.Batch.Lots[0], "another lot"),
			f.Recall(&first.Batch, nil, "all of it"),
		}
		f.Recall(&f.Submit(theirs, 5).Batch, nil, "theirs")
		for name, s := range map[string]store.Store{
			"owner": db, "app": planes(t, db), "resolver": as(t, db, "mintage_resolver"),
		} {
			t.Run(name, func(t *testing.T) {
				mine := s.For(b.Number)
				same(t, read(t, mine, recallsOf(b.Number, p.Number)), want)
				same(t, len(read(t, mine, recallsOf(b.Number, other.Number))), 0)
				same(t, len(read(t, mine, recallsOf(b.Number, theirs.Number))), 0)
				if db.Engine() == "postgres" && name != "owner" {
					same(t, len(read(t, mine, recallsOf(foreign.Number, theirs.Number))), 0)
				}
			})
		}
	})
}

func TestCreateRecall(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		app := planes(t, db).For(b.Number)
		recall := func(r *mintage.Recall) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.CreateRecall(ctx, r) }
		}

		t.Run("the same run again", func(t *testing.T) {
			batch := &f.Submit(f.NewProduct(b), 10, mintage.LotRequest{LotCode: "A", Quantity: 4}, mintage.LotRequest{LotCode: "B", Quantity: 6}).Batch
			for _, lot := range []*mintage.Lot{&batch.Lots[0], nil, &batch.Lots[1]} {
				r := f.NewRecall(batch, lot, "first")
				write(t, app, recall(r))
				again := f.NewRecall(batch, lot, "again")
				refusedWithin(t, db, mintage.CodeConflict, recall(again))
			}
			same(t, len(read(t, db, recallsOf(b.Number, batch.ProductNumber))), 3)
		})
		t.Run("many at once", func(t *testing.T) {
			batch := &f.Submit(f.NewProduct(b), 10).Batch
			var won atomic.Int64
			succeeds(t, together(16, func(int) error {
				r := f.NewRecall(batch, nil, "r")
				err := app.InTx(t.Context(), func(tx store.Tx) error { return f.RecallIn(t.Context(), tx, batch, r) })
				if mintage.ErrorCode(err) == mintage.CodeConflict {
					return nil
				}
				if err == nil {
					won.Add(1)
				}
				return err
			}))
			same(t, won.Load(), int64(1))
			same(t, len(read(t, db, recallsOf(b.Number, batch.ProductNumber))), 1)
		})
		t.Run("of a batch that is being minted", func(t *testing.T) {
			drain(t, db, f) // what the others have submitted
			batch := f.Submit(f.NewProduct(b), 10).Batch
			f.Mint(4)
			f.Activate(&batch, ordinals(&batch, 0, 2)...)
			f.Revoke(&batch, "single", ordinals(&batch, 1, 3)...)
			same(t, read(t, db, lotCounts(&batch)), []mintage.Counts{{Minted: 1, Active: 1, Revoked: 2}})
			// It waits for no cycle.
			cycle := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				w, err := tx.ClaimJob(ctx)
				if err != nil {
					return err
				}
				return f.Cycle(ctx, tx, w, 3)
			})
			r := f.NewRecall(&batch, nil, "r")
			recalled := started(func() error {
				return app.InTx(t.Context(), func(tx store.Tx) error { return f.RecallIn(t.Context(), tx, &batch, r) })
			})
			if db.Engine() == "postgres" { // on SQLite, where all writers are one, it waits its turn
				if err := receive(t, recalled, "the recall"); err != nil {
					t.Fatal(err)
				}
				same(t, read(t, db, lotCounts(&batch)), []mintage.Counts{{Revoked: 4}})
			}
			cycle.commit(t)
			if db.Engine() == "sqlite" {
				if err := receive(t, recalled, "the recall"); err != nil {
					t.Fatal(err)
				}
			}
			same(t, read(t, db, lotCounts(&batch)), []mintage.Counts{{Revoked: 7}})
			w := f.Mint(3) // the job goes on
			same(t, w.Job.Status, mintage.JobCompleted)
			same(t, read(t, db, lotCounts(&batch)), []mintage.Counts{{Revoked: 10}})
			for _, row := range viewOf(t, db, batch.ID) {
				same(t, row.Status, "revoked")
			}
		})
	})
}

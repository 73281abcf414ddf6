package storetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func productionByID(brand int64, id string) func(context.Context, store.Reader) (*mintage.ProductionBatch, error) {
	return func(ctx context.Context, r store.Reader) (*mintage.ProductionBatch, error) {
		return r.ProductionBatchByID(ctx, brand, id)
	}
}

func TestProductionBatchByID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		want := f.NewProductionBatch(p, mintage.MaxProductionQuantity, func(pb *mintage.ProductionBatch) { pb.Code = `Lot "7"/ä` })
		same(t, read(t, db, productionByID(b.Number, want.ID)), want)
		foreign := f.NewProductionBatch(f.NewProduct(other), 1)
		for _, id := range append(malformedIDs(want.ID), storetest.NewID(), foreign.ID) {
			notFound(t, db, productionByID(b.Number, id))
		}

		t.Run("committed", func(t *testing.T) {
			submit := func(quantity int64) {
				f.SubmitRequest(storetest.Submission{Product: p, Quantity: quantity, Production: want})
			}
			committed := func(t *testing.T, figure int64) {
				t.Helper()
				want.Committed = figure
				same(t, read(t, db, productionByID(b.Number, want.ID)), want)
			}
			committed(t, 0)
			submit(100)
			committed(t, 100) // QUEUED
			f.Claim()
			committed(t, 100) // RESERVED
			f.Mint(60)
			committed(t, 100) // PROCESSING
			f.Fail()
			committed(t, 60) // FAILED: what it minted
			submit(1000)
			f.Mint(1000)
			committed(t, 1060) // COMPLETED
			submit(7)
			f.Fail()
			committed(t, 1060) // FAILED before it minted anything
			submit(5)
			submit(6)
			committed(t, 1071)
			f.Submit(p, 50_000) // linked to none
			f.SubmitRequest(storetest.Submission{Product: p, Quantity: 3, Production: f.NewProductionBatch(p, 10)})
			committed(t, 1071)
		})
	})
}

func TestProductionBatchByCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		want := f.NewProductionBatch(p, 10, func(pb *mintage.ProductionBatch) { pb.Code, pb.Status = "Run ä", mintage.ProductionPlanned })
		f.NewProductionBatch(f.NewProduct(other), 10, func(pb *mintage.ProductionBatch) { pb.Code = want.Code })
		f.SubmitRequest(storetest.Submission{Product: p, Quantity: 4, Production: want})
		want.Committed = 4
		byCode := func(code string) func(context.Context, store.Reader) (*mintage.ProductionBatch, error) {
			return func(ctx context.Context, r store.Reader) (*mintage.ProductionBatch, error) {
				return r.ProductionBatchByCode(ctx, b.Number, code)
			}
		}
		same(t, read(t, db, byCode(want.Code)), want)
		foreign := f.NewProductionBatch(f.NewProduct(other), 1)
		for _, code := range append(oddTexts, "run ä", foreign.Code) {
			notFound(t, db, byCode(code))
		}
		for _, code := range unstorable {
			missing(t, db, byCode(code))
		}
	})
}

func TestProductionBatches(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		first, second := f.NewProduct(b), f.NewProduct(b)
		foreign := f.NewProduct(other)
		var all, ofFirst []*mintage.ProductionBatch
		for i := range 6 {
			p := []*mintage.Product{first, second}[i%2]
			pb := f.NewProductionBatch(p, 10)
			f.SubmitRequest(storetest.Submission{Product: p, Quantity: int64(i + 1), Production: pb})
			pb.Committed = int64(i + 1)
			f.NewProductionBatch(foreign, 10)
			all = append(all, pb)
			if p == first {
				ofFirst = append(ofFirst, pb)
			}
		}
		list := func(product int64) func(store.Page) []*mintage.ProductionBatch {
			return func(page store.Page) []*mintage.ProductionBatch {
				return read(t, db, func(ctx context.Context, r store.Reader) ([]*mintage.ProductionBatch, error) {
					return r.ProductionBatches(ctx, b.Number, product, page)
				})
			}
		}
		number := func(p *mintage.ProductionBatch) int64 { return p.Number }
		for limit := 1; limit <= 7; limit++ {
			same(t, mapped(pages(t, limit, number, list(0)), number), newestFirst(all, number))
			same(t, mapped(pages(t, limit, number, list(first.Number)), number), newestFirst(ofFirst, number))
		}
		same(t, list(0)(store.Page{Limit: 1})[0], all[5])
		same(t, len(list(foreign.Number)(store.Page{Limit: 10})), 0)
		got := pages(t, 2, number, func(page store.Page) []*mintage.ProductionBatch {
			rows := list(0)(page)
			f.NewProductionBatch(first, 1)
			return rows
		})
		same(t, mapped(got, number), newestFirst(all, number))
	})
}

func TestCreateProductionBatch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		first := f.NewProductionBatch(p, 1)
		if second := f.NewProductionBatch(p, 1); first.Number < 1 || second.Number <= first.Number {
			t.Fatalf("the numbers %d and %d do not ascend", first.Number, second.Number)
		}
		f.NewProductionBatch(f.NewProduct(other), 1, func(pb *mintage.ProductionBatch) { pb.Code = first.Code })
		for name, edit := range map[string]func(*mintage.ProductionBatch){
			"code": func(pb *mintage.ProductionBatch) { pb.ID = storetest.NewID() },
			"ID":   func(pb *mintage.ProductionBatch) { pb.Code = "free" },
		} {
			t.Run(name+" taken", func(t *testing.T) {
				again := copyOf(first)
				again.Number = 0
				edit(again)
				refused(t, db, mintage.CodeConflict, func(ctx context.Context, tx store.Tx) error {
					return tx.CreateProductionBatch(ctx, again)
				})
			})
		}
	})
}

func TestUpdateProductionBatch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p, second := f.NewProduct(b), f.NewProduct(b)
		pb := f.NewProductionBatch(p, 10)
		update := func(pb *mintage.ProductionBatch) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.UpdateProductionBatch(ctx, pb) }
		}
		pb.ProductNumber, pb.ProductID = second.Number, second.ID
		pb.Quantity, pb.Status, pb.UpdatedAt = 20, mintage.ProductionClosed, pb.UpdatedAt.Add(time.Second)
		write(t, db, update(pb))
		same(t, read(t, db, productionByID(b.Number, pb.ID)), pb)

		t.Run("what never changes", func(t *testing.T) {
			changed := copyOf(pb)
			changed.Code, changed.CreatedAt, changed.Committed = "other", f.Now().Add(time.Hour), 5
			unchanged(t, db, func() { write(t, db, update(changed)) })
		})
		t.Run("unknown", func(t *testing.T) {
			unknown := copyOf(pb)
			unknown.Number, unknown.ID = 999, storetest.NewID()
			refused(t, db, mintage.CodeNotFound, update(unknown))
		})
		t.Run("of another brand", func(t *testing.T) {
			foreign := copyOf(pb)
			foreign.BrandNumber, foreign.Quantity = other.Number, 5
			refused(t, db, mintage.CodeNotFound, update(foreign))
		})
	})
}

func TestLockProductionBatch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		pb := f.NewProductionBatch(p, 10)
		foreign := f.NewProductionBatch(f.NewProduct(other), 10)
		lock := func(ctx context.Context, tx store.Tx) (*mintage.ProductionBatch, error) {
			return tx.LockProductionBatch(ctx, b.Number, pb.ID)
		}
		var got *mintage.ProductionBatch
		write(t, db, func(ctx context.Context, tx store.Tx) (err error) {
			got, err = lock(ctx, tx)
			return err
		})
		same(t, got, pb)
		for _, id := range append(malformedIDs(pb.ID), storetest.NewID(), foreign.ID) {
			refused(t, db, mintage.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				_, err := tx.LockProductionBatch(ctx, b.Number, id)
				return err
			})
		}

		t.Run("sees what was committed while it waited", func(t *testing.T) {
			ctx := t.Context()
			first := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				_, err := f.Create(ctx, tx, storetest.Submission{Product: p, Quantity: 7, Production: pb})
				return err
			})
			done := started(func() error {
				return db.InTx(ctx, func(tx store.Tx) (err error) {
					got, err = lock(ctx, tx)
					return err
				})
			})
			db.AwaitBlocked(t, 1)
			empty(t, done, "the second transaction has passed the lock")
			first.commit(t)
			if err := receive(t, done, "the lock"); err != nil {
				t.Fatal(err)
			}
			want := copyOf(pb)
			want.Committed = 7
			same(t, got, want)
		})
		t.Run("keeps from changing", func(t *testing.T) {
			ctx := t.Context()
			first := hold(t, db, func(ctx context.Context, tx store.Tx) error { _, err := lock(ctx, tx); return err })
			done := started(func() error {
				return db.InTx(ctx, func(tx store.Tx) error { return tx.UpdateProductionBatch(ctx, pb) })
			})
			db.AwaitBlocked(t, 1)
			empty(t, done, "the update has passed the lock")
			first.commit(t)
			if err := receive(t, done, "the update"); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// TestLastUnits lets many requests race for a production batch that has room for
// some of them only.
func TestLastUnits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		const racers, quantity, each = 12, 100, 30
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		pb := f.NewProductionBatch(p, quantity)
		errFull := errors.New("full")
		ctx := t.Context()
		var results []<-chan error
		for range racers {
			results = append(results, started(func() error {
				return db.InTx(ctx, func(tx store.Tx) error {
					locked, err := tx.LockProductionBatch(ctx, pb.BrandNumber, pb.ID)
					if err != nil {
						return err
					}
					if locked.Remaining(0) < each {
						return errFull
					}
					_, err = f.Create(ctx, tx, storetest.Submission{Product: p, Quantity: each, Production: pb})
					return err
				})
			}))
		}
		accepted := 0
		for _, result := range results {
			switch err := receive(t, result, "a racer"); {
			case err == nil:
				accepted++
			case !errors.Is(err, errFull):
				t.Error(err)
			}
		}
		got := read(t, db, productionByID(pb.BrandNumber, pb.ID))
		if accepted != quantity/each || got.Committed != quantity/each*each {
			t.Fatalf("%d requests were accepted, %d units are committed", accepted, got.Committed)
		}
	})
}

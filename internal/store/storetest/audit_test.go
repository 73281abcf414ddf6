package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// allOf collects a sequence that must be without errors. It also leaves one
// unfinished, which must harm nothing.
func allOf[T any](t testing.TB, s store.Store, all func(store.Reader, context.Context) iter.Seq2[T, error]) []T {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) ([]T, error) {
		for _, err := range all(r, ctx) {
			if err != nil {
				return nil, err
			}
			break
		}
		var rows []T
		for row, err := range all(r, ctx) {
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
		return rows, nil
	})
}

// audited is a database with something in each table, of two brands whose rows
// mix. GTINs and other texts are in no order.
type audited struct {
	*storetest.Fixture
	db       *storetest.DB
	brands   []*mintage.Brand
	products []*mintage.Product
	runs     []*mintage.ProductionBatch
	works    []*store.Work
}

func eachAudited(t *testing.T, fn func(t *testing.T, a *audited)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		a := &audited{Fixture: storetest.NewFixture(t, db), db: db}
		lots := []mintage.LotRequest{{LotCode: "B", Quantity: 2}, {LotCode: "A", Quantity: 5}}
		a.brands = append(a.brands, a.NewBrand(), a.NewBrand(func(b *mintage.Brand) { b.ResolverBase = "https://B.example" }))
		for i, key := range []string{"b", "B", "a", "", "ä"} {
			b := a.brands[i%2]
			p := a.NewProduct(b, func(p *mintage.Product) {
				if i == 3 {
					p.GTIN = ""
				}
			})
			run := a.NewProductionBatch(p, 100)
			a.products, a.runs = append(a.products, p), append(a.runs, run)
			for _, s := range []storetest.Submission{
				{Product: p, Quantity: 7, Lots: lots, Production: run, Key: key},
				{Product: a.products[0], Quantity: 3, IdentityMode: mintage.IdentityBatch, ActivationMode: mintage.ActiveAtMint},
			} {
				a.works = append(a.works, a.SubmitRequest(s))
			}
		}
		a.Mint(7)
		a.Mint(2)
		a.Strike("ouch")
		a.Fail()
		a.Mint(0)
		for i, w := range a.works {
			a.works[i] = workOf(t, db, w)
		}
		fn(t, a)
	})
}

func TestAllProducts(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		want := mapped(a.products, func(p *mintage.Product) store.ProductRow {
			return store.ProductRow{Number: p.Number, BrandNumber: p.BrandNumber, ID: p.ID, Code: p.Code, NextOrdinal: 7}
		})
		want[0].NextOrdinal += 15
		same(t, allOf(t, a.db, store.Reader.AllProducts), want)
	})
}

func TestAllBases(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		was := *a.brands[0]
		a.brands[0].ResolverBase = "https://a.example"
		write(t, a.db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateBrand(ctx, a.brands[0]) })
		same(t, allOf(t, a.db, store.Reader.AllBases), []store.BaseRow{
			{Base: "https://B.example", BrandNumber: a.brands[1].Number},
			{Base: "https://a.example", BrandNumber: a.brands[0].Number},
			{Base: was.ResolverBase, BrandNumber: a.brands[0].Number},
		})
	})
}

func TestAllGTINs(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		var want []store.GTINRow
		for _, i := range []int{0, 2, 4, 1} { // by brand
			p := a.products[i]
			want = append(want, store.GTINRow{BrandNumber: p.BrandNumber, GTIN: p.GTIN, ProductNumber: p.Number})
		}
		same(t, allOf(t, a.db, store.Reader.AllGTINs), want)
	})
}

func TestAllKeys(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		lost := storetest.NewID()
		foreign := a.works[0].Job.ID // the other brand's
		write(t, a.db, func(ctx context.Context, tx store.Tx) error {
			for key, job := range map[string]string{"c": lost, "C": foreign} {
				if _, err := tx.ClaimKey(ctx, a.brands[1].Number, key, store.KeyClaim{RequestHash: []byte("x"), JobID: job}); err != nil {
					return err
				}
			}
			return nil
		})
		row := func(brand int, key string, w int) store.KeyRow {
			j := a.works[w].Job
			return store.KeyRow{BrandNumber: a.brands[brand].Number, Key: key, JobID: j.ID, JobNumber: j.Number}
		}
		same(t, allOf(t, a.db, store.Reader.AllKeys), []store.KeyRow{
			row(0, "a", 4), row(0, "b", 0), row(0, "ä", 8),
			row(1, "B", 2),
			{BrandNumber: a.brands[1].Number, Key: "C", JobID: foreign},
			{BrandNumber: a.brands[1].Number, Key: "c", JobID: lost},
		})
	})
}

func TestAllProductionBatches(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		want := mapped(a.runs, func(p *mintage.ProductionBatch) mintage.ProductionBatch {
			p.ProductID = ""
			return *p
		})
		same(t, allOf(t, a.db, store.Reader.AllProductionBatches), want)
	})
}

func TestAllJobs(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		want := mapped(a.works, func(w *store.Work) mintage.Job { return w.Job })
		same(t, allOf(t, a.db, store.Reader.AllJobs), want)
	})
}

func TestAllBatches(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		want := mapped(a.works, func(w *store.Work) mintage.Batch {
			b := w.Batch
			b.JobID, b.Status, b.ProductID, b.ProductionBatchID, b.Lots = "", "", "", "", nil
			return b
		})
		same(t, allOf(t, a.db, store.Reader.AllBatches), want)
	})
}

func TestAllLots(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		var want []store.LotRow
		for _, w := range a.works {
			for _, l := range w.Batch.Lots {
				want = append(want, store.LotRow{BatchNumber: w.Batch.Number, ProductNumber: w.Batch.ProductNumber, Lot: l})
			}
		}
		same(t, allOf(t, a.db, store.Reader.AllLots), want)
	})
}

func TestAllBatchEvents(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		write(t, a.db, appendEvent(&mintage.Event{BrandNumber: a.brands[0].Number, At: a.Now(), Kind: mintage.EventBrandUpdated}))
		var want []mintage.Event
		for _, w := range a.works {
			events := listEvents(t, a.db, w.Job.BrandNumber, store.EventFilter{Batch: w.Batch.Number})(store.Page{Limit: 100})
			slices.Reverse(events)
			for _, e := range events {
				e.BatchID, e.JobID = "", ""
				want = append(want, *e)
			}
		}
		same(t, allOf(t, a.db, store.Reader.AllBatchEvents), want)
	})
}

func TestAllUnits(t *testing.T) {
	t.Run("of several products", func(t *testing.T) {
		eachAudited(t, func(t *testing.T, a *audited) {
			var want []store.UnitRow
			for _, p := range a.products {
				for _, w := range a.works {
					b := w.Batch
					if b.ProductNumber != p.Number {
						continue
					}
					for i, c := range codesOf(t, a.db, p.Number, b.FirstOrdinal, b.FirstOrdinal+b.MintedQuantity) {
						want = append(want, store.UnitRow{ProductNumber: p.Number, Ordinal: b.FirstOrdinal + int64(i), Code: c})
					}
				}
			}
			same(t, len(want), 9)
			same(t, allOf(t, a.db, store.Reader.AllUnits), want)
		})
	})
	t.Run("numbers at the edges", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, db *storetest.DB) {
			most := int64(math.MaxInt64)
			if db.Engine() == "postgres" {
				most = math.MaxInt32
			}
			execute(t, db, fmt.Sprintf(`INSERT INTO units (product_number, ordinal, code) VALUES
				(%[1]d, %[1]d, -1), (%[1]d, -1, 0), (%[2]d, %[2]d, 9223372036854775807), (0, 5, 1)`, most, -most-1))
			same(t, allOf(t, db, store.Reader.AllUnits), []store.UnitRow{
				{ProductNumber: -most - 1, Ordinal: -most - 1, Code: 1<<63 - 1},
				{ProductNumber: 0, Ordinal: 5, Code: 1},
				{ProductNumber: most, Ordinal: -1, Code: 0},
				{ProductNumber: most, Ordinal: most, Code: 1<<64 - 1},
			})
		})
	})
	// Without the primary key a unit may stand more than once, also where the
	// driver's chunks meet, and none is lost or told twice for that.
	t.Run("without a primary key", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		execute(t, db, `ALTER TABLE units DROP CONSTRAINT units_pkey`)
		execute(t, db, `INSERT INTO units SELECT 1, n, n FROM generate_series(0, 9999) n`)
		execute(t, db, `INSERT INTO units SELECT 1, 9998, 9998 FROM generate_series(1, 25000)`)
		count, last := map[serial.Code]int{}, int64(-1)
		for _, u := range allOf(t, db, store.Reader.AllUnits) {
			if u.Ordinal < last {
				t.Fatalf("ordinal %d after %d", u.Ordinal, last)
			}
			last = u.Ordinal
			count[u.Code]++
		}
		same(t, []int{len(count), count[0], count[9997], count[9998], count[9999]}, []int{10_000, 1, 1, 25_001, 1})
	})
}

// A row that cannot be read ends nothing. Only SQLite can have one, in a column
// of times.
func TestSequencesGoOnAfterARowThatCannotBeRead(t *testing.T) {
	db := storetest.Open(t, "sqlite")
	f := storetest.NewFixture(t, db)
	p := f.NewProduct(f.NewBrand())
	first, second := f.Submit(p, 1), f.Submit(p, 1)
	execute(t, db, `UPDATE mint_jobs SET created_at = 'yesterday' WHERE number = 1`)
	read(t, db, func(ctx context.Context, r store.Reader) (any, error) {
		var ids []string
		for j, err := range r.AllJobs(ctx) {
			ids = append(ids, j.ID)
			row, unreadable := errors.AsType[*store.RowError](err)
			if unreadable != (j.ID == first.Job.ID) || unreadable && row.Table != "mint_jobs" || !unreadable && err != nil {
				t.Errorf("job %s: %v", j.ID, err)
			}
			if j.SubmittedBy == "" || j.CreatedAt.Equal(time.Time{}) != unreadable {
				t.Errorf("%+v", j) // all but the time is there
			}
			// Other statements may run between two rows.
			if _, err := r.BrandByNumber(ctx, p.BrandNumber); err != nil {
				t.Error(err)
			}
		}
		same(t, ids, []string{first.Job.ID, second.Job.ID})
		return nil, nil
	})
}

// A sequence whose table is gone says so, once.
func TestASequenceThatFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		execute(t, db, `DROP TABLE idempotency_keys`)
		_, err := try(t, db, func(ctx context.Context, r store.Reader) (any, error) {
			n := 0
			for row, err := range r.AllKeys(ctx) {
				n++
				if err == nil || row.Key != "" {
					t.Errorf("%+v, %v", row, err)
				}
			}
			same(t, n, 1)
			return nil, nil
		})
		if err != nil && db.Engine() == "sqlite" {
			t.Error(err)
		}
	})
}

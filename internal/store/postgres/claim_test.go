package postgres_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
)

// gate makes the clock that ClaimJob reads wait for an advisory lock, for those
// who look for functions in this schema first: between the moment that the
// statement sees and the moment that it locks.
const gate = `
	CREATE SCHEMA gate;
	CREATE FUNCTION gate.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM pg_advisory_lock_shared(-42);
		PERFORM pg_advisory_unlock_shared(-42);
		RETURN pg_catalog.clock_timestamp();
	END $$;`

// What a worker does to a job while another one's claim has begun and not yet
// locked must be seen by that claim.
func TestClaimReadsUnderTheLock(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(*storetest.Fixture)
		check     func(t *testing.T, w *store.Work)
	}{
		"a cycle": {
			func(f *storetest.Fixture) { f.Mint(7) },
			func(t *testing.T, w *store.Work) {
				if w == nil || w.Batch.MintedQuantity != 7 || w.Job.Status != mintage.JobProcessing {
					t.Errorf("claimed %+v, want it with 7 units", w)
				}
			},
		},
		"a strike": {
			func(f *storetest.Fixture) { f.Strike("it broke") },
			func(t *testing.T, w *store.Work) {
				if w == nil || w.Job.ConsecutiveErrors != 1 || w.Job.LastError != "it broke" {
					t.Errorf("claimed %+v, want it with one strike", w)
				}
			},
		},
		"the end": {
			func(f *storetest.Fixture) { f.Mint(10) },
			func(t *testing.T, w *store.Work) {
				if w != nil {
					t.Errorf("claimed a job that was completed: %+v", w)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, "postgres")
			f := storetest.NewFixture(t, db.Store)
			f.Submit(f.NewProduct(f.NewBrand()), 10)
			keeper := connect(t, db.URL)
			exec(t, keeper, gate)
			// A job without a due time would be claimed without a look at the clock.
			exec(t, keeper, `UPDATE mint_jobs SET not_before = '2020-01-01'`)
			exec(t, keeper, `SELECT pg_advisory_lock(-42)`)

			gated := open(t, db.URL, postgres.Options{}, "search_path", "gate,public,pg_catalog")
			claimed := make(chan *store.Work)
			go func() {
				var w *store.Work
				err := gated.InTx(t.Context(), func(tx store.Tx) (err error) {
					w, err = tx.ClaimJob(t.Context())
					return err
				})
				if err != nil {
					t.Error(err)
				}
				claimed <- w
			}()
			db.AwaitBlocked(t, 1)
			test.meanwhile(f)
			exec(t, keeper, `SELECT pg_advisory_unlock(-42)`)
			test.check(t, <-claimed)
		})
	}
}

// Many workers, each claiming and minting one unit: a stale read of
// minted_quantity would be a CONFLICT.
func TestClaimsUnderLoad(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	product := f.NewProduct(f.NewBrand())
	const jobs, quantity = 3, 60
	for range jobs {
		f.Submit(product, quantity)
	}
	var workers sync.WaitGroup
	for range 6 {
		workers.Go(func() {
			for idle := false; !idle; {
				err := db.InTx(t.Context(), func(tx store.Tx) error {
					w, err := tx.ClaimJob(t.Context())
					if err != nil || w == nil {
						works, err2 := tx.Works(t.Context(), product.BrandNumber, store.JobFilter{Statuses: []mintage.JobStatus{mintage.JobCompleted}}, store.Page{Limit: jobs})
						idle = len(works) == jobs
						return errors.Join(err, err2)
					}
					return f.Cycle(t.Context(), tx, w, 1)
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	conn := connect(t, db.URL)
	equal(t, "units", value[int](t, conn, `SELECT count(*) FROM units`), jobs*quantity)
}

func TestClaimNamesItsHolder(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	product := f.NewProduct(f.NewBrand())
	first, second := f.Submit(product, 5), f.Submit(product, 5)
	watcher := connect(t, db.URL)
	held := func() []int64 {
		rows, err := watcher.Query(t.Context(), `SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objsubid = 1 ORDER BY 1`)
		must(t, err)
		numbers, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		must(t, err)
		return numbers
	}
	must(t, db.InTx(t.Context(), func(one store.Tx) error {
		w, err := one.ClaimJob(t.Context())
		if err != nil || w.Job.Number != first.Job.Number {
			t.Errorf("claimed %+v, %v", w, err)
		}
		if w.Batch.Lots != nil {
			t.Error("the claim has loaded lots")
		}
		return db.InTx(t.Context(), func(two store.Tx) error {
			if w, err := two.ClaimJob(t.Context()); err != nil || w.Job.Number != second.Job.Number {
				t.Errorf("claimed %+v, %v", w, err)
			}
			equal(t, "held", held(), []int64{first.Job.Number, second.Job.Number})
			return nil
		})
	}))
	if left := held(); len(left) != 0 {
		t.Errorf("still held: %v", left)
	}
}

// A transaction that ends gives up its rows before its advisory lock. Who claims
// in between gets the job, and not the answer that there is none.
func TestClaimAsTheHolderLeaves(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	job := f.Submit(f.NewProduct(f.NewBrand()), 5).Job.Number
	leaving := connect(t, db.URL)
	exec(t, leaving, `SELECT pg_advisory_lock($1)`, job)
	claimed := make(chan *store.Work)
	go func() {
		var w *store.Work
		err := db.InTx(t.Context(), func(tx store.Tx) (err error) {
			w, err = tx.ClaimJob(t.Context())
			return err
		})
		if err != nil {
			t.Error(err)
		}
		claimed <- w
	}()
	db.AwaitBlocked(t, 1)
	exec(t, leaving, `SELECT pg_advisory_unlock($1)`, job)
	if w := <-claimed; w == nil || w.Job.Number != job {
		t.Errorf("claimed %+v, want job %d", w, job)
	}
}

// Among very many finished jobs the claim finds the few others by their index.
func TestClaimPlan(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	f.Submit(f.NewProduct(f.NewBrand()), 10)
	conn := connect(t, db.URL)
	exec(t, conn, `
		INSERT INTO mint_jobs (id, brand_number, status, cycle_limit, submitted_by, created_at, finished_at)
		SELECT gen_random_uuid(), brand_number, CASE WHEN n % 1000 = 0 THEN 'QUEUED' ELSE 'COMPLETED' END, 20000, '', now(),
			CASE WHEN n % 1000 <> 0 THEN now() END
		FROM mint_jobs, generate_series(1, 20000) n`)
	exec(t, conn, `
		INSERT INTO mint_batches (number, id, brand_number, product_number, identity_mode, activation_mode,
			requested_quantity, first_ordinal, resolver_base, product_code, created_at)
		SELECT j.number, gen_random_uuid(), b.brand_number, b.product_number, 'serial', 'first_scan', 10, j.number * 10, '', '', now()
		FROM mint_jobs j, mint_batches b WHERE j.number <> b.number`)
	exec(t, conn, `ANALYZE`)
	rows, err := conn.Query(t.Context(), `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) `+postgres.ClaimJobSQL, (*time.Time)(nil))
	must(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	plan := strings.Join(lines, "\n")
	if !strings.Contains(plan, "mint_jobs_runnable") || strings.Contains(plan, "Seq Scan on mint_") || strings.Contains(plan, "Sort") {
		t.Error(plan)
	}
	for _, line := range lines { // one job is read, not twenty
		if strings.Contains(line, "mint_jobs_runnable") && !strings.Contains(line, "rows=1 ") {
			t.Error(plan)
		}
	}
}

// A product's units are written in slices, and a refused one leaves nothing.
func TestRefusedSliceLeavesNothing(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	w := f.Submit(f.NewProduct(f.NewBrand()), 10)
	f.Mint(4)
	insert := func(tx store.Tx, expected, first int64, n int) error {
		return tx.InsertUnits(t.Context(), w.Batch.Number, expected, store.Slice{
			Product: w.Batch.ProductNumber, First: first, Codes: slices.Repeat([]serial.Code{1<<60 - 1}, n),
		})
	}
	must(t, db.InTx(t.Context(), func(tx store.Tx) error {
		wantCode(t, insert(tx, 3, 4, 1), mintage.CodeConflict)
		wantCode(t, insert(tx, 4, 4, 7), mintage.CodeConflict)
		wantCode(t, tx.Savepoint(t.Context(), func() error { return insert(tx, 4, 3, 2) }), mintage.CodeConflict)
		return insert(tx, 4, 4, 6)
	}))
	conn := connect(t, db.URL)
	equal(t, "units", value[int](t, conn, `SELECT count(*) FROM units`), 10)
	equal(t, "minted", value[int](t, conn, `SELECT minted_quantity FROM mint_batches`), 10)
	equal(t, "code", value[int64](t, conn, `SELECT code FROM units WHERE ordinal = 9`), int64(1<<60-1))
}

// A claim of a GTIN that is about to be used again is not released.
func TestReleaseWaitsForAClaim(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	product := f.NewProduct(f.NewBrand())
	f.Submit(product, 5)
	f.Fail()

	released := make(chan error)
	must(t, db.InTx(t.Context(), func(tx store.Tx) error {
		if _, err := f.Create(t.Context(), tx, storetest.Submission{Product: product, Quantity: 5}); err != nil {
			return err
		}
		go func() {
			released <- db.InTx(t.Context(), func(tx store.Tx) error {
				return tx.ReleaseGTIN(t.Context(), product.BrandNumber, product.GTIN, product.Number)
			})
		}()
		db.AwaitBlocked(t, 1)
		return nil
	}))
	must(t, <-released)
	conn := connect(t, db.URL)
	equal(t, "claims", value[int](t, conn, `SELECT count(*) FROM gtin_claims`), 1)
	f.Fail()
	must(t, db.InTx(t.Context(), func(tx store.Tx) error {
		return tx.ReleaseGTIN(t.Context(), product.BrandNumber, product.GTIN, product.Number)
	}))
	equal(t, "claims", value[int](t, conn, `SELECT count(*) FROM gtin_claims`), 0)
}

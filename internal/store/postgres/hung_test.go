package postgres_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
)

// long is longer than any test's transaction has run.
const long = time.Hour

func TestHungWorkerIsEnded(t *testing.T) {
	for name, hang := range map[string]func(*testing.T, *pgx.Conn){
		// A program that was stopped.
		"between statements": func(*testing.T, *pgx.Conn) {},
		// A network that swallows the data.
		"in a COPY": func(t *testing.T, conn *pgx.Conn) {
			silent, never := io.Pipe()
			done := make(chan struct{})
			t.Cleanup(func() { _ = never.Close(); <-done })
			go func() {
				defer close(done)
				_, err := conn.PgConn().CopyFrom(context.Background(), silent, `COPY units FROM STDIN BINARY`)
				if err == nil {
					t.Error("the COPY has not noticed that its process was ended")
				}
			}()
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, "postgres")
			f := storetest.NewFixture(t, db.Store)
			product := f.NewProduct(f.NewBrand())
			job := f.Submit(product, 10).Job.Number
			other := f.Submit(product, 10).Job.Number

			worker, watcher := connect(t, db.URL), connect(t, db.URL)
			exec(t, worker, `BEGIN`)
			rows, err := worker.Query(t.Context(), postgres.ClaimJobSQL, pgx.QueryExecModeExec, (*time.Time)(nil))
			must(t, err)
			rows.Close()
			must(t, rows.Err())
			hang(t, worker)
			storetest.Eventually(t, "the worker hangs", func() bool {
				return value[bool](t, watcher, `
					SELECT state = 'idle in transaction' OR query LIKE 'COPY%' AND wait_event = 'ClientRead'
					FROM pg_stat_activity WHERE pid = $1`, worker.PgConn().PID())
			})

			ended, err := db.EndHungWorkers(t.Context(), long)
			if err != nil || len(ended) != 0 {
				t.Fatalf("not hung yet: %v, %v", ended, err)
			}
			ended, err = db.EndHungWorkers(t.Context(), 0)
			must(t, err)
			equal(t, "ended", ended, []int64{job})
			w := f.Claim()
			if w.Job.Number != job || w.Job.CycleLimit != 5 {
				t.Errorf("claimed %+v, want job %d with half of what is left as its limit", w.Job, job)
			}
			equal(t, "other's limit", value[int](t, watcher, `SELECT cycle_limit FROM mint_jobs WHERE number = $1`, other), mintage.MaxCycle)
			if ended, err := db.EndHungWorkers(t.Context(), 0); err != nil || len(ended) != 0 {
				t.Errorf("ended again: %v, %v", ended, err)
			}
		})
	}
}

// However many notice it, one kill halves the limit once, and never below 1.
func TestHungWorkerIsEndedOnce(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	w := f.SubmitRequest(storetest.Submission{Product: f.NewProduct(f.NewBrand()), Quantity: 10, CycleLimit: 5})
	watcher := connect(t, db.URL)
	for _, want := range []int{2, 1, 1} {
		err := db.InTx(t.Context(), func(tx store.Tx) error {
			if w, err := tx.ClaimJob(t.Context()); w == nil || err != nil {
				t.Fatalf("claimed %+v, %v", w, err)
			}
			const callers = 4
			results := make(chan error, callers)
			for range callers {
				go func() {
					_, err := db.EndHungWorkers(t.Context(), 0)
					results <- err
				}()
			}
			for range callers {
				if err := <-results; err != nil {
					t.Error(err)
				}
			}
			return tx.ClearStrikes(t.Context(), &w.Job)
		})
		wantCode(t, err, mintage.CodeUnavailable)
		equal(t, "limit", value[int](t, watcher, `SELECT cycle_limit FROM mint_jobs`), want)
	}
}

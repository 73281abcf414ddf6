package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestEngine(t *testing.T) {
	for _, engine := range storetest.Engines {
		if got := storetest.Open(t, engine).Engine(); got != engine {
			t.Errorf("%s calls itself %s", engine, got)
		}
	}
}

func TestNow(t *testing.T) {
	now := func(ctx context.Context, r store.Reader) (time.Time, error) { return r.Now(ctx) }
	t.Run("real", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, db *storetest.DB) {
			// The test's servers run on this machine, so their clock is ours.
			before := time.Now().Add(-time.Millisecond)
			got := read(t, db, now)
			if after := time.Now().Add(time.Millisecond); got.Before(before) || got.After(after) {
				t.Errorf("%v is not between %v and %v", got, before, after)
			}
			same(t, got, got.UTC())
			write(t, db, func(ctx context.Context, tx store.Tx) error { // it does not stand in a transaction
				first, err := tx.Now(ctx)
				if err != nil {
					return err
				}
				storetest.Eventually(t, "the clock goes on", func() bool {
					second, err := tx.Now(ctx)
					return err == nil && second.After(first)
				})
				return nil
			})
		})
	})
	t.Run("set", func(t *testing.T) {
		storetest.EachWithClock(t, func(t *testing.T, db *storetest.DB) {
			same(t, read(t, db, now), db.Clock.Now())
			db.Clock.Advance(90 * time.Minute)
			same(t, read(t, db, now), db.Clock.Now())
			db.Clock.Set(db.Clock.Now().Add(-24 * time.Hour))
			same(t, read(t, db.Reopen(t), now), db.Clock.Now())
		})
	})
}

func TestPing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		if err := db.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		unchanged(t, db, func() { _ = db.Ping(t.Context()) })
		t.Run("while somebody writes", func(t *testing.T) {
			writer := hold(t, db, func(ctx context.Context, tx store.Tx) error { _, err := tx.ClaimJob(ctx); return err })
			if err := db.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			writer.commit(t)
		})
		t.Run("not migrated", func(t *testing.T) {
			empty := storetest.OpenEmpty(t, db.Engine())
			wantCode(t, empty.Ping(t.Context()), mintage.CodeOldSchema)
			if err := empty.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := empty.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("read-only server", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		raw := db.Raw(t)
		var name string
		if err := raw.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
		execute(t, db, fmt.Sprintf("ALTER DATABASE %s SET default_transaction_read_only = on", name))
		later := db.Reopen(t)
		wantCode(t, later.Ping(t.Context()), mintage.CodeUnavailable)
		err := later.InTx(t.Context(), func(tx store.Tx) error { return putSchema(b, "x")(t.Context(), tx) })
		wantCode(t, err, mintage.CodeUnavailable) // no strike
		same(t, len(schemaIDs(t, later, b)), 0)   // reading goes on
	})
}

func TestClose(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := db.Reopen(t)
		f := storetest.NewFixture(t, s)
		b := f.NewBrand()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		for name, attempt := range map[string]func() error{
			"Ping": func() error { return s.Ping(ctx) },
			"InTx": func() error { return s.InTx(ctx, func(tx store.Tx) error { return putSchema(b, "x")(ctx, tx) }) },
			"Read": func() error {
				return s.Read(ctx, func(r store.Reader) error { _, err := r.Brands(ctx); return err })
			},
		} {
			t.Run(name+" afterwards", func(t *testing.T) { wantCode(t, attempt(), mintage.CodeUnavailable) })
		}
		same(t, len(schemaIDs(t, db, b)), 0) // others are not concerned
	})
}

func TestMigrate(t *testing.T) {
	t.Run("what is up to date", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, db *storetest.DB) {
			f := storetest.NewFixture(t, db)
			f.Submit(f.NewProduct(f.NewBrand()), 1)
			unchanged(t, db, func() {
				for _, s := range []store.Store{db, db.Reopen(t), db} {
					if err := s.Migrate(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	})
	t.Run("from before the first release", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, db *storetest.DB) {
			execute(t, db, "ALTER TABLE api_keys RENAME COLUMN successor TO other")
			for name, err := range map[string]error{"Ping": db.Ping(t.Context()), "Migrate": db.Migrate(t.Context())} {
				wantCode(t, err, mintage.CodeOldSchema)
				if message := mintage.ErrorMessage(err); !strings.Contains(message, "before its first release") {
					t.Errorf("%s says %q", name, message)
				}
			}
		})
	})
	for _, engine := range storetest.Engines {
		t.Run("an empty database, several at once/"+engine, func(t *testing.T) {
			db := storetest.OpenEmpty(t, engine)
			wantCode(t, db.Read(t.Context(), func(r store.Reader) error { _, err := r.Brands(t.Context()); return err }), mintage.CodeOldSchema)
			var results []<-chan error
			for range 4 {
				s := db.Reopen(t)
				results = append(results, started(func() error { return s.Migrate(t.Context()) }))
			}
			for _, result := range results {
				if err := receive(t, result, "a migration"); err != nil {
					t.Error(err)
				}
			}
			f := storetest.NewFixture(t, db)
			f.Submit(f.NewProduct(f.NewBrand()), 1)
			f.Mint(1)
		})
	}
}

func TestSubmissions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		signals := db.Submissions(ctx)
		// awaken submits until the signal comes: the first ones may be missed.
		awaken := func(t *testing.T, f *storetest.Fixture, signals <-chan struct{}) {
			t.Helper()
			storetest.Eventually(t, "a submission is signalled", func() bool {
				f.Submit(p, 1)
				select {
				case _, open := <-signals:
					if !open {
						t.Fatal("the channel is closed")
					}
					return true
				default:
					return false
				}
			})
		}
		t.Run("by this process", func(t *testing.T) { awaken(t, f, signals) })
		t.Run("whoever listens", func(t *testing.T) {
			other := db.Submissions(ctx)
			awaken(t, f, other)
			awaken(t, f, signals)
		})
		t.Run("a reader who does not look holds nobody up", func(t *testing.T) {
			for range 20 {
				f.Submit(p, 1)
			}
			if c := cap(signals); c != 1 {
				t.Errorf("the channel has room for %d signals", c)
			}
		})
		t.Run("the end of the subscription", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			signals := db.Submissions(ctx)
			cancel()
			f.Submit(p, 1)
			select {
			case _, open := <-signals:
				if !open {
					t.Error("the channel is closed")
				}
			default:
			}
		})
	})
	t.Run("by another process", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		f := storetest.NewFixture(t, db.Reopen(t))
		p := f.NewProduct(f.NewBrand())
		signals := db.Submissions(t.Context())
		receive(t, signals, "the signal for what came before the subscription")
		f.Submit(p, 1)
		receive(t, signals, "the signal for another process's submission")
	})
	t.Run("not before the commit, not after a rollback", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, db *storetest.DB) {
			f := storetest.NewFixture(t, db)
			p := f.NewProduct(f.NewBrand())
			signals := db.Submissions(t.Context())
			if db.Engine() == "postgres" {
				receive(t, signals, "the signal for what came before the subscription")
			}
			empty(t, signals, "a signal for nothing")
			held := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				_, err := f.Create(ctx, tx, storetest.Submission{Product: p, Quantity: 1})
				return err
			})
			empty(t, signals, "a signal before the commit")
			held.rollback(t)
			empty(t, signals, "a signal after the rollback")
			f.NewProduct(f.NewBrand())
			empty(t, signals, "a signal for something else")
			f.Submit(p, 1)
			receive(t, signals, "the signal of a commit")
		})
	})
}

func TestEndHungWorkers(t *testing.T) {
	end := func(t *testing.T, s store.Store, limit time.Duration) []int64 {
		t.Helper()
		jobs, err := s.EndHungWorkers(t.Context(), limit)
		if err != nil {
			t.Fatal(err)
		}
		return jobs
	}
	t.Run("none hangs", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, db *storetest.DB) {
			f := storetest.NewFixture(t, db)
			w := f.Submit(f.NewProduct(f.NewBrand()), 10)
			second := db.Reopen(t)
			unchanged(t, db, func() { same(t, len(end(t, second, time.Nanosecond)), 0) })
			worker := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				got, err := tx.ClaimJob(ctx)
				if err != nil {
					return err
				}
				return f.Cycle(ctx, tx, got, 4)
			})
			same(t, len(end(t, second, time.Hour)), 0)
			if db.Engine() == "sqlite" {
				same(t, len(end(t, second, time.Nanosecond)), 0)
			}
			worker.commit(t)
			got := workOf(t, db, w)
			same(t, []int64{got.Batch.MintedQuantity, int64(got.Job.CycleLimit)}, []int64{4, mintage.MaxCycle})
		})
	})
	t.Run("one hangs", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		second := db.Reopen(t)
		f := storetest.NewFixture(t, second)
		p := f.NewProduct(f.NewBrand())
		w := f.Submit(p, 10)
		other := f.Submit(p, 10)
		f.Mint(4)
		limit := mintage.MaxCycle
		for range 4 {
			limit = max(1, min(limit, 6)/2) // 6 are left to mint
			worker := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				got, err := tx.ClaimJob(ctx)
				if err != nil {
					return err
				}
				same(t, got.Job.ID, w.Job.ID)
				return f.Cycle(ctx, tx, got, 6)
			})
			// Others that hold no job's lock for long are left alone.
			bystander := hold(t, second, func(ctx context.Context, tx store.Tx) error {
				return putSchema(&mintage.Brand{Number: p.BrandNumber}, "x")(ctx, tx)
			})
			claimedIs(t, second, other)
			same(t, end(t, second, time.Nanosecond), []int64{w.Job.Number})
			bystander.commit(t)

			got := claimed(t, second)
			same(t, got.Job.ID, w.Job.ID)
			same(t, []int64{got.Batch.MintedQuantity, int64(got.Job.CycleLimit), int64(got.Job.ConsecutiveErrors)}, []int64{4, int64(limit), 0})
			worker.end <- nil
			wantLost(t, receive(t, worker.done, "the ended worker"))
			same(t, workOf(t, second, w).Batch.MintedQuantity, 4)
		}
		same(t, limit, 1)
		same(t, f.Mint(6).Job.Status, mintage.JobCompleted)
	})
	t.Run("two notice at once", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		f := storetest.NewFixture(t, db)
		w := f.Submit(f.NewProduct(f.NewBrand()), 10)
		worker := hold(t, db, func(ctx context.Context, tx store.Tx) error { _, err := tx.ClaimJob(ctx); return err })
		var results []<-chan error
		for range 3 {
			s := db.Reopen(t)
			results = append(results, started(func() error { _, err := s.EndHungWorkers(t.Context(), time.Nanosecond); return err }))
		}
		for _, result := range results {
			if err := receive(t, result, "an end"); err != nil {
				t.Error(err)
			}
		}
		worker.end <- nil
		wantLost(t, receive(t, worker.done, "the ended worker"))
		same(t, claimed(t, db).Job.CycleLimit, 5) // of the 10 that were to be minted
		same(t, workOf(t, db, w).Job.Status, mintage.JobQueued)
	})
}

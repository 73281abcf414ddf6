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

// putSchema is the smallest write there is.
func putSchema(brand *mintage.Brand, id string) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error {
		return tx.PutSchema(ctx, brand.Number, &store.Schema{ID: id, Document: []byte("{}")})
	}
}

func schemaIDs(t testing.TB, s store.Store, brand *mintage.Brand) []string {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) ([]string, error) { return schemaIDsIn(ctx, r, brand) })
}

func schemaIDsIn(ctx context.Context, r store.Reader, brand *mintage.Brand) ([]string, error) {
	schemas, err := r.Schemas(ctx, brand.Number)
	return mapped(schemas, func(s *store.Schema) string { return s.ID }), err
}

// conflict is a write that the database refuses.
func conflict(brand *mintage.Brand) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.CreateBrand(ctx, copyOf(brand)) }
}

func TestInTx(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		second := db.Reopen(t)
		t.Run("commits, and reads back what it wrote", func(t *testing.T) {
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				if err := putSchema(b, "a")(ctx, tx); err != nil {
					return err
				}
				got, err := schemaIDsIn(ctx, tx, b)
				same(t, got, []string{"a"})
				return err
			})
			same(t, schemaIDs(t, second, b), []string{"a"})
		})
		t.Run("an error rolls back", func(t *testing.T) {
			unchanged(t, db, func() {
				err := db.InTx(t.Context(), func(tx store.Tx) error {
					if err := putSchema(b, "b")(t.Context(), tx); err != nil {
						t.Error(err)
					}
					return errRollback
				})
				if err != errRollback { //nolint:errorlint // the very same one
					t.Errorf("got %v", err)
				}
			})
		})
		t.Run("a panic rolls back and goes on", func(t *testing.T) {
			unchanged(t, db, func() {
				defer func() {
					if v := recover(); v != "the test panics" {
						t.Errorf("recovered %v", v)
					}
				}()
				_ = db.InTx(t.Context(), func(tx store.Tx) error {
					if err := putSchema(b, "b")(t.Context(), tx); err != nil {
						t.Error(err)
					}
					panic("the test panics")
				})
			})
		})
		t.Run("an error that was swallowed", func(t *testing.T) {
			unchanged(t, db, func() {
				err := db.InTx(t.Context(), func(tx store.Tx) error {
					if err := putSchema(b, "b")(t.Context(), tx); err != nil {
						t.Error(err)
					}
					wantCode(t, conflict(b)(t.Context(), tx), mintage.CodeConflict)
					return nil
				})
				if err == nil {
					t.Error("it was committed")
				}
			})
		})
		t.Run("what was not found harms nothing", func(t *testing.T) {
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				for _, id := range append(malformedIDs(b.ID), storetest.NewID()) {
					_, err := tx.BrandByID(ctx, id)
					wantCode(t, err, mintage.CodeNotFound)
				}
				return putSchema(b, "c")(ctx, tx)
			})
			same(t, schemaIDs(t, second, b), []string{"a", "c"})
		})
		t.Run("still usable", func(t *testing.T) {
			for range 30 { // more often than there are connections
				ctx, cancel := context.WithCancel(t.Context())
				_ = db.InTx(ctx, func(store.Tx) error { cancel(); return errRollback })
				cancel()
			}
			write(t, db, putSchema(b, "d"))
			same(t, schemaIDs(t, second, b), []string{"a", "c", "d"})
		})
	})
}

// TestCancelled ends a transaction's context at several moments. A worker is
// stopped in this way, and it must not count as a strike against its job.
func TestCancelled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		cancelled := func(t *testing.T, err error) {
			t.Helper()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want one that wraps context.Canceled", err)
			}
		}
		t.Run("before", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			cancelled(t, db.InTx(ctx, func(tx store.Tx) error { return putSchema(b, "x")(ctx, tx) }))
			cancelled(t, db.Read(ctx, func(r store.Reader) error { _, err := r.Brands(ctx); return err }))
			same(t, len(schemaIDs(t, db, b)), 0)
		})
		t.Run("between two statements", func(t *testing.T) {
			unchanged(t, db, func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				cancelled(t, db.InTx(ctx, func(tx store.Tx) error {
					if err := putSchema(b, "x")(ctx, tx); err != nil {
						return err
					}
					cancel()
					err := putSchema(b, "y")(ctx, tx)
					cancelled(t, err)
					return err
				}))
			})
		})
		t.Run("before the commit", func(t *testing.T) {
			unchanged(t, db, func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				cancelled(t, db.InTx(ctx, func(tx store.Tx) error {
					err := putSchema(b, "x")(ctx, tx)
					cancel()
					return err
				}))
			})
		})
		t.Run("in a savepoint", func(t *testing.T) {
			unchanged(t, db, func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := db.InTx(ctx, func(tx store.Tx) error {
					if err := putSchema(b, "x")(ctx, tx); err != nil {
						return err
					}
					_ = tx.Savepoint(ctx, func() error { cancel(); return putSchema(b, "y")(ctx, tx) })
					return nil
				})
				cancelled(t, err)
			})
		})
		t.Run("while it waits for another", func(t *testing.T) {
			p := f.NewProduct(b)
			lock := func(ctx context.Context, tx store.Tx) error {
				_, err := tx.LockProduct(ctx, b.Number, p.ID)
				return err
			}
			first := hold(t, db, lock)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := started(func() error { return db.InTx(ctx, func(tx store.Tx) error { return lock(ctx, tx) }) })
			db.AwaitBlocked(t, 1)
			cancel()
			cancelled(t, receive(t, done, "the cancelled transaction"))
			first.commit(t)
		})
		t.Run("still usable", func(t *testing.T) {
			write(t, db, putSchema(b, "x"))
			same(t, schemaIDs(t, db, b), []string{"x"})
		})
	})
}

func TestRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		write(t, db, putSchema(b, "a"))
		t.Run("sees one moment", func(t *testing.T) {
			before := read(t, db, func(ctx context.Context, r store.Reader) ([]string, error) {
				first, err := schemaIDsIn(ctx, r, b)
				if err != nil {
					return nil, err
				}
				write(t, db, putSchema(b, "b"))
				again, err := schemaIDsIn(ctx, r, b)
				same(t, again, first)
				return again, err
			})
			same(t, before, []string{"a"})
			same(t, schemaIDs(t, db, b), []string{"a", "b"})
		})
		t.Run("waits for no writer", func(t *testing.T) {
			p := f.NewProduct(b)
			writer := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				if _, err := tx.LockProduct(ctx, b.Number, p.ID); err != nil {
					return err
				}
				return putSchema(b, "c")(ctx, tx)
			})
			same(t, schemaIDs(t, db, b), []string{"a", "b"}) // and sees nothing of it
			read(t, db, func(ctx context.Context, r store.Reader) (*mintage.Product, error) {
				return r.ProductByID(ctx, b.Number, p.ID)
			})
			writer.commit(t)
			same(t, schemaIDs(t, db, b), []string{"a", "b", "c"})
		})
		t.Run("returns the function's error", func(t *testing.T) {
			err := db.Read(t.Context(), func(store.Reader) error { return errRollback })
			if err != errRollback { //nolint:errorlint // the very same one
				t.Errorf("got %v", err)
			}
		})
		t.Run("a panic goes on", func(t *testing.T) {
			func() {
				defer func() { _ = recover() }()
				_ = db.Read(t.Context(), func(store.Reader) error { panic("the test panics") })
			}()
			same(t, len(schemaIDs(t, db, b)), 3)
		})
	})
}

func TestSavepoint(t *testing.T) {
	storetest.EachWithClock(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		put := func(t *testing.T, ctx context.Context, tx store.Tx, b *mintage.Brand, id string) {
			t.Helper()
			if err := putSchema(b, id)(ctx, tx); err != nil {
				t.Error(err)
			}
		}
		t.Run("success keeps everything", func(t *testing.T) {
			b := f.NewBrand()
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				put(t, ctx, tx, b, "a")
				err := tx.Savepoint(ctx, func() error { return putSchema(b, "b")(ctx, tx) })
				put(t, ctx, tx, b, "c")
				return err
			})
			same(t, schemaIDs(t, db, b), []string{"a", "b", "c"})
		})
		failures := map[string]func(context.Context, store.Tx, *mintage.Brand) error{
			"of the function": func(context.Context, store.Tx, *mintage.Brand) error { return errRollback },
			"of the database": func(ctx context.Context, tx store.Tx, b *mintage.Brand) error { return conflict(b)(ctx, tx) },
		}
		for name, fail := range failures {
			t.Run("failure "+name+" undoes only its own", func(t *testing.T) {
				b := f.NewBrand()
				write(t, db, func(ctx context.Context, tx store.Tx) error {
					put(t, ctx, tx, b, "a")
					for range 2 {
						var failure error
						err := tx.Savepoint(ctx, func() error {
							put(t, ctx, tx, b, "b")
							failure = fail(ctx, tx, b)
							return failure
						})
						if err == nil || err != failure { //nolint:errorlint // the very same one
							t.Errorf("got %v, want %v", err, failure)
						}
					}
					put(t, ctx, tx, b, "c")
					return nil
				})
				same(t, schemaIDs(t, db, b), []string{"a", "c"})
			})
			t.Run("failure "+name+", nested", func(t *testing.T) {
				b := f.NewBrand()
				write(t, db, func(ctx context.Context, tx store.Tx) error {
					put(t, ctx, tx, b, "a")
					return tx.Savepoint(ctx, func() error {
						put(t, ctx, tx, b, "b")
						if err := tx.Savepoint(ctx, func() error {
							put(t, ctx, tx, b, "c")
							return fail(ctx, tx, b)
						}); err == nil {
							t.Error("the failure was lost")
						}
						put(t, ctx, tx, b, "d")
						return nil
					})
				})
				same(t, schemaIDs(t, db, b), []string{"a", "b", "d"})
			})
			t.Run("failure "+name+" around a success", func(t *testing.T) {
				b := f.NewBrand()
				write(t, db, func(ctx context.Context, tx store.Tx) error {
					put(t, ctx, tx, b, "a")
					if err := tx.Savepoint(ctx, func() error {
						if err := tx.Savepoint(ctx, func() error { return putSchema(b, "b")(ctx, tx) }); err != nil {
							t.Error(err)
						}
						return fail(ctx, tx, b)
					}); err == nil {
						t.Error("the failure was lost")
					}
					return nil
				})
				same(t, schemaIDs(t, db, b), []string{"a"})
			})
		}
		t.Run("a panic ends everything", func(t *testing.T) {
			b := f.NewBrand()
			func() {
				defer func() { _ = recover() }()
				_ = db.InTx(t.Context(), func(tx store.Tx) error {
					put(t, t.Context(), tx, b, "a")
					return tx.Savepoint(t.Context(), func() error { panic("the test panics") })
				})
			}()
			same(t, len(schemaIDs(t, db, b)), 0)
			write(t, db, putSchema(b, "b"))
		})
		t.Run("a failed cycle leaves its strike", func(t *testing.T) {
			w := f.Submit(f.NewProduct(f.NewBrand()), 10)
			f.Mint(4)
			want := workOf(t, db, w)
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				got, err := tx.ClaimJob(ctx)
				if err != nil {
					return err
				}
				cycle := tx.Savepoint(ctx, func() error {
					if err := f.Cycle(ctx, tx, copyOf(got), 6); err != nil {
						return err
					}
					return insert(got, 10, 0, 1)(ctx, tx) // one unit twice
				})
				wantCode(t, cycle, mintage.CodeConflict)
				got.Job.Strike(mintage.ErrorMessage(cycle))
				want.Job = got.Job
				return tx.RecordStrike(ctx, &got.Job, time.Second)
			})
			same(t, want.Job.ConsecutiveErrors, 1)
			same(t, workOf(t, db, w), want)
			same(t, len(codesOf(t, db, w.Batch.ProductNumber, 0, 10)), 4)
			claimedIs(t, db, nil)
		})
	})
}

// TestDeadlock makes two transactions wait for each other, which PostgreSQL
// notices and ends one of. InTx runs that one again.
func TestDeadlock(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db)
	b := f.NewBrand()
	products := []*mintage.Product{f.NewProduct(b), f.NewProduct(b)}
	ctx := t.Context()
	holds := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	var results []<-chan error
	var runs [2]int
	for i := range 2 {
		results = append(results, started(func() error {
			return db.InTx(ctx, func(tx store.Tx) error {
				runs[i]++
				if _, err := tx.LockProduct(ctx, b.Number, products[i].ID); err != nil {
					return err
				}
				if runs[i] == 1 {
					close(holds[i])
					<-holds[1-i]
				}
				_, err := tx.LockProduct(ctx, b.Number, products[1-i].ID)
				return err
			})
		}))
	}
	for _, result := range results {
		if err := receive(t, result, "a transaction"); err != nil {
			t.Error(err)
		}
	}
	if runs[0]+runs[1] < 3 {
		t.Errorf("no transaction was run again: %v", runs)
	}
}

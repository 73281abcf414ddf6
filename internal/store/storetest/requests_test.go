package storetest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestClaimKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		mine := store.KeyClaim{RequestHash: []byte{0, 1, 255}, JobID: storetest.NewID()}
		theirs := store.KeyClaim{RequestHash: []byte("another"), JobID: storetest.NewID()}
		claim := func(brand *mintage.Brand, key string, c store.KeyClaim, got **store.KeyClaim) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) (err error) {
				*got, err = tx.ClaimKey(ctx, brand.Number, key, c)
				return err
			}
		}
		longest := strings.Repeat("~", 255)
		for _, key := range []string{"k", "K", `a "b"'\`, longest} {
			var first, second, third *store.KeyClaim
			write(t, db, claim(b, key, mine, &first))
			unchanged(t, db, func() { write(t, db, claim(b, key, theirs, &second)) })
			write(t, db, claim(other, key, theirs, &third)) // keys are a brand's own
			if first != nil || third != nil {
				t.Fatalf("key %q: the free key was taken: %v, %v", key, first, third)
			}
			same(t, second, mine)
		}
		t.Run("its own claim in one transaction", func(t *testing.T) {
			var got *store.KeyClaim
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				if err := claim(b, "twice", mine, &got)(ctx, tx); err != nil || got != nil {
					return fmt.Errorf("%v, %w", got, err)
				}
				return claim(b, "twice", theirs, &got)(ctx, tx)
			})
			same(t, got, mine)
		})
		races := map[string]struct {
			end  func(*held, testing.TB)
			want *store.KeyClaim
		}{
			"the first commits":    {(*held).commit, &mine},
			"the first rolls back": {(*held).rollback, nil},
		}
		for name, race := range races {
			t.Run("two at once, "+name, func(t *testing.T) {
				ctx := t.Context()
				var first, second *store.KeyClaim
				h := hold(t, db, claim(b, name, mine, &first))
				done := started(func() error {
					return db.InTx(ctx, func(tx store.Tx) error { return claim(b, name, theirs, &second)(ctx, tx) })
				})
				db.AwaitBlocked(t, 1)
				empty(t, done, "the second has not waited")
				race.end(h, t)
				if err := receive(t, done, "the second"); err != nil {
					t.Fatal(err)
				}
				if first != nil {
					t.Fatalf("the first found the key taken: %v", first)
				}
				same(t, second, race.want)
			})
		}
	})
}

func TestKeyClaim(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		claim := store.KeyClaim{RequestHash: []byte{0, 1, 255}, JobID: storetest.NewID()}
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.ClaimKey(ctx, b.Number, "key", claim)
			return err
		})
		read := func(brand *mintage.Brand, key string) (got *store.KeyClaim, err error) {
			err = db.For(brand.Number).Read(t.Context(), func(r store.Reader) (err error) {
				got, err = r.KeyClaim(t.Context(), brand.Number, key)
				return err
			})
			return got, err
		}
		got, err := read(b, "key")
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, claim)
		for name, try := range map[string]struct {
			brand *mintage.Brand
			key   string
		}{"a free key": {b, "KEY"}, "another brand's": {other, "key"}} {
			if _, err := read(try.brand, try.key); mintage.ErrorCode(err) != mintage.CodeNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestNextOrdinal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		p, other := f.NewProduct(b), f.NewProduct(b)
		next := func(number int64) func(context.Context, store.Reader) (int64, error) {
			return func(ctx context.Context, r store.Reader) (int64, error) { return r.NextOrdinal(ctx, number) }
		}
		same(t, read(t, db, next(p.Number)), 0)
		f.Submit(p, 7)
		f.Submit(p, 5)
		same(t, read(t, db, next(p.Number)), 12)
		same(t, read(t, db, next(other.Number)), 0)
		wantCode(t, db.Read(t.Context(), func(r store.Reader) error { _, err := next(999)(t.Context(), r); return err }), mintage.CodeNotFound)
	})
}

func TestReserveOrdinals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		reserve := func(p *mintage.Product, quantity int64, first *int64) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) (err error) {
				*first, err = tx.ReserveOrdinals(ctx, p.Number, quantity)
				return err
			}
		}
		t.Run("one after the other", func(t *testing.T) {
			p, other := f.NewProduct(b), f.NewProduct(b)
			var got [4]int64
			write(t, db, reserve(p, 1, &got[0]))
			write(t, db, reserve(p, 1_000_000, &got[1]))
			refused(t, db, mintage.CodeInternal, func(ctx context.Context, tx store.Tx) error {
				if err := reserve(p, 5, &got[2])(ctx, tx); err != nil {
					t.Error(err)
				}
				return errRollback
			})
			write(t, db, reserve(p, 2, &got[2]))
			write(t, db, reserve(other, 2, &got[3]))
			same(t, got, [4]int64{0, 1, 1_000_001, 0})
		})
		t.Run("to the last", func(t *testing.T) {
			p := f.NewProduct(b)
			execute(t, db, fmt.Sprintf("UPDATE products SET next_ordinal = %d WHERE number = %d", mintage.MaxProductUnits-10, p.Number))
			var first int64
			for _, quantity := range []int64{11, 1_000_000, mintage.MaxProductUnits + 1, serial.MaxOrdinal + 1} {
				refusedWithin(t, db, mintage.CodeConflict, reserve(p, quantity, &first))
			}
			err := db.InTx(t.Context(), func(tx store.Tx) error { return reserve(p, 11, &first)(t.Context(), tx) })
			if message := mintage.ErrorMessage(err); !strings.Contains(message, "room for 10 more") {
				t.Error(message)
			}
			write(t, db, reserve(p, 10, &first))
			same(t, first, int64(mintage.MaxProductUnits-10))
			refused(t, db, mintage.CodeConflict, reserve(p, 1, &first))
		})
		t.Run("unknown product", func(t *testing.T) {
			var first int64
			refused(t, db, mintage.CodeNotFound, reserve(&mintage.Product{Number: 999}, 1, &first))
		})
		t.Run("many at once", func(t *testing.T) {
			const racers = 20
			p := f.NewProduct(b)
			ctx := t.Context()
			firsts := make([]int64, racers)
			var results []<-chan error
			for i := range racers {
				results = append(results, started(func() error {
					return db.InTx(ctx, func(tx store.Tx) error { return reserve(p, int64(i+1), &firsts[i])(ctx, tx) })
				}))
			}
			for _, result := range results {
				if err := receive(t, result, "a racer"); err != nil {
					t.Fatal(err)
				}
			}
			order := make([]int, racers)
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(a, b int) int { return int(firsts[a] - firsts[b]) })
			next := int64(0)
			for _, i := range order {
				if firsts[i] != next {
					t.Fatalf("a range begins at %d, not at %d: %v", firsts[i], next, firsts)
				}
				next += int64(i + 1)
			}
		})
	})
}

func TestCreateJob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		p := f.NewProduct(b)
		t.Run("numbers ascend and are shared", func(t *testing.T) {
			last := int64(0)
			for range 5 {
				w := f.Submit(p, 1)
				if w.Job.Number != w.Batch.Number || w.Job.Number <= last {
					t.Fatalf("job %d and batch %d after %d", w.Job.Number, w.Batch.Number, last)
				}
				last = w.Job.Number
				same(t, workOf(t, db, w), w)
			}
		})
		t.Run("a hundred lots", func(t *testing.T) {
			var lots []mintage.LotRequest
			for i := range mintage.MaxLots {
				lots = append(lots, mintage.LotRequest{LotCode: fmt.Sprintf("L%d'%%", i), Quantity: int64(i + 1)})
			}
			w := f.SubmitRequest(storetest.Submission{Product: p, Quantity: 5050, Lots: lots, IdentityMode: mintage.IdentityBatch, ActivationMode: mintage.ActiveAtMint})
			same(t, workOf(t, db, w), w)
		})
		create := func(w *store.Work) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.CreateJob(ctx, &w.Job, &w.Batch) }
		}
		t.Run("taken", func(t *testing.T) {
			first := f.Submit(p, 10)
			for name, edit := range map[string]func(*store.Work){
				"job ID":   func(w *store.Work) { w.Job.ID, w.Batch.JobID = first.Job.ID, first.Job.ID },
				"batch ID": func(w *store.Work) { w.Batch.ID = first.Batch.ID },
				"ordinals": func(w *store.Work) {
					*w = *f.NewWork(b, p, storetest.Submission{Quantity: 10}, first.Batch.FirstOrdinal)
				},
				"a lot's only": func(w *store.Work) { w.Batch.Lots[1].FirstOrdinal = first.Batch.FirstOrdinal },
			} {
				t.Run(name, func(t *testing.T) {
					w := f.NewWork(b, p, storetest.Submission{Quantity: 10, Lots: []mintage.LotRequest{{LotCode: "A", Quantity: 5}, {LotCode: "B", Quantity: 5}}}, 1_000_000)
					edit(w)
					refused(t, db, mintage.CodeConflict, create(w))
					refusedWithin(t, db, mintage.CodeConflict, create(w))
				})
			}
		})
		t.Run("gone on rollback", func(t *testing.T) {
			refused(t, db, mintage.CodeInternal, func(ctx context.Context, tx store.Tx) error {
				w, err := f.Create(ctx, tx, storetest.Submission{Product: p, Quantity: 3, Key: "unused"})
				if err != nil {
					t.Error(err)
				}
				if _, err := tx.WorkByJobID(ctx, b.Number, w.Job.ID); err != nil {
					t.Errorf("the job is not seen in its own transaction: %v", err)
				}
				return errRollback
			})
		})
		t.Run("of a brand or product that is not there", func(t *testing.T) {
			for name, edit := range map[string]func(*store.Work){
				"brand":            func(w *store.Work) { w.Job.BrandNumber, w.Batch.BrandNumber = 999, 999 },
				"product":          func(w *store.Work) { w.Batch.ProductNumber = 999 },
				"production batch": func(w *store.Work) { w.Batch.ProductionBatchNumber = 999 },
			} {
				t.Run(name, func(t *testing.T) {
					w := f.NewWork(b, p, storetest.Submission{Quantity: 10}, 2_000_000)
					edit(w)
					unchanged(t, db, func() {
						if err := db.InTx(t.Context(), func(tx store.Tx) error { return create(w)(t.Context(), tx) }); err == nil {
							t.Error("it was stored")
						}
					})
				})
			}
		})
	})
}

// TestSameRequestManyTimes submits the same request many times at once: one job
// comes of it, and everyone learns which.
func TestSameRequestManyTimes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		const racers = 10
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		ctx := t.Context()
		ids := make([]string, racers)
		var results []<-chan error
		for i := range racers {
			results = append(results, started(func() error {
				return db.InTx(ctx, func(tx store.Tx) error {
					w, err := f.Create(ctx, tx, storetest.Submission{Product: p, Quantity: 3, Key: "once"})
					if err == nil {
						ids[i] = w.Job.ID
					}
					return err
				})
			}))
		}
		for _, result := range results {
			if err := receive(t, result, "a racer"); err != nil {
				t.Fatal(err)
			}
		}
		if ids = slices.Compact(ids); len(ids) != 1 {
			t.Fatalf("several jobs came of it: %v", ids)
		}
		if n := count(t, db, "SELECT count(*) FROM mint_jobs"); n != 1 {
			t.Fatalf("%d jobs came of it", n)
		}
	})
}

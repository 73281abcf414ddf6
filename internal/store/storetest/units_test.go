package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// codesOf returns the codes of a product's units, by ordinal.
func codesOf(t testing.TB, s store.Store, product, from, to int64) (codes []serial.Code) {
	t.Helper()
	next := from
	read(t, s, func(ctx context.Context, r store.Reader) (any, error) {
		codes = nil
		return nil, r.EachUnit(ctx, product, from, to, func(ordinal int64, code serial.Code) error {
			if ordinal != next {
				return fmt.Errorf("got ordinal %d, want %d", ordinal, next)
			}
			next++
			codes = append(codes, code)
			return nil
		})
	})
	return codes
}

// insert returns an InsertUnits of made-up codes.
func insert(w *store.Work, expected, first int64, codes ...serial.Code) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error {
		return tx.InsertUnits(ctx, w.Batch.Number, expected, store.Slice{Product: w.Batch.ProductNumber, First: first, Codes: codes})
	}
}

func TestInsertUnits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		for _, size := range []int64{1, 2, 99, 100, 101, 999, 1000, 1001, mintage.MaxCycle - 1, mintage.MaxCycle} {
			t.Run(fmt.Sprintf("%d units", size), func(t *testing.T) {
				p := f.NewProduct(b)
				w := f.Submit(p, size+1)
				var want []serial.Code
				for i := range size + 1 {
					want = append(want, serial.Code(i)*(serial.Domain/mintage.MaxCycle-1))
				}
				write(t, db, insert(w, 0, 0, want[:size]...))
				same(t, workOf(t, db, w).Batch.MintedQuantity, size)
				write(t, db, insert(w, size, size, want[size]))
				same(t, workOf(t, db, w).Batch.MintedQuantity, size+1)
				same(t, codesOf(t, db, p.Number, 0, size+2), want)
			})
		}
		t.Run("codes at the edges", func(t *testing.T) {
			w := f.Submit(f.NewProduct(b), 3)
			want := []serial.Code{serial.Domain - 1, 0, 1 << 59}
			write(t, db, insert(w, 0, 0, want...))
			same(t, codesOf(t, db, w.Batch.ProductNumber, 0, 3), want)
		})
		t.Run("two at once", func(t *testing.T) {
			ctx := t.Context()
			w := f.Submit(f.NewProduct(b), 10)
			first := hold(t, db, insert(w, 0, 0, 1, 2))
			done := started(func() error { return db.InTx(ctx, func(tx store.Tx) error { return insert(w, 0, 0, 1, 2)(ctx, tx) }) })
			db.AwaitBlocked(t, 1)
			first.commit(t)
			wantCode(t, receive(t, done, "the second"), mintage.CodeConflict)
			same(t, codesOf(t, db, w.Batch.ProductNumber, 0, 10), []serial.Code{1, 2})
		})
	})
}

func TestRefusedUnits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		first, second := f.Submit(p, 10), f.Submit(p, 10)
		write(t, db, insert(first, 0, 0, 1, 2, 3))
		write(t, db, insert(second, 0, 10, 1))
		tests := map[string]func(context.Context, store.Tx) error{
			"the same slice again":                 insert(first, 0, 0, 1, 2, 3),
			"the same ordinals, count as expected": insert(first, 3, 0, 1, 2, 3),
			"the last one exists":                  insert(first, 3, 8, 9, 9, 9),
			"the first one exists":                 insert(first, 3, 2, 9, 9, 9),
			"expected too low":                     insert(first, 2, 3, 4),
			"expected too high":                    insert(first, 4, 3, 4),
			"one beyond the request":               insert(first, 3, 3, make([]serial.Code, 8)...),
			"a thousand beyond the request":        insert(first, 3, 3, make([]serial.Code, 1007)...),
			"no such batch":                        insert(&store.Work{Batch: mintage.Batch{Number: 999_999, ProductNumber: p.Number}}, 0, 50, 1),
		}
		for name, attempt := range tests {
			t.Run(name, func(t *testing.T) {
				refused(t, db, mintage.CodeConflict, attempt)
				refusedWithin(t, db, mintage.CodeConflict, attempt)
			})
		}
		write(t, db, insert(first, 3, 3, 4, 5, 6, 7, 8, 9, 10)) // and it still goes on
	})
}

// TestMintedQuantityIsTheCount mints while a reader compares, at every moment
// that it gets to see, minted_quantity with the units there are.
func TestMintedQuantityIsTheCount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		const quantity, slice = 3000, 50
		f := storetest.NewFixture(t, db)
		w := f.Submit(f.NewProduct(f.NewBrand()), quantity)
		ctx := t.Context()
		seen := make(map[int64]bool)
		begun := make(chan struct{})
		reader := started(func() error {
			for {
				var minted, units int64
				err := db.Read(ctx, func(r store.Reader) error {
					now, err := r.WorkByBatchID(ctx, w.Batch.BrandNumber, w.Batch.ID)
					if err != nil {
						return err
					}
					minted, units = now.Batch.MintedQuantity, 0
					return r.EachUnit(ctx, w.Batch.ProductNumber, 0, math.MaxInt64, func(int64, serial.Code) error {
						units++
						return nil
					})
				})
				if err != nil {
					return err
				}
				if minted != units {
					return fmt.Errorf("minted_quantity is %d with %d units", minted, units)
				}
				if len(seen) == 0 {
					close(begun)
				}
				seen[minted] = true
				if minted == quantity {
					return nil
				}
			}
		})
		select {
		case <-begun:
		case err := <-reader:
			t.Fatal(err)
		}
		for range quantity / slice {
			f.Mint(slice)
		}
		if err := receive(t, reader, "the reader"); err != nil {
			t.Fatal(err)
		}
		for minted := range seen {
			if minted%slice != 0 {
				t.Errorf("%d units were seen: part of a slice", minted)
			}
		}
	})
}

func TestUnitCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		p, other := f.NewProduct(b), f.NewProduct(b)
		write(t, db, insert(f.Submit(p, 3), 0, 0, 7, serial.Domain-1))
		write(t, db, insert(f.Submit(other, 3), 0, 0, 8))
		code := func(product, ordinal int64) func(context.Context, store.Reader) (serial.Code, error) {
			return func(ctx context.Context, r store.Reader) (serial.Code, error) {
				return r.UnitCode(ctx, product, ordinal)
			}
		}
		same(t, read(t, db, code(p.Number, 0)), 7)
		same(t, read(t, db, code(p.Number, 1)), uint64(serial.Domain-1))
		same(t, read(t, db, code(other.Number, 0)), 8)
		// The third is reserved, but not minted.
		for _, missing := range [][2]int64{{p.Number, 2}, {p.Number, -1}, {p.Number, math.MaxInt64}, {other.Number, 1}, {999, 0}} {
			notFound(t, db, code(missing[0], missing[1]))
		}
	})
}

func TestEachUnit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		p, other := f.NewProduct(b), f.NewProduct(b)
		failed := f.Submit(p, 5) // units 0 and 1, then a gap
		write(t, db, insert(failed, 0, 0, 10, 11))
		write(t, db, insert(f.Submit(other, 5), 0, 0, 90, 91, 92, 93, 94))
		write(t, db, insert(f.Submit(p, 3), 0, 5, 15, 16, 17))

		tests := []struct {
			from, to int64
			want     []int64
		}{
			{0, 8, []int64{0, 1, 5, 6, 7}},
			{math.MinInt64, math.MaxInt64, []int64{0, 1, 5, 6, 7}},
			{0, 7, []int64{0, 1, 5, 6}},
			{1, 6, []int64{1, 5}},
			{5, 6, []int64{5}},
			{2, 5, []int64{}},
			{6, 6, []int64{}},
			{7, 6, []int64{}},
			{8, 100, []int64{}},
		}
		for _, test := range tests {
			t.Run(fmt.Sprintf("%d to %d", test.from, test.to), func(t *testing.T) {
				got := []int64{}
				read(t, db, func(ctx context.Context, r store.Reader) (any, error) {
					return nil, r.EachUnit(ctx, p.Number, test.from, test.to, func(ordinal int64, code serial.Code) error {
						if int64(code) != ordinal+10 {
							return fmt.Errorf("unit %d has code %d", ordinal, code)
						}
						got = append(got, ordinal)
						return nil
					})
				})
				same(t, got, test.want)
			})
		}
		t.Run("an error of the function", func(t *testing.T) {
			errStop := errors.New("stop")
			calls := 0
			stop := func(ctx context.Context, r store.Reader) error {
				return r.EachUnit(ctx, p.Number, 0, 100, func(ordinal int64, _ serial.Code) error {
					calls++
					if ordinal == 5 {
						return errStop
					}
					return nil
				})
			}
			_, err := try(t, db, func(ctx context.Context, r store.Reader) (any, error) { return nil, stop(ctx, r) })
			if !errors.Is(err, errStop) || calls != 3 {
				t.Errorf("got %v after %d calls", err, calls)
			}
			write(t, db, func(ctx context.Context, tx store.Tx) error { // the transaction is none the worse
				if err := stop(ctx, tx); !errors.Is(err, errStop) {
					t.Errorf("got %v", err)
				}
				_, err := tx.BrandByNumber(ctx, b.Number)
				return err
			})
		})
		t.Run("its own transaction's units", func(t *testing.T) {
			w := f.Submit(p, 2)
			n := 0
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				if err := insert(w, 0, 8, 18, 19)(ctx, tx); err != nil {
					return err
				}
				return tx.EachUnit(ctx, p.Number, 8, 10, func(int64, serial.Code) error { n++; return nil })
			})
			same(t, n, 2)
		})
		t.Run("more than a driver reads at once", func(t *testing.T) {
			const many = 2*mintage.MaxCycle + 1
			drain(t, db, f) // so that ours is the oldest job
			p := f.NewProduct(b)
			f.Submit(p, many)
			f.Mint(many)
			same(t, len(codesOf(t, db, p.Number, 0, many)), many)
		})
	})
}

func TestCycles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		clock := storetest.NewClock(time.Date(2026, 10, 25, 0, 59, 59, 123_456_000, time.UTC))
		f.Now = clock.Now
		b := f.NewBrand()
		p, other := f.NewProduct(b), f.NewProduct(b)
		var want []store.Cycle
		mint := func(first, n int64) {
			clock.Advance(time.Hour)
			f.Mint(n)
			want = append(want, store.Cycle{First: first, Quantity: n, At: clock.Now()})
		}
		f.Submit(p, 10)
		mint(0, 4)
		mint(4, 1)
		f.Fail() // 5 to 9 are a gap
		f.Submit(other, 5)
		f.Mint(5)
		f.Submit(p, 2*mintage.MaxCycle)
		mint(10, mintage.MaxCycle)
		mint(10+mintage.MaxCycle, 3)

		const end = 10 + mintage.MaxCycle + 3
		tests := []struct {
			from, to    int64
			first, last int // of want
		}{
			{0, end, 0, 4},
			{math.MinInt32, math.MaxInt32, 0, 4},
			{0, 1, 0, 1},
			{3, 4, 0, 1},
			{3, 5, 0, 2},
			{4, 5, 1, 2},
			{5, 10, 0, 0},
			{5, 11, 2, 3},
			{9 + mintage.MaxCycle, 10 + mintage.MaxCycle, 2, 3},
			{9 + mintage.MaxCycle, 11 + mintage.MaxCycle, 2, 4},
			{end - 1, end, 3, 4},
			{end, end + 10, 0, 0},
			{4, 4, 0, 0},
		}
		for _, test := range tests {
			t.Run(fmt.Sprintf("%d to %d", test.from, test.to), func(t *testing.T) {
				got := read(t, db, func(ctx context.Context, r store.Reader) ([]store.Cycle, error) {
					return r.Cycles(ctx, p.Number, test.from, test.to)
				})
				same(t, append([]store.Cycle{}, got...), append([]store.Cycle{}, want[test.first:test.last]...))
			})
		}
	})
}

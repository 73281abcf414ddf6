package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func statesOf(product, from, to int64) func(context.Context, store.Reader) ([]mintage.UnitState, error) {
	return func(ctx context.Context, r store.Reader) ([]mintage.UnitState, error) {
		return r.UnitStates(ctx, product, from, to)
	}
}

// minted submits a request for n units of a new product and mints them.
func minted(f *storetest.Fixture, b *mintage.Brand, n int64) *mintage.Batch {
	f.Submit(f.NewProduct(b), n)
	return &f.Mint(n).Batch
}

// ordinals are those of units from <= ordinal < to of a batch.
func ordinals(b *mintage.Batch, from, to int64) (list []int64) {
	for i := from; i < to; i++ {
		list = append(list, b.FirstOrdinal+i)
	}
	return list
}

// together runs fn n times at once, and returns what failed.
func together(n int, fn func(i int) error) error {
	var all []<-chan error
	for i := range n {
		all = append(all, started(func() error { return fn(i) }))
	}
	var errs []error
	for _, result := range all {
		errs = append(errs, <-result)
	}
	return errors.Join(errs...)
}

// succeeds requires that there is no error.
func succeeds(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnitStates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		batch, theirs := minted(f, b, 10), minted(f, foreign, 10)
		product := batch.ProductNumber
		f.Activate(batch, 7, 3)
		f.Activate(theirs, 3, 4)
		f.Revoke(batch, `it's "stolen" \ %`, 3, 5)
		row := func(ordinal int64, status mintage.TokenStatus, reason string) string {
			return fmt.Sprint(product, ordinal, status, reason)
		}
		want := []string{
			row(3, mintage.TokenActive, ""), row(3, mintage.TokenRevoked, `it's "stolen" \ %`),
			row(5, mintage.TokenRevoked, `it's "stolen" \ %`), row(7, mintage.TokenActive, ""),
		}
		for name, s := range map[string]store.Store{
			"owner": db, "app": planes(t, db), "resolver": as(t, db, "mintage_resolver"),
		} {
			t.Run(name, func(t *testing.T) {
				mine := s.For(b.Number)
				list := func(from, to int64) []string {
					return mapped(read(t, mine, statesOf(product, from, to)), func(u mintage.UnitState) string {
						return row(u.Ordinal, u.Status, u.Reason)
					})
				}
				same(t, list(0, 10), want)
				same(t, list(3, 8), want)
				same(t, list(4, 8), want[2:])
				same(t, list(3, 7), want[:3])
				same(t, list(4, 5), []string{})
				same(t, list(5, 5), []string{})
				if db.Engine() == "postgres" && name != "owner" {
					same(t, len(read(t, mine, statesOf(theirs.ProductNumber, 0, 10))), 0)
				}
			})
		}
		t.Run("times", func(t *testing.T) {
			at := f.Now()
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				_, err := tx.ActivateUnits(ctx, []mintage.UnitState{{ProductNumber: product, Ordinal: 9, At: at}})
				return err
			})
			same(t, read(t, db, statesOf(product, 9, 10)), []mintage.UnitState{
				{ProductNumber: product, Ordinal: 9, Status: mintage.TokenActive, At: at},
			})
		})
	})
}

func TestActivateUnits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		resolver := as(t, db, "mintage_resolver").For(b.Number)
		second := db.Reopen(t)
		activate := func(s store.Transactions, units ...mintage.UnitState) []bool {
			t.Helper()
			var done []bool
			write(t, s, func(ctx context.Context, tx store.Tx) (err error) {
				done, err = tx.ActivateUnits(ctx, units)
				return err
			})
			return done
		}
		// activation is one of those at once.
		activation := func(s store.Transactions, batch *mintage.Batch, ordinals ...int64) (done []bool, err error) {
			err = s.InTx(t.Context(), func(tx store.Tx) (err error) {
				done, err = f.ActivateIn(t.Context(), tx, batch, ordinals...)
				return err
			})
			return done, err
		}

		t.Run("says which it did", func(t *testing.T) {
			batch, other := minted(f, b, 10), minted(f, b, 10)
			f.Revoke(batch, "r", 4)
			f.Activate(batch, 5)
			f.Revoke(batch, "r", 5)
			f.Activate(batch, 6)
			units := slices.Concat(f.States(batch, "", 9, 4, 5, 6, 9, 0), f.States(other, "", 6, 9, 6))
			same(t, activate(resolver, units...), []bool{true, false, false, false, false, true, true, true, false})
			unchanged(t, db, func() {
				same(t, activate(resolver, units...), make([]bool, len(units)))
				same(t, len(activate(resolver)), 0)
			})
			same(t, mapped(read(t, db, statesOf(batch.ProductNumber, 0, 100)), func(u mintage.UnitState) string {
				return fmt.Sprint(u.Ordinal, u.Status)
			}), []string{"0active", "4revoked", "5active", "5revoked", "6active", "9active"})
		})
		t.Run("more than one statement holds", func(t *testing.T) {
			batch := minted(f, b, 1000)
			f.Activate(batch, ordinals(batch, 0, 100)...)
			list := slices.Concat(ordinals(batch, 0, 1000), ordinals(batch, 0, 1000))
			done := activate(resolver, f.States(batch, "", list...)...)
			for i, did := range done {
				if want := i >= 100 && i < 1000; did != want {
					t.Fatalf("unit %d of the list: %v, want %v", i, did, want)
				}
			}
			same(t, len(read(t, db, statesOf(batch.ProductNumber, 0, 1000))), 1000)
		})
		t.Run("64 at once activate one unit", func(t *testing.T) {
			batch := minted(f, b, 3)
			results := make([]bool, 64)
			succeeds(t, together(len(results), func(i int) error {
				s := []store.Transactions{db, second, resolver}[i%3]
				done, err := activation(s, batch, 1)
				results[i] = err == nil && done[0]
				return err
			}))
			same(t, len(slices.DeleteFunc(results, func(did bool) bool { return !did })), 1)
			same(t, len(read(t, db, statesOf(batch.ProductNumber, 0, 3))), 1)
			events := listEvents(t, db, b.Number, store.EventFilter{Batch: batch.Number, Kind: mintage.EventUnitTransition})(store.Page{Limit: 10})
			same(t, len(events), 1)
		})
		t.Run("lists that overlap, in whatever order", func(t *testing.T) {
			batch := minted(f, b, 40)
			times := make([][]bool, 16)
			lists := make([][]int64, len(times))
			for i := range lists {
				lists[i] = ordinals(batch, int64(i), int64(i)+24)
				if i%2 == 0 {
					slices.Reverse(lists[i])
				}
			}
			succeeds(t, together(len(lists), func(i int) (err error) {
				times[i], err = activation([]store.Transactions{db, second}[i/2%2], batch, lists[i]...)
				return err
			}))
			each := make(map[int64]int)
			for i, list := range lists {
				for j, ordinal := range list {
					if times[i][j] {
						each[ordinal]++
					}
				}
			}
			for ordinal, n := range each {
				if n != 1 {
					t.Errorf("the unit %d was activated %d times", ordinal, n)
				}
			}
			same(t, len(each), 15+24)
		})
		t.Run("waits for who is about to", func(t *testing.T) {
			batch := minted(f, b, 2)
			for ordinal, end := range map[int64]func(testing.TB, *held){
				0: func(t testing.TB, h *held) { h.commit(t) },
				1: func(t testing.TB, h *held) { h.rollback(t) },
			} {
				first := hold(t, db, func(ctx context.Context, tx store.Tx) error {
					_, err := f.ActivateIn(ctx, tx, batch, ordinal)
					return err
				})
				var done []bool
				waiting := started(func() (err error) {
					done, err = activation(second, batch, ordinal)
					return err
				})
				db.AwaitBlocked(t, 1)
				end(t, first)
				if err := receive(t, waiting, "the second activation"); err != nil {
					t.Fatal(err)
				}
				same(t, done, []bool{ordinal == 1}) // it did where the first rolled back
			}
		})
	})
}

func TestRevokeUnits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		app := planes(t, db).For(b.Number)
		second := db.Reopen(t)
		revoke := func(s store.Transactions, units ...mintage.UnitState) []bool {
			t.Helper()
			var done []bool
			write(t, s, func(ctx context.Context, tx store.Tx) (err error) {
				done, err = tx.RevokeUnits(ctx, units)
				return err
			})
			return done
		}

		t.Run("says which it did", func(t *testing.T) {
			batch, other := minted(f, b, 10), minted(f, b, 10)
			f.Activate(batch, 4, 5)
			f.Revoke(batch, "first", 5, 6)
			units := slices.Concat(f.States(batch, "second", 9, 4, 5, 6, 9, 0), f.States(other, "", 6, 9, 6))
			same(t, revoke(app, units...), []bool{true, true, false, false, false, true, true, true, false})
			unchanged(t, db, func() {
				same(t, revoke(app, units...), make([]bool, len(units)))
				same(t, len(revoke(app)), 0)
				same(t, f.Activate(batch, 9, 4, 5, 6), make([]bool, 4))
			})
			same(t, mapped(read(t, db, statesOf(batch.ProductNumber, 0, 100)), func(u mintage.UnitState) string {
				return fmt.Sprint(u.Ordinal, u.Status, u.Reason)
			}), []string{
				"0revokedsecond", "4active", "4revokedsecond", "5active", "5revokedfirst", "6revokedfirst", "9revokedsecond",
			})
		})
		t.Run("more than one statement holds", func(t *testing.T) {
			batch := minted(f, b, 600)
			done := revoke(app, f.States(batch, "r", slices.Concat(ordinals(batch, 0, 600), ordinals(batch, 300, 600))...)...)
			for i, did := range done {
				if did != (i < 600) {
					t.Fatalf("unit %d of the list: %v", i, did)
				}
			}
		})
		t.Run("at once with an activation", func(t *testing.T) {
			const units = 48
			batch := minted(f, b, units)
			activated, revoked := make([]bool, 2*units), make([]bool, 2*units)
			// Two of each for each unit.
			succeeds(t, together(4*units, func(i int) error {
				unit, n := int64(i/4), i/2
				return []store.Transactions{db, second}[i%2].InTx(t.Context(), func(tx store.Tx) error {
					do, results := f.ActivateIn, activated
					if (i+i/4)%2 == 0 {
						do = func(ctx context.Context, tx store.Tx, b *mintage.Batch, ordinals ...int64) ([]bool, error) {
							return f.RevokeIn(ctx, tx, b, "r", ordinals...)
						}
						results = revoked
					}
					done, err := do(t.Context(), tx, batch, batch.FirstOrdinal+unit)
					if err == nil {
						results[n] = done[0]
					}
					return err
				})
			}))
			events := make(map[int64][]string)
			all := listEvents(t, db, b.Number, store.EventFilter{Batch: batch.Number, Kind: mintage.EventUnitTransition})(store.Page{Limit: 1000})
			for _, e := range slices.Backward(all) { // oldest first
				events[e.FirstOrdinal] = append(events[e.FirstOrdinal], e.From+"→"+e.To)
			}
			for unit := range int64(units) {
				once := func(results []bool) int {
					n := 0
					for _, did := range results[2*unit : 2*unit+2] {
						if did {
							n++
						}
					}
					return n
				}
				same(t, once(revoked), 1)
				want := []string{"minted→revoked"}
				if once(activated) == 1 {
					want = []string{"minted→active", "active→revoked"}
				}
				same(t, events[batch.FirstOrdinal+unit], want)
				same(t, len(read(t, db, statesOf(batch.ProductNumber, batch.FirstOrdinal+unit, batch.FirstOrdinal+unit+1))), len(want))
			}
			counts := read(t, db, lotCounts(batch))
			same(t, counts, []mintage.Counts{{Revoked: units}})
		})
	})
}

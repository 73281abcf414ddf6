package storetest_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func appendSeal(s *mintage.Seal) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.AppendSeal(ctx, s) }
}

// newSeal stores a block of a brand's chain, which need not be true.
func newSeal(t testing.TB, db *storetest.DB, f *storetest.Fixture, b *mintage.Brand, number, lastEvent int64) *mintage.Seal {
	t.Helper()
	s := &mintage.Seal{
		BrandNumber: b.Number, Number: number, LastEvent: lastEvent,
		Digests: bytes.Repeat([]byte{0, 255, byte(number)}, 8000), Hash: []byte{0, 255, byte(number)}, SealedAt: f.Now(),
	}
	write(t, db, appendSeal(s))
	return s
}

// newEvent stores an event of a brand and returns it as it is read.
func newEvent(t testing.TB, s store.Store, f *storetest.Fixture, b *mintage.Brand) *mintage.Event {
	t.Helper()
	e := &mintage.Event{BrandNumber: b.Number, At: f.Now(), Kind: mintage.EventBrandUpdated, Actor: "cli", SubjectID: b.ID}
	write(t, s, appendEvent(e))
	return e
}

func TestLastSeal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		last := func(b *mintage.Brand) func(context.Context, store.Reader) (*mintage.Seal, error) {
			return func(ctx context.Context, r store.Reader) (*mintage.Seal, error) { return r.LastSeal(ctx, b.Number) }
		}
		notFound(t, db, last(b))
		for number := int64(1); number <= 11; number++ { // no order of text
			want := newSeal(t, db, f, b, number, number*10)
			same(t, read(t, db, last(b)), want)
		}
		notFound(t, db, last(other))
	})
}

func TestSeals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		var want []*mintage.Seal
		for number := int64(1); number <= 5; number++ {
			want = append(want, newSeal(t, db, f, b, number, number*10))
			newSeal(t, db, f, other, number, number*10+1)
		}
		list := func(b int64, after int64, limit int) []*mintage.Seal {
			return read(t, db, func(ctx context.Context, r store.Reader) ([]*mintage.Seal, error) {
				return r.Seals(ctx, b, after, limit)
			})
		}
		same(t, list(b.Number, 0, 100), want)
		same(t, list(b.Number, 0, 5), want)
		same(t, list(b.Number, 0, 2), want[:2])
		same(t, list(b.Number, 2, 2), want[2:4])
		same(t, list(b.Number, 4, 2), want[4:])
		same(t, len(list(b.Number, 5, 2)), 0)
		same(t, len(list(999_999, 0, 2)), 0)
	})
}

func TestEventsBetween(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		f.Submit(p, 10)
		newEvent(t, db, f, other)
		f.Mint(10)
		newEvent(t, db, f, other)
		full := &mintage.Event{
			BrandNumber: b.Number, At: f.Now(), Kind: mintage.EventBatchCycle, Actor: `key:"ä"`, SubjectID: "x",
			Origin:        mintage.Origin{AddressClass: mintage.AddressPublic, RequestID: "req-1"},
			ProductNumber: p.Number, FirstOrdinal: 0, Quantity: 3, From: "a", To: "b", Message: `it's "so" \ %`,
		}
		write(t, db, appendEvent(full))

		// As stored, and oldest first: Events lists them newest first and joined.
		var want []*mintage.Event
		for _, e := range listEvents(t, db, b.Number, store.EventFilter{})(store.Page{Limit: 100}) {
			e.BatchID, e.JobID = "", ""
			want = append([]*mintage.Event{e}, want...)
		}
		list := func(after, upTo int64, limit int) []*mintage.Event {
			return read(t, db, func(ctx context.Context, r store.Reader) ([]*mintage.Event, error) {
				return r.EventsBetween(ctx, b.Number, after, upTo, limit)
			})
		}
		last := want[len(want)-1].Number
		same(t, want[len(want)-1], full)
		same(t, list(0, last, 100), want)
		same(t, list(0, last+1000, 100), want)
		same(t, list(0, last, 3), want[:3])
		same(t, list(want[2].Number, last, 3), want[3:6])
		same(t, list(want[2].Number, want[4].Number, 100), want[3:5])
		same(t, list(want[2].Number, want[5].Number-1, 100), want[3:5])
		same(t, len(list(last, last+1000, 100)), 0)
		same(t, len(list(want[2].Number, want[2].Number, 100)), 0)
		same(t, len(list(want[2].Number, want[1].Number, 100)), 0)
	})
}

func TestUnsealedBrands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		a, b, c := f.NewBrand(), f.NewBrand(), f.NewBrand()
		f.NewBrand() // has no events
		list := func(upTo int64, limit int) []int64 {
			return read(t, db, func(ctx context.Context, r store.Reader) ([]int64, error) { return r.UnsealedBrands(ctx, upTo, limit) })
		}
		unsealed := func(upTo int64, want ...*mintage.Brand) {
			t.Helper()
			same(t, append([]int64{}, list(upTo, 100)...), mapped(want, func(b *mintage.Brand) int64 { return b.Number }))
		}
		unsealed(1000)
		a1, c1, b1, a2 := newEvent(t, db, f, a), newEvent(t, db, f, c), newEvent(t, db, f, b), newEvent(t, db, f, a)
		unsealed(a2.Number, a, b, c)
		unsealed(b1.Number, a, b, c)
		unsealed(c1.Number, a, c)
		unsealed(a1.Number, a)
		unsealed(a1.Number - 1)
		same(t, list(a2.Number, 2), []int64{a.Number, b.Number})

		newSeal(t, db, f, a, 1, a1.Number)
		newSeal(t, db, f, b, 1, b1.Number)
		unsealed(a2.Number, a, c)
		unsealed(b1.Number, c) // a's next event is above
		newSeal(t, db, f, a, 2, a2.Number)
		newSeal(t, db, f, c, 1, c1.Number)
		unsealed(a2.Number)
		b2 := newEvent(t, db, f, b)
		unsealed(b2.Number, b)
		unsealed(b2.Number - 1)
	})
}

func TestUnsealedSince(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		a, b := f.NewBrand(), f.NewBrand()
		since := func() time.Time {
			return read(t, db, func(ctx context.Context, r store.Reader) (time.Time, error) { return r.UnsealedSince(ctx) })
		}
		event := func(b *mintage.Brand, at time.Time) *mintage.Event {
			e := &mintage.Event{BrandNumber: b.Number, At: at, Kind: mintage.EventBrandUpdated, Actor: "cli", SubjectID: b.ID}
			write(t, db, appendEvent(e))
			return e
		}
		same(t, since(), time.Time{})
		at := f.Now()
		a1, b1 := event(a, at.Add(2*time.Second)), event(b, at.Add(time.Second))
		event(a, at) // whose turn comes after the first one's
		same(t, since(), b1.At)
		newSeal(t, db, f, b, 1, b1.Number)
		same(t, since(), a1.At)
		newSeal(t, db, f, a, 1, a1.Number)
		same(t, since(), at)
		newSeal(t, db, f, a, 2, a1.Number+10)
		same(t, since(), time.Time{})
	})
}

func TestTrailBrands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		a, b, c := f.NewBrand(), f.NewBrand(), f.NewBrand()
		f.NewBrand() // has no events
		list := func() []int64 {
			return append([]int64{}, read(t, db, func(ctx context.Context, r store.Reader) ([]int64, error) { return r.TrailBrands(ctx) })...)
		}
		same(t, list(), []int64{})
		newEvent(t, db, f, c)
		newEvent(t, db, f, a)
		newEvent(t, db, f, c)
		same(t, list(), []int64{a.Number, c.Number})
		newSeal(t, db, f, b, 1, 10)
		newSeal(t, db, f, c, 1, 10)
		nobody := copyOf(a)
		nobody.Number = 999_999
		newSeal(t, db, f, nobody, 1, 10)
		nobody.Number = 999_998
		newEvent(t, db, f, nobody)
		same(t, list(), []int64{a.Number, b.Number, c.Number, 999_998, 999_999})
	})
}

func TestLockSeals(t *testing.T) {
	lock := func(got *bool) func(context.Context, store.Tx) error {
		return func(ctx context.Context, tx store.Tx) (err error) {
			*got, err = tx.LockSeals(ctx)
			return err
		}
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		other := db.Reopen(t)
		for _, end := range []func(*held){func(h *held) { h.commit(t) }, func(h *held) { h.rollback(t) }} {
			var first, again, second bool
			sealer := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				if err := lock(&first)(ctx, tx); err != nil {
					return err
				}
				return lock(&again)(ctx, tx)
			})
			same(t, []bool{first, again}, []bool{true, true})
			done := started(func() error {
				return other.InTx(t.Context(), func(tx store.Tx) error { return lock(&second)(t.Context(), tx) })
			})
			// PostgreSQL says no at once; on SQLite the second transaction waits, and
			// has the right once it begins.
			refusal := db.Engine() == "postgres"
			if refusal {
				if err := receive(t, done, "the refusal"); err != nil {
					t.Fatal(err)
				}
			}
			end(sealer)
			if !refusal {
				if err := receive(t, done, "the second process's turn"); err != nil {
					t.Fatal(err)
				}
			}
			same(t, second, !refusal)
		}
		var free bool
		write(t, other, lock(&free))
		same(t, free, true)
	})
}

func TestAppendSeal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		s := newSeal(t, db, f, b, 1, 10)
		refused(t, db, mintage.CodeConflict, appendSeal(s))
		refusedWithin(t, db, mintage.CodeConflict, appendSeal(s))
		another := copyOf(s)
		another.LastEvent, another.Hash = 20, []byte("h")
		refused(t, db, mintage.CodeConflict, appendSeal(another))
		newSeal(t, db, f, other, 1, 10)
		newSeal(t, db, f, b, 2, 20)
		t.Run("two at once", func(t *testing.T) {
			third := copyOf(s)
			third.Number = 3
			first := hold(t, db, appendSeal(third))
			second := started(func() error {
				return db.InTx(t.Context(), func(tx store.Tx) error { return tx.AppendSeal(t.Context(), third) })
			})
			db.AwaitBlocked(t, 1)
			first.commit(t)
			wantCode(t, receive(t, second, "the second one's turn"), mintage.CodeConflict)
		})
	})
}

package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// appendEvent stores an event on a connection of its own and returns its number.
func appendEvent(t *testing.T, conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (number int64) {
	t.Helper()
	must(t, conn.QueryRow(t.Context(), `
		INSERT INTO events (brand_number, at, kind, actor, subject_id) VALUES (1, now(), 'k', 'a', 's') RETURNING number`).Scan(&number))
	return number
}

func TestEventHorizon(t *testing.T) {
	db := storetest.Open(t, "postgres")
	ctx := t.Context()
	horizon := func(s store.Store, want int64) {
		t.Helper()
		check(t, "horizon", want)(s.EventHorizon(ctx))
	}
	horizon(db, 0)
	idle := connect(t, db.URL)
	first := appendEvent(t, idle)
	horizon(db, first) // nobody writes: at once

	// One that only reads does not hold it up.
	reading, err := connect(t, db.URL).BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	must(t, err)
	_, err = reading.Exec(ctx, `SELECT FROM events`)
	must(t, err)
	second := appendEvent(t, idle)
	horizon(db, second)

	// One that has drawn a number does, whoever comes after it.
	slow, err := connect(t, db.URL).Begin(ctx)
	must(t, err)
	drawn := appendEvent(t, slow)
	other := db.Reopen(t) // one that begins to look now knows no number for certain
	horizon(other, 0)
	horizon(db, second)
	last := appendEvent(t, idle)
	horizon(db, second)

	// A new writer, who has no number that was asked about, does not.
	quick, err := connect(t, db.URL).Begin(ctx)
	must(t, err)
	beyond := appendEvent(t, quick)
	must(t, slow.Commit(ctx))
	horizon(db, drawn)
	horizon(other, drawn)
	must(t, quick.Rollback(ctx))
	horizon(db, beyond)
	horizon(other, beyond)
	if last >= beyond {
		t.Errorf("numbers %d, %d", last, beyond)
	}
	horizon(db, beyond)
	must(t, reading.Rollback(ctx))
}

// Whatever is at or below a horizon was there to be seen when it was told.
func TestEventHorizonUnderLoad(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	brand := f.NewBrand()
	const writers, each = 4, 150
	done := make(chan error, writers)
	for range writers {
		go func() {
			for range each {
				err := db.InTx(t.Context(), func(tx store.Tx) error {
					for range 2 {
						e := &mintage.Event{BrandNumber: brand.Number, At: f.Now(), Kind: "k", Actor: "a"}
						if err := tx.AppendEvent(t.Context(), e); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	count := func(upTo int64) (n int) {
		must(t, db.Read(t.Context(), func(r store.Reader) error {
			events, err := r.EventsBetween(t.Context(), brand.Number, 0, upTo, 2*writers*each+10)
			n = len(events)
			return err
		}))
		return n
	}
	seen := map[int64]int{}
	var before int64
	for ended := 0; ended < writers; {
		at, err := db.EventHorizon(t.Context())
		must(t, err)
		if at < before {
			t.Errorf("the horizon went from %d back to %d", before, at)
		}
		before = at
		if _, ok := seen[at]; !ok {
			seen[at] = count(at)
		}
		select {
		case err := <-done:
			must(t, err)
			ended++
		default:
		}
	}
	for at, n := range seen {
		if now := count(at); now != n {
			t.Errorf("at the horizon %d there were %d events, and later %d", at, n, now)
		}
	}
	if len(seen) < 3 {
		t.Errorf("the horizon moved %d times only", len(seen))
	}
}

package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func horizon(t testing.TB, s store.Store) int64 {
	t.Helper()
	n, err := s.EventHorizon(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// reaches waits until the horizon has come to an event.
func reaches(t testing.TB, s store.Store, e *mintage.Event) {
	t.Helper()
	storetest.Eventually(t, fmt.Sprintf("the horizon reaches event %d", e.Number), func() bool { return horizon(t, s) >= e.Number })
}

func TestEventHorizon(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		second := db.Reopen(t)
		event := func() *mintage.Event {
			return &mintage.Event{BrandNumber: b.Number, At: f.Now(), Kind: mintage.EventBrandUpdated, Actor: "cli", SubjectID: b.ID}
		}
		if n := horizon(t, db); n < 0 {
			t.Fatalf("the horizon of a database without events is %d", n)
		}
		for range 3 {
			e := newEvent(t, db, f, b)
			reaches(t, db, e)
			reaches(t, second, e)
		}
		for name, end := range map[string]func(testing.TB, *held){
			"a writer that commits":    func(t testing.TB, h *held) { h.commit(t) },
			"a writer that rolls back": func(t testing.TB, h *held) { h.rollback(t) },
		} {
			t.Run(name, func(t *testing.T) {
				drawn := event()
				writer := hold(t, db, appendEvent(drawn))
				before := horizon(t, second)
				if before >= drawn.Number {
					t.Fatalf("the horizon is %d while event %d may still appear", before, drawn.Number)
				}
				if n := horizon(t, second); n < before || n >= drawn.Number {
					t.Fatalf("the horizon is %d after %d, while event %d may still appear", n, before, drawn.Number)
				}
				end(t, writer)
				reaches(t, second, newEvent(t, second, f, b))
			})
		}
		t.Run("whoever reads holds nothing up", func(t *testing.T) {
			reading, done := make(chan struct{}), make(chan struct{})
			finished := started(func() error {
				return db.Read(t.Context(), func(r store.Reader) error {
					if _, err := r.Brands(t.Context()); err != nil {
						return err
					}
					close(reading)
					<-done
					return nil
				})
			})
			receive(t, reading, "the reader")
			reaches(t, second, newEvent(t, second, f, b))
			close(done)
			if err := receive(t, finished, "the end of the reader"); err != nil {
				t.Fatal(err)
			}
		})
		t.Run("nothing appears below it", func(t *testing.T) {
			const writers, each = 4, 30
			var results []<-chan error
			for w := range writers {
				results = append(results, started(func() error {
					for i := range each {
						err := db.InTx(t.Context(), func(tx store.Tx) error {
							for range 2 {
								if err := tx.AppendEvent(t.Context(), event()); err != nil {
									return err
								}
							}
							if (w+i)%3 == 0 {
								return errRollback
							}
							return nil
						})
						if err != nil && !errors.Is(err, errRollback) {
							return err
						}
					}
					return nil
				}))
			}
			stop := make(chan struct{})
			seen := make(map[int64]int) // events at or below each horizon when it was read
			below := func(n int64) (int, error) {
				var events []*mintage.Event
				err := second.Read(t.Context(), func(r store.Reader) (err error) {
					events, err = r.EventsBetween(t.Context(), b.Number, 0, n, 100_000)
					return err
				})
				return len(events), err
			}
			watcher := started(func() error {
				last := int64(0)
				for {
					n, err := second.EventHorizon(t.Context())
					if err != nil {
						return err
					}
					if n < last {
						return fmt.Errorf("the horizon went back from %d to %d", last, n)
					}
					last = n
					if seen[n], err = below(n); err != nil {
						return err
					}
					select {
					case <-stop:
						return nil
					default:
					}
				}
			})
			for _, result := range results {
				if err := receive(t, result, "a writer"); err != nil {
					t.Error(err)
				}
			}
			close(stop)
			if err := receive(t, watcher, "the watcher"); err != nil {
				t.Fatal(err)
			}
			for n, count := range seen {
				if now, err := below(n); err != nil || now != count {
					t.Errorf("at or below %d there were %d events, now there are %d (%v)", n, count, now, err)
				}
			}
		})
	})
	t.Run("later writers do not move it past an open one", func(t *testing.T) {
		db := storetest.Open(t, "postgres") // on SQLite there is one writer at a time
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		second := db.Reopen(t)
		drawn := &mintage.Event{BrandNumber: b.Number, At: f.Now(), Kind: mintage.EventBrandUpdated, Actor: "cli", SubjectID: b.ID}
		// It drew its number long before it commits, and others commit meanwhile.
		writer := hold(t, db, appendEvent(drawn))
		var last *mintage.Event
		for range 5 {
			last = newEvent(t, second, f, b)
			for _, s := range []store.Store{db, second} {
				if n := horizon(t, s); n >= drawn.Number {
					t.Fatalf("the horizon is %d while event %d may still appear", n, drawn.Number)
				}
			}
		}
		// A writer that has drawn nothing yet draws a higher number; it may hold the
		// horizon up, but not for longer than it lasts.
		idle := hold(t, second, func(ctx context.Context, tx store.Tx) error { return putSchema(b, "x")(ctx, tx) })
		writer.commit(t)
		idle.commit(t)
		reaches(t, second, last)
		reaches(t, db, last)
	})
	t.Run("not migrated", func(t *testing.T) {
		for _, engine := range storetest.Engines {
			_, err := storetest.OpenEmpty(t, engine).EventHorizon(t.Context())
			wantCode(t, err, mintage.CodeOldSchema)
		}
	})
}

package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mintage"
	"mintage/internal/audit"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestSealing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 3)
		tr.seal()
		tr.add(0, 2)
		tr.add(1, 1)
		tr.add(0, 1)
		tr.seal()
		tr.seal() // there is nothing to do
		tr.add(1, 2)
		newSealer(db, nil) // has no memory that matters
		tr.seal()
		for i, want := range []string{"3", "1 2", ""} {
			if got := tr.sizes(i); got != want {
				t.Errorf("brand %d: blocks of %q, want %q", i, got, want)
			}
			tr.mustBeSealed(i)
		}
	})
}

// A backlog is sealed in blocks and transactions of bounded size.
func TestBacklog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 2)
		tr.add(0, 5*audit.MaxBlock+7)
		tr.add(1, 3)
		blocks, most := 0, 0
		s := &faulty{Store: db, before: func() error { blocks++; return nil }}
		s.after = func() error { most, blocks = max(most, blocks), 0; return nil }
		if err := newSealer(s, nil).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := tr.sizes(0), strings.Repeat(fmt.Sprint(audit.MaxBlock)+" ", 5)+"7"; got != want {
			t.Errorf("blocks of %q, want %q", got, want)
		}
		if limit := audit.MaxTxEvents / audit.MaxBlock; most > limit {
			t.Errorf("%d blocks in a transaction, want at most %d", most, limit)
		}
		tr.mustBeSealed(0)
		tr.mustBeSealed(1)
	})
}

// A transaction that drew a lower number and commits later is sealed in its turn.
func TestLateCommit(t *testing.T) {
	db := storetest.Open(t, "postgres") // on SQLite, writers come one after another
	tr := newTrail(t, db, 2)
	tr.add(0, 2)
	drawn, commit, done := make(chan int64), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.InTx(t.Context(), func(tx store.Tx) error {
			e := newEvent(tr.brands[0].Number)
			if err := tx.AppendEvent(t.Context(), e); err != nil {
				return err
			}
			drawn <- e.Number
			<-commit
			return nil
		})
	}()
	late := <-drawn
	tr.add(0, 3)
	tr.add(1, 1)
	if tr.events[0][2] < late {
		t.Fatalf("event %d was not drawn before %d", late, tr.events[0][2])
	}
	for range 2 {
		tr.seal()
		for _, s := range append(tr.seals(0), tr.seals(1)...) {
			if s.LastEvent >= late {
				t.Fatalf("sealed up to event %d while %d is open", s.LastEvent, late)
			}
		}
		if r := tr.verify("", nil); !r.OK {
			t.Fatalf("%+v", r.Brands[0])
		}
	}
	close(commit)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	tr.seal()
	tr.mustBeSealed(0)
	tr.mustBeSealed(1)
	if c := tr.verify(tr.brands[0].ID, nil).Brands[0]; c.Events != 6 {
		t.Errorf("%+v", c)
	}
}

// However writers, rollbacks and sealers meet, each event is sealed exactly once.
func TestSealedExactlyOnce(t *testing.T) {
	const writers = 4
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		others := []store.Store{db.Reopen(t), db.Reopen(t)}
		tr := newTrail(t, db, 0)
		aborted := errors.New("the transaction is rolled back")
		rapid.Check(t, func(r *rapid.T) {
			tr.newBrands(2)
			plans := make([][]int, writers) // events of each transaction; negative: rolled back
			for i := range plans {
				plans[i] = rapid.SliceOfN(rapid.IntRange(-2, 3), 0, 4).Draw(r, "transactions")
			}
			var all sync.WaitGroup
			failures := make(chan error, 100)
			for i, plan := range plans {
				all.Go(func() {
					for _, n := range plan {
						err := db.InTx(t.Context(), func(tx store.Tx) error {
							for j := range max(n, -n) {
								if err := tx.AppendEvent(t.Context(), newEvent(tr.brands[(i+j)%2].Number)); err != nil {
									return err
								}
							}
							if n < 0 {
								return aborted
							}
							return nil
						})
						if err != nil && !errors.Is(err, aborted) {
							failures <- err
						}
					}
				})
			}
			for _, s := range others {
				goes := rapid.IntRange(0, 5).Draw(r, "goes")
				all.Go(func() {
					sealer := newSealer(s, nil)
					for range goes {
						if err := sealer.RunOnce(t.Context()); err != nil {
							failures <- err
						}
					}
				})
			}
			all.Wait()
			close(failures)
			for err := range failures {
				t.Fatal(err)
			}
			tr.seal()
			tr.mustBeSealed(0)
			tr.mustBeSealed(1)
		})
	})
}

// A sealer that ends in the middle of a transaction leaves what it had committed,
// and the next one goes on there.
func TestRestartInTheMiddle(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 2)
		tr.add(0, 3*audit.MaxBlock)
		tr.add(1, 5)
		for stopAt := 1; stopAt <= 3; stopAt++ {
			ctx, cancel := context.WithCancel(t.Context())
			appended := 0
			s := &faulty{Store: db, before: func() error {
				if appended++; appended == stopAt {
					cancel()
				}
				return nil
			}}
			if err := newSealer(s, nil).RunOnce(ctx); err == nil {
				t.Errorf("cut off at block %d: no error", stopAt)
			}
			cancel()
			if r := tr.verify("", nil); !r.OK {
				t.Fatalf("cut off at block %d: %+v", stopAt, r.Brands[0])
			}
		}
		tr.seal()
		tr.mustBeSealed(0)
		tr.mustBeSealed(1)
	})
}

// A panic, or a process that is killed, is a transaction that never commits; a
// commit whose answer was lost is one that did.
func TestFailedTransactions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 1)
		unknown := mintage.Errorf(mintage.CodeUnknown, "the answer was lost")
		s := &faulty{Store: db, after: func() error { return unknown }}
		sealer := newSealer(s, nil)
		tr.add(0, 2*audit.MaxTxEvents)
		if err := sealer.RunOnce(t.Context()); !errors.Is(err, unknown) {
			t.Fatal(err)
		}
		if got := len(tr.seals(0)); got == 0 {
			t.Fatal("the transaction was to be committed")
		}
		s.after = nil
		s.before = func() error { return mintage.Errorf(mintage.CodeUnavailable, "the connection is gone") }
		had := tr.sizes(0)
		if err := sealer.RunOnce(t.Context()); mintage.ErrorCode(err) != mintage.CodeUnavailable || tr.sizes(0) != had {
			t.Fatalf("%v, blocks of %s", err, tr.sizes(0))
		}
		s.before = nil
		if err := sealer.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		tr.mustBeSealed(0)
	})
}

// runner runs a sealer on ticks that the test gives.
type runner struct {
	ticks chan time.Time
	stop  func()
}

func run(t *testing.T, s *audit.Sealer) *runner {
	ctx, cancel := context.WithCancel(t.Context())
	r, done := &runner{ticks: make(chan time.Time)}, make(chan struct{})
	go func() {
		defer close(done)
		s.RunOn(ctx, r.ticks)
	}()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	return r
}

// tick lets the sealer have n more goes. When it returns, those before the last
// one are over.
func (r *runner) tick(n int) {
	for range n {
		r.ticks <- time.Time{}
	}
}

// A fault is logged when it begins and when it ends, not each second.
func TestFaultIsLoggedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 1)
		tr.add(0, 1)
		var log bytes.Buffer
		failing, goes := true, 0
		s := &faulty{Store: db, before: func() error {
			if goes++; failing {
				return mintage.Errorf(mintage.CodeUnavailable, "the disk is full")
			}
			return nil
		}}
		r := run(t, newSealer(s, &log))
		r.tick(5)
		r.stop()
		if goes < 5 || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "sealing of events pauses") ||
			!strings.Contains(log.String(), "UNAVAILABLE") {
			t.Errorf("%d goes\n%s", goes, log.String())
		}
		log.Reset()
		sealer := newSealer(s, &log)
		r = run(t, sealer)
		r.tick(2)
		r.stop()
		failing = false
		r = run(t, sealer)
		for r.tick(2); tr.sizes(0) == ""; { // as soon as the database has let go of what was stopped before
			r.tick(1)
		}
		r.stop()
		if strings.Count(log.String(), "\n") != 2 || !strings.Contains(log.String(), "sealing of events goes on") {
			t.Errorf("%s", log.String())
		}
		tr.mustBeSealed(0)
	})
}

// A brand whose events cannot be read does not keep others from being sealed.
func TestStuckBrand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 2)
		storetest.Unguard(t, tr.raw)
		tr.add(0, 1)
		tr.seal()
		tr.add(0, 2)
		tr.add(1, 1)
		spoil, mend := "UPDATE events SET at = 'yesterday' WHERE number = ", "UPDATE events SET at = '2026-01-01T00:00:00.000000Z' WHERE number = "
		if db.Engine() == "postgres" {
			tr.execute("ALTER TABLE events ALTER actor DROP NOT NULL")
			spoil, mend = "UPDATE events SET actor = NULL WHERE number = ", "UPDATE events SET actor = 'cli' WHERE number = "
		}
		tr.execute(spoil + fmt.Sprint(tr.events[0][2]))
		var log bytes.Buffer
		sealer := newSealer(db, &log)
		r := run(t, sealer)
		for r.tick(3); tr.sizes(1) == ""; {
			r.tick(1)
		}
		r.stop()
		tr.mustBeSealed(1)
		if got := tr.sizes(0); got != "1" {
			t.Errorf("blocks of %s", got)
		}
		if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "cannot be sealed") {
			t.Errorf("%s", log.String())
		}
		tr.execute(mend + fmt.Sprint(tr.events[0][2]))
		if err := sealer.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		tr.mustBeSealed(0)
		if strings.Count(log.String(), "\n") != 2 || !strings.Contains(log.String(), "sealed again") {
			t.Errorf("%s", log.String())
		}
	})
}

// Whoever keeps a transaction open holds sealing up, and can edit what waits: the
// log says so, once, even where the events' own times tell of nothing.
func TestHeldUpSealingIsTold(t *testing.T) {
	db := storetest.Open(t, "postgres") // on SQLite an open writer holds up everything
	for name, edit := range map[string]string{
		"as it is":          "",
		"with edited times": "UPDATE events SET at = now() + interval '1 hour' WHERE number > 1",
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrail(t, db, 1)
			storetest.Unguard(t, tr.raw)
			clock := storetest.NewClock(time.Now().UTC())
			var log bytes.Buffer
			sealer := audit.NewSealer(db, clock.Now, slog.New(slog.NewTextHandler(&log, nil)))
			turn := func(after time.Duration, lines int, old bool) {
				t.Helper()
				clock.Advance(after)
				if err := sealer.RunOnce(t.Context()); err != nil {
					t.Fatal(err)
				}
				if strings.Count(log.String(), "\n") != lines || !sealer.OldTail().IsZero() != old {
					t.Errorf("since %s, the log:\n%s", sealer.OldTail(), log.String())
				}
			}
			tr.add(0, 1)
			turn(0, 0, false)
			open, err := tr.raw.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := open.ExecContext(t.Context(), "LOCK TABLE events IN ROW EXCLUSIVE MODE"); err != nil {
				t.Fatal(err)
			}
			tr.add(0, 2)
			if edit != "" {
				tr.execute(edit)
			}
			turn(15*time.Second, 0, false)
			if edit == "" {
				turn(50*time.Second, 1, true) // by the event's time
			} else {
				turn(50*time.Second, 0, false) // this process has seen it for less than a minute
			}
			turn(50*time.Second, 1, true)
			turn(time.Hour, 1, true)
			tr.add(0, 1)
			turn(15*time.Second, 1, true)
			if err := open.Rollback(); err != nil {
				t.Fatal(err)
			}
			storetest.Eventually(t, "the tail is sealed", func() bool {
				clock.Advance(15 * time.Second)
				if err := sealer.RunOnce(t.Context()); err != nil {
					t.Fatal(err)
				}
				return sealer.OldTail().IsZero()
			})
			turn(15*time.Second, 2, false)
			if !strings.Contains(log.String(), "no events wait for long") {
				t.Errorf("%s", log.String())
			}
		})
	}
}

// Of two sealers, the one that comes second does nothing, and does not wait.
func TestSecondSealerDoesNotWait(t *testing.T) {
	db := storetest.Open(t, "postgres") // on SQLite, writers come one after another
	tr := newTrail(t, db, 1)
	tr.add(0, 1)
	err := db.InTx(t.Context(), func(tx store.Tx) error {
		if got, err := tx.LockSeals(t.Context()); err != nil || !got {
			return fmt.Errorf("the lock: %t, %w", got, err)
		}
		if err := newSealer(db.Reopen(t), nil).RunOnce(t.Context()); err != nil {
			return err
		}
		tr.add(0, 1) // and writers do not wait for either
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := tr.sizes(0); got != "" {
		t.Errorf("blocks of %s", got)
	}
	tr.seal()
	tr.mustBeSealed(0)
}

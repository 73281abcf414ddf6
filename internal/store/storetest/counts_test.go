package storetest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func lotCounts(b *mintage.Batch) func(context.Context, store.Reader) ([]mintage.Counts, error) {
	return func(ctx context.Context, r store.Reader) ([]mintage.Counts, error) {
		return r.LotCounts(ctx, b.BrandNumber, b.Number)
	}
}

func dailyCounts(t testing.TB, s store.Transactions, b *mintage.Brand, from time.Time) []store.DailyCount {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) ([]store.DailyCount, error) {
		return r.DailyCounts(ctx, b.Number, from)
	})
}

// counted are the counts of a batch's lots, unit by unit.
func counted(ctx context.Context, r store.Reader, batch *mintage.Batch) ([]mintage.Counts, error) {
	w, err := r.WorkByBatchID(ctx, batch.BrandNumber, batch.ID)
	if err != nil {
		return nil, err
	}
	rows, err := r.UnitStates(ctx, batch.ProductNumber, batch.FirstOrdinal, batch.FirstOrdinal+batch.RequestedQuantity)
	if err != nil {
		return nil, err
	}
	recalls, err := r.Recalls(ctx, batch.BrandNumber, batch.ProductNumber)
	if err != nil {
		return nil, err
	}
	has := make(map[int64]map[mintage.TokenStatus]bool)
	for _, row := range rows {
		if has[row.Ordinal] == nil {
			has[row.Ordinal] = make(map[mintage.TokenStatus]bool)
		}
		has[row.Ordinal][row.Status] = true
	}
	counts := make([]mintage.Counts, len(w.Batch.Lots))
	for i, lot := range w.Batch.Lots {
		for ordinal := lot.FirstOrdinal; ordinal < min(lot.FirstOrdinal+lot.Quantity, w.Batch.NextOrdinal()); ordinal++ {
			revoked := has[ordinal][mintage.TokenRevoked]
			for _, r := range recalls {
				revoked = revoked || r.Covers(ordinal)
			}
			switch {
			case revoked:
				counts[i].Revoked++
			case has[ordinal][mintage.TokenActive] || batch.ActivationMode.Born() == mintage.TokenActive:
				counts[i].Active++
			default:
				counts[i].Minted++
			}
		}
	}
	return counts, nil
}

// agree requires that a batch's counts are those that a count unit by unit has.
func agree(ctx context.Context, r store.Reader, batch *mintage.Batch) error {
	got, err := r.LotCounts(ctx, batch.BrandNumber, batch.Number)
	if err != nil {
		return err
	}
	want, err := counted(ctx, r, batch)
	if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
		err = fmt.Errorf("the counts of batch %d are %+v, want %+v", batch.Number, got, want)
	}
	return err
}

// rollUp rolls up what there is, as a worker does.
func rollUp(t testing.TB, s store.Store, limit int) {
	t.Helper()
	succeeds(t, storetest.RollUp(t.Context(), s, limit))
}

func TestLotCounts(t *testing.T) {
	lots := []mintage.LotRequest{{LotCode: "A", Quantity: 4}, {LotCode: "B", Quantity: 5}, {LotCode: "C", Quantity: 6}}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		app := planes(t, db).For(b.Number)
		f.Submit(f.NewProduct(b), 3) // so that ordinals and numbers are not those of the next one
		drain(t, db, f)
		p := f.NewProduct(b)
		for _, mode := range []mintage.ActivationMode{mintage.FirstScan, mintage.ActiveAtMint} {
			t.Run(string(mode), func(t *testing.T) {
				batch := &f.SubmitRequest(storetest.Submission{Product: p, Quantity: 15, Lots: lots, ActivationMode: mode}).Batch
				// is asserts the counts before and after they are rolled up.
				is := func(want ...mintage.Counts) {
					t.Helper()
					same(t, read(t, app, lotCounts(batch)), want)
					rollUp(t, db, 1000)
					same(t, read(t, app, lotCounts(batch)), want)
				}
				born := func(n int64) mintage.Counts {
					if mode == mintage.ActiveAtMint {
						return mintage.Counts{Active: n}
					}
					return mintage.Counts{Minted: n}
				}
				revoked := func(c mintage.Counts, n int64) mintage.Counts {
					if mode == mintage.ActiveAtMint {
						return mintage.Counts{Active: c.Active - n, Revoked: c.Revoked + n}
					}
					return mintage.Counts{Minted: c.Minted - n, Active: c.Active, Revoked: c.Revoked + n}
				}
				is(born(0), born(0), born(0))
				f.Mint(6)
				is(born(4), born(2), born(0))
				f.Mint(9)
				is(born(4), born(5), born(6))
				f.Revoke(batch, "r", ordinals(batch, 3, 6)...)
				is(revoked(born(4), 1), revoked(born(5), 2), born(6))
				if mode == mintage.FirstScan {
					f.Activate(batch, ordinals(batch, 3, 8)...) // two of them can be
					is(mintage.Counts{Minted: 3, Revoked: 1}, mintage.Counts{Minted: 1, Active: 2, Revoked: 2}, born(6))
					f.Revoke(batch, "r", ordinals(batch, 5, 7)...) // one of them was not
					is(mintage.Counts{Minted: 3, Revoked: 1}, mintage.Counts{Minted: 1, Active: 1, Revoked: 3}, born(6))
				}
				second := read(t, db, lotCounts(batch))[1]
				f.Recall(batch, &batch.Lots[0], "r") // one of it was revoked before
				is(mintage.Counts{Revoked: 4}, second, born(6))
				f.Revoke(batch, "r", ordinals(batch, 0, 1)...) // though it is recalled
				is(mintage.Counts{Revoked: 4}, second, born(6))
				f.Recall(batch, nil, "r")
				is(mintage.Counts{Revoked: 4}, mintage.Counts{Revoked: 5}, mintage.Counts{Revoked: 6})
			})
		}
		t.Run("without lots, beside another batch", func(t *testing.T) {
			first, second := f.Submit(p, 5), f.Submit(p, 5)
			drain(t, db, f)
			f.Activate(&first.Batch, ordinals(&first.Batch, 4, 5)...)
			f.Activate(&second.Batch, ordinals(&second.Batch, 0, 2)...)
			f.Recall(&first.Batch, nil, "r")
			for range 2 {
				same(t, read(t, app, lotCounts(&first.Batch)), []mintage.Counts{{Revoked: 5}})
				same(t, read(t, app, lotCounts(&second.Batch)), []mintage.Counts{{Minted: 3, Active: 2}})
				rollUp(t, db, 1000)
			}
		})
		t.Run("unknown", func(t *testing.T) {
			batch := f.Submit(p, 5).Batch
			for _, change := range []func(*mintage.Batch){
				func(b *mintage.Batch) { b.Number = 999_999 },
				func(b *mintage.Batch) { b.BrandNumber = other.Number },
			} {
				changed := copyOf(&batch)
				change(changed)
				notFound(t, db, lotCounts(changed))
			}
		})
	})
}

// RollUp runs beside writers, and the counts are always what a count of that moment
// would be.
func TestCountsAreExactBesideWriters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		const units, writers, each = 60, 4, 40
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		p := f.NewProduct(b)
		lots := []mintage.LotRequest{{LotCode: "A", Quantity: 25}, {LotCode: "B", Quantity: 25}, {LotCode: "C", Quantity: 10}}
		var batches []*mintage.Batch
		for _, mode := range []mintage.ActivationMode{mintage.FirstScan, mintage.ActiveAtMint} {
			batches = append(batches, &f.SubmitRequest(storetest.Submission{Product: p, Quantity: units, Lots: lots, ActivationMode: mode}).Batch)
		}
		drain(t, db, f)
		second := db.Reopen(t)
		stores := []store.Store{db, second}
		writing := started(func() error {
			return together(writers, func(w int) error {
				random := rand.New(rand.NewPCG(1, uint64(w)))
				for range each {
					batch := batches[random.IntN(2)]
					var list []int64
					for range 1 + random.IntN(8) {
						list = append(list, batch.FirstOrdinal+random.Int64N(units))
					}
					revoke, fails := random.IntN(3) == 0 || batch == batches[1], random.IntN(5) == 0
					err := stores[w%2].InTx(t.Context(), func(tx store.Tx) (err error) {
						if revoke {
							_, err = f.RevokeIn(t.Context(), tx, batch, "r", list...)
						} else {
							_, err = f.ActivateIn(t.Context(), tx, batch, list...)
						}
						if err == nil && fails {
							err = errRollback
						}
						return err
					})
					if err != nil && err != errRollback { //nolint:errorlint // the very same one
						return err
					}
				}
				return nil
			})
		})
		stop := make(chan struct{})
		// whileWriting calls fn until the writers have ended.
		whileWriting := func(fn func() error) <-chan error {
			return started(func() error {
				for {
					if err := fn(); err != nil {
						return err
					}
					select {
					case <-stop:
						return nil
					default:
					}
				}
			})
		}
		exact := func(s store.Store) func() error {
			return func() error {
				return s.Read(t.Context(), func(r store.Reader) error {
					for _, batch := range batches {
						if err := agree(t.Context(), r, batch); err != nil {
							return err
						}
					}
					return nil
				})
			}
		}
		others := map[string]<-chan error{
			"a reader":       whileWriting(exact(db)),
			"a worker":       whileWriting(func() error { return storetest.RollUp(t.Context(), db, 7) }),
			"another worker": whileWriting(func() error { return storetest.RollUp(t.Context(), second, 10_000) }),
		}
		succeeds(t, receive(t, writing, "the writers"))
		close(stop)
		for what, result := range others {
			if err := receive(t, result, what); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		succeeds(t, exact(db)())
		reaches(t, db, newEvent(t, db, f, b))
		rollUp(t, db, 5)
		succeeds(t, exact(db)())
	})
}

func TestRollUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		batch := minted(f, b, 20)
		worker := as(t, db, "mintage_worker")
		roll := func(s store.Store, horizon int64, limit int) (more bool) {
			t.Helper()
			write(t, s, func(ctx context.Context, tx store.Tx) (err error) {
				more, err = tx.RollUp(ctx, horizon, limit)
				return err
			})
			return more
		}
		// settled is a horizon that has come to all events so far.
		settled := func() int64 {
			t.Helper()
			e := newEvent(t, db, f, b)
			reaches(t, worker, e)
			return e.Number
		}
		stored := func() string {
			t.Helper()
			return fmt.Sprint(storetest.Dump(t, db)["lot_counts"], storetest.Dump(t, db)["day_counts"])
		}

		t.Run("by steps, each once", func(t *testing.T) {
			f.Activate(batch, 0, 1, 2)
			f.Revoke(batch, "r", 2, 3)
			horizon := settled()
			steps := 1
			for roll(worker, horizon, 2) {
				steps++
			}
			if steps < 4 {
				t.Errorf("%d steps of 2 for more events than that", steps)
			}
			same(t, count(t, db, "SELECT sum(activated) FROM lot_counts"), int64(3))
			same(t, count(t, db, "SELECT sum(revoked_minted) FROM lot_counts"), int64(1))
			same(t, count(t, db, "SELECT sum(revoked_active) FROM lot_counts"), int64(1))
			unchanged(t, db, func() {
				for _, h := range []int64{horizon, horizon - 1, 0, -1} {
					same(t, roll(worker, h, 1000), false)
				}
			})
			same(t, read(t, db, lotCounts(batch)), []mintage.Counts{{Minted: 16, Active: 2, Revoked: 2}})
		})
		t.Run("not beyond the horizon", func(t *testing.T) {
			horizon := settled()
			roll(worker, horizon, 1000)
			before := stored()
			f.Activate(batch, 5)
			same(t, roll(worker, horizon, 1000), false)
			same(t, stored(), before)
			same(t, roll(worker, settled(), 1000), false)
			if stored() == before {
				t.Error("the event was not rolled up")
			}
			same(t, read(t, db, lotCounts(batch)), []mintage.Counts{{Minted: 15, Active: 3, Revoked: 2}})
		})
		t.Run("rolled back", func(t *testing.T) {
			f.Activate(batch, 6)
			horizon := settled()
			unchanged(t, db, func() {
				err := worker.InTx(t.Context(), func(tx store.Tx) error {
					if _, err := tx.RollUp(t.Context(), horizon, 1000); err != nil {
						return err
					}
					return errRollback
				})
				if err != errRollback { //nolint:errorlint // the very same one
					t.Error(err)
				}
			})
			roll(worker, horizon, 1000)
			same(t, read(t, db, lotCounts(batch)), []mintage.Counts{{Minted: 14, Active: 4, Revoked: 2}})
		})
		t.Run("of no lot", func(t *testing.T) { // a damaged trail must not stop the counting
			bare := f.NewProduct(b)
			write(t, db, appendEvent(&mintage.Event{
				BrandNumber: b.Number, At: f.Now(), Kind: mintage.EventUnitTransition, Actor: "cli", SubjectID: b.ID,
				ProductNumber: bare.Number, FirstOrdinal: 3, Quantity: 1, From: "minted", To: "active",
			}))
			horizon := settled()
			for roll(worker, horizon, 1000) {
			}
			same(t, roll(worker, horizon, 1000), false)
			same(t, read(t, db, lotCounts(batch)), []mintage.Counts{{Minted: 14, Active: 4, Revoked: 2}})
			same(t, count(t, db, "SELECT count(*) FROM lot_counts"), int64(1))
		})
		t.Run("by many workers at once", func(t *testing.T) {
			f.Activate(batch, 10, 11, 12, 13, 14)
			horizon := settled()
			second := db.Reopen(t)
			succeeds(t, together(8, func(i int) error {
				for more := true; more; {
					err := []store.Store{worker, second}[i%2].InTx(t.Context(), func(tx store.Tx) (err error) {
						more, err = tx.RollUp(t.Context(), horizon, 1+i%3)
						return err
					})
					if err != nil {
						return err
					}
				}
				return nil
			}))
			same(t, count(t, db, "SELECT sum(activated) FROM lot_counts"), int64(10))
			same(t, read(t, db, lotCounts(batch)), []mintage.Counts{{Minted: 9, Active: 9, Revoked: 2}})
		})
		t.Run("an event that comes late", func(t *testing.T) {
			late := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				_, err := f.ActivateIn(ctx, tx, batch, 15)
				return err
			})
			if db.Engine() == "postgres" { // on SQLite, where all writers are one, nobody overtakes
				f.Activate(batch, 16)
				rollUp(t, worker, 1000)
				same(t, read(t, db, lotCounts(batch)), []mintage.Counts{{Minted: 8, Active: 10, Revoked: 2}})
			}
			late.commit(t)
			f.Activate(batch, 16)
			for range 2 {
				same(t, read(t, db, lotCounts(batch)), []mintage.Counts{{Minted: 7, Active: 11, Revoked: 2}})
				roll(worker, settled(), 1000)
			}
			same(t, count(t, db, "SELECT sum(activated) FROM lot_counts"), int64(12))
		})
	})
}

func TestDailyCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		midnight := time.Date(2026, time.March, 29, 0, 0, 0, 0, time.UTC)
		clock := storetest.NewClock(midnight.Add(-time.Microsecond))
		f.Now = clock.Now
		w := f.Submit(f.NewProduct(b), 10)
		p := &mintage.Product{Number: w.Batch.ProductNumber}
		f.Mint(4) // the day before
		robot := newScan(p, 0, clock.Now())
		robot.Agent = mintage.AgentRobot
		write(t, db, appendScans(newScan(p, 0, clock.Now()), robot, newScan(p, -1, midnight)))
		clock.Advance(time.Microsecond)
		f.Mint(6)
		f.Activate(&w.Batch, 0, 1, 2)
		f.Revoke(&w.Batch, "r", 2, 3)
		f.SubmitRequest(storetest.Submission{Product: f.NewProduct(other), Quantity: 5, ActivationMode: mintage.ActiveAtMint})
		f.Mint(5)
		clock.Advance(48 * time.Hour) // a day on which nothing happens
		f.Recall(&w.Batch, nil, "r")
		f.Activate(&w.Batch, 4)
		clock.Advance(24 * time.Hour)
		write(t, db, appendScans(newScan(p, 0, clock.Now().In(time.FixedZone("", -11*60*60))), newScan(p, 3, clock.Now())))

		want := []store.DailyCount{
			{Day: midnight.AddDate(0, 0, -1), Minted: 4, Scans: 1},
			{Day: midnight, Minted: 6, Activated: 3, Revoked: 2, Scans: 1},
			{Day: midnight.AddDate(0, 0, 2), Activated: 1, Revoked: 10},
			{Day: midnight.AddDate(0, 0, 3), Scans: 2},
		}
		reaches(t, db, newEvent(t, db, f, b))
		for _, limit := range []int{3, 1000} {
			rollUp(t, db, limit)
			for _, s := range []store.Transactions{db, planes(t, db).For(b.Number)} {
				same(t, dailyCounts(t, s, b, time.Time{}), want)
				same(t, dailyCounts(t, s, b, midnight), want[1:])
				same(t, dailyCounts(t, s, b, midnight.AddDate(0, 0, 1)), want[2:])
				same(t, dailyCounts(t, s, b, midnight.Add(23*time.Hour)), want[1:]) // a day is whole
				same(t, len(dailyCounts(t, s, b, midnight.AddDate(0, 0, 4))), 0)
			}
		}
		same(t, dailyCounts(t, db, other, time.Time{}), []store.DailyCount{{Day: midnight, Minted: 5}})
		if db.Engine() == "postgres" {
			same(t, len(dailyCounts(t, planes(t, db).For(b.Number), other, time.Time{})), 0)
		}
	})
}

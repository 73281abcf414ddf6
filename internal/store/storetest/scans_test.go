package storetest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func scansOf(product, ordinal int64, limit int) func(context.Context, store.Reader) ([]*mintage.Scan, error) {
	return func(ctx context.Context, r store.Reader) ([]*mintage.Scan, error) {
		return r.Scans(ctx, product, ordinal, limit)
	}
}

func appendScans(scans ...mintage.Scan) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.AppendScans(ctx, scans) }
}

// newScan is the scan of a unit by a phone.
func newScan(p *mintage.Product, ordinal int64, at time.Time) mintage.Scan {
	return mintage.Scan{
		ProductNumber: p.Number, Ordinal: ordinal, At: at, Network: "203.0.113.0/24",
		Agent: mintage.AgentPhone, Language: "de", Outcome: mintage.ScanActive,
	}
}

func TestScans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		p, other, theirs := f.NewProduct(b), f.NewProduct(b), f.NewProduct(foreign)
		at := f.Now()
		var want []mintage.Scan // newest first
		for i := range 5 {
			s := newScan(p, 0, at.Add(-time.Duration(i)*time.Microsecond))
			s.Network, s.Language = fmt.Sprintf("2001:db8:%d::/48", i), ""
			if i%2 == 1 {
				s.Agent = mintage.AgentRobot
			}
			want = append(want, s)
		}
		write(t, db, appendScans(want[4], want[3], newScan(p, 1, at), newScan(other, 0, at), newScan(p, -1, at)))
		write(t, db, appendScans(want[2], want[1], want[0]))
		write(t, db, appendScans(newScan(theirs, 0, at)))
		for name, s := range map[string]store.Store{"owner": db, "app": planes(t, db)} {
			t.Run(name, func(t *testing.T) {
				mine := s.For(b.Number)
				same(t, read(t, mine, scansOf(p.Number, 0, 10)), want)
				same(t, read(t, mine, scansOf(p.Number, 0, 5)), want)
				same(t, read(t, mine, scansOf(p.Number, 0, 2)), want[:2])
				same(t, len(read(t, mine, scansOf(p.Number, 1, 10))), 1)
				same(t, len(read(t, mine, scansOf(p.Number, 2, 10))), 0)
				if db.Engine() == "postgres" && name != "owner" {
					same(t, len(read(t, mine, scansOf(theirs.Number, 0, 10))), 0)
				}
			})
		}
	})
}

func TestScanNetworks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		p, other := f.NewProduct(b), f.NewProduct(b)
		at := f.Now()
		var scans []mintage.Scan
		add := func(p *mintage.Product, ordinal int64, network string, agent mintage.AgentClass, ago time.Duration) {
			s := newScan(p, ordinal, at.Add(-ago))
			s.Network, s.Agent = network, agent
			scans = append(scans, s)
		}
		add(p, 7, "a", mintage.AgentPhone, 0)
		add(p, 7, "a", mintage.AgentDesktop, time.Minute)
		add(p, 7, "b", mintage.AgentMachine, time.Hour)
		add(p, 7, "c", mintage.AgentRobot, 0)
		add(p, 7, "d", mintage.AgentPhone, 2*time.Hour)
		add(p, 8, "e", mintage.AgentPhone, 0)
		add(other, 7, "f", mintage.AgentPhone, 0)
		write(t, db, appendScans(scans...))
		for _, s := range []store.Transactions{db, planes(t, db).For(b.Number), as(t, db, "mintage_resolver").For(b.Number)} {
			for ago, want := range map[time.Duration]int64{
				-time.Microsecond: 0, 0: 1, time.Minute: 1, time.Hour - time.Microsecond: 1, time.Hour: 2, 3 * time.Hour: 3,
			} {
				same(t, read(t, s, func(ctx context.Context, r store.Reader) (int64, error) {
					return r.ScanNetworks(ctx, p.Number, 7, at.Add(-ago))
				}), want)
			}
		}
	})
}

// Neither robots nor the number of scans turn the count of networks off: of people's
// scans the latest are looked at.
func TestScanNetworksOfMany(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		at := f.Now()
		networks := func() int64 {
			t.Helper()
			return read(t, db, func(ctx context.Context, r store.Reader) (int64, error) {
				return r.ScanNetworks(ctx, p.Number, 7, at.Add(-time.Hour))
			})
		}
		add := func(n int, agent mintage.AgentClass, network func(i int) string) {
			t.Helper()
			var scans []mintage.Scan
			for i := range n {
				at = at.Add(time.Microsecond)
				s := newScan(p, 7, at)
				s.Agent, s.Network = agent, network(i)
				scans = append(scans, s)
			}
			write(t, db, appendScans(scans...))
		}
		add(30, mintage.AgentPhone, func(i int) string { return fmt.Sprintf("198.51.%d.0/24", i) })
		add(2*mintage.SignalScans, mintage.AgentRobot, func(int) string { return "r" })
		same(t, networks(), int64(30))
		add(mintage.SignalScans-10, mintage.AgentDesktop, func(int) string { return "d" })
		same(t, networks(), int64(11)) // ten of the thirty, and the one
	})
}

func TestAppendScans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		p := f.NewProduct(b)
		resolver := as(t, db, "mintage_resolver").For(b.Number)
		unchanged(t, db, func() { write(t, resolver, appendScans()) })
		var scans []mintage.Scan
		for i := range 1000 { // more than one statement holds
			s := newScan(p, int64(i%3), f.Now().Add(time.Duration(i)*time.Microsecond))
			s.Outcome = []mintage.ScanOutcome{mintage.ScanActivated, mintage.ScanMinted, mintage.ScanRevoked}[i%3]
			scans = append(scans, s)
		}
		none := newScan(p, -1, f.Now()) // of no unit, and of no product
		none.Outcome = mintage.ScanNotIssued
		nowhere := none
		nowhere.ProductNumber = 0
		write(t, resolver, appendScans(append(scans, none, nowhere)...))
		var want []mintage.Scan
		for _, s := range slices.Backward(scans) {
			if s.Ordinal == 1 {
				want = append(want, s)
			}
		}
		same(t, read(t, db, scansOf(p.Number, 1, 1000)), want)
		same(t, count(t, db, "SELECT count(*) FROM scans"), int64(1002))
		same(t, count(t, db, "SELECT count(*) FROM scans WHERE ordinal IS NULL"), int64(2))

		t.Run("of a product that is not there", func(t *testing.T) {
			theirs := f.NewProduct(f.NewBrand())
			unknown := newScan(&mintage.Product{Number: 999_999}, 0, f.Now())
			robot := unknown
			robot.Agent = mintage.AgentRobot
			refused(t, db, mintage.CodeNotFound, appendScans(scans[0], unknown))
			refused(t, db, mintage.CodeNotFound, appendScans(scans[0], robot))
			if db.Engine() == "postgres" {
				unchanged(t, db, func() {
					wantCode(t, resolver.InTx(t.Context(), func(tx store.Tx) error {
						return appendScans(newScan(theirs, 0, f.Now()))(t.Context(), tx)
					}), mintage.CodeNotFound)
				})
			}
		})
		t.Run("the same scan twice is two", func(t *testing.T) {
			for range 2 {
				write(t, resolver, appendScans(scans[0]))
			}
			write(t, resolver, appendScans(scans[0], scans[0]))
			same(t, len(read(t, db, scansOf(p.Number, 0, 1000))), 334+4)
		})
		t.Run("many at once", func(t *testing.T) {
			second := f.NewProduct(b)
			before := dailyCounts(t, db, b, time.Time{})
			succeeds(t, together(16, func(i int) error {
				batch := []mintage.Scan{newScan(p, 5, f.Now()), newScan(second, 5, f.Now())}
				if i%2 == 0 { // in whatever order
					batch[0], batch[1] = batch[1], batch[0]
				}
				return resolver.InTx(t.Context(), func(tx store.Tx) error { return tx.AppendScans(t.Context(), batch) })
			}))
			same(t, len(read(t, db, scansOf(second.Number, 5, 100))), 16)
			sum := func(days []store.DailyCount) (n int64) {
				for _, d := range days {
					n += d.Scans
				}
				return n
			}
			same(t, sum(dailyCounts(t, db, b, time.Time{}))-sum(before), int64(32))
		})
	})
}

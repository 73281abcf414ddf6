package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// newBatchOf mints a batch, quickly, on a server that syncs.
func newBatchOf(b *testing.B, quantity int64) (owner *postgres.Store, url string, batch *mintage.Batch) {
	b.Helper()
	server := pgtest.StartServer(b, "fsync=on", "max_wal_size=4GB")
	owner = open(b, server.URL(""), postgres.Options{EveryBrand: true})
	must(b, owner.Migrate(b.Context()))
	f := storetest.NewFixture(b, owner)
	w := f.Submit(f.NewProduct(f.NewBrand()), quantity)
	f.Mint(quantity)
	return owner, server.URL(""), &w.Batch
}

// activate activates units that follow each other, with their events, as first scans
// do it together.
func activate(ctx context.Context, tx store.Tx, b *mintage.Batch, first, n int64) error {
	units, events := make([]mintage.UnitState, n), make([]*mintage.Event, n)
	at := time.Now()
	for i := range units {
		ordinal := first + int64(i)
		units[i] = mintage.UnitState{ProductNumber: b.ProductNumber, Ordinal: ordinal, At: at}
		events[i] = &mintage.Event{
			BrandNumber: b.BrandNumber, At: at, Kind: mintage.EventUnitTransition, Actor: "scan",
			Origin: mintage.Origin{AddressClass: mintage.AddressPublic, RequestID: "AAAAAAAAAAAAAAAAAAAAAAAAAA"}, SubjectID: "00000000-000000000000",
			BatchNumber: b.Number, ProductNumber: b.ProductNumber, FirstOrdinal: ordinal, Quantity: 1,
			From: string(mintage.TokenMinted), To: string(mintage.TokenActive),
		}
	}
	done, err := tx.ActivateUnits(ctx, units)
	if err != nil {
		return err
	}
	for i, did := range done {
		if !did {
			return fmt.Errorf("the unit %d was active already", first+int64(i))
		}
	}
	return tx.AppendEvents(ctx, events)
}

// BenchmarkActivateUnits activates units as a resolver does, with its role: so many a
// transaction, from so many connections.
func BenchmarkActivateUnits(b *testing.B) {
	_, url, batch := newBatchOf(b, mintage.MaxRequestQuantity)
	s := open(b, pgtest.Login(b, url, "IN ROLE mintage_resolver"), postgres.Options{}).For(batch.BrandNumber)
	var next atomic.Int64
	for _, n := range []int64{1, 16, 64, 256} {
		for _, connections := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("units=%d/connections=%d", n, connections), func(b *testing.B) {
				var groups atomic.Int64
				var all sync.WaitGroup
				b.ResetTimer()
				for range connections {
					all.Go(func() {
						for groups.Add(1) <= int64(b.N) {
							err := s.InTx(b.Context(), func(tx store.Tx) error { return activate(b.Context(), tx, batch, next.Add(n)-n, n) })
							if err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(n*int64(b.N))/b.Elapsed().Seconds(), "units/s")
			})
		}
	}
}

// BenchmarkLotCounts counts a batch of a million units, all of which were activated:
// most of them long ago, and so many since the last roll-up.
func BenchmarkLotCounts(b *testing.B) {
	const quantity, group = mintage.MaxRequestQuantity, 10_000
	owner, url, batch := newBatchOf(b, quantity)
	app := open(b, pgtest.Login(b, url, "IN ROLE mintage_app"), postgres.Options{}).For(batch.BrandNumber)
	next := int64(0)
	to := func(end int64) {
		for ; next < end; next += group {
			must(b, owner.InTx(b.Context(), func(tx store.Tx) error { return activate(b.Context(), tx, batch, next, group) }))
		}
	}
	count := func(b *testing.B) {
		for b.Loop() {
			must(b, app.Read(b.Context(), func(r store.Reader) error {
				counts, err := r.LotCounts(b.Context(), batch.BrandNumber, batch.Number)
				if err == nil && (len(counts) != 1 || counts[0].Active != next) {
					b.Errorf("%+v, want %d active", counts, next)
				}
				return err
			}))
		}
	}
	to(quantity - group)
	exec(b, connect(b, url), `ANALYZE`)
	b.Run("nothing rolled up", count)
	began := time.Now()
	must(b, storetest.RollUp(b.Context(), owner, group))
	b.Logf("%d events rolled up in %v", next, time.Since(began))
	b.Run("all rolled up", count)
	to(quantity)
	b.Run("10,000 since", count)
	b.Run("units_v", func(b *testing.B) {
		conn := connect(b, url)
		for b.Loop() {
			equal(b, "units", value[int](b, conn, `SELECT count(*) FROM units_v WHERE mint_batch_id = $1`, batch.ID), quantity)
		}
	})
	b.Run("units_v by state", func(b *testing.B) {
		conn := connect(b, url)
		for b.Loop() {
			equal(b, "active", value[int](b, conn, `SELECT count(*) FROM units_v WHERE mint_batch_id = $1 AND status = 'active'`, batch.ID), quantity)
		}
	})
	b.Run("states of a chunk", func(b *testing.B) {
		for b.Loop() {
			must(b, app.Read(b.Context(), func(r store.Reader) error {
				return second(r.UnitStates(b.Context(), batch.ProductNumber, 65536, 2*65536))
			}))
		}
	})
}

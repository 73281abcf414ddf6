package sqlite

import (
	"context"
	"fmt"
	"os"
	"testing"

	"mintage"
	"mintage/internal/store"
)

// activate activates units that follow each other, with their events, as first scans
// do it together.
func activate(ctx context.Context, tx store.Tx, b *mintage.Batch, first, n int64) error {
	units := make([]mintage.UnitState, n)
	events := make([]*mintage.Event, n)
	for i := range units {
		ordinal := first + int64(i)
		units[i] = mintage.UnitState{ProductNumber: b.ProductNumber, Ordinal: ordinal, At: testTime}
		events[i] = &mintage.Event{
			BrandNumber: b.BrandNumber, At: testTime, Kind: mintage.EventUnitTransition, Actor: "scan",
			Origin: mintage.Origin{AddressClass: "public", RequestID: "0123456789abcdef"}, SubjectID: "PR0DVCT1-0123456789AB",
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

// BenchmarkActivateUnits activates units, so many a transaction.
func BenchmarkActivateUnits(b *testing.B) {
	for _, n := range []int64{1, 16, 64, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := openNew(b)
			batch := newBatch(b, s, 1_000_000)
			next := int64(0)
			for b.Loop() {
				inTx(b, s, func(ctx context.Context, tx store.Tx) error { return activate(ctx, tx, batch, next, n) })
				next += n
			}
			b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "units/s")
			_ = s.Close()
			if info, err := os.Stat(s.path); err == nil {
				b.ReportMetric(float64(info.Size())/float64(next), "bytes/unit")
			}
		})
	}
}

// BenchmarkLotCounts counts a batch of a million units, all of which were activated:
// most of them long ago, and so many since the last roll-up.
func BenchmarkLotCounts(b *testing.B) {
	const units = 1_000_000
	s := openNew(b)
	batch := newBatch(b, s, units)
	for minted := int64(0); minted < units; minted += mintage.MaxCycle {
		inTx(b, s, func(ctx context.Context, tx store.Tx) error { return mint(ctx, tx, batch, minted, mintage.MaxCycle) })
	}
	activated := int64(0)
	activateTo := func(to int64) {
		for activated < to {
			n := min(to-activated, 10_000)
			inTx(b, s, func(ctx context.Context, tx store.Tx) error { return activate(ctx, tx, batch, activated, n) })
			activated += n
		}
	}
	const rolledUp = units - 10_000
	activateTo(rolledUp)
	horizon, err := s.EventHorizon(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	inTx(b, s, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.RollUp(ctx, horizon, 2*units)
		return err
	})
	for _, since := range []int64{0, 1000, 10_000} {
		activateTo(rolledUp + since)
		b.Run(fmt.Sprint(since), func(b *testing.B) {
			for b.Loop() {
				err := s.Read(b.Context(), func(r store.Reader) error {
					counts, err := r.LotCounts(b.Context(), batch.BrandNumber, batch.Number)
					if err == nil && counts[0] != (mintage.Counts{Minted: units - activated, Active: activated}) {
						err = fmt.Errorf("%+v", counts)
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

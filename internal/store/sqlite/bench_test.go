package sqlite

import (
	"context"
	"os"
	"testing"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// BenchmarkInsertUnits mints a million units into an empty file, as a job does
// it and, for the floor, in one transaction.
func BenchmarkInsertUnits(b *testing.B) {
	const units = 1_000_000
	run := func(b *testing.B, cyclesPerTransaction int) {
		for range b.N {
			b.StopTimer()
			s := openNew(b)
			batch := newBatch(b, s, units)
			b.StartTimer()
			for minted := int64(0); minted < units; {
				inTx(b, s, func(ctx context.Context, tx store.Tx) error {
					for range cyclesPerTransaction {
						if err := tx.Savepoint(ctx, func() error { return mint(ctx, tx, batch, minted, mintage.MaxCycle) }); err != nil {
							return err
						}
						minted += mintage.MaxCycle
					}
					return nil
				})
			}
			b.StopTimer()
			if info, err := os.Stat(s.path + "-wal"); err == nil {
				b.ReportMetric(float64(info.Size())/1e6, "wal-MB")
			}
			_ = s.Close()
			if info, err := os.Stat(s.path); err == nil {
				b.ReportMetric(float64(info.Size())/units, "bytes/unit")
			}
		}
		b.ReportMetric(float64(units)*float64(b.N)/b.Elapsed().Seconds(), "units/s")
	}
	b.Run("cycles", func(b *testing.B) { run(b, 1) })
	b.Run("one_transaction", func(b *testing.B) { run(b, units/mintage.MaxCycle) })
}

// BenchmarkEachUnit reads them back, as an export does.
func BenchmarkEachUnit(b *testing.B) {
	const units = 10 * mintage.MaxCycle
	s := openNew(b)
	batch := newBatch(b, s, units)
	inTx(b, s, func(ctx context.Context, tx store.Tx) error {
		for minted := int64(0); minted < units; minted += mintage.MaxCycle {
			if err := mint(ctx, tx, batch, minted, mintage.MaxCycle); err != nil {
				return err
			}
		}
		return nil
	})
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := s.Read(b.Context(), func(r store.Reader) error {
			return r.EachUnit(b.Context(), batch.ProductNumber, 0, units, func(int64, serial.Code) error { n++; return nil })
		})
		if err != nil || n != units {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(units)*float64(b.N)/b.Elapsed().Seconds(), "units/s")
}

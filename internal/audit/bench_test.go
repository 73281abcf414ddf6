package audit_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mintage/internal/audit"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// BenchmarkEvents commits single events of one brand from eight connections, on a
// PostgreSQL that syncs. A round is some seconds without and as many with a
// sealer beside them, so that both meet the same machine.
func BenchmarkEvents(b *testing.B) {
	const slice, writers = 3 * time.Second, 8
	server := pgtest.StartServer(b, "fsync=on", "max_wal_size=4GB")
	s, err := postgres.Open(b.Context(), server.URL(""), postgres.Options{MaxConns: 20})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	brand := storetest.NewFixture(b, s).NewBrand()
	write := func() (events float64) {
		var written atomic.Int64
		var all sync.WaitGroup
		began := time.Now()
		for range writers {
			all.Go(func() {
				for time.Since(began) < slice {
					err := s.InTx(b.Context(), func(tx store.Tx) error { return tx.AppendEvent(b.Context(), newEvent(brand.Number)) })
					if err != nil {
						b.Error(err)
						return
					}
					written.Add(1)
				}
			})
		}
		all.Wait()
		return float64(written.Load()) / time.Since(began).Seconds()
	}
	write() // warms up
	var alone, beside, ratios []float64
	for b.Loop() {
		alone = append(alone, write())
		if err := newSealer(s, nil).RunOnce(b.Context()); err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(b.Context())
		var sealing sync.WaitGroup
		sealing.Go(func() { newSealer(s, nil).Run(ctx) })
		beside = append(beside, write())
		stop()
		sealing.Wait()
		ratios = append(ratios, beside[len(beside)-1]/alone[len(alone)-1])
	}
	report, err := audit.Verify(b.Context(), s, "", nil, tail())
	if err != nil || !report.OK || report.Brands[0].Events == 0 {
		b.Fatal(report, err)
	}
	b.ReportMetric(median(alone), "alone/s")
	b.ReportMetric(median(beside), "sealed/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(0, "ns/op")
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkSeal seals a backlog of 50,000 events, and BenchmarkVerify reads it.
func BenchmarkSeal(b *testing.B) {
	each(b, func(b *testing.B, tr *trail) {
		for b.Loop() {
			b.StopTimer()
			tr.add(0, backlog)
			b.StartTimer()
			tr.seal()
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	each(b, func(b *testing.B, tr *trail) {
		tr.add(0, backlog)
		tr.seal()
		for b.Loop() {
			if r := tr.verify("", nil); !r.OK || r.Brands[0].Events != backlog {
				b.Fatal(r)
			}
		}
	})
}

const backlog = 50_000

func each(b *testing.B, fn func(*testing.B, *trail)) {
	for _, engine := range storetest.Engines {
		b.Run(engine, func(b *testing.B) {
			fn(b, newTrail(b, storetest.Open(b, engine), 1))
			b.ReportMetric(backlog*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

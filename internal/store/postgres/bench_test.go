package postgres_test

import (
	"bytes"
	"testing"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// BenchmarkInsertUnits mints a million units as a worker does: claim, codes, units,
// event and commit for each 20,000, on a server that syncs. Beside it stands the
// floor: the same rows in one COPY, encoded beforehand, without a job.
func BenchmarkInsertUnits(b *testing.B) {
	const quantity = mintage.MaxRequestQuantity
	server := pgtest.StartServer(b, "fsync=on", "max_wal_size=4GB")
	s := open(b, server.URL(""), postgres.Options{})
	must(b, s.Migrate(b.Context()))
	f := storetest.NewFixture(b, s)
	product := f.NewProduct(f.NewBrand())
	conn := connect(b, server.URL(""))
	codes := make([]serial.Code, quantity)
	for i := range codes {
		codes[i] = serial.Code(i) * 0x9E3779B97F4A7C15 % serial.Domain
	}
	encoded := postgres.AppendUnits(nil, store.Slice{Product: 1, First: 0, Codes: codes})

	var floor, minting time.Duration
	for b.Loop() {
		exec(b, conn, `CREATE TABLE plain (LIKE units INCLUDING ALL)`)
		start := time.Now()
		_, err := conn.PgConn().CopyFrom(b.Context(), bytes.NewReader(encoded), `COPY plain FROM STDIN BINARY`)
		must(b, err)
		floor += time.Since(start)
		exec(b, conn, `DROP TABLE plain`)

		w := f.Submit(product, quantity)
		start = time.Now()
		f.Claim()
		for w.Batch.MintedQuantity < quantity {
			must(b, s.InTx(b.Context(), func(tx store.Tx) (err error) {
				if w, err = tx.ClaimJob(b.Context()); err != nil {
					return err
				}
				return f.Cycle(b.Context(), tx, w, mintage.MaxCycle)
			}))
		}
		minting += time.Since(start)
	}
	rows := float64(b.N) * quantity
	b.ReportMetric(rows/minting.Seconds(), "units/s")
	b.ReportMetric(rows/floor.Seconds(), "floor/s")
	b.ReportMetric(minting.Seconds()/floor.Seconds(), "x-floor")
	b.ReportMetric(0, "ns/op")
}

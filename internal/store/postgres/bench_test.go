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
// event and commit for each 20,000, on a server that syncs, with a worker's role and
// with the owner's. Beside it stands the floor: the same rows in one COPY, encoded
// beforehand, without a job.
func BenchmarkInsertUnits(b *testing.B) {
	const quantity = mintage.MaxRequestQuantity
	server := pgtest.StartServer(b, "fsync=on", "max_wal_size=4GB")
	owner := open(b, server.URL(""), postgres.Options{})
	must(b, owner.Migrate(b.Context()))
	worker := open(b, pgtest.Login(b, server.URL(""), "BYPASSRLS IN ROLE mintage_worker"), postgres.Options{EveryBrand: true})
	f := storetest.NewFixture(b, owner)
	product := f.NewProduct(f.NewBrand())
	conn := connect(b, server.URL(""))
	codes := make([]serial.Code, quantity)
	for i := range codes {
		codes[i] = serial.Code(i) * 0x9E3779B97F4A7C15 % serial.Domain
	}
	encoded := postgres.AppendUnits(nil, store.Slice{Product: 1, First: 0, Codes: codes})
	mint := func(s *postgres.Store) time.Duration {
		w := f.Submit(product, quantity)
		start := time.Now()
		f.Claim()
		for w.Batch.MintedQuantity < quantity {
			must(b, s.InTx(b.Context(), func(tx store.Tx) (err error) {
				if w, err = tx.ClaimJob(b.Context()); err != nil {
					return err
				}
				return f.Cycle(b.Context(), tx, w, mintage.MaxCycle)
			}))
		}
		return time.Since(start)
	}

	var floor, minting, owning time.Duration
	for b.Loop() {
		exec(b, conn, `CREATE TABLE plain (LIKE units INCLUDING ALL)`)
		start := time.Now()
		_, err := conn.PgConn().CopyFrom(b.Context(), bytes.NewReader(encoded), `COPY plain FROM STDIN BINARY`)
		must(b, err)
		floor += time.Since(start)
		exec(b, conn, `DROP TABLE plain`)
		minting += mint(worker)
		owning += mint(owner)
	}
	rows := float64(b.N) * quantity
	b.ReportMetric(rows/minting.Seconds(), "units/s")
	b.ReportMetric(rows/owning.Seconds(), "owner-units/s")
	b.ReportMetric(rows/floor.Seconds(), "floor/s")
	b.ReportMetric(minting.Seconds()/floor.Seconds(), "x-floor")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkEachUnit reads a million units in the order of ordinals, under policies
// and without.
func BenchmarkEachUnit(b *testing.B) {
	const quantity = mintage.MaxRequestQuantity
	db := storetest.Open(b, "postgres")
	f := storetest.NewFixture(b, db.Store)
	product := f.NewProduct(f.NewBrand())
	conn := connect(b, db.URL)
	exec(b, conn, `INSERT INTO units SELECT $1::bigint, o, o FROM generate_series(0, $2::bigint - 1) o`, product.Number, quantity)
	exec(b, conn, `VACUUM ANALYZE units`)
	app := open(b, pgtest.Login(b, db.URL, "IN ROLE mintage_app"), postgres.Options{})
	for name, s := range map[string]store.Store{"app": app, "owner": db} {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				must(b, s.For(product.BrandNumber).Read(b.Context(), func(r store.Reader) error {
					return r.EachUnit(b.Context(), product.Number, 0, quantity, func(int64, serial.Code) error { n++; return nil })
				}))
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "units/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

package verify_test

import (
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store/storetest"
	"mintage/internal/verify"
)

// A million units of one product.
func BenchmarkRun(b *testing.B) {
	const units = 1_000_000
	for _, engine := range storetest.Engines {
		b.Run(engine, func(b *testing.B) {
			db := storetest.Open(b, engine)
			f := storetest.NewFixture(b, db)
			f.SubmitRequest(storetest.Submission{Product: f.NewProduct(f.NewBrand()), Quantity: units})
			for range units / mintage.MaxCycle {
				f.Mint(mintage.MaxCycle)
			}
			b.ReportAllocs()
			for b.Loop() {
				report, err := verify.Run(b.Context(), db, mint.NewKeyring(f.MasterKey))
				if err != nil || !report.OK || report.Checks[0].Examined != units {
					b.Fatal(report, err)
				}
			}
			b.ReportMetric(float64(units)*float64(b.N)/b.Elapsed().Seconds(), "units/s")
		})
	}
}

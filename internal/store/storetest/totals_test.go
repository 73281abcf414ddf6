package storetest_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func totals(t testing.TB, s store.Transactions, b *mintage.Brand) store.Totals {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) (store.Totals, error) { return r.Totals(ctx, b.Number) })
}

func TestTotals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		same(t, totals(t, db, b), store.Totals{})

		lots := []mintage.LotRequest{{LotCode: "A", Quantity: 4}, {LotCode: "B", Quantity: 6}}
		scanned := f.Submit(f.NewProduct(b), 10, lots...)
		f.Mint(10)
		born := f.SubmitRequest(storetest.Submission{Product: f.NewProduct(b), Quantity: 20, Lots: []mintage.LotRequest{{LotCode: "A", Quantity: 8}, {LotCode: "B", Quantity: 12}}, ActivationMode: mintage.ActiveAtMint})
		f.Mint(15)
		foreign := f.SubmitRequest(storetest.Submission{Product: f.NewProduct(other), Quantity: 5, ActivationMode: mintage.ActiveAtMint})
		reaches(t, db, newEvent(t, db, f, b))
		same(t, totals(t, db, b), store.Totals{Counts: mintage.Counts{Minted: 10, Active: 15}, Running: 1})

		f.Activate(&scanned.Batch, 0, 1, 5)
		f.Revoke(&scanned.Batch, "r", 1, 2) // one was active, one was not
		f.Revoke(&born.Batch, "r", 0)
		same(t, totals(t, db, b).Revoked, int64(0)) // nobody has rolled up
		p := &mintage.Product{Number: scanned.Batch.ProductNumber}
		write(t, db, appendScans(newScan(p, 0, time.Now()), newScan(p, 1, time.Now().AddDate(0, 0, -9))))
		rollUpAll := func() {
			reaches(t, db, newEvent(t, db, f, b))
			rollUp(t, db, 3)
		}
		rollUpAll()
		want := store.Totals{Counts: mintage.Counts{Minted: 6, Active: 16, Revoked: 3}, Scans: 2, Running: 1}
		same(t, totals(t, db, b), want)

		t.Run("recalled lots", func(t *testing.T) {
			f.Recall(&scanned.Batch, &scanned.Batch.Lots[0], "r") // 4 units: one active, two revoked, one minted
			same(t, totals(t, db, b).Counts, mintage.Counts{Minted: 5, Active: 15, Revoked: 5})
			f.Recall(&born.Batch, &born.Batch.Lots[1], "r") // 7 of its 12 are minted
			same(t, totals(t, db, b).Counts, mintage.Counts{Minted: 5, Active: 8, Revoked: 12})
			f.Recall(&born.Batch, nil, "r") // with a lot that was recalled before
			same(t, totals(t, db, b).Counts, mintage.Counts{Minted: 5, Active: 1, Revoked: 19})
			f.Mint(2) // covered too
			same(t, totals(t, db, b).Counts, mintage.Counts{Minted: 5, Active: 1, Revoked: 21})
			f.Fail()
			rollUpAll()
			want = store.Totals{Counts: mintage.Counts{Minted: 5, Active: 1, Revoked: 21}, Scans: 2, Failed: 1}
			same(t, totals(t, db, b), want)
			// The sums of what each batch's lots say.
			var sum mintage.Counts
			for _, batch := range []*mintage.Batch{&scanned.Batch, &born.Batch} {
				for _, c := range read(t, db, lotCounts(batch)) {
					sum.Minted, sum.Active, sum.Revoked = sum.Minted+c.Minted, sum.Active+c.Active, sum.Revoked+c.Revoked
				}
			}
			same(t, sum, want.Counts)
		})
		t.Run("of one brand", func(t *testing.T) {
			same(t, totals(t, db, other), store.Totals{Running: 1})
			f.Mint(5)
			same(t, totals(t, db, other), store.Totals{Counts: mintage.Counts{Active: 5}})
			f.Recall(&foreign.Batch, nil, "r")
			same(t, totals(t, planes(t, db).For(b.Number), b), want)
			if db.Engine() == "postgres" {
				same(t, totals(t, planes(t, db).For(b.Number), other), store.Totals{})
			}
		})
	})
}

package storetest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestMintedProducts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		var want []store.ProductRow
		for i := range int64(5) {
			p := f.NewProduct(b)
			f.NewProduct(b) // of which nothing was reserved
			f.Submit(p, 3+i)
			want = append(want, store.ProductRow{Number: p.Number, BrandNumber: b.Number, ID: p.ID, Code: p.Code, NextOrdinal: 3 + i})
		}
		f.Submit(f.NewProduct(foreign), 1)
		slices.Reverse(want)
		for name, s := range map[string]store.Store{"owner": db, "app": planes(t, db)} {
			t.Run(name, func(t *testing.T) {
				got := pages(t, 2, func(p store.ProductRow) int64 { return p.Number }, func(page store.Page) []store.ProductRow {
					return read(t, s.For(b.Number), func(ctx context.Context, r store.Reader) ([]store.ProductRow, error) {
						return r.MintedProducts(ctx, b.Number, page)
					})
				})
				same(t, got, want)
			})
		}
	})
}

func TestStateOrdinals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		batch, theirs := minted(f, b, 10), minted(f, foreign, 10)
		f.Activate(batch, 7, 3, 4)
		f.Activate(theirs, 3, 4)
		f.Revoke(batch, "stolen", 3, 5, 9)
		// Far away from the others: the rows between are few, the ordinals many.
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.ActivateUnits(ctx, f.States(batch, "", 900_000))
			return err
		})
		const all = mintage.TokenStatus("")
		for name, s := range map[string]store.Store{"owner": db, "app": planes(t, db)} {
			t.Run(name, func(t *testing.T) {
				mine := s.For(b.Number)
				list := func(product, from, to int64, status mintage.TokenStatus, limit int) []int64 {
					return read(t, mine, func(ctx context.Context, r store.Reader) ([]int64, error) {
						return r.StateOrdinals(ctx, product, from, to, status, limit)
					})
				}
				product := batch.ProductNumber
				same(t, list(product, 0, 10, all, 100), []int64{3, 4, 5, 7, 9})
				same(t, list(product, 0, 1_000_000, all, 100), []int64{3, 4, 5, 7, 9, 900_000})
				same(t, list(product, 0, 1_000_000, mintage.TokenActive, 100), []int64{3, 4, 7, 900_000})
				same(t, list(product, 0, 10, mintage.TokenRevoked, 100), []int64{3, 5, 9})
				same(t, list(product, 3, 9, mintage.TokenRevoked, 100), []int64{3, 5})
				same(t, list(product, 4, 10, all, 2), []int64{4, 5})
				same(t, list(product, 4, 10, mintage.TokenRevoked, 1), []int64{5})
				same(t, len(list(product, 6, 7, all, 100)), 0)
				same(t, len(list(product, 6, 6, all, 100)), 0)
				if db.Engine() == "postgres" && name == "app" {
					same(t, len(list(theirs.ProductNumber, 0, 10, all, 100)), 0)
				}
			})
		}
	})
}

func TestUnitEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		p := f.NewProduct(b)
		batch := &f.Submit(p, 10, mintage.LotRequest{LotCode: "A", Quantity: 5}, mintage.LotRequest{LotCode: "B", Quantity: 5}).Batch
		f.Mint(10)
		f.Submit(p, 3)
		f.Mint(3)
		f.Activate(batch, 2, 3)
		f.Revoke(batch, "stolen", 2, 7)
		write(t, db, appendEvent(&mintage.Event{
			BrandNumber: b.Number, At: f.Now(), Kind: mintage.EventBatchExported, Actor: "cli", SubjectID: batch.ID, BatchNumber: batch.Number, Quantity: 10,
		}))
		f.Recall(batch, &batch.Lots[1], "glue")
		f.Recall(batch, nil, "all of it")

		short := func(e *mintage.Event) string { return fmt.Sprint(e.Kind, " ", e.From, ">", e.To, " ", e.Message) }
		born := []string{"mint_batch.transition processing>minted ", "mint_batch.transition queued>processing ", "mint_batch.transition >queued "}
		for name, s := range map[string]store.Store{"owner": db, "app": planes(t, db)} {
			t.Run(name, func(t *testing.T) {
				list := func(brand, ordinal int64, limit int) []string {
					return mapped(read(t, s.For(brand), func(ctx context.Context, r store.Reader) ([]*mintage.Event, error) {
						return r.UnitEvents(ctx, brand, batch.Number, batch.ProductNumber, ordinal, limit)
					}), short)
				}
				same(t, list(b.Number, 2, 100), slices.Concat([]string{
					"mint_batch.recalled > all of it", "mint_batch.exported > ", "unit.transition active>revoked stolen",
				}, born))
				same(t, list(b.Number, 7, 100), slices.Concat([]string{
					"mint_batch.recalled > all of it", "mint_batch.recalled > glue", "mint_batch.exported > ", "unit.transition minted>revoked stolen",
				}, born))
				same(t, list(b.Number, 3, 2), []string{"mint_batch.recalled > all of it", "mint_batch.exported > "})
				same(t, len(list(b.Number+1, 2, 100)), 0)
			})
		}
	})
}

func TestWorksOfALot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		lot := func(code string) []mintage.LotRequest {
			return []mintage.LotRequest{{LotCode: code, Quantity: 1}, {LotCode: code + "2", Quantity: 2}}
		}
		first, second, other := f.Submit(p, 3, lot("A")...), f.Submit(f.NewProduct(b), 3, lot("A")...), f.Submit(p, 3, lot("B")...)
		f.Submit(f.NewProduct(foreign), 3, lot("A")...)
		for name, s := range map[string]store.Store{"owner": db, "app": planes(t, db)} {
			t.Run(name, func(t *testing.T) {
				list := func(filter store.JobFilter) []string {
					return mapped(pages(t, 1, func(w *store.Work) int64 { return w.Job.Number }, func(page store.Page) []*store.Work {
						return read(t, s.For(b.Number), func(ctx context.Context, r store.Reader) ([]*store.Work, error) {
							return r.Works(ctx, b.Number, filter, page)
						})
					}), func(w *store.Work) string { return w.Batch.ID })
				}
				same(t, list(store.JobFilter{Lot: "A"}), []string{second.Batch.ID, first.Batch.ID})
				same(t, list(store.JobFilter{Lot: "A", Product: p.Number}), []string{first.Batch.ID})
				same(t, list(store.JobFilter{Lot: "B2"}), []string{other.Batch.ID})
				same(t, len(list(store.JobFilter{Lot: "a"})), 0)
			})
		}
	})
}

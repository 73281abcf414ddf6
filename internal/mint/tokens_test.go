package mint_test

import (
	"slices"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// stock is a brand's units in every mode and state, and another brand's.
type stock struct {
	products []*mintage.Product
	works    []*store.Work // oldest first
	foreign  *store.Work
}

func newStock(w *world) *stock {
	w.t.Helper()
	s := &stock{products: []*mintage.Product{w.NewProduct(w.brand), w.NewProduct(w.brand)}}
	add := func(p *mintage.Product, identity mintage.IdentityMode, activation mintage.ActivationMode, minted int64, lots ...mintage.LotRequest) *mintage.Batch {
		quantity := minted
		if len(lots) > 0 {
			quantity = 0
			for _, l := range lots {
				quantity += l.Quantity
			}
		}
		work := w.SubmitRequest(storetest.Submission{Product: p, Quantity: quantity, Lots: lots, IdentityMode: identity, ActivationMode: activation})
		s.works = append(s.works, work)
		if minted > 0 {
			w.Mint(minted)
		}
		if minted < quantity {
			w.Fail() // so that the next batch is minted next
		}
		return &work.Batch
	}
	lots := func(codes ...string) (list []mintage.LotRequest) {
		for _, c := range codes {
			list = append(list, mintage.LotRequest{LotCode: c, Quantity: 6})
		}
		return list
	}
	scanned := add(s.products[0], mintage.IdentitySerial, mintage.FirstScan, 18, lots("A", "B", "C")...)
	w.Activate(scanned, at(scanned, 0, 1, 2, 3, 6, 9, 11)...)
	w.Revoke(scanned, "torn", at(scanned, 2, 4, 10, 11)...)
	w.Recall(scanned, &scanned.Lots[1], "glue")

	born := add(s.products[1], mintage.IdentityBatch, mintage.ActiveAtMint, 12, lots("B", "D")...)
	w.Revoke(born, "torn", at(born, 1, 2, 3, 8)...)

	half := add(s.products[0], mintage.IdentitySerial, mintage.FirstScan, 8, lots("A", "E")...)
	w.Activate(half, at(half, 7)...)

	add(s.products[1], mintage.IdentitySerial, mintage.FirstScan, 0, lots("A")...)

	gone := add(s.products[0], mintage.IdentityBatch, mintage.ActiveAtMint, 5)
	w.Revoke(gone, "torn", at(gone, 0)...)
	w.Recall(gone, nil, "all of it")

	all := add(s.products[1], mintage.IdentitySerial, mintage.FirstScan, 5)
	w.Activate(all, at(all, 0, 1, 2, 3, 4)...)

	s.foreign = w.SubmitRequest(storetest.Submission{Product: w.NewProduct(w.NewBrand()), Quantity: 4, Lots: []mintage.LotRequest{{LotCode: "A", Quantity: 4}}})
	w.Mint(4)
	return s
}

// at are the ordinals of a batch's units.
func at(b *mintage.Batch, units ...int64) []int64 {
	for i := range units {
		units[i] += b.FirstOrdinal
	}
	return units
}

// model are the units that a filter leaves, found by looking at each.
func (s *stock) model(w *world, f mint.TokenFilter) (ids []string) {
	w.t.Helper()
	for _, work := range slices.Backward(s.works) {
		units, err := w.service.Units(w.t.Context(), w.p, work.Batch.ID, -1, 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		product := s.products[slices.IndexFunc(s.products, func(p *mintage.Product) bool { return p.ID == work.Batch.ProductID })]
		for _, u := range units {
			if (f.Product == "" || f.Product == product.ID || f.Product == product.SKU || f.Product == product.GTIN) &&
				(f.BatchID == "" || f.BatchID == work.Batch.ID) && (f.Lot == "" || f.Lot == u.Lot) && (f.Status == "" || f.Status == u.Status) {
				ids = append(ids, u.ID)
			}
		}
	}
	return ids
}

// Every filter gives what a look at each unit gives, in parts of whatever size and
// however soon a part gives up.
func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newStock(w)
		if err := storetest.RollUp(t.Context(), w.db, 7); err != nil {
			t.Fatal(err)
		}
		w.Revoke(&s.works[0].Batch, "late", at(&s.works[0].Batch, 17)...) // that is not in the stored counts
		filters := []mint.TokenFilter{}
		for _, status := range append([]mintage.TokenStatus{""}, mintage.TokenStatuses...) {
			for _, product := range []string{"", s.products[0].SKU, s.products[1].GTIN, s.products[1].ID} {
				for _, lot := range []string{"", "A", "B", "none"} {
					filters = append(filters, mint.TokenFilter{Product: product, Lot: lot, Status: status})
				}
			}
			for _, work := range s.works {
				filters = append(filters, mint.TokenFilter{BatchID: work.Batch.ID, Status: status}, mint.TokenFilter{BatchID: work.Batch.ID, Lot: "B", Status: status, Product: s.products[0].SKU})
			}
		}
		for _, f := range filters {
			want := s.model(w, f)
			for _, how := range []struct{ limit, budget int }{{1000, mint.TokenBudget}, {3, mint.TokenBudget}, {3, 0}, {1, 700}} {
				var got []string
				page := store.Page{Limit: how.limit}
				for {
					part, err := w.service.TokensWithin(t.Context(), w.p, f, page, how.budget)
					if err != nil {
						t.Fatalf("%+v: %v", f, err)
					}
					if len(part.Tokens) > how.limit || part.Searching && (how.budget == mint.TokenBudget || part.Next == 0) ||
						part.Next != 0 && part.Next <= 0 || !part.Searching && part.Next != 0 && len(part.Tokens) < how.limit {
						t.Fatalf("%+v, %+v: %d tokens, next %d, searching %v", f, how, len(part.Tokens), part.Next, part.Searching)
					}
					for _, token := range part.Tokens {
						got = append(got, token.ID)
						if token.Product.ID != token.ProductID {
							t.Errorf("%s comes with another product", token.ID)
						}
					}
					if part.Next == 0 {
						break
					}
					if part.Next == page.After {
						t.Fatalf("%+v, %+v: it goes round in circles", f, how)
					}
					page.After = part.Next
				}
				if !slices.Equal(got, want) {
					t.Errorf("%+v, %+v: %d units\n%q\ninstead of %d\n%q", f, how, len(got), got, len(want), want)
				}
			}
		}
		for _, f := range []mint.TokenFilter{
			{BatchID: s.foreign.Batch.ID}, {BatchID: storetest.NewID()}, {Product: s.foreign.Batch.ProductID}, {Product: s.foreign.Batch.GTIN}, {Product: "none"},
		} {
			_, err := w.service.Tokens(t.Context(), w.p, f, store.Page{Limit: 10})
			code(t, err, mintage.CodeNotFound)
		}
	})
}

// A filter that few of a great many units pass costs no more than its budget, wherever
// the list stands.
func TestTokensOfALargeBatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const units = 40_000
		work := w.Submit(w.NewProduct(w.brand), units)
		for range units / mintage.MaxCycle {
			w.Mint(mintage.MaxCycle)
		}
		b := &work.Batch
		first, last := b.FirstOrdinal, b.FirstOrdinal+units-1
		var all []int64
		for ordinal := first; ordinal < last; ordinal++ {
			all = append(all, ordinal)
		}
		for chunk := range slices.Chunk(all, 10_000) {
			w.Activate(b, chunk...)
		}
		w.Revoke(b, "torn", last-1)
		find := func(status mintage.TokenStatus, budget int) (found []int64, parts int) {
			t.Helper()
			page := store.Page{Limit: 10}
			for {
				part, err := w.service.TokensWithin(t.Context(), w.p, mint.TokenFilter{Status: status}, page, budget)
				if err != nil {
					t.Fatal(err)
				}
				parts++
				for _, token := range part.Tokens {
					found = append(found, token.Ordinal)
				}
				if page.After = part.Next; page.After == 0 || len(found) >= 10 {
					return found, parts
				}
			}
		}
		for _, test := range []struct {
			status mintage.TokenStatus
			budget int
			want   []int64
			parts  int
		}{
			{mintage.TokenMinted, mint.TokenBudget, []int64{last}, 1},
			{mintage.TokenMinted, 5000, []int64{last}, 4}, // 10,000 exceptions at a time
			{mintage.TokenRevoked, 1000, []int64{last - 1}, 1},
			{mintage.TokenActive, 1000, all[:10], 1},
		} {
			if found, parts := find(test.status, test.budget); !slices.Equal(found, test.want) || parts != test.parts {
				t.Errorf("%s within %d: %d in %d parts instead of %d in %d", test.status, test.budget, found, parts, test.want, test.parts)
			}
		}
	})
}

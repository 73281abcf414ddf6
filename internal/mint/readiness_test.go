package mint_test

import (
	"slices"
	"testing"

	"mintage"
	"mintage/internal/mint"
)

func TestReadiness(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.NewProduct(w.brand)
		w.Submit(owner, 1) // the GTIN is its own now
		products := []*mintage.Product{
			owner,
			w.NewProduct(w.brand, func(p *mintage.Product) { p.Status, p.SchemaID = mintage.ProductDraft, "textile" }),
			w.NewProduct(w.brand, func(p *mintage.Product) { p.GTIN = owner.GTIN }),
			w.NewProduct(w.brand, func(p *mintage.Product) { p.GTIN = "" }),
		}
		demand := true
		if _, err := w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{GS1Required: &demand}); err != nil {
			t.Fatal(err)
		}
		reasons, err := w.service.Readiness(t.Context(), w.p, products)
		if err != nil || len(reasons) != len(products) {
			t.Fatalf("%v, %v", reasons, err)
		}
		if len(reasons[0]) != 0 {
			t.Errorf("a product that is ready: %v", reasons[0])
		}
		for i, want := range [][]mintage.Code{1: nil, 2: {mintage.ReasonGTINTaken}, 3: {mintage.ReasonGTINRequired}} {
			if got := codes(reasons[i]); i > 1 && !slices.Equal(got, want) {
				t.Errorf("product %d: %v", i, got)
			}
		}
		// It is what a preflight says.
		for i, p := range products {
			blocked, err := w.service.Preflight(t.Context(), w.p, &mintage.MintRequest{
				ProductID: p.ID, RequestedQuantity: 1, IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.FirstScan,
			})
			if err != nil || !slices.Equal(codes(blocked), codes(reasons[i])) {
				t.Errorf("product %d: %v, but preflight says %v (%v)", i, codes(reasons[i]), codes(blocked), err)
			}
		}
	})
}

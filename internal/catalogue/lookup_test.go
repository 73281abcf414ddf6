package catalogue

import (
	"testing"

	"mintage"
	"mintage/internal/store/storetest"
)

func TestLookUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		product, other := w.NewProduct(w.brand), w.NewProduct(w.brand)
		run := w.NewProductionBatch(product, 10)
		foreign := w.NewProduct(w.NewBrand())
		foreignRun := w.NewProductionBatch(foreign, 10)

		got, err := w.service.ProductBySKU(ctx, w.p, product.SKU)
		if err != nil || got.ID != product.ID {
			t.Errorf("by its SKU: %+v, %v", got, err)
		}
		for _, sku := range []string{"", "nothing", foreign.SKU + "?"} {
			if _, err := w.service.ProductBySKU(ctx, w.p, sku); mintage.ErrorCode(err) != mintage.CodeNotFound {
				t.Errorf("%q: %v", sku, err)
			}
		}
		products, err := w.service.ProductsByID(ctx, w.p, []string{product.ID, other.ID, product.ID, foreign.ID, storetest.NewID(), "x"})
		if err != nil || len(products) != 2 || products[product.ID].SKU != product.SKU || products[other.ID].SKU != other.SKU {
			t.Errorf("by their IDs: %+v, %v", products, err)
		}
		runs, err := w.service.ProductionBatchesByID(ctx, w.p, []string{run.ID, foreignRun.ID, storetest.NewID(), ""})
		if err != nil || len(runs) != 1 || runs[run.ID].Code != run.Code {
			t.Errorf("production batches by their IDs: %+v, %v", runs, err)
		}
		if none, err := w.service.ProductsByID(ctx, w.p, nil); err != nil || len(none) != 0 {
			t.Errorf("of none: %v, %v", none, err)
		}
	})
}

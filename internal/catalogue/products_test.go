package catalogue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

func TestCreateProduct(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		got, err := w.service.CreateProduct(ctx, w.p, ProductInput{
			SKU: "FL-1", Name: "Pack", GTIN: "9520123456788", Status: mintage.ProductDraft, SchemaID: "battery",
			Attributes: json.RawMessage(` {"weight_kg": 3.10, "chemistry": "NMC"} `),
		})
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2027, time.March, 1, 8, 0, 0, 123_456_000, time.UTC)
		want := &mintage.Product{
			Number: got.Number, ID: got.ID, BrandNumber: w.brand.Number, Code: got.Code,
			SKU: "FL-1", Name: "Pack", GTIN: "09520123456788", Status: mintage.ProductDraft, SchemaID: "battery",
			Attributes: json.RawMessage(`{"weight_kg":3.10,"chemistry":"NMC"}`), CreatedAt: at, UpdatedAt: at,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("created\n%+v, want\n%+v", got, want)
		}
		if err := serial.ParseProductCode(got.Code); err != nil {
			t.Error(err)
		}
		stored, err := w.service.Product(ctx, w.p, strings.ToUpper(got.ID))
		if err != nil || !reflect.DeepEqual(stored, got) {
			t.Errorf("stored\n%+v, %v, want\n%+v", stored, err, got)
		}
		wantEvents(t, w, "product.created "+got.ID+" →DRAFT")
	})
}

func TestCreateProductDefaults(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got, err := w.service.CreateProduct(t.Context(), w.p, ProductInput{Name: "Pack", GTIN: "96385074"})
		if err != nil {
			t.Fatal(err)
		}
		if got.SKU != "96385074" || got.GTIN != "00000096385074" || got.Status != mintage.ProductActive || string(got.Attributes) != "{}" {
			t.Errorf("created %+v", got)
		}
		// One GTIN may stand on several products.
		if _, err := w.service.CreateProduct(t.Context(), w.p, ProductInput{SKU: "other", Name: "Pack", GTIN: "96385074"}); err != nil {
			t.Error(err)
		}
	})
}

func TestCreateProductRefuses(t *testing.T) {
	tests := map[string]struct {
		in    ProductInput
		field string
	}{
		"neither SKU nor GTIN":   {ProductInput{Name: "a"}, "sku"},
		"no name":                {ProductInput{SKU: "a"}, "name"},
		"control character":      {ProductInput{SKU: "a\x00", Name: "a"}, "sku"},
		"not UTF-8":              {ProductInput{SKU: "a", Name: "a\xff"}, "name"},
		"wrong check digit":      {ProductInput{SKU: "a", Name: "a", GTIN: "9520123456789"}, "gtin"},
		"GTIN with a space":      {ProductInput{SKU: "a", Name: "a", GTIN: "9520123456788 "}, "gtin"},
		"unknown status":         {ProductInput{SKU: "a", Name: "a", Status: "active"}, "commercial_status"},
		"unknown schema":         {ProductInput{SKU: "a", Name: "a", SchemaID: "toys"}, "dpp_schema"},
		"impossible schema":      {ProductInput{SKU: "a", Name: "a", SchemaID: "\x00"}, "dpp_schema"},
		"attributes are a list":  {ProductInput{SKU: "a", Name: "a", Attributes: json.RawMessage(`[]`)}, "attributes"},
		"attributes are nothing": {ProductInput{SKU: "a", Name: "a", Attributes: json.RawMessage(``)}, "attributes"},
	}
	each(t, func(t *testing.T, w *world) {
		w.unchanged(t, func() {
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					_, err := w.service.CreateProduct(t.Context(), w.p, test.in)
					wantError(t, err, mintage.CodeInvalidInput, test.field)
				})
			}
		})
	})
}

func TestSKUIsUniqueWithinTheBrand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first, second := w.NewProduct(w.brand), w.NewProduct(w.brand)
		w.unchanged(t, func() {
			_, err := w.service.CreateProduct(ctx, w.p, ProductInput{SKU: first.SKU, Name: "a"})
			wantError(t, err, mintage.CodeConflict, "sku")
			_, err = w.service.UpdateProduct(ctx, w.p, second.ID, ProductPatch{SKU: &first.SKU})
			wantError(t, err, mintage.CodeConflict, "sku")
		})
		if _, err := w.service.CreateProduct(ctx, principal(w.NewBrand()), ProductInput{SKU: first.SKU, Name: "a"}); err != nil {
			t.Errorf("another brand's product of the same SKU: %v", err)
		}
	})
}

// Of many who create one SKU at once one wins, and the others learn why not.
func TestCreateProductRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 8
		errs := make([]error, n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				_, errs[i] = w.service.CreateProduct(t.Context(), w.p, ProductInput{SKU: "same", Name: fmt.Sprint(i)})
			})
		}
		group.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			wantError(t, err, mintage.CodeConflict, "sku")
		}
		if won != 1 || len(w.events(t)) != 1 {
			t.Errorf("%d won, %d events", won, len(w.events(t)))
		}
	})
}

// A product code that is taken is drawn again.
func TestCreateProductDrawsAnotherCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		taken := w.NewProduct(w.brand)
		unlucky := &unluckyStore{Store: w.db, code: taken.Code, times: 2}
		service := New(unlucky, w.clock.Now)
		got, err := service.CreateProduct(t.Context(), w.p, ProductInput{SKU: "new", Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		if got.Code == taken.Code || unlucky.times != 0 {
			t.Errorf("the code is %s, %d draws left", got.Code, unlucky.times)
		}
		wantEvents(t, w, "product.created "+got.ID+" →ACTIVE")

		unlucky.times = 100
		w.unchanged(t, func() {
			_, err = service.CreateProduct(t.Context(), w.p, ProductInput{SKU: "newer", Name: "a"})
			if mintage.ErrorCode(err) != mintage.CodeConflict || !errors.Is(err, errTaken) {
				t.Errorf("error is %v", err)
			}
		})
	})
}

// unluckyStore makes some draws of a product code draw a code that is taken.
type unluckyStore struct {
	store.Store
	code  string
	times int
}

func (u *unluckyStore) For(int64) store.Transactions { return u }

func (u *unluckyStore) InTx(ctx context.Context, fn func(store.Tx) error) error {
	return u.Store.InTx(ctx, func(tx store.Tx) error { return fn(unluckyTx{tx, u}) })
}

type unluckyTx struct {
	store.Tx
	store *unluckyStore
}

func (u unluckyTx) CreateProduct(ctx context.Context, p *mintage.Product) error {
	if u.store.times > 0 {
		u.store.times--
		p.Code = u.store.code
	}
	return u.Tx.CreateProduct(ctx, p)
}

func TestUpdateProduct(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		before := w.NewProduct(w.brand, func(p *mintage.Product) { p.Attributes = json.RawMessage(`{"b":{"x":1,"y":2},"a":1.50}`) })
		w.clock.Advance(time.Hour)
		after, err := w.service.UpdateProduct(ctx, w.p, before.ID, ProductPatch{
			SKU: new("renamed"), Name: new("Renamed"), GTIN: new("96385074"), Status: new(mintage.ProductDiscontinued),
			SchemaID: new("textile"), Attributes: json.RawMessage(`{"b":{"y":null},"c":true}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := *before
		want.SKU, want.Name, want.GTIN, want.Status = "renamed", "Renamed", "00000096385074", mintage.ProductDiscontinued
		want.SchemaID, want.Attributes = "textile", json.RawMessage(`{"a":1.50,"b":{"x":1},"c":true}`)
		want.UpdatedAt = time.Date(2027, time.March, 1, 9, 0, 0, 123_456_000, time.UTC)
		if !reflect.DeepEqual(after, &want) {
			t.Errorf("updated\n%+v, want\n%+v", after, &want)
		}
		stored, err := w.service.Product(ctx, w.p, before.ID)
		if err != nil || !reflect.DeepEqual(stored, &want) {
			t.Errorf("stored\n%+v, %v, want\n%+v", stored, err, &want)
		}
		wantEvents(t, w, "product.updated "+before.ID+" ACTIVE→DISCONTINUED Changed: sku, name, gtin, commercial_status, dpp_schema, attributes.")

		cleared, err := w.service.UpdateProduct(ctx, w.p, before.ID, ProductPatch{GTIN: new(""), SchemaID: new("")})
		if err != nil || cleared.GTIN != "" || cleared.SchemaID != "" {
			t.Errorf("cleared: %+v, %v", cleared, err)
		}
		if e := w.events(t)[1]; e.From != "" || e.To != "" || e.Message != "Changed: gtin, dpp_schema." {
			t.Errorf("the status did not change: %+v", e)
		}
	})
}

func TestUpdateProductThatChangesNothingWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand, func(p *mintage.Product) {
			p.GTIN, p.SchemaID, p.Attributes = "00000096385074", "textile", json.RawMessage(`{"b":1.5,"a":{"x":"<"}}`)
		})
		w.clock.Advance(time.Hour)
		w.unchanged(t, func() {
			for _, patch := range []ProductPatch{
				{},
				{SKU: &p.SKU, Name: &p.Name, GTIN: new("96385074"), Status: &p.Status, SchemaID: &p.SchemaID, Attributes: p.Attributes},
				{Attributes: json.RawMessage(`{"a":{"x":"<"},"b":1.5,"c":null}`)},
			} {
				got, err := w.service.UpdateProduct(t.Context(), w.p, p.ID, patch)
				if err != nil || !reflect.DeepEqual(got, p) {
					t.Errorf("got %+v, %v, want %+v", got, err, p)
				}
			}
		})
	})
}

func TestUpdateProductRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		w.unchanged(t, func() {
			for name, test := range map[string]struct {
				patch ProductPatch
				field string
			}{
				"empty SKU":      {ProductPatch{SKU: new("")}, "sku"},
				"empty name":     {ProductPatch{Name: new("")}, "name"},
				"short GTIN":     {ProductPatch{GTIN: new("0003")}, "gtin"},
				"unknown status": {ProductPatch{Status: new(mintage.CommercialStatus(""))}, "commercial_status"},
				"unknown schema": {ProductPatch{SchemaID: new("toys")}, "dpp_schema"},
				"null":           {ProductPatch{Attributes: json.RawMessage(`null`)}, "attributes"},
			} {
				t.Run(name, func(t *testing.T) {
					_, err := w.service.UpdateProduct(t.Context(), w.p, p.ID, test.patch)
					wantError(t, err, mintage.CodeInvalidInput, test.field)
				})
			}
		})
	})
}

// Patches of one product at the same moment all count.
func TestUpdateProductRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		const n = 8
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				patch := ProductPatch{Attributes: json.RawMessage(fmt.Sprintf(`{"a%d":%d}`, i, i))}
				if _, err := w.service.UpdateProduct(t.Context(), w.p, p.ID, patch); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		got, err := w.service.Product(t.Context(), w.p, p.ID)
		if want := `{"a0":0,"a1":1,"a2":2,"a3":3,"a4":4,"a5":5,"a6":6,"a7":7}`; err != nil || string(got.Attributes) != want {
			t.Errorf("attributes are %s, %v", got.Attributes, err)
		}
		if len(w.events(t)) != n {
			t.Errorf("%d events, want %d", len(w.events(t)), n)
		}
	})
}

func TestNoBrandSeesAnothers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		product := w.NewProduct(w.brand, func(p *mintage.Product) { p.SKU = "theirs" })
		pb := w.NewProductionBatch(product, 10)
		if _, err := w.service.PutSchema(ctx, w.p, "toys", []byte(toys)); err != nil {
			t.Fatal(err)
		}
		other := principal(w.NewBrand())
		w.unchanged(t, func() {
			_, err := w.service.Product(ctx, other, product.ID)
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.UpdateProduct(ctx, other, product.ID, ProductPatch{Name: new("mine")})
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.Schema(ctx, other, "toys")
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.CreateProduct(ctx, other, ProductInput{SKU: "a", Name: "a", SchemaID: "toys"})
			wantError(t, err, mintage.CodeInvalidInput, "dpp_schema")
			_, err = w.service.ProductionBatch(ctx, other, pb.ID)
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.ProductionBatchByCode(ctx, other, pb.Code)
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.ProductionBatches(ctx, other, product.ID, store.Page{Limit: 10})
			wantError(t, err, mintage.CodeNotFound, "")
			_, _, err = w.service.PutProductionBatch(ctx, other, ProductionBatchInput{Code: "x", ProductID: product.ID, Quantity: 1, Status: mintage.ProductionReady})
			wantError(t, err, mintage.CodeInvalidInput, "product_id")
			_, _, err = w.service.PutProductionBatch(ctx, other, ProductionBatchInput{Code: "x", SKU: "theirs", Quantity: 1, Status: mintage.ProductionReady})
			wantError(t, err, mintage.CodeInvalidInput, "sku")
		})
		products, err := w.service.Products(ctx, other, store.ProductFilter{}, store.Page{Limit: 10})
		if err != nil || len(products) != 0 {
			t.Errorf("%d products, %v", len(products), err)
		}
		pbs, err := w.service.ProductionBatches(ctx, other, "", store.Page{Limit: 10})
		if err != nil || len(pbs) != 0 {
			t.Errorf("%d production batches, %v", len(pbs), err)
		}
		schemas, err := w.service.Schemas(ctx, other)
		if err != nil || len(schemas) != 2 {
			t.Errorf("%d schemas, %v", len(schemas), err)
		}
	})
}

func TestProducts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for i, status := range []mintage.CommercialStatus{"ACTIVE", "DRAFT", "ACTIVE"} {
			w.NewProduct(w.brand, func(p *mintage.Product) { p.SKU, p.Status, p.GTIN = fmt.Sprint("p", i), status, "" })
		}
		w.NewProduct(w.brand, func(p *mintage.Product) { p.SKU, p.GTIN = "g", "00000096385074" })
		for name, test := range map[string]struct {
			filter store.ProductFilter
			want   string
		}{
			"all":            {store.ProductFilter{}, "g p2 p1 p0"},
			"draft":          {store.ProductFilter{Status: mintage.ProductDraft}, "p1"},
			"short GTIN":     {store.ProductFilter{GTIN: "96385074"}, "g"},
			"long GTIN":      {store.ProductFilter{GTIN: "00000096385074"}, "g"},
			"SKU":            {store.ProductFilter{SKU: "p0"}, "p0"},
			"words":          {store.ProductFilter{Search: "9638", Status: mintage.ProductActive}, "g"},
			"no words":       {store.ProductFilter{Search: " "}, "g p2 p1 p0"},
			"signs only":     {store.ProductFilter{Search: "-"}, ""},
			"broken words":   {store.ProductFilter{Search: "\x00p2\xff"}, "p2"},
			"impossible SKU": {store.ProductFilter{SKU: "p\x00"}, ""},
			"broken SKU":     {store.ProductFilter{SKU: "p\xff"}, ""},
		} {
			products, err := w.service.Products(ctx, w.p, test.filter, store.Page{Limit: 10})
			var got []string
			for _, p := range products {
				got = append(got, p.SKU)
			}
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		_, err := w.service.Products(ctx, w.p, store.ProductFilter{GTIN: "1"}, store.Page{Limit: 10})
		wantError(t, err, mintage.CodeInvalidInput, "gtin")
		_, err = w.service.Products(ctx, w.p, store.ProductFilter{Status: "new"}, store.Page{Limit: 10})
		wantError(t, err, mintage.CodeInvalidInput, "commercial_status")
	})
}

// A patch that was made for an older state changes nothing.
func TestUpdateProductAsOf(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		product, err := w.service.Product(ctx, w.p, w.NewProduct(w.brand).ID)
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Second)
		changed, err := w.service.UpdateProduct(ctx, w.p, product.ID, ProductPatch{Name: new("first"), AsOf: product.UpdatedAt})
		if err != nil {
			t.Fatal(err)
		}
		w.unchanged(t, func() {
			_, err := w.service.UpdateProduct(ctx, w.p, product.ID, ProductPatch{Name: new("second"), AsOf: product.UpdatedAt})
			wantError(t, err, mintage.CodeConflict, "")
		})
		if _, err := w.service.UpdateProduct(ctx, w.p, product.ID, ProductPatch{Name: new("second"), AsOf: changed.UpdatedAt}); err != nil {
			t.Error(err)
		}
	})
}

func TestIDsThatAreNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		id := w.NewProduct(w.brand).ID
		for _, bad := range []string{"", "x", "\x00", "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), strings.Repeat("z", 36), newID()} {
			_, err := w.service.Product(ctx, w.p, bad)
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.UpdateProduct(ctx, w.p, bad, ProductPatch{Name: new("a")})
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.ProductionBatch(ctx, w.p, bad)
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.ProductionBatchByCode(ctx, w.p, bad)
			wantError(t, err, mintage.CodeNotFound, "")
			_, err = w.service.Schema(ctx, w.p, bad)
			wantError(t, err, mintage.CodeNotFound, "")
			if bad != "" { // that asks for all
				_, err = w.service.ProductionBatches(ctx, w.p, bad, store.Page{Limit: 1})
				wantError(t, err, mintage.CodeNotFound, "")
			}
		}
	})
}

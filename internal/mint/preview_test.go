package mint_test

import (
	"testing"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store/storetest"
)

func TestPreview(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand)
		bare := w.NewProduct(w.brand, func(p *mintage.Product) { p.GTIN = "" })
		run := w.NewProductionBatch(product, 10)
		other := w.NewBrand()
		foreign := w.NewProduct(other)
		foreignRun := w.NewProductionBatch(foreign, 10)
		base := w.brand.ResolverBase

		before := storetest.Snapshot(t, w.db)
		for name, try := range map[string]struct {
			req                 mintage.MintRequest
			prefix, suffix, lot string
			code                mintage.Code
		}{
			"serial":         {req: mintage.MintRequest{ProductID: product.ID, IdentityMode: mintage.IdentitySerial}, prefix: base + "/01/" + product.GTIN + "/21/"},
			"batch":          {req: mintage.MintRequest{ProductID: product.ID, IdentityMode: mintage.IdentityBatch}, prefix: base + "/01/" + product.GTIN + "?u="},
			"without a GTIN": {req: mintage.MintRequest{ProductID: bare.ID, IdentityMode: mintage.IdentitySerial}, prefix: base + "/u/" + bare.Code + "/"},
			"the first lot": {
				req:    mintage.MintRequest{ProductID: product.ID, IdentityMode: mintage.IdentityBatch, Lots: []mintage.LotRequest{{LotCode: "A/1"}, {LotCode: "?!"}}},
				prefix: base + "/01/" + product.GTIN + "/10/A%2F1?u=", lot: "A/1",
			},
			"the production batch's code": {
				req:    mintage.MintRequest{ProductID: product.ID, ProductionBatchID: run.ID, IdentityMode: mintage.IdentitySerial},
				prefix: base + "/01/" + product.GTIN + "/10/" + run.Code + "/21/", lot: run.Code,
			},
			"a lot that is none":         {req: mintage.MintRequest{ProductID: product.ID, Lots: []mintage.LotRequest{{LotCode: "a b"}}}, code: mintage.CodeInvalidInput},
			"another brand's product":    {req: mintage.MintRequest{ProductID: foreign.ID}, code: mintage.CodeNotFound},
			"no product":                 {req: mintage.MintRequest{ProductID: "nonsense"}, code: mintage.CodeNotFound},
			"another's production batch": {req: mintage.MintRequest{ProductID: product.ID, ProductionBatchID: foreignRun.ID}, code: mintage.CodeNotFound},
		} {
			p, err := w.service.Preview(t.Context(), w.p, &try.req)
			if got := mintage.ErrorCode(err); got != try.code {
				t.Errorf("%s: %v", name, err)
			}
			if err != nil {
				continue
			}
			if p.Prefix != try.prefix || p.Suffix != try.suffix || p.Lot != try.lot || p.URL() != p.Prefix+p.Example+p.Suffix {
				t.Errorf("%s: %+v", name, p)
			}
			if _, err := serial.ParseCode(p.Example); err != nil {
				t.Errorf("%s: the example is no code: %v", name, err)
			}
			// It is nobody's, whatever is minted.
			id := serial.Unit{ProductCode: product.Code}
			id.Code, _ = serial.ParseCode(p.Example)
			if _, err := w.service.Unit(t.Context(), w.p, id.String()); mintage.ErrorCode(err) != mintage.CodeNotFound {
				t.Errorf("%s: the example is issued: %v", name, err)
			}
		}
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("looking has changed something:\n%s", changes)
		}

		// Submitted, it comes true.
		req := request(product, 3)
		req.ProductionBatchID = run.ID
		p, err := w.service.Preview(t.Context(), w.p, req)
		if err != nil {
			t.Fatal(err)
		}
		if lot := w.work(w.submit(req)).Batch.Lots[0]; lot.URLPrefix != p.Prefix || lot.URLSuffix != p.Suffix || lot.Code != p.Lot {
			t.Errorf("what was promised is %+v, the lot is %+v", p, lot)
		}
	})
}

func TestSubmitted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand)
		req := request(product, 3)
		if _, err := w.service.Submitted(t.Context(), w.p, req, "key"); mintage.ErrorCode(err) != mintage.CodeNotFound {
			t.Errorf("before it was submitted: %v", err)
		}
		first, err := w.service.Submit(t.Context(), w.p, req, "key")
		if err != nil {
			t.Fatal(err)
		}
		for quantity, same := range map[int64]bool{3: true, 4: false} {
			got, err := w.service.Submitted(t.Context(), w.p, request(product, quantity), "key")
			if err != nil {
				t.Fatal(err)
			}
			if got.BatchID != first.BatchID || got.JobID != first.JobID || got.Status != mintage.JobQueued || got.Duplicate != same {
				t.Errorf("%d units: %+v", quantity, got)
			}
		}
		other := mintage.Principal{BrandNumber: w.NewBrand().Number, Role: mintage.RoleOwner, Actor: "key:test"}
		if _, err := w.service.Submitted(t.Context(), other, req, "key"); mintage.ErrorCode(err) != mintage.CodeNotFound {
			t.Errorf("another brand sees the key: %v", err)
		}
		for key, code := range map[string]mintage.Code{"": mintage.CodeInvalidInput, "ä": mintage.CodeInvalidInput} {
			if _, err := w.service.Submitted(t.Context(), w.p, req, key); mintage.ErrorCode(err) != code {
				t.Errorf("key %q: %v", key, err)
			}
		}
		if _, err := w.service.Submitted(t.Context(), w.p, request(product, 0), "key"); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("a request that cannot be: %v", err)
		}
	})
}

package mint_test

import (
	"strings"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// searched is what a search came to, in a few words.
func (w *world) searched(text string) string {
	w.t.Helper()
	hits, err := w.service.Search(w.t.Context(), w.p, text)
	if err != nil {
		w.t.Fatalf("%q: %v", text, err)
	}
	var said []string
	if hits.Address != "" {
		said = append(said, "address "+hits.Address)
	}
	if hits.UnitID != "" {
		said = append(said, "unit "+hits.UnitID)
	}
	if hits.Batch != nil {
		said = append(said, "batch "+hits.Batch.Batch.ID)
	}
	for _, p := range hits.Products {
		said = append(said, "product "+p.SKU)
	}
	for _, b := range hits.Lots {
		said = append(said, "lot "+hits.Lot+" of "+b.Batch.ID)
	}
	if hits.Miss != "" {
		said = append(said, "miss "+string(hits.Miss))
	}
	return strings.Join(said, ", ")
}

func (w *world) unitsOf(b *mintage.Batch) []*mintage.Unit {
	w.t.Helper()
	units, err := w.service.Units(w.t.Context(), mintage.Principal{BrandNumber: b.BrandNumber}, b.ID, -1, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return units
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.NewProduct(w.brand) // of which nothing is minted
		p := w.NewProduct(w.brand)
		bare := w.NewProduct(w.brand, func(p *mintage.Product) { p.GTIN, p.SKU = "", "PACK/48 (13)" })
		mint1 := func(s storetest.Submission) (*store.Work, *mintage.Unit) {
			work := w.SubmitRequest(s)
			w.Mint(s.Quantity)
			return work, w.unitsOf(&work.Batch)[1]
		}
		lots := []mintage.LotRequest{{LotCode: "PB/7", Quantity: 3}}
		serialBatch, serial := mint1(storetest.Submission{Product: p, Quantity: 3, Lots: lots})
		lotBatch, code := mint1(storetest.Submission{Product: p, Quantity: 3, Lots: lots, IdentityMode: mintage.IdentityBatch})
		_, plain := mint1(storetest.Submission{Product: bare, Quantity: 3})
		foreignBrand := w.NewBrand()
		foreignProduct := w.NewProduct(foreignBrand)
		foreignBatch, foreign := mint1(storetest.Submission{Product: foreignProduct, Quantity: 3, Lots: []mintage.LotRequest{{LotCode: "THEIRS", Quantity: 3}}})

		host := strings.TrimPrefix(w.brand.ResolverBase, "https://")
		gtin13 := strings.TrimPrefix(p.GTIN, "0")
		wrong := gtin13[:12] + string('0'+(gtin13[12]-'0'+1)%10)
		bothLots := "lot PB/7 of " + lotBatch.Batch.ID + ", lot PB/7 of " + serialBatch.Batch.ID
		for text, want := range map[string]string{
			// What a scan gives.
			serial.ResolverURL: "unit " + serial.ID,
			code.ResolverURL:   "unit " + code.ID,
			plain.ResolverURL:  "unit " + plain.ID,
			" " + serial.ResolverURL + "?utm_source=x&17=270101#top ":          "unit " + serial.ID,
			strings.Replace(serial.ResolverURL, "https://id", "HTTP://ID", 1):  "unit " + serial.ID,
			strings.Replace(serial.ResolverURL, p.GTIN, gtin13, 1):             "unit " + serial.ID,
			strings.TrimPrefix(serial.ResolverURL, "https://"):                 "unit " + serial.ID,
			strings.Replace(serial.ResolverURL, host, host+":443", 1):          "unit " + serial.ID,
			code.ResolverURL + "&x=1":                                          "unit " + code.ID,
			w.brand.ResolverBase + "/01/" + p.GTIN:                             "product " + p.SKU,
			w.brand.ResolverBase + "/01/" + p.GTIN + "/10/PB%2F7":              bothLots,
			w.brand.ResolverBase + "/u/" + bare.Code:                           "product " + bare.SKU,
			w.brand.ResolverBase + "/01/" + p.GTIN + "/21/" + code.Code:        "miss not_issued", // it is in batch mode
			w.brand.ResolverBase + "/01/" + p.GTIN + "/21/0000000000AB":        "miss not_issued",
			w.brand.ResolverBase + "/01/" + p.GTIN + "/21/brought":             "miss not_issued",
			w.brand.ResolverBase + "/01/" + p.GTIN + "/10/X/21/" + serial.Code: "miss not_issued", // another lot's
			strings.Replace(serial.ResolverURL, host, "id.evil.example", 1):    "address id.evil.example, unit " + serial.ID,
			strings.Replace(serial.ResolverURL, "/01/", "/eu/01/", 1):          "address " + host + "/eu, unit " + serial.ID,
			"https://www.example.com/":                                         "miss url",
			w.brand.ResolverBase + "/00/095201234567891235":                    "miss url",
			"(01) " + p.GTIN + " (10) PB/7 (21) " + serial.Code:                "unit " + serial.ID,
			"(01)" + p.GTIN + "(21)" + code.Code:                               "unit " + code.ID,
			"(01)" + p.GTIN:                                                    "product " + p.SKU,
			// What people type.
			serial.ID:                      "unit " + serial.ID,
			strings.ToLower(serial.ID):     "unit " + serial.ID,
			serial.ID[:9] + "0000000000AB": "miss not_issued",
			serial.Code:                    "unit " + serial.ID,
			strings.ToLower(code.Code):     "unit " + code.ID,
			plain.Code[:4] + " " + plain.Code[4:8] + "-" + plain.Code[8:]: "unit " + plain.ID,
			gtin13 + " " + serial.Code:                                    "unit " + serial.ID,
			gtin13 + " 0000000000AB":                                      "miss not_issued",
			"0000000000AB":                                                "miss not_issued",
			// Names.
			p.SKU:                       "product " + p.SKU,
			bare.SKU:                    "product " + bare.SKU,
			p.GTIN:                      "product " + p.SKU,
			gtin13:                      "product " + p.SKU,
			strings.ToUpper(p.ID):       "product " + p.SKU,
			serialBatch.Batch.ID:        "batch " + serialBatch.Batch.ID,
			serialBatch.Job.ID:          "batch " + serialBatch.Batch.ID,
			"PB/7":                      bothLots,
			wrong:                       "miss check_digit",
			"pb/7":                      "",
			"":                          "",
			"  ":                        "",
			"nothing of the kind":       "",
			"a\x00b":                    "",
			strings.Repeat("a", 10_000): "",
			// What is another brand's looks like what does not exist.
			foreign.ResolverURL: "address " + strings.TrimPrefix(foreignBrand.ResolverBase, "https://") + ", miss not_issued",
			"https://id.random.example/01/" + foreignProduct.GTIN + "/21/" + foreign.Code: "address id.random.example, miss not_issued",
			foreign.ID:            "miss not_issued",
			foreign.Code:          "miss not_issued",
			foreignProduct.SKU:    "",
			foreignProduct.GTIN:   "",
			foreignProduct.ID:     "",
			foreignBatch.Batch.ID: "",
			foreignBatch.Job.ID:   "",
			storetest.NewID():     "",
			"THEIRS":              "",
		} {
			if got := w.searched(text); got != want {
				t.Errorf("%.200q: %q instead of %q", text, got, want)
			}
		}
	})
}

// A batch has so many of one lot that a search shows the newest only.
func TestSearchOfACommonLot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		var newest *store.Work
		for range mint.MaxHits + 2 {
			newest = w.Submit(p, 1, mintage.LotRequest{LotCode: "A", Quantity: 1})
		}
		hits, err := w.service.Search(t.Context(), w.p, "A")
		if err != nil || len(hits.Lots) != mint.MaxHits || hits.Lots[0].Batch.ID != newest.Batch.ID {
			t.Errorf("%d lots, %v", len(hits.Lots), err)
		}
	})
}

func TestTokenDetail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		b := &w.Submit(p, 4, mintage.LotRequest{LotCode: "A", Quantity: 2}, mintage.LotRequest{LotCode: "B", Quantity: 2}).Batch
		w.Mint(4)
		w.Activate(b, 0)
		units := w.unitsOf(b)
		if _, _, err := w.service.RevokeUnit(t.Context(), w.p, units[0].ID, "torn"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.RecallLot(t.Context(), w.p, b.ID, "B", "glue"); err != nil {
			t.Fatal(err)
		}
		kinds := func(d *mint.TokenDetail) (list []string) {
			for _, e := range d.Events {
				list = append(list, string(e.Kind)+" "+e.To)
			}
			return list
		}
		d, err := w.service.TokenDetail(t.Context(), w.p, units[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(kinds(d), ", "); d.Product.ID != p.ID || d.Work.Batch.ID != b.ID || d.Recall != nil || d.Status != mintage.TokenRevoked || d.ActivatedAt.IsZero() ||
			got != "mint_batch.transition queued, mint_batch.transition processing, mint_batch.transition minted, unit.transition revoked" {
			t.Errorf("%+v, with %s", d, got)
		}
		d, err = w.service.TokenDetail(t.Context(), w.p, units[2].ID)
		if err != nil || d.Recall == nil || d.Recall.Reason != "glue" || d.RevocationReason != "glue" || len(d.Events) != 4 {
			t.Errorf("%+v, %v", d, err)
		}
		recalls, err := w.service.Recalls(t.Context(), w.p, b.ID)
		if err != nil || len(recalls) != 1 || recalls[0].Lot != "B" {
			t.Errorf("%+v, %v", recalls, err)
		}

		foreign := w.SubmitRequest(storetest.Submission{Product: w.NewProduct(w.NewBrand()), Quantity: 1})
		w.Mint(1)
		for _, id := range []string{w.unitsOf(&foreign.Batch)[0].ID, units[0].ID[:9] + "0000000000AB", "none"} {
			_, err := w.service.TokenDetail(t.Context(), w.p, id)
			code(t, err, mintage.CodeNotFound)
		}
		for _, id := range []string{foreign.Batch.ID, storetest.NewID()} {
			_, err := w.service.Recalls(t.Context(), w.p, id)
			code(t, err, mintage.CodeNotFound)
		}
	})
}

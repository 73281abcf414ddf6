package web

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mintage"
	"mintage/examples"
	"mintage/internal/catalogue"
	"mintage/internal/dpp"
	"mintage/internal/mint"
	"mintage/internal/store/storetest"
)

// product reads one as it is stored.
func (w *world) product(b *mintage.Brand, id string) *mintage.Product {
	w.t.Helper()
	p, err := w.server.Catalogue.Product(w.t.Context(), w.owner(b), id)
	w.must(err)
	return p
}

// unchanged asserts that fn leaves the database as it is.
func (w *world) unchanged(fn func()) {
	w.t.Helper()
	before := storetest.Snapshot(w.t, w.db)
	fn()
	if changes := storetest.Changes(before, storetest.Snapshot(w.t, w.db)); changes != "" {
		w.t.Errorf("something has changed:\n%s", changes)
	}
}

func TestProductList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOwner)
		b := w.as(kim)
		b.get("/products").wants(http.StatusOK, "No products yet", `href="/products/import"`).lacks(`type="search"`)
		w.as(w.invite(brand, "viewer@example.com", mintage.RoleViewer)).get("/products").wants(http.StatusOK, "No products yet").
			lacks(`href="/products/import"`, `href="/products/new"`)

		for i := range listLength + 3 {
			w.fixture.NewProduct(brand, func(p *mintage.Product) {
				p.SKU, p.Name, p.GTIN = fmt.Sprintf("JKT-%03d", i), fmt.Sprintf("Jacke <b>%d</b>", i), ""
			})
		}
		cap := w.fixture.NewProduct(brand, func(p *mintage.Product) {
			p.SKU, p.Name, p.GTIN, p.SchemaID, p.Status = "CAP-1", "Wool cap", "09520124100130", "textile", mintage.ProductDraft
		})
		w.fixture.NewProduct(other, func(p *mintage.Product) { p.SKU, p.Name = "JKT-SECRET", "Jacke theirs" })

		page := b.get("/products").wants(http.StatusOK, "Wool cap", "CAP-1", "DRAFT", "9 to complete", "/products/"+cap.ID+"#open", "Ready to mint", "Load more", "JKT-052").
			lacks("JKT-SECRET", "JKT-001")
		if strings.Contains(page.body, "<b>") {
			t.Error("a name is not escaped")
		}
		if got := strings.Count(page.body, `<th scope="row">`); got != listLength {
			t.Errorf("%d rows", got)
		}
		next := page.next()
		b.get(next).wants(http.StatusOK, "JKT-003", "JKT-000").lacks("JKT-004", "Load more", "JKT-SECRET")

		b.get("/products?q=jac+jkt-052").wants(http.StatusOK, "JKT-052", `value="jac jkt-052"`).lacks("JKT-051", "Load more")
		b.get("/products?q=09520124").wants(http.StatusOK, "CAP-1").lacks("JKT-0")
		b.get("/products?q=952012410").wants(http.StatusOK, "CAP-1")
		b.get("/products?q=WOOL&status=DRAFT").wants(http.StatusOK, "CAP-1", `<option value="DRAFT" selected>`)
		b.get("/products?q=wool&status=ACTIVE").wants(http.StatusOK, "Nothing matches", "Show all").lacks("CAP-1")
		b.get("/products?q=secret").wants(http.StatusOK, "Nothing matches")
		b.get("/products?q="+url.QueryEscape("\"><script>\x00\xff")).wants(http.StatusOK, "Nothing matches").lacks("<script>\x00")
		b.get("/products?status=nonsense").wants(http.StatusOK, "CAP-1")
		b.get("/products?cursor=nonsense").wants(http.StatusBadRequest)
		filtered := b.get("/products?q=jkt&status=ACTIVE").wants(http.StatusOK, "Load more")
		b.get(filtered.next()).wants(http.StatusOK, "JKT-000").lacks("CAP-1", "JKT-005")

		german := w.as(kim)
		german.accept = "de"
		german.get("/products?q=wool").wants(http.StatusOK, "ENTWURF", "9 offen", "Textil", "Produkte")
	})
}

var nextPart = regexp.MustCompile(`href="([^"]*)" data-more`)

// next is the address of the list's next part.
func (p *page) next() string {
	p.t.Helper()
	m := nextPart.FindStringSubmatch(p.body)
	if m == nil {
		p.t.Fatalf("there is no next part:\n%s", p.body)
	}
	return html.UnescapeString(m[1])
}

func TestProductPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		owner := w.as(w.invite(brand, "owner@example.com", mintage.RoleOwner))
		viewer := w.as(w.invite(brand, "viewer@example.com", mintage.RoleViewer))
		p := w.fixture.NewProduct(brand, func(p *mintage.Product) {
			p.Name, p.SchemaID = "City <vest>", "textile"
			p.Attributes = []byte(`{"size":"M","fibre_composition":[{"fibre":"wool","percent":28.50}],"substances_of_concern":[],"facility_id":"F-7",` +
				`"conformity_documents":["<b>a</b>","b"],"animal_parts":true,"dye_lot":"D1","own":{"x":[1]}}`)
		})
		run := w.fixture.NewProductionBatch(p, 70_000)
		work := w.fixture.Submit(p, 12_345)
		foreign := w.fixture.NewProduct(other, func(p *mintage.Product) { p.Name = "Secret" })
		_, err := w.server.Mint.PutLinks(t.Context(), w.owner(brand), p.ID, []mintage.Link{
			{Type: "gs1:pip", Href: "https://example.com/vest", Title: "About the vest", Default: true},
		})
		w.must(err)

		page := owner.get("/products/"+p.ID).wants(http.StatusOK, "City <vest>", p.SKU, p.Code, "Textile", "Not ready to mint yet", "Manufacturer: fill it in",
			"#/manufacturer_name", "Fibre composition: The \"percent\" of all entries must add up to exactly 100.", "28.50 %", "wool", "legitimate interest", "authorities",
			"differs by batch", "Not in the DPP schema", "Yes", "Substances of concern", "None", "About the vest", "https://example.com/vest",
			run.Code, "70,000", work.Batch.ID, "12,345", "/mint/new?product_id="+p.ID, "/products/"+p.ID+"/edit")
		if strings.Contains(page.body, "<b>") || strings.Contains(page.body, "<vest>") {
			t.Error("a value is not escaped")
		}
		viewer.get("/products/"+p.ID).wants(http.StatusOK, "Manufacturer: fill it in").lacks("/edit", "/mint/new", "/production-batches/new")

		ready := w.fixture.NewProduct(brand)
		viewer.get("/products/"+ready.ID).wants(http.StatusOK, "Ready to mint", "No DPP schema", "built-in passport page", "Nothing of this product has been minted yet").
			lacks("Not ready")
		theirs := viewer.get("/products/" + foreign.ID).wants(http.StatusNotFound).lacks("Secret")
		if nobodys := viewer.get("/products/" + storetest.NewID()); nobodys.body != theirs.body {
			t.Error("another's product does not look like one that does not exist")
		}
		owner.get("/products/" + foreign.ID + "/edit").wants(http.StatusNotFound)
		w.unchanged(func() {
			owner.post("/products/"+foreign.ID+"/edit", "product_name", "mine", "product_sku", "x", "as_of", "2027-01-01T00:00:00Z").wants(http.StatusNotFound)
		})
	})
}

// Sent as it was shown, the form of any product changes nothing: not of those that
// every schema of ours has, nor of values that the form has no inputs for.
func TestProductFormRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		b := w.as(w.invite(brand, "kim@example.com", mintage.RoleAdmin))
		_, err := w.server.Catalogue.ImportProducts(t.Context(), w.owner(brand), strings.NewReader(string(examples.Catalogue)), func(r catalogue.Row) error {
			if !r.Accepted {
				return fmt.Errorf("row %d: %s", r.Row, r.Message)
			}
			return nil
		})
		w.must(err)
		for _, odd := range []string{
			`{"size":7,"colour":" blue ","animal_parts":"yes","fibre_composition":[{"fibre":"wool","percent":1.50,"extra":true}],"conformity_documents":["a\nb",""]}`,
			`{"size":"","colour":null,"fibre_composition":{"a":1},"substances_of_concern":[],"care_instructions":"line 1\nline 2\n","weight_g":1e5,"unknown":[1.0]}`,
			`{"repair_history":["a"],"fibre_composition":[{"fibre":""},{"fibre":"a \"quoted\" <b>","percent":100}],"conformity_documents":[]}`,
		} {
			w.fixture.NewProduct(brand, func(p *mintage.Product) { p.SchemaID, p.Attributes = "textile", []byte(odd) })
		}
		products, err := w.server.Catalogue.Products(t.Context(), w.owner(brand), catalogue.ProductFilter{}, mint.Page{Limit: 100})
		w.must(err)
		w.unchanged(func() {
			for _, p := range products {
				path := "/products/" + p.ID + "/edit"
				b.post(path, b.get(path).wants(http.StatusOK).formOf(path)...).goesTo("/products/" + p.ID + "?done=saved")
			}
		})
	})
}

// A product of each schema of ours can be made with the form alone, and is then ready.
func TestNewProduct(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		b := w.as(w.invite(brand, "kim@example.com", mintage.RoleAdmin))
		b.get("/products/new").wants(http.StatusOK, "Battery", "Textile", "/products/new?schema=battery", "No DPP schema")
		b.get("/products/new?schema=nonsense").wants(http.StatusNotFound)
		for _, schema := range dpp.Builtin() {
			page := b.get("/products/new?schema="+schema.ID).wants(http.StatusOK, "required to mint")
			fields := with(page.formOf("/products/new"), "product_name", "Made by hand", "product_sku", "HAND-"+schema.ID, "product_gtin", "9520124100017")
			shapes := schema.Shapes()
			for _, a := range schema.Attributes {
				if !strings.Contains(page.body, "/"+a.Name) == (a.Level == dpp.LevelModel) {
					t.Errorf("%s: %s is asked for: %v", schema.ID, a.Name, a.Level != dpp.LevelModel)
				}
				if a.Required {
					fields = with(fields, sample(a, shapes[a.Name])...)
				}
			}
			answer := b.post("/products/new", fields...).wants(http.StatusSeeOther)
			b.get(answer.header.Get("Location")).wants(http.StatusOK, "The product has been created.", "Ready to mint", "Made by hand")
		}
		b.post("/products/new", with(b.get("/products/new?schema=").formOf("/products/new"), "product_name", "Plain", "product_gtin", "9520124100017")...).wants(http.StatusSeeOther)
		found, err := w.server.Catalogue.Products(t.Context(), w.owner(brand), catalogue.ProductFilter{SKU: "9520124100017"}, mint.Page{Limit: 1})
		if err != nil || len(found) != 1 || found[0].SchemaID != "" {
			t.Errorf("%v, %v", found, err)
		}
	})
}

// sample fills in an attribute.
func sample(a dpp.Attribute, shape dpp.Shape) []string {
	switch shape.Kind {
	case dpp.KindNumber, dpp.KindInteger:
		return []string{a.Pointer, "12"}
	case dpp.KindChoice:
		return []string{a.Pointer, shape.Choices[0]}
	case dpp.KindRows:
		if a.Name == "fibre_composition" { // with an empty row between
			return []string{a.Pointer + "/0/fibre", "wool", a.Pointer + "/0/percent", "60.5", a.Pointer + "/1/fibre", "", a.Pointer + "/1/percent", " ", a.Pointer + "/2/fibre", "silk", a.Pointer + "/2/percent", "39.5"}
		}
		return []string{noneInput + a.Pointer, "yes"}
	default:
		return []string{a.Pointer, "PT"}
	}
}

func TestProductFormFaults(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.WithoutCancel(t.Context())
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleAdmin)
		b := w.as(kim)
		taken := w.fixture.NewProduct(brand)
		p := w.fixture.NewProduct(brand, func(p *mintage.Product) {
			p.SchemaID, p.Attributes = "textile", []byte(`{"size":"M","recycled_content_percent":650,"fibre_composition":[{"fibre":"wool","percent":100}],"own":1.50}`)
		})
		path := "/products/" + p.ID + "/edit"
		page := b.get(path).wants(http.StatusOK, "Needed before this product can be minted.", "Must be at most 100.", "legitimate interest", "A number, more than 0 g.")
		fields := page.formOf(path)
		german := w.as(kim)
		german.accept = "de"
		w.unchanged(func() {
			b.post("/products/new", "product_schema", "").wants(http.StatusUnprocessableEntity, "Enter the product’s name", "Enter a SKU or a GTIN", `href="#product_sku"`)
			b.post(path, with(fields, "product_sku", taken.SKU)...).wants(http.StatusUnprocessableEntity, `<a href="#product_sku">Another product has this SKU`)
			b.post(path, with(fields, "product_gtin", "123", "product_name", "")...).wants(http.StatusUnprocessableEntity, "Enter the product’s name").lacks("check digit")
			b.post(path, with(fields, "product_gtin", "123")...).wants(http.StatusUnprocessableEntity, "check digit", `value="123"`)
			b.post(path, with(fields, "/weight_g", "1,5", "/wash_cycles_tested", "2.5")...).wants(http.StatusUnprocessableEntity,
				`<a href="#%2fweight_g">Weight: enter a number`, `<a href="#%2fwash_cycles_tested">`, `value="1,5"`)
			b.post(path, with(fields, "/country_of_manufacture", "Portugal")...).wants(http.StatusUnprocessableEntity, "#%2fcountry_of_manufacture", `value="Portugal"`)
			b.post(path, with(fields, "/fibre_composition/0/percent", "x")...).wants(http.StatusUnprocessableEntity, `<a href="#%2ffibre_composition%2f0%2fpercent">Fibre composition, row 1: Share by weight`)
			b.post(path, with(fields, "/fibre_composition/0/percent", "99")...).wants(http.StatusUnprocessableEntity, `<a href="#%2ffibre_composition">Fibre composition: The "percent"`)
			b.post(path, with(fields, "/fibre_composition/0/fibre", "")...).wants(http.StatusUnprocessableEntity, `<a href="#%2ffibre_composition%2f0%2ffibre">`)
			b.post(path, with(fields, "as_of", "yesterday")...).wants(http.StatusBadRequest)
			b.post(path, append(fields, "product_name", "twice")...).wants(http.StatusBadRequest)
			b.post(path, with(fields, "/care_instructions", "a\x01")...).wants(http.StatusBadRequest)
			b.post(path, with(fields, "product_status", "SOLD", "product_schema", "textile")...).wants(http.StatusUnprocessableEntity, "Choose a commercial status")
			german.post(path, with(fields, "/weight_g", "-1")...).wants(http.StatusUnprocessableEntity, "Gewicht: Der Wert passt nicht zum DPP-Schema. Eine Zahl, mehr als 0 g.")
		})

		// What the form does not show stays, and what was wrong before may stay wrong.
		b.post(path, with(fields, "product_name", "New name", "/size", "", "/care_instructions", "Wash.\r\nDry.", "/conformity_documents", "a\r\n\r\n b \r\n")...).goesTo("/products/" + p.ID + "?done=saved")
		got := w.product(brand, p.ID)
		if want := `{"care_instructions":"Wash.\nDry.","conformity_documents":["a","b"],"fibre_composition":[{"fibre":"wool","percent":100}],"own":1.50,"recycled_content_percent":650}`; string(got.Attributes) != want || got.Name != "New name" {
			t.Errorf("%s has %s", got.Name, got.Attributes)
		}

		// Somebody else was faster.
		w.clock.Advance(1)
		stale := b.get(path).formOf(path)
		w.clock.Advance(1_000_000_000)
		_, err := w.server.Catalogue.UpdateProduct(ctx, w.owner(brand), p.ID, catalogue.ProductPatch{Name: new("Theirs")})
		w.must(err)
		page = b.post(path, with(stale, "product_name", "Mine")...).wants(http.StatusConflict, "Somebody else has changed this product", `value="Mine"`)
		if got := w.product(brand, p.ID); got.Name != "Theirs" {
			t.Errorf("the name is %q", got.Name)
		}
		b.post(path, page.formOf(path)...).goesTo("/products/" + p.ID + "?done=saved")
		if got := w.product(brand, p.ID); got.Name != "Mine" {
			t.Errorf("the name is %q", got.Name)
		}

		// Another schema has other fields.
		b.post(path, with(b.get(path).formOf(path), "product_schema", "battery")...).goesTo(path + "?done=schema")
		b.get(path+"?done=schema").wants(http.StatusOK, "Now fill in the attributes of the new DPP schema", "Battery category")
	})
}

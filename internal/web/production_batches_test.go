package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mintage"
	"mintage/examples"
	"mintage/internal/catalogue"
	"mintage/internal/mint"
	"mintage/internal/store/storetest"
)

func TestProductionBatchList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand(func(b *mintage.Brand) { b.OverIssuePercent = 10 })
		other := w.fixture.NewBrand()
		b := w.as(w.invite(brand, "kim@example.com", mintage.RoleOperator))
		viewer := w.as(w.invite(brand, "viewer@example.com", mintage.RoleViewer))
		b.get("/production-batches").wants(http.StatusOK, "No production batches yet", `href="/production-batches/import"`)
		viewer.get("/production-batches").wants(http.StatusOK, "No production batches yet").lacks(`href="/production-batches/import"`, `href="/production-batches/new"`)

		jacket := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.SKU, p.Name = "JKT", "Rain jacket" })
		cap := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.SKU, p.Name = "CAP", "Wool cap" })
		var last *mintage.ProductionBatch
		for i := range listLength + 1 {
			last = w.fixture.NewProductionBatch(jacket, 1000, func(pb *mintage.ProductionBatch) { pb.Code = fmt.Sprintf("R-%03d", i) })
		}
		w.fixture.SubmitRequest(storetest.Submission{Product: jacket, Production: last, Quantity: 300})
		w.fixture.NewProductionBatch(cap, 77, func(pb *mintage.ProductionBatch) { pb.Code = "C-1" })
		theirs := w.fixture.NewProduct(other, func(p *mintage.Product) { p.SKU, p.Name = "THEIRS", "Secret" })
		foreign := w.fixture.NewProductionBatch(theirs, 5)

		page := b.get("/production-batches").wants(http.StatusOK, "C-1", "Wool cap", "R-050", "Rain jacket", "1,000", "300", "800", "READY", `max="1100" value="300"`).
			lacks("R-001", foreign.Code, "Secret")
		b.get(page.next()).wants(http.StatusOK, "R-001", "R-000").lacks("R-002", "data-more")
		b.get("/production-batches?product_id="+cap.ID).wants(http.StatusOK, "C-1", "Only of").lacks("R-0")
		b.get(b.get("/production-batches?sku=JKT").wants(http.StatusOK, "R-050", `value="JKT"`).lacks("C-1").next()).wants(http.StatusOK, "R-000").lacks("C-1")
		b.get("/production-batches?sku=THEIRS").wants(http.StatusOK, "Nothing matches", "No product has this SKU").lacks("Secret")
		b.get("/production-batches?product_id=" + theirs.ID).wants(http.StatusNotFound).lacks("Secret")

		b.get("/production-batches/"+last.ID).wants(http.StatusOK, last.Code, "1,000", "and 100 more for spoiled labels", "Save changes", "New mint request", "production_batch_id="+last.ID)
		viewer.get("/production-batches/"+last.ID).wants(http.StatusOK, last.Code).lacks("Save changes", "New mint request", "<form method=\"post\" action=\"/production-batches")
		gone := b.get("/production-batches/" + storetest.NewID()).wants(http.StatusNotFound)
		if page := b.get("/production-batches/" + foreign.ID); page.body != gone.body {
			t.Error("another's production batch does not look like one that does not exist")
		}
		w.unchanged(func() {
			b.post("/production-batches/"+foreign.ID, "run_sku", "JKT", "run_quantity", "1", "run_status", "READY").wants(http.StatusNotFound)
			viewer.post("/production-batches/"+last.ID, "run_sku", "JKT", "run_quantity", "1", "run_status", "READY").wants(http.StatusForbidden)
		})
	})
}

func TestProductionBatchForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOperator)
		b := w.as(kim)
		p := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.SKU = "JKT" })
		w.fixture.NewProduct(brand, func(p *mintage.Product) { p.SKU = "CAP" })
		fields := b.get("/production-batches/new?product_id="+p.ID).wants(http.StatusOK, `value="JKT"`).formOf("/production-batches/new")
		w.unchanged(func() {
			b.post("/production-batches/new").wants(http.StatusUnprocessableEntity, "Enter the code of the production batch", "Enter the SKU of the product", "Enter the quantity")
			for _, wrong := range []string{"0", "-1", "1,000", "1e3", "+1", "1.5", "99999999999999999999", "1000000000001"} {
				b.post("/production-batches/new", with(fields, "run_code", "R", "run_quantity", wrong)...).wants(http.StatusUnprocessableEntity, `<a href="#run_quantity">Enter a whole number`)
			}
			b.post("/production-batches/new", with(fields, "run_code", "R", "run_quantity", "1", "run_sku", "none")...).wants(http.StatusUnprocessableEntity, `<a href="#run_sku">No product has this SKU`)
			b.post("/production-batches/new", with(fields, "run_code", strings.Repeat("x", 101), "run_quantity", "1")...).wants(http.StatusUnprocessableEntity, `<a href="#run_code">Enter a code of 1 to 100 characters`)
			b.post("/production-batches/new", with(fields, "run_code", "R", "run_quantity", "1", "run_status", "OPEN")...).wants(http.StatusUnprocessableEntity, `<a href="#run_status">Choose a status`)
		})
		answer := b.post("/production-batches/new", with(fields, "run_code", "R-1 /ä", "run_quantity", "1000", "run_status", "READY")...).wants(http.StatusSeeOther)
		page := b.get(answer.header.Get("Location")).wants(http.StatusOK, "R-1 /ä", "The production batch has been created.")
		pb, err := w.server.Catalogue.ProductionBatchByCode(t.Context(), w.owner(brand), "R-1 /ä")
		w.must(err)
		path := "/production-batches/" + pb.ID
		fields = page.formOf(path)
		w.unchanged(func() {
			b.post("/production-batches/new", "run_code", pb.Code, "run_sku", "JKT", "run_quantity", "5", "run_status", "READY").wants(http.StatusUnprocessableEntity, `<a href="#run_code">There is a production batch of this code already`)
			b.post(path, fields...).goesTo(path + "?done=saved")
		})

		// What is committed holds it.
		w.fixture.SubmitRequest(storetest.Submission{Product: p, Production: pb, Quantity: 400})
		w.unchanged(func() {
			b.post(path, with(fields, "run_quantity", "399")...).wants(http.StatusConflict, `<a href="#run_quantity">The quantity cannot fall below 400`, `value="399"`)
			b.post(path, with(fields, "run_sku", "CAP")...).wants(http.StatusConflict, `<a href="#run_sku">The product cannot change: 400 units`)
		})
		german := w.as(kim)
		german.accept = "de"
		german.post(path, with(fields, "run_quantity", "399")...).wants(http.StatusConflict, "Die Menge kann nicht unter 400 fallen")
		b.post(path, with(fields, "run_quantity", "400", "run_status", "CLOSED")...).goesTo(path + "?done=saved")
		b.get(path+"?done=saved").wants(http.StatusOK, "The production batch has been saved.", "CLOSED").lacks("New mint request")
	})
}

func TestImports(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOperator)
		b := w.as(kim)
		german := w.as(kim)
		german.accept = "de"
		viewer := w.as(w.invite(brand, "viewer@example.com", mintage.RoleViewer))
		for _, path := range []string{"/products/import", "/production-batches/import"} {
			b.get(path).wants(http.StatusOK, "What the file looks like", path+"/sample.csv", `enctype="multipart/form-data"`)
			viewer.get(path).wants(http.StatusForbidden)
			viewer.upload(path, "a.csv", "sku,name\na,b\n").wants(http.StatusForbidden)
		}
		sample := b.get("/products/import/sample.csv").wants(http.StatusOK)
		if sample.body != string(examples.Catalogue) || !strings.HasPrefix(sample.header.Get("Content-Disposition"), "attachment") {
			t.Error("the sample is not the sample")
		}
		b.upload("/products/import", "catalogue.csv", sample.body).wants(http.StatusOK, "catalogue.csv", "All 39 rows are accepted.", "Go to the products").lacks("Refused rows")
		runs := b.get("/production-batches/import/sample.csv").wants(http.StatusOK)
		b.upload("/production-batches/import", "runs.csv", runs.body).wants(http.StatusOK, "All 15 rows are accepted.")

		file := "sku;name;gtin;status;colour\nX-1;Good;;;red\nX-2;;;;\nX-3;Bad gtin;<b>123</b>;;\nX-4;Good too;9520124100017;DRAFT;\n"
		w.unchanged(func() {
			b.upload("/products/import", "none.csv", "").wants(http.StatusUnprocessableEntity, `<a href="#file">Choose a file`)
			b.upload("/products/import", "wrong.csv", "name\nx\n").wants(http.StatusUnprocessableEntity, `<a href="#file">The file has no column sku or gtin`)
			german.upload("/products/import", "wrong.csv", "name\nx\n").wants(http.StatusUnprocessableEntity, "Die Datei kann nicht gelesen werden")
			b.post("/products/import", "file", file).wants(http.StatusBadRequest)
		})
		page := b.upload("/products/import", "<i>.csv", file).wants(http.StatusOK, "2 of 4 rows are accepted, 2 refused.", "Refused rows", "gtin", "Columns that were ignored:", "colour", "<i>.csv")
		if strings.Contains(page.body, "<i>") || strings.Contains(page.body, "123") {
			t.Error("what the file has is repeated")
		}
		for _, row := range []string{`data-label="Row">3<`, `data-label="Row">4<`} {
			if !strings.Contains(page.body, row) {
				t.Errorf("the page lacks %s", row)
			}
		}
		if strings.Contains(page.body, `data-label="Row">2<`) {
			t.Error("an accepted row is shown as refused")
		}
		w.unchanged(func() { // a second time, nothing is new
			german.upload("/products/import", "a.csv", file).wants(http.StatusOK, "2 von 4 Zeilen", "Die GTIN muss 8, 12, 13 oder 14 Ziffern haben")
		})
		products, err := w.server.Catalogue.Products(t.Context(), w.owner(brand), catalogue.ProductFilter{Search: "good"}, mint.Page{Limit: 10})
		if err != nil || len(products) != 2 {
			t.Errorf("%d products, %v", len(products), err)
		}
		b.upload("/production-batches/import", "r.csv", "code,sku,quantity,status\nA,X-1,10,READY\nB,none,1,READY\nC,X-1,1.5,READY\n").wants(http.StatusOK,
			"1 of 3 rows are accepted, 2 refused.", "There is no product of this SKU; create it first.", "plain digits")

		// Of many refused rows the first are shown, the others counted.
		var many strings.Builder
		many.WriteString("sku,name\n")
		for i := range 5000 {
			fmt.Fprintf(&many, "Y-%d,\n", i)
		}
		page = b.upload("/products/import", "many.csv", many.String()).wants(http.StatusOK, "0 of 5,000 rows are accepted, 5,000 refused.", "Further refused rows, not shown: 4,800")
		if got := strings.Count(page.body, `data-label="Row"`); got != maxRefused {
			t.Errorf("%d rows are shown", got)
		}
		if len(page.body) > 150<<10 {
			t.Errorf("the page has %d bytes", len(page.body))
		}
	})
}

// An import ends when whoever sends the file may no more.
func TestImportOfSomebodyWhoMayNoMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOperator)
		v := w.server.bare(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/products/import", http.NoBody))
		v.user, v.member = w.user(kim), &mintage.Member{BrandID: brand.ID}
		file := &importedFile{visit: v, operation: "import_products"}
		w.must(file.stillAllowed())
		w.must(w.server.Access.ChangeMember(t.Context(), w.owner(brand), kim.id, mintage.RoleViewer))
		if err := file.stillAllowed(); mintage.ErrorCode(err) != mintage.CodeForbidden {
			t.Errorf("a viewer goes on importing: %v", err)
		}
		w.must(w.server.Access.RemoveMember(t.Context(), w.owner(brand), kim.id))
		if err := file.stillAllowed(); mintage.ErrorCode(err) != mintage.CodeForbidden {
			t.Errorf("somebody who is in the brand no more goes on importing: %v", err)
		}
	})
}

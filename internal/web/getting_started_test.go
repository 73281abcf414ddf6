package web

import (
	"net/http"
	"testing"

	"mintage"
	"mintage/examples"
)

func TestGettingStarted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		operator, viewer := w.invite(brand, "operator@example.com", mintage.RoleOperator), w.invite(brand, "viewer@example.com", mintage.RoleViewer)
		stranger := w.invite(other, "stranger@example.com", mintage.RoleViewer)
		b := w.as(operator)
		const useProducts, useRuns = "/mint/start/sample-products", "/mint/start/sample-production-batches"
		b.get("/mint").wants(http.StatusOK, "Nothing has been minted yet", useProducts, "/products/import", sampleProducts).lacks(useRuns, "start-done")
		w.as(viewer).get("/mint").wants(http.StatusOK, "Your role lets you look only").lacks(useProducts)

		for path, file := range map[string][]byte{sampleProducts: examples.Catalogue, sampleRuns: examples.ProductionBatches} {
			page := w.as(viewer).get(path).wants(http.StatusOK)
			if page.body != string(file) || page.header.Get("Content-Type") != "text/csv; charset=utf-8" || page.header.Get("Content-Disposition")[:10] != "attachment" {
				t.Errorf("%s: %v", path, page.header)
			}
		}
		w.untouched(func() {
			w.as(viewer).post(useProducts).wants(http.StatusForbidden)
			w.as(viewer).post(useRuns).wants(http.StatusForbidden)
			b.post(useRuns).goesTo("/mint") // there is nothing yet that they could be of
		})
		b.post(useProducts).goesTo("/mint?done=sample_products")
		b.get("/mint?done=sample_products").wants(http.StatusOK, "The sample’s products have been imported.", useRuns, "/mint/new", "Done").lacks(useProducts)
		w.untouched(func() { b.post(useProducts).goesTo("/mint") }) // sent twice
		b.post(useRuns).goesTo("/mint?done=sample_production_batches")
		b.get("/mint?done=sample_production_batches").wants(http.StatusOK, "The sample’s production batches have been imported.", "/mint/new").lacks(useRuns)
		w.untouched(func() { b.post(useRuns).goesTo("/mint") })
		w.as(stranger).get("/mint").wants(http.StatusOK, "Nothing has been minted yet").lacks("Done")

		// With products of its own, a brand is not offered the sample's production batches.
		w.fixture.NewProduct(other)
		own := w.invite(other, "own@example.com", mintage.RoleOperator)
		w.as(own).get("/mint").wants(http.StatusOK, "/production-batches/import", "/mint/new").lacks(useRuns, useProducts)
		w.untouched(func() { w.as(own).post(useRuns).goesTo("/mint") })

		w.fixture.Submit(w.fixture.NewProduct(brand), 1)
		b.get("/mint").wants(http.StatusOK).lacks("Nothing has been minted yet")
	})
}

func TestAccountName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleViewer)
		owner := w.invite(brand, "owner@example.com", mintage.RoleOwner)
		b := w.as(kim)
		b.get("/account").wants(http.StatusOK, `value="Kim Example"`, "Change name")
		w.untouched(func() {
			b.post("/account/name").wants(http.StatusUnprocessableEntity, `<a href="#name">Enter your name`)
			long := make([]byte, 101)
			for i := range long {
				long[i] = 'k'
			}
			b.post("/account/name", "name", string(long)).wants(http.StatusUnprocessableEntity, `<a href="#name">Enter a name of 1 to 100`, string(long))
		})
		b.post("/account/password", "current_password", "wrong", "new_password", "a b c d e f g h i j").wants(http.StatusUnprocessableEntity, `value="Kim Example"`)
		b.post("/account/name", "name", " Kim <b> ").goesTo("/account?done=name")
		b.get("/account?done=name").wants(http.StatusOK, "Your name has been changed.", `value="Kim <b>"`)
		w.as(owner).get("/settings/members").wants(http.StatusOK, "Kim <b>")
	})
}

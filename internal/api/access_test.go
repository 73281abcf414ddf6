package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/serial"
)

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.brand.keys[mintage.RoleOwner]
		expired, err := w.server.Access.CreateKey(t.Context(), w.brand.ID, mintage.RoleOwner, time.Now().Add(-time.Second), "test")
		if err != nil {
			t.Fatal(err)
		}
		var words string
		for _, header := range []string{"", "Bearer", "Bearer ", "Basic " + owner, owner, "Bearer x" + owner, "Bearer " + owner + "x",
			"Bearer " + strings.ToUpper(owner), "Bearer mk_" + strings.Repeat("0", 64), "Bearer " + owner[:len(owner)-1] + "!", "Bearer " + expired} {
			a := w.do(call{key: "-", path: "/v1/products", header: map[string]string{"Authorization": header}})
			p := a.refuses(http.StatusUnauthorized, mintage.CodeUnauthorized)
			if words == "" {
				words = p.Detail
			}
			if p.Detail != words || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%q: %q, WWW-Authenticate %q", header, p.Detail, a.header.Get("WWW-Authenticate"))
			}
		}
		r := w.request(call{path: "/v1/products"})
		r.Header.Add("Authorization", "Bearer "+owner)
		response, err := w.http.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		equal(t, "status with two keys", response.StatusCode, http.StatusUnauthorized)
		w.do(call{key: "-", path: "/v1/products", header: map[string]string{"Authorization": "bearer " + owner}}).is(http.StatusOK)
	})
}

// TestRoles calls each operation with each role: who may not is refused before
// anything of the request is looked at.
func TestRoles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for id, o := range operations(w.server) {
			if o.Metadata[metaPublic] != nil {
				continue
			}
			path := o.Path
			for strings.Contains(path, "{") {
				path = fill(path, "none")
			}
			for _, role := range mintage.Roles {
				a := w.do(call{key: w.brand.keys[role], method: o.Method, path: path})
				allowed := access.Allow(mintage.Principal{Role: role}, access.Operation(id)) == nil
				if (a.status != http.StatusForbidden) != allowed || a.status == http.StatusUnauthorized || a.status >= 500 {
					t.Errorf("%s as %s: %d", id, role, a.status)
				}
				if !allowed {
					a.refuses(http.StatusForbidden, mintage.CodeForbidden)
				}
			}
		}
	})
}

// TestOtherBrands asks for another brand's rows: each answer must be the one
// that a made-up id gets, to the letter.
func TestOtherBrands(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ours := w.brand
		w.brand = w.newBrand("https://other.example")
		product := w.newProduct("THEIRS")
		pb := decode[productionBatch](w.do(call{method: http.MethodPut, path: "/v1/production-batches/THEIRS", body: `{"sku":"THEIRS","quantity":9,"status":"READY"}`}).is(http.StatusCreated))
		sub := w.submit(product.ID, 3)
		w.mintAll(2)
		unit := decode[list[unit]](w.do(call{path: "/v1/mint-batches/" + sub.BatchID + "/units"}).is(http.StatusOK)).Items[0]
		w.do(call{method: http.MethodPut, path: "/v1/dpp-schemas/theirs", body: `{"type":"object"}`}).is(http.StatusOK)
		w.brand = ours
		mine := w.newProduct("OURS")

		code, err := serial.ParseUnit(unit.ID)
		if err != nil {
			t.Fatal(err)
		}
		fake := serial.Unit{ProductCode: serial.NewProductCode(), Code: code.Code}.String()
		random := func() string { return uuid.Must(uuid.NewV7()).String() }
		w.unchanged(func() {
			for _, c := range []struct {
				method, path, body string // {} is where the id stands
				theirs, madeUp     string
			}{
				{"GET", "/v1/products/{}", "", product.ID, random()},
				{"PATCH", "/v1/products/{}", `{"name":"taken"}`, product.ID, random()},
				{"GET", "/v1/products?sku={}", "", "THEIRS", "NOBODYS"},
				{"GET", "/v1/production-batches?product_id={}", "", product.ID, random()},
				{"GET", "/v1/production-batches/{}", "", "THEIRS", "NOBODYS"},
				{"PUT", "/v1/production-batches/MINE", `{"product_id":"{}","quantity":1,"status":"READY"}`, product.ID, random()},
				{"PUT", "/v1/production-batches/MINE", `{"sku":"{}","quantity":1,"status":"READY"}`, "THEIRS", "NOBODYS"},
				{"GET", "/v1/mint-jobs/{}", "", sub.JobID, random()},
				{"GET", "/v1/mint-jobs/{}/watch", "", sub.JobID, random()},
				{"GET", "/v1/mint-jobs?product_id={}", "", product.ID, random()},
				{"GET", "/v1/mint-batches/{}", "", sub.BatchID, random()},
				{"GET", "/v1/mint-batches?product_id={}", "", product.ID, random()},
				{"GET", "/v1/mint-batches/{}/units", "", sub.BatchID, random()},
				{"GET", "/v1/mint-batches/{}/export", "", sub.BatchID, random()},
				{"GET", "/v1/units/{}", "", unit.ID, fake},
				{"GET", "/v1/events?mint_batch_id={}", "", sub.BatchID, random()},
				{"GET", "/v1/dpp-schemas/{}", "", "theirs", "nobodys"},
				{"POST", "/v1/products", `{"sku":"X","name":"X","dpp_schema":"{}"}`, "theirs", "nobodys"},
				{"POST", "/v1/mint-requests", encode(t, requestBody("{}", 1)), product.ID, random()},
				{"POST", "/v1/mint-requests/preflight", encode(t, requestBody("{}", 1)), product.ID, random()},
				{"POST", "/v1/mint-requests", encode(t, requestBody(mine.ID, 1, func(m map[string]any) { m["production_batch_id"] = "{}" })), pb.ID, random()},
			} {
				ask := func(id string) *answer {
					put := func(s string) string { return strings.ReplaceAll(s, "{}", id) }
					return w.do(call{method: c.method, path: put(c.path), body: put(c.body), header: map[string]string{"X-Request-Id": "same"}})
				}
				theirs, madeUp := ask(c.theirs), ask(c.madeUp)
				if theirs.status != madeUp.status || string(theirs.body) != string(madeUp.body) {
					t.Errorf("%s %s: %d %s, but a made-up id gets %d %s", c.method, c.path, theirs.status, theirs.body, madeUp.status, madeUp.body)
				}
				theirs.header.Del("Date")
				madeUp.header.Del("Date")
				equal(t, c.path+" headers", theirs.header, madeUp.header)
			}
			for _, path := range []string{"/v1/mint-jobs", "/v1/mint-batches", "/v1/production-batches"} {
				if n := len(decode[list[any]](w.do(call{path: path}).is(http.StatusOK)).Items); n != 0 {
					t.Errorf("%s shows %d rows of another brand", path, n)
				}
			}
		})
		// Ids that are none are nobody's either.
		for _, path := range []string{"/v1/products/x", "/v1/mint-jobs/x", "/v1/mint-jobs/x/watch", "/v1/mint-batches/x", "/v1/mint-batches/x/units",
			"/v1/mint-batches/x/export", "/v1/units/x", "/v1/dpp-schemas/" + strings.Repeat("x", 200), "/v1/events?mint_batch_id=x", "/v1/production-batches?product_id=x"} {
			w.do(call{path: path}).refuses(http.StatusNotFound, mintage.CodeNotFound)
		}
		// The same names belong to each brand anew.
		w.do(call{method: http.MethodPut, path: "/v1/dpp-schemas/theirs", body: `{"type":"object"}`}).is(http.StatusOK)
		w.newProduct("THEIRS")
	})
}

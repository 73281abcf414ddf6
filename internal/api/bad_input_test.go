package api

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"mintage"
)

// marker stands in bad bodies where a careless server would repeat it.
const marker = "s3cretmarker"

// badBodies are refused by every operation that takes JSON, whatever its fields.
var badBodies = map[string]string{
	"nothing but space":         "  ",
	"broken":                    `{"name":"` + marker + `"`,
	"not JSON":                  marker,
	"a list":                    `[{"name":"` + marker + `"}]`,
	"a string":                  `"` + marker + `"`,
	"null":                      `null`,
	"trailing data":             `{"name":"` + marker + `"} {}`,
	"trailing comma":            `{"name":"` + marker + `",}`,
	"invalid UTF-8":             "{\"name\":\"" + marker + "\xff\"}",
	"an overlong NUL":           "{\"name\":\"" + marker + "\xc0\x80\"}",
	"a raw NUL":                 "{\"name\":\"" + marker + "\x00\"}",
	"NUL after the end":         "{\"name\":\"" + marker + "\"}\x00",
	"an escaped NUL":            `{"name":"` + marker + `\u0000"}`,
	"a NUL in a name":           `{"` + marker + `\u0000":1}`,
	"a lone high surrogate":     `{"name":"` + marker + `\ud800"}`,
	"a lone low surrogate":      `{"name":"` + marker + `\udc00x"}`,
	"two high surrogates":       `{"name":"` + marker + `\ud800\ud800"}`,
	"a name twice":              `{"name":"` + marker + `","name":"b"}`,
	"a name twice, escaped":     `{"name":"` + marker + `","n\u0061me":"b"}`,
	"a name in two cases":       `{"name":"` + marker + `","Name":"b"}`,
	"a name folding to another": `{"sku":"` + marker + `","` + "ſ" + `ku":"b"}`,
	"a name twice, inside":      `{"attributes":{"a":[{"x":"` + marker + `","x":2}]}}`,
	"too deep":                  `{"attributes":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`,
	"very deep":                 strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000),
	"a byte order mark":         "\ufeff{}",
}

// jsonOperations are those operations, with a path that would work.
func jsonOperations(w *world) map[string]call {
	p := w.newProduct("P-1")
	return map[string]call{
		"create_product":         {method: http.MethodPost, path: "/v1/products"},
		"update_product":         {method: http.MethodPatch, path: "/v1/products/" + p.ID},
		"put_production_batch":   {method: http.MethodPut, path: "/v1/production-batches/RUN"},
		"submit_mint_request":    {method: http.MethodPost, path: "/v1/mint-requests"},
		"preflight_mint_request": {method: http.MethodPost, path: "/v1/mint-requests/preflight"},
		"put_dpp_schema":         {method: http.MethodPut, path: "/v1/dpp-schemas/own"},
		"update_brand":           {method: http.MethodPatch, path: "/v1/brand"},
		"create_api_key":         {method: http.MethodPost, path: "/v1/api-keys"},
		"rotate_api_key":         {method: http.MethodPost, path: "/v1/api-keys/" + w.brand.keys[mintage.RoleViewer][3:15] + "/rotate"},
		"invite_member":          {method: http.MethodPost, path: "/v1/members"},
		"change_member":          {method: http.MethodPatch, path: "/v1/members/" + p.ID},
		"put_product_links":      {method: http.MethodPut, path: "/v1/products/" + p.ID + "/links"},
		"revoke_unit":            {method: http.MethodPost, path: "/v1/units/" + p.ProductCode + "-000000000000/revoke"},
		"recall_mint_batch":      {method: http.MethodPost, path: "/v1/mint-batches/" + p.ID + "/recall"},
		"recall_lot":             {method: http.MethodPost, path: "/v1/mint-batches/" + p.ID + "/lots/A/recall"},
	}
}

func TestBadBodiesChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		calls := jsonOperations(w)
		for id, o := range operations(w.server) {
			if _, ok := calls[id]; !ok && bodyOf(o).kind == bodyJSON {
				t.Errorf("%s is not tested", id)
			}
		}
		w.unchanged(func() {
			for id, c := range calls {
				for name, bad := range badBodies {
					c.body = bad
					a := w.do(c)
					if a.refuses(http.StatusBadRequest, codeMalformed); bytes.Contains(a.body, []byte(marker)) {
						t.Errorf("%s, %s: the answer repeats the body: %s", id, name, a.body)
					}
				}
				c.body = `{"name":"` + strings.Repeat("x", 1<<20) + `"}`
				w.do(c).refuses(http.StatusRequestEntityTooLarge, codeTooLarge)
				c.body = `{}`
				for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/jsonp", "x"} {
					c.contentType = contentType
					w.do(c).refuses(http.StatusUnsupportedMediaType, codeMediaType)
				}
				c.contentType, c.header = "", map[string]string{"Content-Encoding": "gzip"}
				w.do(c).refuses(http.StatusUnsupportedMediaType, codeMediaType)
			}
		})
		if strings.Contains(w.logged.String(), marker) || strings.Contains(w.logged.String(), "mk_") {
			t.Error("the log repeats a body or a key")
		}
	})
}

// TestBodyWithoutLength sends too much without saying so first.
func TestBodyWithoutLength(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.request(call{path: "/v1/products", body: "x"})
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"name":"`), &endless{left: 2 << 20})), -1
		response, err := w.http.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		equal(t, "status", response.StatusCode, http.StatusRequestEntityTooLarge)
	})
}

// endless is a body of one letter.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.left)
	for i := range n {
		p[i] = 'x'
	}
	e.left -= n
	return n, nil
}

func TestWrongFieldsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.newProduct("P-1")
		viewer := w.brand.keys[mintage.RoleViewer][3:15]
		ok := encode(t, requestBody(p.ID, 10))
		with := func(field string) string { return ok[:len(ok)-1] + "," + field + "}" }
		w.unchanged(func() {
			for _, c := range []struct{ method, path, body, field string }{
				{"POST", "/v1/mint-requests", with(`"surprise":"` + marker + `"`), "/surprise"},
				{"POST", "/v1/mint-requests", with(`"<b>":"` + marker + `"`), ""},
				{"POST", "/v1/mint-requests", strings.Replace(ok, "product_id", "Product_ID", 1), "/Product_ID"},
				{"POST", "/v1/mint-requests", strings.Replace(ok, "product_id", "PRODUCT_ID", 1), "/PRODUCT_ID"},
				{"POST", "/v1/mint-requests", `{"product_id":7}`, "/product_id"},
				{"POST", "/v1/mint-requests", with(`"lots":{}`), "/lots"},
				{"POST", "/v1/mint-requests", with(`"lots":[null]`), "/lots/0"},
				{"POST", "/v1/mint-requests", with(`"lots":[{"lot_code":"A","quantity":"` + marker + `"}]`), "/lots/0/quantity"},
				{"POST", "/v1/mint-requests", with(`"lots":[{"lot_code":"A","quantity":9}]`), "/lots"},
				{"POST", "/v1/mint-requests", with(`"lots":[{"lot_code":"A","quantity":10,"Quantity2":1}]`), "/lots/0/Quantity2"},
				{"POST", "/v1/mint-requests", with(`"serials":["` + marker + `"]`), "/serials"},
				{"POST", "/v1/mint-requests", `{}`, "/product_id"},
				{"POST", "/v1/mint-requests/preflight", `{}`, "/product_id"},
				{"POST", "/v1/products", `{"name":"x"}`, "/sku"},
				{"POST", "/v1/products", `{"sku":"x"}`, "/name"},
				{"POST", "/v1/products", `{"sku":"x","name":"` + marker + `\u0007"}`, "/name"},
				{"POST", "/v1/products", `{"sku":"x","name":"x","attributes":[]}`, "/attributes"},
				{"POST", "/v1/products", `{"sku":"x","name":"x","gtin":"` + marker + `"}`, "/gtin"},
				{"POST", "/v1/products", `{"sku":"x","name":"x","gtin":9521234543213}`, "/gtin"},
				{"POST", "/v1/products", `{"sku":"x","name":"x","dpp_schema":"` + marker + `"}`, "/dpp_schema"},
				{"POST", "/v1/products", `{"sku":"x","name":"x","commercial_status":"` + marker + `"}`, "/commercial_status"},
				{"PATCH", "/v1/products/" + p.ID, `{"name":null}`, "/name"},
				{"PATCH", "/v1/products/" + p.ID, `{"name":5}`, "/name"},
				{"PATCH", "/v1/products/" + p.ID, `{"id":"x"}`, "/id"},
				{"PATCH", "/v1/products/" + p.ID, `{"attributes":null}`, "/attributes"},
				{"PUT", "/v1/production-batches/R", `{"product_id":"` + p.ID + `","quantity":0,"status":"READY"}`, "/quantity"},
				{"PUT", "/v1/production-batches/R", `{"product_id":"` + p.ID + `","quantity":1000000000001,"status":"READY"}`, "/quantity"},
				{"PUT", "/v1/production-batches/R", `{"product_id":"` + p.ID + `","quantity":1e3,"status":"READY"}`, "/quantity"},
				{"PUT", "/v1/production-batches/R", `{"product_id":"` + p.ID + `","quantity":1,"status":"ready"}`, "/status"},
				{"PUT", "/v1/production-batches/R", `{"product_id":"` + p.ID + `","quantity":1,"status":"READY","code":"R"}`, "/code"},
				{"PUT", "/v1/production-batches/R", `{"quantity":1,"status":"READY"}`, "/product_id"},
				{"PUT", "/v1/production-batches/" + strings.Repeat("R", 101), `{"sku":"P-1","quantity":1,"status":"READY"}`, "code"},
				{"PUT", "/v1/dpp-schemas/own", `{"type":"object","properties":{"a":{"type":"` + marker + `"}}}`, "*"},
				{"PUT", "/v1/dpp-schemas/" + strings.Repeat("r", 65), `{"type":"object"}`, "id"},
				{"PATCH", "/v1/brand", `{"name":""}`, "/name"},
				{"PATCH", "/v1/brand", `{"name":null}`, "/name"},
				{"PATCH", "/v1/brand", `{"over_issue_percent":101}`, "/over_issue_percent"},
				{"PATCH", "/v1/brand", `{"over_issue_percent":-1}`, "/over_issue_percent"},
				{"PATCH", "/v1/brand", `{"resolver_base":"http://` + marker + `.example"}`, "/resolver_base"},
				{"PATCH", "/v1/brand", `{"id":"x"}`, "/id"},
				{"POST", "/v1/api-keys", `{"role":"` + marker + `"}`, "/role"},
				{"POST", "/v1/api-keys", `{}`, "/role"},
				{"POST", "/v1/api-keys", `{"role":"viewer","expires_at":"` + marker + `"}`, "/expires_at"},
				{"POST", "/v1/api-keys", `{"role":"viewer","label":"` + strings.Repeat("x", 1000) + `"}`, "/label"},
				{"POST", "/v1/api-keys/" + viewer + "/rotate", `{"overlap_seconds":-1}`, "/overlap_seconds"},
				{"POST", "/v1/api-keys/" + viewer + "/rotate", `{"overlap_seconds":7776001}`, "/overlap_seconds"},
				{"POST", "/v1/api-keys/" + viewer + "/rotate", `{"overlap_seconds":9223372036854775807}`, "/overlap_seconds"},
				{"POST", "/v1/members", `{"email":"` + marker + `","name":"x","role":"viewer"}`, "/email"},
				{"POST", "/v1/members", `{"email":"a@b.example","name":"","role":"viewer"}`, "/name"},
				{"POST", "/v1/members", `{"email":"a@b.example","name":"x","role":"root"}`, "/role"},
				{"GET", "/v1/events?from=" + marker, "", "from"},
				{"GET", "/v1/events?from=2026-01-02T00:00:00Z&until=2026-01-02T00:00:00Z", "", "until"},
				{"GET", "/v1/products?limit=0", "", "limit"},
				{"GET", "/v1/products?limit=201", "", "limit"},
				{"GET", "/v1/products?limit=x", "", "limit"},
				{"GET", "/v1/products?limit=99999999999999999999", "", "limit"},
				{"GET", "/v1/products?cursor=" + marker, "", "cursor"},
				{"GET", "/v1/products?gtin=" + marker, "", "gtin"},
				{"GET", "/v1/products?commercial_status=" + marker, "", "commercial_status"},
				{"GET", "/v1/products?surprise=" + marker, "", "surprise"},
				{"GET", "/v1/products?limit=1&limit=2", "", "*"},
				{"GET", "/v1/products?sku=%00" + marker, "", "*"},
				{"GET", "/v1/products?sku=%ff" + marker, "", "*"},
				{"GET", "/v1/products?sku=%zz" + marker, "", "*"},
				{"GET", "/v1/products/%00" + marker, "", "*"},
				{"GET", "/v1/mint-jobs/%ff" + marker, "", "*"},
				{"GET", "/v1/events?kind=%0a", "", "*"},
			} {
				a := w.do(call{method: c.method, path: c.path, body: c.body})
				p := a.refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
				if bytes.Contains(a.body, []byte(marker)) {
					t.Errorf("%s %s %s: the answer repeats what was sent: %s", c.method, c.path, c.body, a.body)
				}
				if c.field != "*" && (len(p.Errors) == 0 || p.Errors[0].Field != c.field) {
					t.Errorf("%s %s %s: errors %+v, want one at %q", c.method, c.path, c.body, p.Errors, c.field)
				}
			}
		})
	})
}

func TestQuantities(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.newProduct("P-1")
		ok := encode(t, requestBody(p.ID, 7777))
		w.unchanged(func() {
			for _, quantity := range []string{
				"0", "-1", "1000001", "2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551617", "99999999999999999999",
				"-9223372036854775808", `"1"`, "1.5", "1.0", "1e3", "1E0", "-0", "1e999999999", "null", "true", "[]", "{}", "[1]",
			} {
				for _, path := range []string{"/v1/mint-requests", "/v1/mint-requests/preflight"} {
					p := w.do(call{path: path, body: strings.Replace(ok, "7777", quantity, 1)}).refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
					if len(p.Errors) != 1 || p.Errors[0].Field != "/requested_quantity" || p.Errors[0].Message == "" {
						t.Errorf("quantity %s: %+v", quantity, p.Errors)
					}
				}
			}
			for _, text := range []string{"01", "+1", "0x1", "1_000", "Infinity", "NaN", ".5"} {
				w.do(call{path: "/v1/mint-requests", body: strings.Replace(ok, "7777", text, 1)}).refuses(http.StatusBadRequest, codeMalformed)
			}
		})
		w.submit(p.ID, 1)
		w.submit(p.ID, 1_000_000)
	})
}

func TestIdempotencyKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.newProduct("P-1")
		body := encode(t, requestBody(p.ID, 1))
		w.unchanged(func() {
			for _, key := range []string{"", `""`, strings.Repeat("k", 256), "schlüssel", "a\tb"} {
				p := w.do(call{path: "/v1/mint-requests", body: body, header: map[string]string{"Idempotency-Key": key}}).
					refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
				if len(p.Errors) != 1 || p.Errors[0].Field != "Idempotency-Key" {
					t.Errorf("key %q: %+v", key, p.Errors)
				}
			}
			r := w.request(call{path: "/v1/mint-requests", body: body})
			r.Header["Idempotency-Key"] = []string{"a", "b"}
			response, err := w.http.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			equal(t, "status with two keys", response.StatusCode, http.StatusUnprocessableEntity)
		})
		header := map[string]string{"Idempotency-Key": strings.Repeat("k", 255)}
		w.do(call{path: "/v1/mint-requests", body: body, header: header}).is(http.StatusCreated)
		w.do(call{path: "/v1/mint-requests", body: encode(t, requestBody(p.ID, 2)), header: header}).refuses(http.StatusUnprocessableEntity, mintage.CodeKeyReused)
	})
}

package api

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/access"
)

// documented requires that the document lists a refusal of an operation.
func (w *world) documented(r *http.Request, status int) {
	w.t.Helper()
	if w.server == nil || status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable || status == http.StatusMethodNotAllowed {
		return // "default" stands for these
	}
	_, pattern := w.server.mux.Handler(r)
	for id, o := range operations(w.server) {
		if o.Method+" "+o.Path == pattern && o.Responses[strconv.Itoa(status)] == nil {
			w.t.Errorf("%s answers %d, which the document does not say", id, status)
		}
	}
}

// constants returns the values of the domain's constants whose names begin so.
func constants(t *testing.T, prefix string) (values []string) {
	t.Helper()
	for _, file := range []string{"errors.go", "reason.go", "event.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "../../"+file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if strings.HasPrefix(v.Names[0].Name, prefix) {
					value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					values = append(values, value)
				}
			}
		}
	}
	return values
}

func TestDocumentListsTheDomainsConstants(t *testing.T) {
	equal(t, "reasons", toStrings(reasonCodes), constants(t, "Reason"))
	equal(t, "kinds of events", toStrings(eventKinds), constants(t, "Event"))
	known := constants(t, "Code")
	for code := range statuses {
		switch code {
		case codeMalformed, codeMethod, codeTooLarge, codeMediaType, codeTooSlow:
		default:
			if !slices.Contains(known, string(code)) {
				t.Errorf("%s is no code", code)
			}
		}
	}
}

func toStrings[T ~string](list []T) (out []string) {
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

func TestDocumentIsComplete(t *testing.T) {
	s := newServer(Deps{})
	document := s.api.OpenAPI()
	described := map[string]bool{}
	for _, tag := range document.Tags {
		described[tag.Name] = tag.Description != ""
	}
	used := map[string]bool{}
	for id, o := range operations(s) {
		if !described[o.Tags[0]] {
			t.Errorf("%s has the tag %s, which nothing describes", id, o.Tags[0])
		}
		used[o.Tags[0]] = true
		if role, ok := access.LeastRole(access.Operation(id)); ok && !strings.Contains(o.Description, "Needs the role "+string(role)) {
			t.Errorf("%s does not say which role it needs: %q", id, o.Description)
		}
		for _, p := range o.Parameters {
			if p.Description == "" {
				t.Errorf("nothing describes %s of %s", p.Name, id)
			}
		}
		for status, r := range o.Responses {
			switch {
			case r.Ref != "":
				name := strings.TrimPrefix(r.Ref, "#/components/responses/")
				if document.Components.Responses[name] == nil {
					t.Errorf("%s %s refers to %s, which is not there", id, status, r.Ref)
				}
			case status >= "4":
				if r.Content[problemType] == nil {
					t.Errorf("%s %s is no problem", id, status)
				}
			}
			// Where there is something to get.
			made := (status == "201" || id == "submit_mint_request" && status == "200") && o.Tags[0] != "API keys" && o.Tags[0] != "Members"
			if location := r.Headers["Location"] != nil; location != made {
				t.Errorf("%s %s: Location is %v", id, status, location)
			}
		}
	}
	equal(t, "tags in use", used, described)
	for _, id := range slices.Sorted(maps.Keys(requestExamples)) {
		if operations(s)[id] == nil {
			t.Errorf("examples for %s, which is not there", id)
		}
	}
	schemas := document.Components.Schemas.Map()
	for _, name := range []string{"MintJob", "MintBatch", "MintBatchLot", "ListMintJob", "ListMintBatch", "Problem"} {
		if schemas[name] == nil {
			t.Errorf("there is no schema %s", name)
		}
	}
	for _, name := range []string{"errors", "blocking_reasons", "committed_quantity"} {
		if schemas["Problem"].Properties[name].Nullable {
			t.Errorf("%s of a problem is never null", name)
		}
	}
}

// TestExamplesWork sends the examples of requests, and reads those of answers as
// what they are for.
func TestExamplesWork(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		all := operations(w.server)
		key, person, unitID := w.brand.keys[mintage.RoleViewer][3:15], "", ""
		send := func(id, name string, change ...string) *answer {
			t.Helper()
			c := call{method: all[id].Method, path: strings.NewReplacer("{code}", "RUN-1", "members/{id}", "members/"+person, "{id}", key, "{unit_id}", unitID, "{lot_code}", "L-1").Replace(all[id].Path)}
			switch body := requestExamples[id][name].(type) {
			case json.RawMessage:
				c.body = strings.NewReplacer(change...).Replace(string(body))
			case string:
				c.body, c.contentType = body, "text/csv"
			}
			return w.do(c)
		}
		// The example is not complete; a schema that asks for less lets it be minted.
		w.do(call{method: http.MethodPut, path: "/v1/dpp-schemas/own", body: `{"type":"object","properties":{"weight_kg":{"type":"number"}}}`}).is(http.StatusOK)
		made := decode[product](send("create_product", "battery", `"battery"`, `"own"`).is(http.StatusCreated))
		pb := decode[productionBatch](send("put_production_batch", "run").is(http.StatusCreated))
		for name := range mintRequestExamples {
			ids := []string{"0198f2a4-7c11-7d3e-9b52-4f0a6c1d2e3f", made.ID, "0198f2a5-02b7-7a86-8e19-b3c4d5e6f708", pb.ID}
			send("preflight_mint_request", name, ids...).is(http.StatusOK)
			send("submit_mint_request", name, ids...).is(http.StatusCreated)
		}
		rotated := key
		key = made.ID
		send("put_product_links", "shop and leaflet").is(http.StatusOK)
		w.mintAll(mintage.MaxCycle)
		for _, b := range page[mintBatch](w, "/v1/mint-batches", "", 10).Items {
			key = b.ID
			unitID = page[unit](w, "/v1/mint-batches/"+b.ID+"/units", "", 1).Items[0].ID
			send("revoke_unit", "stolen").is(http.StatusOK)
			if *b.Lots[0].LotCode == "L-1" {
				send("recall_lot", "safety").is(http.StatusOK)
			}
			send("recall_mint_batch", "labels").is(http.StatusOK)
		}
		list := decode[revocationAnswer](send("revoke_units", "list").is(http.StatusOK))
		if list.Summary.Rows != 2 || list.Rows[0].Code != mintage.CodeNotFound || len(list.Summary.IgnoredColumns) != 0 {
			t.Errorf("revoke_units: %+v", list)
		}
		key = rotated
		send("update_brand", "settings").is(http.StatusOK)
		send("create_api_key", "erp").is(http.StatusCreated)
		send("rotate_api_key", "a week").is(http.StatusCreated)
		link := decode[invitation](send("invite_member", "operator").is(http.StatusCreated)).SignInURL
		u, err := w.server.Access.UseLink(t.Context(), strings.TrimPrefix(link, "https://mintage.test/link/"), mintage.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		person = u.ID
		send("change_member", "viewer").is(http.StatusNoContent)
		for _, id := range []string{"import_products", "import_production_batches"} {
			for name := range requestExamples[id] {
				got := decode[importAnswer](send(id, name).is(http.StatusOK))
				if got.Summary.Rows != 2 || got.Summary.Refused != 0 || len(got.Summary.IgnoredColumns) != 0 {
					t.Errorf("%s: %+v", id, got)
				}
			}
		}
	})
	for _, c := range []struct {
		examples map[string]*huma.Example
		into     any
	}{{createdExample, &submission{}}, {duplicateExample, &submission{}}, {blockedExample, &problem{}}} {
		for name, example := range c.examples {
			d := json.NewDecoder(bytes.NewReader(example.Value.(json.RawMessage)))
			d.DisallowUnknownFields()
			if err := d.Decode(c.into); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	blocked := problem{}
	if err := json.Unmarshal(blockedExample["blocked"].Value.(json.RawMessage), &blocked); err != nil {
		t.Fatal(err)
	}
	for _, r := range blocked.BlockingReasons {
		if !slices.Contains(reasonCodes, r.Code) {
			t.Errorf("%s is no reason", r.Code)
		}
	}
}

// TestProductionBatchesByCode follows Location for codes that a path could
// mistake for its own.
func TestProductionBatchesByCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.newProduct("P")
		for _, code := range []string{"RUN 1", "2026/07", "a%2Fb", "50%", "Ü+?#&;", "import", "…"} {
			path := "/v1/production-batches/" + url.PathEscape(code)
			a := w.do(call{method: http.MethodPut, path: path, body: `{"sku":"P","quantity":5,"status":"READY"}`}).is(http.StatusCreated)
			want := decode[productionBatch](a)
			equal(t, "code", want.Code, code)
			equal(t, "got by location", decode[productionBatch](w.do(call{path: a.header.Get("Location")}).is(http.StatusOK)), want)
			again := w.do(call{method: http.MethodPut, path: path, body: `{"sku":"P","quantity":5,"status":"READY"}`}).is(http.StatusOK)
			equal(t, "location of what was there", again.header.Values("Location"), []string(nil))
		}
		for _, code := range []string{"run 1", "none", strings.Repeat("x", 300)} {
			w.do(call{path: "/v1/production-batches/" + url.PathEscape(code)}).refuses(http.StatusNotFound, mintage.CodeNotFound)
		}
		w.brand = w.newBrand("https://other.example")
		w.do(call{path: "/v1/production-batches/import"}).refuses(http.StatusNotFound, mintage.CodeNotFound)
	})
}

package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
)

// kind says what an input of an operation identifies.
type kind string

const (
	namesNothing kind = "" // of anybody's
	aProduct     kind = "product id"
	anSKU        kind = "SKU"
	aGTIN        kind = "GTIN"
	aRun         kind = "production batch code"
	aRunID       kind = "production batch id"
	aJob         kind = "job id"
	aBatch       kind = "mint batch id"
	aUnit        kind = "unit id"
	aURL         kind = "resolver URL"
	aLot         kind = "lot code"
	aSchema      kind = "DPP schema id"
	aKey         kind = "API key id"
	aMember      kind = "user id"
	aPerson      kind = "e-mail address"
	anActor      kind = "actor"
	aCursor      kind = "cursor"
	aRequestKey  kind = "idempotency key"
	aBase        kind = "resolver base"
)

// inputs says of every parameter, header and field by its name what it identifies.
// An operation with a name that is not here fails the test.
var inputs = map[string]kind{
	"product_id": aProduct, "sku": anSKU, "search": anSKU, "gtin": aGTIN, "code": aRun, "production_batch_id": aRunID, "mint_batch_id": aBatch,
	"unit_id": aUnit, "resolver_url": aURL, "lot_code": aLot, "dpp_schema": aSchema, "email": aPerson, "actor": anActor,
	"cursor": aCursor, "Idempotency-Key": aRequestKey, "resolver_base": aBase,

	"limit": namesNothing, "kind": namesNothing, "from": namesNothing, "until": namesNothing, "status": namesNothing,
	"commercial_status": namesNothing, "name": namesNothing, "attributes": namesNothing, "quantity": namesNothing,
	"requested_quantity": namesNothing, "identity_mode": namesNothing, "activation_mode": namesNothing, "serials": namesNothing,
	"reason": namesNothing, "link_type": namesNothing, "href": namesNothing, "title": namesNothing, "language": namesNothing,
	"media_type": namesNothing, "context": namesNothing, "default": namesNothing, "tap_to_activate": namesNothing, "accent_colour": namesNothing,
	"role": namesNothing, "label": namesNothing, "expires_at": namesNothing, "overlap_seconds": namesNothing, "gs1_required": namesNothing,
	"over_issue_percent": namesNothing, "lot_from_production_batch": namesNothing, "admins_submit": namesNothing, "Last-Event-ID": namesNothing,
	"default_identity_mode": namesNothing, "default_activation_mode": namesNothing, "cycle_size": namesNothing,
}

// pathKinds says what the parameter "id" of a path identifies.
var pathKinds = map[string]kind{
	"/v1/products/": aProduct, "/v1/mint-jobs/": aJob, "/v1/mint-batches/": aBatch, "/v1/dpp-schemas/": aSchema, "/v1/api-keys/": aKey,
	"/v1/members/": aMember,
}

// csvInputs are the columns of files that identify something.
var csvInputs = map[string][]string{
	"import_products": {"sku", "gtin", "dpp_schema"}, "import_production_batches": {"code", "sku", "product_id"},
	"revoke_units": {"unit_id", "resolver_url"},
}

// slot is one input of an operation.
type slot struct {
	in   string // path, query, header, body or csv
	name string // of a body: "a", or "a/*/b" within a list
	kind kind
}

// slotsOf lists what an operation takes, from the document.
func slotsOf(t *testing.T, s *server, o *huma.Operation) (slots []slot) {
	t.Helper()
	add := func(in, name string) {
		k, known := inputs[name[strings.LastIndexByte(name, '/')+1:]]
		for begin, of := range pathKinds {
			if in == "path" && name == "id" && strings.HasPrefix(o.Path, begin) {
				k, known = of, true
			}
		}
		if !known {
			t.Errorf("%s takes %s %s, of which the test does not say what it identifies", o.OperationID, in, name)
		}
		if k != namesNothing {
			slots = append(slots, slot{in, name, k})
		}
	}
	for _, p := range o.Parameters {
		add(p.In, p.Name)
	}
	if o.RequestBody == nil {
		return slots
	}
	schemas := s.api.OpenAPI().Components.Schemas
	var fields func(prefix string, schema *huma.Schema)
	fields = func(prefix string, schema *huma.Schema) {
		if schema.Ref != "" {
			schema = schemas.SchemaFromRef(schema.Ref)
		}
		for name, field := range schema.Properties {
			if field.Type == huma.TypeArray && field.Items.Ref != "" {
				fields(prefix+name+"/*/", field.Items)
			} else {
				add("body", prefix+name)
			}
		}
	}
	switch bodyOf(o).kind {
	case bodyJSON:
		fields("", o.RequestBody.Content["application/json"].Schema)
	case bodyCSV:
		if csvInputs[o.OperationID] == nil {
			t.Errorf("%s takes a file, of whose columns the test does not know what they identify", o.OperationID)
		}
		for _, column := range csvInputs[o.OperationID] {
			add("csv", column)
		}
	case bodyNone, bodyImage: // an image names nothing
	}
	slices.SortFunc(slots, func(a, b slot) int { return strings.Compare(a.in+a.name, b.in+b.name) })
	return slots
}

// bodies are what a brand sends to operations that take something, with the
// brand's own identifiers; some in several forms. NEW becomes a new name each time.
func (b *tenant) bodies() map[string][]map[string]any {
	request := requestBody(b.own[aProduct], 1)
	run := map[string]any{"quantity": 9, "status": "READY"}
	with := func(m map[string]any, name string, value any) map[string]any {
		m = maps.Clone(m)
		m[name] = value
		return m
	}
	return map[string][]map[string]any{
		"create_product":            {{"sku": "NEW", "name": "New"}},
		"update_product":            {{"name": "Ours"}},
		"put_production_batch":      {with(run, "product_id", b.own[aProduct]), with(run, "sku", b.own[anSKU])},
		"submit_mint_request":       {request},
		"preflight_mint_request":    {request},
		"put_dpp_schema":            {{"type": "object"}},
		"create_api_key":            {{"role": "viewer"}},
		"rotate_api_key":            {{}},
		"invite_member":             {{"email": "NEW@ours.example", "name": "New", "role": "viewer"}},
		"change_member":             {{"role": "operator"}},
		"update_brand":              {{"name": "Ours"}},
		"revoke_unit":               {{"reason": "Ours"}},
		"recall_mint_batch":         {{"reason": "Ours"}},
		"recall_lot":                {{"reason": "Ours"}},
		"put_product_links":         {{"links": []any{}}},
		"put_brand_logo":            {{}},
		"revoke_units":              {{"unit_id": "", "reason": "Ours"}},
		"import_products":           {{"sku": "NEW", "name": "New"}},
		"import_production_batches": {with(with(run, "code", "NEW"), "sku", b.own[anSKU]), with(with(run, "code", "NEW"), "product_id", b.own[aProduct])},
	}
}

// tenant is a brand that owns one of everything.
type tenant struct {
	*brandOf
	own map[kind]string
	// marks are texts that nobody but the brand may ever be shown.
	marks []string
}

// newTenant fills a brand through the API. Both brands of the test have the same
// SKU, GTIN, run, lot, DPP schema and idempotency key, beside what is their own.
func newTenant(w *world, name string) *tenant {
	b := &tenant{brandOf: w.newBrand("https://" + name + ".example/dpp"), own: map[kind]string{}}
	w.brand = b.brandOf
	t := w.t
	const same = "SAME"
	p := decode[product](w.do(call{path: "/v1/products", body: `{"sku":"` + same + `","name":"` + name + ` product","gtin":"9521234543213"}`}).is(http.StatusCreated))
	w.newProduct("second")
	w.do(call{method: http.MethodPut, path: "/v1/dpp-schemas/same", body: `{"type":"object","title":"` + name + ` schema"}`}).is(http.StatusOK)
	w.do(call{method: http.MethodPut, path: "/v1/production-batches/second", body: `{"sku":"SAME","quantity":1,"status":"READY"}`}).is(http.StatusCreated)
	run := decode[productionBatch](w.do(call{method: http.MethodPut, path: "/v1/production-batches/" + same, body: `{"sku":"SAME","quantity":100,"status":"READY"}`}).is(http.StatusCreated))
	body := encode(t, requestBody(p.ID, 3, func(m map[string]any) {
		m["production_batch_id"] = run.ID
		m["lots"] = []any{map[string]any{"lot_code": same, "quantity": 3}}
	}))
	header := map[string]string{"Idempotency-Key": same}
	sub := decode[submission](w.do(call{path: "/v1/mint-requests", body: body, header: header}).is(http.StatusCreated))
	equal(t, "asked again", decode[submission](w.do(call{path: "/v1/mint-requests", body: body, header: header}).is(http.StatusOK)).JobID, sub.JobID)
	w.submit(p.ID, 1)
	w.mintAll(2)
	units := page[unit](w, "/v1/mint-batches/"+sub.BatchID+"/units", "", 10).Items
	w.do(call{path: "/v1/units/" + units[2].ID + "/revoke", body: `{"reason":"` + name + ` reason"}`}).is(http.StatusOK)
	w.do(call{method: http.MethodPut, path: "/v1/products/" + p.ID + "/links", body: `{"links":[{"link_type":"gs1:pip","href":"https://` + name + `.example/","title":"` + name + ` link","default":true}]}`}).is(http.StatusOK)
	w.do(call{method: http.MethodPut, path: "/v1/brand/logo", contentType: "image/png", body: tinyPNG}).is(http.StatusNoContent)
	key := decode[newAPIKey](w.do(call{path: "/v1/api-keys", body: `{"role":"viewer","label":"` + name + ` key"}`}).is(http.StatusCreated))
	m := decode[invitation](w.do(call{path: "/v1/members", body: `{"email":"` + name + `@people.example","name":"` + name + ` person","role":"viewer"}`}).is(http.StatusCreated))
	u, err := w.server.Access.UseLink(t.Context(), strings.TrimPrefix(m.SignInURL, "https://mintage.test/link/"), mintage.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	open := decode[invitation](w.do(call{path: "/v1/members", body: `{"email":"` + name + `-2@people.example","name":"` + name + ` guest","role":"viewer"}`}).is(http.StatusCreated))
	b.own = map[kind]string{
		aProduct: p.ID, anSKU: same, aGTIN: *p.GTIN, aRun: same, aRunID: run.ID, aJob: sub.JobID, aBatch: sub.BatchID, aUnit: units[0].ID, aURL: units[0].ResolverURL,
		aLot: same, aSchema: "same", aKey: key.ID, aMember: u.ID, aPerson: m.Email, anActor: "key:" + key.ID, aRequestKey: same, aBase: b.ResolverBase,
	}
	b.marks = []string{name + " product", name + " schema", name + " key", name + " person", name + " guest", name + " reason", name + " link", name + "@people", open.ID, name + ".example", b.ID, p.ProductCode, units[1].Code}
	for _, k := range []kind{aProduct, aRunID, aJob, aBatch, aUnit, aKey, aMember} {
		b.marks = append(b.marks, b.own[k])
	}
	for _, text := range b.keys {
		b.marks = append(b.marks, text[3:15])
	}
	return b
}

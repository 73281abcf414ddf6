package api

import (
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// tags are the groups of operations, in the order in which documentation shows
// them.
var tags = []*huma.Tag{
	{Name: "Mint requests", Description: "Ask for the units of a product, or ask first what stands in the way."},
	{Name: "Mint jobs", Description: "The execution of accepted mint requests: how far each one is, and why it failed."},
	{Name: "Mint batches", Description: "What mint requests produced, one batch for each job, with its lots and the export for the printer."},
	{Name: "Units", Description: "Minted identities: codes, serials, resolver URLs and what became of them."},
	{Name: "Products", Description: "SKUs, with or without a GTIN, and their DPP attributes."},
	{Name: "Production batches", Description: "Runs known to the ERP, which bound how much is minted for them."},
	{Name: "DPP schemas", Description: "Which attributes a category of products must have before it can be minted."},
	{Name: "Brand", Description: "The brand that the key belongs to, and how it mints."},
	{Name: "API keys", Description: "Keys for programs: their roles, their ends and their secrets, which are shown once."},
	{Name: "Members", Description: "People who may sign in and act for the brand."},
	{Name: "Events", Description: "The audit trail: who did what, and when."},
	{Name: "Health", Description: "For load balancers and supervisors; no key is needed."},
}

// pathIDs describe the parameter id of the paths that begin so.
var pathIDs = map[string]string{
	"/v1/products/":     "The product's id, which its creation and list_products give.",
	"/v1/mint-jobs/":    "The job's id: mint_job_id in the answer to the mint request.",
	"/v1/mint-batches/": "The batch's id: mint_batch_id in the answer to the mint request.",
	"/v1/members/":      "The person's id, or the invitation's, as list_members gives it.",
	"/v1/api-keys/":     "The key's id, which its creation and list_api_keys give; events name it as key:….",
	"/v1/dpp-schemas/":  "The DPP schema's id: one that list_dpp_schemas gives or, to store one, a new name of the brand's choice.",
}

// requestExamples are bodies of operations. The tests send them.
var requestExamples = map[string]map[string]any{
	"submit_mint_request": mintRequestExamples, "preflight_mint_request": mintRequestExamples,
	"create_product": {"battery": json.RawMessage(`{"sku": "CELL-21700", "name": "Battery cell 21700", "gtin": "9521234543213",
		"commercial_status": "ACTIVE", "dpp_schema": "battery", "attributes": {"weight_kg": 0.07}}`)},
	"put_production_batch": {"run": json.RawMessage(`{"sku": "CELL-21700", "quantity": 50000, "status": "READY"}`)},
	"update_brand":         {"settings": json.RawMessage(`{"over_issue_percent": 2, "admins_submit": true, "accent_colour": "#1a5fb4"}`)},
	"revoke_unit":          {"stolen": json.RawMessage(`{"reason": "Stolen on the way to the shop."}`)},
	"recall_mint_batch":    {"labels": json.RawMessage(`{"reason": "The labels were printed twice."}`)},
	"recall_lot":           {"safety": json.RawMessage(`{"reason": "Safety recall 2026-14: the cell may overheat."}`)},
	"put_product_links": {"shop and leaflet": json.RawMessage(`{"links": [
		{"link_type": "gs1:pip", "href": "https://www.brand.example/p/{gtin}", "title": "Product page", "language": "en", "media_type": "text/html", "default": true},
		{"link_type": "gs1:epil", "href": "https://www.brand.example/leaflet/{gtin}?lot={lot}", "title": "Beipackzettel", "language": "de", "media_type": "application/pdf"}]}`)},
	"revoke_units":   {"list": "unit_id,reason\nAB3D5F7H-0123456789AB,Stolen on the way to the shop.\nAB3D5F7H-BA9876543210,Returned and destroyed.\n"},
	"create_api_key": {"erp": json.RawMessage(`{"role": "operator", "label": "ERP", "expires_at": "2099-12-31T00:00:00Z"}`)},
	"rotate_api_key": {"a week": json.RawMessage(`{"overlap_seconds": 604800}`)},
	"invite_member":  {"operator": json.RawMessage(`{"email": "ada@brand.example", "name": "Ada Lovelace", "role": "operator"}`)},
	"change_member":  {"viewer": json.RawMessage(`{"role": "viewer"}`)},
	"import_products": {"products": "sku,name,gtin,commercial_status,dpp_schema,dpp.weight_kg\n" +
		"CELL-21700,Battery cell 21700,9521234543213,ACTIVE,battery,0.07\nSHIRT-M,\"Shirt, size M\",,DRAFT,,\n"},
	"import_production_batches": {"runs": "code,sku,quantity,status\nRUN-2026-07,CELL-21700,50000,READY\nRUN-2026-08,CELL-21700,20000,PLANNED\n"},
}

var mintRequestExamples = map[string]any{
	"run": json.RawMessage(`{"product_id": "0198f2a4-7c11-7d3e-9b52-4f0a6c1d2e3f", "requested_quantity": 20000,
		"identity_mode": "serial", "activation_mode": "first_scan", "production_batch_id": "0198f2a5-02b7-7a86-8e19-b3c4d5e6f708"}`),
	"lots": json.RawMessage(`{"product_id": "0198f2a4-7c11-7d3e-9b52-4f0a6c1d2e3f", "requested_quantity": 1000,
		"identity_mode": "batch", "activation_mode": "active_at_mint",
		"lots": [{"lot_code": "L-1", "quantity": 600}, {"lot_code": "L-2", "quantity": 400}]}`),
}

// Answers to a mint request.
var (
	createdExample = map[string]*huma.Example{"created": {Summary: "Accepted", Value: json.RawMessage(
		`{"mint_job_id": "0198f2a6-5d20-7b14-a3c8-1e2f30415263", "mint_batch_id": "0198f2a6-5d20-7f6a-8c7d-748596a7b8c9", "status": "QUEUED", "is_duplicate": false}`)}}
	duplicateExample = map[string]*huma.Example{"duplicate": {Summary: "Asked again under the same idempotency key", Value: json.RawMessage(
		`{"mint_job_id": "0198f2a6-5d20-7b14-a3c8-1e2f30415263", "mint_batch_id": "0198f2a6-5d20-7f6a-8c7d-748596a7b8c9", "status": "PROCESSING", "is_duplicate": true}`)}}
	blockedExample = map[string]*huma.Example{"blocked": {Summary: "Everything that stands in the way, at once", Value: json.RawMessage(
		`{"type": "about:blank", "title": "Unprocessable Entity", "status": 422,
		"detail": "The mint request is blocked; each blocking reason says what to do.", "code": "MINT_BLOCKED", "request_id": "YDJWQ5HTQK3VB7S2XN4LMFA6CE",
		"blocking_reasons": [
			{"code": "DPP_FIELD_MISSING", "message": "Missing or empty: fill in \"Weight\".", "field": "/attributes/weight_kg"},
			{"code": "QUANTITY_EXCEEDS_PRODUCTION_BATCH", "message": "20000 units are requested, but 10000 remain: the production batch has 50000, of which 40000 are committed.",
				"field": "/requested_quantity", "production_batch_quantity": 50000, "committed_quantity": 40000, "remaining_quantity": 10000}]}`)}}
)

// csvFormat says what every file that is imported looks like.
const csvFormat = "UTF-8, with or without a byte order mark; cells separated by commas or semicolons, quoted as in RFC 4180. " +
	"The first row names the columns, in any order; capitals, spaces, underscores and hyphens in headings make no difference, and other columns are ignored. " +
	"An empty cell says nothing: an import never erases. At most 64 MiB.\n\nColumns:\n\n"

// csvColumns describe the columns of each import.
var csvColumns = map[string]string{
	"import_products": "- name: required.\n" +
		"- sku, gtin: one of the two is required; without an sku it is the GTIN as written.\n" +
		"- commercial_status, or status: DRAFT, ACTIVE (of new products) or DISCONTINUED.\n" +
		"- dpp_schema: the id of a DPP schema.\n" +
		"- dpp.<attribute>, such as dpp.weight_kg: an attribute, of the type that the row's DPP schema gives it; lists and objects are JSON text.\n",
	"import_production_batches": "- code: required; the ERP's own name for the run.\n" +
		"- quantity: required; plain digits.\n" +
		"- status: required; PLANNED, READY or CLOSED.\n" +
		"- sku, product_id: one of the two is required, and both only if they agree.\n",
	"revoke_units": "- unit_id, resolver_url, or gtin and serial: what names the unit; several only if they agree, as in a file of export_mint_batch.\n" +
		"- reason: why; without it, the reason of the query.\n",
}

// addExamples completes the document with what huma cannot derive.
func addExamples(document *huma.OpenAPI) {
	for _, path := range document.Paths {
		for _, o := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if o == nil {
				continue
			}
			for _, p := range o.Parameters {
				for begin, text := range pathIDs {
					if p.In == "path" && p.Name == "id" && strings.HasPrefix(o.Path, begin) {
						p.Description = text
					}
				}
			}
			for name, value := range requestExamples[o.OperationID] {
				for _, media := range o.RequestBody.Content {
					if media.Examples == nil {
						media.Examples = map[string]*huma.Example{}
					}
					media.Examples[name] = &huma.Example{Value: value}
				}
			}
		}
	}
}

package api

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/web"
)

func TestOperationsAndRulesAgree(t *testing.T) {
	var open, ruled []string
	for id, o := range operations(newServer(Deps{})) {
		if o.Metadata[metaPublic] != nil {
			open = append(open, id)
			if o.Security == nil || len(o.Security) > 0 {
				t.Errorf("%s is open, but the document asks for a key", id)
			}
			continue
		}
		ruled = append(ruled, id)
		if err := access.Allow(mintage.Principal{Role: mintage.RoleOwner}, access.Operation(id)); err != nil {
			t.Errorf("%s has no rule: %v", id, err)
		}
		if len(o.Security) != 1 {
			t.Errorf("the document does not say that %s needs a key", id)
		}
	}
	slices.Sort(open)
	equal(t, "operations without a key", open, []string{"get_health", "get_readiness"})
	for _, route := range web.Routes() {
		ruled = append(ruled, string(route.Operation))
	}
	for _, rule := range access.Operations() {
		if rule == "use_account" { // a page's
			continue
		}
		if !slices.Contains(ruled, string(rule)) {
			t.Errorf("the rule for %s is for no operation", rule)
		}
	}
}

func TestDocumentIsDeterministic(t *testing.T) {
	first, err := Document("1")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := Document("1")
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("the document differs from one time to the next (%v)", err)
		}
	}
	for _, word := range []string{"openapi: \"3.1.0\"", "openapi: 3.1.0"} {
		if bytes.Contains(first, []byte(word)) {
			return
		}
	}
	t.Errorf("it is not OpenAPI 3.1:\n%s", first[:200])
}

func TestDocumentOffersTheDomainsStates(t *testing.T) {
	states := func(values any) (all []string) {
		switch values := values.(type) {
		case []mintage.JobStatus:
			for _, v := range values {
				all = append(all, string(v))
			}
		case []mintage.BatchStatus:
			for _, v := range values {
				all = append(all, string(v))
			}
		case []mintage.CommercialStatus:
			for _, v := range values {
				all = append(all, string(v))
			}
		}
		return all
	}
	all := operations(newServer(Deps{}))
	for _, c := range []struct {
		operation, parameter string
		want                 any
	}{
		{"list_mint_jobs", "status", mintage.JobStatuses},
		{"list_mint_batches", "status", mintage.BatchStatuses},
		{"list_products", "commercial_status", mintage.CommercialStatuses},
	} {
		for _, p := range all[c.operation].Parameters {
			if p.Name != c.parameter {
				continue
			}
			var got []string
			for _, v := range p.Schema.Enum {
				got = append(got, v.(string))
			}
			equal(t, c.operation, got, states(c.want))
		}
	}
}

// TestEveryOperation performs each one with success, and fails for a new one
// until it is here.
func TestEveryOperation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		all := operations(w.server)
		missing := maps.Clone(all)
		do := func(operation string, status int, c call, values ...string) *answer {
			t.Helper()
			delete(missing, operation)
			c.method, c.path = all[operation].Method, fill(all[operation].Path, values...)+c.path
			a := w.do(c).is(status)
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: Cache-Control %q", operation, got)
			}
			return a
		}
		do("get_health", 200, call{key: "-"})
		do("get_readiness", 200, call{key: "-"})

		do("put_dpp_schema", 200, call{body: `{"type":"object","properties":{"mass_kg":{"type":"number","x-mintage-access":"public"}},"required":["mass_kg"]}`}, "own")
		detail := decode[dppSchemaDetail](do("get_dpp_schema", 200, call{}, "own"))
		if len(detail.Attributes) != 1 || detail.Attributes[0].Name != "mass_kg" || !detail.Attributes[0].Required || detail.Builtin {
			t.Errorf("DPP schema %+v", detail)
		}
		schemas := do("list_dpp_schemas", 200, call{})
		if n := len(decode[dppSchemaList](schemas).Items); n != 3 {
			t.Errorf("%d DPP schemas", n)
		}
		if strings.Contains(string(schemas.body), "next_cursor") {
			t.Errorf("a list without pages names a cursor: %s", schemas.body)
		}

		a := do("create_product", 201, call{body: `{"sku":"A-1","name":"Cell","gtin":"9521234543213","dpp_schema":"own",
			"attributes":{"mass_kg":1.50,"huge":123456789012345678901234567890.10,"tiny":1e-7}}`})
		made := decode[product](a)
		equal(t, "location", a.header.Get("Location"), "/v1/products/"+made.ID)
		equal(t, "gtin", *made.GTIN, "09521234543213")
		equal(t, "status", made.Status, mintage.ProductActive)
		for _, digits := range []string{`"mass_kg":1.50`, `"huge":123456789012345678901234567890.10`, `"tiny":1e-7`} {
			if got := do("get_product", 200, call{}, made.ID); !strings.Contains(string(got.body), digits) {
				t.Errorf("%s is not in %s", digits, got.body)
			}
		}
		patched := decode[product](do("update_product", 200, call{contentType: "application/merge-patch+json",
			body: `{"name":"Battery cell","gtin":null,"attributes":{"tiny":null,"big":7}}`}, made.ID))
		if patched.Name != "Battery cell" || patched.GTIN != nil || patched.SKU != "A-1" {
			t.Errorf("patched %+v", patched)
		}
		if s := string(patched.Attributes.RawMessage); strings.Contains(s, "tiny") || !strings.Contains(s, `"big":7`) || !strings.Contains(s, "1.50") {
			t.Errorf("patched attributes %s", s)
		}
		if n := len(decode[list[product]](do("list_products", 200, call{path: "?sku=A-1"})).Items); n != 1 {
			t.Errorf("%d products", n)
		}
		do("import_products", 200, call{contentType: "text/csv", body: "sku;name\nA-2;Pack\n"})
		location := do("put_production_batch", 201, call{body: `{"product_id":"` + made.ID + `","quantity":100,"status":"READY"}`}, "RUN-1").header.Get("Location")
		equal(t, "location", location, "/v1/production-batches/RUN-1")
		equal(t, "production batch", decode[productionBatch](do("get_production_batch", 200, call{}, "RUN-1")).Quantity, int64(100))
		do("put_production_batch", 200, call{body: `{"sku":"A-1","quantity":100,"status":"READY"}`}, "RUN-1")
		do("import_production_batches", 200, call{contentType: "text/csv; charset=UTF-8", body: "code,sku,quantity,status\nRUN-2,A-2,5,planned\n"})
		pbs := decode[list[productionBatch]](do("list_production_batches", 200, call{path: "?product_id=" + made.ID})).Items
		if len(pbs) != 1 || pbs[0].Quantity != 100 || pbs[0].Committed != 0 {
			t.Fatalf("production batches %+v", pbs)
		}

		body := encode(t, requestBody(made.ID, 7, func(m map[string]any) { m["production_batch_id"] = pbs[0].ID }))
		ready := decode[preflight](do("preflight_mint_request", 200, call{body: body}))
		if !ready.Ready || ready.BlockingReasons == nil || len(ready.BlockingReasons) != 0 {
			t.Errorf("preflight %+v", ready)
		}
		sub := decode[submission](do("submit_mint_request", 201, call{body: body, header: map[string]string{"Idempotency-Key": `"k"`}}))
		if sub.Status != mintage.JobQueued || sub.IsDuplicate {
			t.Errorf("submission %+v", sub)
		}
		again := decode[submission](do("submit_mint_request", 200, call{body: body, header: map[string]string{"Idempotency-Key": "k"}}))
		if again.JobID != sub.JobID || again.BatchID != sub.BatchID || !again.IsDuplicate {
			t.Errorf("again %+v", again)
		}
		queued := decode[map[string]any](do("get_mint_job", 200, call{}, sub.JobID))
		for _, field := range []string{"started_at", "finished_at", "last_error"} {
			if v, ok := queued[field]; !ok || v != nil {
				t.Errorf("%s of a queued job is %v", field, v)
			}
		}
		w.mintAll(5)
		done := decode[mintJob](do("get_mint_job", 200, call{}, sub.JobID))
		if done.Status != mintage.JobCompleted || done.MintedQuantity != 7 || done.FinishedAt == nil || done.StartedAt == nil || !strings.HasPrefix(done.SubmittedBy, "key:") {
			t.Errorf("job %+v", done)
		}
		if n := len(decode[list[mintJob]](do("list_mint_jobs", 200, call{path: "?status=COMPLETED&product_id=" + made.ID})).Items); n != 1 {
			t.Errorf("%d jobs", n)
		}
		do("watch_mint_job", 200, call{}, sub.JobID)
		b := decode[mintBatch](do("get_mint_batch", 200, call{}, sub.BatchID))
		if b.Status != mintage.BatchMinted || len(b.Lots) != 1 || *b.Lots[0].LotCode != "RUN-1" || *b.ProductionBatchID != pbs[0].ID || b.GTIN != nil {
			t.Errorf("batch %+v", b)
		}
		if n := len(decode[list[mintBatch]](do("list_mint_batches", 200, call{path: "?status=minted"})).Items); n != 1 {
			t.Errorf("%d batches", n)
		}
		units := decode[list[unit]](do("list_units", 200, call{}, sub.BatchID)).Items
		if len(units) != 7 || units[6].Ordinal != 6 || units[0].Status != mintage.TokenMinted || *units[0].Lot != "RUN-1" {
			t.Fatalf("units %+v", units)
		}
		equal(t, "unit", decode[unit](do("get_unit", 200, call{}, units[3].ID)), units[3])
		performLife(t, do, made.ID, sub.BatchID, units)
		do("export_mint_batch", 200, call{}, sub.BatchID)
		events := decode[list[event]](do("list_events", 200, call{path: "?mint_batch_id=" + sub.BatchID})).Items
		if len(events) == 0 || events[0].Kind != mintage.EventBatchExported {
			t.Errorf("events %+v", events)
		}
		performSettings(t, w, do)
		if len(missing) > 0 {
			t.Errorf("not performed: %v", slices.Sorted(maps.Keys(missing)))
		}
	})
}

// performLife performs the operations on what becomes of units, of a batch of seven
// that wait for their first scans, all in one lot.
func performLife(t *testing.T, do func(string, int, call, ...string) *answer, productID, batchID string, units []unit) {
	t.Helper()
	counted := func(want counts) {
		t.Helper()
		got := decode[batchCounts](do("get_mint_batch_counts", 200, call{}, batchID))
		if got.BatchID != batchID || got.Total != want || len(got.Lots) != 1 || got.Lots[0].Counts != want || *got.Lots[0].LotCode != "RUN-1" {
			t.Errorf("counts %+v, want %+v", got, want)
		}
	}
	counted(counts{Minted: 7})
	for _, already := range []bool{false, true} {
		got := decode[revokedUnit](do("revoke_unit", 200, call{body: `{"reason":"Stolen."}`}, units[0].ID))
		if got.AlreadyRevoked != already || got.Status != mintage.TokenRevoked || got.ID != units[0].ID || *got.RevocationReason != "Stolen." || got.RevokedAt == nil {
			t.Errorf("revoked %+v", got)
		}
	}
	detail := decode[unitDetail](do("get_unit", 200, call{}, units[0].ID))
	if len(detail.History) != 2 || detail.History[0].Status != mintage.TokenMinted || detail.History[0].Reason != nil || *detail.History[1].Reason != "Stolen." {
		t.Errorf("history %+v", detail.History)
	}
	listed := decode[revocationAnswer](do("revoke_units", 200, call{path: "?reason=Destroyed.", contentType: "text/csv",
		body: "unit_id,resolver_url,shelf\n" + units[0].ID + ",,\n," + units[1].ResolverURL + ",\nnone,,\n"}))
	want := revocationAnswer{
		Rows: []revocationRow{
			{Row: 2, Accepted: true, Result: "already_revoked", UnitID: units[0].ID}, {Row: 3, Accepted: true, Result: "revoked", UnitID: units[1].ID},
			{Row: 4, Result: "refused", Column: "unit_id", Code: mintage.CodeNotFound, Message: listed.Rows[2].Message},
		},
		Summary: revocationSummary{Rows: 3, Accepted: 2, Revoked: 1, AlreadyRevoked: 1, Refused: 1, IgnoredColumns: []string{"shelf"}},
	}
	equal(t, "list", listed, want)
	counted(counts{Minted: 5, Revoked: 2})
	scans := decode[unitScans](do("get_unit_scans", 200, call{}, units[0].ID))
	if scans.Scans == nil || len(scans.Scans) != 0 || scans.Networks != 0 || scans.Suspicious || scans.Why != nil || scans.Since.IsZero() {
		t.Errorf("scans %+v", scans)
	}
	lot := decode[recall](do("recall_lot", 200, call{body: `{"reason":"Overheats."}`}, batchID, "RUN-1"))
	if lot.AlreadyRecalled || lot.StillMinting || *lot.Lot != "RUN-1" || lot.Quantity != 7 || lot.Reason != "Overheats." || lot.BatchID != batchID {
		t.Errorf("recall %+v", lot)
	}
	if whole := decode[recall](do("recall_mint_batch", 200, call{body: `{"reason":"Again."}`}, batchID)); !whole.AlreadyRecalled || whole.Reason != "Overheats." {
		t.Errorf("recall %+v", whole)
	}
	counted(counts{Revoked: 7})

	put := `{"links":[{"link_type":"https://gs1.org/voc/pip","href":"https://www.example.com/{gtin}","title":"Cell","language":null,"default":true}]}`
	links := decode[productLinks](do("put_product_links", 200, call{body: put}, productID))
	if len(links.Links) != 1 || links.Links[0].Type != "gs1:pip" || links.Links[0].Language != nil || !links.Links[0].Default {
		t.Errorf("links %+v", links)
	}
	equal(t, "links", decode[productLinks](do("get_product_links", 200, call{}, productID)), links)
	do("put_brand_logo", 204, call{contentType: "image/png", body: tinyPNG})
	logo := do("get_brand_logo", 200, call{})
	if string(logo.body) != tinyPNG || logo.header.Get("Content-Type") != "image/png" {
		t.Errorf("the logo has %d bytes of %s", len(logo.body), logo.header.Get("Content-Type"))
	}
	do("delete_brand_logo", 204, call{})
	do("get_brand_logo", 404, call{})
}

// performSettings performs the operations on the brand, its keys and its people.
func performSettings(t *testing.T, w *world, do func(string, int, call, ...string) *answer) {
	t.Helper()
	before := decode[brand](do("get_brand", 200, call{}))
	if before.ID != w.brand.ID || before.Name != "Brand" || !before.LotFromProductionBatch || before.AdminsSubmit ||
		before.DefaultIdentityMode != mintage.IdentitySerial || before.DefaultActivationMode != mintage.ActiveAtMint || before.CycleSize != mintage.MaxCycle {
		t.Errorf("brand %+v", before)
	}
	want := before
	want.DefaultIdentityMode, want.DefaultActivationMode, want.CycleSize = mintage.IdentityBatch, mintage.FirstScan, 5000
	want.OverIssuePercent, want.LotFromProductionBatch, want.TapToActivate = 2, false, true
	colour := "#1a5fb4"
	want.AccentColour = &colour
	equal(t, "changed", decode[brand](do("update_brand", 200, call{contentType: "application/merge-patch+json",
		body: `{"over_issue_percent":2,"lot_from_production_batch":false,"tap_to_activate":true,"accent_colour":"#1A5FB4",
			"default_identity_mode":"batch","default_activation_mode":"first_scan","cycle_size":5000}`})), want)
	want.AccentColour = nil
	equal(t, "taken away", decode[brand](do("update_brand", 200, call{body: `{"accent_colour":null}`})), want)

	a := do("create_api_key", 201, call{body: `{"role":"operator","label":"ERP"}`})
	made := decode[newAPIKey](a)
	if !strings.HasPrefix(made.Key, "mk_"+made.ID) || made.Role != mintage.RoleOperator || *made.Label != "ERP" || made.ExpiresAt != nil {
		t.Errorf("key %+v", made)
	}
	w.do(call{key: made.Key, path: "/v1/products"}).is(http.StatusOK)
	next := decode[newAPIKey](do("rotate_api_key", 201, call{body: `{"overlap_seconds":0}`}, made.ID))
	if next.Role != made.Role || *next.Label != *made.Label || next.Key == made.Key {
		t.Errorf("rotated %+v", next)
	}
	w.do(call{key: made.Key, path: "/v1/products"}).is(http.StatusUnauthorized)
	kept := decode[newAPIKey](do("rotate_api_key", 201, call{body: `{}`}, next.ID))
	w.do(call{key: next.Key, path: "/v1/products"}).is(http.StatusOK) // for a day
	do("revoke_api_key", 204, call{}, kept.ID)
	w.do(call{key: kept.Key, path: "/v1/products"}).is(http.StatusUnauthorized)
	listed := do("list_api_keys", 200, call{})
	keys := decode[apiKeyList](listed).Items
	if len(keys) != 3+len(mintage.Roles) || keys[0].ID != kept.ID || keys[0].RevokedAt == nil || !keys[1].ExpiresAt.Equal(w.clock.Now().Add(defaultOverlap)) {
		t.Errorf("keys %+v", keys)
	}
	for _, secret := range []string{made.Key[15:], next.Key[15:], kept.Key[15:]} {
		if strings.Contains(string(listed.body), secret) || strings.Contains(w.logged.String(), secret) {
			t.Error("a secret is shown a second time")
		}
	}

	invitation := decode[invitation](do("invite_member", 201, call{body: `{"email":"ada@people.example","name":"Ada","role":"viewer"}`}))
	secret, ok := strings.CutPrefix(invitation.SignInURL, "https://mintage.test/link/")
	if !ok || invitation.Email != "ada@people.example" || invitation.Name != "Ada" || invitation.Role != mintage.RoleViewer {
		t.Errorf("invited %+v", invitation)
	}
	members := decode[memberList](do("list_members", 200, call{})).Items
	if len(members) != 1 || members[0] != invitation.Member || members[0].Status != invited {
		t.Errorf("members %+v", members)
	}
	u, err := w.server.Access.UseLink(t.Context(), secret, mintage.Origin{})
	if err != nil {
		t.Fatalf("the link: %v", err)
	}
	do("change_member", 204, call{body: `{"role":"operator"}`}, u.ID)
	members = decode[memberList](do("list_members", 200, call{})).Items
	if len(members) != 1 || members[0].ID != u.ID || members[0].Role != mintage.RoleOperator || members[0].Status != joined {
		t.Errorf("members %+v", members)
	}
	do("remove_member", 204, call{}, u.ID)
	again := decode[memberList](do("list_members", 200, call{})).Items
	equal(t, "members that are left", len(again), 0)
}

func TestDocumentIsServed(t *testing.T) {
	w := &world{t: t, http: serveAlone(t)}
	w.brand = &brandOf{keys: map[mintage.Role]string{mintage.RoleOwner: "x"}}
	asYAML := w.do(call{key: "-", path: "/openapi.yaml"}).is(http.StatusOK)
	want, err := Document("test")
	if err != nil || !bytes.Equal(asYAML.body, want) {
		t.Errorf("the served document is another one (%v)", err)
	}
	asJSON := decode[map[string]any](w.do(call{key: "-", path: "/openapi.json"}).is(http.StatusOK))
	equal(t, "the program's version", decode[health](w.do(call{key: "-", path: "/healthz"})).Version, "program")
	if asJSON["openapi"] != "3.1.0" {
		t.Errorf("openapi is %v", asJSON["openapi"])
	}
}

package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store/storetest"
)

// TestBrand: what was minted or committed before stays as it was, and a resolver
// base is a brand's for ever.
func TestBrand(t *testing.T) {
	eachWall(t, func(t *testing.T, w *world) {
		patch := func(body string) *answer {
			return w.do(call{method: http.MethodPatch, path: "/v1/brand", body: body})
		}
		p := w.newProduct("P")
		patch(`{"over_issue_percent":10}`).is(http.StatusOK)
		run := decode[productionBatch](w.do(call{method: http.MethodPut, path: "/v1/production-batches/R", body: `{"sku":"P","quantity":100,"status":"READY"}`}).is(http.StatusCreated))
		sub := w.submit(p.ID, 110, func(m map[string]any) { m["production_batch_id"] = run.ID })
		w.mintAll(200)
		units := w.do(call{path: "/v1/mint-batches/" + sub.BatchID + "/export"}).is(http.StatusOK).body

		changed := decode[brand](patch(`{"over_issue_percent":0,"resolver_base":"https://NEW.example/dpp/","gs1_required":true,"name":"Other"}`).is(http.StatusOK))
		if changed.ResolverBase != "https://new.example/dpp" || !changed.GS1Required || changed.OverIssuePercent != 0 || changed.Name != "Other" || !changed.LotFromProductionBatch {
			t.Errorf("changed %+v", changed)
		}
		equal(t, "read back", decode[brand](w.do(call{path: "/v1/brand"}).is(http.StatusOK)), changed)
		if again := w.do(call{path: "/v1/mint-batches/" + sub.BatchID + "/export"}).is(http.StatusOK).body; string(again) != string(units) {
			t.Error("what was printed has changed")
		}
		body := encode(t, requestBody(p.ID, 1, func(m map[string]any) { m["production_batch_id"] = run.ID }))
		reasons := w.do(call{path: "/v1/mint-requests", body: body}).refuses(http.StatusUnprocessableEntity, mintage.CodeBlocked).BlockingReasons
		if len(reasons) != 2 || reasons[0].Code != mintage.ReasonGTINRequired || *reasons[1].RemainingQuantity != 0 || *reasons[1].CommittedQuantity != 110 {
			t.Errorf("a request now: %+v", reasons)
		}
		w.unchanged(func() {
			patch(`{}`).is(http.StatusOK)
			patch(`{"name":"Other","resolver_base":"https://new.example/dpp"}`).is(http.StatusOK)
		})
		patch(`{"resolver_base":"https://id.example"}`).is(http.StatusOK) // its own of old
		events := page[event](w, "/v1/events?kind=brand.updated", "", 10).Items
		if len(events) != 3 || *events[1].Message != "Changed: name, resolver_base, gs1_required, over_issue_percent." || events[1].SubjectID != w.brand.ID || events[1].RequestID == nil {
			t.Errorf("events %+v", events)
		}

		w.brand = w.newBrand("https://other.example")
		w.unchanged(func() {
			for _, base := range []string{"https://id.example", "https://NEW.example:443/dpp/"} {
				p := patch(`{"name":"Thief","resolver_base":"`+base+`"}`).refuses(http.StatusConflict, mintage.CodeConflict)
				if len(p.Errors) != 1 || p.Errors[0].Field != "/resolver_base" {
					t.Errorf("another brand's base: %+v", p)
				}
			}
		})
	})
}

// TestEventFilters: each event says from where it came, and lists narrow by all
// filters together.
func TestEventFilters(t *testing.T) {
	eachWall(t, func(t *testing.T, w *world) {
		begin := time.Now()
		w.newProduct("A")
		operator := w.brand.keys[mintage.RoleOperator]
		w.do(call{key: operator, path: "/v1/products/import", contentType: "text/csv", body: "sku,name\nB,B\n", header: map[string]string{"X-Request-Id": "import-7"}}).is(http.StatusOK)
		count := func(filter string) int {
			t.Helper()
			return len(page[event](w, "/v1/events?kind=product.created"+filter, "", 50).Items)
		}
		at := func(d time.Duration) string { return begin.Add(d).UTC().Format(time.RFC3339Nano) }
		for filter, want := range map[string]int{
			"": 2, "&actor=key:" + operator[3:15]: 1, "&actor=key:none": 0, "&from=" + at(-time.Hour): 2, "&from=" + at(time.Hour): 0,
			"&until=" + at(-time.Hour): 0, "&from=" + at(-time.Hour) + "&until=" + at(time.Hour): 2,
			"&from=" + at(-time.Hour) + "&actor=key:" + operator[3:15]: 1,
		} {
			if got := count(filter); got != want {
				t.Errorf("%s: %d events, want %d", filter, got, want)
			}
		}
		e := page[event](w, "/v1/events?actor=key:"+operator[3:15], "", 50).Items[0]
		if *e.RequestID != "import-7" || *e.AddressClass != string(mintage.AddressLoopback) {
			t.Errorf("event %+v", e)
		}
	})
}

// TestManagers: an admin manages operators and viewers, and nobody above.
func TestManagers(t *testing.T) {
	eachWall(t, func(t *testing.T, w *world) {
		admin := w.brand.keys[mintage.RoleAdmin]
		for _, role := range mintage.Roles {
			status := http.StatusCreated
			if !mintage.RoleAdmin.MayManage(role) {
				status = http.StatusForbidden
			}
			w.do(call{key: admin, path: "/v1/api-keys", body: `{"role":"` + string(role) + `"}`}).is(status)
			w.do(call{key: admin, path: "/v1/members", body: `{"email":"` + string(role) + `@people.example","name":"N","role":"` + string(role) + `"}`}).is(status)
		}
		owner := w.brand.keys[mintage.RoleOwner]
		for _, method := range []string{http.MethodDelete, http.MethodPost} {
			c := call{key: admin, method: method, path: "/v1/api-keys/" + owner[3:15]}
			if method == http.MethodPost {
				c.path, c.body = c.path+"/rotate", `{}`
			}
			w.do(c).refuses(http.StatusForbidden, mintage.CodeForbidden)
		}
		w.do(call{key: owner, path: "/v1/products"}).is(http.StatusOK)
	})
}

// TestOverlapsAgree: the document's bound of an overlap is the use case's.
func TestOverlapsAgree(t *testing.T) {
	overlap := newServer(Deps{}).api.OpenAPI().Components.Schemas.Map()["Rotation"].Properties["overlap_seconds"]
	equal(t, "longest overlap", *overlap.Maximum, access.MaxOverlap.Seconds())
}

// TestInvitingAnothersMember: whoever invites a person that has an account with
// another brand learns nothing of it, and gets into nothing.
func TestInvitingAnothersMember(t *testing.T) {
	eachWall(t, func(t *testing.T, w *world) {
		theirs := w.brand
		invite := func(role mintage.Role) (invitation, string) {
			i := decode[invitation](w.do(call{path: "/v1/members", body: `{"email":"eve@people.example","name":"` + theirs.Name + string(role) + `","role":"` + string(role) + `"}`}).is(http.StatusCreated))
			return i, strings.TrimPrefix(i.SignInURL, "https://mintage.test/link/")
		}
		_, secret := invite(mintage.RoleOwner)
		if _, err := w.server.Access.UseLink(t.Context(), secret, mintage.Origin{}); err != nil {
			t.Fatal(err)
		}
		before := w.do(call{path: "/v1/members"}).is(http.StatusOK).body

		w.brand = w.newBrand("https://other.example")
		i, secret := invite(mintage.RoleViewer)
		if i.Name != theirs.Name+"viewer" || i.Role != mintage.RoleViewer {
			t.Errorf("invited %+v", i)
		}
		if u, err := w.server.Access.UseLink(t.Context(), secret, mintage.Origin{}); err == nil {
			t.Errorf("the link of one brand signs in as %+v, an owner of another", u)
		}
		w.do(call{method: http.MethodPatch, path: "/v1/members/" + i.UserID, body: `{"role":"viewer"}`}).refuses(http.StatusNotFound, mintage.CodeNotFound)
		w.do(call{method: http.MethodDelete, path: "/v1/members/" + i.UserID}).refuses(http.StatusNotFound, mintage.CodeNotFound)
		w.brand = theirs
		if after := w.do(call{path: "/v1/members"}).is(http.StatusOK).body; string(after) != string(before) {
			t.Errorf("the other brand's members have changed: %s", after)
		}
	})
}

// TestOneKeyEverywhere: what a key's role and life say holds from the next request
// on, in every process.
func TestOneKeyEverywhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db)
		elsewhere := &world{t: t, db: db, http: serve(t, newServer(Deps{
			Mint: w.server.Mint, Catalogue: w.server.Catalogue, Export: w.server.Export, Access: access.New(db, w.clock.Now),
			CursorKey: w.server.CursorKey,
		}), nil), brand: w.brand}
		made := decode[newAPIKey](w.do(call{path: "/v1/api-keys", body: `{"role":"viewer"}`}).is(http.StatusCreated))
		for range 2 {
			w.newProduct(word())
		}
		cursor := *page[any](w, "/v1/products", "", 1).NextCursor
		if n := len(page[any](elsewhere, "/v1/products", cursor, 1).Items); n != 1 {
			t.Errorf("a cursor of one process gets %d rows of another", n)
		}
		elsewhere.do(call{key: made.Key, path: "/v1/products"}).is(http.StatusOK)
		w.do(call{method: http.MethodDelete, path: "/v1/api-keys/" + made.ID}).is(http.StatusNoContent)
		elsewhere.do(call{key: made.Key, path: "/v1/products"}).is(http.StatusUnauthorized)
	})
}

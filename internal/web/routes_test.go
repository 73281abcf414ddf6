package web

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store/storetest"
)

var wildcard = regexp.MustCompile(`\{[a-z_]+\}`)

// path fills in a route's wildcards.
func (r Route) path() string {
	return wildcard.ReplaceAllString(strings.ReplaceAll(r.Path, "{$}", ""), "nothing")
}

func TestEachRouteHasARule(t *testing.T) {
	public := []string{}
	for _, route := range Routes() {
		if _, ruled := access.LeastRole(route.Operation); ruled == route.Public {
			t.Errorf("%s: public %v, with a rule %v", route.Pattern(), route.Public, ruled)
		}
		if route.Public {
			public = append(public, route.Pattern())
		}
	}
	want := []string{
		"GET /static/{file}", "GET /sign-in", "POST /sign-in", "GET /sign-in/oidc", "GET /sign-in/oidc/callback", "POST /sign-out",
		"GET /link/{secret}", "GET /link", "POST /link", "GET /set-up", "POST /set-up",
	}
	if !slices.Equal(public, want) {
		t.Errorf("routes that need nobody to be signed in: %q", public)
	}
}

// Every route is walked by nobody, by somebody without a brand, and by each role.
func TestRoutesByRole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		people := map[mintage.Role]person{}
		for _, role := range mintage.Roles {
			people[role] = w.invite(brand, string(role)+"@example.com", role)
		}
		gone := w.invite(brand, "gone@example.com", mintage.RoleViewer)
		w.must(w.server.Access.RemoveMember(t.Context(), w.owner(brand), gone.id))

		ask := func(b *browser, route Route) *page {
			if route.Method == http.MethodPost {
				return b.post(route.path())
			}
			return b.get(route.path())
		}
		before := storetest.Snapshot(t, w.db)
		for _, route := range Routes() {
			if route.Public {
				continue
			}
			page := ask(w.browser(), route).wants(http.StatusSeeOther)
			if !strings.HasPrefix(page.header.Get("Location"), "/sign-in") {
				t.Errorf("%s by nobody leads to %s", route.Pattern(), page.header.Get("Location"))
			}
		}
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("nobody has changed something:\n%s", changes)
		}
		for _, route := range Routes() {
			if route.Public {
				for _, p := range people {
					if page := ask(w.as(p), route); page.status >= 500 || strings.HasPrefix(page.header.Get("Location"), "/sign-in?next") {
						t.Errorf("%s is public, and answers %d", route.Pattern(), page.status)
					}
				}
				continue
			}
			ask(w.as(gone), route).wants(http.StatusForbidden, "You are in no brand").lacks(brand.Name)
			least, _ := access.LeastRole(route.Operation)
			for role, p := range people {
				page := ask(w.as(p), route)
				if allowed := role.Includes(least); allowed == (page.status == http.StatusForbidden) || page.status >= 500 {
					t.Errorf("%s by a %s: %d", route.Pattern(), role, page.status)
				}
			}
		}
	})
}

// What no route of today shows: a role that is too low, an operation without a
// rule, and handlers that fail.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		viewer := w.invite(brand, "viewer@example.com", mintage.RoleViewer)
		owner := w.invite(brand, "owner@example.com", mintage.RoleOwner)
		add := func(route Route) {
			w.server.mux.HandleFunc(route.Pattern(), func(rw http.ResponseWriter, r *http.Request) { w.server.serve(route, rw, r) })
		}
		fail := func(err error) func(*visit) error { return func(*visit) error { return err } }
		ok := func(v *visit) error { return v.render(http.StatusOK, "link_used", nil) }
		add(Route{Method: "GET", Path: "/test/admin", Operation: "create_product", handle: ok})
		add(Route{Method: "GET", Path: "/test/unruled", Operation: "unheard_of", handle: ok})
		add(Route{Method: "GET", Path: "/test/unmarked", handle: ok})
		add(Route{Method: "GET", Path: "/test/failing", Operation: opUseAccount, handle: fail(errors.New("the cause is a secret"))})
		add(Route{Method: "GET", Path: "/test/panicking", Operation: opUseAccount, handle: func(*visit) error { panic("the cause is a secret") }})
		add(Route{Method: "GET", Path: "/test/away", Operation: opUseAccount, handle: fail(mintage.Errorf(mintage.CodeUnavailable, "away"))})

		w.as(viewer).get("/test/admin").wants(http.StatusForbidden, "You may not do this", "This needs the role Admin; yours is Viewer in "+brand.Name)
		w.as(owner).get("/test/admin").wants(http.StatusOK)
		w.as(owner).get("/test/unruled").wants(http.StatusForbidden, "You may not do this")
		w.as(owner).get("/test/unmarked").wants(http.StatusForbidden, "You may not do this")
		for _, path := range []string{"/test/failing", "/test/panicking"} {
			page := w.as(owner).get(path).wants(http.StatusInternalServerError, "Something went wrong", brand.Name).lacks("secret")
			page.wants(http.StatusInternalServerError, page.header.Get("X-Request-Id"))
		}
		if !strings.Contains(w.logged.String(), "the cause is a secret") {
			t.Error("the cause is not in the log")
		}
		page := w.as(owner).get("/test/away").wants(http.StatusServiceUnavailable, "not available at the moment")
		if page.header.Get("Retry-After") == "" {
			t.Error("nobody is told when to try again")
		}

		for _, b := range []*browser{w.browser(), w.as(viewer)} {
			for _, path := range []string{"/nowhere", "/mint/nowhere", "/static/app.css", "/static/", "/.git/config", "/sign-in/", "/link/"} {
				b.get(path).wants(http.StatusNotFound, "This page does not exist")
			}
			b.do("DELETE", "/mint", nil, http.Header{"Sec-Fetch-Site": {"same-origin"}}).wants(http.StatusNotFound)
		}
		w.as(viewer).get("/nowhere").wants(http.StatusNotFound, brand.Name)
		w.browser().get("/sign-in/oidc").wants(http.StatusNotFound) // without a provider
		w.browser().get(callbackPath + "?code=1&state=2").wants(http.StatusNotFound)
	})
}

func TestFormsOfOtherSites(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.invite(w.fixture.NewBrand(), "kim@example.com", mintage.RoleOwner)
		b := w.as(p)
		for _, header := range []http.Header{
			{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
		} {
			for _, route := range Routes() {
				if route.Method != http.MethodGet {
					b.do(route.Method, route.path(), url.Values{}, header).wants(http.StatusForbidden, "This form came from another site")
				}
			}
		}
		b.get("/mint").wants(http.StatusOK) // still signed in
		b.do("POST", "/account/brand", url.Values{}, http.Header{"Origin": {w.http.URL}}).wants(http.StatusNotFound)
	})
}

func TestFormsThatNoPageSends(t *testing.T) {
	w := newSQLiteWorld(t)
	b := w.browser()
	for name, form := range map[string]url.Values{
		"broken UTF-8": {"email": {"\xff"}}, "NUL": {"email": {"a\x00b"}}, "twice": {"email": {"a", "b"}}, "a line break": {"password": {"a\nb"}},
		"too long": {"email": {strings.Repeat("a", maxForm)}},
	} {
		page := b.do("POST", "/sign-in", form, http.Header{"Sec-Fetch-Site": {"same-origin"}})
		if page.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, page.status)
		}
	}
}

func TestStaticFiles(t *testing.T) {
	w := newSQLiteWorld(t)
	for name, contentType := range map[string]string{"app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		path := "/static/" + w.server.static.names[name]
		page := w.browser().get(path).wants(http.StatusOK)
		if got := page.header.Get("Content-Type"); got != contentType {
			t.Errorf("%s is %s", name, got)
		}
		if got := page.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s may be kept: %s", name, got)
		}
		if page.header.Get("Set-Cookie") != "" || page.header.Get("Vary") != "" {
			t.Errorf("%s depends on who asks", name)
		}
		w.browser().get("/sign-in").wants(http.StatusOK, path)
	}
}

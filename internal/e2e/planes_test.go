package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
	"mintage/internal/web"
)

// routesOf lists every route of the planes for those who work with mintage, as
// method and path, with ids that nothing has.
func routesOf(t *testing.T) (programs, people []string) {
	t.Helper()
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	_, url := in.serve("--roles=api")
	_, document := (&client{t: t, url: url}).do(http.MethodGet, "/openapi.json", "", "")
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(document, &api); err != nil {
		t.Fatal(err)
	}
	parameter := regexp.MustCompile(`\{[^}]*\}`)
	fill := func(method, path string) string {
		path = strings.TrimSuffix(path, "{$}")
		return method + " " + parameter.ReplaceAllString(path, "00000000-0000-7000-8000-000000000000")
	}
	for path, operations := range api.Paths {
		for method := range operations {
			if path != "/healthz" && path != "/readyz" {
				programs = append(programs, fill(strings.ToUpper(method), path))
			}
		}
	}
	programs = append(programs, "GET /openapi.json", "GET /openapi.yaml")
	for _, route := range web.Routes() {
		people = append(people, fill(route.Method, route.Path))
	}
	return programs, people
}

// status sends a request as an owner would, and follows nothing.
func status(t *testing.T, url, key, route string) int {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	request, err := http.NewRequestWithContext(t.Context(), method, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// A process serves the routes of its roles and no others; without the worker's
// role it mints nothing.
func TestPlanes(t *testing.T) {
	programs, people := routesOf(t)
	if len(programs) < 20 || len(people) < 10 {
		t.Fatalf("%d routes for programs, %d for people", len(programs), len(people))
	}
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		key := text(in.run("key", "create", "--role=owner"), "key")
		wanted := int64(0)
		for _, roles := range []string{"api", "web", "api,worker", "web,worker", "api,web,resolver,worker"} {
			server, url := in.serve("--roles="+roles, "--resolver-listen=127.0.0.1:0")
			has := func(role string) bool { return strings.Contains(roles, role) }
			for _, route := range []string{"GET /healthz", "GET /readyz"} {
				if got := status(t, url, key, route); got != http.StatusOK {
					t.Errorf("%s: %s is %d", roles, route, got)
				}
			}
			if got := status(t, url, key, "GET /v1/products"); (got == http.StatusOK) != has("api") || got != http.StatusOK && got != http.StatusNotFound {
				t.Errorf("%s: products are %d", roles, got)
			}
			if got := status(t, url, key, "GET /sign-in"); (got == http.StatusOK) != has("web") || got != http.StatusOK && got != http.StatusNotFound {
				t.Errorf("%s: the sign-in page is %d", roles, got)
			}
			if !has("api") {
				served(t, roles, url, key, programs)
			}
			if !has("web") {
				served(t, roles, url, key, people)
			}
			if has("resolver") {
				public := "http://" + server.address("serving the resolver")
				if got := status(t, public, key, "GET /healthz"); got != http.StatusOK {
					t.Errorf("%s: the resolver's health is %d", roles, got)
				}
				served(t, roles+", on the resolver's address", public, key, slices.Concat(programs, people))
			}
			wanted += 100
			in.submit("--sku=A", "--quantity=100")
			if has("worker") {
				storetest.Eventually(t, "the worker has minted", in.allDone)
			} else {
				// A worker is woken by the submission, and needs milliseconds.
				for range 200 {
					status(t, url, key, "GET /readyz")
				}
			}
			server.stopped()
			if done := in.allDone(); done != has("worker") {
				t.Errorf("%s: all is minted: %t", roles, done)
			}
		}
		if out := in.refused(1, "serve", "--roles=api,resolver", "--resolver-listen="); !strings.Contains(out, "--resolver-listen") {
			t.Errorf("a resolver without an address of its own: %s", out)
		}
		in.refused(2, "serve", "--roles=api,mint")
		in.exact(wanted)
	})
}

// served reports each route that is there although it must not be.
func served(t *testing.T, where, url, key string, routes []string) {
	t.Helper()
	for _, route := range routes {
		if got := status(t, url, key, route); got != http.StatusNotFound {
			t.Errorf("%s: %s is %d, not 404", where, route, got)
		}
	}
}

// Each plane as its own database role: nothing that they need is refused to them,
// and a role in the wrong place is.
func TestPlanesWithRolesOfTheirOwn(t *testing.T) {
	owner := &installation{t: t, data: t.TempDir(), engine: "postgres", url: pgtest.NewDatabase(t, "")}
	owner.prepare()
	brand := owner.run("brand", "update", "--name=Acme & Co", "--no-admins-submit")
	if text(brand, "name") != "Acme & Co" {
		t.Errorf("the brand is %v", brand)
	}
	key := text(owner.run("key", "create", "--role=owner", "--label=test"), "key")
	logins := pgtest.Roles(t, owner.url)
	as := func(name, url string) *installation {
		return &installation{t: t, data: owner.data, engine: "postgres", env: []string{name + "=" + url}}
	}
	app := as("MINTAGE_DATABASE_URL", logins.App)
	worker := as("MINTAGE_WORKER_DATABASE_URL", logins.Worker)
	resolver := as("MINTAGE_RESOLVER_DATABASE_URL", logins.Resolver)

	for name, refused := range map[string]struct {
		in   *installation
		args []string
	}{
		"a worker as the app":               {as("MINTAGE_WORKER_DATABASE_URL", logins.App), []string{"worker"}},
		"everything as the app":             {app, []string{"serve"}},
		"an operator's command as the app":  {app, []string{"brand", "create", "--name=B", "--resolver-base=https://id.b.example"}},
		"a migration as the app":            {app, []string{"audit", "verify"}},
		"an api without a URL of its own":   {worker, []string{"serve", "--roles=api"}},
		"a command without any URL for one": {worker, []string{"jobs"}},
	} {
		if out := refused.in.refused(1, refused.args...); strings.Contains(out, "INTERNAL") || !strings.Contains(out, "role") {
			t.Errorf("%s: %s", name, out)
		}
	}

	serving, url := app.serve("--roles=api,web")
	working := worker.start("worker", "--log-format=json")
	scanning := resolver.start("serve", "--log-format=json", "--roles=resolver", "--resolver-listen=127.0.0.1:0")
	public := "http://" + scanning.address("serving the resolver")
	if got := status(t, public, "", "GET /readyz"); got != http.StatusOK {
		t.Errorf("the resolver is not ready: %d\n%s", got, scanning.said())
	}

	ready, err := http.Get(public + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(ready.Body)
	if err = errors.Join(err, ready.Body.Close()); err != nil || !strings.Contains(string(said), `"dropped_scans":0`) {
		t.Errorf("the resolver's readiness is %s, %v", said, err)
	}

	c := &client{t: t, url: url, key: key}
	c.do(http.MethodPost, "/v1/products/import", "text/csv", "sku,name,gtin\nC,Product C,\n")
	products, _ := c.json(http.MethodGet, "/v1/products?sku=C", "", 200)["items"].([]any)
	if len(products) != 1 {
		t.Fatalf("products: %v", products)
	}
	product := text(products[0].(map[string]any), "id")
	body := fmt.Sprintf(`{"product_id":%q,"requested_quantity":30000,"identity_mode":"serial","activation_mode":"first_scan"}`, product)
	submitted := c.json(http.MethodPost, "/v1/mint-requests", body, 201, "Idempotency-Key", "order-1")
	if again := c.json(http.MethodPost, "/v1/mint-requests", body, 200, "Idempotency-Key", "order-1"); again["is_duplicate"] != true {
		t.Errorf("the same again: %v", again)
	}
	_, events := c.do(http.MethodGet, "/v1/mint-jobs/"+text(submitted, "mint_job_id")+"/watch", "", "")
	if last := lastData(events); last["status"] != "COMPLETED" {
		t.Errorf("the watch ended with %v\n%s", last, working.said())
	}
	if response, file := c.do(http.MethodGet, "/v1/mint-batches/"+text(submitted, "mint_batch_id")+"/export", "", ""); strings.Count(string(file), "\n") != 30_001 {
		t.Errorf("the export: %s, %d lines", response.Status, strings.Count(string(file), "\n"))
	}
	if list, _ := c.json(http.MethodGet, "/v1/events", "", 200)["items"].([]any); len(list) == 0 {
		t.Error("there are no events")
	}
	newBrowser(t, url).setUp(ownerSecret(serving), "correct horse battery") // of the brand that is there already
	if members, _ := owner.run("member", "list")["items"].([]any); len(members) != 1 {
		t.Errorf("the members: %v", members)
	}
	storetest.Eventually(t, "the events are sealed", func() bool {
		return owner.number(`SELECT coalesce((SELECT max(last_event) FROM event_seals) - (SELECT max(number) FROM events), -1)`) == 0
	})
	if report := owner.run("audit", "verify"); report["ok"] != true {
		t.Errorf("the audit trail: %v", report)
	}
	for _, p := range []*process{serving, working, scanning} {
		p.stopped()
		if said := p.said(); strings.Contains(said, "ERROR") || strings.Contains(said, "keep brands apart") {
			t.Errorf("it logged:\n%s", said)
		}
	}
	owner.exact(30_000)

	// With one role for everything it is said, once.
	one, _ := owner.serve()
	one.stopped()
	if n := strings.Count(one.said(), "keep brands apart"); n != 1 {
		t.Errorf("it is said %d times that the database does not keep brands apart", n)
	}
}

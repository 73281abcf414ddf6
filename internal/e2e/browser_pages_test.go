package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"mintage/internal/web"
)

// What a page may weigh: all responses that it is made of, unpacked.
const heaviest = 150_000

// stop is one look at a page.
type stop struct {
	name string
	path string
}

// looked is what a test does with a page that the tab has just opened.
type looked func(b *tab, name string)

// sample is a brand with everything that pages show.
type sample struct {
	*opened
	product, blocked, production, batch, unit string
	member, key                               string
	batches                                   []stop // besides batch, in every state
}

// stock imports the example catalogue and mints in both modes; one unit was scanned,
// and one is revoked.
func (o *opened) stock() *sample {
	o.t.Helper()
	o.run("import", "products", o.example("catalogue.csv"))
	o.run("import", "production-batches", o.example("production-batches.csv"))
	s := o.sample()
	o.fillLists()
	lots, _ := o.mint("FL-JKT-RAIN-M", 40, "--identity-mode=batch", "--activation-mode=first_scan", "--lot=L-01=15", "--lot=L-02=25")
	failed, _ := o.mint("FL-IND-RACK-10", 10)
	s.fails(failed, 25)
	s.batches = append(s.batches, stop{"batch-lots", "/mint/batches/" + lots})
	var units []printed
	s.batch, units = o.mint("FL-BIKE-36V14", 60, "--production-batch=PB-2027-0731", "--activation-mode=first_scan")
	s.unit = units[0].unitID
	for _, u := range units[:5] {
		scanned(o.t, o.public, u.url, http.StatusTemporaryRedirect)
	}
	o.run("revoke", units[1].unitID, "--reason=The label was torn off.")
	return s.withPeople()
}

// sample names what the example files bring.
func (o *opened) sample() *sample {
	o.t.Helper()
	return &sample{
		opened: o, product: o.lookUp(`SELECT id FROM products WHERE sku = 'FL-BIKE-36V14'`), blocked: o.lookUp(`SELECT id FROM products WHERE sku = 'FL-EV-MOD-08'`),
		production: o.lookUp(`SELECT id FROM production_batches WHERE code = 'PB-2027-0731'`),
	}
}

// fails makes a batch's job one that has failed on the way, past mintage.
func (s *sample) fails(batch string, requested int) {
	s.t.Helper()
	raw := s.raw()
	defer raw.Close()
	for _, statement := range []string{
		fmt.Sprintf(`UPDATE mint_batches SET requested_quantity = %d WHERE id = '%s'`, requested, batch),
		`UPDATE mint_jobs SET status = 'FAILED', consecutive_errors = 3, last_error = 'The key of this product''s serials cannot be read.'
			WHERE number = (SELECT number FROM mint_batches WHERE id = '` + batch + `')`,
	} {
		if _, err := raw.ExecContext(s.t.Context(), statement); err != nil {
			s.t.Fatal(err)
		}
	}
	s.batches = append(s.batches, stop{"batch-failed", "/mint/batches/" + batch})
}

// fillLists imports more than one part of a list shows.
func (o *opened) fillLists() {
	o.t.Helper()
	products, runs := "sku,name,gtin\n", "code,sku,quantity,status\n"
	for i := range 120 {
		products += fmt.Sprintf("FL-SPARE-%03d,Spare part no. %d of the commuter range,\n", i, i)
		runs += fmt.Sprintf("PB-2026-%04d,FL-SPARE-%03d,5000,READY\n", i, i)
	}
	for _, list := range []struct{ kind, rows string }{{"products", products}, {"production-batches", runs}} {
		file := filepath.Join(o.t.TempDir(), list.kind+".csv")
		if err := os.WriteFile(file, []byte(list.rows), 0o600); err != nil {
			o.t.Fatal(err)
		}
		o.run("import", list.kind, file)
	}
}

// withPeople adds a member and a key.
func (s *sample) withPeople() *sample {
	s.t.Helper()
	s.run("member", "invite", "--email=ben@fjordlane.example", "--name=Ben Lind", "--role=operator", "--base-url="+s.tab.url)
	members, _ := s.run("member", "list")["items"].([]any)
	if len(members) < 2 {
		s.t.Fatalf("the members: %v", members)
	}
	owner, _ := members[0].(map[string]any)
	s.member = text(owner, "id")
	s.key = text(s.run("key", "create", "--role=operator"), "id")
	return s
}

// example is the path of an example file.
func (in *installation) example(name string) string {
	in.t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "examples", name))
	if err != nil {
		in.t.Fatal(err)
	}
	return path
}

// pages says for every route that people open how to come to it.
func (s *sample) pages() map[string][]stop {
	one := func(name, path string) []stop { return []stop{{name, path}} }
	return map[string][]stop{
		"GET /{$}":                                      one("start", "/"),
		"GET /mint":                                     one("batches", "/mint"),
		"GET /mint/tokens":                              one("tokens", "/mint/tokens"),
		"GET /mint/exports":                             one("exports", "/mint/exports"),
		"GET /mint/activity":                            one("activity", "/mint/activity"),
		"GET /mint/search":                              {{"search", "/mint/search?q=9520123456788"}, {"search-nothing", "/mint/search?q=nothing+like+it"}},
		"GET /mint/batches/{batch_id}":                  append(s.batches, stop{"batch", "/mint/batches/" + s.batch}),
		"GET /mint/tokens/{unit_id}":                    one("token", "/mint/tokens/"+s.unit),
		"GET /mint/tokens/{unit_id}/revoke":             one("token-revoke", "/mint/tokens/"+s.unit+"/revoke"),
		"GET /mint/batches/{batch_id}/recall":           one("batch-recall", "/mint/batches/"+s.batch+"/recall"),
		"GET /products":                                 one("products", "/products"),
		"GET /products/new":                             one("product-new", "/products/new"),
		"GET /products/import":                          one("products-import", "/products/import"),
		"GET /products/{product_id}":                    one("product", "/products/"+s.product),
		"GET /products/{product_id}/edit":               one("product-edit", "/products/"+s.product+"/edit"),
		"GET /production-batches":                       one("production-batches", "/production-batches"),
		"GET /production-batches/new":                   one("production-batch-new", "/production-batches/new"),
		"GET /production-batches/import":                one("production-batches-import", "/production-batches/import"),
		"GET /production-batches/{production_batch_id}": one("production-batch", "/production-batches/"+s.production),
		"GET /settings":                                 one("settings", "/settings"),
		"GET /settings/members":                         one("settings-members", "/settings/members"),
		"GET /settings/api-keys":                        one("settings-api-keys", "/settings/api-keys"),
		"GET /settings/hosts":                           one("settings-hosts", "/settings/hosts"),
		"GET /settings/minting":                         one("settings-minting", "/settings/minting"),
		"GET /settings/members/invite":                  one("settings-member-invite", "/settings/members/invite"),
		"GET /settings/members/{id}":                    one("settings-member", "/settings/members/"+s.member),
		"GET /settings/api-keys/new":                    one("settings-api-key-new", "/settings/api-keys/new"),
		"GET /settings/api-keys/{id}":                   one("settings-api-key", "/settings/api-keys/"+s.key),
		"GET /account":                                  one("account", "/account"),
		"GET /mint/new": {
			{"wizard-product", "/mint/new"},
			{"wizard-product-search", "/mint/new?q=jacket"},
			{"wizard-production-batch", "/mint/new?step=production-batch&product_id=" + s.product},
			{"wizard-configuration", "/mint/new?step=configuration&product_id=" + s.product + "&production_batch_id=" + s.production +
				"&quantity=250000&lot_code=PB-2027-0731-A&lot_quantity=150000&lot_code=PB-2027-0731-B&lot_quantity=100000"},
			{"wizard-configuration-faults", "/mint/new?step=review&product_id=" + s.product + "&quantity=10&lot_code=A&lot_quantity=3&lot_code=A&lot_quantity=9"},
			{"wizard-blocked", "/mint/new?step=review&product_id=" + s.blocked + "&production_batch_id=" + s.production + "&quantity=1000000"},
			{"wizard-review", "/mint/new?step=review&product_id=" + s.product + "&identity_mode=serial&activation_mode=active_at_mint&quantity=1000"},
		},
	}
}

// notPages are routes that show no page of their own.
var notPages = map[string]string{
	"GET /static/{file}":                        "a file",
	"GET /sign-in/oidc":                         "leads to a provider",
	"GET /sign-in/oidc/callback":                "comes from a provider",
	"GET /sign-in":                              "opened by doors",
	"GET /link/{secret}":                        "opened by doors",
	"GET /set-up":                               "opened by doors",
	"GET /link":                                 "leads on, or says what /link/{secret} does",
	"GET /mint/batches/{batch_id}/progress":     "a stream of events",
	"GET /settings/logo":                        "a picture",
	"GET /mint/start/products.csv":              "a file",
	"GET /mint/start/production-batches.csv":    "a file",
	"GET /products/import/sample.csv":           "a file",
	"GET /production-batches/import/sample.csv": "a file",
	"GET /mint/batches/{batch_id}/export.csv":   "a file",
}

// doors opens what is there before anybody is signed in, and sets mintage up.
func (o *opened) doors(look looked) {
	o.t.Helper()
	b := o.tab
	first := "/link/" + ownerSecret(o.server)
	for _, s := range []stop{{"sign-in", "/sign-in"}, {"no-such-page", "/nowhere"}, {"link", first}} {
		b.visit(s.path)
		look(b, s.name)
	}
	b.follow(buttonOf("/link"))
	look(b, "set-up")
	b.follow(buttonOf("/set-up")) // with nothing filled in
	look(b, "set-up-faults")
	o.setUp()
	look(b, "getting-started")
}

// tour opens every page that there is for the owner. A route to which nobody knows
// the way fails.
func (s *sample) tour(look looked) {
	s.t.Helper()
	pages := s.pages()
	for _, route := range web.Routes() {
		switch pattern := route.Pattern(); {
		case route.Method != http.MethodGet || notPages[pattern] != "":
		case pages[pattern] == nil:
			s.t.Errorf("nobody knows the way to %s", pattern)
		default:
			for _, one := range pages[pattern] {
				s.tab.visit(one.path)
				look(s.tab, one.name)
			}
		}
	}
	// What no path of its own leads to.
	s.tab.visit("/mint/tokens")
	s.tab.click(css(`main tbody a[href^="/mint/tokens/"]`))
	s.tab.has(css(`[role="dialog"], dialog[open]`))
	s.tab.settle()
	look(s.tab, "token-panel")
}

// Every page can be used by everybody, in every colour and size, and none is heavy.
func TestBrowserPages(t *testing.T) {
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	look := func(b *tab, name string) {
		total, parts := b.size()
		if total > heaviest {
			t.Errorf("%s has %d bytes, more than %d: %q", name, total, heaviest, parts)
		}
		took := eval[struct{ Server, Ready, Loaded, Shift float64 }](b, `(() => {
			const [n] = performance.getEntriesByType("navigation");
			return { Server: n.responseStart - n.requestStart, Ready: n.domContentLoadedEventEnd, Loaded: n.loadEventEnd, Shift: window.layoutShift };
		})()`)
		t.Logf("%-26s %6d bytes, answered in %3.0f ms, ready after %3.0f, whole after %3.0f; layout shifted by %.3f", name, total, took.Server, took.Ready, took.Loaded, took.Shift)
		b.stands("while " + name + " opened")
		b.accessible(name)
	}
	o := in.unopened()
	_, err := chromedp.Call(o.tab.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	o.tab.must(err)
	o.doors(look)
	o.stock().tour(look)
	o.server.stopped()
}

package e2e_test

import (
	"net/http"
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
	product, run, batch, unit string
}

// stock imports the example catalogue and mints in both modes; one unit was scanned,
// and one is revoked.
func (o *opened) stock() *sample {
	o.t.Helper()
	o.run("import", "products", o.example("catalogue.csv"))
	o.run("import", "production-batches", o.example("production-batches.csv"))
	s := &sample{opened: o, product: o.lookUp(`SELECT id FROM products WHERE sku = 'FL-BIKE-36V14'`), run: o.lookUp(`SELECT id FROM production_batches WHERE code = 'PB-2027-0731'`)}
	o.mint("FL-JKT-RAIN-M", 40, "--identity-mode=batch", "--activation-mode=first_scan", "--lot=L-01=15", "--lot=L-02=25")
	var units []printed
	s.batch, units = o.mint("FL-BIKE-36V14", 60, "--production-batch=PB-2027-0731", "--activation-mode=first_scan")
	s.unit = units[0].unitID
	for _, u := range units[:5] {
		scanned(o.t, o.public, u.url, http.StatusTemporaryRedirect)
	}
	o.run("revoke", units[1].unitID, "--reason=The label was torn off.")
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
		"GET /mint/batches/{batch_id}":                  one("batch", "/mint/batches/"+s.batch),
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
		"GET /production-batches/{production_batch_id}": one("production-batch", "/production-batches/"+s.run),
		"GET /settings":                                 one("settings", "/settings"),
		"GET /settings/members":                         one("settings-members", "/settings/members"),
		"GET /settings/api-keys":                        one("settings-api-keys", "/settings/api-keys"),
		"GET /settings/hosts":                           one("settings-hosts", "/settings/hosts"),
		"GET /account":                                  one("account", "/account"),
		"GET /mint/new": {
			{"wizard-product", "/mint/new"},
			{"wizard-product-search", "/mint/new?q=jacket"},
			{"wizard-production-batch", "/mint/new?step=production-batch&product_id=" + s.product},
			{"wizard-configuration", "/mint/new?step=configuration&product_id=" + s.product + "&production_batch_id=" + s.run},
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
		if took.Shift >= 0.01 {
			t.Errorf("%s shifts its layout by %.3f while it opens", name, took.Shift)
		}
		b.accessible(name)
	}
	o := in.unopened()
	_, err := chromedp.Call(o.tab.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	o.tab.must(err)
	o.doors(look)
	o.stock().tour(look)
	o.server.stopped()
}

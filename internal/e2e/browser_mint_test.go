package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mintage/internal/store/storetest"
)

// The way of somebody who never calls the API: from an empty brand over the import of
// a catalogue to tokens that are minted in both modes, looked at, scanned and revoked.
func TestBrowserMints(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		o := in.open("--cycle-size=500") // so that there is progress to see
		for _, step := range []struct {
			name string
			do   func(o *opened)
		}{
			{"import", (*opened).imports},
			{"serial mode, submitted twice, live to the end", (*opened).mintsSerials},
			{"batch mode, with lots that must add up", (*opened).mintsLots},
			{"blocked", (*opened).isBlocked},
			{"token preview", (*opened).previews},
			{"revoke", (*opened).revokes},
			{"first scan", (*opened).scans},
		} {
			if !t.Run(step.name, func(t *testing.T) { step.do(o.in(t)) }) {
				break // what follows builds on it
			}
		}
		o.server.stopped()
		in.exact(200_030)
	})
}

// in is the same in a test within the test.
func (o *opened) in(t *testing.T) *opened {
	in, b := *o.installation, o.tab
	outer := b.t
	t.Cleanup(func() {
		b.report(t)
		b.t = outer
	})
	in.t, b.t = t, t
	return &opened{installation: &in, server: o.server, public: o.public, tab: b}
}

// imports brings in the example catalogue, of which each row is accounted for.
func (o *opened) imports() {
	b := o.tab
	b.visit("/products/import")
	b.upload("file", o.example("catalogue.csv"))
	b.follow(buttonOf("/products/import"))
	file, err := os.ReadFile(o.example("catalogue.csv"))
	b.must(err)
	products := strings.Count(string(file), "\n") - 1
	if n := o.number(`SELECT count(*) FROM products`); n != int64(products) {
		b.t.Errorf("%d of %d products were imported", n, products)
	}
	b.sees(fmt.Sprint(products))
	b.visit("/production-batches/import")
	b.upload("file", o.example("production-batches.csv"))
	b.follow(buttonOf("/production-batches/import"))
	b.sees(fmt.Sprint(o.number(`SELECT count(*) FROM production_batches`)))
	b.visit("/products")
	b.sees("FL-JKT-RAIN-M", "Rain jacket, M")
}

const (
	continueButton = "Continue"
	wizard         = "/mint/new"
)

// chooses opens the wizard from the dashboard, finds a product by what is typed and
// chooses a production batch, "" for none.
func (o *opened) chooses(typed, sku, run string) {
	o.t.Helper()
	b := o.tab
	product := o.lookUp(`SELECT id FROM products WHERE sku = '` + sku + `'`)
	b.visit("/mint")
	b.follow(linkTo(wizard))
	b.click(field("q"))
	b.fill(field("q"), typed)
	b.eventually("the search narrows the list down as one types", `(n => n > 0 && n < 5)(document.querySelectorAll('input[name="product_id"][type=radio]').length)`)
	b.click(choice("product_id", product))
	b.sees("Ready to mint")
	b.follow(pressed(continueButton))
	id := ""
	if run != "" {
		id = o.lookUp(`SELECT id FROM production_batches WHERE code = '` + run + `'`)
	}
	b.click(choice("production_batch_id", id))
	b.follow(pressed(continueButton))
}

func (o *opened) mintsSerials() {
	b := o.tab
	o.chooses("commuter 36 14", "FL-BIKE-36V14", "PB-2027-0731")
	b.click(choice("identity_mode", "serial"))
	b.click(choice("activation_mode", "active_at_mint"))
	b.fill(field("quantity"), "0")
	b.follow(pressed(continueButton))
	b.has(css(`[role="alert"]`), css(`[name="quantity"][aria-invalid="true"]`))
	b.fill(field("quantity"), "200,000")
	b.sees(strings.TrimPrefix(o.public, "http://") + "/01/09520123456788")
	b.has(css(`main section svg`)) // its QR code
	b.follow(pressed(continueButton))
	b.has(buttonOf(wizard))

	// The URL holds all of it: through a reload, and through back and forward.
	review := eval[string](b, `location.href`)
	b.leads(func() { b.must(chromedp.Do(b.ctx, chromedp.Reload())) })
	b.sees("200,000", "FL-BIKE-36V14", "PB-2027-0731")
	b.leads(func() { eval[bool](b, `history.back(), true`) })
	if typed := eval[string](b, `document.querySelector('[name="quantity"]').value`); strings.ReplaceAll(typed, ",", "") != "200000" {
		b.t.Errorf("after going back the quantity is %q", typed)
	}
	b.leads(func() { eval[bool](b, `history.forward(), true`) })
	if now := eval[string](b, `location.href`); now != review {
		b.t.Errorf("after back and forward the page is %s, want %s", now, review)
	}

	b.leads(func() { b.doubleClick(buttonOf(wizard)) })
	b.isAt("/mint/batches/")
	batch := b.path()
	b.watch()
	if amounts := o.completes(200_000); len(amounts) < 3 {
		b.t.Errorf("the bar went through %v: progress was not live", amounts)
	}

	// Submitting again, by the back button and in another tab, mints nothing more.
	b.visit(review)
	b.sees("already submitted")
	if o.number(`SELECT count(*) FROM mint_batches`) != 1 {
		b.t.Fatal("a request was minted twice")
	}
	status := eval[string](b, `fetch(`+quote(review)+`, { method: "POST", redirect: "follow" }).then((r) => r.status + " " + new URL(r.url).pathname)`)
	if status != "200 "+batch {
		b.t.Errorf("the same request again: %s, want %s", status, batch)
	}
	if n := o.number(`SELECT count(*) FROM mint_jobs`); n != 1 {
		b.t.Errorf("there are %d jobs", n)
	}
}

// watch begins to note how far the bar of a batch's page is.
func (b *tab) watch() {
	b.t.Helper()
	eval[bool](b, `(() => {
		const main = document.querySelector("main"), bar = () => main.querySelector("progress");
		window.amounts = new Set([bar().value]);
		window.watched = new MutationObserver(() => bar() && window.amounts.add(bar().value));
		window.watched.observe(main, { childList: true, subtree: true, attributes: true });
		return true;
	})()`)
}

// completes waits until the page that is watched says that all is done. It must not
// have been loaded anew: what was noted would be gone.
func (o *opened) completes(units int64) (amounts []float64) {
	o.t.Helper()
	b := o.tab
	b.eventually("the job is completed", `document.querySelector('main [aria-current="step"]').innerText.startsWith("COMPLETED")`)
	b.sees(grouped(units))
	amounts = eval[[]float64](b, `[...window.amounts]`)
	if !slices.IsSorted(amounts) || amounts[len(amounts)-1] != float64(units) {
		b.t.Errorf("the bar went through %v, want up to %d", amounts, units)
	}
	if n := o.minted(); n < units {
		b.t.Errorf("the page says that all is done; %d units are", n)
	}
	b.stands("while progress ran")
	return amounts
}

// grouped writes a number as the pages do.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (o *opened) mintsLots() {
	b := o.tab
	o.chooses("rain jacket", "FL-JKT-RAIN-M", "")
	b.click(choice("identity_mode", "batch"))
	b.click(choice("activation_mode", "first_scan"))
	b.fill(field("quantity"), "30")
	b.click(pressed("Add a lot"))
	b.click(pressed("Add a lot"))
	rows := func(name, value string, row int) {
		b.fill(element{css: fmt.Sprintf(`input[name=%q]`, name), condition: fmt.Sprintf(`[...document.querySelectorAll('input[name=%q]')].indexOf(e) === %d`, name, row)}, value)
	}
	rows("lot_code", "L-01", 0)
	rows("lot_quantity", "12", 0)
	rows("lot_code", "L-02", 1)
	rows("lot_quantity", "17", 1)
	b.follow(pressed(continueButton))
	b.has(css(`[role="alert"]`))
	rows("lot_quantity", "18", 1)
	b.sees("/10/L-01")
	b.follow(pressed(continueButton))
	b.sees("L-01", "L-02")
	b.follow(buttonOf(wizard))
	b.isAt("/mint/batches/")
	b.watch()
	o.completes(30)
}

// isBlocked asks for what cannot be minted: the wizard says all that stands in the
// way, and nothing is created.
func (o *opened) isBlocked() {
	b := o.tab
	jobs := o.number(`SELECT count(*) FROM mint_jobs`)
	product := o.lookUp(`SELECT id FROM products WHERE sku = 'FL-EV-MOD-08'`)
	run := o.lookUp(`SELECT id FROM production_batches WHERE code = 'PB-2027-0820'`)
	b.visit(wizard)
	b.fill(field("q"), "FL-EV-MOD-08")
	b.has(css(fmt.Sprintf(`a[href*="/products/%s"]`, product))) // where it is mended
	b.visit(wizard + "?product_id=" + product + "&production_batch_id=" + run + "&identity_mode=serial&activation_mode=first_scan&quantity=1000000&step=review")
	b.has(css(`[role="alert"]`))
	reasons := eval[int](b, `document.querySelectorAll('[role="alert"] li').length`)
	if reasons < 5 {
		b.t.Errorf("the page tells %d reasons", reasons)
	}
	answer := eval[int](b, `fetch(location.href, { method: "POST" }).then((r) => r.status)`)
	if answer != http.StatusUnprocessableEntity {
		b.t.Errorf("a blocked request is answered %d", answer)
	}
	if n := o.number(`SELECT count(*) FROM mint_jobs`); n != jobs {
		b.t.Errorf("there are %d jobs, want %d", n, jobs)
	}
}

// tokens opens the list and returns the paths of the tokens that it shows.
func (o *opened) tokens() []string {
	o.t.Helper()
	o.tab.visit("/mint/tokens")
	paths := eval[[]string](o.tab, `[...new Set([...document.querySelectorAll('main a[href^="/mint/tokens/"]')].map((a) => new URL(a.href).pathname))].filter((p) => p.split("/").length === 4)`)
	if len(paths) < 2 {
		o.t.Fatalf("the list has %d tokens", len(paths))
	}
	return paths
}

// previews opens tokens at the side: by mouse and by keyboard, and closes them again.
func (o *opened) previews() {
	b := o.tab
	paths := o.tokens()
	panel := css(`[role="dialog"], dialog[open]`)
	for i, act := range []func(e element){
		func(e element) { b.click(e) },
		func(e element) { with[bool](b, e, `function() { this.focus(); return true }`); b.press(kb.Enter) },
	} {
		token := linkTo(paths[i])
		act(token)
		b.has(panel)
		b.eventually("the panel shows the token", `[...document.querySelectorAll('[role="dialog"] svg, dialog[open] svg')].length > 0`)
		b.sees(strings.TrimPrefix(o.public, "http://"))
		if focus := eval[bool](b, `!!document.activeElement.closest('[role="dialog"], dialog[open]')`); !focus {
			b.t.Error("the panel does not have the focus")
		}
		b.press(kb.Escape)
		b.eventually("the panel is closed", `![...document.querySelectorAll('[role="dialog"], dialog[open]')].some((e) => e.checkVisibility())`)
		if focused := b.focused(); focused != "A "+paths[i] {
			b.t.Errorf("the focus went to %q", focused)
		}
	}
	if at := b.path(); at != "/mint/tokens" {
		b.t.Errorf("after the panel the page is %s", at)
	}
	b.press("/")
	b.eventually("the slash leads to the search", `document.activeElement.matches("input[type=search]")`)
}

// revokes takes one token back, for a reason and after a question.
func (o *opened) revokes() {
	b := o.tab
	path := o.tokens()[0]
	unit := path[strings.LastIndex(path, "/")+1:]
	printed := o.lookUp(`SELECT resolver_url FROM units_v WHERE unit_id = '` + unit + `'`)
	b.visit(path)
	b.follow(linkTo(path + "/revoke"))
	b.follow(buttonOf(path + "/revoke"))
	b.has(css(`[role="alert"]`)) // without a reason
	b.fill(field("reason"), "The label was torn off.")
	b.follow(buttonOf(path + "/revoke"))
	b.shows("revoked")
	b.sees("The label was torn off.")
	scanned(b.t, o.public, printed, http.StatusGone)
	if n := o.number(`SELECT count(*) FROM unit_states WHERE status = 'revoked'`); n != 1 {
		b.t.Errorf("%d units are revoked", n)
	}
}

// scans opens a printed URL as a phone does: the token becomes active, and its page
// shows the scan.
func (o *opened) scans() {
	b := o.tab
	var minted []string
	for unit := range o.strings(`SELECT unit_id FROM units_v WHERE status = 'minted'`) {
		minted = append(minted, unit)
	}
	if slices.Sort(minted); len(minted) == 0 {
		b.t.Fatal("no unit waits for its first scan")
	}
	unit := minted[0]
	b.visit("/mint/tokens/" + unit)
	b.shows("minted")
	customer := newTab(b.t, o.public)
	customer.isPhone()
	customer.visit(o.lookUp(`SELECT resolver_url FROM units_v WHERE unit_id = '` + unit + `'`))
	customer.sees("Genuine:", "activated a moment ago")
	b.visit("/mint/tokens/" + unit)
	b.shows("active")
}

// shows waits until the head of a token's page says its state.
func (b *tab) shows(state string) {
	b.t.Helper()
	b.eventually("the token is "+state, `document.querySelector("main article header").innerText.toLowerCase().split(/\s+/).includes(`+quote(state)+`)`)
}

// A page that shows progress survives the end of the server, and goes on by itself
// when there is one again.
func TestBrowserReconnects(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		o := in.open("--roles=api,web,resolver") // nobody mints
		b := o.tab
		in.catalogue()
		job := in.run("submit", "--sku=A", "--quantity=100000")
		b.visit("/mint/batches/" + text(job, "mint_batch_id"))
		b.sees("QUEUED")
		b.watch()
		in.env = append(in.env, "MINTAGE_LISTEN="+strings.TrimPrefix(b.url, "http://"))
		o.server.kill()

		server, _ := in.serve("--cycle-size=500")
		if amounts := o.completes(100_000); amounts[0] != 0 {
			t.Errorf("the bar went through %v", amounts)
		}
		server.stopped()
		in.exact(100_000)
	})
}

// All but live progress works where there is no script.
func TestBrowserWithoutScript(t *testing.T) {
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	o := in.open()
	b := o.tab
	in.catalogue()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.must(err)
	b.visit(wizard)
	b.fill(field("q"), "product a")
	b.leads(func() { b.press(kb.Enter) })
	b.click(choice("product_id", o.lookUp(`SELECT id FROM products WHERE sku = 'A'`)))
	b.follow(pressed(continueButton))
	b.click(choice("production_batch_id", ""))
	b.follow(pressed(continueButton))
	b.fill(field("quantity"), "12")
	b.fill(field("lot_code"), "L-01")
	b.fill(field("lot_quantity"), "12")
	b.follow(pressed(continueButton))
	b.follow(buttonOf(wizard))
	b.isAt("/mint/batches/")
	batch := b.path()
	storetest.Eventually(t, "all is minted", in.allDone)
	b.visit(batch)
	b.has(css(`main [aria-current="step"]`))
	b.sees("COMPLETED", "L-01")

	token := o.tokens()[0]
	b.follow(linkTo(token))
	b.isAt(token)
	b.follow(linkTo(token + "/revoke"))
	b.fill(field("reason"), "The label was torn off.")
	b.follow(buttonOf(token + "/revoke"))
	b.shows("revoked")
	o.server.stopped()
	in.exact(12)
}

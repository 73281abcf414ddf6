package web

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store/storetest"
)

// rolledUp brings the stored counts up to date, as a worker does each second.
func (w *world) rolledUp() {
	w.t.Helper()
	w.must(storetest.RollUp(w.t.Context(), w.db, 1000))
}

// nextPart is where the link to the next part of a list leads, "" at the end.
func (p *page) nextPart() string {
	found := regexp.MustCompile(`<a class="button" href="([^"]+)" data-more>`).FindStringSubmatch(p.body)
	if found == nil {
		return ""
	}
	return strings.ReplaceAll(found[1], "&amp;", "&")
}

// figure is a key figure of the head.
func (p *page) figure(name string) string {
	p.t.Helper()
	found := regexp.MustCompile(`<dt>` + name + `</dt><dd>(?:<a[^>]*>)?([^<]*)`).FindStringSubmatch(p.body)
	if found == nil {
		p.t.Fatalf("there is no figure %s", name)
	}
	return found[1]
}

func TestDashboardHead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		viewer, operator := w.invite(brand, "v@example.com", mintage.RoleViewer), w.invite(brand, "o@example.com", mintage.RoleOperator)
		w.fixture.Now = w.clock.Now
		product := w.fixture.NewProduct(brand)
		scanned := w.fixture.Submit(product, 1200)
		w.fixture.Mint(1200)
		w.fixture.SubmitRequest(storetest.Submission{Product: product, Quantity: 50, ActivationMode: mintage.ActiveAtMint})
		w.fixture.Mint(50)
		w.fixture.Submit(product, 5)
		w.fixture.Fail()
		w.fixture.Submit(product, 5)
		w.fixture.Submit(w.fixture.NewProduct(other), 77)
		w.fixture.Activate(&scanned.Batch, 0, 1, 2)
		w.fixture.Revoke(&scanned.Batch, "r", 1)
		w.rolledUp()

		page := w.as(operator).get("/mint").wants(http.StatusOK, "New mint request", `href="/mint/new"`, `action="/mint/search"`, `aria-current="page">Batches`,
			`href="/mint/tokens"`, `href="/mint/exports"`, `href="/mint/activity"`, "1,250 minted, 3 activated by a scan", `/mint?state=FAILED`)
		for name, want := range map[string]string{
			"Minted today": "1,250", "Total": "1,250", "Active": "52", "Revoked": "1", "Scans": "0", "Running": "1", "Failed": "1",
		} {
			if got := page.figure(name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		if days := strings.Count(page.body, `<rect class="place"`); days != mint.OverviewDays {
			t.Errorf("the chart has %d days", days)
		}
		// A viewer mints nothing, and sees no codes in bulk.
		w.as(viewer).get("/mint").wants(http.StatusOK, `href="/mint/activity"`).lacks("New mint request", `href="/mint/tokens"`, `href="/mint/exports"`)
	})
}

func TestChart(t *testing.T) {
	all, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, time.March, 29, 0, 0, 0, 0, time.UTC)
	c := newChart(all.list[0], []mint.Day{{Day: day}, {Day: day.AddDate(0, 0, 1), Minted: 1_000_000, Activated: 500_000}, {Day: day.AddDate(0, 0, 2), Activated: 1}})
	if c.Most != 1_000_000 || c.First() != "29 Mar" || c.Last() != "31 Mar" || c.Width != 3*chartStep {
		t.Errorf("the chart is %+v", c)
	}
	for i, want := range [][2]int{{0, 0}, {chartHeight, chartHeight / 2}, {0, 2}} {
		d := c.Days[i]
		if d.MintedBar.Height != want[0] || d.ActivatedBar.Height != want[1] || d.MintedBar.Y+d.MintedBar.Height != chartHeight {
			t.Errorf("day %d has the bars %+v and %+v", i, d.MintedBar, d.ActivatedBar)
		}
	}
	if empty := newChart(all.list[1], []mint.Day{{Day: day}}); empty.Days[0].MintedBar.Height != 0 || empty.First() != "29.03." {
		t.Errorf("where nothing happened: %+v", empty)
	}
}

func TestBatchesByPart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleViewer)
		first, second := w.fixture.NewProduct(brand), w.fixture.NewProduct(brand)
		var ids []string
		for i := range 2*batchesLength + 3 {
			product := first
			if i%2 == 0 {
				product = second
			}
			ids = append(ids, w.fixture.Submit(product, 1).Batch.ID)
		}
		w.fixture.Mint(1)
		w.fixture.Fail()
		foreign := w.fixture.Submit(w.fixture.NewProduct(w.fixture.NewBrand()), 1)
		b := w.as(kim)
		walk := func(path string) (found []string) {
			t.Helper()
			for ; path != ""; path = b.get(path).nextPart() {
				for _, m := range regexp.MustCompile(`<tr id="batch-([^"]+)"`).FindAllStringSubmatch(b.get(path).wants(http.StatusOK).body, -1) {
					found = append(found, m[1])
				}
			}
			return found
		}
		reversed := func(keep func(i int) bool) string {
			text := ""
			for i, id := range slices.Backward(ids) {
				if keep(i) {
					text += id + " "
				}
			}
			return text
		}
		for path, keep := range map[string]func(int) bool{
			"/mint":                                      func(int) bool { return true },
			"/mint?state=RUNNING":                        func(i int) bool { return i > 1 },
			"/mint?state=QUEUED":                         func(i int) bool { return i > 1 },
			"/mint?state=COMPLETED":                      func(i int) bool { return i == 0 },
			"/mint?state=FAILED&sku=" + first.SKU:        func(i int) bool { return i == 1 },
			"/mint?sku=" + second.SKU:                    func(i int) bool { return i%2 == 0 },
			"/mint?state=NONSENSE":                       func(int) bool { return true },
			"/mint?sku=%FF":                              func(int) bool { return true },
			"/mint?state=COMPLETED&sku=" + first.SKU:     func(int) bool { return false },
			"/mint?sku=nothing":                          func(int) bool { return false },
			"/mint?state=PROCESSING&sku=" + second.SKU:   func(int) bool { return false },
			"/mint?state=RUNNING&sku=" + first.SKU + "x": func(int) bool { return false },
		} {
			if got, want := strings.Join(append(walk(path), ""), " "), reversed(keep); got != want {
				t.Errorf("%s shows %s instead of %s", path, got, want)
			}
		}
		b.get("/mint?sku=nothing").wants(http.StatusOK, "Nothing matches", `value="nothing"`, `href="/mint">Clear filter`)
		b.get("/mint?state=FAILED").wants(http.StatusOK, `<option value="FAILED" selected>`).lacks("data-live")
		b.get("/mint").wants(http.StatusOK, "data-live").lacks(foreign.Batch.ID)

		// A cursor is of one list of one brand, and nobody makes one up.
		next := b.get("/mint").nextPart()
		_, cursor, _ := strings.Cut(next, "cursor=")
		b.get("/mint?cursor=nonsense").wants(http.StatusBadRequest)
		b.get("/mint/activity?cursor=" + cursor).wants(http.StatusBadRequest)
		stranger := w.invite(w.fixture.NewBrand(), "s@example.com", mintage.RoleOwner)
		w.as(stranger).get(next).wants(http.StatusBadRequest)
	})
}

func TestWhoSubmitted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOwner)
		former := w.invite(brand, "former@example.com", mintage.RoleOperator)
		p := w.owner(brand)
		key, _, err := w.server.Access.CreateKey(t.Context(), p, mintage.RoleOperator, "ERP", time.Time{})
		w.must(err)
		product := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.Status = mintage.ProductActive })
		for _, actor := range []string{"user:" + kim.id, "user:" + former.id, "key:" + key.ID, "cli", "key:gone", "user:" + storetest.NewID(), "worker:1", "?"} {
			by := p
			by.Actor = actor
			_, err := w.server.Mint.Submit(t.Context(), by, &mintage.MintRequest{
				ProductID: product.ID, RequestedQuantity: 1, IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.FirstScan,
			}, "")
			w.must(err)
		}
		w.must(w.server.Access.RemoveMember(t.Context(), p, former.id))
		page := w.as(kim).get("/mint").wants(http.StatusOK, "ERP (API key)", "Command line", "gone (API key)", "A former member", "Worker", "Somebody")
		if n := strings.Count(page.body, `title="Kim Example">Kim Example`); n != 2 {
			t.Errorf("%d rows are by people whose names are known", n)
		}
	})
}

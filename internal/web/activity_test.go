package web

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// eventKinds are all there are, as the domain writes them.
func eventKinds(t *testing.T) (kinds []mintage.EventKind) {
	t.Helper()
	source, err := os.ReadFile("../../event.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\tEvent\w+ .*= "([a-z_.]+)"`).FindAllSubmatch(source, -1) {
		kinds = append(kinds, mintage.EventKind(m[1]))
	}
	if len(kinds) < 27 {
		t.Fatalf("only %d kinds of events were found", len(kinds))
	}
	return kinds
}

// Whatever can happen has words in each language, and a place in the filter.
func TestEveryEventHasWords(t *testing.T) {
	all, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range eventKinds(t) {
		grouped := 0
		for _, g := range activityGroups() {
			if slices.Contains(g.kinds, kind) {
				grouped++
			}
		}
		if grouped != 1 {
			t.Errorf("%s is in %d groups", kind, grouped)
		}
		keys := []string{"activity." + string(kind)}
		switch kind {
		case mintage.EventJobTransition:
			keys = keys[:0]
			for _, s := range []mintage.JobStatus{mintage.JobQueued, mintage.JobCompleted, mintage.JobFailed} {
				keys = append(keys, "activity.mint_job.transition."+string(s))
			}
		case mintage.EventBatchCycle, mintage.EventBatchTransition: // nobody is shown them
			continue
		default:
		}
		for _, l := range all.list {
			for _, key := range keys {
				if l.texts[key] == "" {
					t.Errorf("%s has no words for %s", l.code, key)
				}
			}
		}
	}
}

// shownEvents are the rows of the tab.
func (p *page) shownEvents() []string {
	var rows []string
	for _, m := range regexp.MustCompile(`(?s)<th scope="row">(.*?)</th>`).FindAllStringSubmatch(p.body, -1) {
		rows = append(rows, strings.TrimSpace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[1], "")))
	}
	return rows[countDays(p):]
}

// countDays is how many rows the chart's table has.
func countDays(p *page) int {
	_, table, _ := strings.Cut(p.body, `<div class="visually-hidden">`)
	table, _, _ = strings.Cut(table, "</table>")
	return strings.Count(table, `<th scope="row">`)
}

func TestActivity(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fixture.Now = w.clock.Now
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOwner)
		former := w.invite(brand, "f@example.com", mintage.RoleOperator)
		owner := w.owner(brand)
		product := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.Name = "Trail <jacket>" })
		work := w.fixture.Submit(product, 30, mintage.LotRequest{LotCode: "A", Quantity: 10}, mintage.LotRequest{LotCode: "B", Quantity: 20})
		w.fixture.Mint(30)
		w.fixture.Activate(&work.Batch, 0, 1, 2)
		unit, err := w.server.Mint.Units(t.Context(), owner, work.Batch.ID, -1, 1)
		w.must(err)
		by := owner
		by.Actor = "user:" + former.id
		_, _, err = w.server.Mint.RevokeUnit(t.Context(), by, unit[0].ID, "Label <torn>")
		w.must(err)
		_, err = w.server.Mint.RecallLot(t.Context(), owner, work.Batch.ID, "B", "Wrong ink")
		w.must(err)
		failed := w.fixture.Submit(product, 5)
		w.fixture.Fail()
		_, err = w.server.Export.Batch(t.Context(), owner, work.Batch.ID)
		w.must(err)
		w.must(w.server.Access.RemoveMember(t.Context(), owner, former.id))
		foreign := w.fixture.Submit(w.fixture.NewProduct(w.fixture.NewBrand(), func(p *mintage.Product) { p.Name = "Secret thing" }), 1)

		b := w.as(kim)
		page := b.get("/mint/activity").wants(http.StatusOK, "Trail <jacket>", "30 units exported", "Token revoked", "Label <torn>", "lot B: Wrong ink", "20 units recalled",
			"Mint request submitted", "Minting completed", "Minting failed", "Minting attempt failed", "Member or invitation removed", "Member joined",
			"/mint/batches/"+work.Batch.ID, "/mint/batches/"+failed.Batch.ID, "/mint/tokens/"+unit[0].ID, "Kim Example", "(API key)").
			lacks("Secret thing", foreign.Batch.ID, "activity.", "RESERVED")
		if strings.Contains(page.body, "<torn>") || strings.Contains(page.body, "<jacket>") {
			t.Error("what people wrote is not escaped")
		}
		rows := page.shownEvents()
		if i, j := slices.Index(rows, "30 units exported"), slices.IndexFunc(rows, func(r string) bool { return strings.HasPrefix(r, "Token revoked") }); i < 0 || j < i {
			t.Errorf("newest first: %q", rows)
		}
		for query, want := range map[string][]string{
			"group=exports":                                  {"30 units exported"},
			"group=exports&actor=user:" + kim.id:             {},
			"group=revocations":                              {"20 units recalled lot B: Wrong ink", "Token revoked Label &lt;torn&gt;"},
			"actor=user:" + former.id + "&group=revocations": {"Token revoked Label &lt;torn&gt;"},
			"group=keys&until=2020-01-01":                    {},
			"group=exports&from=2020-01-01":                  {"30 units exported"},
			"from=2999-01-01":                                {},
			"group=exports&from=yesterday":                   {"30 units exported"},
			"group=brand":                                    {},
			"actor=nobody":                                   {},
		} {
			got := b.get("/mint/activity?" + query).wants(http.StatusOK).shownEvents()
			if !slices.Equal(got, want) && len(got)+len(want) > 0 {
				t.Errorf("%s shows %q instead of %q", query, got, want)
			}
		}
		b.get("/mint/activity?group=exports&actor=user:"+kim.id+"&from=2026-01-02").wants(http.StatusOK, `<option value="exports" selected>`,
			`<option value="user:`+kim.id+`" selected>Kim Example`, `name="from" value="2026-01-02"`, "Clear filter")
		b.get("/mint/activity?from=2026-02-02&until=2026-01-01").wants(http.StatusOK, "No day lies between")
		today := w.clock.Now().UTC().Format(time.DateOnly)
		if got := b.get("/mint/activity?group=exports&from=" + today + "&until=" + today).shownEvents(); len(got) != 1 {
			t.Errorf("a day is whole: %q", got)
		}
		// The URL alone tells nobody's name.
		stranger := w.invite(w.fixture.NewBrand(), "s@example.com", mintage.RoleOwner)
		theirs := b.get("/mint/activity?actor=user:"+stranger.id).wants(http.StatusOK, "A former member", "Nothing matches")
		nobodys := b.get("/mint/activity?actor=user:"+storetest.NewID()).wants(http.StatusOK, "A former member", "Nothing matches")
		if len(theirs.body) != len(nobodys.body) {
			t.Error("another brand's member does not look like nobody")
		}
		german := w.as(kim)
		german.accept = "de"
		german.get("/mint/activity").wants(http.StatusOK, "30 Einheiten exportiert", "Los B: Wrong ink")
	})
}

func TestActivityByPart(t *testing.T) {
	eachStore(t, func(t *testing.T, db *storetest.DB, s store.Store) {
		w := newWorld(t, db, s)
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleViewer)
		product := w.fixture.NewProduct(brand)
		submitted := activityLength + 7
		for range submitted {
			w.fixture.Submit(product, 1)
		}
		b := w.as(kim)
		var rows []string
		parts := 0
		for path := "/mint/activity?group=minting"; path != ""; parts++ {
			page := b.get(path).wants(http.StatusOK)
			rows = append(rows, page.shownEvents()...)
			path = page.nextPart()
		}
		if len(rows) != submitted || parts != 2 {
			t.Errorf("%d rows in %d parts", len(rows), parts)
		}
	})
}

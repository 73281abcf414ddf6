package e2e_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe is the source of axe-core, which make setup-tests installs. It is evaluated by
// the browser's own debugger: the pages' policy of content would refuse it.
var axe = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile("../../tools/axe/node_modules/axe-core/axe.min.js")
	return string(source), err
})

// finding is a rule that a page breaks.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct {
		Target         []any // a selector, or one for each frame
		FailureSummary string
	}
}

// serious are the findings of axe-core, which must be in the page, that keep somebody
// from using it.
func (b *tab) serious() []finding {
	b.t.Helper()
	all := eval[[]finding](b, `axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations)`)
	return slices.DeleteFunc(all, func(f finding) bool { return f.Impact != "serious" && f.Impact != "critical" })
}

// loadAxe puts axe-core into the page.
func (b *tab) loadAxe() {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		b.t.Fatalf("%v; run make setup-tests", err)
	}
	b.must(chromedp.Do(b.ctx, chromedp.Evaluate[chromedp.Void](source)))
}

// accessible asserts that axe-core finds nothing serious in what the tab shows, in
// light and in dark, in a window and on a phone, and that no reader must scroll
// sideways.
func (b *tab) accessible(name string) {
	b.t.Helper()
	b.loadAxe()
	defer b.looks(1280, 900, "light")
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			b.looks(width, 900, scheme)
			for _, found := range b.serious() {
				for _, node := range found.Nodes {
					b.t.Errorf("%s, %s at %d px: %s (%s, %s) at %v: %s", name, scheme, width, found.Help, found.ID, found.Impact,
						node.Target, strings.Join(strings.Fields(node.FailureSummary), " "))
				}
			}
		}
	}
	for _, width := range []int64{1280, 360} {
		b.looks(width, 900, "light")
		if over := eval[[]string](b, beyond); len(over) > 0 {
			b.t.Errorf("%s at %d px is wider than the window: %v", name, width, over)
		}
	}
}

// beyond lists what makes a page wider than its window.
const beyond = `(() => {
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= width) return [];
	return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1)
		.slice(0, 5).map((e) => e.tagName.toLowerCase() + "." + e.className + " to " + Math.round(e.getBoundingClientRect().right));
})()`

// What is to be found is found: by axe-core, by the eye for wide pages, and by the tab
// for scripts that fail.
func TestBrowserFindsFaults(t *testing.T) {
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	_, url := in.serve()
	b := newTab(t, url)
	b.visit("/sign-in")
	b.loadAxe()
	if found := b.serious(); len(found) > 0 {
		t.Errorf("findings on a page that is well: %v", found)
	}
	eval[bool](b, `(() => {
		const faint = document.createElement("p"), input = document.createElement("input"), wide = document.createElement("div");
		faint.textContent = "You can hardly read this";
		faint.style.cssText = "color: #bbb; background: #fff";
		wide.style.width = "3000px";
		wide.append("wide");
		document.querySelector("main").append(faint, input, wide);
		setTimeout(() => { window.noted = true; throw new Error("a script failed") });
		return true;
	})()`)
	var rules []string
	for _, found := range b.serious() {
		rules = append(rules, found.ID)
	}
	if !slices.Contains(rules, "color-contrast") || !slices.Contains(rules, "label") {
		t.Errorf("found were %q", rules)
	}
	if over := eval[[]string](b, beyond); len(over) == 0 {
		t.Error("a wide page was not found")
	}
	b.until("the script has failed", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.wrong) > 0
	})
	b.wrong = nil
}

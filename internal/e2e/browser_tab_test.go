package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// element says which element is meant: by its role and name, as a screen reader
// knows it, or by what the server promises (names of fields, paths), which css selects
// and, where not "", condition narrows down.
type element struct{ role, name, css, condition string }

func pressed(name string) element { return element{role: "button", name: name} }
func css(selector string) element { return element{css: selector} }

// field is an input by its name.
func field(name string) element {
	return css(fmt.Sprintf(`:is(input, textarea, select)[name=%q]:not([type=hidden])`, name))
}

// choice is a radio button or a checkbox.
func choice(name, value string) element {
	return css(fmt.Sprintf(`input[name=%q][value=%q]`, name, value))
}

// buttonOf is the button that posts a form to a path.
func buttonOf(path string) element {
	return element{css: "button", condition: `e.type === "submit" && e.form?.method === "post" && new URL(e.form.action).pathname === ` + quote(path)}
}

// linkTo is a link to a path, whatever its query.
func linkTo(path string) element {
	return element{css: "a[href]", condition: `new URL(e.href).pathname === ` + quote(path)}
}

func (e element) String() string {
	if e.role != "" {
		return fmt.Sprintf("%s %q", e.role, e.name)
	}
	return strings.TrimSpace(e.css + " " + e.condition)
}

// eval evaluates an expression in the page.
func eval[T any](b *tab, script string) (value T) {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%v in %.200s", err, script)
	}
	return value
}

// until waits for something in the browser. It asks less often than
// storetest.Eventually: each question is a way to another process and back.
func (b *tab) until(what string, holds func() bool) {
	b.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			b.mu.Lock()
			open := slices.Collect(maps.Values(b.open))
			b.mu.Unlock()
			b.t.Fatalf("it has not come true: %s; under way: %v", what, open)
		}
	}
}

// patience is how long a browser may take on a busy machine.
const patience = 30 * time.Second

// eventually waits until an expression is true; on the way from one page to the
// next it is neither.
func (b *tab) eventually(what, script string) {
	b.t.Helper()
	b.until(what, func() bool {
		holds, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+script+")", chromedp.EvalAwaitPromise))
		return err == nil && holds
	})
}

// find returns the first element that is there to be seen, "" where there is none.
func (b *tab) find(e element) (runtime.RemoteObjectID, error) {
	const seen = `e.checkVisibility({ visibilityProperty: true })`
	if e.role == "" {
		condition := seen
		if e.condition != "" {
			condition += " && " + e.condition
		}
		found, err := chromedp.Run(b.ctx, chromedp.Evaluate[*runtime.RemoteObject](fmt.Sprintf(`[...document.querySelectorAll(%s)].find((e) => %s)`, quote(e.css), condition)))
		if err != nil || found == nil {
			return "", err
		}
		return found.ObjectID, nil
	}
	document, err := chromedp.Run(b.ctx, chromedp.Evaluate[*runtime.RemoteObject](`document`))
	if err != nil {
		return "", err
	}
	tree, err := chromedp.Call(b.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.ObjectID, Role: e.role, AccessibleName: e.name})
	if err != nil {
		return "", err
	}
	for _, node := range tree.Nodes {
		if node.Ignored {
			continue
		}
		resolved, err := chromedp.Call(b.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node.BackendDOMNodeID})
		if err != nil {
			return "", err
		}
		visible, err := on[bool](b, resolved.Object.ObjectID, `function() { const e = this; return `+seen+` }`)
		if err != nil || visible {
			return resolved.Object.ObjectID, err
		}
	}
	return "", nil
}

// on calls a function with an element as this.
func on[T any](b *tab, id runtime.RemoteObjectID, function string, args ...any) (T, error) {
	return chromedp.Run(b.ctx, chromedp.CallFunctionOn[T](function, func(p *runtime.CallFunctionOnParams) { p.ObjectID = id }, args...))
}

// with waits for an element and calls a function with it as this, until that
// returns something.
func with[T any](b *tab, e element, function string, args ...any) (value T) {
	b.t.Helper()
	b.until(fmt.Sprintf("there is the %s", e), func() bool {
		id, err := b.find(e)
		if err != nil || id == "" {
			return false
		}
		result, err := on[*T](b, id, function, args...)
		if err != nil || result == nil {
			return false
		}
		value = *result
		return true
	})
	return value
}

// has waits for an element.
func (b *tab) has(elements ...element) {
	b.t.Helper()
	for _, e := range elements {
		with[bool](b, e, `function() { return true }`)
	}
}

// point is where an element can be clicked: in view, and under nothing else.
const point = `function() {
	if (this.disabled) return null;
	this.scrollIntoView({ block: "center", behavior: "instant" });
	const box = this.getClientRects()[0];
	if (!box) return null;
	const x = box.x + box.width / 2, y = box.y + box.height / 2;
	const top = document.elementFromPoint(x, y);
	return top && (this.contains(top) || top.contains(this)) ? { x, y } : null;
}`

// click presses the mouse on an element.
func (b *tab) click(e element) {
	b.t.Helper()
	at := with[struct{ X, Y float64 }](b, e, point)
	b.must(chromedp.Do(b.ctx, chromedp.MouseClickXY(at.X, at.Y)))
}

// doubleClick presses twice at once, as people do who take a button for an icon.
func (b *tab) doubleClick(e element) {
	b.t.Helper()
	at := with[struct{ X, Y float64 }](b, e, point)
	b.must(chromedp.Do(b.ctx, chromedp.MouseClickXY(at.X, at.Y), chromedp.MouseClickXY(at.X, at.Y, chromedp.ClickCount(2))))
}

// fill types a text into a field, in place of what is there.
func (b *tab) fill(e element, text string) {
	b.t.Helper()
	with[bool](b, e, `function() { if (this.disabled) return null; this.focus(); this.select(); return true }`)
	_, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text})
	b.must(err)
}

// press types keys, as onto what has the focus.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(keys)))
}

// upload chooses a file.
func (b *tab) upload(name, path string) {
	b.t.Helper()
	selector := fmt.Sprintf(`input[type=file][name=%q]`, name)
	b.eventually("there is a place for the file", `document.querySelector(`+quote(selector)+`)`)
	b.must(chromedp.Do(b.ctx, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path})))
}

// visit opens a page by its path and waits until all of it is there.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.forget()
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(b.at(path))))
	b.settle()
}

func (b *tab) at(path string) string {
	if strings.Contains(path, "://") {
		return path
	}
	return b.url + path
}

// settle waits until nothing more is on its way, but for what the server tells as
// it happens.
func (b *tab) settle() {
	b.t.Helper()
	b.until("the page is whole", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.open) == 0
	})
}

// leads does what leads to another page, or to the same one anew, and waits until
// it is there.
func (b *tab) leads(act func()) {
	b.t.Helper()
	eval[bool](b, `(window.leftBehind = true)`)
	b.forget()
	act()
	b.eventually("the next page is there", `!window.leftBehind && document.readyState === "complete"`)
	b.settle()
}

// follow clicks on what leads to another page.
func (b *tab) follow(e element) {
	b.t.Helper()
	b.leads(func() { b.click(e) })
}

// path is where the tab is, without the query.
func (b *tab) path() string {
	b.t.Helper()
	u, err := url.Parse(eval[string](b, `location.href`))
	b.must(err)
	return u.Path
}

// isAt asserts where the tab is.
func (b *tab) isAt(path string) {
	b.t.Helper()
	if got := b.path(); got != path && (!strings.HasSuffix(path, "/") || !strings.HasPrefix(got, path)) {
		b.t.Fatalf("the page is %s, want %s", got, path)
	}
}

// sees waits until the page shows all texts, as a person reads them.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.eventually(fmt.Sprintf("the page says %q", text), `document.body.innerText.replace(/\s+/g, " ").includes(`+quote(text)+`)`)
	}
}

// focused describes what has the focus, to be compared.
func (b *tab) focused() string {
	b.t.Helper()
	return eval[string](b, `document.activeElement.tagName + " " + (document.activeElement.getAttribute("href") ?? document.activeElement.name ?? document.activeElement.id)`)
}

// size is what all responses of the page had, in bytes, unpacked, with the largest
// of them first.
func (b *tab) size() (total int64, parts []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	type part struct {
		bytes int64
		url   string
	}
	var all []part
	for id, what := range b.loads {
		total += b.sizes[id]
		all = append(all, part{b.sizes[id], what.url})
	}
	slices.SortFunc(all, func(x, y part) int { return int(y.bytes - x.bytes) })
	for _, p := range all {
		parts = append(parts, fmt.Sprintf("%d %s", p.bytes, strings.TrimPrefix(p.url, b.url)))
	}
	return total, parts
}

// stands asserts that the page's layout has not shifted by itself.
func (b *tab) stands(when string) {
	b.t.Helper()
	if shift := eval[float64](b, `window.layoutShift`); shift >= 0.01 {
		b.t.Errorf("the layout has shifted by %.3f %s: %q", shift, when, eval[[]string](b, `window.shifted`))
	}
}

// quote writes a text as JavaScript does.
func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a form in JSON
	}
	return string(text)
}

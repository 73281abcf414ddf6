package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// headless is the one Chromium of a run of these tests; each test opens tabs of its
// own in it, which share nothing with those of another.
var headless struct {
	once sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

// startChromium starts it with an empty profile.
func startChromium() {
	path := ""
	for _, name := range chromiums {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		headless.err = errors.New("chromium is not installed; run make setup-tests")
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-GB"), chromedp.Flag("accept-lang", "en-GB,en"), chromedp.WSURLReadTimeout(time.Minute))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	headless.ctx, headless.stop = ctx, func() { stop(); stopAllocator() }
	headless.err = chromedp.Do(ctx)
}

// stopChromium ends it, where a test has started it.
func stopChromium() {
	if headless.stop != nil {
		headless.stop()
	}
}

// tab is a person at a browser: signed in nowhere, with English as the language.
type tab struct {
	t   *testing.T
	url string // of the server that paths belong to
	ctx context.Context

	mu    sync.Mutex
	wrong []string                       // what scripts threw and the policy of content stopped
	loads map[network.RequestID]resource // what the page is made of
	open  map[network.RequestID]resource // those of them that are under way
	sizes map[network.RequestID]int64    // in bytes, unpacked
}

// resource is one response of a page.
type resource struct {
	url  string
	page cdp.LoaderID // that it is for
}

// newTab opens a tab with cookies and a cache of its own. A test whose page throws
// an error, or does what the policy of content forbids, fails at the end.
func newTab(t *testing.T, url string) *tab {
	t.Helper()
	headless.once.Do(startChromium)
	if headless.err != nil {
		t.Fatal(headless.err)
	}
	ctx, closeTab := chromedp.NewContext(headless.ctx, chromedp.WithNewBrowserContext())
	b := &tab{t: t, url: url, ctx: ctx}
	b.forget()
	t.Cleanup(closeTab)
	t.Cleanup(func() { b.report(t) })
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	_, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Berlin"})
	b.must(err)
	_, err = chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: observe})
	b.must(err)
	b.looks(1280, 900, "light")
	return b
}

// observe adds up by how much a page's layout shifts without anybody's doing, and notes
// what has moved. A page that the back button has brought back from memory is the next
// page all the same: see tab.leads.
const observe = `addEventListener("pageshow", () => window.leftBehind = false);
window.layoutShift = 0;
window.shifted = [];
new PerformanceObserver((list) => {
	for (const entry of list.getEntries()) {
		if (entry.hadRecentInput) continue;
		window.layoutShift += entry.value;
		for (const { node, previousRect: from, currentRect: to } of entry.sources)
			window.shifted.push((node?.parentElement?.outerHTML ?? "what is gone").slice(0, 120) + " from " + Math.round(from.y) + " to " + Math.round(to.y));
	}
}).observe({ type: "layout-shift", buffered: true });`

// forget begins to count anew.
func (b *tab) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.loads, b.sizes = map[network.RequestID]resource{}, map[network.RequestID]resource{}, map[network.RequestID]int64{}
}

// hear notes what goes on in the tab.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			b.loads[e.RequestID] = resource{e.Request.URL, e.LoaderID}
			// A stream of events does not end, and that the icon has come is not told
			// where its window is gone.
			if e.Type != network.ResourceTypeEventSource && e.Type != network.ResourceTypeOther {
				b.open[e.RequestID] = b.loads[e.RequestID]
			}
		}
	case *network.EventResponseReceived:
		status := e.Response.Status
		part := e.Type == network.ResourceTypeScript || e.Type == network.ResourceTypeStylesheet || e.Type == network.ResourceTypeImage
		if status >= http.StatusInternalServerError || status >= http.StatusBadRequest && part {
			b.wrong = append(b.wrong, fmt.Sprintf("%s is answered %d", e.Response.URL, status))
		}
	case *network.EventDataReceived:
		b.sizes[e.RequestID] += e.DataLength
	case *page.EventFrameNavigated:
		// What a page that was left had asked for is nobody's any more, and not always
		// told to have ended.
		maps.DeleteFunc(b.open, func(_ network.RequestID, r resource) bool { return r.page != e.Frame.LoaderID })
	case *network.EventRequestServedFromCache:
		delete(b.open, e.RequestID) // of images in memory nothing more is told
	case *network.EventLoadingFinished:
		delete(b.open, e.RequestID)
	case *network.EventLoadingFailed:
		delete(b.open, e.RequestID)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.wrong = append(b.wrong, text)
	case *log.EventEntryAdded:
		// What the network says is the server's answer, such as 422 to a form.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.wrong = append(b.wrong, fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text))
		}
	}
}

// report fails a test for what was wrong in the tab, and shows what is in it after a
// failure.
func (b *tab) report(t *testing.T) {
	b.mu.Lock()
	wrong := b.wrong
	b.wrong = nil
	b.mu.Unlock()
	for _, one := range wrong {
		t.Errorf("in the page: %s", one)
	}
	if !t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	if html, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.outerHTML`)); err == nil {
		t.Logf("the page at last:\n%.20000s", html)
	}
	// Kept after the test, unlike its temporary folder.
	dir, err := os.MkdirTemp("", "mintage-failed-")
	if err != nil {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil && os.WriteFile(filepath.Join(dir, "page.png"), picture, 0o600) == nil {
		t.Logf("its picture: %s", filepath.Join(dir, "page.png"))
	}
}

func (b *tab) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// isPhone makes the tab that of a customer, as the resolver tells people from robots.
func (b *tab) isPhone() {
	b.t.Helper()
	b.looks(412, 915, "light")
	_, err := chromedp.Call(b.ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: phone, AcceptLanguage: "en-GB"})
	b.must(err)
}

// looks sets the size of the window and the colours that the reader prefers.
func (b *tab) looks(width, height int64, scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
	})
	b.must(err)
	_, err = chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	b.must(err)
}

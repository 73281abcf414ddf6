package api

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/catalogue"
	"mintage/internal/edge"
	"mintage/internal/export"
	"mintage/internal/mint"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// world is an API that serves a database of its own, and a brand with a key of
// each role.
type world struct {
	t       testing.TB
	db      *storetest.DB
	clock   *storetest.Clock // of access: it stands, so that a key's use is noted once
	server  *server
	http    *httptest.Server
	master  serial.MasterKey
	keyring *mint.Keyring
	brand   *brandOf
	stop    func() // closes Stopping
	logged  *syncBuffer
}

// brandOf is a brand and its API keys.
type brandOf struct {
	*mintage.Brand
	keys    map[mintage.Role]string
	settled time.Time // see settle
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *storetest.DB) { fn(t, newWorld(t, db)) })
}

// eachWall is each, and once more with the API in the database role that policies
// apply to.
func eachWall(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	each(t, fn)
	t.Run("postgres as mintage_app", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		app := db.As(t, "mintage_app")
		if walled, err := app.Restricted(t.Context()); err != nil || !walled {
			t.Fatalf("the role is not restricted (%v)", err)
		}
		fn(t, newWorldOn(t, db, app))
	})
}

func newWorld(t testing.TB, db *storetest.DB, edit ...func(*server)) *world {
	t.Helper()
	return newWorldOn(t, db, db, edit...)
}

// newWorldOn serves the API from s, a store that is open on db; the worker uses db
// itself.
func newWorldOn(t testing.TB, db *storetest.DB, s store.Store, edit ...func(*server)) *world {
	t.Helper()
	stopping := make(chan struct{})
	master := serial.NewMasterKey()
	w := &world{
		t: t, db: db, clock: storetest.NewClock(time.Now().Truncate(time.Second)), master: master, keyring: mint.NewKeyring(master),
		stop: sync.OnceFunc(func() { close(stopping) }), logged: &syncBuffer{},
	}
	log := slog.New(slog.NewTextHandler(w.logged, nil))
	w.server = newServer(Deps{
		Mint: mint.New(s, w.keyring, time.Now), Catalogue: catalogue.New(s, time.Now),
		Access: access.New(s, w.clock.Now), Export: export.New(s, time.Now),
		CursorKey: master.Derive("cursors"), LinkURL: func(secret string) string { return "https://mintage.test/link/" + secret },
		Ready: s.Ping, Version: "test", Log: log, Stopping: stopping, WatchInterval: time.Millisecond,
	})
	for _, e := range edit {
		e(w.server)
	}
	w.http = serve(t, w.server, log)
	t.Cleanup(func() { _ = w.server.Access.Close() })
	t.Cleanup(w.stop)
	w.brand = w.newBrand("https://id.example")
	return w
}

// serve serves an API behind an edge.
func serve(t testing.TB, api http.Handler, log *slog.Logger) *httptest.Server {
	t.Helper()
	h := httptest.NewServer(edge.New(edge.Options{Log: log})(api))
	t.Cleanup(h.Close)
	return h
}

// principal acts for a brand as its owner.
func (b *brandOf) principal() mintage.Principal {
	return mintage.Principal{BrandNumber: b.Number, Role: mintage.RoleOwner, Actor: "test"}
}

func (w *world) newBrand(base string) *brandOf {
	w.t.Helper()
	b := &brandOf{Brand: &mintage.Brand{Name: "Brand", ResolverBase: base, LotFromProductionBatch: true}, keys: map[mintage.Role]string{}}
	if err := w.operator().CreateBrand(w.t.Context(), b.Brand, "test"); err != nil {
		w.t.Fatal(err)
	}
	for _, role := range mintage.Roles {
		_, key, err := w.server.Access.CreateKey(w.t.Context(), b.principal(), role, "", time.Time{})
		if err != nil {
			w.t.Fatal(err)
		}
		b.keys[role] = key
	}
	return b
}

// operator is the use cases as the operator of the installation has them: in the
// database role that policies do not apply to.
func (w *world) operator() *mint.Service { return mint.New(w.db, w.keyring, time.Now) }

// giveBase gives the brand another resolver base, and leaves it at the one it uses.
func (w *world) giveBase(base string) {
	w.t.Helper()
	for _, base := range []string{base, w.brand.ResolverBase} {
		if _, err := w.operator().OperateBrand(w.t.Context(), w.brand.principal(), mint.SettingsPatch{ResolverBase: &base}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// engine returns a worker, to be run by the test.
func (w *world) engine(cycle int) *mint.Engine {
	return mint.NewEngine(w.db, w.keyring, mint.Options{CycleSize: cycle, Poll: time.Millisecond})
}

// mintAll runs a worker until nothing is left to do.
func (w *world) mintAll(cycle int) {
	w.t.Helper()
	if err := w.engine(cycle).RunOnce(w.t.Context(), 0); err != nil {
		w.t.Fatal(err)
	}
}

// mintSome mints the next n units of the oldest job and leaves the rest.
func (w *world) mintSome(n int64) {
	w.t.Helper()
	f := storetest.NewFixture(w.t, w.db)
	f.MasterKey = w.master
	f.Mint(n)
}

// call is one request; zero fields take the defaults.
type call struct {
	key         string // default: the owner's; "-" for none
	method      string // default GET, POST where there is a body
	path        string
	contentType string // default application/json where there is a body
	body        string
	header      map[string]string
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

func (w *world) request(c call) *http.Request {
	w.t.Helper()
	if c.method == "" {
		c.method = http.MethodGet
		if c.body != "" {
			c.method = http.MethodPost
		}
	}
	r, err := http.NewRequestWithContext(w.t.Context(), c.method, w.http.URL+c.path, strings.NewReader(c.body))
	if err != nil {
		w.t.Fatal(err)
	}
	if c.key == "" {
		c.key = w.brand.keys[mintage.RoleOwner]
	}
	if c.key != "-" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	if c.contentType == "" && c.body != "" {
		c.contentType = "application/json"
	}
	if c.contentType != "" {
		r.Header.Set("Content-Type", c.contentType)
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	return r
}

func (w *world) do(c call) *answer {
	w.t.Helper()
	r := w.request(c)
	response, err := w.http.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", c.method, c.path, err)
	}
	a := &answer{t: w.t, status: response.StatusCode, header: response.Header, body: body}
	if a.status >= 400 {
		a.isProblem(c)
		w.documented(r, a.status)
	}
	return a
}

// isProblem requires what every refusal has.
func (a *answer) isProblem(c call) {
	a.t.Helper()
	if got := a.header.Get("Content-Type"); got != problemType {
		a.t.Errorf("%s %s: %d with Content-Type %q", c.method, c.path, a.status, got)
	}
	if c.method == http.MethodHead {
		return
	}
	p := decode[problem](a)
	if p.Type != "about:blank" || p.Title != http.StatusText(a.status) || p.Status != a.status || p.Detail == "" ||
		p.Code == "" || p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") {
		a.t.Errorf("%s %s: an odd problem: %s", c.method, c.path, a.body)
	}
}

// is requires a status.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// refuses requires a status and a code.
func (a *answer) refuses(status int, code mintage.Code) problem {
	a.t.Helper()
	a.is(status)
	p := decode[problem](a)
	if p.Code != code {
		a.t.Fatalf("code %s, want %s: %s", p.Code, code, a.body)
	}
	return p
}

func decode[T any](a *answer) (v T) {
	a.t.Helper()
	d := json.NewDecoder(bytes.NewReader(a.body))
	if err := d.Decode(&v); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// newProduct creates an ACTIVE product.
func (w *world) newProduct(sku string) product {
	w.t.Helper()
	return decode[product](w.do(call{path: "/v1/products", body: `{"sku":"` + sku + `","name":"A product"}`}).is(http.StatusCreated))
}

// submission is the body of a request in serial mode, as changed by edit.
func requestBody(productID string, quantity any, edit ...func(map[string]any)) map[string]any {
	m := map[string]any{"product_id": productID, "requested_quantity": quantity, "identity_mode": "serial", "activation_mode": "first_scan"}
	for _, e := range edit {
		e(m)
	}
	return m
}

func (w *world) submit(productID string, quantity int, edit ...func(map[string]any)) submission {
	w.t.Helper()
	body := encode(w.t, requestBody(productID, quantity, edit...))
	return decode[submission](w.do(call{path: "/v1/mint-requests", body: body}).is(http.StatusCreated))
}

// settle waits until the use of every key of the brand is noted, which happens
// after the answer, once for each time that the clock shows.
func (w *world) settle() {
	w.t.Helper()
	if w.brand.settled.Equal(w.clock.Now()) {
		return
	}
	w.brand.settled = w.clock.Now()
	storetest.Eventually(w.t, "the use of the keys is noted", func() bool {
		stale := false
		keys, err := w.server.Access.Keys(w.t.Context(), w.brand.principal())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, k := range keys {
			for _, text := range w.brand.keys {
				// Of two uses at the same time one is noted, perhaps the one long ago.
				if text[3:15] == k.ID && w.clock.Now().Sub(k.LastUsedAt) >= time.Minute {
					w.do(call{key: text, path: "/v1/brand"})
					stale = true
				}
			}
		}
		return !stale
	})
}

// unchanged requires that fn leaves the database as it was.
func (w *world) unchanged(fn func()) {
	w.t.Helper()
	w.settle()
	before := storetest.Snapshot(w.t, w.db)
	fn()
	if changes := storetest.Changes(before, storetest.Snapshot(w.t, w.db)); changes != "" {
		w.t.Fatalf("something has changed:\n%s", changes)
	}
}

// operations returns every operation of the document by its id.
func operations(s *server) map[string]*huma.Operation {
	all := map[string]*huma.Operation{}
	for _, item := range s.api.OpenAPI().Paths {
		for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if o != nil {
				all[o.OperationID] = o
			}
		}
	}
	return all
}

// fill puts values into an operation's path.
func fill(path string, values ...string) string {
	for _, v := range values {
		begin, end := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:begin] + url.PathEscape(v) + path[end+1:]
	}
	return path
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// tinyPNG is an image of one pixel.
var tinyPNG = func() string {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	return b.String()
}()

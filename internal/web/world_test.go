package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

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

// world is the pages over a database of their own.
type world struct {
	t       testing.TB
	db      *storetest.DB
	clock   *storetest.Clock
	server  *server
	http    *httptest.Server
	fixture *storetest.Fixture
	logged  *syncBuffer
}

// each runs fn on both databases, and once more with the pages in the database role
// that policies apply to.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	eachStore(t, func(t *testing.T, db *storetest.DB, s store.Store) { fn(t, newWorld(t, db, s)) })
}

func eachStore(t *testing.T, fn func(t *testing.T, db *storetest.DB, s store.Store)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *storetest.DB) { fn(t, db, db) })
	t.Run("postgres as mintage_app", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		fn(t, db, db.As(t, "mintage_app"))
	})
}

// newSQLiteWorld is for what no database has a part in.
func newSQLiteWorld(t testing.TB, edit ...func(*Deps)) *world {
	t.Helper()
	db := storetest.Open(t, "sqlite")
	return newWorld(t, db, db, edit...)
}

// newWorld serves the pages from s, a store that is open on db; the fixture uses db
// itself.
func newWorld(t testing.TB, db *storetest.DB, s store.Store, edit ...func(*Deps)) *world {
	t.Helper()
	// scs reads the real clock, so the other one begins there.
	w := &world{t: t, db: db, clock: storetest.NewClock(time.Now().UTC().Truncate(time.Microsecond)), logged: &syncBuffer{}}
	log := slog.New(slog.NewTextHandler(w.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.fixture = storetest.NewFixture(t, db)
	w.fixture.MasterKey = serial.NewMasterKey()
	people := access.New(s, w.clock.Now)
	t.Cleanup(func() {
		if err := people.Close(); err != nil {
			t.Error(err)
		}
	})
	var handler http.Handler
	w.http = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(w.http.Close)
	d := Deps{
		Access: people, Mint: mint.New(s, mint.NewKeyring(w.fixture.MasterKey), w.clock.Now), Catalogue: catalogue.New(s, w.clock.Now),
		Export:  export.New(s, w.clock.Now),
		BaseURL: w.http.URL, Log: log, Version: "test",
	}
	for _, e := range edit {
		e(&d)
	}
	var err error
	if w.server, err = newServer(d); err != nil {
		t.Fatal(err)
	}
	handler = edge.New(edge.Options{Log: log})(w.server)
	return w
}

// password is everybody's.
const password = "nine purple lighthouses sing"

// person is somebody with an account.
type person struct {
	id, email string
}

// owner is who invites to a brand: a key of it.
func (w *world) owner(b *mintage.Brand) mintage.Principal {
	w.t.Helper()
	return mintage.Principal{BrandNumber: b.Number, Role: mintage.RoleOwner, Actor: "key:" + w.fixture.NewKey(b).ID}
}

// invite makes an account with a password, which is a member of a brand.
func (w *world) invite(b *mintage.Brand, email string, role mintage.Role) person {
	w.t.Helper()
	ctx := w.t.Context()
	_, secret, err := w.server.Access.Invite(ctx, w.owner(b), email, "Kim Example", role)
	w.must(err)
	u, err := w.server.Access.UseLink(ctx, secret, mintage.Origin{})
	w.must(err)
	_, err = w.server.Access.SetPassword(w.in(u), u, "", password, mintage.Origin{})
	w.must(err)
	return person{u.ID, email}
}

// in is the context of a request in a session of a user.
func (w *world) in(u *mintage.User) context.Context {
	w.t.Helper()
	token, ctx := rand.Text(), w.t.Context()
	w.must(w.server.Access.Sessions().CommitCtx(access.WithUser(ctx, u), token, []byte("data"), w.clock.Now().Add(time.Hour)))
	return access.WithSession(ctx, u.ID, token)
}

// join makes somebody who has an account a member of a further brand.
func (w *world) join(p person, b *mintage.Brand, role mintage.Role) {
	w.t.Helper()
	_, secret, err := w.server.Access.Invite(w.t.Context(), w.owner(b), p.email, "Kim Example", role)
	w.must(err)
	_, err = w.server.Access.UseLink(w.in(w.user(p)), secret, mintage.Origin{})
	w.must(err)
}

// user is the account of a person.
func (w *world) user(p person) *mintage.User {
	w.t.Helper()
	u, err := w.server.Access.User(w.t.Context(), p.id)
	w.must(err)
	return u
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	w      *world
	client *http.Client
	accept string // Accept-Language
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{w: w, client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as is a browser in which somebody is signed in, without the way there.
func (w *world) as(p person) *browser {
	w.t.Helper()
	b := w.browser()
	v := w.server.bare(httptest.NewRecorder(), httptest.NewRequestWithContext(w.t.Context(), "GET", "/", nil))
	w.must(v.identify())
	u := w.user(p)
	w.must(v.session.begin(u))
	token, _, err := w.server.sessions.Commit(access.WithUser(v.ctx(), u))
	w.must(err)
	b.setToken(token)
	return b
}

func (b *browser) url() *url.URL {
	u, err := url.Parse(b.w.http.URL)
	b.w.must(err)
	return u
}

func (b *browser) setToken(token string) {
	b.client.Jar.SetCookies(b.url(), []*http.Cookie{{Name: b.w.server.sessions.Cookie.Name, Value: token, Path: "/"}})
}

func (b *browser) token() string {
	for _, c := range b.client.Jar.Cookies(b.url()) {
		if c.Name == b.w.server.sessions.Cookie.Name {
			return c.Value
		}
	}
	return ""
}

// page is an answer.
type page struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

func (b *browser) get(path string) *page {
	b.w.t.Helper()
	return b.do("GET", path, nil, nil)
}

// post sends a form as a browser does from a page of ours.
func (b *browser) post(path string, fields ...string) *page {
	b.w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.do("POST", path, form, http.Header{"Sec-Fetch-Site": {"same-origin"}})
}

func (b *browser) do(method, path string, form url.Values, header http.Header) *page {
	b.w.t.Helper()
	if form != nil {
		header = maps.Clone(header)
		if header == nil {
			header = http.Header{}
		}
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.send(method, path, form.Encode(), header)
}

// send makes a request with any body.
func (b *browser) send(method, path, body string, header http.Header) *page {
	t := b.w.t
	t.Helper()
	if !strings.Contains(path, "://") {
		path = b.w.http.URL + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	b.w.must(err)
	if b.accept != "" {
		r.Header.Set("Accept-Language", b.accept)
	}
	maps.Copy(r.Header, header)
	return b.answer(r)
}

// answer sends a request, and reads what comes back.
func (b *browser) answer(r *http.Request) *page {
	b.w.t.Helper()
	answer, err := b.client.Do(r)
	b.w.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	b.w.must(err)
	p := &page{t: b.w.t, status: answer.StatusCode, header: answer.Header, body: string(text)}
	if strings.HasPrefix(r.URL.String(), b.w.http.URL) {
		p.checkPolicy(r.Method + " " + r.URL.Path)
	}
	return p
}

// What no page may contain: the policy would keep it from working, and whoever
// wrote it from noticing.
var inline = regexp.MustCompile(`(?i)<style|\sstyle=|<script(?:[^>]*)>[^<]|\son[a-z]+=|javascript:|<link[^>]+href="(?:https?:)?//|(?:src|action)="(?:https?:)?//`)

// checkPolicy holds each answer, whichever test it is of, to the headers of all.
func (p *page) checkPolicy(what string) {
	p.t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options":  "nosniff",
	} {
		if got := p.header.Values(name); len(got) != 1 || got[0] != want {
			p.t.Errorf("%s: %s is %q", what, name, got)
		}
	}
	if referrer := p.header.Get("Referrer-Policy"); referrer != "same-origin" && referrer != "strict-origin" {
		p.t.Errorf("%s: Referrer-Policy is %q", what, referrer)
	}
	if found := inline.FindString(p.body); found != "" && strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		p.t.Errorf("%s: the page has %q", what, found)
	}
	if !strings.Contains(what, "/static/") && !strings.Contains(strings.Join(p.header.Values("Cache-Control"), " "), "no-store") {
		p.t.Errorf("%s may be kept: %q", what, p.header.Values("Cache-Control"))
	}
}

// wants asserts a status, and texts that the page has to show.
func (p *page) wants(status int, texts ...string) *page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("the status is %d instead of %d, to %q:\n%s", p.status, status, p.header.Get("Location"), p.body)
	}
	shown := html.UnescapeString(p.body)
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			p.t.Errorf("the page does not show %q:\n%s", text, shown)
		}
	}
	return p
}

// lacks asserts texts that the page must not show.
func (p *page) lacks(texts ...string) *page {
	p.t.Helper()
	shown := html.UnescapeString(p.body)
	for _, text := range texts {
		if strings.Contains(shown, text) {
			p.t.Errorf("the page shows %q:\n%s", text, shown)
		}
	}
	return p
}

// goesTo asserts a redirect by GET.
func (p *page) goesTo(location string) *page {
	p.t.Helper()
	p.wants(http.StatusSeeOther)
	if got := p.header.Get("Location"); got != location {
		p.t.Fatalf("it goes to %q instead of %q", got, location)
	}
	return p
}

// signIn signs in through the form.
func (b *browser) signIn(p person) {
	b.w.t.Helper()
	b.post("/sign-in", "email", p.email, "password", password).goesTo("/mint")
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

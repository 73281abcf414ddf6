package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	textlanguage "golang.org/x/text/language"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// users are the accounts of the provider.
type users map[string]*storage.User

func (u users) GetUserByID(id string) *storage.User { return u[id] }

func (u users) GetUserByUsername(name string) *storage.User {
	for _, user := range u {
		if user.Username == name {
			return user
		}
	}
	return nil
}

func (users) ExampleClientID() string { return storage.ServiceUserID }

// account makes an account of the provider.
func account(id, email string, verified bool) *storage.User {
	return &storage.User{
		ID: id, Username: id, Password: "provider's password", FirstName: "Kim", LastName: "Example",
		Email: email, EmailVerified: verified, PreferredLanguage: textlanguage.German,
	}
}

// newProviderWorld is a world with an OpenID provider on loopback: the real one of
// zitadel/oidc, with its example's storage.
func newProviderWorld(t testing.TB, db *storetest.DB, s store.Store, accounts users) (*world, *httptest.Server) {
	t.Helper()
	var handler http.Handler
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(provider.Close)
	w := newWorld(t, db, s, func(d *Deps) {
		d.OIDC = &OIDCConfig{Name: "Example ID", Issuer: provider.URL, ClientID: "mintage", ClientSecret: "client secret"}
	})
	clients := map[string]*storage.Client{"mintage": storage.WebClient("mintage", "client secret", w.http.URL+callbackPath)}
	handler = exampleop.SetupServer(provider.URL, storage.NewStorageWithClients(accounts, clients), nil, false)
	return w, provider
}

func eachWithProvider(t *testing.T, accounts users, fn func(t *testing.T, w *world)) {
	t.Helper()
	eachStore(t, func(t *testing.T, db *storetest.DB, s store.Store) {
		w, _ := newProviderWorld(t, db, s, accounts)
		fn(t, w)
	})
}

// begin goes as far as the provider's authorization endpoint.
func (b *browser) begin(path string) *url.URL {
	b.w.t.Helper()
	page := b.get(path).wants(http.StatusSeeOther)
	to, err := url.Parse(page.header.Get("Location"))
	b.w.must(err)
	return to
}

// confirm signs in at the provider and returns where that sends the browser.
func (b *browser) confirm(to *url.URL, user string) *url.URL {
	b.w.t.Helper()
	follow := func(p *page) string {
		b.w.t.Helper()
		next, err := to.Parse(p.header.Get("Location"))
		b.w.must(err)
		if p.status != http.StatusFound {
			b.w.t.Fatalf("the provider answers %d:\n%s", p.status, p.body)
		}
		return next.String()
	}
	form := follow(b.get(to.String()))
	_, id, _ := strings.Cut(form, "?authRequestID=")
	callback := follow(b.do("POST", to.Scheme+"://"+to.Host+"/login/username",
		url.Values{"id": {id}, "username": {user}, "password": {"provider's password"}}, nil))
	home, err := url.Parse(follow(b.get(callback)))
	b.w.must(err)
	return home
}

func TestOIDC(t *testing.T) {
	accounts := users{"kim": account("kim", "Kim@example.com", true), "lee": account("lee", "lee@example.com", false), "eve": account("eve", "eve@example.com", true)}
	eachWithProvider(t, accounts, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim, lee := w.invite(brand, "kim@example.com", mintage.RoleOperator), w.invite(brand, "lee@example.com", mintage.RoleOwner)
		b := w.browser()
		b.get("/sign-in?next=/account").wants(http.StatusOK, "Sign in with Example ID", `href="/sign-in/oidc?next=%2faccount"`, "or with a password")

		to := b.begin("/sign-in/oidc?next=%2Faccount")
		q := to.Query()
		if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || len(q.Get("state")) < 20 || len(q.Get("nonce")) < 20 {
			t.Errorf("the request is %v", q)
		}
		before := b.token()
		callback := b.confirm(to, "kim")
		b.get(callback.String()).goesTo("/account")
		if b.token() == before {
			t.Error("the token is the same as before")
		}
		b.get("/mint").wants(http.StatusOK, brand.Name, "Operator", kim.email)
		b.get(callback.String()).wants(http.StatusForbidden, "took too long, or was begun in another window") // once

		// The second time the subject is known, whatever its e-mail address says.
		again := w.browser()
		again.get(again.confirm(again.begin("/sign-in/oidc"), "kim").String()).goesTo("/mint")
		again.get("/mint").wants(http.StatusOK, kim.email)

		unverified := w.browser()
		unverified.get(unverified.confirm(unverified.begin("/sign-in/oidc"), "lee").String()).wants(http.StatusForbidden, "no account here for a verified e-mail address").lacks(lee.email)
		unverified.get("/mint").goesTo("/sign-in?next=%2Fmint")
		stranger := w.browser()
		stranger.get(stranger.confirm(stranger.begin("/sign-in/oidc"), "eve").String()).wants(http.StatusForbidden, "no account here for a verified e-mail address")
		stranger.get("/mint").goesTo("/sign-in?next=%2Fmint")

		for _, secret := range []string{"client secret", q.Get("state"), q.Get("nonce"), callback.Query().Get("code")} {
			if strings.Contains(w.logged.String(), secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
}

// Each part of an attempt that does not fit refuses the whole.
func TestOIDCForgeries(t *testing.T) {
	eachWithProvider(t, users{"kim": account("kim", "kim@example.com", true)}, func(t *testing.T, w *world) {
		w.invite(w.fixture.NewBrand(), "kim@example.com", mintage.RoleOwner)
		with := func(u *url.URL, name, value string) *url.URL {
			changed := *u
			q := u.Query()
			q.Set(name, value)
			changed.RawQuery = q.Encode()
			return &changed
		}
		refused := func(b *browser, callback *url.URL, text string) {
			t.Helper()
			b.get(callback.String()).wants(http.StatusForbidden, text)
			b.get("/mint").goesTo("/sign-in?next=%2Fmint")
		}

		b := w.browser()
		callback := b.confirm(b.begin("/sign-in/oidc"), "kim")
		refused(b, with(callback, "state", "other"), "begun in another window")
		refused(b, with(callback, "state", ""), "begun in another window")
		refused(w.browser(), callback, "begun in another window")
		b.get(callback.String()).goesTo("/mint") // a forged callback has not ended the attempt

		b = w.browser()
		refused(b, b.confirm(with(b.begin("/sign-in/oidc"), "nonce", "other"), "kim"), "did not confirm who you are")
		b = w.browser()
		refused(b, b.confirm(with(b.begin("/sign-in/oidc"), "code_challenge", strings.Repeat("A", 43)), "kim"), "did not confirm who you are")
		b = w.browser()
		refused(b, with(b.confirm(b.begin("/sign-in/oidc"), "kim"), "code", "other"), "did not confirm who you are")
		b = w.browser()
		refused(b, with(b.confirm(b.begin("/sign-in/oidc"), "kim"), "error", "access_denied"), "did not confirm who you are")

		// An attempt that took too long.
		b = w.browser()
		callback = b.confirm(b.begin("/sign-in/oidc"), "kim")
		v := w.server.bare(httptest.NewRecorder(), b.request("GET", "/"))
		w.must(v.identify())
		text := v.session.text(sessionOIDC)
		year := time.Now().UTC().Format("2006")
		v.session.put(sessionOIDC, strings.Replace(text, `"expires":"`+year, `"expires":"2000`, 1))
		w.must(v.saveSession())
		refused(b, callback, "took too long")
	})
}

func TestOIDCProviderAway(t *testing.T) {
	db := storetest.Open(t, "sqlite")
	w, provider := newProviderWorld(t, db, db, users{})
	provider.Close()
	for range 2 {
		w.browser().get("/sign-in/oidc").wants(http.StatusBadGateway, "The sign-in provider does not answer")
	}
	w.browser().get("/sign-in").wants(http.StatusOK, "Sign in with Example ID")
}

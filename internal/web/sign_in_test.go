package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store/storetest"
)

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOperator)
		b := w.browser()
		b.get("/").goesTo("/sign-in")
		b.get("/mint?a=b").goesTo("/sign-in?next=%2Fmint%3Fa%3Db")
		b.get("/sign-in?next=%2Faccount").wants(http.StatusOK, `name="next" value="/account"`).lacks("Sign in with")

		b.post("/sign-in", "next", "/account").wants(http.StatusUnprocessableEntity, "There is a problem", `<a href="#email">Enter your e-mail address</a>`, `<a href="#password">Enter a password</a>`)
		wrong := b.post("/sign-in", "email", kim.email, "password", "wrong", "next", "/account").wants(http.StatusUnprocessableEntity, "is wrong", kim.email).lacks(`value="wrong"`)
		unknown := b.post("/sign-in", "email", "nobody@example.com", "password", "wrong", "next", "/account").wants(http.StatusUnprocessableEntity)
		if strings.ReplaceAll(wrong.body, kim.email, "") != strings.ReplaceAll(unknown.body, "nobody@example.com", "") {
			t.Error("the answers tell which addresses are known")
		}
		if b.token() != "" {
			t.Error("there is a session without a reason")
		}

		page := b.post("/sign-in", "email", "KIM@example.com ", "password", password, "next", "/account").goesTo("/account")
		cookie := page.header.Get("Set-Cookie")
		for _, part := range []string{"mintage=", "Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=86"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("the cookie lacks %s: %s", part, strings.ReplaceAll(cookie, b.token(), "…"))
			}
		}
		b.get("/mint").wants(http.StatusOK, brand.Name, "Operator", "kim@example.com")
		b.get("/sign-in").goesTo("/mint")

		// Signing in again, with whatever session was there, makes the old token worthless.
		planted := b.token()
		b.signIn(kim)
		if b.token() == planted {
			t.Error("the token is the same as before")
		}
		old := w.browser()
		old.setToken(planted)
		old.get("/mint").goesTo("/sign-in?next=%2Fmint")

		last := b.token()
		b.post("/sign-out").goesTo("/sign-in?done=signed_out")
		b.get("/sign-in?done=signed_out").wants(http.StatusOK, "You are signed out.")
		old.setToken(last)
		old.get("/mint").goesTo("/sign-in?next=%2Fmint")
		if text := w.logged.String(); strings.Contains(text, last) || strings.Contains(text, password) || strings.Contains(text, kim.email) {
			t.Error("the log holds a token, a password or an address")
		}
	})
}

func TestSecureCookie(t *testing.T) {
	w := newSQLiteWorld(t, func(d *Deps) { d.Secure = true })
	kim := w.invite(w.fixture.NewBrand(), "kim@example.com", mintage.RoleOwner)
	form := url.Values{"email": {kim.email}, "password": {password}}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "https://mintage.example/sign-in", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	w.server.ServeHTTP(answer, r)
	c := answer.Result().Cookies()
	if len(c) != 1 || c[0].Name != "__Host-mintage" || !c[0].Secure || !c[0].HttpOnly || c[0].Path != "/" || c[0].Domain != "" || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookies are %+v", c)
	}
}

func TestThrottle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kim := w.invite(w.fixture.NewBrand(), "kim@example.com", mintage.RoleOwner)
		b := w.browser()
		attempts := 0
		for {
			page := b.post("/sign-in", "email", kim.email, "password", "wrong")
			if page.status == http.StatusTooManyRequests {
				page.wants(http.StatusTooManyRequests, "Too many attempts")
				if page.header.Get("Retry-After") == "" {
					t.Error("nobody is told when to try again")
				}
				break
			}
			page.wants(http.StatusUnprocessableEntity)
			if attempts++; attempts > 50 {
				t.Fatal("50 wrong passwords were borne")
			}
		}
		b.post("/sign-in", "email", kim.email, "password", password).wants(http.StatusTooManyRequests)
		b.accept = "de-CH, en;q=0.5"
		b.post("/sign-in", "email", kim.email, "password", password).wants(http.StatusTooManyRequests, "Zu viele Versuche")
		w.clock.Advance(24 * time.Hour)
		b.signIn(kim)
	})
}

func TestSessionEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kim := w.invite(w.fixture.NewBrand(), "kim@example.com", mintage.RoleOwner)
		if m := w.server.sessions; m.IdleTimeout != 24*time.Hour || m.Lifetime != 7*24*time.Hour {
			t.Errorf("a session lasts %s, idle %s", m.Lifetime, m.IdleTimeout)
		}
		b := w.as(kim)
		if page := b.get("/mint").wants(http.StatusOK); page.header.Get("Set-Cookie") != "" {
			t.Error("the session is written without a reason")
		}
		// An hour later the idle limit is pushed on.
		v := w.server.bare(httptest.NewRecorder(), b.request("GET", "/mint"))
		w.must(v.identify())
		v.session.put(sessionTouched, time.Now().Add(-sessionTouch-time.Second).UTC().Format(time.RFC3339))
		w.must(v.saveSession())
		if page := b.get("/mint").wants(http.StatusOK); page.header.Get("Set-Cookie") == "" {
			t.Error("the idle limit is not pushed on")
		}
		w.clock.Advance(24*time.Hour + time.Minute)
		b.get("/mint").goesTo("/sign-in?next=%2Fmint")
	})
}

// request is one as the server sees it, with the browser's cookie.
func (b *browser) request(method, path string) *http.Request {
	r := httptest.NewRequestWithContext(b.w.t.Context(), method, path, nil)
	r.AddCookie(&http.Cookie{Name: b.w.server.sessions.Cookie.Name, Value: b.token()})
	return r
}

func TestSignOutEverywhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim, lee := w.invite(brand, "kim@example.com", mintage.RoleOwner), w.invite(brand, "lee@example.com", mintage.RoleViewer)
		here, there, other := w.as(kim), w.as(kim), w.as(lee)

		// A request that is under way meanwhile must not bring its session back.
		v := w.server.bare(httptest.NewRecorder(), there.request("GET", "/mint"))
		w.must(v.identify())
		v.session.touch()

		here.post("/account/sign-out-everywhere").goesTo("/sign-in?done=signed_out_everywhere")
		here.get("/sign-in?done=signed_out_everywhere").wants(http.StatusOK, "You are signed out everywhere.")
		w.must(v.saveSession())
		for _, b := range []*browser{here, there} {
			b.get("/mint").goesTo("/sign-in?next=%2Fmint")
		}
		other.get("/mint").wants(http.StatusOK)
		here.signIn(kim)
	})
}

func TestOneTimeLink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		owner := mintage.Principal{BrandNumber: brand.Number, Role: mintage.RoleOwner, Actor: "user:test"}
		_, secret, err := w.server.Access.Invite(t.Context(), owner, "kim@example.com", "Kim Example", mintage.RoleViewer)
		w.must(err)
		b := w.browser()
		for range 3 { // previews look as often as they like
			page := b.get("/link/"+secret).wants(http.StatusOK, "One-time link", `value="`+secret+`"`)
			if got := page.header.Get("Referrer-Policy"); got != "strict-origin" {
				t.Errorf("the page with the secret in its path has the referrer policy %s", got)
			}
			b.do("HEAD", "/link/"+secret, nil, nil).wants(http.StatusOK)
		}
		if b.token() != "" {
			t.Error("looking at a link makes a session")
		}
		// Of several who press the button at once, one is let in.
		answers := make(chan *page, 4)
		browsers := []*browser{}
		for range cap(answers) {
			browsers = append(browsers, w.browser())
		}
		var wg sync.WaitGroup
		for _, each := range browsers {
			wg.Go(func() { answers <- each.post("/link", "secret", secret) })
		}
		wg.Wait()
		in := 0
		for range browsers {
			if page := <-answers; page.status == http.StatusSeeOther {
				page.goesTo("/account?done=welcome")
				in++
			} else {
				page.wants(http.StatusGone, "This link does not work any more")
			}
		}
		if in != 1 {
			t.Fatalf("%d were let in", in)
		}
		for _, each := range browsers {
			if each.token() != "" {
				each.get("/account?done=welcome").wants(http.StatusOK, "Set a password").lacks("Current password")
				each.post("/account/password", "new_password", password).goesTo("/account?done=password")
			}
		}
		b.post("/link", "secret", secret).wants(http.StatusGone)
		b.post("/link", "secret", "nonsense").wants(http.StatusGone)
		b.post("/link").wants(http.StatusGone)
		if strings.Contains(w.logged.String(), secret) {
			t.Error("the log holds the link's secret")
		}
	})
}

// An invitation to somebody who has an account waits until that account is signed
// in to.
func TestLinkForAnAccountInUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, second := w.fixture.NewBrand(), w.fixture.NewBrand()
		kim, lee := w.invite(first, "kim@example.com", mintage.RoleOwner), w.invite(first, "lee@example.com", mintage.RoleOwner)
		owner := mintage.Principal{BrandNumber: second.Number, Role: mintage.RoleOwner, Actor: "user:test"}
		_, secret, err := w.server.Access.Invite(t.Context(), owner, kim.email, "Kim", mintage.RoleViewer)
		w.must(err)

		w.as(lee).post("/link", "secret", secret).wants(http.StatusForbidden, "You are signed in as lee@example.com").lacks(kim.email)
		b := w.browser()
		b.post("/link", "secret", secret).wants(http.StatusForbidden, "You have an account already", `href="/sign-in?next=/link"`)
		b.post("/sign-in", "email", kim.email, "password", password, "next", "/link").goesTo("/link")
		b.get("/link").wants(http.StatusOK, `value="`+secret+`"`)
		b.post("/link", "secret", secret).goesTo("/mint")
		b.get("/account").wants(http.StatusOK, first.Name, second.Name)
		b.get("/link").wants(http.StatusNotFound)
	})
}

func TestSetUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().get("/set-up").wants(http.StatusNotFound)
		w.browser().post("/set-up", "name", "Eve", "email", "eve@example.com", "new_password", password).wants(http.StatusNotFound)

		secret, err := w.server.Access.FirstLink(t.Context())
		w.must(err)
		b := w.browser()
		b.get("/link/"+secret).wants(http.StatusOK, "Continue")
		b.post("/link", "secret", secret).goesTo("/set-up")
		w.browser().post("/link", "secret", secret).wants(http.StatusGone)
		w.browser().get("/set-up").wants(http.StatusNotFound)
		b.get("/set-up").wants(http.StatusOK, "Set up mintage", "Your brand", "Resolver base")

		b.post("/set-up").wants(http.StatusUnprocessableEntity, "Enter your name", "Enter a resolver base")
		fields := func(password, base string) []string {
			return []string{"name", "Ada Example", "email", "ada@example.com", "new_password", password, "brand", "Acme", "resolver_base", base}
		}
		b.post("/set-up", fields("short", "https://id.example")...).wants(http.StatusUnprocessableEntity,
			`<a href="#new_password">Choose a password of 15 characters or more`, `value="ada@example.com"`).lacks(`value="short"`)
		b.post("/set-up", fields(password, "ftp://id.example")...).wants(http.StatusUnprocessableEntity, `<a href="#resolver_base">Enter an https URL`)
		brands, err := w.server.Mint.Brands(t.Context())
		w.must(err)
		if len(brands) != 0 {
			t.Fatalf("a refused form has left %d brands", len(brands))
		}
		b.post("/set-up", fields(password, "https://id.example")...).goesTo("/mint")
		b.get("/mint").wants(http.StatusOK, "Acme", "Owner", "Nothing has been minted yet")
		b.get("/set-up").wants(http.StatusNotFound)
		again := w.browser()
		again.post("/sign-in", "email", "ada@example.com", "password", password).goesTo("/mint")
		if secret, err := w.server.Access.FirstLink(t.Context()); secret != "" || err != nil {
			t.Errorf("there is a second first link (%v)", err)
		}
	})
}

// The installation's operator may have made brands before anybody could sign in;
// and two may have used a first link each.
func TestSetUpWithBrands(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brands := []*mintage.Brand{w.fixture.NewBrand(), w.fixture.NewBrand()}
		first, second := w.browser(), w.browser()
		for _, b := range []*browser{first, second} {
			secret, err := w.server.Access.FirstLink(t.Context())
			w.must(err)
			b.post("/link", "secret", secret).goesTo("/set-up")
			b.get("/set-up").wants(http.StatusOK, "Set up mintage").lacks("Resolver base")
		}
		first.post("/set-up", "name", "Ada", "email", "ada@example.com", "new_password", password).goesTo("/mint")
		first.get("/account").wants(http.StatusOK, brands[0].Name, brands[1].Name)
		second.post("/set-up", "name", "Eve", "email", "eve@example.com", "new_password", password, "brand", "Eve", "resolver_base", "https://eve.example").wants(http.StatusNotFound)
		second.get("/set-up").wants(http.StatusNotFound)
		if dump := storetest.Snapshot(t, w.db); strings.Contains(dump, "eve.example") {
			t.Error("who came too late has made a brand")
		}
	})
}

func TestNext(t *testing.T) {
	for wanted, want := range map[string]string{
		"": "/mint", "/account": "/account", "/mint?a=b&c=%2F": "/mint?a=b&c=%2F", "/a%2Fb": "/a%2Fb", "/account#x": "/account",
		"//evil.example": "/mint", "https://evil.example/": "/mint", "/\\evil.example": "/mint", "\\\\evil.example": "/mint", "javascript:alert(1)": "/mint",
		"evil": "/mint", "/\t/evil.example": "/mint", "///evil.example": "/mint", "/%zz": "/mint", "?next": "/mint",
	} {
		if got := next(wanted); got != want {
			t.Errorf("%q leads to %q instead of %q", wanted, got, want)
		}
	}
}

func FuzzNext(f *testing.F) {
	for _, seed := range []string{"/mint", "//evil.example", "/\\evil", "https://evil.example", "/%2F/evil", "/.//evil.example", "/..//evil.example"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "mintage.example", Path: "/sign-in"}
	f.Fuzz(func(t *testing.T, wanted string) {
		got := next(wanted)
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t") {
			t.Errorf("%q leads to %q", wanted, got)
		}
	})
}

func TestBaseURL(t *testing.T) {
	for _, base := range []string{"mintage.example", "https://", "https://mintage.example/path", "https://a:b@mintage.example", "ftp://mintage.example", "https://mintage.example?a"} {
		if _, err := New(Deps{BaseURL: base}); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%s: %v", base, err)
		}
	}
	for _, oidc := range []OIDCConfig{{}, {Issuer: "https://login.example"}, {ClientID: "1"}, {Issuer: "login.example", ClientID: "1"}} {
		if _, err := New(Deps{BaseURL: "https://mintage.example", OIDC: &oidc}); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%+v: %v", oidc, err)
		}
	}
	if _, err := New(Deps{OIDC: &OIDCConfig{Issuer: "https://login.example", ClientID: "1"}}); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
		t.Errorf("a provider without a base URL: %v", err)
	}
}

// The address that is throttled is the client's, whoever it says it is.
func TestThrottledByAddress(t *testing.T) {
	w := newSQLiteWorld(t)
	for i := range 100 {
		_, err := w.server.Access.SignIn(t.Context(), fmt.Sprintf("nobody%d@example.com", i), "wrong", mintage.Origin{}, netip.MustParseAddr("127.0.0.1"))
		if mintage.ErrorCode(err) == mintage.CodeTooMany {
			w.browser().post("/sign-in", "email", "kim@example.com", "password", "wrong").wants(http.StatusTooManyRequests)
			return
		}
	}
	t.Fatal("100 wrong passwords from one address were borne")
}

package e2e_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser is a person's: it keeps cookies and posts forms.
type browser struct {
	t      *testing.T
	url    string
	client *http.Client
}

func newBrowser(t *testing.T, url string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, url: url, client: &http.Client{Jar: jar}}
}

// get opens a page and returns the path and the status that it ends with.
func (b *browser) get(path string) (at string, status int, page string) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(request)
}

// post sends a form as a browser does from a page of ours.
func (b *browser) post(path string, fields ...string) (at string, status int, page string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.url)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(request)
}

func (b *browser) do(request *http.Request) (at string, status int, page string) {
	b.t.Helper()
	request.Header.Set("Accept", "text/html")
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.Request.URL.Path, response.StatusCode, string(body)
}

// cookies returns the values of the browser's cookies.
func (b *browser) cookies() (values []string) {
	b.t.Helper()
	u, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		values = append(values, c.Value)
	}
	return values
}

var printedLink = regexp.MustCompile(`/link/(\S+)`)

// ownerSecret is that of the first owner's link, "" where none was printed.
func ownerSecret(p *process) string {
	if m := printedLink.FindStringSubmatch(p.printed()); m != nil {
		return m[1]
	}
	return ""
}

// setUp makes the browser's person the first owner.
func (b *browser) setUp(secret, password string, more ...string) {
	b.t.Helper()
	if at, status, page := b.get("/link/" + secret); status != http.StatusOK {
		b.t.Fatalf("the link: %d at %s\n%s", status, at, page)
	}
	if at, status, page := b.post("/link", "secret", secret); at != "/set-up" || status != http.StatusOK {
		b.t.Fatalf("after the link: %d at %s\n%s", status, at, page)
	}
	fields := append([]string{"name", "Ada Owner", "email", "ada@example.com", "new_password", password}, more...)
	if at, status, page := b.post("/set-up", fields...); at != "/mint" || status != http.StatusOK {
		b.t.Fatalf("after the set-up: %d at %s\n%s", status, at, page)
	}
}

// On first start, and until somebody can sign in, a link is printed; it works once.
func TestFirstOwnerLink(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		server, url := in.serve()
		secret := ownerSecret(server)
		if secret == "" || strings.Contains(server.said(), secret) {
			t.Fatalf("the link is printed, and not logged: %s%s", server.printed(), server.said())
		}
		newBrowser(t, url).get("/link/" + secret) // a mail program's preview uses nothing up
		owner, late := newBrowser(t, url), newBrowser(t, url)
		owner.setUp(secret, "correct horse battery", "brand", "Acme", "resolver_base", "https://id.acme.example")
		if at, status, _ := late.post("/link", "secret", secret); at == "/set-up" || status < 400 {
			t.Errorf("the link a second time: %d at %s", status, at)
		}
		server.stopped()

		server, url = in.serve()
		if link := ownerSecret(server); link != "" {
			t.Error("a link is printed although somebody can sign in")
		}
		owner.url = url
		if at, status, page := owner.post("/sign-in", "email", "ADA@example.com", "password", "correct horse battery"); at != "/mint" && at != "/" || status != http.StatusOK {
			t.Errorf("signing in: %d at %s\n%s", status, at, page)
		}

		// Others are invited, and take the role that was given to them.
		invited := in.run("member", "invite", "--email=ben@example.com", "--name=Ben", "--role=viewer", "--base-url="+url)
		ben := newBrowser(t, url)
		if at, status, page := ben.post("/link", "secret", strings.TrimPrefix(text(invited, "link"), url+"/link/")); at != "/account" || status != http.StatusOK {
			t.Errorf("the invited one: %d at %s\n%s", status, at, page)
		}
		if members, _ := in.run("member", "list")["items"].([]any); len(members) != 2 {
			t.Errorf("the members: %v", members)
		}
		in.run("member", "remove", text(invited, "user_id"))
		if at, status, page := ben.get("/mint"); status == http.StatusOK && at == "/mint" {
			t.Errorf("who was removed sees\n%s", page)
		}
		server.stopped()
	})
}

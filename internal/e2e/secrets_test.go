package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mintage/internal/store/storetest/pgtest"
)

// secrets are what was made in a run, by what it is, and where to look for it.
type secrets struct {
	t      *testing.T
	made   map[string]string
	places map[string]string
}

func (s *secrets) add(name, secret string) string {
	s.t.Helper()
	if len(secret) < 12 {
		s.t.Fatalf("%s is %q: too short to be looked for", name, secret)
	}
	s.made[name] = secret
	return secret
}

// said adds what a command or an answer says when it refuses.
func (s *secrets) said(where, text string) {
	for i := 0; ; i++ {
		place := fmt.Sprintf("%s (%d)", where, i)
		if _, taken := s.places[place]; !taken {
			s.places[place] = text
			return
		}
	}
}

// found reports each secret that was said somewhere, plainly or as a part of a URL.
func (s *secrets) found() {
	s.t.Helper()
	for place, said := range s.places {
		for name, secret := range s.made {
			for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
				if i := strings.Index(said, form); i >= 0 {
					s.t.Errorf("%s shows %s: …%s…", place, name, strings.ReplaceAll(said[max(0, i-200):i], "\n", " "))
					break
				}
			}
		}
	}
}

// provider is an OpenID provider that refuses the code, and repeats in its refusal
// whatever it was sent.
func provider(t *testing.T) string {
	t.Helper()
	var issuer string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
			"code_challenge_methods_supported": []string{"S256"},
		})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		_, password, _ := r.BasicAuth()
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"error": "invalid_grant", "error_description": fmt.Sprint(r.Form, password, r.Header),
		})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	issuer = server.URL
	return issuer
}

// A day with everything that can go wrong, at the log's finest level. Afterwards
// nothing that was secret stands in a log, an error message or a refusal.
func TestNoSecretIsShown(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		s := &secrets{t: t, made: map[string]string{}, places: map[string]string{}}
		in.run("migrate")
		if in.engine == "postgres" {
			s.databaseURLs(in)
		}
		in.env = append(in.env, "MINTAGE_LOG_LEVEL=debug", "MINTAGE_OIDC_CLIENT_SECRET="+s.add("the OpenID client secret", "oidc-client-secret-4711"))
		server, base := in.serve("--oidc-issuer="+provider(t), "--oidc-client-id=mintage")
		file, err := os.ReadFile(filepath.Join(in.data, "master.key"))
		if err != nil {
			t.Fatal(err)
		}
		s.add("the master key", strings.TrimSpace(string(file)))

		s.people(in, server, base)
		s.programs(in, base)
		s.commands(in)

		server.stopped()
		s.said("the server's log", server.said())
		s.said("the server's output", strings.ReplaceAll(server.printed(), "/link/"+s.made["the first owner's link"], ""))
		s.found()
		if t.Failed() {
			return
		}
		for _, want := range []string{"request", "/sign-in", "/link", "/v1/api-keys", "openid"} {
			if !strings.Contains(strings.ToLower(server.said()), want) {
				t.Errorf("the log has nothing of %s: nothing was found because nothing happened", want)
			}
		}
	})
}

// databaseURLs gives each plane a URL with a password, and provokes errors that
// concern them.
func (s *secrets) databaseURLs(in *installation) {
	s.t.Helper()
	logins := pgtest.Roles(s.t, in.url)
	for name, login := range map[string]string{"app": logins.App, "worker": logins.Worker, "resolver": logins.Resolver} {
		u, err := url.Parse(login)
		if err != nil {
			s.t.Fatal(err)
		}
		password, _ := u.User.Password()
		s.add("the database password of the "+name, password)
	}
	wrong := s.add("a database password", "database-password-%zz")
	for _, bad := range []string{
		"postgres://u:" + wrong + "@127.0.0.1:1/x", "postgres://u:database-password-1234@127.0.0.1:1/x", "postgres:/u:" + wrong + "@", "host=127.0.0.1 port=1 password=" + wrong + " nonsense",
	} {
		broken := &installation{t: s.t, data: in.data, engine: in.engine, url: bad, env: []string{"MINTAGE_LOG_LEVEL=debug"}}
		s.said("a command with a wrong database URL", broken.refused(1, "jobs"))
		s.said("a server with a wrong database URL", broken.refused(1, "serve", "--json"))
	}
	s.add("another database password", "database-password-1234")
	in.env = append(in.env, "MINTAGE_DATABASE_URL="+logins.App, "MINTAGE_WORKER_DATABASE_URL="+logins.Worker, "MINTAGE_RESOLVER_DATABASE_URL="+logins.Resolver)
}

// operator is the installation as its operator's short commands see it: with the
// owner's database URL.
func (in *installation) operator() *installation {
	op := *in
	op.env = nil
	for _, v := range in.env {
		if !strings.Contains(v, "DATABASE_URL") {
			op.env = append(op.env, v)
		}
	}
	return &op
}

// people sets up the first owner, invites somebody, and signs in, rightly and
// wrongly.
func (s *secrets) people(in *installation, server *process, base string) {
	s.t.Helper()
	operator := in.operator()
	link := s.add("the first owner's link", ownerSecret(server))
	password := s.add("the owner's password", "correct horse battery staple")
	owner := newBrowser(s.t, base)
	owner.setUp(link, password, "brand", "Acme", "resolver_base", "https://id.acme.example")
	s.cookies("the owner's", owner)

	invited := text(operator.run("member", "invite", "--email=ben@example.com", "--role=operator", "--base-url="+base), "link")
	invitation := s.add("the invitation", strings.TrimPrefix(invited, base+"/link/"))
	ben := newBrowser(s.t, base)
	ben.get("/link/" + invitation)
	_, _, page := ben.post("/link", "secret", invitation)
	s.said("the page after the invitation", page)
	s.cookies("the invited one's", ben)

	for _, b := range []*browser{ben, newBrowser(s.t, base)} {
		for _, path := range []string{"/link/" + invitation, "/link/" + link, "/sign-in?next=/mint", "/account", "/mint?" + password, "/no/such/" + password} {
			if _, status, page := b.get(path); status >= 400 {
				s.said("a page that refuses", page)
			}
		}
		for _, secret := range []string{invitation, link, "not-a-secret-at-all"} {
			_, _, page := b.post("/link", "secret", secret, "more", password)
			s.said("a link that was used", page)
		}
		_, _, page := b.post("/sign-in", "email", "ada@example.com", "password", s.add("a wrong password", "wrong horse battery"))
		s.said("a sign-in that was refused", page)
	}
	owner.post("/sign-out")
	if at, status, page := owner.post("/sign-in", "email", "ada@example.com", "password", password); status != http.StatusOK || at == "/sign-in" {
		s.t.Fatalf("signing in: %d at %s\n%s", status, at, page)
	}
	s.cookies("the owner's new", owner)
	changed := s.add("the owner's new password", "staple battery horse correct")
	_, _, page = owner.post("/account/password", "current_password", password, "new_password", changed)
	s.said("the page after a change of password", page)
	_, _, page = owner.post("/account/password", "current_password", "wrong horse battery", "new_password", "too short")
	s.said("a change of password that was refused", page)
	s.signInElsewhere(base)
	owner.post("/account/sign-out-everywhere")
}

// signInElsewhere goes to the OpenID provider and comes back with a code that it
// then refuses.
func (s *secrets) signInElsewhere(base string) {
	s.t.Helper()
	b := newBrowser(s.t, base)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := b.client.Get(base + "/sign-in/oidc")
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	to, err := response.Location()
	if err != nil {
		s.t.Fatalf("the way to the provider: %s, %v", response.Status, err)
	}
	s.cookies("the OpenID attempt's", b)
	state := s.add("the OpenID state", to.Query().Get("state"))
	code := s.add("the OpenID code", "authorization-code-0815")
	_, status, page := b.get("/sign-in/oidc/callback?code=" + code + "&state=" + state)
	if status < 400 {
		s.t.Errorf("a refused code: %d\n%s", status, page)
	}
	s.said("a sign-in that the provider refused", page)
}

func (s *secrets) cookies(whose string, b *browser) {
	s.t.Helper()
	values := b.cookies()
	if len(values) == 0 {
		s.t.Fatalf("%s browser has no cookie", whose)
	}
	for i, value := range values {
		s.add(fmt.Sprintf("%s cookie %d", whose, i), value)
	}
}

// programs uses the API with keys of all kinds, and is refused in many ways.
func (s *secrets) programs(in *installation, base string) {
	s.t.Helper()
	operator := in.operator()
	made := operator.run("key", "create", "--role=owner", "--label=ERP")
	key := s.add("an API key", text(made, "key"))
	s.add("an API key's secret", key[len(key)-52:])
	rotated := s.add("the key after it", text(operator.run("key", "rotate", text(made, "id")), "key"))
	c := &client{t: s.t, url: base, key: rotated}
	refused := func(method, path, contentType, body string, header ...string) {
		s.t.Helper()
		response, answer := c.do(method, path, contentType, body, header...)
		if response.StatusCode >= 400 {
			s.said(method+" "+strings.SplitN(path, "?", 2)[0], string(answer)+fmt.Sprint(response.Header))
		}
	}
	c.do(http.MethodPost, "/v1/products/import", "text/csv", "sku,name,gtin\nA,Product A,9520123456788\n")
	products, _ := c.json(http.MethodGet, "/v1/products?sku=A", "", 200)["items"].([]any)
	if len(products) != 1 {
		s.t.Fatalf("products: %v", products)
	}
	product := text(products[0].(map[string]any), "id")
	submitted := c.json(http.MethodPost, "/v1/mint-requests",
		`{"product_id":"`+product+`","requested_quantity":1000,"identity_mode":"serial","activation_mode":"first_scan"}`, 201, "Idempotency-Key", "order-1")
	c.do(http.MethodGet, "/v1/mint-jobs/"+text(submitted, "mint_job_id")+"/watch", "", "")
	_, export := c.do(http.MethodGet, "/v1/mint-batches/"+text(submitted, "mint_batch_id")+"/export", "", "")
	rows := strings.Split(string(export), "\n")
	if len(rows) < 1000 {
		s.t.Fatalf("the export: %s", export)
	}
	s.add("a unit's serial", strings.Split(rows[500], ",")[4])
	api := c.json(http.MethodPost, "/v1/api-keys", `{"role":"viewer","label":"scanner"}`, 201)
	viewer := s.add("a key made by the API", text(api, "key"))

	refused(http.MethodGet, "/v1/products?"+rotated, "", "")
	refused(http.MethodGet, "/v1/products/"+rotated, "", "")
	refused(http.MethodGet, "/v1/units/"+s.made["a unit's serial"], "", "")
	refused(http.MethodPost, "/v1/products", "application/json", `{"`+key+`":"`+viewer+`"}`)
	refused(http.MethodPost, "/v1/mint-requests", "application/json", `{"product_id":"`+key+`","requested_quantity":-1}`, "Idempotency-Key", "ü"+key)
	refused(http.MethodPost, "/v1/mint-requests", "application/json", `{`+key)
	refused(http.MethodPost, "/v1/products/import", "text/csv", key+","+viewer+"\n")
	refused(http.MethodGet, "/v1/mint-jobs/"+key+"/watch", "", "", "Last-Event-ID", key)
	refused(http.MethodGet, "/v1/products", "", "", "X-Request-Id", key+" ", "Cookie", "mintage="+key)
	c.key = viewer
	refused(http.MethodPost, "/v1/products", "application/json", `{"sku":"B","name":"B"}`)
	c.key = s.add("a key that is wrong", rotated[:len(rotated)-4]+"0000")
	refused(http.MethodGet, "/v1/products", "", "")
	c.key = rotated
	operator.run("key", "revoke", strings.TrimPrefix(rotated, "mk_")[:12])
	refused(http.MethodGet, "/v1/products", "", "")
}

// commands fail with secrets at hand.
func (s *secrets) commands(in *installation) {
	s.t.Helper()
	operator := in.operator()
	file := filepath.Join(in.data, "bad.csv")
	if err := os.WriteFile(file, []byte("sku\n"+s.made["an API key"]+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	for _, args := range [][]string{
		{"import", "products", file}, {"submit", "--sku=none", "--quantity=1"}, {"key", "revoke", "000000000000"}, {"export", "none"},
		{"brand", "create", "--name=B", "--resolver-base=https://id.acme.example"},
	} {
		for _, json := range []string{"--json=false", "--json"} {
			out, _ := operator.command(append(args, json)...).CombinedOutput() // most of them fail, and are to
			s.said("mintage "+strings.Join(args[:2], " "), string(out))
		}
	}
	another := s.add("another master key", base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	for _, wrong := range []string{another, another[:40], s.add("no master key at all", "not a master key, but secret")} {
		broken := *operator
		broken.env = append(append([]string{}, operator.env...), "MINTAGE_MASTER_KEY="+wrong)
		s.said("a command with a wrong master key", broken.refused(1, "jobs"))
		s.said("a server with a wrong master key", broken.refused(1, "serve"))
	}
}

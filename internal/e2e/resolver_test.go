package e2e_test

import (
	"bytes"
	"crypto/tls"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// phone is the User-Agent of a person's.
const phone = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"

// scan opens a printed URL as a phone does, without following where it leads to.
// server is where the resolver listens.
func scan(server, printed string) (*http.Response, error) {
	_, rest, _ := strings.Cut(printed, "://")
	host, path, _ := strings.Cut(rest, "/")
	request, err := http.NewRequest(http.MethodGet, server+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Host = host
	request.Header.Set("User-Agent", phone)
	request.Header.Set("Accept", "text/html")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, err
}

// scanned asserts how a scan is answered, and returns where it leads to and what it
// shows.
func scanned(t *testing.T, server, printed string, status int) (location, body string) {
	t.Helper()
	response, err := scan(server, printed)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Errorf("%s: %s, want %d\n%.300s", printed, response.Status, status, text)
	}
	return response.Header.Get("Location"), string(text)
}

// public is where a process serves the resolver.
func (p *process) public() string {
	p.t.Helper()
	return "http://" + p.address("serving the resolver")
}

// printed is a unit as the printer gets it.
type printed struct{ unitID, url string }

// mint mints units of a SKU and returns them with their batch.
func (in *installation) mint(sku string, quantity int, args ...string) (batch string, units []printed) {
	in.t.Helper()
	submitted := in.run(append([]string{"submit", "--sku=" + sku, fmt.Sprintf("--quantity=%d", quantity)}, args...)...)
	storetest.Eventually(in.t, "all is minted", in.allDone)
	batch = text(submitted, "mint_batch_id")
	path := filepath.Join(in.t.TempDir(), "units.csv")
	in.run("export", batch, "--output="+path)
	file, err := os.ReadFile(path)
	if err != nil {
		in.t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil || len(rows) != quantity+1 || rows[0][0] != "unit_id" || rows[0][6] != "resolver_url" {
		in.t.Fatalf("the export has %d rows, %q: %v", len(rows), rows[0], err)
	}
	for _, row := range rows[1:] {
		units = append(units, printed{row[0], row[6]})
	}
	return batch, units
}

// activations is how many units were activated, and how many events say so.
func (in *installation) activations() (units, events int64) {
	in.t.Helper()
	return in.number(`SELECT count(*) FROM unit_states WHERE status = 'active'`),
		in.number(`SELECT count(*) FROM events WHERE kind = 'unit.transition' AND to_state = 'active'`)
}

// What is revoked by one process is answered 410 by every other within a second of
// the answer, and stays so. On SQLite, where one process serves, by its other plane.
func TestRevocationReachesEveryProcess(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		key := text(in.run("key", "create", "--role=admin"), "key")
		first, url := in.serve()
		resolvers := []*process{first}
		if in.engine == "postgres" {
			second, _ := in.serve()
			third := in.start("serve", "--log-format=json", "--roles=resolver")
			resolvers = append(resolvers, second, third)
		}
		c := &client{t: t, url: url, key: key}
		batch, units := in.mint("A", 20, "--activation-mode=first_scan", "--lot=L1=10", "--lot=L2=10")
		for _, u := range units {
			for _, p := range resolvers { // all of them know each unit
				scanned(t, p.public(), u.url, http.StatusTemporaryRedirect)
			}
		}
		// gone waits until all resolvers have heard of it.
		gone := func(since time.Time, u printed) {
			t.Helper()
			for _, p := range resolvers {
				within(t, time.Until(since.Add(time.Second)), "a revoked token is answered 410", func() bool {
					response, err := scan(p.public(), u.url)
					return err == nil && response.StatusCode == http.StatusGone
				})
			}
		}
		for _, u := range units[:5] {
			c.json(http.MethodPost, "/v1/units/"+u.unitID+"/revoke", `{"reason":"stolen from a truck"}`, http.StatusOK)
			gone(time.Now(), u)
		}
		c.json(http.MethodPost, "/v1/mint-batches/"+batch+"/lots/L2/recall", `{"reason":"brakes"}`, http.StatusOK)
		since := time.Now()
		for _, u := range units[10:] {
			gone(since, u)
		}
		for _, p := range resolvers {
			for i, u := range units {
				want := http.StatusTemporaryRedirect
				if i < 5 || i >= 10 {
					want = http.StatusGone
				}
				scanned(t, p.public(), u.url, want)
			}
			if _, body := scanned(t, p.public(), units[0].url, http.StatusGone); !strings.Contains(body, "stolen from a truck") {
				t.Errorf("the page does not say why:\n%s", body)
			}
			p.stopped()
		}
		if n, events := in.activations(); n != 20 || events != 20 {
			t.Errorf("%d units were activated, with %d events", n, events)
		}
		in.exact(20)
	})
}

// The process is killed while scans run, again and again. What was answered as
// activated is; nothing is activated twice; and whoever scans again gets an answer.
func TestFaultResolverKilled(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		kills, quantity := scale(3, 20), scale(3000, 40_000)
		server, _ := in.serve()
		_, units := in.mint("A", quantity, "--activation-mode=first_scan")
		server.stopped()
		start := func() (*process, string) {
			p := in.start("serve", "--log-format=json", "--roles=resolver", "--rate-per-address=0")
			return p, p.public()
		}
		answered := make(map[string]bool)
		for kill := range kills {
			p, public := start()
			var mu sync.Mutex
			var scanners sync.WaitGroup
			part := units[kill*quantity/kills : (kill+1)*quantity/kills]
			next := make(chan printed)
			struck := make(chan struct{})
			for range 8 {
				scanners.Go(func() {
					for u := range next {
						response, err := scan(public, u.url)
						if err != nil {
							continue // killed: nobody was told anything
						}
						if response.StatusCode != http.StatusTemporaryRedirect {
							t.Errorf("a scan is answered %s", response.Status)
						}
						mu.Lock()
						answered[u.unitID] = true
						mu.Unlock()
					}
				})
			}
			scanners.Go(func() {
				<-struck
				someTime(20 * time.Millisecond)
				p.kill()
			})
			for i, u := range part {
				if i == len(part)/2 {
					close(struck)
				}
				next <- u
			}
			close(next)
			scanners.Wait()

			n, events := in.activations()
			if n != events || n < int64(len(answered)) {
				t.Errorf("after kill %d: %d units are active, with %d events; %d scans were answered", kill+1, n, events, len(answered))
			}
			if n >= int64((kill+1)*quantity/kills) {
				t.Errorf("all scans were over before kill %d", kill+1)
			}
		}
		active := in.strings(`SELECT unit_id FROM units_v WHERE status = 'active'`)
		for id := range answered {
			if !active[id] {
				t.Errorf("%s was answered, and is not active", id)
			}
		}
		p, public := start()
		for _, u := range units {
			scanned(t, public, u.url, http.StatusTemporaryRedirect)
		}
		p.stopped()
		if n, events := in.activations(); n != int64(quantity) || events != int64(quantity) {
			t.Errorf("%d of %d units are active, with %d events", n, quantity, events)
		}
		in.survived("resolver killed (kill -9)", kills, int64(quantity))
	})
}

// strings reads a set of texts past mintage.
func (in *installation) strings(query string) map[string]bool {
	in.t.Helper()
	raw := in.raw()
	defer raw.Close()
	rows, err := raw.QueryContext(in.t.Context(), query)
	if err != nil {
		in.t.Fatal(err)
	}
	defer rows.Close()
	set := make(map[string]bool)
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			in.t.Fatal(err)
		}
		set[s] = true
	}
	if err := rows.Err(); err != nil {
		in.t.Fatal(err)
	}
	return set
}

// lookUp reads one text past mintage.
func (in *installation) lookUp(query string) string {
	in.t.Helper()
	for s := range in.strings(query) {
		return s
	}
	in.t.Fatalf("nothing is found by %s", query)
	return ""
}

// The resolver's own database role suffices for all that the public plane does, and
// for nothing else.
func TestResolverWithARoleOfItsOwn(t *testing.T) {
	owner := &installation{t: t, data: t.TempDir(), engine: "postgres", url: pgtest.NewDatabase(t, "")}
	owner.prepare()
	logins := pgtest.Roles(t, owner.url)
	serving, _ := owner.serve("--roles=api,worker")
	batch, units := owner.mint("A", 10, "--activation-mode=first_scan", "--lot=L1=10")
	_, without := owner.mint("B", 1)
	resolver := &installation{t: t, data: owner.data, engine: "postgres", env: []string{"MINTAGE_RESOLVER_DATABASE_URL=" + logins.Resolver}}
	p := resolver.start("serve", "--log-format=json", "--roles=resolver")
	public := p.public()
	for _, u := range append(units[:9:9], without...) {
		page, _ := scanned(t, public, u.url, http.StatusTemporaryRedirect)
		scanned(t, public, page, http.StatusOK)
		scanned(t, public, u.url, http.StatusTemporaryRedirect)
	}
	lot, _, _ := strings.Cut(units[0].url, "/21/")
	product, _, _ := strings.Cut(lot, "/10/")
	for _, target := range []string{lot, product} {
		page, _ := scanned(t, public, target, http.StatusTemporaryRedirect)
		scanned(t, public, page, http.StatusOK)
		scanned(t, public, target+"?linkType=linkset", http.StatusOK)
	}
	scanned(t, public, "https://id.acme.example/.well-known/gs1resolver", http.StatusOK)
	scanned(t, public, product+"/21/0123456789AB", http.StatusNotFound)
	scanned(t, public, "https://id.nobody.example/01/09520123456788", http.StatusNotFound)
	owner.run("revoke", units[0].unitID, "--reason=faulty")
	owner.run("recall", "--batch="+batch, "--lot=L1", "--reason=brakes")
	within(t, time.Second, "the recall has arrived", func() bool {
		response, err := scan(public, units[9].url)
		return err == nil && response.StatusCode == http.StatusGone
	})
	p.stopped() // what was scanned is written by then
	if said := p.said(); strings.Contains(said, "ERROR") || strings.Contains(said, "WARN") {
		t.Errorf("it logged:\n%s", said)
	}
	if n, events := owner.activations(); n != 10 && n != 9 || n != events {
		t.Errorf("%d units were activated, with %d events", n, events)
	}
	if n := owner.number(`SELECT count(*) FROM scans`); n < 20 {
		t.Errorf("%d scans are stored", n)
	}
	serving.stopped()
	owner.exact(11)

	login, err := sql.Open("pgx", logins.Resolver)
	if err != nil {
		t.Fatal(err)
	}
	defer login.Close()
	for _, statement := range []string{
		`SELECT count(*) FROM users`, `SELECT count(*) FROM api_keys`, `SELECT count(*) FROM sessions`, `SELECT count(*) FROM mint_jobs`,
		`SELECT count(*) FROM units`, `SELECT count(*) FROM unit_states`, `SELECT count(*) FROM scans`, `SELECT message FROM events`,
		`INSERT INTO units VALUES (1, 1000, 1)`, `INSERT INTO unit_states VALUES (1, 9, now(), 'revoked', '')`, `DELETE FROM recalls`,
		`UPDATE products SET name = ''`, `UPDATE brands SET resolver_base = ''`, `DELETE FROM scans`, `TRUNCATE events`, `CREATE TABLE own (n integer)`,
		`SELECT mintage_revoke_units(1, '{1}', '{now}', '{x}')`, `SELECT mintage_user('00000000-0000-0000-0000-000000000000')`,
	} {
		_, err := login.ExecContext(t.Context(), statement)
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "42501" { // insufficient privilege
			t.Errorf("%s: %v", statement, err)
		}
	}
	// Rows of a brand do not exist for who has not named it.
	for _, table := range []string{"brands", "products", "mint_batches", "lots", "product_links", "recalls", "brand_units", "brand_unit_states", "brand_scans"} {
		var n int64
		if err := login.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows of %s: %v", n, table, err)
		}
	}
}

// The resolver SHALL support HTTP over TLS (GS1 Conformant Resolver), HTTP/2 included.
func TestResolverOverTLS(t *testing.T) {
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	certFile, keyFile, roots := certificate(t, in.data)
	server := in.start("serve", "--log-format=json", "--tls-cert="+certFile, "--tls-key="+keyFile)
	base := "https://" + server.address("serving the resolver")
	in.run("brand", "create", "--name=Acme", "--resolver-base="+base+"/acme")
	in.catalogue()
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Get(base + "/acme/01/09520123456788")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if to := response.Header.Get("Location"); response.StatusCode != http.StatusTemporaryRedirect || response.ProtoMajor != 2 ||
		!strings.HasPrefix(to, base+"/acme/p/") || response.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s over %s to %q", response.Status, response.Proto, to)
	}
	server.stopped()
}

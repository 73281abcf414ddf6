package e2e_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// certificate writes one for 127.0.0.1 and returns who trusts it.
func certificate(t *testing.T, dir string) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	err = errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	)
	leaf, parseErr := x509.ParseCertificate(der)
	if err = errors.Join(err, parseErr); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(leaf)
	return certFile, keyFile, roots
}

func TestTLS(t *testing.T) {
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	certFile, keyFile, roots := certificate(t, in.data)
	server := in.start("serve", "--log-format=json", "--tls-cert="+certFile, "--tls-key="+keyFile)
	address := server.address("serving")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	response, err := client.Get("https://" + address + "/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ProtoMajor != 2 || response.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s over %s, HSTS %q", response.Status, response.Proto, response.Header.Get("Strict-Transport-Security"))
	}
	if !strings.Contains(server.printed(), "https://"+address+"/link/") {
		t.Errorf("the first owner's link: %s", server.printed())
	}
	if plain, err := http.Get("http://" + address + "/healthz"); err == nil {
		_ = plain.Body.Close()
		if plain.StatusCode == http.StatusOK {
			t.Error("it serves without TLS too")
		}
	}
	server.stopped()

	for _, args := range [][]string{{"--tls-cert=" + certFile}, {"--tls-key=" + keyFile}, {"--tls-cert=" + keyFile, "--tls-key=" + keyFile}} {
		if out, err := in.command(append([]string{"serve"}, args...)...).CombinedOutput(); err == nil || !strings.Contains(string(out), "tls") {
			t.Errorf("serve %v: %v\n%s", args, err, out)
		}
	}
}

// What other machines can reach is not served in clear by mistake.
func TestOtherMachinesNeedTLS(t *testing.T) {
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	if out := in.refused(1, "serve", "--listen=0.0.0.0:0"); !strings.Contains(out, "--tls-cert") {
		t.Errorf("it says %q", out)
	}
	for _, flag := range []string{"--insecure-http", "--trusted-proxies=10.0.0.0/8"} {
		server := in.start("serve", "--log-format=json", "--listen=0.0.0.0:0", flag)
		server.address("serving")
		server.stopped()
	}
}

// Headers that never end hold no connection.
func TestSlowClientsAreCut(t *testing.T) {
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	server, url := in.serve()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: mintage\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err = io.Copy(io.Discard, conn) // until the server has had enough
	if d := time.Since(begin); err != nil || d > 20*time.Second {
		t.Errorf("cut off after %s: %v", d, err)
	}
	if response, err := http.Get(url + "/healthz"); err != nil || response.Body.Close() != nil {
		t.Errorf("others: %v", err)
	}
	server.stopped()
}

func TestHugeHeadersAreRefused(t *testing.T) {
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	_, url := in.serve()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: mintage\r\nX-Huge: "+strings.Repeat("x", 64<<10)) // cut off
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("the answer is %s", response.Status)
	}
}

func TestRateLimits(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		first, second := text(in.run("key", "create", "--role=viewer"), "key"), text(in.run("key", "create", "--role=viewer"), "key")
		_, url := in.serve("--rate-per-key=0.01", "--rate-per-address=1000")
		c := &client{t: t, url: url, key: first}
		if response, _ := c.do(http.MethodGet, "/v1/products", "", ""); response.StatusCode != http.StatusOK {
			t.Fatalf("the first request: %s", response.Status)
		}
		response, answer := c.do(http.MethodGet, "/v1/products", "", "")
		wait, err := strconv.Atoi(response.Header.Get("Retry-After"))
		if response.StatusCode != http.StatusTooManyRequests || err != nil || wait < 1 || wait > 100 ||
			response.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(answer), "TOO_MANY_REQUESTS") {
			t.Errorf("the second one: %s, Retry-After %q\n%s", response.Status, response.Header.Get("Retry-After"), answer)
		}
		c.key = second
		if response, _ := c.do(http.MethodGet, "/v1/products", "", ""); response.StatusCode != http.StatusOK {
			t.Errorf("another key: %s", response.Status)
		}
	})
}

// Events say from what kind of address something was done; a client that says so
// of itself is believed only where it is a trusted proxy.
func TestAddressesBehindProxies(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		key := text(in.run("key", "create", "--role=owner"), "key")
		create := func(sku string, args ...string) {
			t.Helper()
			server, url := in.serve(args...)
			c := &client{t: t, url: url, key: key}
			c.json(http.MethodPost, "/v1/products", `{"sku":"`+sku+`","name":"Product"}`, 201,
				"X-Forwarded-For", "192.168.1.1, 203.0.113.9", "X-Request-Id", "request-"+sku)
			server.stopped()
		}
		create("P1")
		create("P2", "--trusted-proxies=10.0.0.0/8,127.0.0.0/8")
		for class, id := range map[string]string{"loopback": "request-P1", "public": "request-P2"} {
			if n := in.number(`SELECT count(*) FROM events WHERE kind = 'product.created' AND address_class = '` + class + `' AND request_id = '` + id + `'`); n != 1 {
				t.Errorf("%d events of %s come from a %s address", n, id, class)
			}
		}
	})
}

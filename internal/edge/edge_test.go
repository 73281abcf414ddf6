package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"mintage"
)

// served is a plane behind an edge.
type served struct {
	t      *testing.T
	url    string
	mu     sync.Mutex
	logged bytes.Buffer
}

func (s *served) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logged.Write(p)
}

func (s *served) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logged.String()
}

func serve(t *testing.T, o Options, h http.HandlerFunc) *served {
	t.Helper()
	s := &served{t: t}
	o.Log = slog.New(slog.NewJSONHandler(s, nil))
	mux := http.NewServeMux()
	mux.HandleFunc("/thing/{id}", h)
	server := httptest.NewServer(New(o)(mux))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *served) get(path string, header ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response, string(body)
}

func TestRequestIDs(t *testing.T) {
	var origin mintage.Origin
	s := serve(t, Options{}, func(_ http.ResponseWriter, r *http.Request) { origin = Origin(r.Context()) })
	seen := map[string]bool{}
	for sent, kept := range map[string]bool{
		"abc-1._": true, "": false, "has space": false, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, `"><script>`: false,
	} {
		response, _ := s.get("/thing/1", "X-Request-Id", sent)
		got := response.Header.Get("X-Request-Id")
		if (got == sent) != kept || got == "" || seen[got] || got != origin.RequestID {
			t.Errorf("%q became %q, the origin says %q", sent, got, origin.RequestID)
		}
		seen[got] = true
	}
	if origin.AddressClass != mintage.AddressLoopback {
		t.Errorf("the address class is %q", origin.AddressClass)
	}
	if x := Origin(t.Context()); x != (mintage.Origin{}) || Address(t.Context()).IsValid() || RequestID(t.Context()) != "" {
		t.Errorf("without a request: %+v", x)
	}
}

// Only what a trusted proxy has seen counts, never what a client says of itself.
func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
	for _, tc := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.7:4711", nil, "203.0.113.7"},
		{"a client that claims an address", "203.0.113.7:4711", []string{"198.51.100.1"}, "203.0.113.7"},
		{"a proxy", "10.1.2.3:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a proxy of a client that claims an address", "10.1.2.3:80", []string{"127.0.0.1, 198.51.100.1"}, "198.51.100.1"},
		{"a claim in a line of its own", "10.1.2.3:80", []string{"127.0.0.1", "198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.1.2.3:80", []string{"127.0.0.1, 198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"proxies only", "10.1.2.3:80", []string{"10.4.4.4, 10.9.9.9"}, "10.4.4.4"},
		{"a proxy that says nothing", "10.1.2.3:80", nil, "10.1.2.3"},
		{"a proxy that does not know", "10.1.2.3:80", []string{"198.51.100.1, unknown"}, "10.1.2.3"},
		{"with ports", "10.1.2.3:80", []string{"198.51.100.1:5555"}, "198.51.100.1"},
		{"IPv6", "[2001:db8:1::1]:443", []string{"[2001:db8:2::5]:99"}, "2001:db8:2::5"},
		{"IPv6 in brackets", "[2001:db8:1::1]:443", []string{"[2001:db8:2::5]"}, "2001:db8:2::5"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:443", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"no address at all", "pipe", []string{"198.51.100.1"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: tc.remote, Header: http.Header{"X-Forwarded-For": tc.forwarded}}
		if got := clientAddress(r, trusted).String(); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	if got := clientAddress(&http.Request{RemoteAddr: "127.0.0.1:1", Header: http.Header{"X-Forwarded-For": {"198.51.100.1"}}}, nil); got.String() != "127.0.0.1" {
		t.Errorf("without trusted proxies: %s", got)
	}
}

func TestPanicShowsNothing(t *testing.T) {
	s := serve(t, Options{}, func(http.ResponseWriter, *http.Request) { panic("the secret of the program") })
	response, body := s.get("/thing/1")
	var problem struct {
		Code      mintage.Code `json:"code"`
		RequestID string       `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(body), &problem); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusInternalServerError || response.Header.Get("Content-Type") != "application/problem+json" ||
		problem.Code != mintage.CodeInternal || problem.RequestID != response.Header.Get("X-Request-Id") {
		t.Errorf("%s: %s", response.Status, body)
	}
	if strings.Contains(body, "secret") || strings.Contains(body, "goroutine") {
		t.Errorf("the answer shows the fault: %s", body)
	}
	if !strings.Contains(s.log(), "the secret of the program") || !strings.Contains(s.log(), problem.RequestID) {
		t.Errorf("the log does not name the fault: %s", s.log())
	}
	_, page := s.get("/thing/1", "Accept", "text/html,application/xhtml+xml")
	if strings.Contains(page, "{") || !strings.Contains(page, "internal error") {
		t.Errorf("a browser gets %s", page)
	}
}

// Half an answer must not pass for a whole one.
func TestPanicInTheMiddleBreaksOff(t *testing.T) {
	s := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		_ = http.NewResponseController(w).Flush()
		panic(errors.New("then a fault"))
	})
	response, err := http.Get(s.url + "/thing/1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("the answer looks whole: %q", body)
	}
}

// One line a request, in which nothing of the caller stands but its request id.
func TestAccessLog(t *testing.T) {
	s := serve(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		SetActor(r.Context(), "key:0123")
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // a second status, as huma sends one
	})
	s.get("/thing/identity?q=query", "Authorization", "Bearer credential", "Cookie", "a=cookie", "X-Request-Id", "r-1")
	s.get("/nothing/identity")
	lines := strings.Split(strings.TrimSpace(s.log()), "\n")
	if len(lines) != 2 {
		t.Fatalf("the log:\n%s", s.log())
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"msg": "request", "request_id": "r-1", "method": "GET", "route": "/thing/{id}", "status": float64(418), "actor": "key:0123", "broken_off": false,
	} {
		if line[field] != want {
			t.Errorf("%s is %v, want %v", field, line[field], want)
		}
	}
	for _, word := range []string{"identity", "query", "credential", "cookie", "127.0.0.1"} {
		if strings.Contains(s.log(), word) {
			t.Errorf("the log shows the %s: %s", word, s.log())
		}
	}
}

func TestHeaders(t *testing.T) {
	plain := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=60") })
	response, _ := plain.get("/thing/1")
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Security-Policy":   "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"Cache-Control":             "max-age=60", // the plane's own
		"Strict-Transport-Security": "",           // a promise that only TLS can keep
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if response, _ := plain.get("/nothing"); response.Header.Get("Cache-Control") != "no-store" {
		t.Error("what no plane has made may be kept")
	}
	secure := serve(t, Options{HSTS: true}, func(http.ResponseWriter, *http.Request) {})
	if response, _ := secure.get("/thing/1"); response.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Error("HSTS is missing")
	}
}

// A public plane sets the headers about what it shows itself; who asked and how, the
// edge still says.
func TestPublic(t *testing.T) {
	s := serve(t, Options{Public: true, HSTS: true}, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "https://a.example") })
	response, _ := s.get("/thing/1")
	for _, name := range []string{"X-Request-Id", "Strict-Transport-Security", "Location"} {
		if response.Header.Get(name) == "" {
			t.Errorf("there is no %s", name)
		}
	}
	for _, name := range []string{"Content-Security-Policy", "Cross-Origin-Resource-Policy", "X-Frame-Options", "Referrer-Policy"} {
		if got := response.Header.Get(name); got != "" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// What a public plane answers is logged at level debug, its faults as everywhere.
func TestPublicLog(t *testing.T) {
	s := serve(t, Options{Public: true}, func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "fault" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	s.get("/thing/1")
	s.get("/nothing")
	s.get("/thing/fault")
	if log := s.log(); strings.Count(log, "\n") != 1 || !strings.Contains(log, `"status":503`) {
		t.Errorf("the log is %s", log)
	}
}

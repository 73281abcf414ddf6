package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mintage"
)

// serveAlone serves an API that has no services behind it.
func serveAlone(t *testing.T) *httptest.Server {
	t.Helper()
	return serve(t, New(Deps{APIVersion: "test", Version: "program"}), nil)
}

func alone(t *testing.T) *world {
	t.Helper()
	return &world{t: t, http: serveAlone(t), brand: &brandOf{}}
}

func TestUnknownRoutes(t *testing.T) {
	w := alone(t)
	for _, path := range []string{"/", "/v1", "/v1/", "/v2/products", "/v1/products/", "//v1/products", "/v1/./products", "/v1/products/a/b", "/docs", "/openapi-3.0.json"} {
		w.do(call{key: "-", path: path}).refuses(http.StatusNotFound, mintage.CodeNotFound)
	}
	a := w.do(call{key: "-", method: http.MethodDelete, path: "/v1/products/1"})
	a.refuses(http.StatusMethodNotAllowed, codeMethod)
	equal(t, "Allow", a.header.Get("Allow"), "GET, HEAD, PATCH")
	a = w.do(call{key: "-", method: http.MethodHead, path: "/v1/mint-batches/1/export"}).is(http.StatusMethodNotAllowed)
	equal(t, "Allow", a.header.Get("Allow"), "GET")
}

func TestRequestIDs(t *testing.T) {
	w := alone(t)
	seen := map[string]bool{}
	for _, c := range []struct {
		sent string
		kept bool
	}{{"abc-1._", true}, {"", false}, {"has space", false}, {strings.Repeat("a", 65), false}, {`"><script>`, false}} {
		got := w.do(call{key: "-", path: "/healthz", header: map[string]string{"X-Request-Id": c.sent}}).header.Get("X-Request-Id")
		if (got == c.sent) != c.kept || got == "" || seen[got] {
			t.Errorf("%q became %q", c.sent, got)
		}
		seen[got] = true
	}
}

func TestPanicShowsNothing(t *testing.T) {
	w := alone(t)
	// There are no services behind this API: whatever asks for one panics.
	a := w.do(call{path: "/v1/products", key: "mk_" + strings.Repeat("0", 64)})
	p := a.refuses(http.StatusInternalServerError, mintage.CodeInternal)
	if strings.Contains(string(a.body), "nil pointer") || !strings.Contains(p.Detail, "log") {
		t.Errorf("the answer to a panic: %s", a.body)
	}
}

func TestReadiness(t *testing.T) {
	cause := errors.New("the cause is not shown")
	ready := mintage.Errorf(mintage.CodeOldSchema, "Run mintage migrate.").WithCause(cause)
	h := serve(t, New(Deps{Ready: func(context.Context) error { return errors.Join(nil, ready) }}), nil)
	w := &world{t: t, http: h}
	a := w.do(call{key: "-", path: "/readyz"})
	p := a.refuses(http.StatusServiceUnavailable, mintage.CodeOldSchema)
	if p.Detail != "Run mintage migrate." || strings.Contains(string(a.body), "cause") || a.header.Get("Retry-After") == "" {
		t.Errorf("not ready: %s", a.body)
	}
	w.do(call{key: "-", path: "/healthz"}).is(http.StatusOK)
}

func TestStatusesOfCodes(t *testing.T) {
	s := newServer(Deps{})
	for code, status := range map[mintage.Code]int{
		mintage.CodeInvalidInput: 422, mintage.CodeNotSupported: 422, mintage.CodeBlocked: 422, mintage.CodeKeyReused: 422,
		mintage.CodeUnauthorized: 401, mintage.CodeForbidden: 403, mintage.CodeNotFound: 404, mintage.CodeConflict: 409, mintage.CodeCommitted: 409,
		mintage.CodeUnavailable: 503, mintage.CodeRetry: 503,
		mintage.CodeInternal: 500, mintage.CodeTransition: 500, mintage.CodeOldSchema: 503, mintage.CodeInUse: 500, "ANYTHING": 500,
	} {
		p := s.problem(t.Context(), mintage.Errorf(code, "the message").WithCause(errors.New("the cause")))
		if p.Status != status {
			t.Errorf("%s is %d, want %d", code, p.Status, status)
		}
		if shown := strings.Contains(p.Detail, "the message"); shown != (status != 500) || strings.Contains(p.Detail, "cause is in the log") != (status == 500) {
			t.Errorf("%s says %q", code, p.Detail)
		}
		if (status == 503) != (p.headers.Get("Retry-After") != "") {
			t.Errorf("%s: Retry-After %q", code, p.headers.Get("Retry-After"))
		}
	}
	// What may have been done says so, and is not to be asked again blindly.
	if p := s.problem(t.Context(), mintage.Errorf(mintage.CodeUnknown, "the message")); p.Status != 500 || p.Detail != "the message" || len(p.headers) > 0 {
		t.Errorf("an unknown outcome is %+v", p)
	}
	if p := s.problem(t.Context(), context.DeadlineExceeded); p.Status != 503 {
		t.Errorf("a request that took too long is %d", p.Status)
	}
}

func TestPointer(t *testing.T) {
	for location, want := range map[string]string{
		"body": "", "body.lots[0].quantity": "/lots/0/quantity", "query.limit": "limit", "path.id": "id",
		"header.Idempotency-Key": "Idempotency-Key", "body.<b>": "", "body.a b": "", "": "", "body.attributes[10]": "/attributes/10",
		"body." + strings.Repeat("x", 65): "",
	} {
		if got := pointer(location); got != want {
			t.Errorf("%s became %q, want %q", location, got, want)
		}
	}
}

package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store/storetest"
)

// TestExportBreaksOff damages a batch: an export that cannot be complete must
// not look so.
func TestExportBreaksOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(w.newProduct("P").ID, 10_001)
		w.mintAll(20_000)
		remove := func(ordinal int) {
			raw := w.db.Raw(t)
			defer raw.Close()
			if _, err := raw.ExecContext(t.Context(), fmt.Sprintf("DELETE FROM units WHERE ordinal = %d", ordinal)); err != nil {
				t.Fatal(err)
			}
		}
		export := func() (*answer, error) {
			response, err := w.http.Client().Do(w.request(call{path: "/v1/mint-batches/" + sub.BatchID + "/export"}))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			return &answer{t: t, status: response.StatusCode, header: response.Header, body: text}, err
		}
		if a, err := export(); err != nil || strings.Count(string(a.body), "\n") != 10_002 {
			t.Fatalf("whole, it has %d lines (%v)", strings.Count(string(a.body), "\n"), err)
		}
		remove(10_000) // the second chunk
		if a, err := export(); err == nil || a.status != http.StatusOK || len(a.body) == 0 {
			t.Errorf("%d with %d bytes, as if it were whole", a.status, len(a.body))
		}
		remove(5)
		a, err := export()
		if err != nil {
			t.Fatal(err)
		}
		if a.header.Get("Content-Disposition") != "" {
			t.Error("a refusal looks like a file")
		}
		a.refuses(http.StatusInternalServerError, mintage.CodeInternal)
		if strings.Contains(string(a.body), sub.BatchID) || strings.Contains(string(a.body), "damaged") {
			t.Errorf("the cause is shown: %s", a.body)
		}
	})
}

// TestSlowBody sends the beginning of a body and then nothing.
func TestSlowBody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, func(s *server) { s.limits.chunk = 50 * time.Millisecond })
		for path, c := range map[string]call{
			"/v1/products":        {contentType: "application/json", body: `{"name":`},
			"/v1/products/import": {contentType: "text/csv", body: "sku,name\nA,B"},
		} {
			body, writer := io.Pipe()
			t.Cleanup(func() { _ = writer.Close() })
			beginning := c.body
			go func() { _, _ = io.WriteString(writer, beginning) }()
			c.path, c.method, c.body = path, http.MethodPost, ""
			r := w.request(c)
			r.Body, r.ContentLength = body, -1
			response, err := w.http.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			(&answer{t: t, status: response.StatusCode, header: response.Header, body: text}).refuses(http.StatusRequestTimeout, codeTooSlow)
		}
	})
}

// TestRequestWithoutEnd is served by something that never answers.
func TestRequestWithoutEnd(t *testing.T) {
	s := newServer(Deps{Ready: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	s.limits.whole = time.Millisecond
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	w := &world{t: t, http: h}
	w.do(call{key: "-", path: "/readyz"}).refuses(http.StatusServiceUnavailable, mintage.CodeUnavailable)
}

// TestBodyOutlastsItsDeadline: the time that a body may take must not end the
// request that it belongs to. The server reads on to notice that a client leaves.
func TestBodyOutlastsItsDeadline(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, func(s *server) { s.limits.chunk = 20 * time.Millisecond })
		late := make(chan error, 1)
		o := op("test_late", http.MethodPost, "/v1/test", "Test", "Test")
		o.Metadata[metaBody], o.Metadata[metaPublic] = takesJSON, true
		register(w.server, o, func(ctx context.Context, _ *struct{ Body object }) (*struct{}, error) {
			timer := time.NewTimer(100 * time.Millisecond)
			defer timer.Stop()
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
			late <- ctx.Err()
			return nil, nil
		})
		w.do(call{path: "/v1/test", body: `{}`}).is(http.StatusNoContent)
		if err := <-late; err != nil {
			t.Errorf("the request was ended: %v", err)
		}
	})
}

func TestLog(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.do(call{path: "/v1/products?sku=" + marker, header: map[string]string{"X-Request-Id": "the-id"}}).is(http.StatusOK)
		// The line is written after the answer.
		storetest.Eventually(t, "the request is logged", func() bool {
			return strings.Contains(w.logged.String(), "request_id=the-id")
		})
		line := w.logged.String()
		key := w.brand.keys[mintage.RoleOwner]
		for _, want := range []string{`route="GET /v1/products"`, "status=200", "duration=", "actor=key:" + key[3:15]} {
			if !strings.Contains(line, want) {
				t.Errorf("%s is not in %s", want, line)
			}
		}
		if strings.Contains(line, marker) || strings.Contains(line, key[15:]) {
			t.Errorf("the log says too much: %s", line)
		}
	})
}

package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
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

// TestSlowBody sends the beginning of a body and then nothing. The edge ends such a
// body after half a minute; here something less patient does.
func TestSlowBody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db)
		w.http = serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r.Body = &impatient{r.Body, http.NewResponseController(rw)}
			w.server.ServeHTTP(rw, r)
		}), nil)
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

// impatient is a body that waits 50 ms at most for its next bytes: the edge sets
// its deadline when it begins to read, and this one brings it forward meanwhile.
type impatient struct {
	io.ReadCloser

	control *http.ResponseController
}

func (b *impatient) Read(p []byte) (int, error) {
	earlier := time.AfterFunc(50*time.Millisecond, func() { _ = b.control.SetReadDeadline(time.Now()) })
	defer earlier.Stop()
	return b.ReadCloser.Read(p)
}

// TestRequestWithoutEnd is served by something that never answers.
func TestRequestWithoutEnd(t *testing.T) {
	s := newServer(Deps{Ready: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	s.limits.whole = time.Millisecond
	w := &world{t: t, http: serve(t, s, nil)}
	w.do(call{key: "-", path: "/readyz"}).refuses(http.StatusServiceUnavailable, mintage.CodeUnavailable)
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

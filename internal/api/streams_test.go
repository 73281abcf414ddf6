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

// TestStreamsEndWithTheirKey: what was begun with a key ends with it, whether it is
// revoked or expires.
func TestStreamsEndWithTheirKey(t *testing.T) {
	endings := map[string]func(w *world, id string){
		"revoked": func(w *world, id string) {
			w.do(call{method: http.MethodDelete, path: "/v1/api-keys/" + id}).is(http.StatusNoContent)
		},
		"expired": func(w *world, _ string) { w.clock.Advance(2 * time.Hour) },
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, func(s *server) { s.recheck = 0 })
		job := w.submit(w.newProduct("P").ID, 10)
		for name, end := range endings {
			newKey := func() (id, text string) {
				k, text, err := w.server.Access.CreateKey(t.Context(), w.brand.principal(), mintage.RoleOperator, "", w.clock.Now().Add(time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				return k.ID, text
			}
			t.Run("a watch whose key is "+name, func(t *testing.T) {
				id, text := newKey()
				f := w.watchAs(t, text, job.JobID, "")
				f.progress()
				end(w, id)
				f.ends()
				w.do(call{key: text, path: "/v1/mint-jobs/" + job.JobID + "/watch"}).refuses(http.StatusUnauthorized, mintage.CodeUnauthorized)
			})
			t.Run("an import whose key is "+name, func(t *testing.T) {
				id, text := newKey()
				body, writer := io.Pipe()
				r := w.request(call{key: text, method: http.MethodPost, path: "/v1/products/import", contentType: "text/csv"})
				r.Body, r.ContentLength = body, -1
				answered := make(chan *answer, 1)
				go func() {
					response, err := w.http.Client().Do(r)
					if err != nil {
						t.Error(err)
						close(answered)
						return
					}
					defer response.Body.Close()
					text, _ := io.ReadAll(response.Body) // judged below
					answered <- &answer{t: t, status: response.StatusCode, header: response.Header, body: text}
				}()
				// More than the server reads before it has to come to a row.
				if _, err := io.WriteString(writer, "sku,name\n"+strings.Repeat("S"+name+",N\n", 40_000)); err != nil {
					t.Fatal(err)
				}
				end(w, id)
				if _, err := io.WriteString(writer, "LATE"+name+",N\n"); err == nil {
					_ = writer.Close()
				}
				a := <-answered
				if a == nil {
					return
				}
				a.refuses(http.StatusUnauthorized, mintage.CodeUnauthorized)
				if list := page[product](w, "/v1/products?sku=LATE"+name, "", 10).Items; len(list) != 0 {
					t.Errorf("a row that came after the end is stored: %+v", list)
				}
			})
		}
	})
}

// TestExportEndsWithItsKey: the file breaks off, so that it does not look whole.
func TestExportEndsWithItsKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, func(s *server) { s.recheck = 0 })
		sub := w.submit(w.newProduct("P").ID, 200_000)
		w.mintAll(20_000)
		k, text, err := w.server.Access.CreateKey(t.Context(), w.brand.principal(), mintage.RoleOperator, "", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		response, err := w.http.Client().Do(w.request(call{key: text, path: "/v1/mint-batches/" + sub.BatchID + "/export"}))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		w.do(call{method: http.MethodDelete, path: "/v1/api-keys/" + k.ID}).is(http.StatusNoContent)
		file, err := io.ReadAll(response.Body)
		if lines := strings.Count(string(file), "\n"); err == nil || lines > 200_000 {
			t.Errorf("the export of a revoked key goes on to its end: %d lines (%v)", lines, err)
		}
	})
}

// TestReadinessTellsOfTheTail: what holds up sealing is shown, and stops nothing.
func TestReadinessTellsOfTheTail(t *testing.T) {
	since := time.Time{}
	s := newServer(Deps{Unsealed: func() time.Time { return since }})
	w := &world{t: t, http: serve(t, s, nil)}
	if got := decode[map[string]any](w.do(call{key: "-", path: "/readyz"}).is(http.StatusOK)); len(got) != 2 {
		t.Errorf("all is sealed: %v", got)
	}
	since = time.Date(2027, 2, 18, 0, 0, 0, 0, time.UTC)
	if got := decode[map[string]any](w.do(call{key: "-", path: "/readyz"}).is(http.StatusOK)); got["unsealed_since"] != "2027-02-18T00:00:00Z" || got["status"] != "ok" {
		t.Errorf("events wait: %v", got)
	}
}

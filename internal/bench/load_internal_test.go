package bench

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The generator understands the two ways in which net/http sends a body, and what it
// counts is what the server served.
func TestGenerator(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		w.Header().Set("X-Path", r.URL.Path)
		switch r.URL.Path {
		case "/chunks":
			for range 10 {
				_, _ = w.Write(bytes.Repeat([]byte("x"), 10_000)) // more than fits one chunk, or the generator's buffer
			}
		case "/moved":
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	g, err := dial(t.Context(), strings.TrimPrefix(server.URL, "http://"), 8)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	for path, status := range map[string]int{"/chunks": 200, "/empty": 200, "/moved": 307} {
		served.Store(0)
		const requests = 500
		var left atomic.Int64
		left.Store(requests)
		got, err := g.run(t.Context(), workload{status: status, next: func(b []byte) []byte {
			if left.Add(-1) < 0 {
				return b
			}
			return append(b, "GET "+path+" HTTP/1.1\r\nHost: h.example\r\n\r\n"...)
		}}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if got.requests != requests || served.Load() != requests || got.rate <= 0 || got.p99 <= 0 {
			t.Errorf("%s: %+v, %d served", path, got, served.Load())
		}
	}
	ask := workload{status: 200, next: func(b []byte) []byte { return append(b, "GET /moved HTTP/1.1\r\nHost: h.example\r\n\r\n"...) }}
	if _, err := g.run(t.Context(), ask, time.Minute); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("another status: %v", err)
	}
}

// What was stopped does not go on to the end of its phase.
func TestGeneratorStops(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	g, err := dial(t.Context(), strings.TrimPrefix(server.URL, "http://"), 2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{}, 2)
	go func() { <-asked; cancel() }()
	_, err = g.run(ctx, workload{status: 200, next: func(b []byte) []byte {
		asked <- struct{}{}
		return append(b, "GET / HTTP/1.1\r\nHost: h.example\r\n\r\n"...)
	}}, time.Hour)
	if err == nil || ctx.Err() == nil {
		t.Errorf("it ended with %v", err)
	}
}

func BenchmarkBareHandler(b *testing.B) {
	server := httptest.NewServer(bare())
	defer server.Close()
	g, err := dial(b.Context(), strings.TrimPrefix(server.URL, "http://"), 64)
	if err != nil {
		b.Fatal(err)
	}
	defer g.close()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	if _, err := g.run(b.Context(), workload{status: http.StatusTemporaryRedirect, next: func(r []byte) []byte {
		if left.Add(-1) < 0 {
			return r
		}
		return append(r, "GET /01/09520123456788/21/0123456789AB HTTP/1.1\r\nHost: id.bench.example\r\n\r\n"...)
	}}, time.Hour); err != nil {
		b.Fatal(err)
	}
}

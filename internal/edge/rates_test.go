package edge

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"mintage"
)

var start = time.Date(2027, 2, 18, 0, 0, 0, 0, time.UTC)

func TestRatePerKey(t *testing.T) {
	r := newRates(10, 1000)
	address := netip.MustParseAddr("203.0.113.7")
	for i := range 20 {
		if wait := r.take("a", address, start); wait != 0 {
			t.Fatalf("request %d has to wait for %s", i, wait)
		}
	}
	if wait := r.take("a", address, start); wait != 100*time.Millisecond {
		t.Errorf("the first one too many has to wait for %s", wait)
	}
	if wait := r.take("b", address, start); wait != 0 {
		t.Errorf("another key has to wait for %s", wait)
	}
	// What was refused counts for nothing.
	if wait := r.take("a", address, start.Add(100*time.Millisecond)); wait != 0 {
		t.Errorf("after the wait it has to wait for %s", wait)
	}
}

// Made-up credentials do not help: the address counts too.
func TestRatePerAddress(t *testing.T) {
	r := newRates(10, 10)
	taken := func(address string, n int) (allowed int) {
		a := netip.MustParseAddr(address)
		for i := range n {
			if r.take("key-"+strconv.Itoa(i), a, start) == 0 {
				allowed++
			}
		}
		return allowed
	}
	for _, tc := range []struct {
		address string
		want    int
	}{
		{"203.0.113.7", 20}, {"203.0.113.8", 20}, {"::ffff:203.0.113.7", 0},
		{"2001:db8::1", 20}, {"2001:db8::2", 0}, {"2001:db8:0:1::1", 20}, // one /64 is one client's
	} {
		if got := taken(tc.address, 100); got != tc.want {
			t.Errorf("%s: %d of 100, want %d", tc.address, got, tc.want)
		}
	}
	if free := newRates(0, 0); free.take("a", netip.Addr{}, start) != 0 {
		t.Error("0 is not without limit")
	}
}

func TestTooManyRequests(t *testing.T) {
	s := serve(t, Options{PerAddress: 0.5}, func(http.ResponseWriter, *http.Request) {})
	if response, _ := s.get("/thing/1"); response.StatusCode != http.StatusOK {
		t.Fatalf("the first one: %s", response.Status)
	}
	response, body := s.get("/thing/1")
	var problem struct {
		Status int
		Code   mintage.Code
	}
	if err := json.Unmarshal([]byte(body), &problem); err != nil {
		t.Fatal(err)
	}
	wait, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if response.StatusCode != http.StatusTooManyRequests || problem.Status != 429 || problem.Code != mintage.CodeTooMany || err != nil || wait < 1 || wait > 2 {
		t.Errorf("%s, Retry-After %q: %s", response.Status, response.Header.Get("Retry-After"), body)
	}
	if !strings.Contains(s.log(), `"status":429`) {
		t.Errorf("it is not in the log: %s", s.log())
	}
}

// One key counts as one, in whatever way it is written; what is not written as a
// key is none.
func TestCredential(t *testing.T) {
	for written, want := range map[string]string{
		"Bearer mk_a": "mk_a", "bearer mk_a": "mk_a", "BEARER mk_a": "mk_a",
		"Bearer  mk_a": "", "Bearer\tmk_a": "", "Bearer mk_a b": "", "Bearer mk_a\tb": "", "Bearer": "", "Bearer ": "", "Basic mk_a": "", "mk_a": "", "": "",
	} {
		if got := Credential(http.Header{"Authorization": {written}}); got != want {
			t.Errorf("%q is %q, want %q", written, got, want)
		}
	}
	for _, several := range [][]string{nil, {"Bearer a", "Bearer a"}, {"", "Bearer a"}} {
		if got := Credential(http.Header{"Authorization": several}); got != "" {
			t.Errorf("%q is %q", several, got)
		}
	}

	s := serve(t, Options{PerKey: 0.5}, func(http.ResponseWriter, *http.Request) {})
	for i, scheme := range []string{"Bearer", "bearer", "BEARER", "bEARER"} {
		if response, _ := s.get("/thing/1", "Authorization", scheme+" mk_a"); (response.StatusCode == http.StatusOK) != (i == 0) {
			t.Errorf("request %d of one key, written with %s: %s", i, scheme, response.Status)
		}
	}
}

package edge

import (
	"encoding/binary"
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
		if wait := r.take("Bearer a", address, start); wait != 0 {
			t.Fatalf("request %d has to wait for %s", i, wait)
		}
	}
	if wait := r.take("Bearer a", address, start); wait != 100*time.Millisecond {
		t.Errorf("the first one too many has to wait for %s", wait)
	}
	if wait := r.take("Bearer b", address, start); wait != 0 {
		t.Errorf("another key has to wait for %s", wait)
	}
	// What was refused counts for nothing.
	if wait := r.take("Bearer a", address, start.Add(100*time.Millisecond)); wait != 0 {
		t.Errorf("after the wait it has to wait for %s", wait)
	}
}

// Made-up credentials do not help: the address counts too.
func TestRatePerAddress(t *testing.T) {
	r := newRates(10, 10)
	taken := func(address string, n int) (allowed int) {
		a := netip.MustParseAddr(address)
		for i := range n {
			if r.take("Bearer "+strconv.Itoa(i), a, start) == 0 {
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
	if free := newRates(0, 0); free.take("Bearer a", netip.Addr{}, start) != 0 {
		t.Error("0 is not without limit")
	}
}

// The table forgets whom it has not seen for longest, and never grows beyond its
// bound.
func TestRateTableIsBounded(t *testing.T) {
	table := newTable(0.001)
	busy := bucketID{0: 1}
	id := func(i int) (b bucketID) {
		binary.BigEndian.PutUint64(b[8:], uint64(i))
		return b
	}
	for range table.burst {
		table.take(busy, start)
	}
	for i := range 5 * generation {
		table.take(id(i), start)
		if i%(generation/2) == 0 && table.take(busy, start) == 0 {
			t.Fatalf("after %d others the busy one was forgotten", i)
		}
		if n := len(table.young) + len(table.old); n > 2*generation {
			t.Fatalf("the table holds %d", n)
		}
	}
	if table.young[id(0)] != nil || table.old[id(0)] != nil {
		t.Error("one that was seen once, long ago, is still there")
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

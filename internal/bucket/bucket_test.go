package bucket

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

var start = time.Date(2027, 2, 18, 0, 0, 0, 0, time.UTC)

func TestTake(t *testing.T) {
	table := NewTable(1, 2, 10)
	for i, want := range []time.Duration{0, 0, time.Second, time.Second} { // what was refused counts for nothing
		if wait := table.Take(ID{1}, start); wait != want {
			t.Errorf("take %d has to wait for %s, want %s", i, wait, want)
		}
	}
	if wait := table.Take(ID{2}, start); wait != 0 {
		t.Errorf("another bucket has to wait for %s", wait)
	}
	if wait := table.Take(ID{1}, start.Add(time.Second)); wait != 0 {
		t.Errorf("after the wait it has to wait for %s", wait)
	}
	turn := table.Turn(ID{2}, start)
	turn.CancelAt(start)
	if wait := table.Take(ID{2}, start); wait != 0 {
		t.Errorf("a turn that was given back counts: %s", wait)
	}
}

// Has tells as Take would, and takes nothing.
func TestHas(t *testing.T) {
	table := NewTable(1, 1, 10)
	for range 2 {
		if !table.Has(ID{1}, start) {
			t.Error("a new bucket has no token")
		}
	}
	if len(table.young) != 0 {
		t.Error("to ask makes a bucket")
	}
	table.Take(ID{1}, start)
	if table.Has(ID{1}, start) || !table.Has(ID{1}, start.Add(time.Second)) {
		t.Error("an empty bucket has a token, or has none when one has come")
	}
}

// The table forgets whom it has not seen for longest, and never grows beyond its
// bound.
func TestTableIsBounded(t *testing.T) {
	const generation = 1 << 12
	table := NewTable(0.001, 1, generation)
	busy := ID{0: 1}
	id := func(i int) (b ID) {
		binary.BigEndian.PutUint64(b[8:], uint64(i))
		return b
	}
	table.Take(busy, start)
	for i := range 5 * generation {
		table.Take(id(i), start)
		if i%(generation/2) == 0 && table.Take(busy, start) == 0 {
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

func TestOfAddress(t *testing.T) {
	of := func(text string) ID { return OfAddress(netip.MustParseAddr(text)) }
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"203.0.113.7", "203.0.113.8", false},
		{"203.0.113.7", "::ffff:203.0.113.7", true},
		{"2001:db8::1", "2001:db8::2", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
	} {
		if same := of(tc.a) == of(tc.b); same != tc.same {
			t.Errorf("%s and %s count as one: %t", tc.a, tc.b, same)
		}
	}
}

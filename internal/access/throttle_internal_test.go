package access

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"mintage"
)

var noon = time.Date(2027, 2, 18, 12, 0, 0, 0, time.UTC)

// tries counts how many of n tries are let through.
func tries(t *testing.T, th *throttle, n int, email, address string, at time.Time) (through int) {
	t.Helper()
	for range n {
		_, err := th.begin(email, netip.MustParseAddr(address), at)
		switch mintage.ErrorCode(err) {
		case "":
			through++
		case mintage.CodeTooMany:
		default:
			t.Fatal(err)
		}
	}
	return through
}

func TestThrottle(t *testing.T) {
	th := newThrottle()
	if n := tries(t, th, 50, "a@example.com", "192.0.2.1", noon); n != accountBurst {
		t.Errorf("%d tries for an account", n)
	}
	// The address has tries left, for other accounts: only those let through count.
	through := 0
	for i := range 50 {
		through += tries(t, th, 1, strconv.Itoa(i)+"@example.com", "192.0.2.1", noon)
	}
	if through != addressBurst-accountBurst {
		t.Errorf("%d tries from an address", through)
	}
	// Another address is not concerned, and the account is, from there too.
	if n := tries(t, th, 1, "b@example.com", "192.0.2.2", noon); n != 1 {
		t.Error("another address is throttled")
	}
	if n := tries(t, th, 1, "A@EXAMPLE.com", "192.0.2.3", noon); n != 0 {
		t.Error("the account in capitals is another one")
	}
	// In a day: one each interval.
	day := 0
	for at := noon.Add(time.Second); at.Before(noon.Add(24 * time.Hour)); at = at.Add(time.Second) {
		if _, err := th.begin("a@example.com", netip.Addr{}, at); err == nil {
			day++
		}
	}
	if want := int(24 * time.Hour / accountEvery); day < want-1 || day > want {
		t.Errorf("%d tries in a day", day)
	}
}

func TestThrottleCountsNetworks(t *testing.T) {
	th := newThrottle()
	through := 0
	for i := range 100 {
		through += tries(t, th, 1, strconv.Itoa(i)+"@example.com", "2001:db8:1:2::"+strconv.Itoa(i), noon)
	}
	if through != addressBurst {
		t.Errorf("%d tries from one /64", through)
	}
	if tries(t, th, 1, "x@example.com", "2001:db8:1:3::1", noon) != 1 {
		t.Error("the next /64 is throttled")
	}
	if network(netip.MustParseAddr("::ffff:192.0.2.1")) != network(netip.MustParseAddr("192.0.2.1")) {
		t.Error("an IPv4 address counts twice")
	}
	if network(netip.MustParseAddr("fe80::1%eth0")) != network(netip.MustParseAddr("fe80::1%eth1")) {
		t.Error("a zone makes another address")
	}
}

func TestThrottleGivesBack(t *testing.T) {
	th := newThrottle()
	address := netip.MustParseAddr("192.0.2.1")
	for range 1000 {
		a, err := th.begin("a@example.com", address, noon)
		if err != nil {
			t.Fatal(err)
		}
		a.giveBack()
	}
	if n := tries(t, th, 50, "a@example.com", "192.0.2.1", noon); n != accountBurst {
		t.Errorf("%d tries after many that were given back", n)
	}
}

func TestThrottleSaysWhenToTryAgain(t *testing.T) {
	th := newThrottle()
	tries(t, th, accountBurst, "a@example.com", "192.0.2.1", noon)
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, "Too many failed sign-ins; try again in 5 minutes."},
		{accountEvery - 61*time.Second, "Too many failed sign-ins; try again in 2 minutes."},
		{accountEvery - 59*time.Second, "Too many failed sign-ins; try again in a minute."},
		{accountEvery - time.Second, "Too many failed sign-ins; try again in a minute."},
	} {
		if _, err := th.begin("a@example.com", netip.Addr{}, noon.Add(c.after)); mintage.ErrorMessage(err) != c.want {
			t.Errorf("after %s: %v", c.after, err)
		}
	}
}

func TestTableIsBounded(t *testing.T) {
	tb := newTable(time.Hour, 1)
	busy := bucketOf("busy")
	if !tb.allow(busy, noon) {
		t.Fatal("the first one is refused")
	}
	for i := range 3 * generation {
		tb.allow(bucketOf(strconv.Itoa(i)), noon)
		if i%generation == 0 && tb.allow(busy, noon) {
			t.Fatalf("what is used is forgotten after %d others", i)
		}
	}
	if n := len(tb.young) + len(tb.old); n > 2*generation {
		t.Errorf("%d buckets", n)
	}
}

func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLater()
		gate := make(chan struct{})
		ran := map[string]int{}
		job := func(key string, fault error) {
			l.do(key, func(context.Context) error {
				<-gate
				ran[key]++ // one after the other
				return fault
			})
		}
		fault := errors.New("a fault")
		for range 3 {
			job("a", nil)
			job("b", fault)
		}
		synctest.Wait()
		close(gate)
		l.wait()
		if ran["a"] != 1 || ran["b"] != 1 {
			t.Errorf("%v", ran)
		}
		job("a", nil)
		l.wait()
		if ran["a"] != 2 {
			t.Errorf("%v", ran)
		}
		gate = make(chan struct{})
		for i := range 2 * maxLater { // what is too much is dropped
			job(strconv.Itoa(i), nil)
		}
		close(gate)
		l.wait()
		if len(ran) != maxLater+2 {
			t.Errorf("%d ran", len(ran))
		}
		if err := l.close(); !errors.Is(err, fault) {
			t.Error(err)
		}
		job("late", nil)
		l.wait()
		if ran["late"] != 0 {
			t.Error("something ran after the end")
		}
	})
}

// A database that does not answer keeps no process from ending.
func TestLaterGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLater()
		for i := range 3 {
			l.do(strconv.Itoa(i), func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			})
		}
		begin := time.Now()
		if err := l.close(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if took := time.Since(begin); took != closeGrace {
			t.Errorf("closing took %s", took)
		}
	})
}

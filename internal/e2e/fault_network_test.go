package e2e_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"mintage/internal/store/storetest"
)

// The connections of the only worker are cut again and again. It finds back by
// itself, and no cut is held against the job.
func TestFaultConnectionCut(t *testing.T) {
	in := shared(t)
	in.prepare()
	cuts, units := scale(5, 40), scale[int64](100_000, 500_000)
	in.submit("--sku=A", "--quantity="+strconv.FormatInt(units, 10))
	l := newLink(t, in.url, "cut")
	worker := in.through(l).faultWorker(1000)
	for n := range cuts {
		goal := moment(units, n, cuts)
		storetest.Eventually(t, "units are minted", func() bool { return in.minted() >= goal })
		someTime(20 * time.Millisecond)
		l.cut()
		in.agrees()
		if in.allDone() {
			t.Fatalf("the job was done before cut %d", n+1)
		}
		l.join()
	}
	storetest.Eventually(t, "the job completes", in.allDone)
	worker.stopped()
	if n := in.strikes(); n != 0 {
		t.Errorf("%d strikes", n)
	}
	in.survived("connection cut", cuts, units)
}

// All packets of a worker vanish while its connections stay open: in the middle
// of a COPY, or at any moment. Another worker has the job soon; when the network
// is back, so is the first.
func TestFaultHalfOpen(t *testing.T) {
	for _, moment := range []string{"inside COPY", "at a random moment"} {
		t.Run(strings.ReplaceAll(moment, " ", "_"), func(t *testing.T) {
			t.Parallel()
			in := shared(t)
			in.prepare()
			const units = 400_000
			in.submit("--sku=A", "--quantity="+strconv.Itoa(units))
			l := newLink(t, in.url, "lost")
			if moment == "inside COPY" {
				l.worsen("bandwidth", slow)
			}
			lost := in.through(l).faultWorker(20_000)
			if moment == "inside COPY" {
				in.inCopy("lost")
			} else {
				storetest.Eventually(t, "units are minted", func() bool { return in.minted() > 0 })
				someTime(100 * time.Millisecond)
			}
			l.worsen("timeout", `{"timeout":0}`)
			from := in.settled()
			other := in.faultWorker(1000)
			in.runsElsewhere(from)
			next := in.handBack(other)
			l.heal()
			within(t, 2*takenOver, "the first worker completes the job", in.allDone)
			lost.stopped()
			if all, late := in.cyclesOf(lost, from), in.cyclesOf(lost, next); all != late || late == 0 {
				t.Errorf("the worker added %d cycles to what was taken from it, and %d after", all-late, late)
			}
			in.survived("network half-open, "+moment, 1, units)
		})
	}
}

// A network with long delays is slow and no more: nothing is ended or made smaller.
func TestFaultLatency(t *testing.T) {
	t.Parallel()
	in := shared(t)
	in.prepare()
	units := scale[int64](40_000, 400_000)
	in.submit("--sku=A", "--quantity="+strconv.FormatInt(units, 10))
	l := newLink(t, in.url, "far")
	l.worsen("latency", `{"latency":100}`) // each way
	worker := in.through(l).start("worker")
	within(t, scale(25*time.Second, 2*time.Minute), "the job completes", in.allDone)
	worker.stopped()
	if limit := in.number(`SELECT cycle_limit FROM mint_jobs`); limit != 20_000 {
		t.Errorf("the job's slices are limited to %d", limit)
	}
	in.survived("latency of 200 ms", 1, units)
}

// On a link of 20 KB/s a full slice takes longer than a transaction may. Its
// worker is ended and the slice halved until it fits, and then the job completes.
func TestFaultSlowLink(t *testing.T) {
	t.Parallel()
	in := shared(t)
	in.prepare()
	// In the short form everything is smaller by a factor of ten.
	units, hung := scale[int64](2_000, 30_000), scale(1500*time.Millisecond, hungAfter)
	in.submit("--sku=A", "--quantity="+strconv.FormatInt(units, 10))
	l := newLink(t, in.url, "slow")
	l.worsen("bandwidth", slow)
	worker := in.through(l).start("worker", "--hung-after="+hung.String())
	within(t, scale(30*time.Second, 4*time.Minute), "the job completes", in.allDone)
	worker.stopped()
	limit := in.number(`SELECT cycle_limit FROM mint_jobs`)
	ended := strings.Count(worker.said(), "ended a worker that hung")
	t.Logf("%d transactions were ended, slices are limited to %d", ended, limit)
	if limit >= 20_000 || ended == 0 || ended > 6 {
		t.Errorf("%d transactions were ended, slices are limited to %d", ended, limit)
	}
	if n := in.strikes(); n != 0 {
		t.Errorf("%d strikes", n)
	}
	in.survived("link of 20 KB/s", ended, units)
}

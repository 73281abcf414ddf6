package e2e_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// Each test named TestFault… brings about one kind of fault, on real processes, and ends
// with a clean audit. The short form is for every day; make chaos runs the long
// one, which strikes more often and waits for the real timeouts. Tests that
// mostly wait run beside each other.

var chaos = os.Getenv("MINTAGE_CHAOS") == "long"

// scale chooses between the short and the long form.
func scale[T any](short, long T) T {
	if chaos {
		return long
	}
	return short
}

// hungAfter is when the tests' workers take a transaction for hung. The long form
// keeps the default, so that it waits for what an operator would wait for.
var hungAfter = scale(3*time.Second, 15*time.Second)

// takenOver bounds the wait until another worker has the job of a dead one; with
// the defaults these are the 20 seconds that mintage promises.
var takenOver = hungAfter + 5*time.Second

// faultWorker starts a worker. Small cycles make a job last, so that there is a
// middle to strike in.
func (in *installation) faultWorker(cycleSize int) *process {
	in.t.Helper()
	return in.start("worker", "--cycle-size="+strconv.Itoa(cycleSize), "--hung-after="+hungAfter.String())
}

// own gives the installation a PostgreSQL server of its own, to be broken.
func own(t *testing.T) (*installation, *pgtest.Server) {
	t.Helper()
	server := pgtest.StartServer(t)
	return &installation{t: t, data: t.TempDir(), engine: "postgres", url: server.URL("")}, server
}

// shared gives an installation on the server that all tests share.
func shared(t *testing.T) *installation {
	t.Helper()
	return &installation{t: t, data: t.TempDir(), engine: "postgres", url: pgtest.NewDatabase(t, "")}
}

// within waits until something holds, for so long at most, and returns how long
// it took.
func within(t testing.TB, limit time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it has not come true within %s: %s", limit, what)
		}
	}
	return time.Since(began)
}

// moment is how many units are minted when the nth fault of so many strikes. They
// spread over two thirds of the units, because minting does not wait for them.
func moment(units int64, n, faults int) int64 {
	return units * 2 * int64(n+1) / int64(3*faults)
}

// someTime lets a random while of up to limit pass: a fault is to strike at any
// moment, which no signal can name.
func someTime(limit time.Duration) {
	<-time.After(rand.N(limit))
}

// do changes the database past mintage.
func (in *installation) do(statements ...string) {
	in.t.Helper()
	raw := in.raw()
	defer raw.Close()
	for _, s := range statements {
		if _, err := raw.ExecContext(in.t.Context(), s); err != nil {
			in.t.Fatalf("%s\n%v", s, err)
		}
	}
}

// agrees asserts the promise of every commit: units exist as batches count them.
func (in *installation) agrees() {
	in.t.Helper()
	difference := in.number(`SELECT (SELECT count(*) FROM units) - (SELECT coalesce(sum(minted_quantity), 0) FROM mint_batches)`)
	if difference != 0 {
		in.t.Fatalf("there are %d units more than the batches count", difference)
	}
}

// strikes is how many cycles were held against their jobs.
func (in *installation) strikes() int64 {
	in.t.Helper()
	return in.number(`SELECT count(*) FROM events WHERE kind = 'mint_job.strike'`)
}

// inOrder asserts that jobs were taken oldest first, where at most so many
// transactions could hold one at the same time. A worker that was killed counts
// beside the one that replaced it: its last transaction ends a moment later.
func (in *installation) inOrder(holders int64) {
	in.t.Helper()
	if n := storetest.Overtaken(in.t, in.raw()); n >= holders {
		in.t.Errorf("%d older jobs were passed over, where %d transactions could hold one", n, holders)
	}
}

// survived ends a test of a fault that struck so many times: a clean audit, and
// a line in the table.
func (in *installation) survived(fault string, times int, units int64) {
	in.t.Helper()
	in.exact(units)
	ledger.add(entry{
		fault: fault, engine: in.engine, times: times, units: units,
		lost:    units - in.number(`SELECT count(*) FROM units`),
		doubled: in.number(`SELECT count(*) - count(DISTINCT code) FROM units`),
		failed:  in.t.Failed(),
	})
}

// ledger is the table of make chaos.
var ledger book

type entry struct {
	fault, engine        string
	times                int
	units, lost, doubled int64
	failed               bool
}

type book struct {
	mu      sync.Mutex
	entries []entry
}

func (b *book) add(e entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, e)
}

// print writes the table. A test that ended early has no line: it has failed.
func (b *book) print(w io.Writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nFAULT\tDATABASE\tSTRUCK\tSURVIVED\tUNITS\tLOST\tDOUBLED")
	for _, e := range b.entries {
		survived := e.times
		if e.failed {
			survived = 0
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", e.fault, e.engine, e.times, survived, e.units, e.lost, e.doubled)
	}
	_ = table.Flush() // standard output: nobody could be told
}

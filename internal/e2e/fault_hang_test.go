package e2e_test

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mintage/internal/store/storetest"
)

// through is the installation over a link.
func (in *installation) through(l *link) *installation {
	far := *in
	far.url = l.url
	return &far
}

// signal sends a signal that the process cannot refuse or answer.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// cyclesOf is how many cycles of a process began at an ordinal or later.
func (in *installation) cyclesOf(p *process, ordinal int64) int64 {
	in.t.Helper()
	return in.number(fmt.Sprintf(`SELECT count(*) FROM events WHERE kind = 'mint_batch.cycle'
		AND actor LIKE 'worker:%%:%d' AND first_ordinal >= %d`, p.cmd.Process.Pid, ordinal))
}

// slow is a bandwidth at which a COPY of 20,000 units takes 38 seconds, longer
// than anything that a test does in it. The link must be slow before the COPY
// begins: what has passed it already cannot be held back.
const slow = `{"rate":20}`

// inCopy waits until the server is reading rows from a connection of this name.
func (in *installation) inCopy(name string) {
	in.t.Helper()
	storetest.Eventually(in.t, "a COPY is going on", func() bool {
		return in.number(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND application_name = '`+name+`' AND state = 'active' AND query LIKE 'COPY units%'`) == 1
	})
}

// runsElsewhere waits until somebody else mints on, and asserts that it does not
// take too long.
func (in *installation) runsElsewhere(from int64) {
	in.t.Helper()
	took := within(in.t, takenOver, "the job is running elsewhere", func() bool { return in.minted() > from })
	in.t.Logf("the job was running elsewhere after %s", took.Round(time.Millisecond))
}

// handBack stops the worker that took a job over, in the middle of it, and
// returns the next ordinal.
func (in *installation) handBack(from *process) int64 {
	in.t.Helper()
	from.stopped()
	if in.allDone() {
		in.t.Fatal("the job was done before the first worker came back")
	}
	return in.minted()
}

// A worker is stopped in the middle of a COPY for longer than every timeout, and
// goes on: its job has been running elsewhere, it adds no row to what was
// interrupted, and it works on.
func TestFaultWorkerStoppedInCopy(t *testing.T) {
	t.Parallel()
	in := shared(t)
	in.prepare()
	const units = 400_000
	in.submit("--sku=A", "--quantity="+strconv.Itoa(units))
	l := newLink(t, in.url, "stopped")
	l.worsen("bandwidth", slow)
	stopped := in.through(l).faultWorker(20_000)
	in.inCopy("stopped")
	stopped.signal(syscall.SIGSTOP)
	other := in.faultWorker(1000)
	in.runsElsewhere(0)
	// Who ends a worker waits for the job's row to store the limit, and another
	// cycle may have it first.
	storetest.Eventually(t, "the job's slices are halved", func() bool { return in.number(`SELECT cycle_limit FROM mint_jobs`) == 10_000 })
	next := in.handBack(other)
	l.heal()
	stopped.signal(syscall.SIGCONT)
	storetest.Eventually(t, "the revived worker completes the job", in.allDone)
	stopped.stopped()
	if all, late := in.cyclesOf(stopped, 0), in.cyclesOf(stopped, next); all != late || late == 0 {
		t.Errorf("the revived worker added %d cycles to what was taken from it, and %d after", all-late, late)
	}
	in.survived("worker stopped inside COPY, then continued", 1, units)
}

// settled waits until the server has done all that a stopped worker had told it,
// and returns what is minted then.
func (in *installation) settled() int64 {
	in.t.Helper()
	storetest.Eventually(in.t, "the server waits for its clients", func() bool {
		return in.number(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND pid <> pg_backend_pid() AND state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead'`) == 0
	})
	return in.minted()
}

// A worker is stopped at a random moment for longer than every timeout, and goes
// on. All connect as a role that owns its database and has no other right.
func TestFaultWorkerStopped(t *testing.T) {
	t.Parallel()
	in, server := own(t)
	in.do(`CREATE ROLE mintage LOGIN`, `CREATE DATABASE mintage OWNER mintage`)
	in.url = strings.Replace(server.URL("mintage"), "postgres@", "mintage@", 1)
	in.prepare()
	times, each := scale(2, 4), int64(300_000)
	for n := range times {
		in.submit("--sku=A", "--quantity="+strconv.FormatInt(each, 10))
		base := int64(n) * each
		stopped := in.faultWorker(1000)
		storetest.Eventually(t, "units are minted", func() bool { return in.minted() > base })
		someTime(100 * time.Millisecond)
		stopped.signal(syscall.SIGSTOP)
		from := in.settled()
		other := in.faultWorker(1000)
		in.runsElsewhere(from)
		next := in.handBack(other)
		stopped.signal(syscall.SIGCONT)
		storetest.Eventually(t, "the revived worker completes the job", in.allDone)
		stopped.stopped()
		if all, late := in.cyclesOf(stopped, from), in.cyclesOf(stopped, next); all != late || late == 0 {
			t.Errorf("the revived worker added %d cycles to what was taken from it, and %d after", all-late, late)
		}
	}
	in.survived("worker stopped at a random moment, then continued", times, int64(times)*each)
}

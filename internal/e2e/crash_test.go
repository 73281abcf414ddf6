package e2e_test

import (
	"strconv"
	"testing"
	"time"

	"mintage/internal/store/storetest"
)

// A worker is killed in the middle of a job, again and again; another process
// finishes it, and nothing is lost or doubled.
func TestKilledInTheMiddleOfAJob(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		const units = 300_000
		in.submit("--sku=A", "--quantity="+strconv.Itoa(units))
		for round := range int64(5) {
			p := in.start("worker", "--cycle-size=5000")
			goal := (round + 1) * units / 10
			storetest.Eventually(t, "units are minted", func() bool { return in.minted() >= goal })
			p.kill()
			if n := in.minted(); n >= units {
				t.Fatalf("the job was over before the kill: %d units", n)
			}
			if units, minted := in.number("SELECT count(*) FROM units"), in.minted(); units != minted {
				t.Fatalf("after kill %d: %d units exist, the batch counts %d", round+1, units, minted)
			}
		}
		p := in.start("worker")
		storetest.Eventually(t, "the job completes", in.allDone)
		p.stopped()
		in.exact(units)
	})
}

// SIGTERM finishes the cycle in hand and ends the process within 5 s.
func TestStoppedInTheMiddleOfAJob(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		in.submit("--sku=A", "--quantity=500000")
		for _, args := range [][]string{{"worker", "--cycle-size=1000"}, {"serve", "--cycle-size=1000"}} {
			before := in.minted()
			p := in.start(args...)
			storetest.Eventually(t, "units are minted", func() bool { return in.minted() >= before+5000 })
			began := time.Now()
			p.stopped()
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s took %s to stop", args[0], took)
			}
		}
		if in.allDone() {
			t.Fatal("the job was over before the stop")
		}
		in.run("worker", "--once")
		in.exact(500_000)
	})
}

// One invocation mints for so long and leaves the rest to the next.
func TestInvocations(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		in.submit("--sku=A", "--quantity=400000")
		in.run("worker", "--once", "--cycle-size=500", "--max-duration=200ms")
		if n := in.minted(); n == 0 || n >= 400_000 {
			t.Errorf("%d units after the first invocation", n)
		}
		for n := 0; !in.allDone(); n++ {
			in.run("worker", "--once", "--max-duration=30s")
			if n > 3 {
				t.Fatal("the invocations do not come to an end")
			}
		}
		in.exact(400_000)
	})
}

// Several worker processes on several jobs (on SQLite the second is refused).
func TestSeveralWorkers(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		var jobs []string
		for range 4 {
			jobs = append(jobs, in.submit("--sku=A", "--quantity=50000"), in.submit("--sku=B", "--quantity=50000"))
		}
		first := in.start("worker", "--cycle-size=2000")
		storetest.Eventually(t, "the first worker works", func() bool { return in.minted() > 0 })
		workers := []*process{first}
		if in.engine == "sqlite" {
			in.refused(1, "worker")
			in.refused(1, "serve")
		} else {
			workers = append(workers, in.start("worker", "--cycle-size=2000"), in.start("worker", "--cycle-size=2000"))
		}
		storetest.Eventually(t, "all jobs complete", in.allDone)
		for _, p := range workers {
			p.stopped()
		}
		in.exact(int64(len(jobs)) * 50_000)

		if n := storetest.Overtaken(t, in.raw()); n >= int64(len(workers)) {
			t.Errorf("%d workers passed over %d older jobs", len(workers), n)
		}
	})
}

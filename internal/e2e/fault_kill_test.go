package e2e_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"mintage/internal/store/storetest"
)

// Workers are killed at random moments of their jobs, and replaced. On PostgreSQL
// there are two of them, and either may be the one that works.
func TestFaultWorkersKilled(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		const jobs = 4
		kills, units := scale(8, 60), scale[int64](200_000, 1_000_000)
		for n := range jobs {
			in.submit("--sku="+[]string{"A", "B"}[n%2], "--quantity="+strconv.FormatInt(units/jobs, 10))
		}
		cycle := scale(1000, 250) // the more kills, the longer it has to last
		start := func() *process { return in.faultWorker(cycle) }
		workers := []*process{start()}
		if in.engine == "postgres" {
			workers = append(workers, start())
		} else {
			start = func() *process { // serve mints too
				return in.start([]string{"serve", "worker"}[rand.N(2)], "--cycle-size="+strconv.Itoa(cycle))
			}
		}
		for n := range kills {
			goal := moment(units, n, kills)
			storetest.Eventually(t, "units are minted", func() bool { return in.minted() >= goal })
			someTime(20 * time.Millisecond)
			victim := rand.N(len(workers))
			workers[victim].kill()
			if n%5 == 0 { // counting takes as long as several kills
				in.agrees()
			}
			if in.allDone() {
				t.Fatalf("all jobs were done before kill %d", n+1)
			}
			workers[victim] = start()
		}
		storetest.Eventually(t, "all jobs complete", in.allDone)
		for _, p := range workers {
			p.stopped()
		}
		if n := in.strikes(); n != 0 {
			t.Errorf("%d strikes", n)
		}
		in.inOrder(int64(len(workers)) + 1)
		in.survived("worker killed (kill -9)", kills, units)
	})
}

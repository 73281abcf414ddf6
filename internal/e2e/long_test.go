//go:build long

package e2e_test

import (
	"strconv"
	"testing"

	"mintage/internal/store/storetest"
)

// Five overlapping requests for a million units each, on as many workers as the
// database allows: every unit once, oldest first.
func TestLongFiveMillion(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		const jobs = 5
		for n := range jobs {
			in.submit("--sku="+[]string{"A", "B"}[n%2], "--quantity="+strconv.Itoa(million))
		}
		workers := []*process{in.start("worker")}
		if in.engine == "postgres" {
			for range 3 {
				workers = append(workers, in.start("worker"))
			}
		}
		storetest.Eventually(t, "half of it is minted", func() bool { return in.minted() >= jobs*million/2 })
		storetest.Eventually(t, "all jobs complete", in.allDone)
		for _, p := range workers {
			p.stopped()
		}
		in.exact(jobs * million)
		if n := storetest.Overtaken(t, in.raw()); n >= int64(len(workers)) {
			t.Errorf("%d workers passed over %d older jobs", len(workers), n)
		}
	})
}

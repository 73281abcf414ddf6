package bench_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"mintage/internal/bench"
)

// quick measures nothing worth knowing, in little time.
func quick(o bench.Options) bench.ResolveOptions {
	return bench.ResolveOptions{
		Units: 20_000, Connections: 8, Rounds: 1, Duration: 100 * time.Millisecond, Series: 1,
		DatabaseURL: o.DatabaseURL, Data: o.Data, Progress: o.Progress,
	}
}

func TestResolveFigures(t *testing.T) {
	each(t, func(t *testing.T, o bench.Options) {
		r, err := bench.Resolve(t.Context(), quick(o))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var figures map[string]any
		if err := json.Unmarshal(text, &figures); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{
			"ratio_known", "ratio_invented", "ratio_first_scan", "database_activations_per_second", "peak_rss_bytes", "flatness_known", "flatness_invented",
		} {
			if v, ok := figures[name].(float64); !ok || v <= 0 {
				t.Errorf("%s is %v", name, figures[name])
			}
		}
		if len(r.Cases) != 9 || r.ScansDropped < 0 {
			t.Errorf("the cases are %+v", r.Cases)
		}
		for _, c := range r.Cases {
			if c.RequestsPerSecond <= 0 || c.P99MS <= 0 || c.Ratio <= 0 {
				t.Errorf("%+v", c)
			}
		}
		want := "loop"
		if _, err := exec.LookPath("pgbench"); err == nil && o.DatabaseURL != "" {
			want = "pgbench"
		}
		if r.DatabaseActivationsBy != want {
			t.Errorf("the database alone is asked by %s", r.DatabaseActivationsBy)
		}
	})
}

func TestResolveCleansUpWhenStopped(t *testing.T) {
	each(t, func(t *testing.T, o bench.Options) {
		ctx, stop := context.WithCancel(t.Context())
		options := quick(o)
		options.Series, options.Rounds = 1000, 100
		options.Progress = func(string, ...any) { stop() } // after the first job
		if _, err := bench.Resolve(ctx, options); err == nil {
			t.Error("it went on")
		}
	})
}

package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"mintage/internal/bench"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

const units = 20_000

// each runs a test on each database and then sees that the scratch database is gone.
func each(t *testing.T, fn func(t *testing.T, o bench.Options)) {
	t.Helper()
	for _, engine := range storetest.Engines {
		t.Run(engine, func(t *testing.T) {
			o := bench.Options{
				Units: units, Jobs: 1, Workers: 1, Rounds: 1,
				Data:     filepath.Join(t.TempDir(), "data"),
				Progress: t.Logf,
			}
			if engine == "postgres" {
				o.DatabaseURL = pgtest.URL(t)
				before := scratch(t, o.DatabaseURL)
				t.Cleanup(func() {
					for name := range scratch(t, o.DatabaseURL) {
						if !before[name] {
							t.Errorf("the database %s was left behind", name)
						}
					}
				})
			}
			fn(t, o)
			if _, err := os.Stat(o.Data); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder was left behind: %v", err)
			}
		})
	}
}

// scratch returns the scratch databases on a server; on a shared one, others may
// measure as well.
func scratch(t *testing.T, url string) map[string]bool {
	t.Helper()
	ctx := context.Background() // also in a cleanup
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 'mintage_bench_%'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, name := range names {
		found[name] = true
	}
	return found
}

func TestMintFigures(t *testing.T) {
	each(t, func(t *testing.T, o bench.Options) {
		var profile bytes.Buffer
		o.CPUProfile, o.Preload, o.Series = &profile, 1000, 2
		figures := measure(t, o)
		want := []string{
			"units_per_second", "floor_units_per_second", "naive_units_per_second", "ratio_to_floor", "ratio_to_naive",
			"first_units_visible_ms", "table_bytes_per_unit", "peak_rss_bytes", "last_to_first_ratio",
		}
		if o.DatabaseURL != "" {
			want = append(want, "wal_bytes_per_unit")
		}
		for _, name := range want {
			if v, ok := figures[name].(float64); !ok || v <= 0 {
				t.Errorf("%s is %v", name, figures[name])
			}
		}
		if version, ok := figures["server_version"].(string); !ok || version == "" {
			t.Error("no version")
		}
		if _, ok := figures["durable"].(bool); !ok {
			t.Error("nobody says whether commits are durable")
		}
		if profile.Len() == 0 {
			t.Error("no profile")
		}
	})
}

func TestMintWithWorkerProcesses(t *testing.T) {
	program := filepath.Join(t.TempDir(), "mintage")
	build := exec.Command("go", "build", "-o", program, "mintage/cmd/mintage")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	figures := measure(t, bench.Options{
		Units: units, Jobs: 3, Workers: 2, Rounds: 1, Program: program,
		DatabaseURL: pgtest.URL(t), Progress: t.Logf,
	})
	for _, name := range []string{"units_per_second", "one_job_units_per_second", "ratio_to_one_job"} {
		if v, ok := figures[name].(float64); !ok || v <= 0 {
			t.Errorf("%s is %v", name, figures[name])
		}
	}
}

// A person who presses Ctrl-C leaves nothing behind either.
func TestMintCleansUpWhenStopped(t *testing.T) {
	each(t, func(t *testing.T, o bench.Options) {
		ctx, stop := context.WithCancel(t.Context())
		o.Rounds, o.Series = 0, 1_000_000
		o.Progress = func(string, ...any) { stop() } // after the first job
		if _, err := bench.Mint(ctx, o); err == nil {
			t.Error("it went on")
		}
	})
}

// measure returns the figures as programs get them.
func measure(t *testing.T, o bench.Options) (figures map[string]any) {
	t.Helper()
	r, err := bench.Mint(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &figures); err != nil {
		t.Fatal(err)
	}
	return figures
}

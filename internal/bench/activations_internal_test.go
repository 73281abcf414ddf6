package bench

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mintage/internal/store/storetest/pgtest"
)

// However the database alone is asked, each activation that is counted is there, with
// its event.
func TestActivations(t *testing.T) {
	postgres, err := newPostgres(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	sqlite, err := newSQLite(t.Context(), filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, db := range []database{postgres, sqlite} {
			if err := db.remove(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	const counted = `SELECT count(*) - (SELECT count(*) FROM events WHERE kind = 'unit.transition'), count(*) FROM unit_states`
	a := activations{brand: 1, product: 1, batch: 1, slice: 1_000_000, connections: 4, duration: time.Second}
	check := func(by string, rate float64, err error, difference, n int64) {
		t.Helper()
		if err != nil || rate <= 0 || n == 0 || difference != 0 {
			t.Errorf("%s: %.0f a second, %d states, %d more than events: %v", by, rate, n, difference, err)
		}
	}
	var difference, n int64
	rate, by, err := sqlite.activations(t.Context(), a)
	if err := sqlite.inside.QueryRowContext(t.Context(), counted).Scan(&difference, &n); err != nil {
		t.Fatal(err)
	}
	check("SQLite by "+by, rate, err, difference, n)

	before := int64(0)
	look := func(by string, rate float64, err error) {
		t.Helper()
		if err := postgres.inside.QueryRow(t.Context(), counted).Scan(&difference, &n); err != nil {
			t.Fatal(err)
		}
		check(by, rate, err, difference, n-before)
		before = n
	}
	rate, err = postgres.loop(t.Context(), a)
	look("PostgreSQL by a loop", rate, err)
	if program, found := exec.LookPath("pgbench"); found == nil {
		a.first = 10_000_000
		rate, err = postgres.pgbench(t.Context(), program, a)
		look("PostgreSQL by pgbench", rate, err)
	}
}

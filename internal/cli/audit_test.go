package cli

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mintage/internal/audit"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// sealAll does what a worker does each second.
func (m *program) sealAll() {
	m.t.Helper()
	a := &app{}
	e := &env{Context: m.t.Context(), Config: &Config{Data: m.data, DatabaseURL: m.url}, log: slog.New(slog.DiscardHandler)}
	defer a.close(e)
	if err := a.openStores(e, []role{roleOperator}); err != nil {
		m.t.Fatal(err)
	}
	if err := audit.NewSealer(a.store, now, e.log).RunOnce(e); err != nil {
		m.t.Fatal(err)
	}
}

// must runs a command that ends with the code, and returns what it printed.
func (m *program) must(code int, args ...string) (stdout, stderr string) {
	m.t.Helper()
	got, stdout, stderr := m.run(args...)
	if got != code {
		m.t.Fatalf("%v ended with %d, want %d\n%s\n%s", args, got, code, stdout, stderr)
	}
	return stdout, stderr
}

func TestAudit(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Setenv("MINTAGE_MASTER_KEY", strings.Repeat("1", 64))
			m := &program{t: t, data: t.TempDir()}
			if engine == "postgres" {
				m.url = pgtest.NewDatabase(t, "")
				m.must(0, "migrate")
			}
			stdout, _ := m.must(0, "brand", "create", "--name", "A", "--resolver-base", "https://a.example", "--json")
			var brand struct {
				ID string `json:"brand_id"`
			}
			if err := json.Unmarshal([]byte(stdout), &brand); err != nil {
				t.Fatal(err)
			}
			m.must(0, "brand", "create", "--name", "B", "--resolver-base", "https://b.example")
			if stdout, _ := m.must(0, "audit", "verify"); strings.Count(stdout, "ok   ") != 2 ||
				!strings.Contains(stdout, "0 events in 0 blocks sealed, 1 event not yet (since 2") {
				t.Errorf("%s", stdout)
			}
			m.sealAll()
			if stdout, _ := m.must(0, "audit", "verify", "--brand", brand.ID); stdout != "ok   "+brand.ID+"  1 event in 1 block sealed\n" {
				t.Errorf("%s", stdout)
			}

			// Events that wait for long make both fail.
			m.must(0, "brand", "update", "--brand", brand.ID, "--name", "A2")
			stdout, stderr := m.must(1, "audit", "verify", "--max-tail=0s")
			if strings.Count(stdout, "FAIL ") != 1 || !strings.Contains(stdout, "has not been sealed since") || !strings.Contains(stderr, "Events of 1 of 2 brands") {
				t.Errorf("%s%s", stdout, stderr)
			}
			if _, stderr := m.must(1, "audit", "export", "--max-tail=0s"); !strings.Contains(stderr, "have not been sealed since") {
				t.Errorf("%s", stderr)
			}
			m.must(0, "audit", "verify")
			m.sealAll()
			m.must(0, "audit", "verify", "--max-tail=0s")

			file := filepath.Join(t.TempDir(), "heads.json")
			if stdout, _ := m.must(0, "audit", "export", "--out", file); !strings.HasPrefix(stdout, "Wrote the heads of 2 chains to ") {
				t.Errorf("%s", stdout)
			}
			stdout, _ = m.must(0, "audit", "export", "--brand", brand.ID)
			if heads, err := audit.ReadHeads(strings.NewReader(stdout)); err != nil || len(heads.Heads) != 1 || heads.Heads[0].BrandID != brand.ID {
				t.Errorf("%v\n%s", err, stdout)
			}
			m.must(0, "audit", "verify", "--head", file)

			// What was sealed goes, and its block with it: only the head shows it.
			m.execute("DELETE FROM event_seals")
			m.execute("DELETE FROM events WHERE number = (SELECT min(number) FROM events)")
			m.must(0, "audit", "verify")
			stdout, stderr = m.must(1, "audit", "verify", "--head", file)
			if strings.Count(stdout, "FAIL ") != 2 || !strings.Contains(stdout, "\n     the chain ends with block 0, and was at block 1") ||
				!strings.Contains(stderr, "2 of 2 brands") {
				t.Errorf("%s%s", stdout, stderr)
			}
			stdout, _ = m.must(1, "audit", "verify", "--head", file, "--brand", brand.ID, "--json")
			var report audit.Report
			if err := json.Unmarshal([]byte(stdout), &report); err != nil || report.OK || len(report.Brands) != 1 ||
				report.Brands[0].Examples[0].Problem != audit.RolledBack || strings.Contains(stdout, "null") {
				t.Errorf("%v\n%s", err, stdout)
			}

			// What is wrong with the file is said before anything is read.
			if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			m.must(1, "audit", "verify", "--head", file)
			m.must(1, "audit", "verify", "--head", file+".none")
			m.must(1, "audit", "verify", "--brand", storetest.NewID())
			m.must(1, "audit", "export", "--out", filepath.Join(file, "x"))
		})
	}
}

package cli

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // to damage a database
	_ "modernc.org/sqlite"             // likewise

	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
	"mintage/internal/verify"
)

// program runs a command in this process.
type program struct {
	t         *testing.T
	data, url string
}

func (m *program) run(args ...string) (code int, stdout, stderr string) {
	m.t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--data", m.data, "--database-url", m.url, "--log-level", "error")
	code = run(m.t.Context(), args, "test", &out, &errs)
	return code, out.String(), errs.String()
}

// execute runs a statement past the store.
func (m *program) execute(statement string) {
	m.t.Helper()
	driver, source := "pgx", m.url
	if m.url == "" {
		driver, source = "sqlite", filepath.Join(m.data, "mintage.db")
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	storetest.Unguard(m.t, db)
	if _, err := db.ExecContext(m.t.Context(), statement); err != nil {
		m.t.Fatalf("%s: %v", statement, err)
	}
}

func TestVerify(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine, func(t *testing.T) {
			for _, name := range []string{"MINTAGE_MASTER_KEY", "MINTAGE_MASTER_KEY_FILE", "MINTAGE_DIRECT_DATABASE_URL"} {
				t.Setenv(name, "") // puts it back in the end
				if err := os.Unsetenv(name); err != nil {
					t.Fatal(err)
				}
			}
			m := &program{t: t, data: t.TempDir()}
			if engine == "postgres" {
				m.url = pgtest.NewDatabase(t, "")
			}
			if code, _, stderr := m.run("demo", "--once", "--units", "25000"); code != 0 {
				t.Fatal(stderr)
			}
			code, stdout, stderr := m.run("verify")
			if code != 0 || stderr != "" || strings.Count(stdout, "\n") != 15 || strings.Count(stdout, "ok   ") != 15 ||
				!strings.Contains(stdout, "ok   counts              25,000 units in 1 batch\n") {
				t.Errorf("%d, %q\n%s", code, stderr, stdout)
			}
			if report := m.report(0); !report.OK {
				t.Errorf("%+v", report)
			}

			m.execute("UPDATE units SET code = code + 1 WHERE ordinal < 30")
			m.execute("DELETE FROM events WHERE to_state = 'COMPLETED'")
			code, stdout, stderr = m.run("verify")
			if code != 1 || !strings.Contains(stderr, "2 of 15 checks failed") || strings.Count(stdout, "ok   ") != 13 ||
				!strings.Contains(stdout, "FAIL codes               30 findings, first: ordinal 0 of product number ") ||
				!strings.Contains(stdout, "FAIL events              ") {
				t.Errorf("%d, %q\n%s", code, stderr, stdout)
			}
			for _, c := range m.report(1).Checks {
				if want := c.Name != "codes" && c.Name != "events"; c.OK != want || c.Examined == 0 && c.Name != "tokens" && c.Name != "recalls" {
					t.Errorf("%+v", c)
				}
				if c.Name == "codes" && (c.Findings != 30 || len(c.Examples) != verify.MaxExamples || c.Examined != 25_000) {
					t.Errorf("%+v", c)
				}
			}

			// A key that is not the one is an error, and says so.
			t.Setenv("MINTAGE_MASTER_KEY", strings.Repeat("0", 64))
			if code, stdout, stderr := m.run("verify", "--json"); code != 1 || stdout != "" || !strings.Contains(stderr, "master key") {
				t.Errorf("%d, %q, %q", code, stdout, stderr)
			}
		})
	}
}

// report runs verify --json, which prints one object, its lists never null.
func (m *program) report(want int) (report verify.Report) {
	m.t.Helper()
	code, stdout, _ := m.run("verify", "--json")
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil || code != want || decoder.More() || strings.Contains(stdout, "null") {
		m.t.Fatalf("%d, %v\n%s", code, err, stdout)
	}
	if len(report.Checks) != 15 || report.OK != (want == 0) {
		m.t.Errorf("%s", stdout)
	}
	return report
}

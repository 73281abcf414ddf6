package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// decoded runs a command with --json that must succeed, and returns its object.
func (m *program) decoded(args ...string) map[string]any {
	m.t.Helper()
	code, stdout, stderr := m.run(append(args, "--json")...)
	var out map[string]any
	if err := json.Unmarshal([]byte(stdout), &out); code != 0 || err != nil {
		m.t.Fatalf("%s: %d, %v, %q, %q", args, code, err, stdout, stderr)
	}
	return out
}

// file writes a file and returns its path.
func (m *program) file(name, content string) string {
	m.t.Helper()
	path := filepath.Join(m.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

// TestLife revokes and recalls with the commands, and looks at what they leave.
func TestLife(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine, func(t *testing.T) {
			m := &program{t: t, data: t.TempDir()}
			if engine == "postgres" {
				m.url = pgtest.NewDatabase(t, "")
				if code, _, stderr := m.run("migrate"); code != 0 {
					t.Fatal(stderr)
				}
			}
			m.decoded("brand", "create", "--name", "Brand", "--resolver-base", "https://id.example", "--tap-to-activate")
			brand := m.decoded("brand", "update", "--accent-colour", "#1A5FB4", "--default-identity-mode", "batch", "--default-activation-mode", "first_scan", "--cycle-size", "4")
			if brand["tap_to_activate"] != true || brand["accent_colour"] != "#1a5fb4" || brand["default_identity_mode"] != "batch" ||
				brand["default_activation_mode"] != "first_scan" || brand["cycle_size"] != 4.0 {
				t.Errorf("brand %v", brand)
			}
			m.decoded("import", "products", m.file("products.csv", "sku,name\nA,Cell\n"))
			batch := m.decoded("submit", "--sku", "A", "--quantity", "6", "--activation-mode", "first_scan", "--lot", "X=4", "--lot", "Y=2")["mint_batch_id"].(string)
			m.decoded("worker", "--once")
			export := filepath.Join(t.TempDir(), "units.csv")
			m.decoded("export", batch, "--output", export)
			text, err := os.ReadFile(export)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			id := func(i int) string { return strings.SplitN(lines[i+1], ",", 2)[0] }
			counts := func(minted, revoked float64) {
				t.Helper()
				total := m.decoded("counts", batch)["total"].(map[string]any)
				if total["minted"] != minted || total["active"] != 0.0 || total["revoked"] != revoked {
					t.Errorf("counts %v, want %v and %v", total, minted, revoked)
				}
			}
			counts(6, 0)

			items := m.decoded("revoke", id(0), id(1), "--reason", "Stolen.")["items"].([]any)
			if len(items) != 2 || items[1].(map[string]any)["already_revoked"] != false {
				t.Errorf("revoked %v", items)
			}
			code, stdout, stderr := m.run("revoke", id(0), "none", id(2), "--reason", "Stolen.")
			if code != 1 || !strings.Contains(stdout, "is revoked already") || !strings.Contains(stderr, "no such unit") {
				t.Errorf("%d, %q, %q", code, stdout, stderr)
			}
			counts(4, 2)
			for _, args := range [][]string{{"--reason", "x"}, {id(2), "--csv", export, "--reason", "x"}, {id(2)}, {"--csv", "none.csv"}} {
				if code, _, stderr := m.run(append([]string{"revoke"}, args...)...); code != 1 || stderr == "" {
					t.Errorf("%v: %d, %q", args, code, stderr)
				}
			}
			counts(4, 2)

			// An export, cut to some of its lines, is a list of units to revoke.
			list := m.file("list.csv", strings.Join([]string{lines[0], lines[1], lines[3], strings.Replace(lines[4], id(3), id(4), 1)}, "\n")+"\n")
			sum := m.decoded("revoke", "--csv", list, "--reason", "Destroyed.")
			if sum["rows"] != 3.0 || sum["revoked"] != 1.0 || sum["already_revoked"] != 1.0 || sum["refused"] != 1.0 || len(sum["refused_rows"].([]any)) != 1 {
				t.Errorf("list %v", sum)
			}
			counts(3, 3)
			if code, stdout, _ := m.run("revoke", "--csv", list, "--reason", "Destroyed."); code != 0 || !strings.Contains(stdout, "row 4 refused") || !strings.Contains(stdout, "0 revoked, 2 revoked already, 1 refused") {
				t.Errorf("%d, %q", code, stdout)
			}

			lot := m.decoded("recall", "--batch", batch, "--lot", "Y", "--reason", "Overheats.")
			if lot["lot_code"] != "Y" || lot["quantity"] != 2.0 || lot["already_recalled"] != false || lot["still_minting"] != false {
				t.Errorf("recall %v", lot)
			}
			counts(1, 5)
			if code, stdout, _ := m.run("recall", "--batch", batch, "--lot", "Y", "--reason", "Again."); code != 0 || !strings.Contains(stdout, "recalled before") {
				t.Errorf("%d, %q", code, stdout)
			}
			if code, _, stderr := m.run("recall", "--batch", batch, "--lot", "", "--reason", "x"); code != 1 || !strings.Contains(stderr, "no lot") {
				t.Errorf("%d, %q", code, stderr)
			}
			second := m.decoded("submit", "--sku", "A", "--quantity", "3")["mint_batch_id"].(string)
			if code, stdout, _ := m.run("recall", "--batch", second, "--reason", "Early."); code != 0 || !strings.Contains(stdout, "still being minted") {
				t.Errorf("%d, %q", code, stdout)
			}
			m.decoded("worker", "--once")
			if code, stdout, _ := m.run("counts", batch); code != 0 || !strings.Contains(stdout, "(total)") {
				t.Errorf("%d, %q", code, stdout)
			}
			if report := m.report(0); !report.OK {
				t.Errorf("%+v", report)
			}
		})
	}
}

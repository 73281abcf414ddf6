package postgres_test
import ("testing";"os";osexec "os/exec";"fmt";"net/url";"regexp";"mintage")
func BenchmarkZZ(b *testing.B) {
	_, u, batch := newBatchOf(b, mintage.MaxRequestQuantity)
	p, _ := url.Parse(u)
	b.Log(u)
	for name, text := range map[string]string{
	 "tx": `\set ordinal :first + :client_id * :slice + :n
\set n :n + 1
BEGIN;
INSERT INTO unit_states (product_number, ordinal, status, at, reason) VALUES (:product, :ordinal, 'active', now(), '');
INSERT INTO events (brand_number, at, kind, actor, address_class, request_id, subject_id, batch_number, product_number, first_ordinal, quantity, from_state, to_state)
VALUES (:brand, now(), 'unit.transition', 'scan', 'public', 'AAAAAAAAAAAAAAAAAAAAAAAAAA', '00000000-000000000000', :batch, :product, :ordinal, 1, 'minted', 'active');
COMMIT;
`, "one": `\set ordinal :first + :client_id * :slice + :n
\set n :n + 1
WITH a AS (INSERT INTO unit_states (product_number, ordinal, status, at, reason) VALUES (:product, :ordinal, 'active', now(), '') RETURNING ordinal)
INSERT INTO events (brand_number, at, kind, actor, address_class, request_id, subject_id, batch_number, product_number, first_ordinal, quantity, from_state, to_state)
SELECT :brand, now(), 'unit.transition', 'scan', 'public', 'AAAAAAAAAAAAAAAAAAAAAAAAAA', '00000000-000000000000', :batch, :product, :ordinal, 1, 'minted', 'active' FROM a;
`} {
	f := "/tmp/zz-"+name+".sql"
	os.WriteFile(f, []byte(text), 0o644)
	first := map[string]int{"tx": 0, "one": 3200000}[name]
	for _, c := range []string{"64"} {
	cmd := osexec.Command("pgbench", "-n", "-M", "prepared", "-c", c, "-j", "2", "-T", "8", "-f", f, fmt.Sprintf("-Dproduct=%d", batch.ProductNumber), fmt.Sprintf("-Dbrand=%d", batch.BrandNumber), fmt.Sprintf("-Dbatch=%d", batch.Number), fmt.Sprintf("-Dfirst=%d",first), "-Dslice=50000", "-Dn=0")
	cmd.Env = append(os.Environ(), "PGHOST="+p.Hostname(), "PGPORT="+p.Port(), "PGUSER="+p.User.Username(), "PGDATABASE="+p.Path[1:])
	if h := p.Query().Get("host"); h != "" { cmd.Env = append(cmd.Env, "PGHOST="+h, "PGPORT="+p.Query().Get("port")) }
	out, err := cmd.CombinedOutput()
	b.Log(name, regexp.MustCompile(`tps = .*`).FindString(string(out)), err)
	}
	}
}

package e2e_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"mintage/internal/store/storetest"
)

// pooler is PgBouncer in transaction mode, before one server.
type pooler struct {
	t       *testing.T
	dir     string
	account *syscall.Credential // it refuses to run as root
	process *exec.Cmd
	exited  chan struct{}
}

func newPooler(t *testing.T, databaseURL string) *pooler {
	t.Helper()
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "mintage-pgbouncer-") // a Unix socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	p := &pooler{t: t, dir: dir}
	t.Cleanup(func() {
		p.kill()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if os.Geteuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		p.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"users": fmt.Sprintf("%q %q\n", config.User, config.Password),
		"pgbouncer.ini": fmt.Sprintf(`[databases]
* = host=%s port=%d
[pgbouncer]
listen_addr =
unix_socket_dir = %s
listen_port = 6432
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = 4
`, config.Host, config.Port, dir, filepath.Join(dir, "users")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.start()
	return p
}

func (p *pooler) start() {
	p.t.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path = "/usr/sbin/pgbouncer" // Debian's place, out of most paths
	}
	p.process = exec.Command(path, "-q", filepath.Join(p.dir, "pgbouncer.ini"))
	p.process.SysProcAttr = &syscall.SysProcAttr{Credential: p.account}
	p.process.Dir = p.dir
	if err := p.process.Start(); err != nil {
		p.t.Fatalf("this test needs PgBouncer: apt-get install pgbouncer: %v", err)
	}
	p.exited = make(chan struct{})
	go func() { _ = p.process.Wait(); close(p.exited) }()
	storetest.Eventually(p.t, "PgBouncer listens", func() bool {
		select {
		case <-p.exited:
			p.t.Fatal("PgBouncer has ended")
		default:
		}
		_, err := os.Stat(filepath.Join(p.dir, ".s.PGSQL.6432"))
		return err == nil
	})
}

// kill is harmless where it has ended already.
func (p *pooler) kill() {
	if p.exited == nil {
		return
	}
	_ = p.process.Process.Kill()
	<-p.exited
	if err := os.Remove(filepath.Join(p.dir, ".s.PGSQL.6432")); err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Error(err)
	}
}

// url leads to a database through the pooler, with the settings that
// docs/postgresql.md names.
func (p *pooler) url(databaseURL string) string {
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		p.t.Fatal(err)
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Path: "/" + config.Database}
	u.RawQuery = url.Values{
		"host": {p.dir}, "port": {"6432"}, "sslmode": {"disable"}, "default_query_exec_mode": {"exec"},
	}.Encode()
	return u.String()
}

// Everything works through PgBouncer in transaction mode, with more workers and
// connections than it has servers, also when it is killed in mid-job.
func TestFaultPgBouncer(t *testing.T) {
	in := shared(t)
	p := newPooler(t, in.url)
	in.direct, in.url = in.url, p.url(in.url)
	demo := in.run("demo", "--once", "--units=50000")
	if demo["status"] != "COMPLETED" || demo["duplicate_is_duplicate"] != true {
		t.Errorf("the demo: %v", demo)
	}
	brand := text(in.run("brand", "create", "--name=Acme", "--resolver-base=https://id.acme.example"), "brand_id")
	file := filepath.Join(in.data, "catalogue.csv")
	if err := os.WriteFile(file, []byte("sku,name,gtin\nA,Product A,9520123456788\nB,Product B,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in.run("import", "products", "--brand="+brand, file)
	kills, units := scale(2, 20), scale[int64](200_000, 1_000_000)
	for n := range int64(4) {
		in.submit("--brand="+brand, "--sku="+[]string{"A", "B"}[n%2], "--quantity="+strconv.FormatInt(units/4, 10))
	}
	workers := []*process{in.faultWorker(1000), in.faultWorker(1000), in.faultWorker(1000)}
	direct := *in
	direct.url, direct.direct = in.direct, ""
	for n := range kills {
		goal := 50_000 + moment(units, n, kills)
		storetest.Eventually(t, "units are minted", func() bool { return direct.minted() >= goal })
		p.kill()
		direct.agrees()
		p.start()
	}
	storetest.Eventually(t, "all jobs complete", direct.allDone)
	for _, w := range workers {
		w.stopped()
		if strings.Contains(w.said(), "prepared statement") {
			t.Errorf("a worker met a prepared statement:\n%s", w.said())
		}
	}
	if n := direct.strikes(); n != 0 {
		t.Errorf("%d strikes", n)
	}
	direct.inOrder(2 * int64(len(workers))) // a kill leaves a last transaction of each
	// The auditor works through the pooler too.
	in.survived("PgBouncer 1.18 in transaction mode, killed", kills, 50_000+units)
}

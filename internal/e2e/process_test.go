package e2e_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// binary is the ordinary binary, without the race detector: the one that make
// has built, or else one that is built here.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("MINTAGE_TEST_BINARY"); path != "" {
		_, err := os.Stat(path)
		return path, err
	}
	dir, err := os.MkdirTemp("", "mintage-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "mintage")
	build := exec.Command("go", "build", "-o", path, "mintage/cmd/mintage")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, nil
})

// TestMain ends the browser of these tests, removes the binary that was built for
// them, and prints the table of faults after their long form.
func TestMain(m *testing.M) {
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxiproxy's
	code := m.Run()
	stopChromium()
	if chaos {
		ledger.print(os.Stdout)
	}
	if path, err := binary(); err == nil && os.Getenv("MINTAGE_TEST_BINARY") == "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// installation is a data folder and a database, both new.
type installation struct {
	t      *testing.T
	data   string
	url    string // PostgreSQL; "" for SQLite
	direct string // the same past a pooler; "" where there is none
	engine string
	env    []string // more of the environment: NAME=value
}

// each runs a test once per engine, each in an installation of its own.
func each(t *testing.T, fn func(t *testing.T, in *installation)) {
	t.Helper()
	for _, engine := range storetest.Engines {
		t.Run(engine, func(t *testing.T) {
			in := &installation{t: t, data: t.TempDir(), engine: engine}
			if engine == "postgres" {
				in.url = pgtest.NewDatabase(t, "")
			}
			fn(t, in)
		})
	}
}

func (in *installation) command(args ...string) *exec.Cmd {
	in.t.Helper()
	path, err := binary()
	if err != nil {
		in.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = in.data
	cmd.Env = append(os.Environ(), "MINTAGE_DATA="+in.data, "MINTAGE_DATABASE_URL="+in.url, "MINTAGE_DIRECT_DATABASE_URL="+in.direct, "MINTAGE_LISTEN=127.0.0.1:0", "MINTAGE_RESOLVER_LISTEN=127.0.0.1:0")
	cmd.Env = append(cmd.Env, in.env...)
	return cmd
}

// run runs a command to its end and returns its one JSON object.
func (in *installation) run(args ...string) map[string]any {
	in.t.Helper()
	cmd := in.command(append(args, "--json")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		in.t.Fatalf("mintage %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(out))
	if err := decoder.Decode(&object); err != nil {
		in.t.Fatalf("mintage %s: %v in %q", strings.Join(args, " "), err, out)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		in.t.Fatalf("mintage %s printed more than one object: %q", strings.Join(args, " "), out)
	}
	return object
}

// refused runs a command that must fail with a code, and returns what it said.
func (in *installation) refused(code int, args ...string) string {
	in.t.Helper()
	out, err := in.command(args...).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != code {
		in.t.Fatalf("mintage %s: %v, want exit code %d\n%s", strings.Join(args, " "), err, code, out)
	}
	return string(out)
}

// process is a running mintage.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	exited chan struct{} // closed at the end; failed is set by then
	failed error
	killed bool // by the test, while all was well

	mu     sync.Mutex
	log    bytes.Buffer // standard error
	output bytes.Buffer // standard output
}

// start starts a command that goes on running; it is killed when the test ends.
func (in *installation) start(args ...string) *process {
	in.t.Helper()
	p := &process{t: in.t, cmd: in.command(args...), exited: make(chan struct{})}
	p.cmd.Stderr = &stream{p, &p.log}
	p.cmd.Stdout = &stream{p, &p.output}
	if err := p.cmd.Start(); err != nil {
		in.t.Fatal(err)
	}
	go func() { p.failed = p.cmd.Wait(); close(p.exited) }()
	in.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		if in.t.Failed() && !p.killed {
			said := p.said()
			in.t.Logf("mintage %s wrote at last:\n%s", strings.Join(args, " "), said[max(0, len(said)-4096):])
		}
	})
	return p
}

// stream collects what a process writes.
type stream struct {
	p  *process
	to *bytes.Buffer
}

func (s *stream) Write(b []byte) (int, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.to.Write(b)
}

// said is what the process has written to standard error.
func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// printed is what it has written to standard output.
func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// address waits until the process serves, and returns where: what its log says
// under a message.
func (p *process) address(message string) (address string) {
	p.t.Helper()
	storetest.Eventually(p.t, "mintage is "+message, func() bool {
		select {
		case <-p.exited:
			p.t.Fatalf("it ended: %v\n%s", p.failed, p.said())
		default:
		}
		for line := range strings.Lines(p.said()) {
			var entry struct{ Msg, Address string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == message {
				address = entry.Address
			}
		}
		return address != ""
	})
	return address
}

func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.exited
	p.killed = !p.t.Failed()
}

// serve starts mintage serve and returns its URL once it is ready.
func (in *installation) serve(args ...string) (*process, string) {
	in.t.Helper()
	p := in.start(append([]string{"serve", "--log-format=json"}, args...)...)
	url := "http://" + p.address("serving")
	storetest.Eventually(in.t, "mintage is ready", func() bool {
		response, err := http.Get(url + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return p, url
}

// raw opens the installation's database past mintage.
func (in *installation) raw() *sql.DB {
	in.t.Helper()
	db := &storetest.DB{URL: in.url}
	if in.url == "" {
		db = &storetest.DB{Path: filepath.Join(in.data, "mintage.db")}
	}
	return db.Raw(in.t)
}

// number reads one number past mintage.
func (in *installation) number(query string) int64 {
	in.t.Helper()
	n, err := in.ask(query)
	if err != nil {
		in.t.Fatal(err)
	}
	return n
}

// ask is number for a database that may be down. SQLite is asked through its
// command line: under the race detector the library in this process is twenty
// times slower.
func (in *installation) ask(query string) (n int64, err error) {
	in.t.Helper()
	if in.url == "" {
		out, err := exec.Command("sqlite3", "-batch", "-cmd", ".timeout 10000", "file:"+filepath.Join(in.data, "mintage.db")+"?mode=ro", query).CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("sqlite3: %w\n%s", err, out)
		}
		return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	}
	raw := in.raw()
	defer raw.Close()
	err = raw.QueryRowContext(in.t.Context(), query).Scan(&n)
	return n, err
}

// exact asserts that the database holds so many units and keeps every promise
// that the auditor can see.
func (in *installation) exact(units int64) {
	in.t.Helper()
	if n := in.number(`SELECT count(*) FROM units`); n != units {
		in.t.Errorf("there are %d units, want %d", n, units)
	}
	if report := in.run("verify"); report["ok"] != true {
		in.t.Errorf("the audit: %v", report)
	}
}

// prepare makes a brand with two products.
func (in *installation) prepare() {
	in.t.Helper()
	in.run("migrate")
	in.run("brand", "create", "--name=Acme", "--resolver-base=https://id.acme.example")
	in.catalogue()
}

// catalogue imports two products, one of them with a GTIN.
func (in *installation) catalogue() {
	in.t.Helper()
	file := filepath.Join(in.data, "catalogue.csv")
	if err := os.WriteFile(file, []byte("sku,name,gtin\nA,Product A,9520123456788\nB,Product B,\n"), 0o600); err != nil {
		in.t.Fatal(err)
	}
	in.run("import", "products", file)
}

func (in *installation) submit(args ...string) (job string) {
	in.t.Helper()
	return text(in.run(append([]string{"submit"}, args...)...), "mint_job_id")
}

// minted is how many units all batches count.
func (in *installation) minted() int64 {
	in.t.Helper()
	return in.number(`SELECT coalesce(sum(minted_quantity), 0) FROM mint_batches`)
}

// allDone reports whether no job is left to be worked on.
func (in *installation) allDone() bool {
	in.t.Helper()
	return in.number(`SELECT count(*) FROM mint_jobs WHERE status NOT IN ('COMPLETED', 'FAILED')`) == 0
}

// stopped asserts that the process ends well after SIGTERM.
func (p *process) stopped() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	<-p.exited
	if p.failed != nil {
		p.t.Errorf("after SIGTERM: %v\n%s", p.failed, p.said())
	}
}

// text is a field of a JSON object, "" where it has none.
func text(object map[string]any, field string) string {
	s, ok := object[field].(string)
	if !ok {
		return ""
	}
	return s
}

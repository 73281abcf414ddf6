//go:build unix

package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Server is one test's own throw-away server, to be stopped, killed and
// started again. It listens on a Unix socket in its folder only.
type Server struct {
	Dir string // the folder: the socket (.s.PGSQL.5432), the log, and data/

	t testing.TB
	*keeper
}

// StartServer starts a server for one test and removes it after the test.
// Settings are lines of postgresql.conf ("fsync=on") that come after, and so
// win over, those of this package. By default fsync is off: killed processes
// lose nothing by that, only a machine that loses power would.
func StartServer(t testing.TB, settings ...string) *Server {
	t.Helper()
	k, err := launch(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.close)
	return &Server{Dir: k.dir, t: t, keeper: k}
}

// URL returns the URL of one of the server's databases, "" for its maintenance
// database.
func (s *Server) URL(database string) string { return s.url(database) }

// Start starts the server again after Stop or Kill and waits until it takes
// connections.
func (s *Server) Start() {
	s.t.Helper()
	s.check(s.start())
}

// Stop stops the server and waits until it is down. Mode is "smart" (waits for
// the clients to leave), "fast" (ends their sessions) or "immediate" (as in a
// crash, but told to).
func (s *Server) Stop(mode string) {
	s.t.Helper()
	s.check(s.run(s.program("pg_ctl"), "stop", "-D", s.data(), "-m", mode, "-w"))
}

// Kill ends all of the server's processes without a warning and waits until
// they are gone. Start recovers it.
func (s *Server) Kill() {
	s.t.Helper()
	s.check(s.kill())
}

func (s *Server) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// keeperScript runs one command a line and answers with its exit status. The
// commands run one after the other, so that a server cannot be half started
// when the lines end. PIPE is ignored because the tests may be gone before an
// answer is written.
const keeperScript = `
trap '' PIPE
while read -r line; do
	eval "$line" >>"$1/log" 2>&1
	echo $?
done
[ ! -f "$1/data/postmaster.pid" ] || "$2/pg_ctl" stop -D "$1/data" -m immediate -w >/dev/null 2>&1
rm -rf "$1"
`

// A keeper is the tests' end of the shell that owns one server.
type keeper struct {
	dir      string // everything that the server has
	binaries string // the folder of its programs

	cmd      *exec.Cmd
	mu       sync.Mutex
	commands *os.File
	answers  *os.File
	reader   *bufio.Reader
}

// launch starts a keeper and, through it, a new server.
func launch(settings ...string) (*keeper, error) {
	binaries, err := findBinaries(debianFolders)
	if err != nil {
		return nil, err
	}
	k := &keeper{binaries: binaries}
	if err := k.begin(); err != nil {
		return nil, fmt.Errorf("start the keeper of a test server: %w", err)
	}
	if err := k.initialize(settings); err != nil {
		k.close()
		return nil, err
	}
	return k, nil
}

// begin starts the shell.
func (k *keeper) begin() (err error) {
	account, err := serverAccount()
	if err != nil {
		return err
	}
	parent := os.TempDir()
	// The path of a Unix socket may not exceed some 100 bytes, and the server's
	// account cannot enter a temporary folder that is root's own.
	if len(parent) > 60 || account != nil && !enterable(parent) {
		parent = "/tmp"
	}
	if k.dir, err = os.MkdirTemp(parent, "mintage-pg-"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(k.dir)
		}
	}()
	if account != nil {
		if err := os.Chown(k.dir, int(account.Uid), int(account.Gid)); err != nil {
			return err
		}
	}
	in, commands, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	answers, out, err := os.Pipe()
	if err != nil {
		return errors.Join(err, commands.Close())
	}
	defer out.Close()

	// The tests' standard output is not passed on: go test would wait for it.
	k.cmd = exec.Command("/bin/sh", "-c", keeperScript, "keeper", k.dir, k.binaries) //nolint:gosec,noctx // our own script; it must outlive every context
	k.cmd.Stdin, k.cmd.Stdout = in, out
	k.cmd.Dir = k.dir // the server's account may not read ours
	// No PGPORT or PGDATA of the developer's may lead it elsewhere.
	k.cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/bin:/bin", "LC_ALL=C"}
	// A session of its own: Ctrl-C ends the tests, and the keeper then cleans up.
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: account}
	if err := k.cmd.Start(); err != nil {
		return errors.Join(err, commands.Close(), answers.Close())
	}
	k.commands, k.answers, k.reader = commands, answers, bufio.NewReader(answers)
	return nil
}

// enterable reports whether any account may enter a folder.
func enterable(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// serverAccount returns whom the server runs as: PostgreSQL refuses root. It is
// nil where the tests' own account will do.
func serverAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no other account: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// initialize makes the server's data and starts it.
func (k *keeper) initialize(settings []string) error {
	err := k.run(k.program("initdb"), "-D", k.data(), "-U", "postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	lines := slices.Concat([]string{
		"listen_addresses = ''",
		"unix_socket_directories = '" + k.dir + "'",
		"port = 5432",
		"max_connections = 200",
		"shared_buffers = 64MB",
		"max_wal_size = 256MB",
		"fsync = off",
		"timezone = 'UTC'",
	}, settings)
	conf, err := os.OpenFile(filepath.Join(k.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = conf.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	if err := errors.Join(err, conf.Close()); err != nil {
		return err
	}
	return k.start()
}

func (k *keeper) start() error {
	return k.run(k.program("pg_ctl"), "start", "-D", k.data(), "-l", k.log(), "-w", "-s")
}

// kill ends the postmaster first, so that it cannot answer to its children's end.
func (k *keeper) kill() error {
	file, err := os.ReadFile(filepath.Join(k.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(file), "\n")
	postmaster, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return err
	}
	pids := append([]int{postmaster}, children(postmaster)...)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for slices.ContainsFunc(pids, alive) {
		select {
		case <-tick.C:
		case <-deadline:
			return errors.New("the killed server's processes do not end")
		}
	}
	// PostgreSQL would find these files stale by itself, unless nobody has yet
	// reaped the postmaster, as in a container whose first process never does.
	return errors.Join(
		os.Remove(filepath.Join(k.data(), "postmaster.pid")),
		os.Remove(filepath.Join(k.dir, ".s.PGSQL.5432.lock")))
}

// children returns the processes that a postmaster has started. Where there is
// no /proc it returns none: they then end by themselves, a little later.
func children(postmaster int) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		if _, parent, ok := status(file); ok && parent == postmaster {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// alive reports whether a process still runs; one that only waits to be reaped
// does not.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	state, _, ok := status(fmt.Sprintf("/proc/%d/stat", pid))
	return !ok || state != "Z"
}

// status reads a process's state and parent from its file in /proc: "pid (name)
// state parent …", where the name may have spaces and brackets in it.
func status(file string) (state string, parent int, ok bool) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", 0, false
	}
	fields := strings.Fields(string(content)[strings.LastIndexByte(string(content), ')')+1:])
	if len(fields) < 2 {
		return "", 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return fields[0], parent, err == nil
}

// run has the keeper run a program and waits for its end.
func (k *keeper) run(args ...string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	fail := func(err error) error {
		return fmt.Errorf("%s: %w; the end of the test server's log:\n%s",
			strings.Join(args, " "), err, tail(k.log()))
	}
	if err := k.answers.SetReadDeadline(time.Now().Add(2 * patience)); err != nil {
		return fail(err)
	}
	if _, err := fmt.Fprintln(k.commands, strings.Join(quoted, " ")); err != nil {
		return fail(err)
	}
	answer, err := k.reader.ReadString('\n')
	if err != nil {
		return fail(err)
	}
	if answer = strings.TrimSpace(answer); answer != "0" {
		return fail(errors.New("exit status " + answer))
	}
	return nil
}

// close ends the lines, and with them the server, and waits for the keeper.
func (k *keeper) close() {
	_ = k.commands.Close()
	_ = k.cmd.Wait() // its status says nothing that a test could act upon
	_ = k.answers.Close()
}

func (k *keeper) data() string { return filepath.Join(k.dir, "data") }
func (k *keeper) log() string  { return filepath.Join(k.dir, "log") }

func (k *keeper) program(name string) string { return filepath.Join(k.binaries, name) }

func (k *keeper) url(database string) string {
	if database == "" {
		database = "postgres"
	}
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database}
	// Given in full, so that no PG* variable of the developer's matters.
	u.RawQuery = url.Values{"host": {k.dir}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// tail returns the last lines of a file, as far as it can be read.
func tail(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-4096):])
}

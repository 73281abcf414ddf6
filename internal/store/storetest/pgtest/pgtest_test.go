//go:build unix

package pgtest

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const envChild = "MINTAGE_PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		child()
		return
	}
	os.Exit(m.Run())
}

// child is a test process that has started a server and is then killed.
func child() {
	k, err := launch()
	if err != nil {
		fmt.Fprintln(os.Stdout, "error:", err)
		return
	}
	fmt.Fprintln(os.Stdout, k.dir)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestServerEndsWithItsTests(t *testing.T) {
	for _, end := range []string{"killed", "exited"} {
		t.Run(end, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), envChild+"=1")
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			dir, err := bufio.NewReader(stdout).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			dir = strings.TrimSpace(dir)
			file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
			if err != nil {
				t.Fatalf("the child said %q: %v", dir, err)
			}
			pid, err := strconv.Atoi(strings.SplitN(string(file), "\n", 2)[0])
			if err != nil {
				t.Fatal(err)
			}
			if !alive(pid) {
				t.Fatal("the server does not run")
			}

			if end == "killed" {
				err = cmd.Process.Kill()
			} else {
				err = stdin.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()

			deadline := time.After(patience)
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for {
				if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) && !alive(pid) {
					return
				}
				select {
				case <-tick.C:
				case <-deadline:
					t.Fatalf("the server outlives its tests: %s, process %d", dir, pid)
				}
			}
		})
	}
}

func TestNothingInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := findBinaries(filepath.Join(t.TempDir(), "*", "bin"))
	if err == nil || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Fatalf("no word of what to install: %v", err)
	}
}

func TestNewestInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	root := t.TempDir()
	for _, major := range []string{"9.6", "17", "18"} {
		bin := filepath.Join(root, major, "bin")
		if err := os.MkdirAll(bin, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"postgres", "initdb", "pg_ctl"} {
			if major == "18" && name == "initdb" {
				continue // only a part of it is installed
			}
			if err := os.WriteFile(filepath.Join(bin, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := findBinaries(filepath.Join(root, "*", "bin"))
	if want := filepath.Join(root, "17", "bin"); err != nil || got != want {
		t.Fatalf("got %s, %v; want %s", got, err, want)
	}
}

func TestDatabasesAreIsolated(t *testing.T) {
	for range 2 { // fails the second time if the database is the same
		mustExecute(t, NewDatabase(t, ""), "CREATE TABLE mine (id int)")
	}
}

func TestDatabaseIsDropped(t *testing.T) {
	var u string
	t.Run("a test", func(t *testing.T) {
		u = NewDatabase(t, "")
		// Left open, as a test that fails in the middle does.
		connect(t, u)
	})
	conn, err := pgx.Connect(t.Context(), u)
	if err == nil {
		_ = conn.Close(t.Context())
		t.Fatal("the database is still there")
	}
}

func TestTemplateIsMadeOnce(t *testing.T) {
	var made atomic.Int32
	migrate := func(u string) error {
		made.Add(1)
		return execute(u, "CREATE TABLE migrated AS SELECT 42 AS answer")
	}
	name := rand.Text() // the test may run more than once in this process
	var tests sync.WaitGroup
	for range 8 {
		tests.Go(func() {
			u := NewDatabase(t, Template(t, name, migrate))
			var answer int
			if err := connect(t, u).QueryRow(t.Context(), "SELECT answer FROM migrated").Scan(&answer); err != nil || answer != 42 {
				t.Errorf("answer %d, %v", answer, err)
			}
		})
	}
	tests.Wait()
	if n := made.Load(); n != 1 {
		t.Fatalf("migrated %d times", n)
	}
}

func TestServerComesBack(t *testing.T) {
	s := StartServer(t, "fsync=on", "work_mem=7MB")
	var setting string
	if err := connect(t, s.URL("")).QueryRow(t.Context(), "SHOW work_mem").Scan(&setting); err != nil || setting != "7MB" {
		t.Fatalf("work_mem %s, %v", setting, err)
	}
	mustExecute(t, s.URL(""), "CREATE TABLE kept (id int)")
	for i, down := range []func(){
		func() { s.Stop("fast") },
		func() { s.Stop("immediate") },
		s.Kill,
		s.Kill,
	} {
		open := connect(t, s.URL(""))
		mustExecute(t, s.URL(""), fmt.Sprintf("INSERT INTO kept VALUES (%d)", i))
		down()
		if err := open.Ping(t.Context()); err == nil {
			t.Fatal("a connection outlived its server")
		}
		if conn, err := pgx.Connect(t.Context(), s.URL("")); err == nil {
			_ = conn.Close(t.Context())
			t.Fatal("the server is still up")
		}
		s.Start()
		var n int
		if err := connect(t, s.URL("")).QueryRow(t.Context(), "SELECT count(*) FROM kept").Scan(&n); err != nil || n != i+1 {
			t.Fatalf("%d rows after restart %d, %v", n, i, err)
		}
	}
}

func TestFailedStartShowsTheLog(t *testing.T) {
	_, err := launch("no_such_setting=1")
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Fatalf("the log is not in the message: %v", err)
	}
}

func connect(t *testing.T, u string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func mustExecute(t *testing.T, u, sql string) {
	t.Helper()
	if err := execute(u, sql); err != nil {
		t.Fatal(err)
	}
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
)

// The environment of a second process of a test: the file, and what to do.
const childFile, childTask = "MINTAGE_TEST_FILE", "MINTAGE_TEST_TASK"

// TestMain is the second process where a test has asked for one.
func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		if err := child(path, os.Getenv(childTask)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// perProcess is how many brands each of two processes stores.
const perProcess = 50

func child(path, task string) error {
	switch task {
	case "lock": // holds it until it is killed
		if _, err := Lock(path); err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, "locked")
		select {}
	case "write":
		s, err := Open(context.Background(), path, Options{})
		if err != nil {
			return err
		}
		return errors.Join(write(s, perProcess), s.Close())
	}
	return fmt.Errorf("no task %q", task)
}

func write(s *Store, from int) error {
	for i := range perProcess {
		err := s.InTx(context.Background(), func(tx store.Tx) error { return tx.CreateBrand(context.Background(), newBrand(from+i)) })
		if err != nil {
			return err
		}
	}
	return nil
}

func second(t *testing.T, path, task string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childFile+"="+path, childTask+"="+task)
	return cmd
}

func TestTwoProcessesWrite(t *testing.T) {
	s := openNew(t)
	cmd := second(t, s.path, "write")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := write(s, 0); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, output.String())
	}
	brands(t, s, 2*perProcess)
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mintage.db") // need not exist yet
	release, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	openAt(t, path) // takes no part in it

	link := filepath.Join(dir, "other.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link} {
		_, err := Lock(name)
		wantCode(t, err, mintage.CodeInUse)
		if message := mintage.ErrorMessage(err); !strings.Contains(message, name) || !strings.Contains(message, "Stop that process") {
			t.Errorf("the message does not say which file, or what to do: %s", message)
		}
	}
	for range 2 { // releasing twice is no error
		if err := release(); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Lock(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
	_, err = Lock(filepath.Join(dir, "missing", "x"))
	wantCode(t, err, mintage.CodeUnavailable)
}

func TestLockEndsWithItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mintage.db")
	cmd := second(t, path, "lock")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var line string
	if _, err := fmt.Fscanln(stdout, &line); err != nil || line != "locked" {
		t.Fatalf("the second process says %q, %v", line, err)
	}
	_, err = Lock(path)
	wantCode(t, err, mintage.CodeInUse)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	release, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherWriterIsWaitedFor(t *testing.T) {
	s := openNew(t)
	other, err := Open(t.Context(), s.path, Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	never := func(store.Tx) error { panic("ran beside another writer") }

	inTx(t, s, func(ctx context.Context, tx store.Tx) error {
		if err := tx.CreateBrand(ctx, newBrand(1)); err != nil {
			return err
		}
		brands(t, s, 0) // a reader waits for nobody, and sees what is committed
		brands(t, other, 0)
		if err := s.Ping(ctx); err != nil { // our own writer: busy, not broken
			t.Error(err)
		}
		wantCode(t, other.InTx(ctx, never), mintage.CodeUnavailable)
		wantCode(t, other.Ping(ctx), mintage.CodeUnavailable)
		for _, waiting := range []*Store{s, other} {
			short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			defer cancel()
			if err := waiting.InTx(short, never); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a wait did not end with its context: %v", err)
			}
		}
		return nil
	})
	brands(t, other, 1)
	if err := other.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	s := openNew(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.InTx(t.Context(), func(store.Tx) error { panic("ran") }), mintage.CodeUnavailable)
	wantCode(t, s.Read(t.Context(), func(store.Reader) error { panic("ran") }), mintage.CodeUnavailable)
	wantCode(t, s.Ping(t.Context()), mintage.CodeUnavailable)
}

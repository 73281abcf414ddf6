package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"mintage"
)

// Lock makes this process the one that serves or works on the file at path,
// until release or the end of the process, however it ends. Where another one is
// that, it fails with ALREADY_IN_USE. Short commands do without it.
//
// The lock is one of the operating system, on a file of its own, which stays:
// removing it would let two processes lock two files of the same name.
func Lock(path string) (release func() error, err error) {
	name, err := lockName(path)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the file that the operator names
	if err != nil {
		return nil, cannotOpen(name, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, unavailable("The file "+name+" cannot be locked; put the database on a local disk.", err)
		}
		return nil, mintage.Errorf(mintage.CodeInUse,
			"Another mintage process serves the database file %s. Stop that process first, or give this one a file of its own.", path).WithCause(err)
	}
	return sync.OnceValue(f.Close), nil // closing unlocks
}

// lockName follows links, so that two names of one file share a lock.
func lockName(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved + ".lock", nil
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path)) // the file is still to be created
	return filepath.Join(folder, filepath.Base(path)) + ".lock", err
}

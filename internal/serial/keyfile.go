package serial

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"mintage"
)

// keyFileLimit bounds what is read of a key file, in bytes; a key has 64 at most.
const keyFileLimit = 4096

// LoadMasterKey reads the master key from a file, and makes the file (mode 0600,
// in a directory that exists) with a new key if there is none: created tells. It
// appears under its name complete and on the disk, or not at all; processes that
// race to make it all return the one key that won.
//
// A file that group or others can read or write, or that holds no key, is
// refused with [mintage.CodeInvalidInput] and is not touched. What the operating
// system refuses is [mintage.CodeUnavailable].
func LoadMasterKey(path string) (key MasterKey, created bool, err error) {
	key, err = readKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	created, err = createKeyFile(path, NewMasterKey())
	if err != nil {
		return MasterKey{}, false, mintage.Errorf(mintage.CodeUnavailable,
			"The master key file %s cannot be made.", path).WithCause(err)
	}
	// Also the winner reads: what it uses from now on is what the next start will find.
	key, err = readKeyFile(path)
	return key, created && err == nil, err
}

func readKeyFile(path string) (MasterKey, error) {
	unreadable := func(err error) error {
		return mintage.Errorf(mintage.CodeUnavailable, "The master key file %s cannot be read.", path).WithCause(err)
	}
	file, err := os.Open(path)
	if err != nil {
		return MasterKey{}, unreadable(err)
	}
	defer file.Close()
	// Of the open file, not of the name, which could mean another file by now.
	info, err := file.Stat()
	if err != nil {
		return MasterKey{}, unreadable(err)
	}
	// Windows has no such bits: its files inherit the directory's access list.
	if mode := info.Mode().Perm(); mode&0o066 != 0 && runtime.GOOS != "windows" {
		return MasterKey{}, mintage.Errorf(mintage.CodeInvalidInput,
			"The master key file %s can be read or written by other users (mode %04o). Run: chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, keyFileLimit))
	if err != nil {
		return MasterKey{}, unreadable(err)
	}
	key, err := ParseMasterKey(string(text))
	if err != nil {
		return MasterKey{}, mintage.Errorf(mintage.CodeInvalidInput,
			"The master key file %s holds no key. %s", path, mintage.ErrorMessage(err))
	}
	return key, nil
}

// createKeyFile writes the key to a file beside path and links it to path, which
// succeeds for one process only: won is false if there was a file by then.
func createKeyFile(path string, key MasterKey) (won bool, err error) {
	directory := filepath.Dir(path)
	file, err := os.CreateTemp(directory, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return false, err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(key.Encode() + "\n")
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return false, err
	}
	err = os.Link(file.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	// The loser too: it must not use a key whose name a power cut could still take.
	return err == nil, syncDirectory(directory)
}

func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be opened for that there
	}
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

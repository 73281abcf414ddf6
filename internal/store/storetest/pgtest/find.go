//go:build unix

package pgtest

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// debianFolders are where Debian and its kin install each major version, out
// of the PATH.
const debianFolders = "/usr/lib/postgresql/*/bin"

var errNotInstalled = errors.New("this test needs PostgreSQL, and no server is installed: " +
	"run 'apt-get install postgresql' (it need not be running), or set " + EnvURL)

// findBinaries returns the folder of the installed server's programs. What is
// in the PATH comes first, so that a developer can choose the version.
func findBinaries(folders string) (string, error) {
	for _, name := range []string{"postgres", "initdb"} {
		if found, err := exec.LookPath(name); err == nil {
			// A link may stand in a folder without the other programs.
			if real, err := filepath.EvalSymlinks(found); err == nil {
				found = real
			}
			if dir := filepath.Dir(found); complete(dir) {
				return dir, nil
			}
		}
	}
	installed, err := filepath.Glob(folders)
	if err != nil {
		return "", err
	}
	slices.SortFunc(installed, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	for _, dir := range installed {
		if complete(dir) {
			return dir, nil
		}
	}
	// pg_config comes last: it belongs to the client library's development
	// files and may name a folder without a server.
	if out, err := exec.CommandContext(context.Background(), "pg_config", "--bindir").Output(); err == nil {
		if dir := strings.TrimSpace(string(out)); complete(dir) {
			return dir, nil
		}
	}
	return "", errNotInstalled
}

// complete reports whether a folder has every program that a server needs.
func complete(dir string) bool {
	for _, name := range []string{"postgres", "initdb", "pg_ctl"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

// version returns the major version in a path such as /usr/lib/postgresql/17/bin.
func version(dir string) float64 {
	v, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
	return v
}

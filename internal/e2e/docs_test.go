package e2e_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// docs/security.md says how each wall is tested; what it names is there.
func TestSecurityNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var code bytes.Buffer
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if matched, _ := filepath.Match("*_test.go", filepath.Base(path)); err != nil || !matched {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)`").FindAllSubmatch(page, -1)
	if len(named) < 40 {
		t.Fatalf("it names %d tests", len(named))
	}
	for _, m := range named {
		if !bytes.Contains(code.Bytes(), append(append([]byte("\nfunc "), m[1]...), '(')) {
			t.Errorf("it names %s, which does not exist", m[1])
		}
	}
}

package serial

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mintage"
)

func TestKeyFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	key, created, err := LoadMasterKey(path)
	if err != nil || !created {
		t.Fatalf("created: %v, %v", created, err)
	}
	again, created, err := LoadMasterKey(path)
	if err != nil || created || again.Encode() != key.Encode() {
		t.Fatalf("the second time: created %v, equal %v, %v", created, again.Encode() == key.Encode(), err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %04o, want 0600", mode)
	}
	onlyFile(t, path)
}

func TestKeyFileRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	const racers = 16
	keys, made := make([]MasterKey, racers), make([]bool, racers)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range racers {
		group.Go(func() {
			<-start
			var err error
			if keys[i], made[i], err = LoadMasterKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	group.Wait()
	if t.Failed() {
		return
	}
	winners := 0
	for i, key := range keys {
		if key.Encode() != keys[0].Encode() {
			t.Error("two racers have different keys")
		}
		if made[i] {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d racers say that they made the file", winners)
	}
	onlyFile(t, path)
}

// onlyFile checks that nothing else, such as a second key, was left beside path.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

func TestKeyFileModes(t *testing.T) {
	text := NewMasterKey().Encode()
	for mode, ok := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true,
		0o640: false, 0o620: false, 0o604: false, 0o602: false, 0o644: false, 0o440: false, 0o666: false,
	} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		key, created, err := LoadMasterKey(path)
		if created {
			t.Errorf("mode %04o: made", mode)
		}
		if ok {
			if err != nil || key.Encode() != text {
				t.Errorf("mode %04o: %v", mode, err)
			}
			continue
		}
		if mintage.ErrorCode(err) != mintage.CodeInvalidInput || !strings.Contains(mintage.ErrorMessage(err), "chmod 600 "+path) {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

func TestKeyFileWithoutAKeyIsKept(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "words": "not-a-key-at-all", "long": strings.Repeat("A", 10_000)} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, created, err := LoadMasterKey(path)
		if mintage.ErrorCode(err) != mintage.CodeInvalidInput || created || !strings.Contains(mintage.ErrorMessage(err), path) {
			t.Errorf("%s: created %v, %v", name, created, err)
		}
		if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error shows what the file holds", name)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != text {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
}

func TestKeyFileThatCannotBe(t *testing.T) {
	directory := t.TempDir()
	dangling := filepath.Join(directory, "dangling")
	if err := os.Symlink(filepath.Join(directory, "nowhere"), dangling); err != nil {
		t.Fatal(err)
	}
	private := filepath.Join(directory, "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"no directory":          filepath.Join(directory, "missing", "master.key"),
		"a directory":           private,
		"a link to nowhere":     dangling,
		"a file as a directory": filepath.Join(dangling, "master.key"),
	} {
		if _, created, err := LoadMasterKey(path); mintage.ErrorCode(err) != mintage.CodeUnavailable || created {
			t.Errorf("%s: created %v, %v", name, created, err)
		}
	}
}

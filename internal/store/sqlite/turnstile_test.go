package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

func TestTurnstile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	var turns [2]turnstile
	for i := range turns {
		var err error
		if turns[i], err = newTurnstile(path); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = turns[i].close() })
	}
	first, second := turns[0], turns[1]

	leave := first.enter(t.Context())
	if second.try() {
		t.Fatal("two are in the turnstile")
	}
	entered := make(chan func())
	go func() { entered <- second.enter(t.Context()) }()
	leave()
	leave = <-entered
	if first.try() {
		t.Error("the second had not its turn")
	}

	// Whoever stands there for ever holds nobody up for ever.
	began := time.Now()
	first.enter(t.Context())()
	if waited := time.Since(began); waited < turnWait {
		t.Errorf("gave up after %s", waited)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	first.enter(ended)()
	leave()
	if !first.try() {
		t.Error("the turnstile is not free again")
	}
}

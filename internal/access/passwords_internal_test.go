package access

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mintage"
)

func TestPasswords(t *testing.T) {
	h := newPasswords()
	ctx := t.Context()
	const password = "seven lanterns over Ghent"
	hash, err := h.hash(ctx, password)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.hash(ctx, password); err != nil || again == hash {
		t.Errorf("two hashes have the same salt: %v", err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "lantern") {
		t.Errorf("%s", hash)
	}
	for typed, want := range map[string]bool{
		password: true, password + " ": false, strings.ToUpper(password): false, "": false, strings.Repeat(password, 20): false,
	} {
		if ok, err := h.verify(ctx, hash, typed); ok != want || err != nil {
			t.Errorf("%.30q: %v, %v", typed, ok, err)
		}
		if ok, err := h.verify(ctx, "", typed); ok || err != nil {
			t.Errorf("without a hash, %.30q: %v, %v", typed, ok, err)
		}
	}
	// One person's é is two characters, the other's is one.
	accented, err := h.hash(ctx, "cafe\u0301 am Marktplatz")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.verify(ctx, accented, "caf\u00e9 am Marktplatz"); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// From the test vectors of the reference implementation (P-H-C/phc-winner-argon2).
func TestPasswordsOfTheReference(t *testing.T) {
	h := newPasswords()
	for _, hash := range []string{
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
	} {
		if ok, err := h.verify(t.Context(), hash, "password"); !ok || err != nil {
			t.Errorf("%s: %v, %v", hash, ok, err)
		}
	}
}

func TestDamagedHashes(t *testing.T) {
	const salt, tag = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, hash := range []string{
		"x", "$", "$argon2id$v=19$", "$argon2i$v=19$m=64,t=2,p=1$" + salt + "$" + tag, "$argon2id$v=16$m=64,t=2,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=64,t=2,p=1$" + salt, "$argon2id$v=19$m=64,t=2,p=1$" + salt + "$" + tag + "$", "$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=64,t=2,p=0$" + salt + "$" + tag, "$argon2id$v=19$m=4000000000,t=2,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=64,t=4000000000,p=1$" + salt + "$" + tag, "$argon2id$v=19$m=64,t=2,p=300$" + salt + "$" + tag,
		"$argon2id$v=19$m=64,t=2,p=1,x=1$" + salt + "$" + tag, "$argon2id$v=19$ m=64,t=2,p=1$" + salt + "$" + tag,
		"$argon2id$v=19$m=64,t=2,p=1$$" + tag, "$argon2id$v=19$m=64,t=2,p=1$" + salt + "$AAAA", "$argon2id$v=19$m=64,t=2,p=1$" + salt + "!$" + tag,
	} {
		if ok, err := newPasswords().verify(t.Context(), hash, "password"); ok || mintage.ErrorCode(err) != mintage.CodeInternal {
			t.Errorf("%s: %v, %v", hash, ok, err)
		}
	}
}

// At most so many hashes at once; whoever waits too long, or leaves, gets none.
func TestPasswordsWaitTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPasswords()
		for range hashesAtOnce {
			h.slots <- struct{}{}
		}
		begin := time.Now()
		if _, err := h.verify(t.Context(), "", "x"); mintage.ErrorCode(err) != mintage.CodeTooMany || time.Since(begin) != hashPatience {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.verify(ctx, "", "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := h.verify(t.Context(), "", "x")
			done <- err
		}()
		synctest.Wait()
		<-h.slots
		if err := <-done; err != nil {
			t.Error(err)
		}
		if len(h.slots) != hashesAtOnce-1 {
			t.Errorf("%d turns are taken", len(h.slots))
		}
	})
}

func TestCheckPassword(t *testing.T) {
	u := &mintage.User{Name: "Annabel Schuhmann", Email: "a.schuhmann@kranichwerke.example"}
	for _, good := range []string{
		"seven lanterns over Ghent", "correct horse battery staple", "zwölf Boxkämpfer jagen Eva", "mWq4-Zr9k-Lp2x-7dTv", "ありがとうございます猫と犬と鳥", "my password is a poem by Rilke",
	} {
		if err := checkPassword(good, u); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "short", "fourteen chars", strings.Repeat("seven lanterns ", 20), "seven lanterns \xff over",
		"aaaaaaaaaaaaaaa", "abababababababab", "passwordpassword", "Password12345678", "changemechangeme1", "123456789012345", "qwertyuiopasdfghjkl",
		"QWERTZUIOP123456", "1qaz2wsx3edc4rfv", "abcdefghijklmnop", "mintagemintage2027", "Schuhmann-Annabel-1", "a.schuhmann@kranichwerke.example",
		"kranichwerke2027!!", "administrator-admin", "secret password 123", strings.Repeat("ab cd ef gh ij kl mn op qr ", 9),
	} {
		err := checkPassword(bad, u)
		if mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%q: %v", bad, err)
		}
		if bad != "" && strings.Contains(mintage.ErrorMessage(err), bad) {
			t.Errorf("%q is echoed", bad)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	h := newPasswords()
	for b.Loop() {
		if _, err := h.verify(b.Context(), "", "seven lanterns over Ghent"); err != nil {
			b.Fatal(err)
		}
	}
}

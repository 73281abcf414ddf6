package access_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store/storetest"
)

// key makes a key that must be made.
func (w *world) key(p mintage.Principal, role mintage.Role, expires time.Time) (*mintage.APIKey, string) {
	w.t.Helper()
	k, text, err := w.CreateKey(w.t.Context(), p, role, "press "+string(role), expires)
	if err != nil {
		w.t.Fatal(err)
	}
	return k, text
}

// accepts reports whether a key is accepted, and wants UNAUTHORIZED otherwise.
func (w *world) accepts(text string) bool {
	w.t.Helper()
	p, err := w.Authenticate(w.t.Context(), text, origin)
	if err != nil && (mintage.ErrorCode(err) != mintage.CodeUnauthorized || p != (mintage.Principal{})) {
		w.t.Fatalf("%+v, %v", p, err)
	}
	return err == nil
}

// stored is a key as it is listed.
func (w *world) stored(p mintage.Principal, id string) *mintage.APIKey {
	w.t.Helper()
	keys, err := w.Keys(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range keys {
		if k.ID == id {
			return k
		}
	}
	w.t.Fatalf("the key %s is not listed", id)
	return nil
}

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, forever := w.key(w.p, mintage.RoleOperator, time.Time{})
		_, brief := w.key(w.p, mintage.RoleViewer, w.clock.Now().Add(time.Hour))
		if forever == brief || !strings.HasPrefix(forever, "mk_") {
			t.Fatalf("the keys begin with %.6s and %.6s", forever, brief)
		}
		for text, role := range map[string]mintage.Role{forever: mintage.RoleOperator, brief: mintage.RoleViewer} {
			p, err := w.Authenticate(t.Context(), text, origin)
			want := mintage.Principal{BrandNumber: w.mine.Number, Role: role, Actor: "key:" + text[3:15], Origin: origin}
			if err != nil || p != want {
				t.Errorf("%s key: %+v, %v", role, p, err)
			}
		}

		w.clock.Advance(time.Hour)
		first := forever[:len(forever)-1]
		last := "0"
		if strings.HasSuffix(forever, "0") {
			last = "1"
		}
		refusals := map[string]bool{}
		for name, text := range map[string]string{
			"expired": brief, "wrong secret": first + last, "too short": first, "too long": forever + "0", "empty": "",
			"unknown": "mk_" + strings.Repeat("0", 64), "upper case": strings.ToUpper(forever), "another secret": forever[:15] + brief[15:],
			"NUL": first + "\x00", "quotes": "mk_' OR ''='" + strings.Repeat("0", 55),
		} {
			p, err := w.Authenticate(t.Context(), text, origin)
			if mintage.ErrorCode(err) != mintage.CodeUnauthorized || p != (mintage.Principal{}) {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
			refusals[mintage.ErrorMessage(err)] = true
		}
		if len(refusals) != 1 {
			t.Errorf("the refusals differ: %v", refusals)
		}
		if !w.accepts(forever) {
			t.Error("a key without an end has ended")
		}
		if dump := storetest.Snapshot(t, w.db); strings.Contains(dump, forever[15:]) {
			t.Error("a secret is stored as it is")
		}
	})
}

func TestCreateKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k, _ := w.key(w.p, mintage.RoleAdmin, time.Time{})
		w.wantEvents(w.mine, 0, mintage.Event{Kind: mintage.EventKeyCreated, SubjectID: k.ID, To: "admin", Actor: "key:test"})
		if got := w.stored(w.p, k.ID); got.Label != "press admin" || got.Role != mintage.RoleAdmin || !got.LastUsedAt.IsZero() {
			t.Errorf("%+v", got)
		}
		w.allRefused(func(refused refusal) {
			for name, c := range map[string]struct {
				as      mintage.Role
				role    mintage.Role
				label   string
				expires time.Time
				code    mintage.Code
			}{
				"no such role":           {mintage.RoleOwner, "root", "", time.Time{}, mintage.CodeInvalidInput},
				"no role":                {mintage.RoleOwner, "", "", time.Time{}, mintage.CodeInvalidInput},
				"a long label":           {mintage.RoleOwner, mintage.RoleViewer, strings.Repeat("l", 101), time.Time{}, mintage.CodeInvalidInput},
				"a label of two lines":   {mintage.RoleOwner, mintage.RoleViewer, "a\nb", time.Time{}, mintage.CodeInvalidInput},
				"expired":                {mintage.RoleOwner, mintage.RoleViewer, "", w.clock.Now(), mintage.CodeInvalidInput},
				"an admin's by an admin": {mintage.RoleAdmin, mintage.RoleAdmin, "", time.Time{}, mintage.CodeForbidden},
				"an owner's by an admin": {mintage.RoleAdmin, mintage.RoleOwner, "", time.Time{}, mintage.CodeForbidden},
				"by an operator":         {mintage.RoleOperator, mintage.RoleViewer, "", time.Time{}, mintage.CodeForbidden},
				"by a viewer":            {mintage.RoleViewer, mintage.RoleViewer, "", time.Time{}, mintage.CodeForbidden},
				"by nobody":              {"", mintage.RoleViewer, "", time.Time{}, mintage.CodeForbidden},
			} {
				refused(c.code, name, func(ctx context.Context) error {
					_, text, err := w.CreateKey(ctx, as(w.p, c.as), c.role, c.label, c.expires)
					if text != "" {
						t.Errorf("%s: got a key", name)
					}
					return err
				})
			}
		})
		for _, role := range []mintage.Role{mintage.RoleOperator, mintage.RoleViewer} {
			w.key(as(w.p, mintage.RoleAdmin), role, time.Time{})
		}
	})
}

func TestKeysOfAnotherBrandDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k, text := w.key(w.p, mintage.RoleViewer, time.Time{})
		if keys, err := w.Keys(t.Context(), w.foreign); err != nil || len(keys) != 0 {
			t.Errorf("%v, %v", keys, err)
		}
		said := map[string]bool{}
		w.allRefused(func(refused refusal) {
			for _, id := range []string{k.ID, strings.Repeat("0", 12), "", "nothing", strings.Repeat("\x00", 12), "' OR ''='0'x"} {
				refused(mintage.CodeNotFound, "rotate "+id, func(ctx context.Context) error {
					_, _, err := w.RotateKey(ctx, w.foreign, id, 0)
					said[mintage.ErrorMessage(err)] = true
					return err
				})
				refused(mintage.CodeNotFound, "revoke "+id, func(ctx context.Context) error {
					err := w.RevokeKey(ctx, w.foreign, id)
					said[mintage.ErrorMessage(err)] = true
					return err
				})
			}
		})
		if len(said) != 1 {
			t.Errorf("the answers differ: %v", said)
		}
		if !w.accepts(text) {
			t.Error("the key is gone")
		}
	})
}

func TestRotateKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		old, oldText := w.key(w.p, mintage.RoleOperator, w.clock.Now().Add(30*24*time.Hour))
		w.clock.Advance(10 * 24 * time.Hour)
		since := len(w.events(w.mine))
		k, text, err := w.RotateKey(t.Context(), w.p, old.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventKeyRotated, SubjectID: old.ID, To: k.ID, Actor: "key:test"})
		if k.Role != old.Role || k.Label != old.Label || !k.ExpiresAt.Equal(w.clock.Now().Add(30*24*time.Hour)) {
			t.Errorf("%+v", k)
		}
		w.clock.Advance(time.Hour - time.Microsecond)
		if !w.accepts(oldText) || !w.accepts(text) {
			t.Error("within the overlap one of the keys is refused")
		}
		w.clock.Advance(time.Microsecond)
		if w.accepts(oldText) || !w.accepts(text) {
			t.Error("after the overlap the old key is accepted, or the new one is not")
		}
		w.refused(mintage.CodeConflict, "rotate an expired key", func(ctx context.Context) error {
			_, _, err := w.RotateKey(ctx, w.p, old.ID, 0)
			return err
		})
		for _, overlap := range []time.Duration{-1, access.MaxOverlap + 1} {
			w.refused(mintage.CodeInvalidInput, "an overlap out of bounds", func(ctx context.Context) error {
				_, _, err := w.RotateKey(ctx, w.p, k.ID, overlap)
				return err
			})
		}

		// No overlap can lengthen a key's life, and none at all ends it at once.
		short, _ := w.key(w.p, mintage.RoleViewer, w.clock.Now().Add(time.Minute))
		if _, _, err := w.RotateKey(t.Context(), w.p, short.ID, time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := w.stored(w.p, short.ID); !got.ExpiresAt.Equal(short.ExpiresAt) {
			t.Errorf("the old key ends at %s, not %s", got.ExpiresAt, short.ExpiresAt)
		}
		endless, endlessText := w.key(w.p, mintage.RoleViewer, time.Time{})
		next, _, err := w.RotateKey(t.Context(), w.p, endless.ID, 0)
		if err != nil || w.accepts(endlessText) || !next.ExpiresAt.IsZero() {
			t.Errorf("%+v, %v", next, err)
		}
	})
}

func TestRevokeKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k, text := w.key(w.p, mintage.RoleOperator, time.Time{})
		boss, _ := w.key(w.p, mintage.RoleAdmin, time.Time{})
		admin := as(w.p, mintage.RoleAdmin)
		w.refused(mintage.CodeForbidden, "an admin's key by an admin", func(ctx context.Context) error { return w.RevokeKey(ctx, admin, boss.ID) })
		w.refused(mintage.CodeForbidden, "by an operator", func(ctx context.Context) error { return w.RevokeKey(ctx, as(w.p, mintage.RoleOperator), k.ID) })
		since := len(w.events(w.mine))
		for range 2 { // the second one changes nothing
			if err := w.RevokeKey(t.Context(), admin, k.ID); err != nil {
				t.Fatal(err)
			}
			w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventKeyRevoked, SubjectID: k.ID, Actor: "key:test"})
			if w.accepts(text) {
				t.Error("a revoked key is accepted")
			}
		}
		w.refused(mintage.CodeConflict, "rotate a revoked key", func(ctx context.Context) error {
			_, _, err := w.RotateKey(ctx, w.p, k.ID, time.Hour)
			return err
		})
	})
}

// However rotations and a revocation race, the key is revoked in the end.
func TestNoRotationUndoesARevocation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 5 {
			k, text := w.key(w.p, mintage.RoleOperator, time.Time{})
			done := make(chan error, 5)
			for i := range cap(done) {
				go func() {
					if i == 2 {
						done <- w.RevokeKey(t.Context(), w.p, k.ID)
						return
					}
					_, _, err := w.RotateKey(t.Context(), w.p, k.ID, time.Hour)
					if mintage.ErrorCode(err) == mintage.CodeConflict {
						err = nil // revoked already
					}
					done <- err
				}()
			}
			for range cap(done) {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			if w.accepts(text) {
				t.Fatal("the key is valid again")
			}
		}
	})
}

func TestLastUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k, text := w.key(w.p, mintage.RoleViewer, time.Time{})
		lastUse := func() time.Time {
			w.Wait()
			return w.stored(w.p, k.ID).LastUsedAt
		}
		begin := w.clock.Now()
		for range 3 {
			w.accepts(text)
		}
		if got := lastUse(); !got.Equal(begin) {
			t.Fatalf("used at %s, not %s", got, begin)
		}
		w.clock.Advance(time.Minute - time.Microsecond)
		w.accepts(text)
		if got := lastUse(); !got.Equal(begin) {
			t.Errorf("stored again within the minute: %s", got)
		}
		w.clock.Advance(time.Microsecond)
		w.accepts(text)
		if got := lastUse(); !got.Equal(w.clock.Now()) {
			t.Errorf("used at %s, not %s", got, w.clock.Now())
		}
		// Closing waits for what is on its way, and takes nothing more.
		w.clock.Advance(time.Hour)
		w.accepts(text)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := w.stored(w.p, k.ID).LastUsedAt; !got.Equal(w.clock.Now()) {
			t.Errorf("after Close the last use is %s", got)
		}
	})
}

func TestKeysCarryTheBrandsRestriction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.NewBrand(func(b *mintage.Brand) { b.AdminsSubmit = true })
		_, text := w.key(owner(b), mintage.RoleOperator, time.Time{})
		p, err := w.Authenticate(t.Context(), text, origin)
		if err != nil || !p.AdminsSubmit {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.joined(w.p, "Eva@acme.example", mintage.RoleViewer)
		accept(w, w.foreign, u, mintage.RoleOwner)
		mine, your := len(w.events(w.mine)), len(w.events(w.your))
		got, err := w.signIn("eva@ACME.example", goodPassword, "192.0.2.1")
		if err != nil || got.ID != u.ID {
			t.Fatalf("%+v, %v", got, err)
		}
		// The session opens both brands, so that both are told.
		w.wantEvents(w.mine, mine, mintage.Event{Kind: mintage.EventSignedIn, SubjectID: u.ID, Actor: "user:" + u.ID})
		w.wantEvents(w.your, your, mintage.Event{Kind: mintage.EventSignedIn, SubjectID: u.ID, Actor: "user:" + u.ID})
		for name, b := range map[string]*mintage.Brand{"viewer": w.mine, "owner": w.your} {
			if p := must(w.PrincipalOf(t.Context(), u.ID, strings.ToUpper(b.ID), origin)); string(p.Role) != name || p.BrandNumber != b.Number {
				t.Errorf("%+v", p)
			}
		}
		if list := must(w.Memberships(t.Context(), u.ID)); len(list) != 2 || list[0].BrandID != w.mine.ID || list[1].BrandName != w.your.Name {
			t.Errorf("%+v", list)
		}
		if got := must(w.User(t.Context(), u.ID)); got.Email != "Eva@acme.example" || !strings.HasPrefix(got.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("%+v", got)
		}
		for _, id := range []string{storetest.NewID(), "", "x", u.ID + "\x00"} {
			if _, err := w.User(t.Context(), id); mintage.ErrorCode(err) != mintage.CodeNotFound {
				t.Errorf("%q: %v", id, err)
			}
		}
	})
}

// accept makes a user a member of a further brand.
func accept(w *world, p mintage.Principal, u *mintage.User, role mintage.Role) {
	w.t.Helper()
	secret := w.invite(p, u.Email, role)
	if _, err := w.UseLink(w.in("accepting", u), secret, origin); err != nil {
		w.t.Fatal(err)
	}
}

// strangers are sign-ins that are refused, for one reason each.
func strangers(w *world) map[string][2]string {
	w.joined(w.p, "eva@acme.example", mintage.RoleViewer)
	w.invite(w.p, "invited@acme.example", mintage.RoleViewer)
	return map[string][2]string{
		"wrong password": {"eva@acme.example", goodPassword + "!"},
		"unknown":        {"nobody@acme.example", goodPassword},
		"no password":    {"invited@acme.example", ""},
		"none yet":       {"invited@acme.example", goodPassword},
		"empty password": {"eva@acme.example", ""},
		"long password":  {"eva@acme.example", strings.Repeat(goodPassword, 1000)},
		"no address":     {"eva", goodPassword},
		"NUL":            {"eva@acme.example\x00", goodPassword},
		"nothing":        {"", ""},
	}
}

func TestSignInRefusesInTheSameWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		said := map[string]bool{}
		for name, s := range strangers(w) {
			u, err := w.signIn(s[0], s[1], "192.0.2.1")
			if u != nil || mintage.ErrorCode(err) != mintage.CodeUnauthorized {
				t.Errorf("%s: %+v, %v", name, u, err)
			}
			said[mintage.ErrorMessage(err)] = true
		}
		if len(said) != 1 {
			t.Errorf("the refusals differ: %v", said)
		}
	})
}

// Every refusal costs one hash: while no hash can be computed, none is answered.
func TestSignInTakesAsLongForAnybody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cases := strangers(w)
		release := w.HoldPasswords()
		defer release()
		waiting, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		done := make(chan error, len(cases))
		for _, s := range cases {
			go func() {
				_, err := w.SignIn(waiting, s[0], s[1], origin, netip.MustParseAddr("192.0.2.1"))
				done <- err
			}()
		}
		for range cases {
			if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("answered without a hash: %v", err)
			}
		}
	})
}

func TestRefusedSignInsOfAMemberLeaveFewEvents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.joined(w.p, "eva@acme.example", mintage.RoleViewer)
		accept(w, w.foreign, u, mintage.RoleViewer)
		mine, your := len(w.events(w.mine)), len(w.events(w.your))
		for range 3 {
			_, _ = w.signIn("EVA@acme.example", "a guess", "192.0.2.1")
			_, _ = w.signIn("nobody@acme.example", "a guess", "192.0.2.1")
		}
		refusal := mintage.Event{Kind: mintage.EventSignInRefused, SubjectID: u.ID, Actor: "unknown"}
		w.wantEvents(w.mine, mine, refusal)
		w.wantEvents(w.your, your, refusal)
		w.clock.Advance(time.Minute)
		_, _ = w.signIn("eva@acme.example", "a guess", "192.0.2.1")
		w.wantEvents(w.mine, mine+1, refusal)
	})
}

func TestSignInIsThrottled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.joined(w.p, "eva@acme.example", mintage.RoleViewer)
		for _, email := range []string{"eva@acme.example", "nobody@acme.example"} { // known or not, it is the same
			for range 10 {
				if _, err := w.signIn(email, "a guess", "192.0.2.1"); mintage.ErrorCode(err) != mintage.CodeUnauthorized {
					t.Fatal(err)
				}
			}
			for _, address := range []string{"192.0.2.1", "2001:db8::1"} {
				if _, err := w.signIn(strings.ToUpper(email), goodPassword, address); mintage.ErrorCode(err) != mintage.CodeTooMany {
					t.Errorf("%s from %s: %v", email, address, err)
				}
			}
		}
		w.clock.Advance(5 * time.Minute)
		for range 20 { // what succeeds does not count
			if _, err := w.signIn("eva@acme.example", goodPassword, "192.0.2.1"); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = w.signIn("eva@acme.example", "a guess", "192.0.2.1")
		if _, err := w.signIn("eva@acme.example", goodPassword, "192.0.2.1"); mintage.ErrorCode(err) != mintage.CodeTooMany {
			t.Errorf("after the one failure that the time has earned: %v", err)
		}
	})
}

func TestSetPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const next = "nine ferries past Antwerp"
		u := w.joined(w.p, "eva@acme.example", mintage.RoleViewer)
		here := w.in("a", u)
		w.open("b", u.ID)
		other := w.joined(w.p, "max@acme.example", mintage.RoleViewer)
		w.open("other", other.ID)
		set := func(ctx context.Context, current, next string) error {
			_, err := w.SetPassword(ctx, u, current, next, origin)
			return err
		}
		w.refused(mintage.CodeInvalidInput, "a short password", func(context.Context) error { return set(here, goodPassword, "short") })
		for name, ctx := range map[string]context.Context{
			"no session": t.Context(), "one that there is not": access.WithSession(t.Context(), u.ID, "c"), "no token": access.WithSession(t.Context(), u.ID, ""),
			"another's": access.WithSession(t.Context(), other.ID, "other"), "another's for one's own": access.WithSession(t.Context(), u.ID, "other"),
		} {
			w.refused(mintage.CodeUnauthorized, name, func(context.Context) error { return set(ctx, goodPassword, next) })
		}
		since := len(w.events(w.mine))
		for _, wrong := range []string{"", "a guess", next} {
			if err := set(here, wrong, next); mintage.ErrorCode(err) != mintage.CodeForbidden {
				t.Errorf("with %q as the present password: %v", wrong, err)
			}
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventSignInRefused, SubjectID: u.ID, Actor: "unknown"})
		if !w.isOpen("a") {
			t.Error("a wrong password ended a session")
		}
		if err := set(here, goodPassword, next); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since+1, mintage.Event{Kind: mintage.EventPasswordChanged, SubjectID: u.ID, Actor: "user:" + u.ID})
		if w.isOpen("a") || w.isOpen("b") || !w.isOpen("other") {
			t.Error("the user's sessions go on, or another's have ended")
		}
		var err error
		if u, err = w.signIn(u.Email, next, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		// Guesses count as those at signing in do.
		here = w.in("a", u)
		for range 8 {
			_ = set(here, "a guess", next)
		}
		if err := set(here, next, goodPassword); mintage.ErrorCode(err) != mintage.CodeTooMany {
			t.Errorf("after ten guesses: %v", err)
		}
	})
}

func TestSetName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.joined(w.p, "eva@acme.example", mintage.RoleViewer)
		here := w.in("a", u)
		other := w.joined(w.p, "max@acme.example", mintage.RoleViewer)
		w.open("other", other.ID)
		set := func(ctx context.Context, name string) error { return w.SetName(ctx, u, name, origin) }
		for _, name := range []string{"", " Eva", "E\x00va", strings.Repeat("E", 101)} {
			w.refused(mintage.CodeInvalidInput, name, func(context.Context) error { return set(here, name) })
		}
		for name, ctx := range map[string]context.Context{
			"no session": t.Context(), "one that there is not": access.WithSession(t.Context(), u.ID, "c"), "another's": access.WithSession(t.Context(), other.ID, "other"),
		} {
			w.refused(mintage.CodeUnauthorized, name, func(context.Context) error { return set(ctx, "Eva Other") })
		}
		since := len(w.events(w.mine))
		for range 2 {
			if err := set(here, "Eva Other"); err != nil {
				t.Fatal(err)
			}
			var err error
			if u, err = w.User(t.Context(), u.ID); err != nil || u.Name != "Eva Other" {
				t.Fatalf("%+v, %v", u, err)
			}
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventNameChanged, SubjectID: u.ID, Actor: "user:" + u.ID})
		if _, err := w.signIn(u.Email, goodPassword, "192.0.2.1"); err != nil || !w.isOpen("a") {
			t.Errorf("the password or the session is gone: %v", err)
		}
	})
}

func TestSignOutEverywhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.joined(w.p, "eva@acme.example", mintage.RoleViewer)
		other := w.joined(w.p, "max@acme.example", mintage.RoleViewer)
		w.open("a", u.ID)
		w.open("b", u.ID)
		w.open("other", other.ID)
		w.open("nobody", "")
		for name, ctx := range map[string]context.Context{
			"no session": t.Context(), "another's": access.WithSession(t.Context(), other.ID, "other"), "nobody's": access.WithSession(t.Context(), u.ID, "nobody"),
		} {
			w.refused(mintage.CodeUnauthorized, name, func(context.Context) error { return w.SignOutEverywhere(ctx, u.ID, origin) })
		}
		since := len(w.events(w.mine))
		here := access.WithSession(t.Context(), u.ID, "a")
		if err := w.SignOutEverywhere(here, strings.ToUpper(u.ID), origin); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventSignedOut, SubjectID: u.ID, Actor: "user:" + u.ID})
		if w.isOpen("a") || w.isOpen("b") || !w.isOpen("other") || !w.isOpen("nobody") {
			t.Error("the user's sessions go on, or another's have ended")
		}
		w.refused(mintage.CodeUnauthorized, "the session that has ended", func(context.Context) error { return w.SignOutEverywhere(here, u.ID, origin) })
	})
}

func TestSignInIdentity(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const issuer = "https://idp.example"
		ctx := t.Context()
		invited := w.used(w.invite(w.p, "Eva@acme.example", mintage.RoleViewer))
		w.allRefused(func(refused refusal) {
			for name, c := range map[string]struct {
				email    string
				verified bool
			}{
				"not verified": {"eva@acme.example", false}, "unknown": {"max@acme.example", true},
				"no address": {"", true}, "a look-alike": {"еva@acme.example", true}, "NUL": {"eva@acme.example\x00", true},
			} {
				refused(mintage.CodeUnauthorized, name, func(ctx context.Context) error {
					_, err := w.SignInIdentity(ctx, issuer, "s1", c.email, c.verified, origin)
					return err
				})
			}
		})
		since := len(w.events(w.mine))
		signedIn := mintage.Event{Kind: mintage.EventSignedIn, SubjectID: invited.ID, Actor: "user:" + invited.ID}
		if u, err := w.SignInIdentity(ctx, issuer, "s1", "eva@ACME.example", true, origin); err != nil || u.ID != invited.ID {
			t.Fatalf("%+v, %v", u, err)
		}
		w.wantEvents(w.mine, since, signedIn)
		// From now on the subject decides, and no address.
		for _, email := range []string{"", "eva.new@acme.example"} {
			if u, err := w.SignInIdentity(ctx, issuer, "s1", email, false, origin); err != nil || u.ID != invited.ID {
				t.Errorf("%+v, %v", u, err)
			}
		}
		w.wantEvents(w.mine, since+1, signedIn, signedIn)
		// The address has passed to somebody else at the provider.
		w.refused(mintage.CodeConflict, "another subject", func(ctx context.Context) error {
			_, err := w.SignInIdentity(ctx, issuer, "s2", "eva@acme.example", true, origin)
			return err
		})
		// Another provider is fine, and takes the password away.
		w.setPassword(invited, "", goodPassword)
		w.open("before", invited.ID)
		if u, err := w.SignInIdentity(ctx, "https://other.example", "s2", "eva@acme.example", true, origin); err != nil || u.ID != invited.ID || u.PasswordHash != "" {
			t.Errorf("%+v, %v", u, err)
		}
		if w.isOpen("before") || must(w.User(ctx, invited.ID)).PasswordHash != "" {
			t.Error("the session or the password goes on")
		}
	})
}

// While a new password is on its way, be it that somebody sends its form slowly, the
// account changes: the new password does not get in.
func TestAPasswordComesTooLate(t *testing.T) {
	cases := map[string]struct {
		first   string // password
		current string
		happens func(ctx context.Context, tx store.Tx, u *mintage.User, token string) error
	}{
		"the password is taken away": {goodPassword, goodPassword, func(ctx context.Context, tx store.Tx, u *mintage.User, _ string) error {
			u.PasswordHash = ""
			return errors.Join(tx.UpdateUser(ctx, u), tx.DeleteSessions(ctx, u.ID))
		}},
		"all sessions are ended, and there is no password": {"", "", func(ctx context.Context, tx store.Tx, u *mintage.User, _ string) error {
			return tx.DeleteSessions(ctx, u.ID)
		}},
		"all sessions are ended": {goodPassword, goodPassword, func(ctx context.Context, tx store.Tx, u *mintage.User, _ string) error {
			return tx.DeleteSessions(ctx, u.ID)
		}},
		"this session is ended": {"", "", func(ctx context.Context, tx store.Tx, _ *mintage.User, token string) error {
			return tx.DeleteSession(ctx, access.Hash(token))
		}},
		"another browser was quicker": {"", "", func(ctx context.Context, tx store.Tx, u *mintage.User, _ string) error {
			u.PasswordHash = "another"
			return tx.UpdateUser(ctx, u)
		}},
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		m := &meanwhile{Store: db}
		w := newWorld(t, db, m)
		for name, c := range cases {
			u := w.used(w.invite(w.p, access.NewKeyID()+"@acme.example", mintage.RoleViewer))
			if c.first != "" {
				u = w.setPassword(u, "", c.first)
			}
			here := w.in(name, u)
			changed := *u
			m.happens = func() {
				w.must(db.InTx(t.Context(), func(tx store.Tx) error { return c.happens(t.Context(), tx, &changed, name) }))
			}
			_, err := w.SetPassword(here, u, c.current, "nine ferries past Antwerp", origin)
			m.happens = nil
			if code := mintage.ErrorCode(err); code != mintage.CodeConflict && code != mintage.CodeUnauthorized {
				t.Errorf("%s: %v", name, err)
			}
			if got := must(w.User(t.Context(), u.ID)).PasswordHash; got != changed.PasswordHash {
				t.Errorf("%s: the password is %q", name, got)
			}
		}
	})
}

// However a change of a password and its removal race, the removal wins.
func TestAPasswordThatWasTakenAwayStaysAway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			u := w.joined(w.p, fmt.Sprintf("eva-%d@acme.example", round), mintage.RoleViewer)
			here := w.in(fmt.Sprint("here-", round), u)
			done := make(chan error, 2)
			go func() {
				_, err := w.SetPassword(here, u, goodPassword, "nine ferries past Antwerp", origin)
				if code := mintage.ErrorCode(err); code == mintage.CodeConflict || code == mintage.CodeUnauthorized {
					err = nil
				}
				done <- err
			}()
			go func() {
				_, err := w.SignInIdentity(t.Context(), "https://idp.example", u.ID, u.Email, true, origin)
				done <- err
			}()
			for range cap(done) {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			if must(w.User(t.Context(), u.ID)).PasswordHash != "" {
				t.Fatal("the password is back")
			}
		}
	})
}

// meanwhile is a store on which something happens right before a brand's
// transaction begins.
type meanwhile struct {
	store.Store

	happens func()
}

func (m *meanwhile) For(brand int64) store.Transactions {
	return meanwhileIn{m.Store.For(brand), m}
}

type meanwhileIn struct {
	store.Transactions

	m *meanwhile
}

func (in meanwhileIn) InTx(ctx context.Context, fn func(store.Tx) error) error {
	if in.m.happens != nil {
		in.m.happens()
	}
	return in.Transactions.InTx(ctx, fn)
}

package access_test

import (
	"context"
	"errors"
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
	if _, err := w.UseLink(access.WithUser(w.t.Context(), u.ID), secret, origin); err != nil {
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
		w.open("a", u.ID)
		w.open("b", u.ID)
		other := w.joined(w.p, "max@acme.example", mintage.RoleViewer)
		w.open("other", other.ID)
		w.refused(mintage.CodeInvalidInput, "a short password", func(ctx context.Context) error {
			return w.SetPassword(ctx, u.ID, goodPassword, "short", origin)
		})
		since := len(w.events(w.mine))
		for _, wrong := range []string{"", "a guess", next} {
			if err := w.SetPassword(t.Context(), u.ID, wrong, next, origin); mintage.ErrorCode(err) != mintage.CodeUnauthorized {
				t.Errorf("with %q as the present password: %v", wrong, err)
			}
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventSignInRefused, SubjectID: u.ID, Actor: "unknown"})
		if !w.isOpen("a") {
			t.Error("a wrong password ended a session")
		}
		if err := w.SetPassword(t.Context(), u.ID, goodPassword, next, origin); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since+1, mintage.Event{Kind: mintage.EventPasswordChanged, SubjectID: u.ID, Actor: "user:" + u.ID})
		if w.isOpen("a") || w.isOpen("b") || !w.isOpen("other") {
			t.Error("the user's sessions go on, or another's have ended")
		}
		if _, err := w.signIn(u.Email, next, "192.0.2.1"); err != nil {
			t.Error(err)
		}
		// Guesses count as those at signing in do.
		for range 8 {
			_ = w.SetPassword(t.Context(), u.ID, "a guess", next, origin)
		}
		if err := w.SetPassword(t.Context(), u.ID, next, goodPassword, origin); mintage.ErrorCode(err) != mintage.CodeTooMany {
			t.Errorf("after ten guesses: %v", err)
		}
		w.refused(mintage.CodeNotFound, "nobody's", func(ctx context.Context) error {
			return w.SetPassword(ctx, storetest.NewID(), "", next, origin)
		})
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
		since := len(w.events(w.mine))
		if err := w.SignOutEverywhere(t.Context(), strings.ToUpper(u.ID), origin); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventSignedOut, SubjectID: u.ID, Actor: "user:" + u.ID})
		if w.isOpen("a") || w.isOpen("b") || !w.isOpen("other") || !w.isOpen("nobody") {
			t.Error("the user's sessions go on, or another's have ended")
		}
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
		if err := w.SetPassword(ctx, invited.ID, "", goodPassword, origin); err != nil {
			t.Fatal(err)
		}
		w.open("before", invited.ID)
		if u, err := w.SignInIdentity(ctx, "https://other.example", "s2", "eva@acme.example", true, origin); err != nil || u.ID != invited.ID || u.PasswordHash != "" {
			t.Errorf("%+v, %v", u, err)
		}
		if w.isOpen("before") || must(w.User(ctx, invited.ID)).PasswordHash != "" {
			t.Error("the session or the password goes on")
		}
	})
}

// While a new password is being hashed, the account loses its password, to an
// OpenID identity or to the operator: the change brings none back.
func TestAPasswordThatWasTakenAwayStaysAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		m := &meanwhile{Store: db}
		w := newWorld(t, db, m)
		u := w.joined(w.p, "eva@acme.example", mintage.RoleViewer)
		m.happens = func() {
			u := *u
			u.PasswordHash = ""
			if err := db.InTx(t.Context(), func(tx store.Tx) error { return tx.UpdateUser(t.Context(), &u) }); err != nil {
				t.Error(err)
			}
		}
		err := w.SetPassword(t.Context(), u.ID, goodPassword, "nine ferries past Antwerp", origin)
		if mintage.ErrorCode(err) != mintage.CodeConflict {
			t.Error(err)
		}
		if must(w.User(t.Context(), u.ID)).PasswordHash != "" {
			t.Error("the password is back")
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

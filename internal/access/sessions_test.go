package access_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store/storetest"
)

var _ scs.CtxStore = (*access.SessionStore)(nil)

func TestSessions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.used(w.invite(w.p, "eva@acme.example", mintage.RoleViewer))
		token := "a-token-that-nobody-guesses"
		w.open(token, u.ID)
		here := access.WithSession(t.Context(), u.ID, token)
		if err := w.Sessions().CommitCtx(here, token, []byte("data of "+token), w.clock.Now().Add(time.Hour)); err != nil { // replaces it
			t.Fatal(err)
		}
		if dump := storetest.Snapshot(t, w.db); strings.Contains(dump, token[2:]+" ") || strings.Count(dump, "data of") > 1 {
			t.Error("the token is stored as it is, or the session twice")
		}
		w.Wait() // for the sweep that this session has begun: while it lasts, no other begins
		w.clock.Advance(time.Hour - time.Microsecond)
		if !w.isOpen(token) {
			t.Error("the session has ended early")
		}
		w.clock.Advance(time.Microsecond)
		for _, token := range []string{token, "", "unknown", "\x00", strings.Repeat("x", 10_000)} {
			if w.isOpen(token) {
				t.Errorf("%.20q is a session", token)
			}
		}
		// The next session removes what has expired.
		w.open("next", u.ID)
		w.Wait()
		if rows := storetest.Dump(t, w.db)["sessions"]; len(rows) != 1 {
			t.Errorf("%d sessions are stored", len(rows))
		}
		if err := w.Sessions().DeleteCtx(t.Context(), "next"); err != nil || w.isOpen("next") {
			t.Errorf("a deleted session: %v", err)
		}
		if err := w.Sessions().DeleteCtx(t.Context(), "next"); err != nil {
			t.Error(err)
		}
	})
}

// What was ended is not brought back by a request that was under way, nor does one begin
// a session that became certain before who asks.
func TestEndedSessionsStayEnded(t *testing.T) {
	ends := map[string]func(w *world, u *mintage.User) error{
		"signed out everywhere": func(w *world, u *mintage.User) error {
			return w.SignOutEverywhere(w.in("another", u), u.ID, origin)
		},
		"another password": func(w *world, u *mintage.User) error {
			_, err := w.SetPassword(w.in("another", u), u, goodPassword, "nine ferries past Antwerp", origin)
			return err
		},
		"an identity is linked": func(w *world, u *mintage.User) error {
			_, err := w.SignInIdentity(w.t.Context(), "https://idp.example", u.ID, u.Email, true, origin)
			return err
		},
		"a link is used": func(w *world, u *mintage.User) error {
			_, err := w.UseLink(w.in("another", u), w.invite(w.foreign, u.Email, mintage.RoleViewer), origin)
			return err
		},
		"the operator's link is used": func(w *world, u *mintage.User) error {
			operator := w.p
			operator.Actor = "cli"
			_, err := w.UseLink(w.t.Context(), w.invite(operator, u.Email, mintage.RoleViewer), origin)
			return err
		},
	}
	each(t, func(t *testing.T, w *world) {
		for name, end := range ends {
			u := w.joined(w.p, access.NewKeyID()+"@acme.example", mintage.RoleViewer)
			stolen, nobodys := name, name+", nobody's"
			w.open(stolen, u.ID)
			w.open(nobodys, "")
			thief, err := w.signIn(u.Email, goodPassword, "192.0.2.1")
			if err != nil {
				t.Fatal(err)
			}
			if err := end(w, u); err != nil {
				t.Fatal(err)
			}
			commit := func(ctx context.Context, token string) error {
				return w.Sessions().CommitCtx(ctx, token, []byte("data of "+token), w.clock.Now().Add(time.Hour))
			}
			w.refused(mintage.CodeUnauthorized, "a request under way: "+name, func(ctx context.Context) error {
				return commit(access.WithSession(ctx, u.ID, stolen), stolen)
			})
			w.refused(mintage.CodeUnauthorized, "a sign-in under way: "+name, func(ctx context.Context) error {
				return commit(access.WithUser(access.WithSession(ctx, "", nobodys), thief), "new")
			})
			if w.isOpen(stolen) || w.isOpen("new") || !w.isOpen(nobodys) {
				t.Errorf("%s: the session is back, or another's has ended", name)
			}
			w.open(stolen, u.ID) // by who signs in now
		}
	})
}

// A sign-out and the request of the same session that was under way.
func TestASessionSignsOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.open("errand", "")
		if err := w.Sessions().DeleteCtx(t.Context(), "errand"); err != nil {
			t.Fatal(err)
		}
		w.refused(mintage.CodeUnauthorized, "a request under way", func(ctx context.Context) error {
			return w.Sessions().CommitCtx(access.WithSession(ctx, "", "errand"), "errand", []byte("data"), w.clock.Now().Add(time.Hour))
		})
	})
}

package access_test

import (
	"context"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/store/storetest"
)

func TestRemovalTakesEffectAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.joined(w.p, "max@acme.example", mintage.RoleViewer)
		since := len(w.events(w.mine))
		if err := w.RemoveMember(t.Context(), w.p, strings.ToUpper(u.ID)); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventMemberRemoved, SubjectID: u.ID, From: "viewer", Actor: w.p.Actor})
		if p, err := w.PrincipalOf(t.Context(), u.ID, w.mine.ID, origin); mintage.ErrorCode(err) != mintage.CodeNotFound || p != (mintage.Principal{}) {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestChangeMember(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		boss := w.joined(w.p, "boss@acme.example", mintage.RoleOwner)
		admin := w.joined(w.p, "admin@acme.example", mintage.RoleAdmin)
		viewer := w.joined(w.p, "viewer@acme.example", mintage.RoleViewer)
		since := len(w.events(w.mine))
		byAdmin := as(w.p, mintage.RoleAdmin)
		for range 2 { // the second one changes nothing
			if err := w.ChangeMember(t.Context(), byAdmin, viewer.ID, mintage.RoleOperator); err != nil {
				t.Fatal(err)
			}
			w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventMemberChanged, SubjectID: viewer.ID, From: "viewer", To: "operator", Actor: w.p.Actor})
		}
		if p := must(w.PrincipalOf(t.Context(), viewer.ID, w.mine.ID, origin)); p.Role != mintage.RoleOperator {
			t.Errorf("%+v", p)
		}
		w.allRefused(func(refused refusal) {
			for name, c := range map[string]struct {
				p    mintage.Principal
				user string
				role mintage.Role
				code mintage.Code
			}{
				"up to admin by an admin":    {byAdmin, viewer.ID, mintage.RoleAdmin, mintage.CodeForbidden},
				"an admin by an admin":       {byAdmin, admin.ID, mintage.RoleViewer, mintage.CodeForbidden},
				"an owner by an admin":       {byAdmin, boss.ID, mintage.RoleViewer, mintage.CodeForbidden},
				"by an operator":             {as(w.p, mintage.RoleOperator), viewer.ID, mintage.RoleViewer, mintage.CodeForbidden},
				"to no role":                 {w.p, viewer.ID, "root", mintage.CodeInvalidInput},
				"the last owner":             {w.p, boss.ID, mintage.RoleAdmin, mintage.CodeConflict},
				"nobody":                     {w.p, storetest.NewID(), mintage.RoleViewer, mintage.CodeNotFound},
				"nobody's ID":                {w.p, "x\x00", mintage.RoleViewer, mintage.CodeNotFound},
				"a member of another brand":  {w.foreign, viewer.ID, mintage.RoleViewer, mintage.CodeNotFound},
				"an owner in another brand":  {w.foreign, boss.ID, mintage.RoleViewer, mintage.CodeNotFound},
				"in a brand that is no more": {owner(&mintage.Brand{Number: 99}), viewer.ID, mintage.RoleViewer, mintage.CodeNotFound},
			} {
				refused(c.code, name, func(ctx context.Context) error { return w.ChangeMember(ctx, c.p, c.user, c.role) })
				if c.role == mintage.RoleViewer || c.role == mintage.RoleAdmin && c.code == mintage.CodeConflict {
					refused(c.code, "remove "+name, func(ctx context.Context) error { return w.RemoveMember(ctx, c.p, c.user) })
				}
			}
		})
		// Who was invited to be an owner is none yet.
		kept := w.invite(w.p, "next@acme.example", mintage.RoleOwner)
		w.refused(mintage.CodeConflict, "the last owner who has joined", func(ctx context.Context) error { return w.RemoveMember(ctx, w.p, boss.ID) })
		w.used(kept)
		w.must(w.ChangeMember(t.Context(), w.p, boss.ID, mintage.RoleAdmin))
		w.must(w.ChangeMember(t.Context(), w.p, boss.ID, mintage.RoleOwner))
		// With a second owner the first may go.
		if err := w.ChangeMember(t.Context(), w.p, admin.ID, mintage.RoleOwner); err != nil {
			t.Fatal(err)
		}
		if err := w.RemoveMember(t.Context(), w.p, boss.ID); err != nil {
			t.Error(err)
		}
	})
}

// Two owners remove each other at the same moment: one of them stays.
func TestALastOwnerStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 3 {
			a := w.used(w.invite(w.p, string(rune('a'+2*round))+"@acme.example", mintage.RoleOwner))
			b := w.used(w.invite(w.p, string(rune('b'+2*round))+"@acme.example", mintage.RoleOwner))
			done := make(chan error, 2)
			go func() { done <- w.RemoveMember(t.Context(), w.p, a.ID) }()
			go func() { done <- w.ChangeMember(t.Context(), w.p, b.ID, mintage.RoleViewer) }()
			for range 2 {
				if err := <-done; err != nil && mintage.ErrorCode(err) != mintage.CodeConflict {
					t.Error(err)
				}
			}
			owners := 0
			for _, m := range must(w.People(t.Context(), w.p)).Members {
				if m.Role == mintage.RoleOwner {
					owners++
				}
			}
			if owners < 1 {
				t.Fatalf("round %d: no owner is left", round)
			}
		}
	})
}

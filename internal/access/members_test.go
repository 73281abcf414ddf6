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

func TestInviteSomebodyNew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m, secret, err := w.Invite(t.Context(), w.p, "Eva@Acme.example", "Eva Muster", mintage.RoleOperator)
		if err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, 0,
			mintage.Event{Kind: mintage.EventMemberAdded, SubjectID: m.UserID, To: "operator", Actor: "key:test"},
			mintage.Event{Kind: mintage.EventMemberInvited, SubjectID: m.UserID, To: "operator", Actor: "key:test"})
		if got := w.member(w.mine, m.UserID); got == nil || *got != *m || got.Email != "Eva@Acme.example" || got.Role != mintage.RoleOperator || got.BrandID != w.mine.ID {
			t.Errorf("listed %+v, returned %+v", got, m)
		}
		if w.member(w.your, m.UserID) != nil {
			t.Error("a member of the other brand too")
		}
		if dump := storetest.Snapshot(t, w.db); strings.Contains(dump, secret[:20]) {
			t.Error("the secret is stored as it is")
		}

		since := len(w.events(w.mine))
		u, err := w.UseLink(t.Context(), secret, origin)
		if err != nil || u.ID != m.UserID {
			t.Fatalf("%+v, %v", u, err)
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventSignedIn, SubjectID: u.ID, Actor: "user:" + u.ID})
		w.refused(mintage.CodeUnauthorized, "a used link", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, secret, origin)
			return err
		})
		p, err := w.PrincipalOf(t.Context(), u.ID, w.mine.ID, origin)
		if want := (mintage.Principal{BrandNumber: w.mine.Number, Role: mintage.RoleOperator, Actor: "user:" + u.ID, Origin: origin}); err != nil || p != want {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestInviteRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.joined(w.p, "in@acme.example", mintage.RoleAdmin)
		w.allRefused(func(refused refusal) {
			for name, c := range map[string]struct {
				as          mintage.Role
				email, name string
				role        mintage.Role
				code        mintage.Code
			}{
				"no such role":        {mintage.RoleOwner, "a@acme.example", "A", "root", mintage.CodeInvalidInput},
				"no address":          {mintage.RoleOwner, "acme.example", "A", mintage.RoleViewer, mintage.CodeInvalidInput},
				"a look-alike":        {mintage.RoleOwner, "аnna@acme.example", "A", mintage.RoleViewer, mintage.CodeInvalidInput},
				"no name":             {mintage.RoleOwner, "a@acme.example", "", mintage.RoleViewer, mintage.CodeInvalidInput},
				"an admin by admin":   {mintage.RoleAdmin, "a@acme.example", "A", mintage.RoleAdmin, mintage.CodeForbidden},
				"an owner by admin":   {mintage.RoleAdmin, "a@acme.example", "A", mintage.RoleOwner, mintage.CodeForbidden},
				"by an operator":      {mintage.RoleOperator, "a@acme.example", "A", mintage.RoleViewer, mintage.CodeForbidden},
				"a member":            {mintage.RoleOwner, "IN@acme.example", "A", mintage.RoleAdmin, mintage.CodeConflict},
				"with another role":   {mintage.RoleOwner, "in@acme.example", "A", mintage.RoleViewer, mintage.CodeConflict},
				"an admin again":      {mintage.RoleAdmin, "in@acme.example", "A", mintage.RoleViewer, mintage.CodeForbidden},
				"a NUL":               {mintage.RoleOwner, "a\x00@acme.example", "A", mintage.RoleViewer, mintage.CodeInvalidInput},
				"a name of two lines": {mintage.RoleOwner, "a@acme.example", "A\nB", mintage.RoleViewer, mintage.CodeInvalidInput},
			} {
				refused(c.code, name, func(ctx context.Context) error {
					_, secret, err := w.Invite(ctx, as(w.p, c.as), c.email, c.name, c.role)
					if secret != "" {
						t.Errorf("%s: got a secret", name)
					}
					return err
				})
			}
		})
	})
}

func TestALostInvitationIsMadeAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.invite(w.p, "eva@acme.example", mintage.RoleViewer)
		w.clock.Advance(7 * 24 * time.Hour)
		w.refused(mintage.CodeUnauthorized, "an expired link", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, first, origin)
			return err
		})
		u := w.used(w.invite(w.p, "eva@acme.example", mintage.RoleViewer))
		if m := w.member(w.mine, u.ID); m == nil || m.Role != mintage.RoleViewer {
			t.Errorf("%+v", m)
		}
	})
}

func TestLinksThatAreNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		good := w.invite(w.p, "eva@acme.example", mintage.RoleViewer)
		bare := strings.Repeat("0", 52)
		w.allRefused(func(refused refusal) {
			for _, secret := range []string{
				"", "x", good + "x", good[:51], good[:52], strings.ToUpper(good), bare, bare + "-m-1-viewer", bare + "-m-99999-owner", bare + "-m--1-owner",
				bare + "-r-1-owner", strings.Replace(good, "viewer", "owner", 1), strings.Replace(good, "-m-", "-r-", 1), strings.Replace(good, "-m-", "-j-", 1),
				"\x00" + good, strings.Repeat("-", 60), bare + "-m-99999999999999999999-owner",
			} {
				refused(mintage.CodeUnauthorized, secret, func(ctx context.Context) error {
					_, err := w.UseLink(ctx, secret, origin)
					return err
				})
			}
		})
		w.used(good)
	})
}

// An admin keeps the link of somebody who is made an owner before using it.
func TestALinkDoesNotLeadToAHigherRole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m, secret, err := w.Invite(t.Context(), as(w.p, mintage.RoleAdmin), "eva@acme.example", "Eva", mintage.RoleOperator)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.ChangeMember(t.Context(), w.p, m.UserID, mintage.RoleOwner); err != nil {
			t.Fatal(err)
		}
		w.refused(mintage.CodeUnauthorized, "the operator's link", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, secret, origin)
			return err
		})
		w.used(w.invite(w.p, "eva@acme.example", mintage.RoleOwner))
	})
}

// An admin invites somebody who is in another brand: the link does not get the
// admin in, and makes a member of nobody but that person.
func TestInvitingAnAccountOfAnotherBrand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		victim := w.joined(w.foreign, "eva@acme.example", mintage.RoleOwner)
		m, secret, err := w.Invite(t.Context(), w.p, "eva@acme.example", "As typed", mintage.RoleViewer)
		if err != nil || m.Name != "As typed" || m.Role != mintage.RoleViewer {
			t.Fatalf("%+v, %v", m, err)
		}
		if w.member(w.mine, victim.ID) != nil {
			t.Error("a member without being asked")
		}
		stranger := w.joined(w.p, "attacker@acme.example", mintage.RoleAdmin)
		for name, signedIn := range map[string]string{"nobody": "", "the admin": stranger.ID} {
			w.refused(access.CodeSignInFirst, name, func(ctx context.Context) error {
				_, err := w.UseLink(access.WithUser(ctx, signedIn), secret, origin)
				return err
			})
		}
		w.open("elsewhere", victim.ID)
		since := len(w.events(w.mine))
		if _, err := w.UseLink(access.WithUser(t.Context(), victim.ID), secret, origin); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since,
			mintage.Event{Kind: mintage.EventMemberAdded, SubjectID: victim.ID, To: "viewer", Actor: "user:" + victim.ID},
			mintage.Event{Kind: mintage.EventSignedIn, SubjectID: victim.ID, Actor: "user:" + victim.ID})
		if w.isOpen("elsewhere") {
			t.Error("a session from before goes on into the new brand")
		}
		if got := w.member(w.mine, victim.ID); got == nil || got.Role != mintage.RoleViewer {
			t.Errorf("%+v", got)
		}
		if got := w.member(w.your, victim.ID); got == nil || got.Role != mintage.RoleOwner {
			t.Errorf("in the first brand: %+v", got)
		}
	})
}

// Somebody makes an account in another's name, before that person's own brand
// invites: no way leads from it into that brand.
func TestAnAccountMadeInAnothersName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		squatter := w.joined(w.foreign, "eva@acme.example", mintage.RoleViewer) // who has set a password
		w.open("squatter", squatter.ID)
		secret := w.invite(w.p, "eva@acme.example", mintage.RoleAdmin)
		w.refused(access.CodeSignInFirst, "the person", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, secret, origin)
			return err
		})
		// The person proves the address to an OpenID provider.
		u, err := w.SignInIdentity(t.Context(), "https://idp.example", "eva", "eva@acme.example", true, origin)
		if err != nil || u.ID != squatter.ID {
			t.Fatalf("%+v, %v", u, err)
		}
		if w.isOpen("squatter") {
			t.Error("the squatter's session goes on")
		}
		if _, err := w.signIn("eva@acme.example", goodPassword, "192.0.2.1"); mintage.ErrorCode(err) != mintage.CodeUnauthorized {
			t.Errorf("the squatter's password: %v", err)
		}
		if _, err := w.UseLink(access.WithUser(t.Context(), u.ID), secret, origin); err != nil {
			t.Error(err)
		}
		// Nor can the other brand's admin get in by inviting again.
		w.refused(mintage.CodeConflict, "invited again", func(ctx context.Context) error {
			_, _, err := w.Invite(ctx, w.foreign, "eva@acme.example", "Eva", mintage.RoleViewer)
			return err
		})
	})
}

// An unused link of the first brand is worth nothing once a second brand relies on
// the account.
func TestAnOldLinkDoesNotLeadIntoANewBrand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kept := w.invite(w.foreign, "eva@acme.example", mintage.RoleViewer)
		u := w.used(w.invite(w.foreign, "eva@acme.example", mintage.RoleViewer))
		secret := w.invite(w.p, "eva@acme.example", mintage.RoleAdmin)
		w.open("before", u.ID)
		if _, err := w.UseLink(access.WithUser(t.Context(), u.ID), secret, origin); err != nil {
			t.Fatal(err)
		}
		if w.isOpen("before") {
			t.Error("a session from before goes on into the new brand")
		}
		w.refused(access.CodeSignInFirst, "the kept link", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, kept, origin)
			return err
		})
	})
}

func TestTheOperatorLetsPeopleBackIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.joined(w.p, "eva@acme.example", mintage.RoleOwner)
		w.open("lost laptop", u.ID)
		operator := w.p
		operator.Actor = "cli"
		secret := w.invite(operator, "eva@acme.example", mintage.RoleOwner)
		if _, err := w.signIn("eva@acme.example", goodPassword, "192.0.2.1"); err != nil {
			t.Errorf("before the link is used: %v", err)
		}
		if got := w.used(secret); got.ID != u.ID || got.PasswordHash != "" {
			t.Errorf("%+v", got)
		}
		if w.isOpen("lost laptop") {
			t.Error("a session from before goes on")
		}
		if _, err := w.signIn("eva@acme.example", goodPassword, "192.0.2.1"); mintage.ErrorCode(err) != mintage.CodeUnauthorized {
			t.Errorf("the old password: %v", err)
		}
		// Also into another brand at once.
		operator.BrandNumber = w.your.Number
		w.used(w.invite(operator, "eva@acme.example", mintage.RoleAdmin))
		if m := w.member(w.your, u.ID); m == nil || m.Role != mintage.RoleAdmin {
			t.Errorf("%+v", m)
		}
	})
}

func TestRemovalTakesEffectAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		secret := w.invite(w.p, "eva@acme.example", mintage.RoleViewer)
		u := w.joined(w.p, "max@acme.example", mintage.RoleViewer)
		since := len(w.events(w.mine))
		if err := w.RemoveMember(t.Context(), w.p, strings.ToUpper(u.ID)); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventMemberRemoved, SubjectID: u.ID, From: "viewer", Actor: "key:test"})
		if p, err := w.PrincipalOf(t.Context(), u.ID, w.mine.ID, origin); mintage.ErrorCode(err) != mintage.CodeNotFound || p != (mintage.Principal{}) {
			t.Errorf("%+v, %v", p, err)
		}
		// An invitation ends with the membership that it was for.
		for _, m := range must(w.Members(t.Context(), w.p)) {
			if err := w.RemoveMember(t.Context(), w.p, m.UserID); err != nil {
				t.Fatal(err)
			}
		}
		w.refused(mintage.CodeUnauthorized, "the link of who was removed", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, secret, origin)
			return err
		})
	})
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
			w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventMemberChanged, SubjectID: viewer.ID, From: "viewer", To: "operator", Actor: "key:test"})
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
			for _, m := range must(w.Members(t.Context(), w.p)) {
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

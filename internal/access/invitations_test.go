package access_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store/storetest"
)

func TestInviteSomebodyNew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in, secret, err := w.Invite(t.Context(), w.p, "Eva@Acme.example", "Eva Muster", mintage.RoleOperator)
		if err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, 0, mintage.Event{Kind: mintage.EventMemberInvited, SubjectID: in.ID, To: "operator", Actor: w.p.Actor})
		people := must(w.People(t.Context(), w.p))
		if len(people.Members) != 0 || len(people.Invited) != 1 || !reflect.DeepEqual(people.Invited[0], in) {
			t.Errorf("listed %+v, returned %+v", people, in)
		}
		if in.Email != "Eva@Acme.example" || in.Name != "Eva Muster" || in.Role != mintage.RoleOperator || in.Inviter != w.p.Actor {
			t.Errorf("%+v", in)
		}
		if foreign := must(w.People(t.Context(), w.foreign)); len(foreign.Invited) != 0 {
			t.Error("invited to the other brand too")
		}
		if dump := storetest.Snapshot(t, w.db); strings.Contains(dump, secret[:20]) {
			t.Error("the secret is stored as it is")
		}

		since := len(w.events(w.mine))
		u, err := w.UseLink(t.Context(), secret, origin)
		if err != nil || u.Email != in.Email || u.Name != in.Name || u.PasswordHash != "" {
			t.Fatalf("%+v, %v", u, err)
		}
		w.wantEvents(w.mine, since,
			mintage.Event{Kind: mintage.EventMemberAdded, SubjectID: u.ID, To: "operator", Actor: "user:" + u.ID},
			mintage.Event{Kind: mintage.EventSignedIn, SubjectID: u.ID, Actor: "user:" + u.ID})
		if message := w.events(w.mine)[since].Message; !strings.Contains(message, in.ID) {
			t.Errorf("nothing says by which invitation: %q", message)
		}
		people = must(w.People(t.Context(), w.p))
		if m := w.member(w.mine, u.ID); m == nil || m.Role != mintage.RoleOperator || m.BrandID != w.mine.ID || len(people.Invited) != 0 {
			t.Errorf("%+v", people)
		}
		if w.member(w.your, u.ID) != nil {
			t.Error("a member of the other brand too")
		}
		w.noLink("a used link", secret)
		p, err := w.PrincipalOf(t.Context(), u.ID, w.mine.ID, origin)
		if want := (mintage.Principal{BrandNumber: w.mine.Number, Role: mintage.RoleOperator, Actor: "user:" + u.ID, Origin: origin}); err != nil || p != want {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// noLink expects that a link lets nobody in.
func (w *world) noLink(what, secret string) {
	w.t.Helper()
	w.refused(mintage.CodeUnauthorized, what, func(ctx context.Context) error {
		_, err := w.UseLink(ctx, secret, origin)
		return err
	})
}

// Whoever invites gets the same answer, and leaves the same, whether there is an
// account with the address or not.
func TestInvitingTellsNothingOfAccounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there := w.joined(w.foreign, "eva@acme.example", mintage.RoleOwner)
		for _, email := range []string{"eva@acme.example", "max@acme.example"} {
			before := storetest.Snapshot(t, w.db)
			in, secret, err := w.Invite(t.Context(), w.p, email, "As typed", mintage.RoleViewer)
			if err != nil || in.Email != email || in.Name != "As typed" || in.Role != mintage.RoleViewer || strings.Trim(secret, "0123456789abcdefghjkmnpqrstvwxyz") != "" || len(secret) != 52 {
				t.Fatalf("%+v, %v", in, err)
			}
			if in.ID == there.ID {
				t.Error("the account's ID is shown")
			}
			if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); strings.Contains(changes, there.ID) {
				t.Errorf("%s: the account's ID is written:\n%s", email, changes)
			}
		}
		people := must(w.People(t.Context(), w.p))
		if len(people.Members) != 0 || len(people.Invited) != 2 || people.Invited[0].Name != people.Invited[1].Name {
			t.Errorf("%+v", people)
		}
	})
}

func TestInviteRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.joined(w.p, "in@acme.example", mintage.RoleAdmin)
		w.invite(w.p, "invited@acme.example", mintage.RoleOwner)
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
				"an owner is invited": {mintage.RoleAdmin, "Invited@acme.example", "A", mintage.RoleViewer, mintage.CodeForbidden},
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
		first := w.invite(w.p, "eva@acme.example", mintage.RoleOwner)
		w.clock.Advance(7 * 24 * time.Hour)
		w.noLink("an expired link", first)
		if people := must(w.People(t.Context(), w.p)); len(people.Invited) != 0 {
			t.Errorf("who was invited too long ago is listed: %+v", people)
		}
		second := w.invite(as(w.p, mintage.RoleAdmin), "Eva@acme.example", mintage.RoleOperator)
		third := w.invite(w.p, "eva@ACME.example", mintage.RoleViewer)
		w.noLink("a link that another one replaces", second)
		u := w.used(third)
		if m := w.member(w.mine, u.ID); m == nil || m.Role != mintage.RoleViewer {
			t.Errorf("%+v", m)
		}
	})
}

func TestLinksThatAreNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		good := w.invite(w.p, "eva@acme.example", mintage.RoleViewer)
		w.allRefused(func(refused refusal) {
			for _, secret := range []string{
				"", "x", good + "x", good[:51], strings.ToUpper(good), strings.Repeat("0", 52), "\x00" + good[1:], good + "-r-1-owner", strings.Repeat("\xff", 52),
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

// A link is worth nothing once its maker could not make it any more, or the person's
// place in the brand has changed.
func TestInvitationsEnd(t *testing.T) {
	cases := map[string]struct {
		role  mintage.Role // that the link is for
		until func(w *world, maker *mintage.User)
		by    func(w *world, maker *mintage.User) mintage.Principal
	}{
		"the admin who made it is removed": {mintage.RoleOperator, func(w *world, maker *mintage.User) {
			w.must(w.RemoveMember(w.t.Context(), w.p, maker.ID))
		}, byMaker},
		"the admin who made it is demoted": {mintage.RoleOperator, func(w *world, maker *mintage.User) {
			w.must(w.ChangeMember(w.t.Context(), w.p, maker.ID, mintage.RoleOperator))
		}, byMaker},
		"the owner who made it for an admin is an admin": {mintage.RoleAdmin, func(w *world, maker *mintage.User) {
			w.must(w.ChangeMember(w.t.Context(), w.p, maker.ID, mintage.RoleAdmin))
		}, func(w *world, maker *mintage.User) mintage.Principal {
			w.must(w.ChangeMember(w.t.Context(), w.p, maker.ID, mintage.RoleOwner))
			return as(byMaker(w, maker), mintage.RoleOwner)
		}},
		"the key that made it is revoked": {mintage.RoleViewer, func(w *world, _ *mintage.User) {
			w.must(w.RevokeKey(w.t.Context(), w.p, strings.TrimPrefix(w.p.Actor, "key:")))
		}, byKey},
		"the key that made it has expired": {mintage.RoleViewer, func(w *world, _ *mintage.User) {
			_, _, err := w.RotateKey(w.t.Context(), w.p, strings.TrimPrefix(w.p.Actor, "key:"), 0)
			w.must(err)
		}, byKey},
		"it was another brand's key": {mintage.RoleViewer, func(*world, *mintage.User) {}, func(w *world, _ *mintage.User) mintage.Principal {
			p := w.p
			p.Actor = w.foreign.Actor
			return p
		}},
		"nobody knows who made it": {mintage.RoleViewer, func(*world, *mintage.User) {}, func(w *world, _ *mintage.User) mintage.Principal {
			p := w.p
			p.Actor = "worker:1"
			return p
		}},
		"it is taken back": {mintage.RoleViewer, func(w *world, maker *mintage.User) {
			for _, in := range must(w.People(w.t.Context(), w.p)).Invited {
				w.must(w.RemoveMember(w.t.Context(), byMaker(w, maker), strings.ToUpper(in.ID)))
			}
		}, byKey},
	}
	each(t, func(t *testing.T, w *world) {
		w.joined(w.foreign, "there@acme.example", mintage.RoleOwner)
		w.used(w.invite(w.p, "another-owner@acme.example", mintage.RoleOwner))
		for name, c := range cases {
			maker := w.used(w.invite(w.p, fmt.Sprintf("%s@acme.example", access.NewKeyID()), mintage.RoleAdmin))
			p := c.by(w, maker)
			secrets := []string{w.invite(p, "there@acme.example", c.role), w.invite(p, "new@acme.example", c.role)}
			c.until(w, maker)
			for _, secret := range secrets {
				w.noLink(name, secret)
			}
			w.newKey()
		}
	})
}

// byMaker is the admin as a principal, byKey the owner's key.
func byMaker(w *world, maker *mintage.User) mintage.Principal {
	p := as(w.p, mintage.RoleAdmin)
	p.Actor = "user:" + maker.ID
	return p
}

func byKey(w *world, _ *mintage.User) mintage.Principal { return w.p }

// While an invitation's maker is demoted, its link is used: not after.
func TestAnInvitationAndItsMaker(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		maker := w.joined(w.p, "admin@acme.example", mintage.RoleAdmin)
		for round := range 5 {
			secret := w.invite(byMaker(w, maker), fmt.Sprintf("eva-%d@acme.example", round), mintage.RoleViewer)
			done := make(chan error, 1)
			go func() { done <- w.ChangeMember(t.Context(), w.p, maker.ID, mintage.RoleViewer) }()
			u, err := w.UseLink(t.Context(), secret, origin)
			w.must(<-done)
			events := w.events(w.mine)
			joined := slices.IndexFunc(events, func(e *mintage.Event) bool {
				return e.Kind == mintage.EventMemberAdded && u != nil && e.SubjectID == u.ID
			})
			demoted := len(events) - 1
			for events[demoted].Kind != mintage.EventMemberChanged {
				demoted--
			}
			if mintage.ErrorCode(err) != mintage.CodeUnauthorized && (err != nil || joined < 0 || joined > demoted) {
				t.Errorf("round %d: %+v, %v, joined %d, demoted %d", round, u, err, joined, demoted)
			}
			w.must(w.ChangeMember(t.Context(), w.p, maker.ID, mintage.RoleAdmin))
		}
	})
}

// Whoever was removed does not come back through another link, one of the
// installation's operator included; nor does one lead to a role that was taken away.
func TestNoLinkUndoesAChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kept := w.invite(w.p, "eva@acme.example", mintage.RoleAdmin)
		u := w.used(w.invite(w.p, "eva@acme.example", mintage.RoleAdmin))
		operator := w.p
		operator.Actor = "cli"
		recovery := w.invite(operator, "eva@acme.example", mintage.RoleAdmin)
		w.must(w.ChangeMember(t.Context(), w.p, u.ID, mintage.RoleViewer))
		w.noLink("an operator's link from before the change", recovery)
		recovery = w.invite(operator, "eva@acme.example", mintage.RoleViewer)
		w.must(w.RemoveMember(t.Context(), w.p, u.ID))
		for _, secret := range []string{kept, recovery} {
			w.noLink("a link from before", secret)
			w.refused(mintage.CodeUnauthorized, "the same, signed in", func(ctx context.Context) error {
				_, err := w.UseLink(access.WithSession(ctx, u.ID, "setting a password"), secret, origin)
				return err
			})
		}
		if w.member(w.mine, u.ID) != nil {
			t.Error("a member again")
		}
	})
}

// An admin invites somebody who is in another brand: the link does not get the
// admin in, and makes a member of nobody but that person.
func TestInvitingAnAccountOfAnotherBrand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		victim := w.joined(w.foreign, "eva@acme.example", mintage.RoleOwner)
		secret := w.invite(w.p, "eva@acme.example", mintage.RoleViewer)
		if w.member(w.mine, victim.ID) != nil {
			t.Error("a member without being asked")
		}
		stranger := w.joined(w.p, "attacker@acme.example", mintage.RoleAdmin)
		w.open("the admin's", stranger.ID)
		for name, signedIn := range map[string]context.Context{
			"nobody": t.Context(), "the admin": access.WithSession(t.Context(), stranger.ID, "the admin's"),
			"the admin for the victim": access.WithSession(t.Context(), victim.ID, "the admin's"), "a session that has ended": access.WithSession(t.Context(), victim.ID, "gone"),
		} {
			w.refused(access.CodeSignInFirst, name, func(context.Context) error {
				_, err := w.UseLink(signedIn, secret, origin)
				return err
			})
		}
		w.open("elsewhere", victim.ID)
		here := w.in("here", victim)
		since := len(w.events(w.mine))
		if _, err := w.UseLink(here, secret, origin); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(w.mine, since,
			mintage.Event{Kind: mintage.EventMemberAdded, SubjectID: victim.ID, To: "viewer", Actor: "user:" + victim.ID},
			mintage.Event{Kind: mintage.EventSignedIn, SubjectID: victim.ID, Actor: "user:" + victim.ID})
		if w.isOpen("elsewhere") {
			t.Error("a session from before goes on into the new brand")
		}
		if got := w.member(w.mine, victim.ID); got == nil || got.Role != mintage.RoleViewer || got.Name != victim.Name {
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
		if _, err := w.UseLink(w.in("the person's", u), secret, origin); err != nil {
			t.Error(err)
		}
		// Nor can the other brand's admin get in by inviting again, after a removal either.
		w.refused(mintage.CodeConflict, "invited again", func(ctx context.Context) error {
			_, _, err := w.Invite(ctx, w.foreign, "eva@acme.example", "Eva", mintage.RoleViewer)
			return err
		})
		w.must(w.RemoveMember(t.Context(), w.foreign, u.ID))
		again := w.invite(w.foreign, "eva@acme.example", mintage.RoleViewer)
		w.refused(access.CodeSignInFirst, "the link of the brand that removed", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, again, origin)
			return err
		})
	})
}

// Two brands' links to an address that nobody has used are opened at once: one makes
// the account and signs in, and the other does not.
func TestTwoBrandsInviteOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			email := fmt.Sprintf("eva-%d@acme.example", round)
			if round > 2 { // the account is there, and untouched
				u := w.used(w.invite(w.p, email, mintage.RoleViewer))
				w.must(w.RemoveMember(t.Context(), w.p, u.ID))
			}
			done := make(chan error, 2)
			for _, secret := range []string{w.invite(w.p, email, mintage.RoleViewer), w.invite(w.foreign, email, mintage.RoleViewer)} {
				go func() {
					_, err := w.UseLink(t.Context(), secret, origin)
					done <- err
				}()
			}
			in := 0
			for range cap(done) {
				switch err := <-done; mintage.ErrorCode(err) {
				case "":
					in++
				case access.CodeSignInFirst, mintage.CodeRetry:
				default:
					t.Error(err)
				}
			}
			if in != 1 {
				t.Errorf("round %d: %d got in", round, in)
			}
		}
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

// An invitation is taken back by whoever might make it, and by nobody else.
func TestTakingAnInvitationBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in, _, err := w.Invite(t.Context(), w.p, "eva@acme.example", "Eva", mintage.RoleAdmin)
		w.must(err)
		for name, c := range map[string]struct {
			p    mintage.Principal
			code mintage.Code
		}{"an admin": {as(w.p, mintage.RoleAdmin), mintage.CodeForbidden}, "another brand": {w.foreign, mintage.CodeNotFound}} {
			w.refused(c.code, name, func(ctx context.Context) error { return w.RemoveMember(ctx, c.p, in.ID) })
		}
		w.refused(mintage.CodeNotFound, "changed", func(ctx context.Context) error { return w.ChangeMember(ctx, w.p, in.ID, mintage.RoleViewer) })
		since := len(w.events(w.mine))
		w.must(w.RemoveMember(t.Context(), w.p, in.ID))
		w.wantEvents(w.mine, since, mintage.Event{Kind: mintage.EventMemberRemoved, SubjectID: in.ID, From: "admin", Actor: w.p.Actor})
		if people := must(w.People(t.Context(), w.p)); len(people.Invited) != 0 {
			t.Errorf("%+v", people)
		}
	})
}

package postgres_test

import (
	"slices"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
)

// testModeOfPeople sends every statement about people, keys and seals once, with
// values that are hard to send; see testMode.
func testModeOfPeople(t *testing.T, s *postgres.Store, f *storetest.Fixture, brand *mintage.Brand) {
	t.Helper()
	ctx, now := t.Context(), f.Now()
	later := now.Add(time.Hour)
	user := &mintage.User{ID: storetest.NewID(), Email: `o'neil\"名@example.com`, Name: `\'`, CreatedAt: now}
	hash := []byte{0, '\'', '\\', 255}
	must(t, s.For(brand.Number).InTx(ctx, func(tx store.Tx) error {
		check(t, "HasUsers", false)(tx.HasUsers(ctx))
		must(t, tx.CreateUser(ctx, user))
		check(t, "UserByID", user)(tx.UserByID(ctx, user.ID))
		user.PasswordHash = "$argon2id$v=19$'"
		must(t, tx.UpdateUser(ctx, user))
		check(t, "UserByEmail", user)(tx.UserByEmail(ctx, `O'NEIL\"名@EXAMPLE.com`))
		wantCode(t, second(tx.UserByID(ctx, "'")), mintage.CodeNotFound)
		must(t, tx.LinkIdentity(ctx, user.ID, "https://i'", `s\`))
		check(t, "UserByIdentity", user)(tx.UserByIdentity(ctx, "https://i'", `s\`))
		check(t, "Identities", []string{"https://i'"})(tx.Identities(ctx, user.ID))
		check(t, "Identities", []string{})(tx.Identities(ctx, storetest.NewID()))

		m := &mintage.Member{
			BrandNumber: brand.Number, UserID: user.ID, Role: mintage.RoleAdmin, CreatedAt: now,
			Email: user.Email, Name: user.Name, BrandID: brand.ID, BrandName: brand.Name,
		}
		must(t, tx.PutMember(ctx, m))
		check(t, "Members", []*mintage.Member{m})(tx.Members(ctx, brand.Number))
		check(t, "LockMembers", []*mintage.Member{m})(tx.LockMembers(ctx, brand.Number))
		check(t, "Memberships", []*mintage.Member{m})(tx.Memberships(ctx, user.ID))
		must(t, tx.RemoveMember(ctx, brand.Number, user.ID))
		wantCode(t, tx.RemoveMember(ctx, brand.Number, user.ID), mintage.CodeNotFound)

		session := &mintage.Session{TokenHash: hash, UserID: user.ID, Data: hash, ExpiresAt: later}
		must(t, tx.CreateSession(ctx, &mintage.Session{TokenHash: hash, UserID: user.ID, Data: []byte{}, ExpiresAt: now}, 0))
		must(t, tx.UpdateSession(ctx, session))
		check(t, "Session", session)(tx.Session(ctx, hash, now))
		must(t, tx.DeleteSessions(ctx, user.ID))
		must(t, tx.DeleteSession(ctx, hash))
		wantCode(t, second(tx.Session(ctx, hash, now)), mintage.CodeNotFound)
		user.Generation = 1
		check(t, "LockUser", user)(tx.LockUser(ctx, user.ID))
		wantCode(t, tx.CreateSession(ctx, session, 0), mintage.CodeNotFound)
		must(t, tx.CreateSession(ctx, &mintage.Session{TokenHash: hash[1:], Data: hash, ExpiresAt: now}, 0))
		must(t, tx.CreateSetUpLink(ctx, &mintage.SetUpLink{Hash: hash, ExpiresAt: later}))
		must(t, tx.UseSetUpLink(ctx, hash, now))
		invitation := &mintage.Invitation{
			ID: storetest.NewID(), BrandNumber: brand.Number, Hash: hash, Email: user.Email, Name: `\'`, Role: mintage.RoleAdmin,
			Inviter: "cli", CreatedAt: now, ExpiresAt: later,
		}
		must(t, tx.CreateInvitation(ctx, invitation))
		check(t, "Invitation", invitation)(tx.Invitation(ctx, hash))
		check(t, "Invitations", []*mintage.Invitation{invitation})(tx.Invitations(ctx, brand.Number))
		must(t, tx.DeleteInvitation(ctx, brand.Number, invitation.ID))
		must(t, tx.DeleteInvitationTo(ctx, brand.Number, user.Email))
		must(t, tx.DeleteExpired(ctx, later))

		wantCode(t, second(tx.KeyCheck(ctx)), mintage.CodeNotFound)
		must(t, tx.SetKeyCheck(ctx, hash))
		check(t, "KeyCheck", hash)(tx.KeyCheck(ctx))
		keys, err := tx.APIKeys(ctx, brand.Number)
		must(t, err)
		keys[0].RevokedAt = now
		must(t, tx.UpdateAPIKey(ctx, keys[0]))
		must(t, tx.TouchAPIKey(ctx, brand.Number, keys[0].ID, later))
		keys[0].LastUsedAt = later
		check(t, "APIKey", keys[0])(tx.APIKey(ctx, keys[0].ID))
		return nil
	}))

	upTo, err := s.EventHorizon(ctx)
	must(t, err)
	must(t, s.InTx(ctx, func(tx store.Tx) error {
		check(t, "LockSeals", true)(tx.LockSeals(ctx))
		check(t, "UnsealedBrands", []int64{brand.Number})(tx.UnsealedBrands(ctx, upTo, 5))
		events, err := tx.EventsBetween(ctx, brand.Number, 0, upTo, 1000)
		must(t, err)
		if len(events) < 5 || events[len(events)-1].Number != upTo || !slices.IsSortedFunc(events, func(a, b *mintage.Event) int { return int(a.Number - b.Number) }) {
			t.Errorf("EventsBetween: %d up to %d", len(events), upTo)
		}
		seal := &mintage.Seal{BrandNumber: brand.Number, Number: 1, LastEvent: upTo, Digests: hash, Hash: hash, SealedAt: now}
		must(t, tx.AppendSeal(ctx, seal))
		wantCode(t, tx.AppendSeal(ctx, seal), mintage.CodeConflict)
		check(t, "LastSeal", seal)(tx.LastSeal(ctx, brand.Number))
		check(t, "Seals", []*mintage.Seal{seal})(tx.Seals(ctx, brand.Number, 0, 5))
		check(t, "UnsealedBrands", []int64{})(tx.UnsealedBrands(ctx, upTo, 5))
		return nil
	}))
	check(t, "Restricted", false)(s.Restricted(ctx))
}

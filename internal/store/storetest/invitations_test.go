package storetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func invitationBy(hash []byte) func(context.Context, store.Reader) (*mintage.Invitation, error) {
	return func(ctx context.Context, r store.Reader) (*mintage.Invitation, error) { return r.Invitation(ctx, hash) }
}

func invitationsOf(t testing.TB, s store.Store, b *mintage.Brand) []*mintage.Invitation {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) ([]*mintage.Invitation, error) {
		return r.Invitations(ctx, b.Number)
	})
}

func deleteInvitation(b *mintage.Brand, id string) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.DeleteInvitation(ctx, b.Number, id) }
}

func deleteInvitationTo(b *mintage.Brand, email string) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.DeleteInvitationTo(ctx, b.Number, email) }
}

func TestInvitation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		f.NewInvitation(f.NewBrand())
		want := f.NewInvitation(f.NewBrand(), func(i *mintage.Invitation) {
			i.Hash, i.Email, i.Name, i.Role, i.Inviter = []byte{0, 255, 'x'}, `O'Neil+"x"%@Mail.Example`, `Åse "O'Neil" 日本`, mintage.RoleOwner, "cli"
			i.CreatedAt, i.ExpiresAt = f.Now().Add(-2*time.Hour), f.Now().Add(-time.Hour)
		})
		same(t, read(t, db, invitationBy(want.Hash)), want)
		for _, hash := range [][]byte{{}, {0, 255}, []byte(want.ID)} {
			notFound(t, db, invitationBy(hash))
		}
	})
}

func TestInvitations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other, none := f.NewBrand(), f.NewBrand(), f.NewBrand()
		// The order is that of creation, whatever the times say.
		first := f.NewInvitation(b)
		foreign := f.NewInvitation(other, func(i *mintage.Invitation) { i.Email = first.Email })
		second := f.NewInvitation(b, func(i *mintage.Invitation) { i.CreatedAt = f.Now().Add(-time.Hour) })
		same(t, invitationsOf(t, db, b), []*mintage.Invitation{first, second})
		same(t, invitationsOf(t, db, other), []*mintage.Invitation{foreign})
		same(t, len(invitationsOf(t, db, none)), 0)
	})
}

func TestCreateInvitation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		there := f.NewInvitation(b, func(i *mintage.Invitation) { i.Email = "Kim@Mail.example" })
		for name, edit := range map[string]func(*mintage.Invitation){
			"ID taken":      func(i *mintage.Invitation) { i.ID = there.ID },
			"hash taken":    func(i *mintage.Invitation) { i.Hash = there.Hash },
			"address taken": func(i *mintage.Invitation) { i.Email = "kIM@mAIL.EXAMPLE" },
		} {
			t.Run(name, func(t *testing.T) {
				again := &mintage.Invitation{
					ID: storetest.NewID(), BrandNumber: b.Number, Hash: []byte(name), Email: "free@mail.example", Name: "N",
					Role: mintage.RoleViewer, Inviter: "cli", CreatedAt: f.Now(), ExpiresAt: f.Now(),
				}
				edit(again)
				refused(t, db, mintage.CodeConflict, func(ctx context.Context, tx store.Tx) error { return tx.CreateInvitation(ctx, again) })
			})
		}
	})
}

func TestDeleteInvitation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		i, bystander := f.NewInvitation(b), f.NewInvitation(b)
		refused(t, db, mintage.CodeNotFound, deleteInvitation(other, i.ID))
		for _, id := range append(malformedIDs(i.ID), storetest.NewID()) {
			refused(t, db, mintage.CodeNotFound, deleteInvitation(b, id))
		}
		write(t, db, deleteInvitation(b, i.ID))
		same(t, invitationsOf(t, db, b), []*mintage.Invitation{bystander})
		refused(t, db, mintage.CodeNotFound, deleteInvitation(b, i.ID))
		contested(t, db, func(*testing.T, string) func(context.Context, store.Tx) error {
			return deleteInvitation(b, f.NewInvitation(b).ID)
		})
	})
}

func TestDeleteInvitationTo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		i, bystander := f.NewInvitation(b), f.NewInvitation(b)
		f.NewInvitation(other, func(i *mintage.Invitation) { i.Email = bystander.Email })
		for _, email := range []string{"", "nobody@mail.example", "%", i.Email + " "} {
			unchanged(t, db, func() { write(t, db, deleteInvitationTo(b, email)) })
		}
		write(t, db, deleteInvitationTo(b, strings.ToUpper(i.Email)))
		same(t, invitationsOf(t, db, b), []*mintage.Invitation{bystander})
		same(t, len(invitationsOf(t, db, other)), 1)
	})
}

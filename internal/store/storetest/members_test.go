package storetest_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func membersOf(t testing.TB, s store.Store, b *mintage.Brand) []*mintage.Member {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) ([]*mintage.Member, error) { return r.Members(ctx, b.Number) })
}

func membershipsOf(t testing.TB, s store.Store, userID string) []*mintage.Member {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) ([]*mintage.Member, error) {
		return r.Memberships(ctx, userID)
	})
}

func putMember(m *mintage.Member) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.PutMember(ctx, m) }
}

func removeMember(b *mintage.Brand, userID string) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.RemoveMember(ctx, b.Number, userID) }
}

func TestMembers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other, none := f.NewBrand(fullBrand), f.NewBrand(), f.NewBrand()
		u, v := f.NewUser(fullUser), f.NewUser()
		f.NewUser() // nobody's member
		first := f.NewMember(b, v, mintage.RoleOwner)
		foreign := f.NewMember(other, u, mintage.RoleViewer)
		second := f.NewMember(b, u, mintage.RoleOperator)
		same(t, membersOf(t, db, b), []*mintage.Member{first, second})
		same(t, membersOf(t, db, other), []*mintage.Member{foreign})
		same(t, len(membersOf(t, db, none)), 0)
	})
}

func TestMemberships(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand(fullBrand)
		u, v, none := f.NewUser(fullUser), f.NewUser(), f.NewUser()
		f.NewMember(b, v, mintage.RoleOwner)
		first := f.NewMember(other, u, mintage.RoleViewer) // the newer brand
		second := f.NewMember(b, u, mintage.RoleAdmin)
		same(t, membershipsOf(t, db, u.ID), []*mintage.Member{first, second})
		same(t, len(membershipsOf(t, db, none.ID)), 0)
		for _, id := range oddTexts {
			same(t, len(membershipsOf(t, db, id)), 0)
		}
	})
}

func TestPutMember(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		u, v := f.NewUser(), f.NewUser()
		first, second := f.NewMember(b, u, mintage.RoleOwner), f.NewMember(b, v, mintage.RoleViewer)
		foreign := f.NewMember(other, u, mintage.RoleViewer)
		for _, role := range mintage.Roles {
			again := copyOf(first)
			again.Role, again.CreatedAt = role, f.Now().Add(time.Hour)
			write(t, db, putMember(again))
			first.Role = role // nothing else, and the place in the list stays
			same(t, membersOf(t, db, b), []*mintage.Member{first, second})
		}
		same(t, membersOf(t, db, other), []*mintage.Member{foreign})
		for name, edit := range map[string]func(*mintage.Member){
			"no such user":  func(m *mintage.Member) { m.UserID = storetest.NewID() },
			"no such brand": func(m *mintage.Member) { m.BrandNumber = 999_999 },
		} {
			t.Run(name, func(t *testing.T) {
				m := copyOf(second)
				edit(m)
				unchanged(t, db, func() {
					if err := db.InTx(t.Context(), func(tx store.Tx) error { return tx.PutMember(t.Context(), m) }); err == nil {
						t.Error("it was stored")
					}
				})
			})
		}
	})
}

func TestRemoveMember(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		u, v := f.NewUser(), f.NewUser()
		f.NewMember(b, u, mintage.RoleOwner)
		second, foreign := f.NewMember(b, v, mintage.RoleViewer), f.NewMember(other, u, mintage.RoleViewer)
		write(t, db, removeMember(b, u.ID))
		same(t, membersOf(t, db, b), []*mintage.Member{second})
		same(t, membershipsOf(t, db, u.ID), []*mintage.Member{foreign})
		same(t, read(t, db, userByID(u.ID)), u)
		refused(t, db, mintage.CodeNotFound, removeMember(b, u.ID))
		refused(t, db, mintage.CodeNotFound, removeMember(other, v.ID))
		refused(t, db, mintage.CodeNotFound, removeMember(b, storetest.NewID()))
		t.Run("comes back as the newest", func(t *testing.T) {
			again := f.NewMember(b, u, mintage.RoleAdmin)
			same(t, membersOf(t, db, b), []*mintage.Member{second, again})
		})
	})
}

func TestLockMembers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		u, v := f.NewUser(), f.NewUser(fullUser)
		first, second := f.NewMember(b, u, mintage.RoleOwner), f.NewMember(b, v, mintage.RoleOwner)
		f.NewMember(other, u, mintage.RoleOwner)
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			got, err := tx.LockMembers(ctx, b.Number)
			same(t, got, []*mintage.Member{first, second})
			return err
		})

		// withdraw is what the use cases do: the last owner stays.
		withdraw := func(userID string, how func(context.Context, store.Tx) error) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error {
				members, err := tx.LockMembers(ctx, b.Number)
				if err != nil {
					return err
				}
				for _, m := range members {
					if m.UserID != userID && m.Role == mintage.RoleOwner {
						return how(ctx, tx)
					}
				}
				return mintage.Errorf(mintage.CodeForbidden, "the last owner stays")
			}
		}
		demoted := func(m *mintage.Member) *mintage.Member {
			m = copyOf(m)
			m.Role = mintage.RoleAdmin
			return m
		}
		for name, how := range map[string]func(*mintage.Member) func(context.Context, store.Tx) error{
			"two last owners leave":       func(m *mintage.Member) func(context.Context, store.Tx) error { return removeMember(b, m.UserID) },
			"two last owners are demoted": func(m *mintage.Member) func(context.Context, store.Tx) error { return putMember(demoted(m)) },
		} {
			t.Run(name, func(t *testing.T) {
				one := hold(t, db, withdraw(u.ID, how(first)))
				two := started(func() error {
					return db.InTx(t.Context(), func(tx store.Tx) error { return withdraw(v.ID, how(second))(t.Context(), tx) })
				})
				db.AwaitBlocked(t, 1)
				one.commit(t)
				wantCode(t, receive(t, two, "the second owner's turn"), mintage.CodeForbidden)
				write(t, db, putMember(first)) // for the next one
			})
		}
		t.Run("a new member waits", func(t *testing.T) {
			w := f.NewUser()
			one := hold(t, db, func(ctx context.Context, tx store.Tx) error { _, err := tx.LockMembers(ctx, b.Number); return err })
			two := started(func() error {
				return db.InTx(t.Context(), func(tx store.Tx) error {
					members, err := tx.LockMembers(t.Context(), b.Number)
					if err != nil {
						return err
					}
					same(t, len(members), 2)
					return tx.PutMember(t.Context(), &mintage.Member{BrandNumber: b.Number, UserID: w.ID, Role: mintage.RoleViewer, CreatedAt: f.Now()})
				})
			})
			db.AwaitBlocked(t, 1)
			one.commit(t)
			if err := receive(t, two, "the new member's turn"); err != nil {
				t.Fatal(err)
			}
			same(t, len(membersOf(t, db, b)), 3)
		})
	})
	t.Run("another brand's members do not wait", func(t *testing.T) {
		db := storetest.Open(t, "postgres") // on SQLite all writers do
		f := storetest.NewFixture(t, db)
		lock := func(b *mintage.Brand) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { _, err := tx.LockMembers(ctx, b.Number); return err }
		}
		first := hold(t, db, lock(f.NewBrand()))
		write(t, db, lock(f.NewBrand()))
		first.commit(t)
	})
}

package storetest_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func userByID(id string) func(context.Context, store.Reader) (*mintage.User, error) {
	return func(ctx context.Context, r store.Reader) (*mintage.User, error) { return r.UserByID(ctx, id) }
}

func userByEmail(email string) func(context.Context, store.Reader) (*mintage.User, error) {
	return func(ctx context.Context, r store.Reader) (*mintage.User, error) { return r.UserByEmail(ctx, email) }
}

func userByIdentity(issuer, subject string) func(context.Context, store.Reader) (*mintage.User, error) {
	return func(ctx context.Context, r store.Reader) (*mintage.User, error) {
		return r.UserByIdentity(ctx, issuer, subject)
	}
}

func linkIdentity(u *mintage.User, issuer, subject string) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.LinkIdentity(ctx, u.ID, issuer, subject) }
}

// fullUser gives each field a value that is not its zero.
func fullUser(u *mintage.User) {
	u.Email = `Åse.O'Neil+"x"%@Mail.Example`
	u.Name = `Åse "O'Neil" 日本 \ %`
	u.PasswordHash = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
}

func TestHasUsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		has := func(ctx context.Context, r store.Reader) (bool, error) { return r.HasUsers(ctx) }
		f := storetest.NewFixture(t, db)
		f.NewBrand()
		same(t, read(t, db, has), false)
		f.NewUser()
		same(t, read(t, db, has), true)
		f.NewUser()
		same(t, read(t, db, has), true)
	})
}

func TestUserByID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		f.NewUser()
		want := f.NewUser(fullUser)
		same(t, read(t, db, userByID(want.ID)), want)
		for _, id := range append(malformedIDs(want.ID), storetest.NewID()) {
			notFound(t, db, userByID(id))
		}
	})
}

func TestUserByEmail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		f.NewUser()
		want := f.NewUser(fullUser)
		for _, email := range []string{want.Email, `Åse.o'neil+"x"%@mail.example`, `ÅSE.O'NEIL+"X"%@MAIL.EXAMPLE`} {
			same(t, read(t, db, userByEmail(email)), want)
		}
		// Only ASCII letters have a case: the Kelvin sign is no k, or its owner
		// would be somebody else.
		kim := f.NewUser(func(u *mintage.User) { u.Email = "kim@mail.example" })
		same(t, read(t, db, userByEmail("Kim@mail.example")), kim)
		for _, email := range append(oddTexts, `åse.O'Neil+"x"%@Mail.Example`, "\u212aim@mail.example", "kim@mail.example ", "%", "k_m@mail.example", "kim@mail%") {
			notFound(t, db, userByEmail(email))
		}
		for _, email := range unstorable {
			missing(t, db, userByEmail(email))
		}
	})
}

func TestUserByIdentity(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		first, second := f.NewUser(), f.NewUser(fullUser)
		const here, there = "https://login.example", "https://login.example/"
		write(t, db, linkIdentity(first, here, "Subject"))
		write(t, db, linkIdentity(second, there, "Subject"))
		write(t, db, linkIdentity(second, here, "subject")) // case matters
		same(t, read(t, db, userByIdentity(here, "Subject")), first)
		same(t, read(t, db, userByIdentity(there, "Subject")), second)
		same(t, read(t, db, userByIdentity(here, "subject")), second)
		for _, subject := range append(oddTexts, "SUBJECT", first.ID, first.Email) {
			notFound(t, db, userByIdentity(here, subject))
		}
		notFound(t, db, userByIdentity(there, "subject"))
		notFound(t, db, userByIdentity("", "Subject"))
		for _, subject := range unstorable {
			missing(t, db, userByIdentity(here, subject))
		}
	})
}

func TestIdentities(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		u, other, none := f.NewUser(), f.NewUser(), f.NewUser()
		for _, issuer := range []string{"https://b.example", "https://a.example", "https://B.example", "https://a.example/x"} {
			write(t, db, linkIdentity(u, issuer, "1"))
			write(t, db, linkIdentity(u, issuer, "2"))
		}
		write(t, db, linkIdentity(other, "https://c.example", "1"))
		list := func(id string) []string {
			return read(t, db, func(ctx context.Context, r store.Reader) ([]string, error) { return r.Identities(ctx, id) })
		}
		same(t, list(u.ID), []string{"https://B.example", "https://a.example", "https://a.example/x", "https://b.example"})
		same(t, list(other.ID), []string{"https://c.example"})
		for _, id := range append(oddTexts, none.ID, storetest.NewID()) {
			same(t, len(list(id)), 0)
		}
	})
}

func TestCreateUser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		u := f.NewUser(func(u *mintage.User) { u.Email = "Kim@Mail.example" })
		create := func(edit func(*mintage.User)) func(context.Context, store.Tx) error {
			u := &mintage.User{ID: storetest.NewID(), Email: "free@mail.example", Name: "F", CreatedAt: f.Now()}
			edit(u)
			return func(ctx context.Context, tx store.Tx) error { return tx.CreateUser(ctx, u) }
		}
		for name, edit := range map[string]func(*mintage.User){
			"ID taken":                   func(n *mintage.User) { n.ID = u.ID },
			"address taken":              func(n *mintage.User) { n.Email = u.Email },
			"address taken, other case":  func(n *mintage.User) { n.Email = "kIM@mAIL.EXAMPLE" },
			"everything of another user": func(n *mintage.User) { *n = *u },
		} {
			t.Run(name, func(t *testing.T) { refused(t, db, mintage.CodeConflict, create(edit)) })
		}
		t.Run("an address that only looks alike", func(t *testing.T) {
			write(t, db, create(func(u *mintage.User) { u.Email = "\u212aim@mail.example" }))
		})
		t.Run("two at once with one address", func(t *testing.T) {
			first := hold(t, db, create(func(u *mintage.User) { u.Email = "contested@mail.example" }))
			second := started(func() error {
				return db.InTx(t.Context(), func(tx store.Tx) error {
					return create(func(u *mintage.User) { u.Email = "Contested@mail.example" })(t.Context(), tx)
				})
			})
			db.AwaitBlocked(t, 1)
			first.commit(t)
			wantCode(t, receive(t, second, "the second user's turn"), mintage.CodeConflict)
		})
	})
}

func TestUpdateUser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		u, bystander := f.NewUser(), f.NewUser(fullUser)
		update := func(u *mintage.User) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.UpdateUser(ctx, u) }
		}
		for _, hash := range []string{"$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", ""} {
			u.Name, u.PasswordHash = u.Name+" II", hash
			write(t, db, update(u))
			same(t, read(t, db, userByID(u.ID)), u)
		}
		same(t, read(t, db, userByID(bystander.ID)), bystander)
		t.Run("what never changes", func(t *testing.T) {
			changed := copyOf(u)
			changed.Email, changed.CreatedAt = "another@mail.example", f.Now().Add(time.Hour)
			unchanged(t, db, func() { write(t, db, update(changed)) })
		})
		t.Run("unknown", func(t *testing.T) {
			unknown := copyOf(u)
			unknown.ID = storetest.NewID()
			refused(t, db, mintage.CodeNotFound, update(unknown))
		})
	})
}

func TestLinkIdentity(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		u, other := f.NewUser(), f.NewUser()
		const issuer = "https://login.example"
		write(t, db, linkIdentity(u, issuer, "1"))
		write(t, db, linkIdentity(u, issuer, "2")) // a user may have several
		unchanged(t, db, func() { write(t, db, linkIdentity(u, issuer, "1")) })
		refused(t, db, mintage.CodeConflict, linkIdentity(other, issuer, "1"))
		t.Run("two users at once", func(t *testing.T) {
			first := hold(t, db, linkIdentity(other, issuer, "3"))
			second := started(func() error {
				return db.InTx(t.Context(), func(tx store.Tx) error { return tx.LinkIdentity(t.Context(), u.ID, issuer, "3") })
			})
			db.AwaitBlocked(t, 1)
			first.commit(t)
			wantCode(t, receive(t, second, "the second user's turn"), mintage.CodeConflict)
			same(t, read(t, db, userByIdentity(issuer, "3")), other)
		})
		t.Run("one user twice at once", func(t *testing.T) {
			first := hold(t, db, linkIdentity(u, issuer, "4"))
			second := started(func() error {
				return db.InTx(t.Context(), func(tx store.Tx) error { return tx.LinkIdentity(t.Context(), u.ID, issuer, "4") })
			})
			db.AwaitBlocked(t, 1)
			first.commit(t)
			if err := receive(t, second, "the second turn"); err != nil {
				t.Error(err)
			}
		})
	})
}

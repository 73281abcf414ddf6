package storetest_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func putSession(s *mintage.Session) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.PutSession(ctx, s) }
}

func sessionBy(tokenHash []byte, now time.Time) func(context.Context, store.Reader) (*mintage.Session, error) {
	return func(ctx context.Context, r store.Reader) (*mintage.Session, error) {
		return r.Session(ctx, tokenHash, now)
	}
}

func createLink(l *mintage.SignInLink) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.CreateSignInLink(ctx, l) }
}

// useLink uses a link in a transaction of its own.
func useLink(t testing.TB, s store.Store, hash []byte, now time.Time) (l *mintage.SignInLink, err error) {
	t.Helper()
	err = s.InTx(t.Context(), func(tx store.Tx) (err error) {
		l, err = tx.UseSignInLink(t.Context(), hash, now)
		return err
	})
	return l, err
}

func TestSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		want := &mintage.Session{TokenHash: []byte{0, 255, 'x'}, UserID: f.NewUser().ID, Data: []byte{0, 1, 255}, ExpiresAt: now.Add(time.Hour)}
		nobody := &mintage.Session{TokenHash: []byte("nobody"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		for _, s := range []*mintage.Session{want, nobody} {
			write(t, db, putSession(s))
			same(t, read(t, db, sessionBy(s.TokenHash, now)), s)
			same(t, read(t, db, sessionBy(s.TokenHash, s.ExpiresAt.Add(-time.Microsecond))), s)
			notFound(t, db, sessionBy(s.TokenHash, s.ExpiresAt))
			notFound(t, db, sessionBy(s.TokenHash, s.ExpiresAt.Add(time.Hour)))
		}
		for _, hash := range [][]byte{{}, {0, 255}, []byte("Nobody"), []byte(want.UserID)} {
			notFound(t, db, sessionBy(hash, now))
		}
	})
}

func TestPutSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		s := &mintage.Session{TokenHash: []byte("one"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		bystander := &mintage.Session{TokenHash: []byte("two"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		write(t, db, putSession(s))
		write(t, db, putSession(bystander))
		for _, id := range []string{f.NewUser().ID, ""} { // signs in, and out
			s.UserID, s.Data, s.ExpiresAt = id, append(s.Data, '+'), s.ExpiresAt.Add(time.Hour)
			write(t, db, putSession(s))
			same(t, read(t, db, sessionBy(s.TokenHash, now)), s)
		}
		same(t, read(t, db, sessionBy(bystander.TokenHash, now)), bystander)
		t.Run("one session at once", func(t *testing.T) { // a browser with two requests
			fresh := &mintage.Session{TokenHash: []byte("three"), Data: []byte("first"), ExpiresAt: now.Add(time.Hour)}
			later := copyOf(fresh)
			later.Data = []byte("second")
			first := hold(t, db, putSession(fresh))
			second := started(func() error {
				return db.InTx(t.Context(), func(tx store.Tx) error { return tx.PutSession(t.Context(), later) })
			})
			db.AwaitBlocked(t, 1)
			first.commit(t)
			if err := receive(t, second, "the second request's turn"); err != nil {
				t.Fatal(err)
			}
			same(t, read(t, db, sessionBy(later.TokenHash, now)), later)
		})
	})
}

func TestDeleteSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		s := &mintage.Session{TokenHash: []byte("one"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		bystander := &mintage.Session{TokenHash: []byte("two"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		write(t, db, putSession(s))
		write(t, db, putSession(bystander))
		remove := func(ctx context.Context, tx store.Tx) error { return tx.DeleteSession(ctx, s.TokenHash) }
		write(t, db, remove)
		notFound(t, db, sessionBy(s.TokenHash, now))
		same(t, read(t, db, sessionBy(bystander.TokenHash, now)), bystander)
		unchanged(t, db, func() { write(t, db, remove) })
	})
}

func TestDeleteSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		u, v := f.NewUser(), f.NewUser()
		sessions := make(map[string]*mintage.Session)
		for name, id := range map[string]string{"u1": u.ID, "u2": u.ID, "v": v.ID, "nobody": ""} {
			sessions[name] = &mintage.Session{TokenHash: []byte(name), UserID: id, Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
			write(t, db, putSession(sessions[name]))
		}
		write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.DeleteSessions(ctx, u.ID) })
		for _, name := range []string{"u1", "u2"} {
			notFound(t, db, sessionBy([]byte(name), now))
		}
		for _, name := range []string{"v", "nobody"} {
			same(t, read(t, db, sessionBy([]byte(name), now)), sessions[name])
		}
		for _, id := range []string{u.ID, storetest.NewID()} {
			unchanged(t, db, func() {
				write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.DeleteSessions(ctx, id) })
			})
		}
	})
}

func TestDeleteExpired(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		for name, expires := range map[string]time.Time{"past": now.Add(-time.Hour), "now": now, "soon": now.Add(time.Microsecond)} {
			write(t, db, putSession(&mintage.Session{TokenHash: []byte(name), Data: []byte("data"), ExpiresAt: expires}))
			write(t, db, createLink(&mintage.SignInLink{Hash: []byte(name), ExpiresAt: expires}))
		}
		write(t, db, createLink(&mintage.SignInLink{Hash: []byte("used"), ExpiresAt: now.Add(time.Hour), UsedAt: now}))
		expire := func(ctx context.Context, tx store.Tx) error { return tx.DeleteExpired(ctx, now) }
		write(t, db, expire)
		for _, name := range []string{"past", "now"} {
			notFound(t, db, sessionBy([]byte(name), now.Add(-2*time.Hour)))
			_, err := useLink(t, db, []byte(name), now.Add(-2*time.Hour))
			wantCode(t, err, mintage.CodeNotFound)
		}
		same(t, count(t, db, "SELECT count(*) FROM sessions"), 1)
		same(t, count(t, db, "SELECT count(*) FROM sign_in_links"), 2)
		unchanged(t, db, func() { write(t, db, expire) })
	})
}

func TestCreateSignInLink(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		l := &mintage.SignInLink{Hash: []byte{0, 255}, UserID: f.NewUser().ID, ExpiresAt: f.Now().Add(time.Hour)}
		write(t, db, createLink(l))
		refused(t, db, mintage.CodeConflict, createLink(l))
	})
}

func TestUseSignInLink(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		u := f.NewUser()
		link := func(t *testing.T, name string, edit ...func(*mintage.SignInLink)) *mintage.SignInLink {
			t.Helper()
			l := &mintage.SignInLink{Hash: []byte(name), UserID: u.ID, ExpiresAt: now.Add(time.Hour)}
			for _, e := range edit {
				e(l)
			}
			write(t, db, createLink(l))
			return l
		}
		use := func(l *mintage.SignInLink, now time.Time) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { _, err := tx.UseSignInLink(ctx, l.Hash, now); return err }
		}
		for name, l := range map[string]*mintage.SignInLink{
			"a user's":          link(t, "user"),
			"the first owner's": link(t, "owner", func(l *mintage.SignInLink) { l.UserID = "" }),
		} {
			t.Run(name, func(t *testing.T) {
				at := l.ExpiresAt.Add(-time.Microsecond)
				got, err := useLink(t, db, l.Hash, at)
				if err != nil {
					t.Fatal(err)
				}
				want := copyOf(l)
				want.UsedAt = at
				same(t, got, want)
				refused(t, db, mintage.CodeNotFound, use(l, at)) // once
			})
		}
		t.Run("expired", func(t *testing.T) {
			l := link(t, "expired")
			refused(t, db, mintage.CodeNotFound, use(l, l.ExpiresAt))
		})
		t.Run("unknown", func(t *testing.T) {
			refused(t, db, mintage.CodeNotFound, use(&mintage.SignInLink{Hash: []byte("unknown")}, now))
		})
		for name, commits := range map[string]bool{"the first of two commits": true, "the first of two rolls back": false} {
			t.Run(name, func(t *testing.T) {
				l := link(t, name)
				first := hold(t, db, use(l, now))
				second := started(func() error { _, err := useLink(t, db, l.Hash, now); return err })
				db.AwaitBlocked(t, 1)
				if commits {
					first.commit(t)
					wantCode(t, receive(t, second, "the second one's turn"), mintage.CodeNotFound)
					return
				}
				first.rollback(t)
				if err := receive(t, second, "the second one's turn"); err != nil {
					t.Error(err)
				}
			})
		}
		t.Run("many at once", func(t *testing.T) {
			l := link(t, "many")
			var results []<-chan error
			for range 8 {
				results = append(results, started(func() error { _, err := useLink(t, db, l.Hash, now); return err }))
			}
			got := 0
			for _, result := range results {
				if err := receive(t, result, "one of many"); err == nil {
					got++
				} else {
					wantCode(t, err, mintage.CodeNotFound)
				}
			}
			same(t, got, 1)
		})
	})
}

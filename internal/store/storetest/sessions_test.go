package storetest_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func createSession(s *mintage.Session, generation int64) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.CreateSession(ctx, s, generation) }
}

func updateSession(s *mintage.Session) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.UpdateSession(ctx, s) }
}

func deleteSessions(userID string) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.DeleteSessions(ctx, userID) }
}

// within runs fn in a transaction of its own.
func within(t testing.TB, s store.Store, fn func(context.Context, store.Tx) error) func() error {
	t.Helper()
	return func() error { return s.InTx(t.Context(), func(tx store.Tx) error { return fn(t.Context(), tx) }) }
}

func sessionBy(tokenHash []byte, now time.Time) func(context.Context, store.Reader) (*mintage.Session, error) {
	return func(ctx context.Context, r store.Reader) (*mintage.Session, error) {
		return r.Session(ctx, tokenHash, now)
	}
}

func createLink(l *mintage.SetUpLink) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.CreateSetUpLink(ctx, l) }
}

func useLink(hash []byte, now time.Time) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.UseSetUpLink(ctx, hash, now) }
}

func TestSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		want := &mintage.Session{TokenHash: []byte{0, 255, 'x'}, UserID: f.NewUser().ID, Data: []byte{0, 1, 255}, ExpiresAt: now.Add(time.Hour)}
		nobody := &mintage.Session{TokenHash: []byte("nobody"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		for _, s := range []*mintage.Session{want, nobody} {
			write(t, db, createSession(s, 0))
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

func TestCreateSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		u := f.NewUser()
		session := func(name, userID string) *mintage.Session {
			return &mintage.Session{TokenHash: []byte(name), UserID: userID, Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		}
		one := session("one", u.ID)
		write(t, db, createSession(one, 0))
		write(t, db, createSession(session("two", u.ID), 0))
		refused(t, db, mintage.CodeConflict, createSession(one, 0)) // a session is never replaced
		refused(t, db, mintage.CodeConflict, createSession(session("one", ""), 0))
		refused(t, db, mintage.CodeNotFound, createSession(session("of nobody there is", storetest.NewID()), 0))
		write(t, db, createSession(session("nobody's", ""), 7)) // of no generation

		write(t, db, deleteSessions(u.ID))
		u.Generation = 1
		same(t, read(t, db, userByID(u.ID)), u)
		for _, generation := range []int64{0, 2} {
			refused(t, db, mintage.CodeNotFound, createSession(one, generation))
		}
		write(t, db, createSession(one, 1))

		t.Run("while all are ended", func(t *testing.T) {
			first := hold(t, db, deleteSessions(u.ID))
			late := started(within(t, db, createSession(session("late", u.ID), 1)))
			db.AwaitBlocked(t, 1)
			first.commit(t)
			wantCode(t, receive(t, late, "the new session's turn"), mintage.CodeNotFound)
			notFound(t, db, sessionBy([]byte("late"), now))
		})
		t.Run("before all are ended", func(t *testing.T) {
			first := hold(t, db, createSession(session("early", u.ID), 2))
			end := started(within(t, db, deleteSessions(u.ID)))
			db.AwaitBlocked(t, 1)
			first.commit(t)
			if err := receive(t, end, "the end of all"); err != nil {
				t.Fatal(err)
			}
			notFound(t, db, sessionBy([]byte("early"), now))
		})
	})
}

func TestUpdateSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		u := f.NewUser()
		s := &mintage.Session{TokenHash: []byte("one"), UserID: u.ID, Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		bystander := &mintage.Session{TokenHash: []byte("two"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		refused(t, db, mintage.CodeNotFound, updateSession(s))
		write(t, db, createSession(s, 0))
		write(t, db, createSession(bystander, 0))
		s.Data, s.ExpiresAt = []byte("data+"), s.ExpiresAt.Add(time.Hour)
		write(t, db, updateSession(s))
		same(t, read(t, db, sessionBy(s.TokenHash, now)), s)
		same(t, read(t, db, sessionBy(bystander.TokenHash, now)), bystander)
		t.Run("what never changes", func(t *testing.T) {
			another := copyOf(s)
			another.UserID = f.NewUser().ID
			unchanged(t, db, func() { write(t, db, updateSession(another)) })
		})
		t.Run("what is ended meanwhile stays so", func(t *testing.T) {
			first := hold(t, db, deleteSessions(u.ID))
			second := started(within(t, db, updateSession(s)))
			db.AwaitBlocked(t, 1)
			first.commit(t)
			wantCode(t, receive(t, second, "the request under way"), mintage.CodeNotFound)
			notFound(t, db, sessionBy(s.TokenHash, now))
		})
	})
}

func TestDeleteSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		s := &mintage.Session{TokenHash: []byte("one"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		bystander := &mintage.Session{TokenHash: []byte("two"), Data: []byte("data"), ExpiresAt: now.Add(time.Hour)}
		write(t, db, createSession(s, 0))
		write(t, db, createSession(bystander, 0))
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
			write(t, db, createSession(sessions[name], 0))
		}
		write(t, db, deleteSessions(u.ID))
		for _, name := range []string{"u1", "u2"} {
			notFound(t, db, sessionBy([]byte(name), now))
		}
		for _, name := range []string{"v", "nobody"} {
			same(t, read(t, db, sessionBy([]byte(name), now)), sessions[name])
		}
		u.Generation++
		same(t, read(t, db, userByID(u.ID)), u)
		same(t, read(t, db, userByID(v.ID)), v)
		for _, id := range append(oddTexts, storetest.NewID()) {
			unchanged(t, db, func() { write(t, db, deleteSessions(id)) })
		}
	})
}

func TestDeleteExpired(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		now := f.Now()
		for name, expires := range map[string]time.Time{"past": now.Add(-time.Hour), "now": now, "soon": now.Add(time.Microsecond)} {
			write(t, db, createSession(&mintage.Session{TokenHash: []byte(name), Data: []byte("data"), ExpiresAt: expires}, 0))
			write(t, db, createLink(&mintage.SetUpLink{Hash: []byte(name), ExpiresAt: expires}))
			f.NewInvitation(b, func(i *mintage.Invitation) { i.Hash, i.ExpiresAt = []byte(name), expires })
		}
		write(t, db, createLink(&mintage.SetUpLink{Hash: []byte("used"), ExpiresAt: now.Add(time.Hour), UsedAt: now}))
		expire := func(ctx context.Context, tx store.Tx) error { return tx.DeleteExpired(ctx, now) }
		write(t, db, expire)
		for _, name := range []string{"past", "now"} {
			notFound(t, db, sessionBy([]byte(name), now.Add(-2*time.Hour)))
			notFound(t, db, invitationBy([]byte(name)))
			refused(t, db, mintage.CodeNotFound, useLink([]byte(name), now.Add(-2*time.Hour)))
		}
		for table, want := range map[string]int64{"sessions": 1, "invitations": 1, "set_up_links": 2} {
			same(t, count(t, db, "SELECT count(*) FROM "+table), want)
		}
		unchanged(t, db, func() { write(t, db, expire) })
	})
}

func TestCreateSetUpLink(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		l := &mintage.SetUpLink{Hash: []byte{0, 255}, ExpiresAt: f.Now().Add(time.Hour)}
		write(t, db, createLink(l))
		refused(t, db, mintage.CodeConflict, createLink(l))
	})
}

func TestUseSetUpLink(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		now := f.Now()
		link := func(t *testing.T, name string) *mintage.SetUpLink {
			t.Helper()
			l := &mintage.SetUpLink{Hash: []byte(name), ExpiresAt: now.Add(time.Hour)}
			write(t, db, createLink(l))
			return l
		}
		t.Run("once", func(t *testing.T) {
			l := link(t, "owner")
			at := l.ExpiresAt.Add(-time.Microsecond)
			write(t, db, useLink(l.Hash, at))
			refused(t, db, mintage.CodeNotFound, useLink(l.Hash, at))
		})
		t.Run("expired", func(t *testing.T) {
			l := link(t, "expired")
			refused(t, db, mintage.CodeNotFound, useLink(l.Hash, l.ExpiresAt))
		})
		t.Run("unknown", func(t *testing.T) { refused(t, db, mintage.CodeNotFound, useLink([]byte("unknown"), now)) })
		contested(t, db, func(t *testing.T, name string) func(context.Context, store.Tx) error {
			return useLink(link(t, name).Hash, now)
		})
	})
}

// contested has several take what only one can have, made anew each time: the others
// get NOT_FOUND.
func contested(t *testing.T, db *storetest.DB, take func(t *testing.T, name string) func(context.Context, store.Tx) error) {
	t.Helper()
	for name, commits := range map[string]bool{"the first of two commits": true, "the first of two rolls back": false} {
		t.Run(name, func(t *testing.T) {
			use := take(t, name)
			first := hold(t, db, use)
			second := started(within(t, db, use))
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
		use := take(t, "many")
		var results []<-chan error
		for range 8 {
			results = append(results, started(within(t, db, use)))
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
}

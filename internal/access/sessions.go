package access

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/bucket"
	"mintage/internal/store"
)

type (
	sessionKey struct{}
	startKey   struct{}
)

// session is the one that a request came with.
type session struct {
	userID, token string
}

// WithSession says which session the request came with, and whose it is, "" for
// nobody's: to the use cases, who asks; to [SessionStore.CommitCtx], that this session
// is an old one.
func WithSession(ctx context.Context, userID, token string) context.Context {
	return context.WithValue(ctx, sessionKey{}, session{userID, token})
}

// WithUser says to [SessionStore.CommitCtx] whose the new session is. u is the account
// as it was when it became certain who asks.
func WithUser(ctx context.Context, u *mintage.User) context.Context {
	return context.WithValue(ctx, startKey{}, u)
}

// isSignedIn reports whether the context's session is a user's, and is still there.
// Whoever holds the user's lock knows that it stays so, unless that browser signs out.
func (s *Service) isSignedIn(ctx context.Context, r store.Reader, userID string) (bool, error) {
	asks, _ := ctx.Value(sessionKey{}).(session)
	if asks.userID != userID || asks.token == "" {
		return false, nil
	}
	stored, err := r.Session(ctx, hash(asks.token), s.now())
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return false, nil
	}
	return err == nil && stored.UserID == userID, err
}

// SessionStore keeps sessions for alexedwards/scs (its CtxStore). The database
// knows the SHA-256 of a session's token, so that nobody who reads it can act as
// somebody.
type SessionStore struct {
	s *Service
}

// Sessions returns the store of sessions.
func (s *Service) Sessions() *SessionStore { return &SessionStore{s} }

// FindCtx returns the data of a session that has not expired.
func (st *SessionStore) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = st.s.store.Read(ctx, func(r store.Reader) error {
		session, err := r.Session(ctx, hash(token), st.s.now())
		if err == nil {
			data = session.Data
		}
		return err
	})
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return nil, false, nil
	}
	return data, err == nil, err
}

// CommitCtx stores a session: the one that the request came with (see [WithSession]),
// or a new one of the context's user (see [WithUser]). UNAUTHORIZED where it was ended
// meanwhile: a request that was under way when its user signed out everywhere does not
// bring its session back, and one that was signing in begins none. What has expired is
// removed now and then.
func (st *SessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	one := &mintage.Session{TokenHash: hash(token), Data: data, ExpiresAt: expiry}
	asks, _ := ctx.Value(sessionKey{}).(session)
	var generation int64
	if u, _ := ctx.Value(startKey{}).(*mintage.User); u != nil {
		one.UserID, generation = u.ID, u.Generation
	}
	err := st.s.store.InTx(ctx, func(tx store.Tx) error {
		if asks.token == token {
			return tx.UpdateSession(ctx, one)
		}
		return tx.CreateSession(ctx, one, generation)
	})
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return mintage.Errorf(mintage.CodeUnauthorized, "You are not signed in any more; sign in again.").WithCause(err)
	}
	if err == nil {
		st.s.sweep()
	}
	return err
}

// sweepEvery is how often expired sessions and links are removed, at most.
const sweepEvery = time.Hour

func (s *Service) sweep() {
	if s.sweeps.Take(bucket.ID{}, s.now()) > 0 {
		return
	}
	s.later.do("sweep", func(ctx context.Context) error {
		return s.store.InTx(ctx, func(tx store.Tx) error { return tx.DeleteExpired(ctx, s.now()) })
	})
}

// DeleteCtx removes a session, if there is one.
func (st *SessionStore) DeleteCtx(ctx context.Context, token string) error {
	return st.s.store.InTx(ctx, func(tx store.Tx) error { return tx.DeleteSession(ctx, hash(token)) })
}

// Find is FindCtx for a caller without a context; scs asks for it and does not
// use it.
func (st *SessionStore) Find(token string) (data []byte, found bool, err error) {
	return st.FindCtx(context.Background(), token)
}

// Commit is CommitCtx for a caller without a context.
func (st *SessionStore) Commit(token string, data []byte, expiry time.Time) error {
	return st.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx for a caller without a context.
func (st *SessionStore) Delete(token string) error { return st.DeleteCtx(context.Background(), token) }

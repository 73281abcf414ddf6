package access

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/store"
)

type userKey struct{}

// WithUser says who is signed in: to [SessionStore.CommitCtx], whose session it
// is; to [Service.UseLink], who accepts an invitation. "" is nobody.
func WithUser(ctx context.Context, userID string) context.Context {
	return context.WithValue(ctx, userKey{}, userID)
}

func userOf(ctx context.Context) string {
	id, _ := ctx.Value(userKey{}).(string)
	return id
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

// CommitCtx stores a session of the context's user (see [WithUser]), or replaces
// it. What has expired is removed now and then.
func (st *SessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	err := st.s.store.InTx(ctx, func(tx store.Tx) error {
		return tx.PutSession(ctx, &mintage.Session{TokenHash: hash(token), UserID: userOf(ctx), Data: data, ExpiresAt: expiry})
	})
	if err == nil {
		st.s.sweep()
	}
	return err
}

// sweepEvery is how often expired sessions and links are removed, at most.
const sweepEvery = time.Hour

func (s *Service) sweep() {
	if !s.sweeps.allow(bucket{}, s.now()) {
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

package sqlite

import (
	"context"
	"time"

	"mintage"
)

func (r reader) Session(ctx context.Context, tokenHash []byte, now time.Time) (*mintage.Session, error) {
	return one(ctx, r.session, func(scan scanner) (*mintage.Session, error) {
		s := &mintage.Session{}
		err := scan(&s.TokenHash, &s.UserID, &s.Data, timeInto{&s.ExpiresAt})
		return s, err
	}, `
		SELECT token_hash, coalesce(user_id, ''), data, expires_at FROM sessions
		WHERE token_hash = ? AND expires_at > ?`,
		tokenHash, text(now))
}

func (t *tx) PutSession(ctx context.Context, s *mintage.Session) error {
	_, err := t.exec(ctx, `
		INSERT INTO sessions (token_hash, user_id, data, expires_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (token_hash) DO UPDATE SET user_id = excluded.user_id, data = excluded.data, expires_at = excluded.expires_at`,
		s.TokenHash, orNull(s.UserID), s.Data, text(s.ExpiresAt))
	return err
}

func (t *tx) DeleteSession(ctx context.Context, tokenHash []byte) error {
	_, err := t.exec(ctx, `DELETE FROM sessions WHERE token_hash = ?`, tokenHash)
	return err
}

func (t *tx) DeleteSessions(ctx context.Context, userID string) error {
	_, err := t.exec(ctx, `DELETE FROM sessions WHERE user_id = ?`, userID)
	return err
}

func (t *tx) DeleteExpired(ctx context.Context, now time.Time) error {
	if _, err := t.exec(ctx, `DELETE FROM sessions WHERE expires_at <= ?`, text(now)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM sign_in_links WHERE expires_at <= ?`, text(now))
	return err
}

func (t *tx) CreateSignInLink(ctx context.Context, l *mintage.SignInLink) error {
	_, err := t.exec(ctx, `INSERT INTO sign_in_links (hash, user_id, expires_at, used_at) VALUES (?, ?, ?, ?)`,
		l.Hash, orNull(l.UserID), text(l.ExpiresAt), text(l.UsedAt))
	return err
}

func (t *tx) UseSignInLink(ctx context.Context, hash []byte, now time.Time) (*mintage.SignInLink, error) {
	return one(ctx, t.session, func(scan scanner) (*mintage.SignInLink, error) {
		l := &mintage.SignInLink{}
		err := scan(&l.Hash, &l.UserID, timeInto{&l.ExpiresAt}, timeInto{&l.UsedAt})
		return l, err
	}, `
		UPDATE sign_in_links SET used_at = ?2
		WHERE hash = ?1 AND used_at IS NULL AND expires_at > ?2
		RETURNING hash, coalesce(user_id, ''), expires_at, used_at`,
		hash, text(now))
}

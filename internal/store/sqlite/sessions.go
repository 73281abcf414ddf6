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

func (t *tx) CreateSession(ctx context.Context, s *mintage.Session, generation int64) error {
	return found(t.exec(ctx, `
		INSERT INTO sessions (token_hash, user_id, data, expires_at) SELECT ?1, ?2, ?3, ?4
		WHERE ?2 IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = ?2 AND generation = ?5)`,
		s.TokenHash, orNull(s.UserID), s.Data, text(s.ExpiresAt), generation))
}

func (t *tx) UpdateSession(ctx context.Context, s *mintage.Session) error {
	return found(t.exec(ctx, `UPDATE sessions SET data = ?, expires_at = ? WHERE token_hash = ?`, s.Data, text(s.ExpiresAt), s.TokenHash))
}

func (t *tx) DeleteSession(ctx context.Context, tokenHash []byte) error {
	_, err := t.exec(ctx, `DELETE FROM sessions WHERE token_hash = ?`, tokenHash)
	return err
}

func (t *tx) DeleteSessions(ctx context.Context, userID string) error {
	if _, err := t.exec(ctx, `UPDATE users SET generation = generation + 1 WHERE id = ?`, userID); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM sessions WHERE user_id = ?`, userID)
	return err
}

func (t *tx) DeleteExpired(ctx context.Context, now time.Time) error {
	for _, table := range []string{"sessions", "invitations", "set_up_links"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE expires_at <= ?`, text(now)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) CreateSetUpLink(ctx context.Context, l *mintage.SetUpLink) error {
	_, err := t.exec(ctx, `INSERT INTO set_up_links (hash, expires_at, used_at) VALUES (?, ?, ?)`,
		l.Hash, text(l.ExpiresAt), text(l.UsedAt))
	return err
}

func (t *tx) UseSetUpLink(ctx context.Context, hash []byte, now time.Time) error {
	return found(t.exec(ctx, `UPDATE set_up_links SET used_at = ?2 WHERE hash = ?1 AND used_at IS NULL AND expires_at > ?2`, hash, text(now)))
}

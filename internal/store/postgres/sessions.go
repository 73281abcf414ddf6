package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
)

func (t *tx) Session(ctx context.Context, tokenHash []byte, now time.Time) (*mintage.Session, error) {
	return one(ctx, t, func(row pgx.Row) (*mintage.Session, error) {
		s := new(mintage.Session)
		return s, row.Scan(&s.TokenHash, &s.UserID, &s.Data, utc(&s.ExpiresAt))
	}, `SELECT token_hash, coalesce(user_id::text, ''), data, expires_at FROM mintage_session($1::bytea, $2)`, tokenHash, now)
}

func (t *tx) CreateSession(ctx context.Context, s *mintage.Session, generation int64) error {
	if s.UserID == "" {
		_, err := t.exec(ctx, `SELECT mintage_create_session($1::bytea, $2::bytea, $3)`, s.TokenHash, s.Data, s.ExpiresAt)
		return err
	}
	if !isID(s.UserID) {
		return notFound()
	}
	return t.change(ctx, `SELECT FROM mintage_create_session_of($1::uuid, $2, $3::bytea, $4::bytea, $5)`,
		s.UserID, generation, s.TokenHash, s.Data, s.ExpiresAt)
}

func (t *tx) UpdateSession(ctx context.Context, s *mintage.Session) error {
	return t.change(ctx, `SELECT FROM mintage_update_session($1::bytea, $2::bytea, $3)`, s.TokenHash, s.Data, s.ExpiresAt)
}

func (t *tx) DeleteSession(ctx context.Context, tokenHash []byte) error {
	_, err := t.exec(ctx, `SELECT mintage_delete_session($1::bytea)`, tokenHash)
	return err
}

func (t *tx) DeleteSessions(ctx context.Context, userID string) error {
	if !isID(userID) {
		return nil
	}
	_, err := t.exec(ctx, `SELECT mintage_delete_sessions($1::uuid)`, userID)
	return err
}

func (t *tx) DeleteExpired(ctx context.Context, now time.Time) error {
	_, err := t.exec(ctx, `SELECT mintage_delete_expired($1)`, now)
	return err
}

func (t *tx) CreateSetUpLink(ctx context.Context, l *mintage.SetUpLink) error {
	_, err := t.exec(ctx, `SELECT mintage_create_set_up_link($1::bytea, $2, $3::timestamptz)`, l.Hash, l.ExpiresAt, nullTime(l.UsedAt))
	return err
}

func (t *tx) UseSetUpLink(ctx context.Context, hash []byte, now time.Time) error {
	return t.change(ctx, `SELECT FROM mintage_use_set_up_link($1::bytea, $2)`, hash, now)
}

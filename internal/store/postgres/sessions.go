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

func (t *tx) PutSession(ctx context.Context, s *mintage.Session) error {
	_, err := t.exec(ctx, `SELECT mintage_put_session($1::bytea, nullif($2::text, '')::uuid, $3::bytea, $4)`,
		s.TokenHash, s.UserID, s.Data, s.ExpiresAt)
	return err
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

func (t *tx) CreateSignInLink(ctx context.Context, l *mintage.SignInLink) error {
	_, err := t.exec(ctx, `SELECT mintage_create_sign_in_link($1::bytea, nullif($2::text, '')::uuid, $3, $4::timestamptz)`,
		l.Hash, l.UserID, l.ExpiresAt, nullTime(l.UsedAt))
	return err
}

func (t *tx) UseSignInLink(ctx context.Context, hash []byte, now time.Time) (*mintage.SignInLink, error) {
	return one(ctx, t, func(row pgx.Row) (*mintage.SignInLink, error) {
		l := new(mintage.SignInLink)
		return l, row.Scan(&l.Hash, &l.UserID, utc(&l.ExpiresAt), utc(&l.UsedAt))
	}, `SELECT hash, coalesce(user_id::text, ''), expires_at, used_at FROM mintage_use_sign_in_link($1::bytea, $2)`, hash, now)
}

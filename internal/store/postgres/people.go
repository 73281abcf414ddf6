package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mintage"
)

// Users, identities, sessions and sign-in links are reached through the doors of
// migration 00002 only, by every role alike.

const selectUser = `SELECT id, email, name, coalesce(password_hash, ''), created_at FROM `

func scanUser(row pgx.Row) (*mintage.User, error) {
	u := new(mintage.User)
	return u, row.Scan(&u.ID, &u.Email, &u.Name, &u.PasswordHash, utc(&u.CreatedAt))
}

func (t *tx) HasUsers(ctx context.Context) (has bool, err error) {
	err = t.get(ctx, []any{&has}, `SELECT mintage_has_users()`)
	return has, err
}

func (t *tx) UserByEmail(ctx context.Context, email string) (*mintage.User, error) {
	return one(ctx, t, scanUser, selectUser+`mintage_user_by_email($1)`, email)
}

func (t *tx) UserByID(ctx context.Context, id string) (*mintage.User, error) {
	if !isID(id) {
		return nil, notFound()
	}
	return one(ctx, t, scanUser, selectUser+`mintage_user($1::uuid)`, id)
}

func (t *tx) UserByIdentity(ctx context.Context, issuer, subject string) (*mintage.User, error) {
	return one(ctx, t, scanUser, selectUser+`mintage_user_by_identity($1, $2)`, issuer, subject)
}

func (t *tx) Identities(ctx context.Context, userID string) ([]string, error) {
	if !isID(userID) {
		return nil, nil
	}
	issuers := []string{}
	err := t.get(ctx, []any{&issuers}, `
		SELECT coalesce(array_agg(issuer ORDER BY issuer COLLATE "C"), '{}') FROM mintage_identities($1::uuid) AS issuer`, userID)
	return issuers, err
}

func (t *tx) CreateUser(ctx context.Context, u *mintage.User) error {
	_, err := t.exec(ctx, `SELECT mintage_create_user($1::uuid, $2, $3, nullif($4::text, ''), $5)`,
		u.ID, u.Email, u.Name, u.PasswordHash, u.CreatedAt)
	return err
}

func (t *tx) UpdateUser(ctx context.Context, u *mintage.User) error {
	if !isID(u.ID) {
		return notFound()
	}
	return t.change(ctx, `SELECT FROM mintage_update_user($1::uuid, $2, nullif($3::text, ''))`, u.ID, u.Name, u.PasswordHash)
}

func (t *tx) LinkIdentity(ctx context.Context, userID, issuer, subject string) error {
	n, err := t.exec(ctx, `SELECT FROM mintage_link_identity($1::uuid, $2, $3)`, userID, issuer, subject)
	if err == nil && n == 0 {
		return conflict("The identity is another user's.")
	}
	return err
}

const selectMember = `
	SELECT brand_number, user_id, role, created_at, email, name, brand_id, brand_name, admins_submit
	FROM `

func scanMember(row pgx.Row) (*mintage.Member, error) {
	m := new(mintage.Member)
	return m, row.Scan(&m.BrandNumber, &m.UserID, &m.Role, utc(&m.CreatedAt), &m.Email, &m.Name,
		&m.BrandID, &m.BrandName, &m.AdminsSubmit)
}

func (t *tx) Memberships(ctx context.Context, userID string) ([]*mintage.Member, error) {
	if !isID(userID) {
		return nil, nil
	}
	return many(ctx, t, scanMember, selectMember+`mintage_memberships($1::uuid) ORDER BY number`, userID)
}

func (t *tx) Members(ctx context.Context, brand int64) ([]*mintage.Member, error) {
	return many(ctx, t, scanMember, selectMember+`brand_members WHERE brand_number = $1 ORDER BY number`, brand)
}

// LockMembers reads after it has locked, with a second statement, which sees what
// was committed while it waited.
func (t *tx) LockMembers(ctx context.Context, brand int64) ([]*mintage.Member, error) {
	if err := t.lockBrand(ctx, brand); err != nil {
		return nil, err
	}
	return t.Members(ctx, brand)
}

// lockBrand makes those who change a brand's members come one after another. New
// rows that refer to the brand do not wait for it.
func (t *tx) lockBrand(ctx context.Context, brand int64) error {
	_, err := t.exec(ctx, `SELECT FROM brands WHERE number = $1 FOR NO KEY UPDATE`, brand)
	return err
}

func (t *tx) PutMember(ctx context.Context, m *mintage.Member) error {
	if err := t.lockBrand(ctx, m.BrandNumber); err != nil {
		return err
	}
	_, err := t.exec(ctx, `
		INSERT INTO members (brand_number, user_id, role, created_at) VALUES ($1, $2::uuid, $3, $4)
		ON CONFLICT (brand_number, user_id) DO UPDATE SET role = EXCLUDED.role`,
		m.BrandNumber, m.UserID, string(m.Role), m.CreatedAt)
	return err
}

func (t *tx) RemoveMember(ctx context.Context, brand int64, userID string) error {
	if !isID(userID) {
		return notFound()
	}
	if err := t.lockBrand(ctx, brand); err != nil {
		return err
	}
	return t.change(ctx, `DELETE FROM members WHERE brand_number = $1 AND user_id = $2::uuid`, brand, userID)
}

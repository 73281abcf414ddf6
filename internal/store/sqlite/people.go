package sqlite

import (
	"context"

	"mintage"
)

const userColumns = `id, email, name, coalesce(password_hash, ''), created_at`

func scanUser(scan scanner) (*mintage.User, error) {
	u := &mintage.User{}
	err := scan(&u.ID, &u.Email, &u.Name, &u.PasswordHash, timeInto{&u.CreatedAt})
	return u, err
}

func (r reader) HasUsers(ctx context.Context) (bool, error) {
	n, err := one(ctx, r.session, integer, `SELECT EXISTS (SELECT 1 FROM users)`)
	return n == 1, err
}

// UserByEmail compares as the column does: without regard to case.
func (r reader) UserByEmail(ctx context.Context, email string) (*mintage.User, error) {
	return one(ctx, r.session, scanUser, `SELECT `+userColumns+` FROM users WHERE email = ?`, email)
}

func (r reader) UserByID(ctx context.Context, id string) (*mintage.User, error) {
	return one(ctx, r.session, scanUser, `SELECT `+userColumns+` FROM users WHERE id = ?`, id)
}

func (r reader) UserByIdentity(ctx context.Context, issuer, subject string) (*mintage.User, error) {
	return one(ctx, r.session, scanUser, `
		SELECT `+userColumns+` FROM users
		WHERE id = (SELECT user_id FROM identities WHERE issuer = ? AND subject = ?)`,
		issuer, subject)
}

func (r reader) Identities(ctx context.Context, userID string) ([]string, error) {
	return list(ctx, r.session, func(scan scanner) (issuer string, err error) {
		err = scan(&issuer)
		return issuer, err
	}, `SELECT DISTINCT issuer FROM identities WHERE user_id = ? ORDER BY issuer`, userID)
}

func (t *tx) CreateUser(ctx context.Context, u *mintage.User) error {
	_, err := t.exec(ctx, `INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, ?, ?)`,
		u.ID, u.Email, u.Name, orNull(u.PasswordHash), text(u.CreatedAt))
	return err
}

func (t *tx) UpdateUser(ctx context.Context, u *mintage.User) error {
	return found(t.exec(ctx, `UPDATE users SET name = ?, password_hash = ? WHERE id = ?`, u.Name, orNull(u.PasswordHash), u.ID))
}

func (t *tx) LinkIdentity(ctx context.Context, userID, issuer, subject string) error {
	// The identity may be the user's already; another's meets the primary key.
	_, err := t.exec(ctx, `
		INSERT INTO identities (issuer, subject, user_id) SELECT ?1, ?2, ?3
		WHERE NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ?1 AND subject = ?2 AND user_id = ?3)`,
		issuer, subject, userID)
	return err
}

const selectMember = `
	SELECT m.brand_number, m.user_id, m.role, m.created_at, u.email, u.name, b.id, b.name, b.admins_submit
	FROM members m JOIN users u ON u.id = m.user_id JOIN brands b ON b.number = m.brand_number`

func scanMember(scan scanner) (*mintage.Member, error) {
	m := &mintage.Member{}
	err := scan(&m.BrandNumber, &m.UserID, &m.Role, timeInto{&m.CreatedAt}, &m.Email, &m.Name, &m.BrandID, &m.BrandName, &m.AdminsSubmit)
	return m, err
}

func (r reader) Memberships(ctx context.Context, userID string) ([]*mintage.Member, error) {
	return list(ctx, r.session, scanMember, selectMember+` WHERE m.user_id = ? ORDER BY m.number`, userID)
}

func (r reader) Members(ctx context.Context, brand int64) ([]*mintage.Member, error) {
	return list(ctx, r.session, scanMember, selectMember+` WHERE m.brand_number = ? ORDER BY m.number`, brand)
}

// LockMembers only reads: the transaction is the only writer.
func (t *tx) LockMembers(ctx context.Context, brand int64) ([]*mintage.Member, error) {
	return t.Members(ctx, brand)
}

func (t *tx) PutMember(ctx context.Context, m *mintage.Member) error {
	_, err := t.exec(ctx, `
		INSERT INTO members (brand_number, user_id, role, created_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (brand_number, user_id) DO UPDATE SET role = excluded.role`,
		m.BrandNumber, m.UserID, m.Role, text(m.CreatedAt))
	return err
}

func (t *tx) RemoveMember(ctx context.Context, brand int64, userID string) error {
	return found(t.exec(ctx, `DELETE FROM members WHERE brand_number = ? AND user_id = ?`, brand, userID))
}

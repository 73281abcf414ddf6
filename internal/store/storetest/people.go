package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"

	"mintage"
	"mintage/internal/store"
)

// NewUser creates a user, as changed by edit, who cannot sign in with a password.
func (f *Fixture) NewUser(edit ...func(*mintage.User)) *mintage.User {
	f.t.Helper()
	f.count++
	u := &mintage.User{
		ID:        NewID(),
		Email:     fmt.Sprintf("user-%d@mail.example", f.count),
		Name:      fmt.Sprintf("User %d", f.count),
		CreatedAt: f.Now(),
	}
	for _, e := range edit {
		e(u)
	}
	f.inTx(func(ctx context.Context, tx store.Tx) error { return tx.CreateUser(ctx, u) })
	return u
}

// NewMember makes a user a member of a brand. What it returns is as it is read.
func (f *Fixture) NewMember(b *mintage.Brand, u *mintage.User, role mintage.Role) *mintage.Member {
	f.t.Helper()
	m := &mintage.Member{
		BrandNumber:  b.Number,
		UserID:       u.ID,
		Role:         role,
		CreatedAt:    f.Now(),
		Email:        u.Email,
		Name:         u.Name,
		BrandID:      b.ID,
		BrandName:    b.Name,
		AdminsSubmit: b.AdminsSubmit,
	}
	f.inTx(func(ctx context.Context, tx store.Tx) error { return tx.PutMember(ctx, m) })
	return m
}

// NewKey creates an API key of a brand, as changed by edit, whose secret nobody
// knows. It is an owner's otherwise.
func (f *Fixture) NewKey(b *mintage.Brand, edit ...func(*mintage.APIKey)) *mintage.APIKey {
	f.t.Helper()
	hash := sha256.Sum256([]byte(rand.Text()))
	k := &mintage.APIKey{
		ID:           strings.ToLower(rand.Text()[:12]),
		BrandNumber:  b.Number,
		Role:         mintage.RoleOwner,
		Hash:         hash[:],
		CreatedAt:    f.Now(),
		AdminsSubmit: b.AdminsSubmit,
	}
	for _, e := range edit {
		e(k)
	}
	f.inTx(func(ctx context.Context, tx store.Tx) error { return tx.CreateAPIKey(ctx, k) })
	return k
}

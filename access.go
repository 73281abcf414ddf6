package mintage

import (
	"slices"
	"time"
)

// Role says what a principal may do within its brand.
type Role string

// Roles, each one including those before it.
const (
	RoleViewer   Role = "viewer"
	RoleOperator Role = "operator"
	RoleAdmin    Role = "admin"
	RoleOwner    Role = "owner"
)

// Roles lists every role, least first.
var Roles = []Role{RoleViewer, RoleOperator, RoleAdmin, RoleOwner}

// Includes reports whether r may do all that other may.
func (r Role) Includes(other Role) bool {
	mine, theirs := slices.Index(Roles, r), slices.Index(Roles, other)
	return mine >= 0 && theirs >= 0 && mine >= theirs
}

// MayManage reports whether r may give or take away other, or change what has
// it: owners everything, admins operators and viewers.
func (r Role) MayManage(other Role) bool {
	switch r {
	case RoleOwner:
		return slices.Contains(Roles, other)
	case RoleAdmin:
		return other == RoleOperator || other == RoleViewer
	default:
		return false
	}
}

// APIKey lets a program act for one brand. The secret itself is not kept.
type APIKey struct {
	ID          string // public part of the key
	BrandNumber int64
	Role        Role
	Hash        []byte // SHA-256 of the secret part
	CreatedAt   time.Time
	ExpiresAt   time.Time // zero: never
	RevokedAt   time.Time // zero: not revoked
	LastUsedAt  time.Time // to the minute or so; zero: never used
	Label       string    // what the brand calls it; may be ""
	Successor   string    // ID of the key that takes its place; "": it was not rotated
	// AdminsSubmit is the brand's setting, read together with the key.
	AdminsSubmit bool
}

// Valid reports whether the key is accepted at a time: it is not revoked and has not
// expired.
func (k *APIKey) Valid(at time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || at.Before(k.ExpiresAt))
}

// Validate refuses a key that cannot be stored.
func (k *APIKey) Validate() error {
	if k.Label == "" {
		return nil
	}
	return validateText("label", k.Label, 100)
}

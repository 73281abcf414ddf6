package access

import (
	"context"
	"time"

	"github.com/google/uuid"

	"mintage"
	"mintage/internal/store"
)

// actorCLI is the actor of the installation's operator, who can reach the
// database and so is trusted with every account.
const actorCLI = "cli"

// Service makes and checks API keys, and looks after people and their sessions.
type Service struct {
	store     store.Store
	now       func() time.Time
	passwords *passwords
	throttle  *throttle
	refusals  *table // which leave events
	sweeps    *table
	later     *later
}

// New returns a service. now decides when something has expired. Close it before
// the store.
func New(s store.Store, now func() time.Time) *Service {
	return &Service{
		store: s, now: now,
		passwords: newPasswords(),
		throttle:  newThrottle(),
		refusals:  newTable(refusalEvery, 1),
		sweeps:    newTable(sweepEvery, 1),
		later:     newLater(),
	}
}

// Close waits for what is still to be written: last uses of keys, refused
// sign-ins. It gives up after 2 s, and returns the last failure since New, if any.
func (s *Service) Close() error { return s.later.close() }

// inBrand runs fn in a transaction of the principal's brand.
func (s *Service) inBrand(ctx context.Context, p mintage.Principal, fn func(store.Tx) error) error {
	return s.store.For(p.BrandNumber).InTx(ctx, fn)
}

// newID returns a UUID of version 7 (RFC 9562), which sorts by time.
func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return id.String(), nil
}

// missing says what was not found, in place of the store's own words.
func missing(what string, err error) error {
	if mintage.ErrorCode(err) != mintage.CodeNotFound {
		return err
	}
	return mintage.Errorf(mintage.CodeNotFound, "There is no such %s.", what).WithCause(err)
}

// refuseRole refuses a role that there is not, and one that the principal may not
// manage.
func refuseRole(p mintage.Principal, role mintage.Role) error {
	if !mintage.RoleOwner.Includes(role) {
		return mintage.Errorf(mintage.CodeInvalidInput, "The role must be viewer, operator, admin or owner.").WithField("role")
	}
	if p.Role.MayManage(role) {
		return nil
	}
	if p.Role == mintage.RoleAdmin {
		return mintage.Errorf(mintage.CodeForbidden, "Admins manage operators and viewers only; ask an owner for the role %s.", role)
	}
	return mintage.Errorf(mintage.CodeForbidden, "Only owners and admins manage members and API keys; ask one of them.")
}

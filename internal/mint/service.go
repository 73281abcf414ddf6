package mint

import (
	"time"

	"github.com/google/uuid"

	"mintage/internal/store"
)

// Service offers the use cases of minting to people and programs. A method that
// takes a principal acts for its brand and sees nothing else; those that do not
// are for the operator of the installation.
type Service struct {
	store store.Store
	keys  *Keyring
	now   func() time.Time
}

// New returns a service. now gives the times shown to people.
func New(s store.Store, keys *Keyring, now func() time.Time) *Service {
	return &Service{store: s, keys: keys, now: now}
}

// newID returns a UUID of version 7 (RFC 9562), which sorts by time.
func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return id.String(), nil
}

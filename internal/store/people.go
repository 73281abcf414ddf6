package store

import (
	"context"
	"time"

	"mintage"
)

// People and keys are looked up before the brand is known. On PostgreSQL the app
// role may do that through one narrow function each, which takes the exact key.

// PeopleReader reads users, members, invitations and sessions.
type PeopleReader interface {
	// HasUsers reports whether anybody can sign in yet.
	HasUsers(ctx context.Context) (bool, error)
	// UserByEmail disregards case.
	UserByEmail(ctx context.Context, email string) (*mintage.User, error)
	UserByID(ctx context.Context, id string) (*mintage.User, error)
	// UserByIdentity finds the user that an OpenID provider's subject was linked to.
	UserByIdentity(ctx context.Context, issuer, subject string) (*mintage.User, error)
	// Identities lists the issuers of the OpenID providers that have a subject
	// linked to a user, in the order of bytes, each once.
	Identities(ctx context.Context, userID string) (issuers []string, err error)
	// Memberships lists the brands of a user, oldest membership first.
	Memberships(ctx context.Context, userID string) ([]*mintage.Member, error)
	// Members lists the members of a brand, oldest first.
	Members(ctx context.Context, brand int64) ([]*mintage.Member, error)
	// Invitation finds an invitation by the hash of its secret, whether it has
	// expired or not, before the brand is known.
	Invitation(ctx context.Context, hash []byte) (*mintage.Invitation, error)
	// Invitations lists the invitations of a brand, oldest first, those that have
	// expired included.
	Invitations(ctx context.Context, brand int64) ([]*mintage.Invitation, error)
	// Session finds a session by the hash of its token; NOT_FOUND where it has
	// expired by now.
	Session(ctx context.Context, tokenHash []byte, now time.Time) (*mintage.Session, error)
	// APIKeys lists the keys of a brand, newest first.
	APIKeys(ctx context.Context, brand int64) ([]*mintage.APIKey, error)
}

// PeopleTx writes users, members, invitations and sessions.
type PeopleTx interface {
	// CreateUser fails with CONFLICT where the e-mail address is taken.
	CreateUser(ctx context.Context, u *mintage.User) error
	// LockUser reads a user and keeps others from changing the account, or ending
	// its sessions, until the transaction ends.
	LockUser(ctx context.Context, id string) (*mintage.User, error)
	// UpdateUser stores Name and PasswordHash.
	UpdateUser(ctx context.Context, u *mintage.User) error
	// LinkIdentity makes an OpenID provider's subject the user's. CONFLICT where
	// it is another user's.
	LinkIdentity(ctx context.Context, userID, issuer, subject string) error
	// PutMember stores a user's role in a brand, or replaces it.
	PutMember(ctx context.Context, m *mintage.Member) error
	// RemoveMember takes a user out of a brand. The account stays.
	RemoveMember(ctx context.Context, brand int64, userID string) error
	// LockMembers keeps others from changing a brand's members until the
	// transaction ends, and lists them, so that a last owner cannot be removed twice.
	LockMembers(ctx context.Context, brand int64) ([]*mintage.Member, error)

	// CreateInvitation fails with CONFLICT where the brand has one to this address
	// already, expired or not.
	CreateInvitation(ctx context.Context, i *mintage.Invitation) error
	// DeleteInvitation fails with NOT_FOUND where the brand has no such invitation:
	// of two who use it at once, one gets it.
	DeleteInvitation(ctx context.Context, brand int64, id string) error
	// DeleteInvitationTo removes the brand's invitation to an address, if there is
	// one.
	DeleteInvitationTo(ctx context.Context, brand int64, email string) error

	// CreateSession stores a new session. Its user's generation is what it was when
	// it became certain who asks: NOT_FOUND where all sessions of the user were ended
	// since. For a session of nobody it says nothing.
	CreateSession(ctx context.Context, s *mintage.Session, generation int64) error
	// UpdateSession stores Data and ExpiresAt. NOT_FOUND where there is no such
	// session: what was ended is never brought back.
	UpdateSession(ctx context.Context, s *mintage.Session) error
	// DeleteSession does nothing where there is none.
	DeleteSession(ctx context.Context, tokenHash []byte) error
	// DeleteSessions removes all sessions of a user, those under way included: it
	// begins a new generation.
	DeleteSessions(ctx context.Context, userID string) error
	// DeleteExpired removes sessions, invitations and set-up links that have expired.
	DeleteExpired(ctx context.Context, now time.Time) error

	CreateSetUpLink(ctx context.Context, l *mintage.SetUpLink) error
	// UseSetUpLink marks a link as used. NOT_FOUND where it does not exist, was used,
	// or has expired: of two who race, one gets it.
	UseSetUpLink(ctx context.Context, hash []byte, now time.Time) error

	// UpdateAPIKey stores ExpiresAt, RevokedAt and Successor. NOT_FOUND where the
	// brand has no such key.
	UpdateAPIKey(ctx context.Context, k *mintage.APIKey) error
	// TouchAPIKey stores when a key was last used.
	TouchAPIKey(ctx context.Context, brand int64, id string, at time.Time) error
}

// KeyCheckReader reads the check value of the installation's master key.
type KeyCheckReader interface {
	// KeyCheck fails with NOT_FOUND where none was stored yet.
	KeyCheck(ctx context.Context) ([]byte, error)
}

// KeyCheckTx stores it, once.
type KeyCheckTx interface {
	// SetKeyCheck fails with CONFLICT where there is one already.
	SetKeyCheck(ctx context.Context, check []byte) error
}

// SealReader reads the hash chains over the events.
type SealReader interface {
	// LastSeal returns the newest block of a brand's chain; NOT_FOUND before the
	// first one.
	LastSeal(ctx context.Context, brand int64) (*mintage.Seal, error)
	// Seals lists blocks with a number above after, oldest first, at most limit.
	Seals(ctx context.Context, brand, after int64, limit int) ([]*mintage.Seal, error)
	// EventsBetween lists a brand's events with after < number <= upTo, oldest
	// first, at most limit, as they are stored (BatchID and JobID stay empty).
	EventsBetween(ctx context.Context, brand, after, upTo int64, limit int) ([]*mintage.Event, error)
	// UnsealedBrands lists the brands that have events above the last sealed one,
	// up to a number: at most limit of them.
	UnsealedBrands(ctx context.Context, upTo int64, limit int) ([]int64, error)
	// UnsealedSince returns the time of the oldest event that stands first above the
	// last sealed one of its brand; zero where all are sealed.
	UnsealedSince(ctx context.Context) (time.Time, error)
	// TrailBrands lists the brand numbers that events and blocks name, in order,
	// whether there is such a brand or not.
	TrailBrands(ctx context.Context) ([]int64, error)
}

// SealTx extends them.
type SealTx interface {
	// LockSeals takes the right to seal until the transaction ends, and reports
	// whether it got it: one process seals at a time.
	LockSeals(ctx context.Context) (bool, error)
	// AppendSeal fails with CONFLICT where the brand has a block of this number.
	AppendSeal(ctx context.Context, s *mintage.Seal) error
}

package mintage

import (
	"net/mail"
	"strings"
	"time"
)

// User is a person who may sign in. A user may be a member of several brands.
type User struct {
	ID           string
	Email        string // as typed; compared without regard to case
	Name         string
	PasswordHash string // argon2id in PHC form; "" for who has none
	CreatedAt    time.Time
}

// Validate refuses a user that cannot be stored.
func (u *User) Validate() error {
	if err := validateText("name", u.Name, 100); err != nil {
		return err
	}
	if !ValidEmail(u.Email) {
		return Errorf(CodeInvalidInput, "The e-mail address must be of the form name@example.com.").WithField("email")
	}
	return nil
}

// ValidEmail reports whether text is an e-mail address (RFC 5321: at most 254
// characters) in its plain form. Those with letters beyond ASCII (RFC 6531) are
// not accepted: with them, addresses of two people can look or compare alike.
func ValidEmail(text string) bool {
	if len(text) > 254 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) ||
		strings.ContainsAny(text, `"\()<>[],;:`) {
		return false
	}
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text
}

// Member is a user's place in a brand.
type Member struct {
	BrandNumber int64
	UserID      string
	Role        Role
	CreatedAt   time.Time

	// Read with it.
	Email, Name        string
	BrandID, BrandName string
	AdminsSubmit       bool // the brand's setting
}

// SignInLink lets whoever has its secret sign in, once.
type SignInLink struct {
	Hash      []byte // SHA-256 of the secret
	UserID    string // "" for the first owner of an installation, who has no account yet
	ExpiresAt time.Time
	UsedAt    time.Time // zero: not used
}

// Session is a signed-in browser.
type Session struct {
	TokenHash []byte // SHA-256 of the cookie's token
	UserID    string // "" while nobody is signed in
	Data      []byte
	ExpiresAt time.Time
}

// Seal is a block of a brand's hash chain over its events.
type Seal struct {
	BrandNumber int64
	Number      int64 // of the block, from 1 without gaps
	LastEvent   int64 // the block covers the brand's events up to this number, from the block before on
	Digests     []byte
	Hash        []byte // SHA-256 over the block before and this one
	SealedAt    time.Time
}

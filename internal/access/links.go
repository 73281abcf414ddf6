package access

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mintage"
	"mintage/internal/store"
)

// firstLinkLife is how long the first owner's link is valid.
const firstLinkLife = 30 * time.Minute

// CodeSignInFirst is the code of [Service.UseLink]'s error for a link that is good,
// but only for whoever is signed in to the invited account.
const CodeSignInFirst mintage.Code = "SIGN_IN_FIRST"

// Kinds of invitations.
const (
	forMember = "m" // who is a member, with that role
	toJoin    = "j" // whose account another brand made
	toRecover = "r" // by the installation's operator: whoever it is, without the password
)

// invitation is what the secret of an invitation's link says. Only its hash is
// stored, so nobody can make it say something else.
type invitation struct {
	random string // secretLength characters
	kind   string
	brand  int64
	role   mintage.Role
}

// String is the secret. Its characters need no escaping in a URL.
func (in invitation) String() string {
	return fmt.Sprintf("%s-%s-%d-%s", in.random, in.kind, in.brand, in.role)
}

func parseInvitation(secret string) (in invitation, ok bool) {
	parts := strings.Split(secret, "-")
	if len(parts) != 4 {
		return in, false
	}
	brand, err := strconv.ParseInt(parts[2], 10, 64)
	in = invitation{random: parts[0], kind: parts[1], brand: brand, role: mintage.Role(parts[3])}
	return in, err == nil && in.String() == secret && len(in.random) == secretLength
}

// FirstLink makes the secret of a one-time link, valid for 30 minutes, with which
// the first owner of an installation sets up the account. "" where somebody has an
// account already.
func (s *Service) FirstLink(ctx context.Context) (secret string, err error) {
	err = s.store.InTx(ctx, func(tx store.Tx) error {
		secret = ""
		if has, err := tx.HasUsers(ctx); has || err != nil {
			return err
		}
		secret = randomText(secretLength)
		return tx.CreateSignInLink(ctx, &mintage.SignInLink{Hash: hash(secret), ExpiresAt: s.now().Add(firstLinkLife)})
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// IsSetUp reports whether somebody has an account already.
func (s *Service) IsSetUp(ctx context.Context) (is bool, err error) {
	err = s.store.Read(ctx, func(r store.Reader) (err error) {
		is, err = r.HasUsers(ctx)
		return err
	})
	return is, err
}

// UseLink uses a one-time link up and returns who is signed in by it: nil for the
// first owner, who goes through SetUp next. UNAUTHORIZED where it was used before,
// has expired, or never existed.
//
// An invitation signs in to an account that nobody has used yet. Otherwise the
// context must say that its user is signed in (see [WithUser]); if not,
// [CodeSignInFirst], and the link stays good. All other sessions of the user end,
// so that nobody who was in the account before follows into the brand.
func (s *Service) UseLink(ctx context.Context, secret string, from mintage.Origin) (*mintage.User, error) {
	refused := mintage.Errorf(mintage.CodeUnauthorized, "The link is not valid: it was used already, has expired, or is incomplete. Ask for a new one.")
	if len(secret) == secretLength {
		return nil, s.useFirstLink(ctx, secret, refused)
	}
	in, ok := parseInvitation(secret)
	if !ok {
		return nil, refused
	}
	var u *mintage.User
	err := s.store.For(in.brand).InTx(ctx, func(tx store.Tx) (err error) {
		link, err := tx.UseSignInLink(ctx, hash(secret), s.now())
		if mintage.ErrorCode(err) == mintage.CodeNotFound || err == nil && link.UserID == "" {
			return refused
		}
		if err != nil {
			return err
		}
		if u, err = tx.UserByID(ctx, link.UserID); err != nil {
			return err
		}
		if err := mayEnter(ctx, tx, in, u); err != nil {
			return err
		}
		return s.enter(ctx, tx, in, u, from, refused)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

func (s *Service) useFirstLink(ctx context.Context, secret string, refused error) error {
	return s.store.InTx(ctx, func(tx store.Tx) error {
		link, err := tx.UseSignInLink(ctx, hash(secret), s.now())
		if mintage.ErrorCode(err) == mintage.CodeNotFound || err == nil && link.UserID != "" {
			return refused
		}
		if err != nil {
			return err
		}
		has, err := tx.HasUsers(ctx)
		if has {
			return refused
		}
		return err
	})
}

// mayEnter refuses an account that somebody else might use, unless its user asks,
// and ends the sessions of one that it lets in.
func mayEnter(ctx context.Context, tx store.Tx, in invitation, u *mintage.User) error {
	if in.kind == toRecover {
		return takePassword(ctx, tx, u)
	}
	if userOf(ctx) != u.ID {
		free, err := untouched(ctx, tx, u, in.brand)
		if err != nil {
			return err
		}
		if !free {
			return mintage.Errorf(CodeSignInFirst, "There is an account with the invited e-mail address. Sign in to it first, then open this link again.")
		}
	}
	return tx.DeleteSessions(ctx, u.ID)
}

// enter makes the user a member where the invitation says so, and leaves the
// events.
func (s *Service) enter(ctx context.Context, tx store.Tx, in invitation, u *mintage.User, from mintage.Origin, refused error) error {
	members, err := tx.LockMembers(ctx, in.brand)
	if err != nil {
		return err
	}
	at := s.now()
	p := mintage.Principal{BrandNumber: in.brand, Actor: "user:" + u.ID, Origin: from}
	m := find(members, u.ID)
	// A member who was removed since stays out. So does one with another role: whoever
	// made the link might not have been allowed to make it for that role.
	if in.kind == forMember && (m == nil || m.Role != in.role) {
		return refused
	}
	if m == nil {
		m = &mintage.Member{BrandNumber: in.brand, UserID: u.ID, Role: in.role, CreatedAt: at}
		if err := addMember(ctx, tx, p, m); err != nil {
			return err
		}
	}
	e := p.Event(mintage.EventSignedIn, at)
	e.SubjectID, e.Message = u.ID, "by a one-time link"
	return tx.AppendEvent(ctx, e)
}

// SetUp is what the first owner of an installation says.
type SetUp struct {
	Email, Name, Password string
}

// Validate refuses what SetUp would refuse, so that a caller who has more to make
// can ask before.
func (in SetUp) Validate() error {
	u := &mintage.User{Email: in.Email, Name: in.Name}
	if err := u.Validate(); err != nil {
		return err
	}
	return checkPassword(in.Password, u)
}

// SetUp makes the first account of an installation, for who has used the first
// link, and makes it an owner of each brand there is. FORBIDDEN where somebody has
// an account already.
//
// Under a database role that sees one brand at a time, the first brand comes in the
// account's transaction and each further one in its own; where one of them fails,
// the installation's operator can invite the owner.
func (s *Service) SetUp(ctx context.Context, in SetUp, from mintage.Origin) (*mintage.User, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	u := &mintage.User{Email: in.Email, Name: in.Name, CreatedAt: s.now()}
	var err error
	if u.PasswordHash, err = s.passwords.hash(ctx, in.Password); err != nil {
		return nil, err
	}
	if u.ID, err = newID(); err != nil {
		return nil, err
	}
	var brands []*mintage.Brand
	err = s.store.Read(ctx, func(r store.Reader) (err error) {
		brands, err = r.Brands(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	create := func(tx store.Tx) error {
		has, err := tx.HasUsers(ctx)
		if err != nil {
			return err
		}
		if has {
			return mintage.Errorf(mintage.CodeForbidden, "This installation is set up already; sign in, or ask an owner for an invitation.")
		}
		return tx.CreateUser(ctx, u)
	}
	if len(brands) == 0 {
		err = s.store.InTx(ctx, create)
	}
	for i, b := range brands {
		p := mintage.Principal{BrandNumber: b.Number, Actor: "user:" + u.ID, Origin: from}
		err = s.inBrand(ctx, p, func(tx store.Tx) error {
			if _, err := tx.LockMembers(ctx, b.Number); err != nil { // of two who set up at once, one finds the other
				return err
			}
			if i == 0 {
				if err := create(tx); err != nil {
					return err
				}
			}
			m := &mintage.Member{BrandNumber: b.Number, UserID: u.ID, Role: mintage.RoleOwner, CreatedAt: u.CreatedAt}
			return addMember(ctx, tx, p, m)
		})
		if err != nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

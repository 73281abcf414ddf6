package access

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/store"
)

// firstLinkLife is how long the first owner's link is valid.
const firstLinkLife = 30 * time.Minute

// CodeSignInFirst is the code of [Service.UseLink]'s error for a link that is good,
// but only for whoever is signed in to the invited account.
const CodeSignInFirst mintage.Code = "SIGN_IN_FIRST"

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
		return tx.CreateSetUpLink(ctx, &mintage.SetUpLink{Hash: hash(secret), ExpiresAt: s.now().Add(firstLinkLife)})
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
// has expired, never existed, or was an invitation that its maker could not make any
// more.
//
// An invitation makes an account where there is none with its address, and signs in
// to one that nobody has used yet. Otherwise the context must say that its user is
// signed in (see [WithSession]); if not, [CodeSignInFirst], and the link stays good.
// All other sessions of the user end, so that nobody who was in the account before
// follows into the brand.
func (s *Service) UseLink(ctx context.Context, secret string, from mintage.Origin) (*mintage.User, error) {
	refused := mintage.Errorf(mintage.CodeUnauthorized, "The link is not valid: it was used already, has expired, or is incomplete. Ask for a new one.")
	if len(secret) != secretLength {
		return nil, refused
	}
	var in *mintage.Invitation
	err := s.store.Read(ctx, func(r store.Reader) (err error) {
		in, err = r.Invitation(ctx, hash(secret))
		return err
	})
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return nil, s.useFirstLink(ctx, secret, refused)
	}
	if err != nil {
		return nil, err
	}
	var u *mintage.User
	err = s.store.For(in.BrandNumber).InTx(ctx, func(tx store.Tx) error {
		members, err := tx.LockMembers(ctx, in.BrandNumber)
		if err != nil {
			return err
		}
		switch err := tx.DeleteInvitation(ctx, in.BrandNumber, in.ID); mintage.ErrorCode(err) {
		case "":
		case mintage.CodeNotFound: // it was used, or made void
			return refused
		default:
			return err
		}
		if good, err := s.stillGood(ctx, tx, in, members); !good || err != nil {
			if err == nil {
				err = refused
			}
			return err
		}
		if u, err = s.enter(ctx, tx, in); err != nil {
			return err
		}
		return s.join(ctx, tx, in, members, u, from)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

func (s *Service) useFirstLink(ctx context.Context, secret string, refused error) error {
	return s.store.InTx(ctx, func(tx store.Tx) error {
		err := tx.UseSetUpLink(ctx, hash(secret), s.now())
		if mintage.ErrorCode(err) == mintage.CodeNotFound {
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

// stillGood reports whether an invitation has not expired, and whoever made it could
// still make it: somebody who was removed or demoted since lets nobody in.
func (s *Service) stillGood(ctx context.Context, r store.Reader, in *mintage.Invitation, members []*mintage.Member) (bool, error) {
	if !s.now().Before(in.ExpiresAt) {
		return false, nil
	}
	if in.Inviter == actorCLI {
		return true, nil
	}
	if id, is := userOf(in.Inviter); is {
		m := find(members, id)
		return m != nil && m.Role.MayManage(in.Role), nil
	}
	id, is := keyOf(in.Inviter)
	if !is {
		return false, nil
	}
	k, err := r.APIKey(ctx, id)
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return false, nil
	}
	return err == nil && k.BrandNumber == in.BrandNumber && k.Valid(s.now()) && k.Role.MayManage(in.Role), err
}

// enter returns the account with an invitation's address, which it makes where there
// is none. It refuses one that somebody else might use, unless its user asks, and
// ends the sessions of one that it lets in.
func (s *Service) enter(ctx context.Context, tx store.Tx, in *mintage.Invitation) (*mintage.User, error) {
	u, err := tx.UserByEmail(ctx, in.Email)
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return s.makeAccount(ctx, tx, in)
	}
	if err != nil {
		return nil, err
	}
	if u, err = tx.LockUser(ctx, u.ID); err != nil {
		return nil, err
	}
	if in.Inviter == actorCLI {
		return takePassword(ctx, tx, u)
	}
	mayEnter, err := s.isSignedIn(ctx, tx, u.ID)
	if !mayEnter && err == nil {
		mayEnter, err = untouched(ctx, tx, u)
	}
	if err != nil {
		return nil, err
	}
	if !mayEnter {
		return nil, mintage.Errorf(CodeSignInFirst, "There is an account with the invited e-mail address. Sign in to it first, then open this link again.")
	}
	return endSessions(ctx, tx, u.ID)
}

func (s *Service) makeAccount(ctx context.Context, tx store.Tx, in *mintage.Invitation) (u *mintage.User, err error) {
	u = &mintage.User{Email: in.Email, Name: in.Name, CreatedAt: s.now()}
	if u.ID, err = newID(); err != nil {
		return nil, err
	}
	err = tx.CreateUser(ctx, u)
	if mintage.ErrorCode(err) == mintage.CodeConflict { // another brand's invitation was quicker
		return nil, mintage.Errorf(mintage.CodeRetry, "An account with this e-mail address was made at this moment; try again.").WithCause(err)
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// untouched reports whether an account has no way to sign in and is in no brand.
func untouched(ctx context.Context, r store.Reader, u *mintage.User) (bool, error) {
	if u.PasswordHash != "" {
		return false, nil
	}
	memberships, err := r.Memberships(ctx, u.ID)
	if err != nil || len(memberships) > 0 {
		return false, err
	}
	issuers, err := r.Identities(ctx, u.ID)
	return len(issuers) == 0, err
}

// join makes the user a member, who may be one already where the installation's
// operator lets somebody back in, and leaves the events.
func (s *Service) join(ctx context.Context, tx store.Tx, in *mintage.Invitation, members []*mintage.Member, u *mintage.User, from mintage.Origin) error {
	at := s.now()
	p := mintage.Principal{BrandNumber: in.BrandNumber, Actor: "user:" + u.ID, Origin: from}
	if find(members, u.ID) == nil {
		m := &mintage.Member{BrandNumber: in.BrandNumber, UserID: u.ID, Role: in.Role, CreatedAt: at, Email: u.Email}
		if err := addMember(ctx, tx, p, m, "by the invitation "+in.ID); err != nil {
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
			m := &mintage.Member{BrandNumber: b.Number, UserID: u.ID, Role: mintage.RoleOwner, CreatedAt: u.CreatedAt, Email: u.Email}
			return addMember(ctx, tx, p, m, "")
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

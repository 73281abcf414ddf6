package access

import (
	"context"
	"net/netip"
	"slices"

	"mintage"
	"mintage/internal/store"
)

// User returns an account. NOT_FOUND where there is none.
func (s *Service) User(ctx context.Context, id string) (u *mintage.User, err error) {
	id = mintage.CanonicalID(id)
	err = s.store.Read(ctx, func(r store.Reader) (err error) {
		u, err = r.UserByID(ctx, id)
		return err
	})
	return u, missing("user", err)
}

// Memberships lists the brands of a user, oldest membership first.
func (s *Service) Memberships(ctx context.Context, userID string) (list []*mintage.Member, err error) {
	userID = mintage.CanonicalID(userID)
	err = s.store.Read(ctx, func(r store.Reader) (err error) {
		list, err = r.Memberships(ctx, userID)
		return err
	})
	return list, err
}

// PrincipalOf returns a user's principal in a brand. It is read anew at each
// call, so that a change or a removal takes effect at once. NOT_FOUND where the
// user is no member, or there is no such brand.
func (s *Service) PrincipalOf(ctx context.Context, userID, brandID string, from mintage.Origin) (mintage.Principal, error) {
	list, err := s.Memberships(ctx, userID)
	if err != nil {
		return mintage.Principal{}, err
	}
	brandID = mintage.CanonicalID(brandID)
	for _, m := range list {
		if m.BrandID == brandID {
			return mintage.Principal{
				BrandNumber: m.BrandNumber, Role: m.Role, Actor: "user:" + m.UserID, AdminsSubmit: m.AdminsSubmit, Origin: from,
			}, nil
		}
	}
	return mintage.Principal{}, mintage.Errorf(mintage.CodeNotFound, "There is no such brand.")
}

// SignIn returns the user with this e-mail address and password. Otherwise it is
// UNAUTHORIZED, in the same words and after the same time whether the address is
// known or not, and TOO_MANY_REQUESTS for a while after too many failures for the
// account, or from the address. It leaves an event in each of the user's brands;
// a wrong password of a known member one a minute at most.
func (s *Service) SignIn(ctx context.Context, email, password string, from mintage.Origin, address netip.Addr) (*mintage.User, error) {
	attempt, err := s.throttle.begin(email, address, s.now())
	if err != nil {
		return nil, err
	}
	u, ok, err := s.checkSignIn(ctx, email, password)
	if err != nil {
		attempt.giveBack() // nothing was learnt
		return nil, err
	}
	if !ok {
		if u != nil {
			s.noteRefusal(u.ID, from)
		}
		return nil, mintage.Errorf(mintage.CodeUnauthorized, "The e-mail address or the password is wrong.")
	}
	attempt.giveBack()
	if err := s.record(ctx, u.ID, mintage.EventSignedIn, "by password", from); err != nil {
		return nil, err
	}
	return u, nil
}

// checkSignIn also returns the user whose password it was not.
func (s *Service) checkSignIn(ctx context.Context, email, password string) (u *mintage.User, ok bool, err error) {
	hash := ""
	if mintage.ValidEmail(email) {
		err = s.store.Read(ctx, func(r store.Reader) (err error) {
			u, err = r.UserByEmail(ctx, email)
			return err
		})
		switch mintage.ErrorCode(err) {
		case "":
			hash = u.PasswordHash
		case mintage.CodeNotFound:
			u = nil
		default:
			return nil, false, err
		}
	}
	ok, err = s.passwords.verify(ctx, hash, password)
	return u, ok, err
}

// noteRefusal leaves the events of a refused sign-in later, since they would show
// by the time they take that the address is known.
func (s *Service) noteRefusal(userID string, from mintage.Origin) {
	if s.refusals.Take(bucketOf(userID), s.now()) > 0 {
		return
	}
	at := s.now()
	s.later.do("refusal:"+userID, func(ctx context.Context) error {
		list, err := s.Memberships(ctx, userID)
		if err != nil {
			return err
		}
		for _, m := range list {
			// Who tried is not known: the user is the subject, and no actor.
			e := mintage.Principal{BrandNumber: m.BrandNumber, Actor: "unknown", Origin: from}.Event(mintage.EventSignInRefused, at)
			e.SubjectID = userID
			if err := s.append(ctx, e, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// record leaves an event in each brand of a user.
func (s *Service) record(ctx context.Context, userID string, kind mintage.EventKind, message string, from mintage.Origin) error {
	return s.change(ctx, userID, kind, message, from, nil)
}

// change changes an account and leaves an event in each brand of the user. Under a
// database role that sees one brand at a time these cannot be one transaction: the
// change comes with the first brand's event, the other ones follow. A nil change
// is none.
func (s *Service) change(ctx context.Context, userID string, kind mintage.EventKind, message string, from mintage.Origin, change func(store.Tx) error) error {
	list, err := s.Memberships(ctx, userID)
	if err != nil {
		return err
	}
	if len(list) == 0 && change != nil {
		return s.store.InTx(ctx, change)
	}
	at := s.now()
	for _, m := range list {
		e := mintage.Principal{BrandNumber: m.BrandNumber, Actor: "user:" + userID, Origin: from}.Event(kind, at)
		e.SubjectID, e.Message = userID, message
		if err := s.append(ctx, e, change); err != nil {
			return err
		}
		change = nil
	}
	return nil
}

// append stores an event, and what changes with it.
func (s *Service) append(ctx context.Context, e *mintage.Event, change func(store.Tx) error) error {
	return s.store.For(e.BrandNumber).InTx(ctx, func(tx store.Tx) error {
		if change != nil {
			if err := change(tx); err != nil {
				return err
			}
		}
		return tx.AppendEvent(ctx, e)
	})
}

// SignInIdentity returns the user whom an OpenID provider (issuer) knows as
// subject. The first time, that is the user with the same e-mail address, which
// the provider must have verified, and who has no other subject of this provider:
// an address can pass to somebody else. It never makes an account.
//
// A password that the account had is taken away when a subject is linked, and its
// sessions end: only now is it certain whose account it is.
func (s *Service) SignInIdentity(ctx context.Context, issuer, subject, email string, emailVerified bool, from mintage.Origin) (*mintage.User, error) {
	refused := mintage.Errorf(mintage.CodeUnauthorized, "There is no account for this sign-in. Whoever was invited uses the link first; otherwise ask an owner or admin of your brand for an invitation.")
	var u *mintage.User
	linked := true
	err := s.store.Read(ctx, func(r store.Reader) (err error) {
		linked = true
		u, err = r.UserByIdentity(ctx, issuer, subject)
		if mintage.ErrorCode(err) != mintage.CodeNotFound {
			return err
		}
		if !emailVerified || !mintage.ValidEmail(email) {
			return refused
		}
		linked = false
		u, err = r.UserByEmail(ctx, email)
		if mintage.ErrorCode(err) == mintage.CodeNotFound {
			return refused
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	const message = "by OpenID Connect"
	if linked {
		return u, s.record(ctx, u.ID, mintage.EventSignedIn, message, from)
	}
	err = s.change(ctx, u.ID, mintage.EventSignedIn, message+", for the first time", from, func(tx store.Tx) (err error) {
		if u, err = tx.LockUser(ctx, u.ID); err != nil {
			return err
		}
		issuers, err := tx.Identities(ctx, u.ID)
		if err != nil {
			return err
		}
		if slices.Contains(issuers, issuer) {
			return mintage.Errorf(mintage.CodeConflict, "The account with this e-mail address belongs to another sign-in of the same provider. Ask an owner or admin of your brand.")
		}
		if err := tx.LinkIdentity(ctx, u.ID, issuer, subject); err != nil {
			return err
		}
		u, err = takePassword(ctx, tx, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// takePassword takes away the password of an account, which the caller has locked,
// and ends its sessions. It returns the account as it is then.
func takePassword(ctx context.Context, tx store.Tx, u *mintage.User) (*mintage.User, error) {
	u.PasswordHash = ""
	if err := tx.UpdateUser(ctx, u); err != nil {
		return nil, err
	}
	return endSessions(ctx, tx, u.ID)
}

// endSessions ends all sessions of an account, and returns it as it is then: of the
// generation that a new session has to be of.
func endSessions(ctx context.Context, tx store.Tx, userID string) (*mintage.User, error) {
	if err := tx.DeleteSessions(ctx, userID); err != nil {
		return nil, err
	}
	return tx.UserByID(ctx, userID)
}

// SetPassword gives a user another password, and returns the account as it is then.
// u is the account as it was when the context's session was checked, which must still
// be there at the end: UNAUTHORIZED where it is not, since whoever asks may be the one
// that was to be kept out. current must be the present password, where there is one:
// FORBIDDEN if it is not, and TOO_MANY_REQUESTS after too many failures. CONFLICT
// where the password was changed or taken away meanwhile. All sessions of the user
// end; the caller goes on with a new one.
func (s *Service) SetPassword(ctx context.Context, u *mintage.User, current, next string, from mintage.Origin) (*mintage.User, error) {
	if err := checkPassword(next, u); err != nil {
		return nil, err
	}
	if u.PasswordHash != "" {
		attempt, err := s.throttle.begin(u.Email, netip.Addr{}, s.now())
		if err != nil {
			return nil, err
		}
		ok, err := s.passwords.verify(ctx, u.PasswordHash, current)
		if err != nil || ok {
			attempt.giveBack()
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			s.noteRefusal(u.ID, from)
			return nil, mintage.Errorf(mintage.CodeForbidden, "The present password is wrong.").WithField("current_password")
		}
	}
	hash, err := s.passwords.hash(ctx, next)
	if err != nil {
		return nil, err
	}
	var changed *mintage.User
	err = s.changeOwn(ctx, u.ID, mintage.EventPasswordChanged, from, func(tx store.Tx, stored *mintage.User) (err error) {
		if stored.PasswordHash != u.PasswordHash {
			return mintage.Errorf(mintage.CodeConflict, "The password was changed a moment ago; sign in again.")
		}
		stored.PasswordHash = hash
		if err := tx.UpdateUser(ctx, stored); err != nil {
			return err
		}
		changed, err = endSessions(ctx, tx, u.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// SetName gives a user another name, by which the members of all the user's brands
// know the person. u is the account as it was when the context's session was checked,
// which must still be there: UNAUTHORIZED where it is not. The event says nothing of
// the names: they are personal, and events stay for ever.
func (s *Service) SetName(ctx context.Context, u *mintage.User, name string, from mintage.Origin) error {
	if err := (&mintage.User{Email: u.Email, Name: name}).Validate(); err != nil {
		return err
	}
	if name == u.Name {
		return nil
	}
	return s.changeOwn(ctx, u.ID, mintage.EventNameChanged, from, func(tx store.Tx, stored *mintage.User) error {
		stored.Name = name
		return tx.UpdateUser(ctx, stored)
	})
}

// SignOutEverywhere ends all sessions of a user, the context's too, which must still
// be there: UNAUTHORIZED where it is not.
func (s *Service) SignOutEverywhere(ctx context.Context, userID string, from mintage.Origin) error {
	return s.changeOwn(ctx, mintage.CanonicalID(userID), mintage.EventSignedOut, from, func(tx store.Tx, u *mintage.User) error {
		return tx.DeleteSessions(ctx, u.ID)
	})
}

// changeOwn is change for what a person does to the own account. It holds the
// account's lock, so that no session of it ends between its check and the change.
func (s *Service) changeOwn(ctx context.Context, userID string, kind mintage.EventKind, from mintage.Origin, change func(store.Tx, *mintage.User) error) error {
	return s.change(ctx, userID, kind, "", from, func(tx store.Tx) error {
		ended := mintage.Errorf(mintage.CodeUnauthorized, "You are not signed in any more; sign in again.")
		u, err := tx.LockUser(ctx, userID)
		if mintage.ErrorCode(err) == mintage.CodeNotFound {
			return ended
		}
		if err != nil {
			return err
		}
		switch is, err := s.isSignedIn(ctx, tx, u.ID); {
		case err != nil:
			return err
		case !is:
			return ended
		}
		return change(tx, u)
	})
}

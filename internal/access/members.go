package access

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/store"
)

// invitationLife is how long the link of an invitation is valid.
const invitationLife = 7 * 24 * time.Hour

// Members lists the members of the principal's brand, oldest first. Whoever was
// invited and had an account before is not among them until the link is used.
func (s *Service) Members(ctx context.Context, p mintage.Principal) (list []*mintage.Member, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		list, err = r.Members(ctx, p.BrandNumber)
		return err
	})
	return list, err
}

// Invite makes the secret of a one-time link, valid for 7 days, by which somebody
// becomes a member of the principal's brand. How the link reaches the person is the
// principal's business. name is used for a new account only.
//
// Where nobody had the e-mail address, an account is made that is a member at once,
// and the link signs in to it, for as long as it is a member with this role. Where there is an account, the link makes it a
// member, for whoever is signed in to it by other means: an account may belong to
// other brands too, so that the one who invites must not get into it, nor may one
// who made the account in another's name get into this brand. See [Service.UseLink].
//
// A member who has not signed in to the account yet can be invited again, with the
// same role; for another one it is CONFLICT. The installation's operator may invite
// anybody again, with a link that signs in and takes the password away: the way
// back for those who have lost theirs.
func (s *Service) Invite(ctx context.Context, p mintage.Principal, email, name string, role mintage.Role) (m *mintage.Member, secret string, err error) {
	if err := refuseRole(p, role); err != nil {
		return nil, "", err
	}
	draft := mintage.User{Email: email, Name: name, CreatedAt: s.now()}
	if err := draft.Validate(); err != nil {
		return nil, "", err
	}
	if draft.ID, err = newID(); err != nil {
		return nil, "", err
	}
	in := invitation{random: randomText(secretLength), kind: forMember, brand: p.BrandNumber, role: role}
	err = s.inBrand(ctx, p, func(tx store.Tx) error {
		members, err := tx.LockMembers(ctx, p.BrandNumber)
		if err != nil {
			return err
		}
		u, err := tx.UserByEmail(ctx, email)
		switch {
		case mintage.ErrorCode(err) == mintage.CodeNotFound:
			u = &draft
			m, err = addNewUser(ctx, tx, p, u, role)
		case err != nil:
			return err
		default:
			if m = find(members, u.ID); m != nil {
				err = mayInviteAgain(ctx, tx, p, u, m, role)
				break
			}
			in.kind = toJoin
			// Of the account it tells no more than was typed: the name may have been
			// given to another brand.
			m, err = asMember(ctx, tx, p, &mintage.User{ID: u.ID, Email: email, Name: name, CreatedAt: draft.CreatedAt}, role)
		}
		if err != nil {
			return err
		}
		if p.Actor == actorCLI {
			in.kind = toRecover
		}
		secret = in.String()
		link := &mintage.SignInLink{Hash: hash(secret), UserID: u.ID, ExpiresAt: draft.CreatedAt.Add(invitationLife)}
		if err := tx.CreateSignInLink(ctx, link); err != nil {
			return err
		}
		e := p.Event(mintage.EventMemberInvited, draft.CreatedAt)
		e.SubjectID, e.To = u.ID, string(role)
		return tx.AppendEvent(ctx, e)
	})
	if err != nil {
		return nil, "", err
	}
	return m, secret, nil
}

// addNewUser stores an account that is a member of the brand.
func addNewUser(ctx context.Context, tx store.Tx, p mintage.Principal, u *mintage.User, role mintage.Role) (*mintage.Member, error) {
	err := tx.CreateUser(ctx, u)
	if mintage.ErrorCode(err) == mintage.CodeConflict { // another brand was quicker
		return nil, mintage.Errorf(mintage.CodeRetry, "Somebody else invited this person at the same moment; try again.").WithCause(err)
	}
	if err != nil {
		return nil, err
	}
	m, err := asMember(ctx, tx, p, u, role)
	if err != nil {
		return nil, err
	}
	return m, addMember(ctx, tx, p, m)
}

// asMember is a user as a member of the brand, which it stores nowhere.
func asMember(ctx context.Context, r store.Reader, p mintage.Principal, u *mintage.User, role mintage.Role) (*mintage.Member, error) {
	brand, err := r.BrandByNumber(ctx, p.BrandNumber)
	if err != nil {
		return nil, err
	}
	return &mintage.Member{
		BrandNumber: p.BrandNumber, UserID: u.ID, Role: role, CreatedAt: u.CreatedAt, Email: u.Email, Name: u.Name,
		BrandID: brand.ID, BrandName: brand.Name, AdminsSubmit: brand.AdminsSubmit,
	}, nil
}

func addMember(ctx context.Context, tx store.Tx, p mintage.Principal, m *mintage.Member) error {
	if err := tx.PutMember(ctx, m); err != nil {
		return err
	}
	e := p.Event(mintage.EventMemberAdded, m.CreatedAt)
	e.SubjectID, e.To = m.UserID, string(m.Role)
	return tx.AppendEvent(ctx, e)
}

// mayInviteAgain refuses a link for a member who does not need one.
func mayInviteAgain(ctx context.Context, r store.Reader, p mintage.Principal, u *mintage.User, m *mintage.Member, role mintage.Role) error {
	if err := refuseRole(p, m.Role); err != nil {
		return err
	}
	if m.Role != role {
		return mintage.Errorf(mintage.CodeConflict, "This person is a member already, with the role %s; change the role instead.", m.Role)
	}
	if p.Actor == actorCLI {
		return nil
	}
	free, err := untouched(ctx, r, u, p.BrandNumber)
	if err != nil || free {
		return err
	}
	return mintage.Errorf(mintage.CodeConflict, "This person is a member already, and has a way to sign in.")
}

// untouched reports whether nobody has another way into an account than a link of
// this brand, and nothing of other brands is to be found there.
func untouched(ctx context.Context, r store.Reader, u *mintage.User, brand int64) (bool, error) {
	if u.PasswordHash != "" {
		return false, nil
	}
	memberships, err := r.Memberships(ctx, u.ID)
	if err != nil {
		return false, err
	}
	for _, m := range memberships {
		if m.BrandNumber != brand {
			return false, nil
		}
	}
	issuers, err := r.Identities(ctx, u.ID)
	return len(issuers) == 0, err
}

// ChangeMember gives a member another role. The principal must be able to manage
// both; CONFLICT where the brand would be left without an owner.
func (s *Service) ChangeMember(ctx context.Context, p mintage.Principal, userID string, role mintage.Role) error {
	if err := refuseRole(p, role); err != nil {
		return err
	}
	return s.changeMember(ctx, p, userID, role, func(tx store.Tx, m *mintage.Member) error {
		if m.Role == role {
			return nil
		}
		e := p.Event(mintage.EventMemberChanged, s.now())
		e.SubjectID, e.From, e.To = m.UserID, string(m.Role), string(role)
		m.Role = role
		if err := tx.PutMember(ctx, m); err != nil {
			return err
		}
		return tx.AppendEvent(ctx, e)
	})
}

// RemoveMember takes a user out of the principal's brand, at once. CONFLICT where
// the brand would be left without an owner.
func (s *Service) RemoveMember(ctx context.Context, p mintage.Principal, userID string) error {
	return s.changeMember(ctx, p, userID, "", func(tx store.Tx, m *mintage.Member) error {
		if err := tx.RemoveMember(ctx, p.BrandNumber, m.UserID); err != nil {
			return err
		}
		e := p.Event(mintage.EventMemberRemoved, s.now())
		e.SubjectID, e.From = m.UserID, string(m.Role)
		return tx.AppendEvent(ctx, e)
	})
}

// changeMember runs change on a member that the principal may manage, while
// nobody else changes the brand's members. next is the role to be, "" for none.
func (s *Service) changeMember(ctx context.Context, p mintage.Principal, userID string, next mintage.Role, change func(store.Tx, *mintage.Member) error) error {
	userID = mintage.CanonicalID(userID)
	return s.inBrand(ctx, p, func(tx store.Tx) error {
		members, err := tx.LockMembers(ctx, p.BrandNumber)
		if err != nil {
			return err
		}
		m := find(members, userID)
		if m == nil {
			return mintage.Errorf(mintage.CodeNotFound, "There is no such member.")
		}
		if err := refuseRole(p, m.Role); err != nil {
			return err
		}
		if m.Role == mintage.RoleOwner && next != mintage.RoleOwner && owners(members) == 1 {
			return mintage.Errorf(mintage.CodeConflict, "This is the brand's last owner; make another member an owner first.")
		}
		return change(tx, m)
	})
}

func find(members []*mintage.Member, userID string) *mintage.Member {
	for _, m := range members {
		if m.UserID == userID {
			return m
		}
	}
	return nil
}

func owners(members []*mintage.Member) (n int) {
	for _, m := range members {
		if m.Role == mintage.RoleOwner {
			n++
		}
	}
	return n
}

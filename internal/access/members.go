package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"mintage"
	"mintage/internal/store"
)

// invitationLife is how long the link of an invitation is valid.
const invitationLife = 7 * 24 * time.Hour

// People are the members of a brand, and those who were invited and have not used
// the link yet, both oldest first.
type People struct {
	Members []*mintage.Member
	Invited []*mintage.Invitation
}

// People lists the people of the principal's brand. Invitations that have expired
// are not among them.
func (s *Service) People(ctx context.Context, p mintage.Principal) (people People, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		// In this order, somebody who joins meanwhile is listed twice and not left out.
		if people.Invited, err = r.Invitations(ctx, p.BrandNumber); err != nil {
			return err
		}
		people.Members, err = r.Members(ctx, p.BrandNumber)
		return err
	})
	people.Invited = slices.DeleteFunc(people.Invited, func(in *mintage.Invitation) bool { return !s.now().Before(in.ExpiresAt) })
	return people, err
}

// Invite makes the secret of a one-time link, valid for 7 days, by which whoever has
// an e-mail address becomes a member of the principal's brand; see [Service.UseLink].
// How the link reaches the person is the principal's business. name is used where the
// link makes an account.
//
// It does not look whether there is an account with the address: that may be another
// brand's news. An earlier invitation of the brand to the address ends, which the
// principal must be able to manage; a member of the brand is CONFLICT. The
// installation's operator may invite a member with the role that it has: such a link
// signs in, and takes the password away. That is the way back for those who have lost
// theirs.
func (s *Service) Invite(ctx context.Context, p mintage.Principal, email, name string, role mintage.Role) (in *mintage.Invitation, secret string, err error) {
	if err := refuseRole(p, role); err != nil {
		return nil, "", err
	}
	at := s.now()
	if err := (&mintage.User{Email: email, Name: name}).Validate(); err != nil {
		return nil, "", err
	}
	secret = randomText(secretLength)
	in = &mintage.Invitation{
		BrandNumber: p.BrandNumber, Hash: hash(secret), Email: email, Name: name, Role: role,
		Inviter: p.Actor, CreatedAt: at, ExpiresAt: at.Add(invitationLife),
	}
	if in.ID, err = newID(); err != nil {
		return nil, "", err
	}
	err = s.inBrand(ctx, p, func(tx store.Tx) error {
		members, err := tx.LockMembers(ctx, p.BrandNumber)
		if err != nil {
			return err
		}
		if err := mayInvite(p, in, members); err != nil {
			return err
		}
		if err := endInvitation(ctx, tx, p, email, at); err != nil {
			return err
		}
		if err := tx.CreateInvitation(ctx, in); err != nil {
			return err
		}
		e := p.Event(mintage.EventMemberInvited, at)
		e.SubjectID, e.To = in.ID, string(role)
		return tx.AppendEvent(ctx, e)
	})
	if err != nil {
		return nil, "", err
	}
	return in, secret, nil
}

// mayInvite refuses to invite a member who does not need it.
func mayInvite(p mintage.Principal, in *mintage.Invitation, members []*mintage.Member) error {
	i := slices.IndexFunc(members, func(m *mintage.Member) bool { return sameEmail(m.Email, in.Email) })
	if i < 0 {
		return nil
	}
	m := members[i]
	if err := refuseRole(p, m.Role); err != nil {
		return err
	}
	if m.Role != in.Role {
		return mintage.Errorf(mintage.CodeConflict, "This person is a member already, with the role %s; change the role instead.", m.Role)
	}
	if p.Actor != actorCLI {
		return mintage.Errorf(mintage.CodeConflict, "This person is a member already. Whoever has lost every way to sign in needs a link of the installation's operator.")
	}
	return nil
}

// endInvitation ends the brand's invitation to an address, if there is one, which
// the principal must be able to manage as long as it is good.
func endInvitation(ctx context.Context, tx store.Tx, p mintage.Principal, email string, at time.Time) error {
	invited, err := tx.Invitations(ctx, p.BrandNumber)
	if err != nil {
		return err
	}
	for _, in := range invited {
		if sameEmail(in.Email, email) && at.Before(in.ExpiresAt) {
			if err := refuseRole(p, in.Role); err != nil {
				return err
			}
		}
	}
	return tx.DeleteInvitationTo(ctx, p.BrandNumber, email)
}

// sameEmail disregards case, as the stores do: that of ASCII, of which addresses are.
func sameEmail(a, b string) bool { return strings.EqualFold(a, b) }

// addMember makes a user a member, and ends the brand's invitation to the address.
func addMember(ctx context.Context, tx store.Tx, p mintage.Principal, m *mintage.Member, message string) error {
	if err := tx.PutMember(ctx, m); err != nil {
		return err
	}
	if err := tx.DeleteInvitationTo(ctx, m.BrandNumber, m.Email); err != nil {
		return err
	}
	e := p.Event(mintage.EventMemberAdded, m.CreatedAt)
	e.SubjectID, e.To, e.Message = m.UserID, string(m.Role), message
	return tx.AppendEvent(ctx, e)
}

// ChangeMember gives a member another role, and ends the brand's invitation to the
// member. The principal must be able to manage both roles; CONFLICT where the brand
// would be left without an owner. Whoever is only invited is invited again instead.
func (s *Service) ChangeMember(ctx context.Context, p mintage.Principal, userID string, role mintage.Role) error {
	if err := refuseRole(p, role); err != nil {
		return err
	}
	return s.inBrand(ctx, p, func(tx store.Tx) error {
		m, err := lockMember(ctx, tx, p, userID, role)
		if err != nil || m.Role == role {
			return err
		}
		if err := tx.DeleteInvitationTo(ctx, p.BrandNumber, m.Email); err != nil {
			return err
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

// RemoveMember takes a user out of the principal's brand, at once, and ends the
// brand's invitation to the user; or it ends the invitation with this ID. CONFLICT
// where the brand would be left without an owner.
func (s *Service) RemoveMember(ctx context.Context, p mintage.Principal, id string) error {
	id = mintage.CanonicalID(id)
	return s.inBrand(ctx, p, func(tx store.Tx) error {
		m, err := lockMember(ctx, tx, p, id, "")
		if mintage.ErrorCode(err) == mintage.CodeNotFound {
			return s.withdraw(ctx, tx, p, id, err)
		}
		if err != nil {
			return err
		}
		if err := tx.RemoveMember(ctx, p.BrandNumber, m.UserID); err != nil {
			return err
		}
		if err := tx.DeleteInvitationTo(ctx, p.BrandNumber, m.Email); err != nil {
			return err
		}
		e := p.Event(mintage.EventMemberRemoved, s.now())
		e.SubjectID, e.From = m.UserID, string(m.Role)
		return tx.AppendEvent(ctx, e)
	})
}

// withdraw ends an invitation; missing where there is none.
func (s *Service) withdraw(ctx context.Context, tx store.Tx, p mintage.Principal, id string, missing error) error {
	invited, err := tx.Invitations(ctx, p.BrandNumber)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(invited, func(in *mintage.Invitation) bool { return in.ID == id })
	if i < 0 {
		return missing
	}
	if err := refuseRole(p, invited[i].Role); err != nil {
		return err
	}
	if err := tx.DeleteInvitation(ctx, p.BrandNumber, id); err != nil {
		return err
	}
	e := p.Event(mintage.EventMemberRemoved, s.now())
	e.SubjectID, e.From, e.Message = id, string(invited[i].Role), "the invitation"
	return tx.AppendEvent(ctx, e)
}

// lockMember returns a member that the principal may manage, while nobody else
// changes the brand's members. next is the role to be, "" for none.
func lockMember(ctx context.Context, tx store.Tx, p mintage.Principal, userID string, next mintage.Role) (*mintage.Member, error) {
	members, err := tx.LockMembers(ctx, p.BrandNumber)
	if err != nil {
		return nil, err
	}
	m := find(members, mintage.CanonicalID(userID))
	if m == nil {
		return nil, mintage.Errorf(mintage.CodeNotFound, "There is no such member.")
	}
	if err := refuseRole(p, m.Role); err != nil {
		return nil, err
	}
	if m.Role == mintage.RoleOwner && next != mintage.RoleOwner && owners(members) == 1 {
		return nil, mintage.Errorf(mintage.CodeConflict, "This is the brand's last owner; make another member an owner first. Whoever is only invited does not count.")
	}
	return m, nil
}

func find(members []*mintage.Member, userID string) *mintage.Member {
	for _, m := range members {
		if m.UserID == userID {
			return m
		}
	}
	return nil
}

// owners counts those who have joined: nobody is a member before.
func owners(members []*mintage.Member) (n int) {
	for _, m := range members {
		if m.Role == mintage.RoleOwner {
			n++
		}
	}
	return n
}

package web

import (
	"net/http"

	"mintage"
)

// memberRow is a member of the brand in the list.
type memberRow struct {
	*mintage.Member

	Self      bool // whoever looks
	MayManage bool
}

// invitedRow is somebody who has not used the invitation yet.
type invitedRow struct {
	*mintage.Invitation

	MayManage bool
}

// membersData is what the page of the members shows.
type membersData struct {
	Members []memberRow
	Invited []invitedRow
	Notice  string
}

func (v *visit) people() (membersData, error) {
	d := membersData{Notice: v.done("member_changed", "member_removed", "invitation_withdrawn")}
	people, err := v.Access.People(v.ctx(), v.principal)
	if err != nil {
		return d, err
	}
	for _, m := range people.Members {
		d.Members = append(d.Members, memberRow{m, m.UserID == v.user.ID, v.principal.Role.MayManage(m.Role)})
	}
	for _, in := range people.Invited {
		d.Invited = append(d.Invited, invitedRow{in, v.principal.Role.MayManage(in.Role)})
	}
	return d, nil
}

func (v *visit) membersPage() error {
	d, err := v.people()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "settings_members", d)
}

// roles are those that the principal may give, the least first.
func (v *visit) roles() (options []option) {
	for _, role := range mintage.Roles {
		if v.principal.Role.MayManage(role) {
			options = append(options, option{string(role), v.language.text("role." + string(role)), v.language.text("settings.role." + string(role))})
		}
	}
	return options
}

func (v *visit) invitePage() error {
	return v.render(http.StatusOK, "settings_invite", v.roles())
}

// invite makes an invitation and shows its link, this once.
func (v *visit) invite() error {
	f := v.form
	again := func() error { return v.renderForm(http.StatusUnprocessableEntity, "settings_invite", v.roles(), f) }
	if !v.require(f, "invited_name", "invited_email", "invited_role") {
		return again()
	}
	role := mintage.Role(f.text("invited_role"))
	in, secret, err := v.Access.Invite(v.ctx(), v.principal, f.text("invited_email"), f.text("invited_name"), role)
	switch mintage.ErrorCode(err) {
	case "":
	case mintage.CodeForbidden:
		// The role itself, or that of an earlier invitation or of a member.
		name, key := "invited_role", "fault.role_above"
		if v.principal.Role.MayManage(role) {
			name, key = "invited_email", "fault.person_above"
		}
		f.faults = append(f.faults, fault{name, v.language.text(key)})
		return again()
	case mintage.CodeConflict: // of the person, whatever field it names
		f.faults = append(f.faults, fault{"invited_email", v.language.text("fault.invited_email.CONFLICT")})
		return again()
	default:
		if v.blame(f, err, map[string]string{"name": "invited_name", "email": "invited_email", "role": "invited_role"}) {
			return again()
		}
		return err
	}
	return v.render(http.StatusOK, "settings_invited", invitedData{in, v.linkURL(secret)})
}

// invitedData is what an invitation shows once.
type invitedData struct {
	*mintage.Invitation

	Link string
}

// linkURL is where the secret of a one-time link is used.
func (v *visit) linkURL(secret string) string {
	base := v.BaseURL
	if base == "" {
		base = "http://"
		if v.Secure {
			base = "https://"
		}
		base += v.r.Host
	}
	return base + "/link/" + secret
}

// withdraw ends an invitation.
func (v *visit) withdraw() error {
	d, err := v.people()
	if err != nil {
		return err
	}
	for _, in := range d.Invited {
		if in.ID == v.r.PathValue("id") {
			if err := v.Access.RemoveMember(v.ctx(), v.principal, in.ID); err != nil {
				return err
			}
			v.redirect("/settings/members?done=invitation_withdrawn")
			return nil
		}
	}
	return mintage.Errorf(mintage.CodeNotFound, "There is no such invitation.")
}

// memberData is what the page of one member shows.
type memberData struct {
	memberRow

	Roles []option
}

func (v *visit) memberData() (memberData, error) {
	d, err := v.people()
	if err != nil {
		return memberData{}, err
	}
	for _, m := range d.Members {
		if m.UserID == v.r.PathValue("id") {
			return memberData{m, v.roles()}, nil
		}
	}
	return memberData{}, mintage.Errorf(mintage.CodeNotFound, "There is no such member.")
}

func (v *visit) memberPage() error {
	d, err := v.memberData()
	if err != nil {
		return err
	}
	return v.renderForm(http.StatusOK, "settings_member", d, &form{values: map[string]string{"member_role": string(d.Role)}})
}

// changeMember gives a member another role.
func (v *visit) changeMember() error {
	f := v.form
	d, err := v.memberData()
	if err != nil {
		return err
	}
	err = v.Access.ChangeMember(v.ctx(), v.principal, d.UserID, mintage.Role(f.text("member_role")))
	if err == nil {
		v.toMembers(d, "member_changed")
		return nil
	}
	if v.blame(f, err, map[string]string{"": "member_role", "role": "member_role"}) {
		return v.renderForm(http.StatusUnprocessableEntity, "settings_member", d, f)
	}
	return err
}

// removeMember takes a member out of the brand, once that was confirmed.
func (v *visit) removeMember() error {
	f := v.form
	d, err := v.memberData()
	if err != nil {
		return err
	}
	again := func() error {
		f.values["member_role"] = string(d.Role)
		return v.renderForm(http.StatusUnprocessableEntity, "settings_member", d, f)
	}
	if !v.require(f, "remove_member") {
		return again()
	}
	err = v.Access.RemoveMember(v.ctx(), v.principal, d.UserID)
	if err == nil {
		v.toMembers(d, "member_removed")
		return nil
	}
	if v.blame(f, err, map[string]string{"": "remove_member"}) {
		return again()
	}
	return err
}

// toMembers goes back to the list, which whoever has changed the own role may not see
// any more.
func (v *visit) toMembers(d memberData, done string) {
	if d.Self {
		v.redirect("/mint")
		return
	}
	v.redirect("/settings/members?done=" + done)
}

package web

import (
	"net/http"

	"mintage"
	"mintage/internal/edge"
)

// accountData is what the account page shows.
type accountData struct {
	HasPassword bool
	Notice      string // what has just been done, or ""
}

func (v *visit) accountData() accountData {
	d := accountData{HasPassword: v.user.PasswordHash != ""}
	switch v.r.URL.Query().Get("done") {
	case "name":
		d.Notice = v.language.text("done.name")
	case "password":
		d.Notice = v.language.text("done.password")
	case "welcome":
		if !d.HasPassword {
			d.Notice = v.language.text("done.welcome")
		}
	}
	return d
}

// accountPage shows who is signed in, and what one may change about that.
func (v *visit) accountPage() error {
	return v.renderAccount(http.StatusOK, &form{values: map[string]string{}})
}

// renderAccount is the page with one of its forms as it was typed.
func (v *visit) renderAccount(status int, f *form) error {
	if _, typed := f.values["name"]; !typed {
		f.values["name"] = v.user.Name
	}
	return v.renderForm(status, "account", v.accountData(), f)
}

// changeName gives the user another name.
func (v *visit) changeName() error {
	f := v.form
	again := func() error { return v.renderAccount(http.StatusUnprocessableEntity, f) }
	if !v.require(f, "name") {
		return again()
	}
	switch err := v.Access.SetName(v.ctx(), v.user, f.text("name"), edge.Origin(v.ctx())); mintage.ErrorCode(err) {
	case "":
	case mintage.CodeUnauthorized: // the session has ended a moment ago
		return v.leave()
	default:
		if v.blame(f, err, map[string]string{"name": "name"}) {
			return again()
		}
		return err
	}
	v.redirect("/account?done=name")
	return nil
}

// changePassword sets a password. All sessions of the user end with it; this browser
// goes on in a new one.
func (v *visit) changePassword() error {
	f := v.form
	again := func() error { return v.renderAccount(http.StatusUnprocessableEntity, f) }
	fields := []string{"new_password"}
	if v.user.PasswordHash != "" {
		fields = []string{"current_password", "new_password"}
	}
	if !v.require(f, fields...) {
		return again()
	}
	user, err := v.Access.SetPassword(v.ctx(), v.user, f.secret("current_password"), f.secret("new_password"), edge.Origin(v.ctx()))
	switch mintage.ErrorCode(err) {
	case "":
	case mintage.CodeUnauthorized: // the session has ended a moment ago
		return v.leave()
	case mintage.CodeForbidden:
		f.faults = append(f.faults, fault{"current_password", v.language.text("fault.current_password")})
		return again()
	default:
		if v.blame(f, err, map[string]string{"password": "new_password"}) {
			return again()
		}
		return err
	}
	brand := v.session.text(sessionBrand)
	if err := v.session.begin(user); err != nil {
		return err
	}
	if brand != "" {
		v.session.put(sessionBrand, brand)
	}
	v.redirect("/account?done=password")
	return nil
}

// signOutEverywhere ends all sessions of the user, this one too.
func (v *visit) signOutEverywhere() error {
	switch err := v.Access.SignOutEverywhere(v.ctx(), v.user.ID, edge.Origin(v.ctx())); mintage.ErrorCode(err) {
	case "":
	case mintage.CodeUnauthorized:
		return v.leave()
	default:
		return err
	}
	if err := v.session.end(); err != nil {
		return err
	}
	v.redirect("/sign-in?done=signed_out_everywhere")
	return nil
}

// leave is for whose session has ended while the request was under way: nothing was
// done.
func (v *visit) leave() error {
	if err := v.session.end(); err != nil {
		return err
	}
	v.askToSignIn()
	return nil
}

// switchBrand chooses the brand to work for. Another's brand looks like one that
// does not exist.
func (v *visit) switchBrand() error {
	for _, m := range v.memberships {
		if m.BrandID == v.form.text("brand_id") {
			v.session.put(sessionBrand, m.BrandID)
			v.redirect("/mint")
			return nil
		}
	}
	return mintage.Errorf(mintage.CodeNotFound, "There is no such brand.")
}

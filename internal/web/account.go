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
	return v.render(http.StatusOK, "account", v.accountData())
}

// changePassword sets a password. All sessions of the user end with it; this browser
// goes on in a new one.
func (v *visit) changePassword() error {
	f, err := v.readForm()
	if err != nil {
		return err
	}
	again := func() error { return v.renderForm(http.StatusUnprocessableEntity, "account", v.accountData(), f) }
	fields := []string{"new_password"}
	if v.user.PasswordHash != "" {
		fields = []string{"current_password", "new_password"}
	}
	if !v.require(f, fields...) {
		return again()
	}
	err = v.Access.SetPassword(v.ctx(), v.user.ID, f.secret("current_password"), f.secret("new_password"), edge.Origin(v.ctx()))
	switch mintage.ErrorCode(err) {
	case "":
	case mintage.CodeUnauthorized, mintage.CodeForbidden:
		f.faults = append(f.faults, fault{"current_password", v.language.text("fault.current_password")})
		return again()
	default:
		if v.blame(f, err, map[string]string{"password": "new_password"}) {
			return again()
		}
		return err
	}
	brand := v.session.text(sessionBrand)
	if err := v.session.begin(v.user.ID); err != nil {
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
	if err := v.Access.SignOutEverywhere(v.ctx(), v.user.ID, edge.Origin(v.ctx())); err != nil {
		return err
	}
	if err := v.session.end(); err != nil {
		return err
	}
	v.redirect("/sign-in?done=signed_out_everywhere")
	return nil
}

// switchBrand chooses the brand to work for. Another's brand looks like one that
// does not exist.
func (v *visit) switchBrand() error {
	f, err := v.readForm()
	if err != nil {
		return err
	}
	for _, m := range v.memberships {
		if m.BrandID == f.text("brand_id") {
			v.session.put(sessionBrand, m.BrandID)
			v.redirect("/mint")
			return nil
		}
	}
	return mintage.Errorf(mintage.CodeNotFound, "There is no such brand.")
}

package web

import (
	"net/http"

	"mintage"
	"mintage/internal/edge"
)

// signInData is what the sign-in page shows.
type signInData struct {
	Provider string // name of the OpenID provider, "" for none
	Next     string
	Notice   string // what has just been done, or ""
}

func (v *visit) signInData(to string) signInData {
	d := signInData{Next: to}
	if v.provider != nil {
		d.Provider = v.provider.config.Name
	}
	switch v.r.URL.Query().Get("done") {
	case "signed_out":
		d.Notice = v.language.text("done.signed_out")
	case "signed_out_everywhere":
		d.Notice = v.language.text("done.signed_out_everywhere")
	}
	return d
}

// signInPage shows the form, or goes on where somebody is signed in.
func (v *visit) signInPage() error {
	to := next(v.r.URL.Query().Get("next"))
	if v.user != nil {
		v.redirect(to)
		return nil
	}
	return v.render(http.StatusOK, "sign_in", v.signInData(to))
}

// signIn signs in with e-mail address and password.
func (v *visit) signIn() error {
	f, err := v.readForm()
	if err != nil {
		return err
	}
	to := next(f.text("next"))
	if !v.require(f, "email", "password") {
		return v.renderForm(http.StatusUnprocessableEntity, "sign_in", v.signInData(to), f)
	}
	user, err := v.Access.SignIn(v.ctx(), f.text("email"), f.secret("password"), edge.Origin(v.ctx()), edge.Address(v.ctx()))
	if mintage.ErrorCode(err) == mintage.CodeUnauthorized {
		f.faults = append(f.faults, fault{"email", v.language.text("sign_in.refused")})
		return v.renderForm(http.StatusUnprocessableEntity, "sign_in", v.signInData(to), f)
	}
	if err != nil {
		return err
	}
	return v.welcome(user, to)
}

// welcome makes the session the user's and goes on.
func (v *visit) welcome(user *mintage.User, to string) error {
	if err := v.session.begin(user.ID); err != nil {
		return err
	}
	v.redirect(to)
	return nil
}

// signOut ends this session. It also serves whoever is not signed in.
func (v *visit) signOut() error {
	if err := v.session.end(); err != nil {
		return err
	}
	v.redirect("/sign-in?done=signed_out")
	return nil
}

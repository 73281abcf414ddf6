package web

import (
	"net/http"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/edge"
)

// linkPage shows a button; what opens links to look at them presses none.
func (v *visit) linkPage() error {
	// The path holds the secret, so no more than the origin may be sent on.
	v.w.Header().Set("Referrer-Policy", "strict-origin")
	v.w.Header().Set("X-Robots-Tag", "noindex")
	return v.render(http.StatusOK, "link", v.r.PathValue("secret"))
}

// waitingLinkPage is linkPage for a link that waited until somebody signed in.
func (v *visit) waitingLinkPage() error {
	secret := v.session.text(sessionLink)
	if secret == "" {
		return mintage.Errorf(mintage.CodeNotFound, "There is no such page.")
	}
	return v.render(http.StatusOK, "link", secret)
}

// useLink uses a one-time link up. The first owner's leads to the form that makes
// an account; anybody else's signs in.
func (v *visit) useLink() error {
	f, err := v.readForm()
	if err != nil {
		return err
	}
	ctx := access.WithUser(v.ctx(), v.userID())
	user, err := v.Access.UseLink(ctx, f.secret("secret"), edge.Origin(ctx))
	switch mintage.ErrorCode(err) {
	case "":
		v.session.drop(sessionLink)
	case access.CodeSignInFirst:
		// The invited account has to be signed in to; the link waits.
		v.session.putErrand(sessionLink, f.secret("secret"))
		return v.render(http.StatusForbidden, "link_sign_in", nil)
	case mintage.CodeUnauthorized:
		v.session.drop(sessionLink)
		return v.render(http.StatusGone, "link_used", nil)
	default:
		return err
	}
	if user == nil {
		v.session.putErrand(sessionSetUp, "yes")
		v.redirect("/set-up")
		return nil
	}
	if user.PasswordHash == "" {
		return v.welcome(user, "/account?done=welcome")
	}
	return v.welcome(user, "/mint")
}

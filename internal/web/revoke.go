package web

import (
	"net/http"

	"mintage"
	"mintage/internal/mint"
)

// revokePage asks for the reason of a revocation, and whether it is meant.
type revokePage struct {
	*mint.TokenDetail
}

func (v *visit) revokePage() error {
	return v.askToRevoke(http.StatusOK, &form{})
}

func (v *visit) askToRevoke(status int, f *form) error {
	d, err := v.Mint.TokenDetail(v.ctx(), v.principal, v.r.PathValue("unit_id"))
	if err != nil {
		return err
	}
	if d.Status == mintage.TokenRevoked {
		v.redirect(tokenPath(d.ID) + "?done=already")
		return nil
	}
	return v.renderForm(status, "revoke", &revokePage{d}, f)
}

// revoke revokes one token for good.
func (v *visit) revoke() error {
	f := v.form
	v.require(f, "reason")
	if len(f.faults) > 0 {
		return v.askToRevoke(http.StatusUnprocessableEntity, f)
	}
	u, already, err := v.Mint.RevokeUnit(v.ctx(), v.principal, v.r.PathValue("unit_id"), f.text("reason"))
	if err != nil {
		if v.blame(f, err, map[string]string{"reason": "reason"}) {
			return v.askToRevoke(http.StatusUnprocessableEntity, f)
		}
		return err
	}
	done := "revoked"
	if already {
		done = "already"
	}
	v.redirect(tokenPath(u.ID) + "?done=" + done)
	return nil
}

package web

import (
	"net/http"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/edge"
)

// actorSetUp is whom the event of the first brand names: its owner has no account
// yet.
const actorSetUp = "set-up"

// setUpData is what the page of the first owner shows.
type setUpData struct {
	NewBrand bool // there is no brand yet, so it asks for one
}

// setUpState lets only a session in that used the first owner's link, while nobody
// has an account, and finds out whether a brand is needed too. Everybody else is
// told that there is no such page.
func (v *visit) setUpState() (setUpData, error) {
	none := mintage.Errorf(mintage.CodeNotFound, "There is no such page.")
	if v.session.text(sessionSetUp) != "yes" {
		return setUpData{}, none
	}
	over, err := v.Access.IsSetUp(v.ctx())
	if err != nil {
		return setUpData{}, err
	}
	if over { // somebody was faster
		v.session.drop(sessionSetUp)
		return setUpData{}, none
	}
	brands, err := v.Mint.Brands(v.ctx())
	return setUpData{NewBrand: len(brands) == 0}, err
}

func (v *visit) setUpPage() error {
	data, err := v.setUpState()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "set_up", data)
}

// setUp makes the first brand, where there is none, and its owner's account.
func (v *visit) setUp() error {
	data, err := v.setUpState()
	if err != nil {
		return err
	}
	f, err := v.readForm()
	if err != nil {
		return err
	}
	fields := []string{"name", "email", "new_password"}
	if data.NewBrand {
		fields = append(fields, "brand", "resolver_base")
	}
	again := func() error { return v.renderForm(http.StatusUnprocessableEntity, "set_up", data, f) }
	if !v.require(f, fields...) {
		return again()
	}
	owner := access.SetUp{Email: f.text("email"), Name: f.text("name"), Password: f.secret("new_password")}
	ofOwner := map[string]string{"name": "name", "email": "email", "password": "new_password"}
	// Before there is a brand: it cannot be taken back.
	if err := owner.Validate(); err != nil {
		if v.blame(f, err, ofOwner) {
			return again()
		}
		return err
	}
	if data.NewBrand {
		brand := &mintage.Brand{Name: f.text("brand"), ResolverBase: f.text("resolver_base"), LotFromProductionBatch: true}
		if err := v.Mint.CreateBrand(v.ctx(), brand, actorSetUp); err != nil {
			if v.blame(f, err, map[string]string{"name": "brand", "resolver_base": "resolver_base"}) {
				return again()
			}
			return err
		}
	}
	user, err := v.Access.SetUp(v.ctx(), owner, edge.Origin(v.ctx()))
	if err != nil {
		return err
	}
	return v.welcome(user, "/mint")
}

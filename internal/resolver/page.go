package resolver

import (
	"net/http"
	"net/url"
	"strings"

	"mintage"
	"mintage/internal/edge"
	"mintage/internal/gs1"
	"mintage/internal/resolver/agent"
	"mintage/internal/resolver/passport"
	"mintage/internal/serial"
)

// pageAddress is what a path below /p/ names.
type pageAddress struct {
	file     string // of a style sheet or logo; the rest is empty
	product  string // product code
	code     string // of a unit
	lot      string
	activate bool // the button's address
}

// parsePage reads a path below /p/. It is not one of ours where it does not begin with
// a product code, so that a base may end in "p".
func parsePage(path string) (p pageAddress, ok bool) {
	if file, ok := strings.CutPrefix(path, "_/"); ok {
		return pageAddress{file: file}, true
	}
	path = strings.TrimSuffix(path, "/")
	product, rest, more := strings.Cut(path, "/")
	if serial.ParseProductCode(product) != nil {
		return p, false
	}
	p.product = product
	switch lot, isLot := strings.CutPrefix(rest, "lot/"); {
	case !more:
	case isLot:
		var err error
		if p.lot, err = url.PathUnescape(lot); err != nil || p.lot == "" || strings.Contains(lot, "/") {
			return p, false
		}
	default:
		p.code, p.activate = strings.CutSuffix(rest, passport.ActivatePath)
		if p.code == "" || strings.Contains(p.code, "/") {
			return p, false
		}
	}
	return p, true
}

// page answers what is below /p/.
func (v *visit) page(p pageAddress) error {
	switch {
	case p.file != "":
		edge.SetRoute(v.ctx(), "file")
		return v.file(p.file)
	case p.activate:
		edge.SetRoute(v.ctx(), "activate")
		return v.tap(p)
	}
	edge.SetRoute(v.ctx(), "page")
	if err := v.allow(readMethods); err != nil {
		return err
	}
	if v.req.URL.RawQuery != "" {
		switch v.req.URL.Query().Get(passport.FormatParameter) {
		case passport.FormatJSON:
			v.form = formJSON
		case passport.FormatJSONLD:
			v.form = formJSONLD
		}
	}
	id, t, err := v.pageIdentity(p)
	if err != nil {
		return err
	}
	if t != nil && t.Status == mintage.TokenRevoked {
		return v.gone(id, t)
	}
	shown, err := v.passport(id, t)
	if err != nil {
		return err
	}
	return v.show(shown)
}

// pageIdentity finds what a page is about; with the token of a unit, or of a lot that
// was recalled.
func (v *visit) pageIdentity(p pageAddress) (*identity, *passport.Token, error) {
	s, err := v.r.byCode(v.ctx(), v.base.brand, p.product, v.client)
	if err != nil {
		return nil, nil, err
	}
	if s == nil {
		return nil, nil, mintage.Errorf(mintage.CodeNotFound, "No such product is known here.")
	}
	id := &identity{subject: s, gtin: s.card.product.GTIN}
	if p.code != "" {
		u, err := v.r.unit(v.ctx(), s, p.code, v.client)
		if err != nil {
			return nil, nil, err
		}
		if u == nil {
			return nil, nil, notIssued()
		}
		id.level, id.unit, id.lot, id.gtin = levelUnit, u, u.lot.Code, u.batch.GTIN
		t, err := v.r.token(v.ctx(), u)
		return id, t, err
	}
	if s.card.product.Status == mintage.ProductDraft {
		return nil, nil, mintage.Errorf(mintage.CodeNotFound, "No such product is known here.")
	}
	if p.lot == "" {
		return id, nil, nil
	}
	has, recall, err := v.r.hasLot(v.ctx(), s, p.lot, v.client)
	if err != nil {
		return nil, nil, err
	}
	if !has {
		return nil, nil, mintage.Errorf(mintage.CodeNotFound, "No such lot is known here.")
	}
	id.level, id.lot = levelLot, p.lot
	if recall != nil {
		return id, &passport.Token{Status: mintage.TokenRevoked, RevokedAt: recall.At, Reason: recall.Reason}, nil
	}
	return id, nil, nil
}

// tap activates a unit by the button on its page, and leads back to the page.
func (v *visit) tap(p pageAddress) error {
	if err := v.allow(postMethods); err != nil {
		return err
	}
	if err := v.r.origins.Check(v.req); err != nil {
		return mintage.Errorf(mintage.CodeForbidden, "The button works on the passport page only.").WithCause(err)
	}
	id, t, err := v.pageIdentity(p)
	if err != nil {
		return err
	}
	v.agent = agent.Of(v.req)
	outcome := mintage.ScanOutcome(t.Status)
	if t.Status == mintage.TokenMinted && v.agent.Activates {
		if t.Status, outcome, err = v.activate(id.unit); err != nil {
			return err
		}
	}
	v.note(id, outcome)
	if t.Status == mintage.TokenRevoked {
		return v.gone(id, t)
	}
	v.redirect(http.StatusSeeOther, v.pageURL(id))
	return nil
}

// gone answers with the page of a unit or lot that was revoked.
func (v *visit) gone(id *identity, t *passport.Token) error {
	p, err := v.passport(id, t)
	if err != nil {
		return err
	}
	return v.revoked(p)
}

// pageURL is where the passport of an identity is.
func (v *visit) pageURL(id *identity) string {
	page := v.base.url + pagesPath + id.code
	switch id.level {
	case levelUnit:
		page += "/" + id.unit.code
	case levelLot:
		page += "/lot/" + gs1.EscapeSegment(id.lot)
	case levelProduct:
	}
	return page
}

// passport is what a page says of an identity. The token of a unit is read where it is
// nil.
func (v *visit) passport(id *identity, t *passport.Token) (*passport.Page, error) {
	b, err := v.r.brand(v.ctx(), id.brand)
	if err != nil {
		return nil, err
	}
	p := &passport.Page{
		Kind: passport.KindProduct, Site: b.site(v.base.path), Product: id.card.product,
		GTIN: id.gtin, PageURL: v.pageURL(id), Token: t,
	}
	switch id.level {
	case levelUnit:
		u := id.unit
		if p.Token == nil {
			if p.Token, err = v.r.token(v.ctx(), u); err != nil {
				return nil, err
			}
		}
		p.Kind, p.Lot, p.Code, p.UnitID = passport.KindUnit, u.lot.Code, u.code, u.id()
		if u.batch.IdentityMode == mintage.IdentitySerial {
			p.Serial = u.code
		}
		p.URL = u.lot.URLPrefix + u.code + u.lot.URLSuffix
		p.Token.MayTap = b.TapToActivate && p.Token.Status == mintage.TokenMinted
		p.Token.ActivatedNow = id.activated
		p.Token.ActivatedLately = p.Token.Status == mintage.TokenActive && !p.Token.ActivatedAt.IsZero() &&
			v.r.now().Sub(p.Token.ActivatedAt) < justNow
	case levelLot, levelProduct:
		if id.level == levelLot {
			p.Kind, p.Lot = passport.KindLot, id.lot
		}
		p.URL = gs1.Identity{
			Base: gs1.Base(v.base.url), GTIN: gs1.GTIN(id.gtin), ProductCode: id.code, Lot: id.lot,
		}.LotURL()
	}
	if p.Token == nil || p.Token.Status != mintage.TokenRevoked { // of which no attributes are shown
		if p.Schema, err = v.r.schema(v.ctx(), p.Product); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// file answers with a style sheet or logo. A page that was cached may ask for one by an
// old name: then the present one is given, and not to be kept.
func (v *visit) file(name string) error {
	b, err := v.r.brand(v.ctx(), v.base.brand)
	if err != nil {
		return err
	}
	switch {
	case name == b.cssName:
		return v.static(b.cssName, b.css, "text/css; charset=utf-8", forGood)
	case strings.HasSuffix(name, ".css"):
		return v.static(b.cssName, b.css, "text/css; charset=utf-8", notStored)
	case b.logoName != "" && name == b.logoName:
		return v.static(b.logoName, b.logo, b.logoType, forGood)
	}
	return mintage.Errorf(mintage.CodeNotFound, "There is no such file.")
}

package resolver

import (
	"net/http"
	"strings"

	"mintage"
	"mintage/internal/edge"
	"mintage/internal/gs1"
	"mintage/internal/resolver/agent"
	"mintage/internal/resolver/passport"
)

// Link types that ask for all links. The second one is that of standards before 1.0.0;
// GS1's test suite of 1.2.0 still asks by it.
const (
	linkTypeLinkset = "linkset"
	linkTypeAll     = "all"
)

// identity is what a Digital Link leads to: a product, or a lot or unit of it.
type identity struct {
	*subject

	level level
	unit  *unit  // of a unit
	lot   string // of a lot or unit
	gtin  string // 14 digits, or "": of the unit, else as it was asked for

	link      *gs1.Link // that asked for it; nil on a passport page
	activated bool      // by this request

	typed    bool // a link of linkType is asked for
	linkType string
}

// resolve answers a Digital Link, or a URL of ours without GTIN.
func (v *visit) resolve(link *gs1.Link) error {
	edge.SetRoute(v.ctx(), "identity")
	v.agent = agent.Of(v.req)
	id := &identity{link: link, gtin: string(link.GTIN)}
	if id.linkType, id.typed = link.Parameter("linkType"); id.linkType == linkTypeLinkset || id.linkType == linkTypeAll {
		id.typed, v.form = false, formLinkset
	}
	s, err := v.subject(link)
	if err != nil {
		return err
	}
	if s == nil {
		return mintage.Errorf(mintage.CodeNotFound, "No such product is known here.")
	}
	id.subject = s
	if link.ProductCode != "" {
		id.gtin = s.card.product.GTIN
	}
	if code := link.UnitCode(); code != "" {
		return v.resolveUnit(id, code)
	}
	if s.card.product.Status == mintage.ProductDraft {
		return mintage.Errorf(mintage.CodeNotFound, "No such product is known here.")
	}
	if link.Lot != "" {
		has, recall, err := v.r.hasLot(v.ctx(), s, link.Lot, v.client)
		if err != nil {
			return err
		}
		if has {
			id.level, id.lot = levelLot, link.Lot
			v.note(id, mintage.ScanLot)
			if recall != nil {
				return v.gone(id, &passport.Token{Status: mintage.TokenRevoked, RevokedAt: recall.At, Reason: recall.Reason})
			}
			return v.lead(id, mintage.TokenActive)
		}
	}
	v.note(id, mintage.ScanProduct)
	v.w.Header()["Cache-Control"] = forAMinute
	return v.lead(id, mintage.TokenActive)
}

// subject finds the product of a link; nil for what is not known, or another key.
func (v *visit) subject(link *gs1.Link) (*subject, error) {
	switch {
	case link.ProductCode != "":
		return v.r.byCode(v.ctx(), v.base.brand, link.ProductCode, v.client)
	case link.GTIN != "":
		return v.r.byGTIN(v.ctx(), v.base.brand, string(link.GTIN), v.client)
	}
	return nil, nil
}

// resolveUnit answers a link that names a unit.
func (v *visit) resolveUnit(id *identity, code string) error {
	u, err := v.r.unit(v.ctx(), id.subject, code, v.client)
	if err != nil {
		return err
	}
	if u == nil || !printed(u, id.link) {
		v.note(id, mintage.ScanNotIssued)
		return notIssued()
	}
	id.level, id.unit, id.lot, id.gtin = levelUnit, u, u.lot.Code, u.batch.GTIN

	activates := v.agent.Activates && (id.typed || v.form != formLinkset)
	status, err := v.r.status(v.ctx(), u, activates)
	if err != nil {
		return err
	}
	outcome := mintage.ScanOutcome(status)
	if status == mintage.TokenMinted && activates {
		b, err := v.r.brand(v.ctx(), u.brand)
		if err != nil {
			return err
		}
		if b.TapToActivate {
			status, err = v.r.status(v.ctx(), u, false)
			outcome = mintage.ScanOutcome(status)
		} else {
			status, outcome, err = v.activate(u)
		}
		if err != nil {
			return err
		}
	}
	v.note(id, outcome)
	id.activated = outcome == mintage.ScanActivated
	if status == mintage.TokenRevoked {
		t, err := v.r.token(v.ctx(), u)
		if err != nil {
			return err
		}
		return v.gone(id, t)
	}
	return v.lead(id, status)
}

func notIssued() *mintage.Error {
	return mintage.Errorf(mintage.CodeNotFound, "This code was never issued.")
}

// printed reports whether a unit carries a link like this one: in its mode, and with
// its lot if one is named.
func printed(u *unit, link *gs1.Link) bool {
	if link.ProductCode == "" && (u.batch.IdentityMode == mintage.IdentitySerial) != (link.Serial != "") {
		return false
	}
	return link.Lot == "" || link.Lot == u.lot.Code
}

// activate activates a unit by this visit.
func (v *visit) activate(u *unit) (mintage.TokenStatus, mintage.ScanOutcome, error) {
	a, err := v.r.activate(v.ctx(), u, edge.Origin(v.ctx()))
	if err != nil {
		return "", "", err
	}
	if a.now {
		return a.status, mintage.ScanActivated, nil
	}
	return a.status, mintage.ScanOutcome(a.status), nil
}

// note notes a scan.
func (v *visit) note(id *identity, outcome mintage.ScanOutcome) {
	s := mintage.Scan{
		ProductNumber: id.number, Ordinal: -1, At: v.r.now(), Network: v.network,
		Agent: v.agent.Class, Language: v.agent.Language, Outcome: outcome,
	}
	if id.unit != nil {
		s.Ordinal = id.unit.ordinal
	}
	v.r.scans.Add(id.brand, s)
}

// lead answers an identity that is as it should be: with a redirect, its links, or
// its data.
func (v *visit) lead(id *identity, status mintage.TokenStatus) error {
	switch {
	case id.typed:
		return v.leadByType(id)
	case v.form == formLinkset:
		return v.linkset(id)
	case v.form != formPage:
		p, err := v.passport(id, nil)
		if err != nil {
			return err
		}
		v.refer(id)
		return v.show(p)
	}
	query := v.req.URL.RawQuery
	page := id.card.first == nil
	if !page && status == mintage.TokenMinted {
		// The button that activates is on the passport page only, so where a tap is asked
		// for a scan leads there until it was pressed.
		b, err := v.r.brand(v.ctx(), id.brand)
		if err != nil {
			return err
		}
		page = b.TapToActivate
	}
	var location string
	if page {
		location = v.pageURL(id)
		if query != "" {
			location += "?" + query
		}
	} else {
		to, values := id.card.first, id.values()
		if !id.card.alone {
			to = choose(id.card.ofType(to.Type), v.preferences(id.link))[0]
		}
		location = to.location(&values, query)
	}
	v.refer(id)
	v.redirect(http.StatusTemporaryRedirect, location)
	return nil
}

// leadByType answers with a link of a type, 404 where there is none, or 300 with those
// among which nothing decides.
func (v *visit) leadByType(id *identity) error {
	noLink := mintage.Errorf(mintage.CodeNotFound, "There is no link of this type; linkType=linkset lists those that there are.")
	linkType, err := parseLinkType(id.linkType)
	if err != nil {
		return noLink
	}
	candidates := id.card.ofType(linkType)
	if len(candidates) == 0 {
		for _, t := range id.card.builtIn(v.pageURL(id)) {
			if t.Type == linkType {
				candidates = append(candidates, t)
			}
		}
	}
	best := choose(candidates, v.preferences(id.link))
	v.refer(id)
	switch len(best) {
	case 0:
		return noLink
	case 1:
		values := id.values()
		v.redirect(http.StatusTemporaryRedirect, best[0].location(&values, v.req.URL.RawQuery))
		return nil
	}
	return v.choices(id, linkType, best)
}

func (v *visit) preferences(link *gs1.Link) preferences {
	context, _ := link.Parameter("context")
	return preferences{accept: v.accept.ranges(), language: v.speech.ranges(), context: context}
}

// values are what links of an identity are filled in with.
func (id *identity) values() values {
	v := values{gtin: id.gtin, lot: gs1.EscapeSegment(id.lot)}
	if id.unit != nil {
		v.code, v.unitID = id.unit.code, id.unit.id()
		if id.unit.batch.IdentityMode == mintage.IdentitySerial {
			v.serial = id.unit.code
		}
	}
	return v
}

// asked is the identity's address as it was asked for, uncompressed.
func (v *visit) asked(id *identity) string {
	path := strings.TrimSuffix(v.path, "/")
	if id.link.Compressed {
		path = v.base.path + id.link.Path()
	}
	return v.base.url + path[len(v.base.path):] + unitQuery(id)
}

// unitQuery is what names a unit of batch mode in the query of its address.
func unitQuery(id *identity) string {
	if id.unit != nil && id.link.ProductCode == "" && id.link.Serial == "" {
		return "?u=" + id.unit.code
	}
	return ""
}

// refer sets the Link header: where the linkset is, and what a compressed link means.
func (v *visit) refer(id *identity) {
	asked := v.asked(id)
	separator := "?"
	if strings.Contains(asked, "?") {
		separator = "&"
	}
	links := []string{"<" + asked + separator + `linkType=linkset>; rel="linkset"; type="application/linkset+json"`}
	if id.link.Compressed {
		links = append(links, "<"+asked+`>; rel="owl:sameAs"`)
	}
	v.w.Header()["Link"] = links
}

package passport

import (
	"html/template"
	"strings"
	"time"

	"mintage"
)

// view is what the templates read.
type view struct {
	l         *language
	Language  string
	Direction string
	Title     string
	Hidden    bool // from search engines
	Style     string
	Logo      string
	Brand     string
	DataURL   string // up to the format

	Product    string
	Look       string // of the state's panel
	Chip       chip
	Truth      string
	More       string
	Reason     string
	Activate   string // where the button posts to; "" for no button
	Revoked    bool
	Attributes template.HTML
	Identity   []row
}

// T is a message, for the templates.
func (v *view) T(key string) string { return v.l.text(key) }

// chip is a state as an icon and a word.
type chip struct{ State, Word string }

// row of the identity: a code in the groups that the eye reads, or a day.
type row struct {
	Label       string
	Code        []string
	Date, Stamp string
}

func newSiteView(s Site, l *language, style string) *view {
	v := &view{l: l, Language: l.code, Direction: l.text("language.direction"), Style: s.Prefix + Directory + style}
	if s.Brand != nil {
		v.Brand = s.Brand.Name
	}
	if s.Logo != "" {
		v.Logo = s.Prefix + Directory + s.Logo
	}
	return v
}

func newFault(status int, s Site, l *language, style string) *view {
	v := newSiteView(s, l, style)
	key, ok := faultKeys[status]
	if !ok {
		key = "fault.500"
	}
	v.Hidden = true
	v.Title, v.More = l.text(key+".title"), l.text(key+".body")
	return v
}

func newView(p *Page, l *language, style string) *view {
	v := newSiteView(p.Site, l, style)
	v.Product = p.Product.Name
	v.Title = p.Product.Name
	if v.Brand != "" {
		v.Title += " – " + v.Brand
	}
	v.Hidden = p.Kind != KindProduct
	v.DataURL = pathOf(p.PageURL) + "?" + FormatParameter + "="
	v.tell(p)
	v.Identity = identity(p, l)
	return v
}

// tell sets the one line of truth, its chip, and what follows from it.
func (v *view) tell(p *Page) {
	l, t, brand := v.l, p.Token, v.Brand
	if p.revoked() {
		v.Revoked, v.Reason = true, t.Reason
		v.Look, v.Chip = "revoked", chip{"revoked", l.text("chip.revoked")}
		if p.Kind == KindLot {
			v.Truth, v.More = l.text("truth.lot_revoked", p.Lot, l.date(t.RevokedAt)), l.text("revoked.why_lot", brand)
		} else {
			v.Truth, v.More = l.text("truth.revoked", l.date(t.RevokedAt)), l.text("revoked.why", brand)
		}
		return
	}
	if p.Kind != KindUnit || t == nil {
		v.Look, v.Chip = "plain", chip{"product", l.text("page.not_one")}
		if p.Lot != "" {
			v.Truth, v.More = l.text("truth.lot", p.Lot, brand), l.text("more.lot")
		} else {
			v.Truth, v.More = l.text("truth.product", brand), l.text("more.product")
		}
		return
	}
	issued := l.date(t.IssuedAt)
	v.Look, v.Chip = "good", chip{"active", l.text("chip.active")}
	switch {
	case t.Status == mintage.TokenMinted:
		v.Chip = chip{"minted", l.text("chip.minted")}
		v.Truth = l.text("truth.minted", brand, issued)
		if t.MayTap {
			v.Activate = pathOf(p.PageURL) + ActivatePath
		}
	case t.ActivatedNow:
		v.Truth = l.text("truth.activated_now", brand, issued)
	case t.ActivatedLately:
		v.Truth = l.text("truth.activated_lately", brand, issued)
	case t.ActivatedAt.IsZero() || t.ActivatedAt.Equal(t.IssuedAt):
		v.Truth = l.text("truth.born_active", brand, issued)
	default:
		v.Truth = l.text("truth.active", brand, issued, l.date(t.ActivatedAt))
	}
	if t.Suspicious {
		v.Look = "warned"
		v.Truth, v.More = l.text("truth.suspicious", brand, issued), l.text("more.suspicious", brand)
	}
}

// pathOf is the path of an absolute URL: a page may be read through a host that
// only a proxy knows, and so may what it leads to.
func pathOf(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		return "/" + path
	}
	return address
}

func identity(p *Page, l *language) []row {
	var rows []row
	code := func(key, text string, size int) {
		if text != "" {
			rows = append(rows, row{Label: l.text(key), Code: pieces(text, size)})
		}
	}
	day := func(key string, t time.Time) {
		if !t.IsZero() {
			rows = append(rows, row{Label: l.text(key), Date: l.date(t), Stamp: stamp(t)})
		}
	}
	code("identity.gtin", p.GTIN, 4)
	code("identity.lot", p.Lot, 0)
	switch {
	case p.Serial != "" && p.Serial != p.Code:
		code("identity.serial", p.Serial, 0) // the customer's own, which may be of any form
	case p.Serial != "":
		code("identity.serial", p.Serial, 4)
	default:
		code("identity.code", p.Code, 4)
	}
	code("identity.unit_id", p.UnitID, 0)
	if t := p.Token; t != nil {
		day("identity.issued", t.IssuedAt)
		day("identity.activated", t.ActivatedAt)
		day("identity.revoked", t.RevokedAt)
	}
	code("identity.url", p.URL, 0)
	return rows
}

// pieces cuts a code for the eye, counted from its end; spaces between them are the
// style sheet's, so that what is copied has none. Size 0 cuts nothing.
func pieces(text string, size int) []string {
	if size == 0 || len(text) <= size || strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
		return []string{text}
	}
	var all []string
	for n := (len(text)-1)%size + 1; text != ""; n = size {
		all = append(all, text[:n])
		text = text[n:]
	}
	return all
}

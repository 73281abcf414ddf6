package passport

import (
	"time"

	"mintage"
	"mintage/internal/dpp"
)

// Kind is what a page is about.
type Kind string

// Kinds of pages.
const (
	KindUnit    Kind = "unit"
	KindLot     Kind = "lot"
	KindProduct Kind = "product"
)

// Site is what every page of a resolver base has in common, error pages included.
type Site struct {
	// Brand whose base it is; nil where the host belongs to nobody.
	Brand *mintage.Brand
	// Prefix is the path of the base without a trailing slash: "" or "/eu". What
	// the page refers to is served under Prefix + Directory.
	Prefix string
	// Logo is the file name under which the brand's logo is served (see [LogoName]);
	// "" for none.
	Logo string
}

// Directory is where a base serves the style sheet and the logo: a path that no
// product code can have.
const Directory = "/p/_/"

// Page is one passport page, or the same as data.
type Page struct {
	Kind Kind
	Site
	// Product and Schema must not be changed after they were given to a [Renderer];
	// a changed product is another pointer. A Renderer does not keep them alive.
	Product *mintage.Product
	Schema  *dpp.Schema // nil: no attribute is public

	GTIN   string // 14 digits, or ""; of the unit, which may differ from the product's of today
	Lot    string
	Serial string
	Code   string // of the unit
	UnitID string

	URL     string // as printed on the unit; the Digital Link URI of a lot or product
	PageURL string // of this page, without a query

	Token *Token // of a unit; of a lot only where all of it was recalled
}

// revoked reports whether the page warns of what it is about.
func (p *Page) revoked() bool { return p.Token != nil && p.Token.Status == mintage.TokenRevoked }

// Token is the public life of what the page is about.
type Token struct {
	Status      mintage.TokenStatus
	IssuedAt    time.Time
	ActivatedAt time.Time // zero: not yet, or active since it was issued
	RevokedAt   time.Time
	// Reason of the revocation. It is shown to everyone; "" shows none.
	Reason string

	ActivatedNow    bool // by the request that is answered; nobody else is told so
	ActivatedLately bool // a moment ago, by whomever
	MayTap          bool // the page shows the button that activates
	Suspicious      bool // the code was scanned in more places than one item can be
}

// Formats of the query parameter [FormatParameter], which a link can ask for and
// an Accept header can not: a page is at PageURL, its data at PageURL?format=jsonld.
const (
	FormatParameter = "format"
	FormatJSON      = "json"
	FormatJSONLD    = "jsonld"
)

// ActivatePath comes after a unit's PageURL: where the button posts to.
const ActivatePath = "/activate"

// ContentSecurityPolicy belongs to every page of this package.
const ContentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

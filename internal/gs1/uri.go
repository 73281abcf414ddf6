package gs1

import "strings"

// Identity is what the URLs of the units of one lot have in common. Its fields
// hold accepted values: a Base from [ParseBase], a GTIN from [ParseGTIN], a Lot
// that passed [ValidateLot]. It does not check them again.
type Identity struct {
	Base        Base
	GTIN        GTIN   // "" if the product has none
	ProductCode string // used only without GTIN
	Lot         string // "" if none; not part of URLs without GTIN
	Serialised  bool   // serial mode; batch mode if false
}

// URLAffixes returns what stands before and after the escaped value in the URL
// of every unit of this identity, ready-encoded. They are stored with the lot,
// so a printed URL stays true whatever is edited later. The suffix is empty in
// all present forms; callers concatenate it nevertheless.
func (id Identity) URLAffixes() (prefix, suffix string) {
	switch {
	case id.GTIN == "":
		return id.LotURL() + "/", ""
	case id.Serialised:
		return id.LotURL() + "/21/", ""
	default:
		return id.LotURL() + "?u=", ""
	}
}

// URL returns the resolver URL of one unit. The value is its serial number in
// serial mode, else its code.
func (id Identity) URL(value string) string {
	prefix, suffix := id.URLAffixes()
	return prefix + EscapeSegment(value) + suffix
}

// LotURL returns the URL of the lot itself, or of the product where there is
// no lot or no GTIN. It names no unit, so nothing is activated by it.
func (id Identity) LotURL() string {
	if id.GTIN == "" {
		return string(id.Base) + "/u/" + EscapeSegment(id.ProductCode)
	}
	url := string(id.Base) + "/01/" + string(id.GTIN)
	if id.Lot != "" {
		url += "/10/" + EscapeSegment(id.Lot)
	}
	return url
}

// EscapeSegment encodes s as one segment of a path. The unreserved characters
// (letters, digits and - . _ ~; RFC 3986, section 2.3) stay as they are; every
// other byte becomes % and two upper-case hexadecimal digits, a % itself too.
// The result can stand as a value in a query as well.
//
// So of the 82-character set these 17 are encoded:
//
//	! " % & ' ( ) * + , / : ; < = > ?
//
// A path may carry some of them literally. They are encoded all the same,
// because GS1 Digital Link asks for it and because each value then has exactly
// one spelling. Dots stay, since encoding them would not keep a segment "." or
// ".." from being removed; [ValidateLot] and [ValidateSerial] refuse those.
func EscapeSegment(s string) string {
	escapes := 0
	for i := range len(s) {
		if !isUnreserved(s[i]) {
			escapes++
		}
	}
	if escapes == 0 { // every generated code
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + 2*escapes)
	for i := range len(s) {
		c := s[i]
		if isUnreserved(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// isUnreserved reports whether c means itself everywhere in a URI.
func isUnreserved(c byte) bool {
	return isAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~'
}

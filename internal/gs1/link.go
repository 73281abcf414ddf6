package gs1

import (
	"errors"
	"slices"
	"strings"

	"mintage"
)

// MaxLinkLength is the most characters that a URI may have to be read as a
// Digital Link. Every server may be asked for so many (RFC 9110, section 4.1).
const MaxLinkLength = 8000

// ErrNotLink is the cause of a refusal where nothing in the path looks like a
// Digital Link, so that the request may be meant for something else. Where a
// key is there and something is wrong with it or after it, it is not the cause.
var ErrNotLink = errors.New("gs1: no GS1 key in the path")

// Element is an Application Identifier with its value, decoded.
type Element struct {
	AI    string
	Value string
}

// Link is a GS1 Digital Link URI, or one of mintage's URLs without GTIN, that was
// read and found valid. Its values are decoded; links that differ in encoding,
// GTIN length or compression only are equal but for Compressed. Scheme and host
// are not part of it.
type Link struct {
	Prefix string  // the path before the key as it was written, without a slash at its end
	Key    Element // the primary key; the value of AI 01 is padded to 14 digits
	GTIN   GTIN    // of AI 01; "" with any other key

	ProductCode string // of a URL without GTIN, {prefix}/u/{product code}/{code}, which has no Key
	Code        string // of such a URL; "" where it ends with the product code

	CPV       string    // consumer product variant, AI 22 in the path, or ""
	Lot       string    // AI 10 in the path, or ""
	Serial    string    // AI 21 in the path, or ""
	Qualifier Element   // the one qualifier of another kind (AI 235, 254, 7040, 8011, 8019, 8020), if any
	Data      []Element // data attributes, in the order of the query

	Unknown    string // the parameters of the query that are no AIs, as they were written, joined by &
	Compressed bool   // whether key or attributes were compressed
}

// ParseLink reads an absolute GS1 Digital Link URI, tolerantly:
//
//   - scheme and host in either case (http and https alike; the host is checked
//     for characters only);
//   - any path before the key; of several keys the last counts;
//   - a GTIN-8, GTIN-12 or GTIN-13 is padded;
//   - a slash at the end of the path and a fragment mean nothing;
//   - compressed links, whole or after the key;
//   - mintage's own URLs without GTIN (/u/ and a product code of 8 characters).
//
// Percent-encoding is decoded once, in values only; in the query a plus sign is a
// space. Parameters whose names are not digits are kept in Unknown.
//
// It refuses, with [mintage.CodeInvalidInput] and a message that does not repeat
// the URI
//
//   - a path without key (with the cause [ErrNotLink]);
//   - anything in the path after the key that is not a qualifier of this key, in
//     the order that GS1 gives (for a GTIN 22, 10, 21, or 235 alone);
//   - parameters whose names are digits but no AI, and AIs that may not be data
//     attributes or belong in the path;
//   - an AI that is there twice;
//   - values that break the format or rules of their AI;
//   - "." and ".." in the path, which URL parsers remove;
//   - more than [MaxLinkLength] characters.
func ParseLink(uri string) (Link, error) { return parseURI(uri, false) }

// ParseLinkStrict is [ParseLink], but refuses short GTINs and a slash at the end
// of the path, as GS1's own engine does unless told otherwise.
func ParseLinkStrict(uri string) (Link, error) { return parseURI(uri, true) }

// ParseTarget is [ParseLink] for a request that has arrived: path is the escaped
// path, from its first slash on, and query what follows the question mark.
func ParseTarget(path, query string) (Link, error) {
	for _, s := range []string{path, query} {
		if err := validateURI(s); err != nil {
			return Link{}, err
		}
	}
	if strings.ContainsAny(path, "?#") || strings.IndexByte(query, '#') >= 0 {
		return Link{}, invalid("The link has a question mark in its path, or a number sign, that is not percent-encoded.")
	}
	return parseTarget(path, query, false)
}

func parseURI(uri string, strict bool) (Link, error) {
	if err := validateURI(uri); err != nil {
		return Link{}, err
	}
	scheme, rest, _ := strings.Cut(uri, "://")
	if rest == "" || !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return Link{}, invalid("The link must begin with https:// or http:// and a host.")
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	host := rest
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		host, rest = rest[:slash], rest[slash:]
	} else {
		rest = ""
	}
	if host == "" || strings.ContainsAny(host, "_~@!$&'()*+,;=%") {
		return Link{}, invalid("The link has no host, or one with characters that no host has.")
	}
	return parseTarget(rest, query, strict)
}

// validateURI checks length and characters (RFC 3986, section 2).
func validateURI(s string) error {
	if len(s) > MaxLinkLength {
		return invalid("The link has %d characters; it may have %d.", len(s), MaxLinkLength)
	}
	for i := range len(s) {
		if !inURI[s[i]] {
			char, pos := firstOutside(s, func(c byte) bool { return inURI[c] })
			return invalid("The link has %s at position %d, which a URI has only percent-encoded.", char, pos)
		}
	}
	return nil
}

// inURI tells which bytes may stand in a URI.
var inURI = func() (set [256]bool) {
	for c := range set {
		set[c] = isUnreserved(byte(c)) || c < 0x80 && strings.IndexByte(":/?#[]@!$&'()*+,;=%", byte(c)) >= 0
	}
	return set
}()

// pathElement is a pair of path segments: an AI and its value, still encoded.
type pathElement struct {
	id  *identifier
	raw string
}

// maxPathElements is a key with all the qualifiers that it may have.
const maxPathElements = 4

// parseTarget reads path and query, which have a URI's characters only.
func parseTarget(path, query string, strict bool) (Link, error) {
	if !strict {
		path = strings.TrimSuffix(path, "/")
	}
	if hasDotSegment(path) {
		return Link{}, invalid("The link has a path segment \".\" or \"..\", which URL parsers remove.")
	}

	var pairs [maxPathElements]pathElement
	elements, prefix := findKey(path, &pairs)
	var link Link
	var err error
	switch {
	case elements > 0:
		link.Prefix = prefix
		err = link.setPath(pairs[:elements], strict)
	case link.setProduct(path):
		link.Unknown = query
		if link.Code != "" {
			link.Code, err = validCode(link.Code)
		}
	default:
		err = link.setCompressed(path, &pairs, strict)
	}
	if err == nil && link.ProductCode == "" {
		err = link.setQuery(query, strict)
	}
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// setProduct takes over the path of a URL without GTIN, its code still encoded,
// and reports whether it is one.
func (l *Link) setProduct(path string) bool {
	at := strings.LastIndex(path, "/u/")
	if at < 0 {
		return false
	}
	product, code, hasCode := strings.Cut(path[at+len("/u/"):], "/")
	if len(product) != productCodeLength || !consistsOf(product, base32) || hasCode && (code == "" || strings.Contains(code, "/")) {
		return false
	}
	l.Prefix, l.ProductCode, l.Code = path[:at], product, code
	return true
}

// Product codes have eight characters of Crockford's base32, upper case.
const (
	productCodeLength = 8
	base32            = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// validCode decodes and checks the code in a URL without GTIN. In serial mode it
// is the serial number, so what a serial number may be, it may be.
func validCode(raw string) (string, error) {
	code, err := unescape(raw, false)
	if err != nil {
		return "", err
	}
	return code, ValidateSerial(code)
}

func hasDotSegment(path string) bool {
	if !strings.Contains(path, "/.") {
		return false
	}
	return slices.ContainsFunc(strings.Split(path, "/"), isDotSegment)
}

// findKey reads pairs of segments from the end of the path up to the first that
// begins with a primary key, and what is before them. It fills pairs from the
// back to the front and then turns them round. It returns 0 where the path does
// not end in a key with pairs after it.
func findKey(path string, pairs *[maxPathElements]pathElement) (elements int, prefix string) {
	for elements < len(pairs) {
		value := strings.LastIndexByte(path, '/')
		if value < 1 {
			return 0, ""
		}
		ai := strings.LastIndexByte(path[:value], '/')
		if ai < 0 {
			return 0, ""
		}
		id := identifiers[path[ai+1:value]]
		if id == nil {
			return 0, ""
		}
		pairs[elements] = pathElement{id, path[value+1:]}
		elements++
		path = path[:ai]
		if id.isKey() {
			slices.Reverse(pairs[:elements])
			return elements, path
		}
	}
	return 0, ""
}

// setPath takes over the key and the qualifiers.
func (l *Link) setPath(pairs []pathElement, strict bool) error {
	var qualifiers [maxPathElements]string
	for i, pair := range pairs {
		qualifiers[i] = pair.id.ai
		value, err := unescape(pair.raw, false)
		if err != nil {
			return err
		}
		switch {
		case i == 0:
			err = l.setKey(pair.id, value, strict)
		case !pairs[0].id.allows(qualifiers[1 : i+1]):
			err = invalid("The path has AI %s where none of the qualifiers of AI %s may stand; their order is fixed.", pair.id.ai, l.Key.AI)
		default:
			err = l.setQualifier(pair.id, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *Link) setKey(id *identifier, value string, strict bool) error {
	value, err := validElement(id, value, strict)
	if err != nil {
		return err
	}
	l.Key = Element{id.ai, value}
	if id.ai == "01" {
		l.GTIN = GTIN(value)
	}
	return nil
}

// validElement checks a value and returns it, padded if it is a GTIN.
func validElement(id *identifier, value string, strict bool) (string, error) {
	if id.ai != "01" {
		return value, id.validate(value)
	}
	if strict && len(value) != gtinLength {
		return "", invalid("The value of AI 01 has %d characters; it must have %d.", len(value), gtinLength)
	}
	gtin, err := ParseGTIN(value)
	return string(gtin), err
}

func (l *Link) setQualifier(id *identifier, value string) error {
	if err := id.validate(value); err != nil {
		return err
	}
	if isDotSegment(value) {
		return invalid("The value of AI %s is %q, which no URL can carry as a part of its path.", id.ai, value)
	}
	switch id.ai {
	case "22":
		l.CPV = value
	case "10":
		l.Lot = value
	case "21":
		l.Serial = value
	default:
		l.Qualifier = Element{id.ai, value}
	}
	return nil
}

// setCompressed takes over a path that ends in a compressed segment, with or
// without an uncompressed key before it, or says why the path is no link.
func (l *Link) setCompressed(path string, pairs *[maxPathElements]pathElement, strict bool) error {
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return notLink()
	}
	segment := path[slash+1:]
	key, prefix := findKey(path[:slash], pairs)
	if key == 0 {
		if hasKey(path) {
			return invalid("The path has a GS1 key, but does not go on in pairs of qualifier and value to its end.")
		}
		packed, err := unpack(segment)
		if err != nil {
			return notLink()
		}
		l.Prefix = path[:slash]
		return l.setUnpacked(packed, strict)
	}
	packed, err := unpack(segment)
	if err != nil || key > 1 {
		return invalid("The path goes on after the GS1 key with a segment that is neither a qualifier with its value nor compressed data.")
	}
	l.Prefix = prefix
	if err := l.setPath(pairs[:1], strict); err != nil {
		return err
	}
	return l.setUnpacked(packed, strict)
}

// hasKey reports whether any segment but the last reads as a primary key.
func hasKey(path string) bool {
	segment, rest, more := strings.Cut(path, "/")
	for more {
		if id := identifiers[segment]; id != nil && id.isKey() {
			return true
		}
		segment, rest, more = strings.Cut(rest, "/")
	}
	return false
}

func notLink() error {
	return mintage.Errorf(mintage.CodeInvalidInput, "The path has no GS1 key, so the link is not a GS1 Digital Link.").
		WithCause(ErrNotLink)
}

// setQuery takes over the parameters.
func (l *Link) setQuery(query string, strict bool) error {
	unknown, length := 0, 0
	for parameter := range strings.SplitSeq(query, "&") {
		name, raw, hasValue := strings.Cut(parameter, "=")
		if !isAIParameter(name, hasValue) {
			if parameter != "" {
				unknown++
				length += len(parameter)
			}
			continue
		}
		id := identifiers[name]
		if id == nil {
			return invalid("The query has a parameter with a name of %d digits that is no GS1 Application Identifier.", len(name))
		}
		value, err := unescape(raw, true)
		if err != nil {
			return err
		}
		if err := l.addData(id, value, strict); err != nil {
			return err
		}
	}
	if unknown == 0 {
		return nil
	}
	if length+unknown-1 == len(query) {
		l.addUnknown(query) // all of it, which is how our own URLs look
		return nil
	}
	for parameter := range strings.SplitSeq(query, "&") {
		if name, _, hasValue := strings.Cut(parameter, "="); parameter != "" && !isAIParameter(name, hasValue) {
			l.addUnknown(parameter)
		}
	}
	return nil
}

// isAIParameter reports whether a parameter claims to be an AI.
func isAIParameter(name string, hasValue bool) bool {
	return hasValue && name != "" && allDigits(name)
}

func (l *Link) addUnknown(raw string) {
	if l.Unknown != "" {
		raw = l.Unknown + "&" + raw
	}
	l.Unknown = raw
}

// maxData is the most data attributes that a link may have.
const maxData = 64

// addData takes over a data attribute.
func (l *Link) addData(id *identifier, value string, strict bool) error {
	if id.role != roleKey && id.role != roleAttribute {
		return invalid("AI %s cannot be a data attribute of a Digital Link.", id.ai)
	}
	value, err := validElement(id, value, strict)
	if err != nil {
		return err
	}
	var path [maxPathElements]string
	ais := l.pathAIs(path[:0])
	if slices.Contains(ais, id.ai) || slices.ContainsFunc(l.Data, func(e Element) bool { return e.AI == id.ai }) {
		return invalid("AI %s is there twice.", id.ai)
	}
	if identifiers[l.Key.AI].wouldAllow(ais[1:], id.ai) {
		return invalid("AI %s is a qualifier of AI %s and belongs in the path.", id.ai, l.Key.AI)
	}
	if len(l.Data) == maxData {
		return invalid("The link has more than %d data attributes.", maxData)
	}
	l.Data = append(l.Data, Element{id.ai, value})
	return nil
}

// unescape decodes percent-encoding, once; in a query also the plus sign.
func unescape(s string, query bool) (string, error) {
	if strings.IndexByte(s, '%') < 0 && (!query || strings.IndexByte(s, '+') < 0) {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", invalid("The link has a percent sign without two hexadecimal digits after it.")
			}
			b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		case c == '+' && query:
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10 // either case
}

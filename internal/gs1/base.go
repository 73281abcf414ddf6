package gs1

import (
	"net/netip"
	"strconv"
	"strings"
)

// MaxBaseLength is the most characters that a resolver base may have. A longer
// one would make QR codes too dense for small labels.
const MaxBaseLength = 100

// Base is a resolver base in normalised form, as [ParseBase] makes it: scheme,
// host, port unless it is the scheme's own, path prefix, and no slash at the end.
type Base string

// ParseBase reads a resolver base and normalises it: scheme and host in lower
// case, IPv6 addresses in their shortest form, without the default port and
// without one trailing slash. Equal bases are equal strings afterwards; since a
// base belongs to one brand for ever, that matters.
//
// It refuses
//   - a scheme other than https (http passes for localhost, 127.0.0.1 and [::1],
//     so that demonstrations run);
//   - user names, queries, fragments, percent-encoding;
//   - a host beyond ASCII (an internationalised name is given by its A-labels,
//     "xn--…"), an odd spelling of an IPv4 address, an IPv6 zone;
//   - a port outside 1 to 65535;
//   - path segments that are empty, "." or "..", that have other than unreserved
//     characters (RFC 3986, section 2.3), that read as a GS1 key (2 to 4 digits)
//     or as the "u" of URLs without GTIN, in either case;
//   - more than [MaxBaseLength] characters after normalisation.
func ParseBase(s string) (Base, error) {
	scheme, rest, _ := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	if rest == "" || scheme != "https" && scheme != "http" {
		return "", invalid("The resolver base must begin with https:// and a host.")
	}
	if strings.Contains(rest, "?") {
		return "", invalid("The resolver base has a query; end it before the question mark.")
	}
	if strings.Contains(rest, "#") {
		return "", invalid("The resolver base has a fragment; end it before the number sign.")
	}

	authority, path, _ := strings.Cut(rest, "/")
	if strings.Contains(authority, "@") {
		return "", invalid("The resolver base has a user name; everyone who scans a code could read it.")
	}
	host, port, err := parseAuthority(authority)
	if err != nil {
		return "", err
	}
	if scheme == "http" && host != "localhost" && host != "127.0.0.1" && host != "[::1]" {
		return "", invalid("The resolver base must begin with https://; http:// is for localhost, 127.0.0.1 and [::1] only.")
	}

	base := scheme + "://" + host
	switch scheme + ":" + port {
	case "https:", "http:", "https:443", "http:80":
	default:
		base += ":" + port
	}
	if path != "" {
		path = strings.TrimSuffix(path, "/")
		for segment := range strings.SplitSeq(path, "/") {
			if err := validateBaseSegment(segment); err != nil {
				return "", err
			}
		}
		base += "/" + path
	}
	if len(base) > MaxBaseLength {
		return "", invalid("The resolver base has %d characters; it may have %d.", len(base), MaxBaseLength)
	}
	return Base(base), nil
}

// parseAuthority returns the normalised host and the port, "" if none is given.
func parseAuthority(authority string) (host, port string, err error) {
	var hasPort bool
	if inner, ok := strings.CutPrefix(authority, "["); ok {
		literal, after, closed := strings.Cut(inner, "]")
		addr, err := netip.ParseAddr(literal)
		if err != nil || !closed || !addr.Is6() || addr.Is4In6() || addr.Zone() != "" {
			return "", "", invalid("The resolver base has an IPv6 address that is not one, or has a zone or an IPv4 address in it.")
		}
		host = "[" + addr.String() + "]"
		if port, hasPort = strings.CutPrefix(after, ":"); after != "" && !hasPort {
			return "", "", invalid("The resolver base has text between its IPv6 address and the port or path.")
		}
	} else {
		host, port, hasPort = strings.Cut(authority, ":")
		if host, err = parseHost(host); err != nil {
			return "", "", err
		}
	}
	if hasPort && !validPort(port) {
		return "", "", invalid("The resolver base has a port that is not a number from 1 to 65535.")
	}
	return host, port, nil
}

// parseHost checks a host name or IPv4 address and puts it in lower case.
func parseHost(host string) (string, error) {
	for i := range len(host) {
		if host[i] >= 0x80 {
			return "", invalid("The resolver base has a host name beyond ASCII; give it in its ASCII form (A-labels, xn--…).")
		}
	}
	if char, pos := firstOutside(host, func(c byte) bool { return isAlnum(c) || c == '-' || c == '.' }); pos > 0 {
		return "", invalid("The resolver base has %s at position %d of its host; a host has letters, digits, hyphens and dots.", char, pos)
	}
	host = strings.ToLower(host)

	var last string
	for label := range strings.SplitSeq(host, ".") {
		switch {
		case label == "":
			return "", invalid("The resolver base has a host that is empty, begins or ends in a dot, or has two dots in a row.")
		case len(label) > 63:
			return "", invalid("The resolver base has a host with more than 63 characters between two dots.")
		case label[0] == '-' || label[len(label)-1] == '-':
			return "", invalid("The resolver base has a host with a hyphen next to a dot, or at its beginning or end.")
		}
		last = label
	}

	// Browsers read a host whose last label is a number, also an octal or
	// hexadecimal one, as an IPv4 address and rewrite it. Only the spelling
	// that they would leave alone may be printed.
	if isDigit(last[0]) {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is4() {
			return "", invalid("The resolver base has a host that is neither a name nor an IPv4 address of four decimal numbers.")
		}
	}
	return host, nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && port[0] != '0'
}

// validateBaseSegment checks one segment of the path prefix.
func validateBaseSegment(segment string) error {
	if segment == "" {
		return invalid("The resolver base has an empty path segment (two slashes in a row).")
	}
	if char, pos := firstOutside(segment, isUnreserved); pos > 0 {
		return invalid("The resolver base has %s at position %d of a path segment; only letters, digits and - . _ ~ are allowed.", char, pos)
	}
	_, nonDigit := firstOutside(segment, isDigit)
	switch {
	case isDotSegment(segment):
		return invalid("The resolver base has the path segment %q, which URL parsers remove.", segment)
	case segment == "u" || segment == "U":
		return invalid("The resolver base has the path segment %q, which is kept for URLs without GTIN.", segment)
	case nonDigit == 0 && 2 <= len(segment) && len(segment) <= 4:
		return invalid("The resolver base has the path segment %q, which reads as a GS1 key.", segment)
	}
	return nil
}

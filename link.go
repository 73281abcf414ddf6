package mintage

import (
	"fmt"
	"mime"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// MaxLinks is how many links a product may have.
const MaxLinks = 50

// MaxHref is the most characters that a link's href may have.
const MaxHref = 2000

// hreflang is what GS1's linkset schema allows as a language: "de" or "de-CH".
var hreflang = regexp.MustCompile(`^[a-z]{2}(-[A-Z]{2})?$`)

// mediaType is what GS1's linkset schema allows as a media type.
var mediaType = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9.+-]+$`)

// ValidateLinks refuses links of a product that cannot be stored. It returns
// every fault, each with a JSON pointer below /links. validType checks a link type.
func ValidateLinks(links []Link, validType func(string) error) []*Error {
	if len(links) > MaxLinks {
		return []*Error{Errorf(CodeInvalidInput, "A product may have %d links at most.", MaxLinks).WithField("/links")}
	}
	var faults []*Error
	defaults := 0
	for i, l := range links {
		fault := func(field string, err error) {
			if err != nil {
				faults = append(faults, Errorf(CodeInvalidInput, "%s", ErrorMessage(err)).WithField(fmt.Sprintf("/links/%d/%s", i, field)))
			}
		}
		fault("link_type", validType(l.Type))
		fault("href", validateHref(l.Href))
		fault("title", validateText("title", l.Title, 200))
		if l.Language != "" && !hreflang.MatchString(l.Language) {
			fault("language", Errorf(CodeInvalidInput, "The language must be like de or de-CH."))
		}
		if l.MediaType != "" && !validMediaType(l.MediaType) {
			fault("media_type", Errorf(CodeInvalidInput, "The media type must be like text/html, in lower case and without parameters."))
		}
		if l.Context != "" {
			fault("context", validateText("context", l.Context, 100))
		}
		if l.Default {
			defaults++
		}
		l.Title, l.Default = "", false
		if slices.ContainsFunc(links[:i], func(o Link) bool { o.Title, o.Default = "", false; return o == l }) {
			fault("href", Errorf(CodeInvalidInput, "The same link stands in the list twice; keep one."))
		}
	}
	if len(links) > 0 && defaults != 1 {
		faults = append(faults, Errorf(CodeInvalidInput, "%d links are the default; make it exactly one.", defaults).WithField("/links"))
	}
	return faults
}

func validMediaType(s string) bool {
	_, _, err := mime.ParseMediaType(s)
	return err == nil && len(s) <= 100 && mediaType.MatchString(s)
}

// validateHref takes an absolute https URL (http on this machine), in which known
// placeholders stand after the host only: a value may never choose the host.
func validateHref(href string) error {
	refuse := func(format string, args ...any) error { return Errorf(CodeInvalidInput, format, args...) }
	if n := len(href); n < 1 || n > MaxHref {
		return refuse("The href has %d characters; it may have 1 to %d.", n, MaxHref)
	}
	// What RFC 3986 leaves out must be percent-encoded, as it stands in a header.
	if strings.ContainsFunc(href, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`|", r) }) {
		return refuse("The href has a character that a URL has only percent-encoded.")
	}
	filled := href
	for _, p := range placeholders {
		filled = strings.ReplaceAll(filled, p, "0")
	}
	if strings.ContainsAny(filled, "{}") {
		return refuse("The href has braces around what is no placeholder; those are %s.", strings.Join(placeholders, ", "))
	}
	u, err := url.Parse(filled)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return refuse("The href must be an absolute URL, such as https://www.example.com/{gtin}.")
	}
	_, rest, _ := strings.Cut(href, "://")
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	switch {
	case strings.Contains(authority, "{"):
		return refuse("The href has a placeholder in its host; the host must be fixed.")
	case u.User != nil:
		return refuse("The href has a user name or password; take it out.")
	case u.Scheme == "http" && isThisMachine(u.Hostname()):
		return nil
	case u.Scheme != "https":
		return refuse("The href must begin with https://.")
	}
	return nil
}

// isThisMachine reports whether a host can only be where it is asked for.
func isThisMachine(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

package resolver

import (
	"net/http"
	"strings"
)

// form is what an answer looks like.
type form int

// Forms of answers.
const (
	formPage    form = iota // for people: a redirect, or an HTML page
	formJSONLD              // application/ld+json
	formJSON                // application/json
	formLinkset             // application/linkset+json
)

// forms are what a client may prefer; among equals the first.
var forms = []struct {
	form  form
	types []string
}{
	{formPage, []string{"text/html", "application/xhtml+xml"}},
	{formJSONLD, []string{"application/ld+json"}},
	{formJSON, []string{"application/json"}},
	{formLinkset, []string{"application/linkset+json"}},
}

// negotiate chooses a form by an Accept header (RFC 9110, section 12.5.1). Of those
// that the client likes equally, one that it names wins over one that it only
// does not exclude, and a page over data.
func negotiate(header *headerList) form {
	accept := header.text
	if accept == "" || accept == "*/*" || strings.HasPrefix(accept, "text/html,") { // what nearly all say
		return formPage
	}
	best, chosen := 0, formPage
	for _, f := range forms {
		for _, mediaType := range f.types {
			if q := header.ranges().acceptable(mediaType); q > best {
				best, chosen = q, f.form
			}
		}
	}
	return chosen
}

// How much is read of headers, in bytes. Browsers send a tenth of it; what looks through
// it for each link or type would otherwise be kept busy by one request.
const (
	maxAccept         = 1000
	maxAcceptLanguage = 500
	maxTags           = 1000 // of If-None-Match
	maxRanges         = 50   // elements of one of the first two; the rest is not heard
)

// headerList is a header that is a list, read once, when it is needed first.
type headerList struct {
	text string
	read ranges
	done bool
}

func (h *headerList) ranges() ranges {
	if !h.done {
		h.read, h.done = parseRanges(h.text), true
	}
	return h.read
}

// ranges are the elements of an Accept or Accept-Language header.
type ranges []struct {
	name string
	q    int // in thousandths
}

func parseRanges(header string) (all ranges) {
	if header == "" {
		return nil
	}
	all = make(ranges, min(1+strings.Count(header, ","), maxRanges))
	for i := range all {
		var element string
		element, header, _ = strings.Cut(header, ",")
		all[i].name, all[i].q = weighted(element)
	}
	return all
}

// acceptable returns how much a client likes a media type: 0 for not at all, else
// four times its q-value in thousandths, plus 3 where it names the type, 2 the
// major type and 1 anything.
func (accept ranges) acceptable(mediaType string) int {
	best, quality := 0, 0
	for _, element := range accept {
		name, q := element.name, element.q
		precision := 0
		switch {
		case strings.EqualFold(name, mediaType):
			precision = 3
		case name == "*/*":
			precision = 1
		case strings.HasSuffix(name, "/*") && len(name)-1 <= len(mediaType) && strings.EqualFold(name[:len(name)-1], mediaType[:len(name)-1]):
			precision = 2
		}
		if precision > best { // the most precise range decides
			best, quality = precision, q
		}
	}
	if quality == 0 {
		return 0
	}
	return 4*quality + best
}

// weighted splits an element of an Accept or Accept-Language header into its name and
// its q-value in thousandths: 1000 where there is none, 0 where it is malformed.
func weighted(element string) (name string, q int) {
	name, parameters, more := strings.Cut(element, ";")
	q = 1000
	for more {
		var parameter string
		parameter, parameters, more = strings.Cut(parameters, ";")
		key, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
		if strings.EqualFold(key, "q") {
			q = thousandths(value)
		}
	}
	return strings.Trim(name, " \t"), q
}

// thousandths reads a qvalue: 0 or 1, and up to three decimals.
func thousandths(s string) int {
	whole, decimals, _ := strings.Cut(s, ".")
	if len(decimals) > 3 || whole != "0" && whole != "1" {
		return 0
	}
	n := int(whole[0] - '0')
	for i := range 3 {
		n *= 10
		if i < len(decimals) {
			if decimals[i] < '0' || decimals[i] > '9' {
				return 0
			}
			n += int(decimals[i] - '0')
		}
	}
	return min(n, 1000)
}

// speaks returns how much a client likes a language tag, as acceptable does: by a
// range that equals the tag, one whose beginning the tag has or one that begins with
// the tag (RFC 4647, sections 3.3.1 and 3.4), or by "*".
func (accept ranges) speaks(tag string) int {
	best, quality := 0, 0
	for _, element := range accept {
		name, q := element.name, element.q
		var precision int
		switch {
		case strings.EqualFold(name, tag):
			precision = 3
		case name == "*":
			precision = 1
		case extends(name, tag) || extends(tag, name):
			precision = 2
		default:
			continue
		}
		if precision > best || precision == best && q > quality {
			best, quality = precision, q
		}
	}
	if quality == 0 {
		return 0
	}
	return 4*quality + best
}

// extends reports whether a language tag is prefix with more subtags.
func extends(tag, prefix string) bool {
	return prefix != "" && len(tag) > len(prefix)+1 && tag[len(prefix)] == '-' && strings.EqualFold(tag[:len(prefix)], prefix)
}

// header returns the values of a header that is a list, up to a size, and no half
// element at the end.
func header(h http.Header, name string, most int) string {
	list := ""
	switch values := h[name]; len(values) {
	case 0:
		return ""
	case 1:
		list = values[0]
	default:
		for i, value := range values {
			if i > 0 {
				list += ","
			}
			if list += value; len(list) > most {
				break
			}
		}
	}
	if len(list) <= most {
		return list
	}
	return list[:max(0, strings.LastIndexByte(list[:most], ','))]
}

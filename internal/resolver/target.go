package resolver

import (
	"net/url"
	"slices"
	"strings"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/resolver/passport"
)

// level is how much of an identity something is about.
type level int

// Levels, from the whole product down.
const (
	levelProduct level = iota
	levelLot
	levelUnit
)

// values fill in the placeholders of links; they are escaped, "" for none.
type values struct{ gtin, lot, serial, code, unitID string }

// target is a link of a product, made ready for filling in.
type target struct {
	mintage.Link

	level    level
	href     []piece // up to the fragment
	fragment []piece // with its number sign
	query    bool    // the href has one
}

// piece is text, or a placeholder if value is set.
type piece struct {
	text  string
	value func(*values) string
}

// fillings are the placeholders that a link may have, and the least level at which
// each has a value.
var fillings = []struct {
	name  string
	level level
	value func(*values) string
}{
	{"{gtin}", levelProduct, func(v *values) string { return v.gtin }},
	{"{lot}", levelLot, func(v *values) string { return v.lot }},
	{"{serial}", levelUnit, func(v *values) string { return v.serial }},
	{"{code}", levelUnit, func(v *values) string { return v.code }},
	{"{unit_id}", levelUnit, func(v *values) string { return v.unitID }},
}

// setLinks makes the product's links ready.
func (c *card) setLinks(links []mintage.Link) {
	c.targets, c.first = nil, nil
	for _, l := range links {
		href, fragment, hasFragment := strings.Cut(l.Href, "#")
		t := &target{Link: l, query: strings.Contains(href, "?")}
		t.href = t.pieces(href)
		if hasFragment {
			t.fragment = t.pieces("#" + fragment)
		}
		c.targets = append(c.targets, t)
		if l.Default {
			c.first = t
		}
	}
	c.alone = c.first != nil && len(c.ofType(c.first.Type)) == 1
}

func (t *target) pieces(text string) (pieces []piece) {
	for text != "" {
		at, next := len(text), len(text)
		var value func(*values) string
		for _, f := range fillings {
			if i := strings.Index(text, f.name); i >= 0 && i < at {
				at, next, value = i, i+len(f.name), f.value
				t.level = max(t.level, f.level)
			}
		}
		if at > 0 {
			pieces = append(pieces, piece{text: text[:at]})
		}
		if value != nil {
			pieces = append(pieces, piece{value: value})
		}
		text = text[next:]
	}
	return pieces
}

// location is the link's href filled in, with a query added.
func (t *target) location(v *values, query string) string {
	var b strings.Builder
	b.Grow(len(t.Href) + len(query) + 40)
	for _, p := range t.href {
		b.WriteString(p.fill(v))
	}
	if query != "" {
		switch {
		case !t.query:
			b.WriteByte('?')
		case !strings.HasSuffix(t.Href, "?") && !strings.HasSuffix(t.Href, "&"):
			b.WriteByte('&')
		}
		b.WriteString(query)
	}
	for _, p := range t.fragment {
		b.WriteString(p.fill(v))
	}
	return b.String()
}

func (p piece) fill(v *values) string {
	if p.value != nil {
		return p.value(v)
	}
	return p.text
}

// ofType returns the product's links of a type.
func (c *card) ofType(linkType string) []*target {
	var found []*target
	for _, t := range c.targets {
		if t.Type == linkType {
			found = append(found, t)
		}
	}
	return found
}

// Link types of the built-in passport page.
const (
	typePassport = "gs1:dpp"
	typeProduct  = "gs1:pip"
)

// builtIn returns the passport page at an address as links, unless the brand has its
// own links of the type: always as the passport, and as the product's page
// where the brand has no links at all.
func (c *card) builtIn(page string) []*target {
	var links []mintage.Link
	add := func(linkType string) {
		if len(c.ofType(linkType)) > 0 {
			return
		}
		data := page + "?" + passport.FormatParameter + "="
		links = append(links,
			mintage.Link{Type: linkType, Href: page, Title: "Digital product passport", MediaType: "text/html", Default: true},
			mintage.Link{Type: linkType, Href: data + passport.FormatJSONLD, Title: "Digital product passport as JSON-LD", MediaType: "application/ld+json"},
			mintage.Link{Type: linkType, Href: data + passport.FormatJSON, Title: "Digital product passport as JSON", MediaType: "application/json"})
	}
	add(typePassport)
	if len(c.targets) == 0 {
		add(typeProduct)
	}
	var own card
	own.setLinks(links)
	return own.targets
}

// preferences are what a client says about the links that it would like.
type preferences struct {
	accept, language ranges
	context          string
}

// choose returns the links that fit best: one, unless several differ in nothing that a
// client can ask for. The first is chosen of those that differ and fit
// equally; a default link wins over them.
func choose(from []*target, p preferences) []*target {
	var best []*target
	var score [5]int
	for _, t := range from {
		// Whoever does not say what it would like is taken for a browser, which has no use
		// for JSON in whatever language.
		s := [5]int{p.inContext(t), p.media(t), 1, p.speech(t), 0}
		if strings.HasSuffix(t.MediaType, "json") {
			s[2] = 0
		}
		if t.Default {
			s[4] = 1
		}
		switch order := slices.Compare(s[:], score[:]); {
		case len(best) == 0 || order > 0:
			best, score = []*target{t}, s
		case order == 0 && t.Language == best[0].Language && t.MediaType == best[0].MediaType && t.Context == best[0].Context:
			best = append(best, t)
		}
	}
	return best
}

// inContext prefers a link of the context that was asked for, else one of none.
func (p preferences) inContext(t *target) int {
	switch t.Context {
	case p.context:
		return 2
	case "":
		return 1
	}
	return 0
}

// media prefers a link by its media type; one without a type is taken for a page.
func (p preferences) media(t *target) int {
	mediaType := t.MediaType
	if mediaType == "" {
		mediaType = "text/html"
	}
	if len(p.accept) == 0 {
		return 1
	}
	return p.accept.acceptable(mediaType)
}

// speech prefers a link by its language. One without a language comes after one that
// is asked for, and before one that is not.
func (p preferences) speech(t *target) int {
	if len(p.language) == 0 {
		return 0
	}
	if t.Language == "" {
		return 1
	}
	return p.language.speaks(t.Language)
}

// parseLinkType reads the value of a linkType parameter, decoded once; some encode it
// twice.
func parseLinkType(s string) (string, error) {
	if strings.Contains(s, "%") {
		if decoded, err := url.PathUnescape(s); err == nil {
			s = decoded
		}
	}
	return gs1.ParseLinkType(s)
}

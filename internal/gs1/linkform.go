package gs1

import (
	"net/url"
	"strings"
	"time"
)

// pathAIs appends the AIs of key and qualifiers, in path order.
func (l *Link) pathAIs(ais []string) []string {
	ais = append(ais, l.Key.AI)
	if l.CPV != "" {
		ais = append(ais, "22")
	}
	if l.Lot != "" {
		ais = append(ais, "10")
	}
	if l.Serial != "" {
		ais = append(ais, "21")
	}
	if l.Qualifier.AI != "" {
		ais = append(ais, l.Qualifier.AI)
	}
	return ais
}

// pathElements returns key and qualifiers, in path order.
func (l Link) pathElements() []Element {
	var elements []Element
	for _, e := range []Element{l.Key, {"22", l.CPV}, {"10", l.Lot}, {"21", l.Serial}, l.Qualifier} {
		if e.Value != "" {
			elements = append(elements, e)
		}
	}
	return elements
}

// Elements returns key, qualifiers and data attributes, in this order; none for a
// URL without GTIN.
func (l Link) Elements() []Element {
	return append(l.pathElements(), l.Data...)
}

// ElementString returns what a scanner would transmit for a symbol with the same
// content, with a caret for FNC1: one at the beginning, and one before each AI
// that follows a value whose length is not predefined.
func (l Link) ElementString() string {
	var b strings.Builder
	separator := true
	for _, e := range l.Elements() {
		if separator {
			b.WriteByte('^')
		}
		b.WriteString(e.AI)
		b.WriteString(e.Value)
		separator = identifiers[e.AI].needsSeparator()
	}
	return b.String()
}

// Path returns key and qualifiers as a canonical path, from its first slash on,
// without Prefix: uncompressed, and encoded as [EscapeSegment] does.
func (l Link) Path() string {
	var b strings.Builder
	if l.ProductCode != "" {
		b.WriteString("/u/" + l.ProductCode)
		if l.Code != "" {
			b.WriteString("/" + EscapeSegment(l.Code))
		}
	}
	for _, e := range l.pathElements() {
		b.WriteString("/" + e.AI + "/" + EscapeSegment(e.Value))
	}
	return b.String()
}

// Query returns the data attributes, encoded, and the unknown parameters as they
// were written; "" if there are none of either.
func (l Link) Query() string {
	var b strings.Builder
	for _, e := range l.Data {
		b.WriteString("&" + e.AI + "=" + EscapeSegment(e.Value))
	}
	if l.Unknown != "" {
		b.WriteString("&" + l.Unknown)
	}
	return strings.TrimPrefix(b.String(), "&")
}

// Parameter returns the decoded value of the first unknown parameter with this
// name; ok is false if there is none or its encoding is broken.
func (l Link) Parameter(name string) (value string, ok bool) {
	for parameter := range strings.SplitSeq(l.Unknown, "&") {
		key, raw, _ := strings.Cut(parameter, "=")
		if parameter == "" {
			continue
		}
		if key != name {
			if decoded, err := url.QueryUnescape(key); err != nil || decoded != name {
				continue
			}
		}
		value, err := url.QueryUnescape(raw)
		return value, err == nil
	}
	return "", false
}

// ParseDate returns the day, at midnight UTC, that the value of a date AI (11 to
// 17, 7006 …) means: YYMMDD, where day 00 is the last day of the month. The
// century is that in which the year is 49 years back to 50 years ahead of today's
// (GS1 General Specifications, section 7.12).
func ParseDate(value string, today time.Time) (time.Time, error) {
	if len(value) != 6 || !allDigits(value) || date0Rule(value) != "" {
		return time.Time{}, invalid("The value is not a date: six digits, YYMMDD.")
	}
	now := today.UTC().Year()
	year := now - now%100 + number(value[:2])
	switch {
	case year-now >= 51:
		year -= 100
	case year-now <= -50:
		year += 100
	}
	month, day := number(value[2:4]), number(value[4:])
	if day == 0 {
		day = daysIn(year, month)
	}
	if day > daysIn(year, month) { // 29 February of a year that is no leap year, such as 2100
		return time.Time{}, invalid("The value is not a date: its month does not have this day.")
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC), nil
}

// UnitCode is what names a unit in a link: its serial number, its code in the query, or
// the code of a URL without GTIN; "" where nothing does.
func (l Link) UnitCode() string {
	switch {
	case l.ProductCode != "":
		return l.Code
	case l.Serial != "":
		return l.Serial
	}
	code, _ := l.Parameter("u")
	return code
}

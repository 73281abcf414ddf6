package passport

import (
	"encoding/json"
	"time"

	"mintage"
	"mintage/internal/dpp"
)

// attribute is one that everyone may see.
type attribute struct {
	dpp.Attribute
	annotation
	raw   json.RawMessage
	value value
}

// publicAttributes is the only way from a product's attributes to a page or to
// data: those whose access class in the schema is public, in the schema's order.
// What has another class, no class, or no place in the schema is left out with all
// that is in it; parts have no class of their own (see package dpp).
func publicAttributes(p *mintage.Product, s *dpp.Schema) []attribute {
	if s == nil || len(p.Attributes) == 0 {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(p.Attributes, &all) != nil {
		return nil // what is no object has no attributes
	}
	top := annotations(s)
	var public []attribute
	for _, a := range s.Attributes {
		raw, ok := all[a.Name]
		if !ok || !a.Public() {
			continue
		}
		v, err := parseValue(raw)
		if err != nil || v.absent() {
			continue
		}
		public = append(public, attribute{Attribute: a, annotation: top.member(a.Name), raw: raw, value: v})
	}
	return public
}

// group is what stands together on the page.
type group struct {
	Title      string
	Attributes []shownAttribute
}

type shownAttribute struct {
	Label string
	Value shown
}

// groups puts attributes under their groups' titles, in the order in which the
// schema first names a group.
func groups(public []attribute, l *language) []*group {
	var list []*group
	byKey := map[string]*group{}
	for _, a := range public {
		g, ok := byKey[a.Group]
		if !ok {
			g = &group{Title: groupTitle(a.Group, l)}
			byKey[a.Group] = g
			list = append(list, g)
		}
		g.Attributes = append(g.Attributes, shownAttribute{a.title(l, a.Name), show(a.value, a.annotation, l)})
	}
	return list
}

// groupTitle is our word for a group of the schemas that come with mintage, else
// the group's own name.
func groupTitle(key string, l *language) string {
	if key == "" {
		return l.text("group.other")
	}
	return l.textOr("group."+key, readable(key))
}

// shown is a value as the template takes it; one of the fields is used.
type shown struct {
	Text  string // with its unit
	Href  string // of a text that is a web address
	List  []shown
	Pairs []shownAttribute
	Table *table
}

// table shows a list of objects that have scalar members only.
type table struct {
	Head []string
	Rows [][]shown
}

// maxColumns is what fits on a phone.
const maxColumns = 4

func show(v value, a annotation, l *language) shown {
	switch v.kind {
	case kindNumber:
		return shown{Text: withUnit(l.number(v.text), a.unit, l)}
	case kindBool:
		if v.text == "true" {
			return shown{Text: l.text("yes")}
		}
		return shown{Text: l.text("no")}
	case kindString:
		if webAddress(v.text) {
			return shown{Text: v.text, Href: v.text}
		}
		if day, err := time.Parse(time.DateOnly, v.text); err == nil && a.format() == "date" {
			return shown{Text: l.date(day)}
		}
		if at, err := time.Parse(time.RFC3339, v.text); err == nil && a.format() == "date-time" {
			return shown{Text: l.date(at) + at.UTC().Format(", 15:04 UTC")}
		}
		return shown{Text: withUnit(v.text, a.unit, l)}
	case kindObject:
		var s shown
		for _, m := range v.members {
			if !m.absent() {
				place := a.member(m.name)
				s.Pairs = append(s.Pairs, shownAttribute{place.title(l, m.name), show(m.value, place, l)})
			}
		}
		return s
	case kindList:
		if len(v.items) == 0 {
			return shown{Text: l.text("none")}
		}
		if t := tabulate(v, a.items(), l); t != nil {
			return shown{Table: t}
		}
		var s shown
		for _, item := range v.items {
			if !item.absent() {
				s.List = append(s.List, show(item, a.items(), l))
			}
		}
		return s
	default:
		return shown{}
	}
}

// tabulate makes a table of a list of flat objects; nil where it cannot be one.
func tabulate(v value, a annotation, l *language) *table {
	var columns []string
	place := map[string]int{}
	for _, item := range v.items {
		if item.kind != kindObject {
			return nil
		}
		for _, m := range item.members {
			if !m.scalar() {
				return nil
			}
			if _, ok := place[m.name]; !ok && !m.absent() {
				place[m.name] = len(columns)
				columns = append(columns, m.name)
			}
		}
	}
	if len(columns) == 0 || len(columns) > maxColumns {
		return nil
	}
	t := &table{}
	for _, name := range columns {
		t.Head = append(t.Head, a.member(name).title(l, name))
	}
	for _, item := range v.items {
		row := make([]shown, len(columns))
		for _, m := range item.members {
			if !m.absent() {
				row[place[m.name]] = show(m.value, a.member(m.name), l)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// withUnit puts a unit behind a value so that no line breaks between them.
func withUnit(text, unit string, l *language) string {
	if unit == "" {
		return text
	}
	return text + "\u00a0" + l.textOr("unit."+unit, unit)
}

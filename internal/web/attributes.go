package web

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"mintage"
	"mintage/internal/dpp"
)

// shownGroup is one group of a product's DPP attributes.
type shownGroup struct {
	Title string
	Rows  []shownAttribute
}

// shownAttribute is an attribute with its value as a page shows it: one of Text, List,
// Table and JSON, or nothing where it is Missing.
type shownAttribute struct {
	Label, Unit string
	Note        string // who may see it, or that it is not the model's; "" for everybody
	Missing     bool   // and demanded

	Text  string
	List  []string
	Head  []string
	Table [][]string
	JSON  string
}

// showAttributes lists the attributes that have a value, or need one, by their groups;
// unsaid counts the others. What the schema does not know is a group of its own.
func (v *visit) showAttributes(product *mintage.Product, schema *dpp.Schema) (groups []shownGroup, unsaid int, err error) {
	values, err := decodeAttributes(product.Attributes)
	if err != nil {
		return nil, 0, err
	}
	groupOf := map[string]int{}
	add := func(title string, a shownAttribute) {
		i, ok := groupOf[title]
		if !ok {
			i = len(groups)
			groupOf[title] = i
			groups = append(groups, shownGroup{Title: title})
		}
		groups[i].Rows = append(groups[i].Rows, a)
	}
	if schema != nil {
		shapes := schema.Shapes()
		for _, a := range schema.Attributes {
			value := values[a.Name]
			delete(values, a.Name)
			demanded := a.Required && a.Level == dpp.LevelModel
			if value == nil && !demanded {
				if a.Level == dpp.LevelModel {
					unsaid++
				}
				continue
			}
			shown := shownAttribute{Label: a.Title(v.language.code), Unit: a.Unit, Note: v.attributeNote(a), Missing: value == nil}
			v.showValue(&shown, shapes[a.Name], value)
			add(v.groupTitle(a.Group), shown)
		}
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		shown := shownAttribute{Label: name}
		v.showValue(&shown, dpp.Shape{}, values[name])
		add(v.language.text("catalogue.group.unknown"), shown)
	}
	return groups, unsaid, nil
}

// decodeAttributes reads a product's attributes; numbers keep their digits.
func decodeAttributes(raw json.RawMessage) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, mintage.Errorf(mintage.CodeInternal, "The attributes of a product cannot be read.").WithCause(err)
	}
	return values, nil
}

// attributeNote says who may see an attribute besides the brand, where that is not
// everybody, and what it differs by, where it is not the product.
func (v *visit) attributeNote(a dpp.Attribute) string {
	if a.Level != dpp.LevelModel {
		return v.language.text("catalogue.level." + a.Level)
	}
	switch a.Access {
	case dpp.AccessPublic:
		return ""
	case "":
		return v.language.text("catalogue.access.nobody")
	default:
		return v.language.text("catalogue.access." + string(a.Access))
	}
}

// groupTitle is what a group of attributes is called.
func (v *visit) groupTitle(group string) string {
	if group == "" {
		group = "none"
	}
	if title, ok := v.language.texts["catalogue.group."+group]; ok {
		return title
	}
	return strings.ReplaceAll(group, "_", " ")
}

// showValue brings a value into the form that its shape suggests, and shows it as JSON
// where it has another.
func (v *visit) showValue(shown *shownAttribute, shape dpp.Shape, value any) {
	switch value := value.(type) {
	case nil:
	case string, bool, json.Number:
		shown.Text = v.showSimple(value)
	case []any:
		if shape.Kind == dpp.KindRows && v.showRows(shown, shape.Members, value) {
			return
		}
		shown.List = texts(value)
		if shown.List == nil {
			shown.JSON = encodeJSON(value, "  ")
		}
		if len(value) == 0 {
			shown.JSON, shown.Text = "", v.language.text("catalogue.none")
		}
	case map[string]any:
		if shape.Kind == dpp.KindRecord && v.showRows(shown, shape.Members, []any{value}) {
			return
		}
		shown.JSON = encodeJSON(value, "  ")
	}
}

func (v *visit) showSimple(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case bool:
		if value {
			return v.language.text("catalogue.yes")
		}
		return v.language.text("catalogue.no")
	case json.Number:
		return string(value)
	default:
		return ""
	}
}

// showRows makes a table of objects; it reports false where they have members that the
// shape does not know.
func (v *visit) showRows(shown *shownAttribute, members []dpp.Member, values []any) bool {
	var table [][]string
	for _, value := range values {
		object, ok := value.(map[string]any)
		if !ok || !onlyMembers(object, members) {
			return false
		}
		row := make([]string, len(members))
		for i, m := range members {
			if row[i] = v.showSimple(object[m.Name]); row[i] != "" && m.Unit != "" {
				row[i] += " " + m.Unit
			}
		}
		table = append(table, row)
	}
	if len(table) == 0 {
		return false
	}
	for _, m := range members {
		shown.Head = append(shown.Head, m.Title(v.language.code))
	}
	shown.Table = table
	return true
}

// onlyMembers reports whether an object has simple values of known names only.
func onlyMembers(object map[string]any, members []dpp.Member) bool {
	for name, value := range object {
		switch value.(type) {
		case map[string]any, []any:
			return false
		}
		if !slices.ContainsFunc(members, func(m dpp.Member) bool { return m.Name == name }) {
			return false
		}
	}
	return true
}

// texts returns the entries of a list of texts, nil where it has others or none.
func texts(list []any) (all []string) {
	for _, value := range list {
		text, isText := value.(string)
		if !isText {
			return nil
		}
		all = append(all, text)
	}
	return all
}

func encodeJSON(value any, indent string) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if encoder.Encode(value) != nil {
		return "" // cannot happen: it was decoded from JSON
	}
	return strings.TrimSpace(text.String())
}

// attributeLabel names the place that a JSON pointer into the attributes leads to, and
// says what is expected there.
func (v *visit) attributeLabel(schema *dpp.Schema, pointer string) (label, expected string) {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	a, ok := schema.Attribute(parts[0])
	if !ok {
		return parts[0], ""
	}
	shape := schema.Shapes()[a.Name]
	label, expected = a.Title(v.language.code), v.expectation(shape, a.Unit)
	if len(parts) > 1 {
		if row, err := strconv.Atoi(parts[1]); err == nil {
			label, expected = v.language.text("catalogue.row_of", label, row+1), ""
		}
	}
	for _, m := range shape.Members {
		if m.Name == parts[len(parts)-1] && len(parts) > 1 {
			label, expected = label+": "+m.Title(v.language.code), v.expectation(m.Shape, m.Unit)
		}
	}
	return label, expected
}

// expectation says what a value must be like, "" where that goes without saying.
func (v *visit) expectation(shape dpp.Shape, unit string) string {
	text := v.language.text
	switch shape.Kind {
	case dpp.KindNumber, dpp.KindInteger:
		return v.expectNumber(shape, unit)
	case dpp.KindChoice:
		return text("catalogue.expect.choice", strings.Join(shape.Choices, ", "))
	case dpp.KindRows:
		if shape.SumOf != "" {
			for _, m := range shape.Members {
				if m.Name == shape.SumOf {
					return text("catalogue.expect.sum", m.Title(v.language.code), strings.TrimSpace(shape.Sum+" "+m.Unit))
				}
			}
		}
		return ""
	case dpp.KindList:
		return text("catalogue.expect.list")
	case dpp.KindText:
	default:
		return ""
	}
	switch {
	case shape.Format == "date":
		return text("catalogue.expect.date")
	case shape.Format == "uri":
		return text("catalogue.expect.url")
	case len(shape.Examples) > 0:
		return text("catalogue.expect.examples", strings.Join(shape.Examples, ", "))
	case shape.Pattern != "":
		return text("catalogue.expect.pattern", patternWords(v, shape.Pattern))
	default:
		return ""
	}
}

// patterns are regular expressions of the schemas that we ship, which nobody has to
// read: each has a text of its own.
var patterns = map[string]string{
	`^[A-Z]{2}$`:                  "country",
	`^[A-Z]{2}[A-Z0-9]{1,15}$`:    "eori",
	`^[0-9]{8}([0-9]{2})?$`:       "taric",
	`^[0-9]{2,7}-[0-9]{2}-[0-9]$`: "cas",
	`^[0-9]{4}-(0[1-9]|1[0-2])$`:  "month",
}

func patternWords(v *visit, pattern string) string {
	if key, ok := patterns[pattern]; ok {
		return v.language.text("catalogue.pattern." + key)
	}
	return v.language.text("catalogue.pattern.other", pattern)
}

func (v *visit) expectNumber(shape dpp.Shape, unit string) string {
	var words []string
	for _, bound := range []struct{ key, value string }{
		{"at_least", shape.Minimum}, {"above", shape.Above}, {"at_most", shape.Maximum}, {"below", shape.Below},
	} {
		if bound.value != "" {
			words = append(words, v.language.text("catalogue.expect."+bound.key, strings.TrimSpace(bound.value+" "+unit)))
		}
	}
	kind := v.language.text("catalogue.expect." + string(shape.Kind))
	if len(words) == 0 {
		return kind + "."
	}
	return kind + ", " + strings.Join(words, ", ") + "."
}

// problemText says what is wrong with a value. The checker speaks English and knows
// most; in other languages, what is expected has to do.
func (v *visit) problemText(message, expected string) string {
	if v.language.code == languageCodes()[0] {
		return message
	}
	return strings.TrimSpace(v.language.text("catalogue.problem") + " " + expected)
}

package dpp

import (
	"encoding/json"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Kind is how a person can be asked for a value.
type Kind string

// The kinds of values. What a schema says in a way that is none of the others is
// JSON: a form asks for its text.
const (
	KindText    Kind = "text"
	KindNumber  Kind = "number"
	KindInteger Kind = "integer"
	KindBoolean Kind = "boolean"
	KindChoice  Kind = "choice" // one of several texts
	KindList    Kind = "list"   // of texts
	KindRows    Kind = "rows"   // a list of objects with the same members
	KindRecord  Kind = "record" // an object with known members
	KindJSON    Kind = "json"
)

// Shape is what a form has to know of a value to ask for it. It promises nothing:
// whether a value is valid is up to [Schema.Check].
type Shape struct {
	Kind    Kind
	Choices []string // of KindChoice
	Format  string   // of KindText: "date", "uri", …, or ""
	// MaxLength is how many characters a text may have, 0 for any number.
	MaxLength int
	Pattern   string // of KindText: what it must match, or ""
	// Minimum and the others are the bounds of a number as the schema writes them,
	// "" for none; Above and Below are not part of the range.
	Minimum, Maximum, Above, Below string
	MinItems                       int
	// SumOf is the member of KindRows that must add up to Sum, or "".
	SumOf, Sum string
	Examples   []string
	Members    []Member // of KindRows and KindRecord
}

// Member is a part of an object.
type Member struct {
	Shape

	Name     string
	Label    map[string]string // by language
	Unit     string
	Required bool
}

// Title returns the label in the language, else in English, else the name.
func (m Member) Title(language string) string { return title(m.Label, m.Name, language) }

// Shapes returns the shape of each attribute, by its name.
func (s *Schema) Shapes() map[string]Shape {
	shapes := make(map[string]Shape, len(s.Attributes))
	_ = walkObject(s.Document, func(key string, value json.RawMessage) { // it was scanned before
		if key == "properties" {
			_ = walkObject(value, func(name string, property json.RawMessage) { shapes[name] = shapeOf(property) })
		}
	})
	return shapes
}

// property is what shapeOf reads of a schema. Keywords that choose between schemas
// are not in it: such a value is for KindJSON.
type property struct {
	Type       json.RawMessage   `json:"type"`
	Enum       []json.RawMessage `json:"enum"`
	Format     string            `json:"format"`
	MaxLength  json.Number       `json:"maxLength"`
	Pattern    string            `json:"pattern"`
	MinItems   json.Number       `json:"minItems"`
	Minimum    json.Number       `json:"minimum"`
	Maximum    json.Number       `json:"maximum"`
	Above      json.Number       `json:"exclusiveMinimum"`
	Below      json.Number       `json:"exclusiveMaximum"`
	Examples   []json.RawMessage `json:"examples"`
	Items      json.RawMessage   `json:"items"`
	Properties json.RawMessage   `json:"properties"`
	Required   []string          `json:"required"`

	Ref   string            `json:"$ref"`
	AnyOf []json.RawMessage `json:"anyOf"`
	OneOf []json.RawMessage `json:"oneOf"`
	AllOf []json.RawMessage `json:"allOf"`

	Label map[string]string `json:"x-mintage-label"`
	Unit  string            `json:"x-mintage-unit"`
	Sum   struct {
		Member string      `json:"member"`
		Equals json.Number `json:"equals"`
	} `json:"x-mintage-sum"`
}

func shapeOf(document json.RawMessage) Shape {
	var p property
	if json.Unmarshal(document, &p) != nil || p.Ref != "" || len(p.AnyOf)+len(p.OneOf)+len(p.AllOf) > 0 {
		return Shape{Kind: KindJSON}
	}
	shape := Shape{
		Kind: KindJSON, Format: p.Format, MaxLength: whole(p.MaxLength), MinItems: whole(p.MinItems),
		Minimum: string(p.Minimum), Maximum: string(p.Maximum), Above: string(p.Above), Below: string(p.Below),
		Examples: texts(p.Examples), Pattern: p.Pattern, SumOf: p.Sum.Member, Sum: string(p.Sum.Equals),
	}
	switch p.oneType() {
	case "string":
		shape.Kind = KindText
		if p.Enum != nil {
			shape.Kind, shape.Choices = KindChoice, texts(p.Enum)
		}
	case "number":
		shape.Kind = KindNumber
	case "integer":
		shape.Kind = KindInteger
	case "boolean":
		shape.Kind = KindBoolean
	case "array":
		switch items := shapeOf(p.Items); items.Kind {
		case KindText:
			shape.Kind, shape.MaxLength = KindList, items.MaxLength
		case KindRecord:
			shape.Kind, shape.Members = KindRows, items.Members
		default:
		}
	case "object":
		if members, ok := p.members(); ok {
			shape.Kind, shape.Members = KindRecord, members
		}
	}
	if p.Enum != nil && shape.Kind != KindChoice {
		return Shape{Kind: KindJSON}
	}
	return shape
}

// oneType is the type that the property has, besides null; "" where there are more.
func (p *property) oneType() string {
	var types jsonschema.Types
	var names []string
	if json.Unmarshal(p.Type, &names) != nil {
		names = make([]string, 1)
		if json.Unmarshal(p.Type, &names[0]) != nil {
			return ""
		}
	}
	for _, name := range names {
		types.Add(name)
	}
	return typeName(&jsonschema.Schema{Types: &types})
}

// members are those of an object whose members are all simple.
func (p *property) members() (members []Member, ok bool) {
	if len(p.Properties) == 0 {
		return nil, false
	}
	ok = true
	err := walkObject(p.Properties, func(name string, document json.RawMessage) {
		var inner property
		m := Member{Name: name, Shape: shapeOf(document)}
		switch m.Kind {
		case KindText, KindNumber, KindInteger, KindBoolean, KindChoice:
			ok = ok && json.Unmarshal(document, &inner) == nil
		default:
			ok = false
		}
		m.Label, m.Unit = inner.Label, inner.Unit
		for _, r := range p.Required {
			m.Required = m.Required || r == name
		}
		members = append(members, m)
	})
	return members, ok && err == nil && len(members) > 0
}

// texts are those of the values that are texts.
func texts(values []json.RawMessage) []string {
	var all []string
	for _, v := range values {
		var text string
		if json.Unmarshal(v, &text) == nil {
			all = append(all, text)
		}
	}
	return all
}

func whole(n json.Number) int {
	i, err := n.Int64()
	if err != nil {
		return 0
	}
	return int(min(i, 1<<30))
}

// Parse gives a text the type of a simple shape: text, json.Number or bool. It
// reports whether it could. An empty text is nil, that is, no value.
func (s Shape) Parse(text string) (value any, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, true
	}
	switch s.Kind {
	case KindNumber:
		return json.Number(text), anyNumber.MatchString(text) && exact(json.Number(text))
	case KindInteger:
		return json.Number(text), wholeNumber.MatchString(text) && exact(json.Number(text))
	case KindBoolean:
		return text == "true", text == "true" || text == "false"
	default:
		return text, true
	}
}

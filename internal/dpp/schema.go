package dpp

import (
	"bytes"
	"embed"
	"encoding/json"
	"slices"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mintage"
)

// Schema is a DPP schema, ready to check attributes. It never changes.
type Schema struct {
	ID          string // "battery", "textile" or the brand's own
	Version     string
	Title       string
	Provisional bool // no law prescribes these attributes yet
	Document    json.RawMessage
	Attributes  []Attribute // the properties of the top level, in the document's order

	compiled *jsonschema.Schema
	unfolded int            // its size with every reference replaced by its target
	index    map[string]int // attribute name to its place in Attributes
}

// Access says who may see an attribute. The zero value means nobody but the brand.
type Access string

// The access classes of Annex XIII of Regulation (EU) 2023/1542.
const (
	AccessPublic             Access = "public"
	AccessLegitimateInterest Access = "legitimate_interest"
	AccessAuthorities        Access = "authorities"
)

// The levels at which an attribute can differ.
const (
	LevelModel = "model" // the same for every unit of the product
	LevelBatch = "batch" // known once a batch was made
	LevelItem  = "item"  // the unit's own, changes during its life
)

// Attribute is one property of the top level of a DPP schema.
type Attribute struct {
	Pointer  string            // "/rated_capacity_ah"
	Name     string            // "rated_capacity_ah"
	Label    map[string]string // by language, "en" and "de" in the schemas we ship
	Unit     string
	Access   Access
	Group    string
	Level    string
	Source   string // the article or annex that asks for it
	Required bool   // by the schema's own "required"; conditions can demand more
	Type     string // JSON type, "" where the schema allows several or any
}

// Public reports whether everyone may see the attribute.
func (a Attribute) Public() bool { return a.Access == AccessPublic }

// Title returns the label in the language, else in English, else the name.
func (a Attribute) Title(language string) string { return title(a.Label, a.Name, language) }

func title(labels map[string]string, name, language string) string {
	for _, l := range []string{language, "en"} {
		if label := labels[l]; label != "" {
			return label
		}
	}
	return name
}

// Attribute returns the top-level attribute of that name.
func (s *Schema) Attribute(name string) (Attribute, bool) {
	i, ok := s.index[name]
	if !ok {
		return Attribute{}, false
	}
	return s.Attributes[i], true
}

//go:embed schemas/*.json
var schemaFiles embed.FS

var builtin = sync.OnceValue(func() []*Schema {
	var schemas []*Schema
	for _, id := range []string{"battery", "textile"} {
		document, err := schemaFiles.ReadFile("schemas/" + id + ".json")
		if err != nil {
			panic(err) // embedded
		}
		schema, err := Parse(id, document)
		if err != nil {
			panic(err) // the tests parse it
		}
		schemas = append(schemas, schema)
	}
	return schemas
})

// Builtin returns the schemas that come with mintage.
func Builtin() []*Schema { return slices.Clone(builtin()) }

// BuiltinByID returns one of them.
func BuiltinByID(id string) (*Schema, bool) {
	for _, s := range builtin() {
		if s.ID == id {
			return s, true
		}
	}
	return nil, false
}

// Parse reads a DPP schema. What it refuses, and why, is in the package comment.
func Parse(id string, document []byte) (*Schema, error) {
	if err := scan(document); err != nil {
		return nil, err
	}
	decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, invalid("", "The DPP schema is not valid JSON.").WithCause(err)
	}
	root, ok := decoded.(map[string]any)
	if !ok {
		return nil, invalid("", "The DPP schema must be a JSON object.")
	}
	if root["type"] != "object" {
		return nil, invalid("/type", `The DPP schema must say "type": "object": attributes are a JSON object.`)
	}
	if err := placeKeywords(root, "", 0); err != nil {
		return nil, err
	}
	compiled, unfolded, err := compile(root)
	if err != nil {
		return nil, err
	}
	s := &Schema{
		ID:       id,
		Document: bytes.Clone(document),
		compiled: compiled,
		unfolded: unfolded,
		index:    map[string]int{},
	}
	s.Version, _ = root[keywordVersion].(string)
	s.Title, _ = root["title"].(string)
	s.Provisional, _ = root[keywordProvisional].(bool)
	s.addAttributes(root)
	return s, nil
}

func (s *Schema) addAttributes(root map[string]any) {
	properties, _ := root["properties"].(map[string]any)
	for _, name := range propertyOrder(s.Document) {
		property, _ := properties[name].(map[string]any) // nil for a boolean schema
		a := Attribute{
			Pointer:  pointer(name),
			Name:     name,
			Level:    LevelModel,
			Required: slices.Contains(s.compiled.Required, name),
			Type:     typeName(s.compiled.Properties[name]),
		}
		a.Unit, _ = property[keywordUnit].(string)
		a.Group, _ = property[keywordGroup].(string)
		a.Source, _ = property[keywordSource].(string)
		if access, ok := property[keywordAccess].(string); ok {
			a.Access = Access(access)
		}
		if level, ok := property[keywordLevel].(string); ok {
			a.Level = level
		}
		if labels, ok := property[keywordLabel].(map[string]any); ok {
			a.Label = make(map[string]string, len(labels))
			for language, label := range labels {
				a.Label[language], _ = label.(string)
			}
		}
		s.index[name] = len(s.Attributes)
		s.Attributes = append(s.Attributes, a)
	}
}

// propertyOrder returns the names under "properties" as the document orders
// them, which decoding into a map forgets. The document was scanned before.
func propertyOrder(document []byte) []string {
	var names []string
	_ = walkObject(document, func(key string, value json.RawMessage) {
		if key == "properties" {
			_ = walkObject(value, func(name string, _ json.RawMessage) { names = append(names, name) })
		}
	})
	return names
}

func walkObject(document []byte, visit func(key string, value json.RawMessage)) error {
	decoder := json.NewDecoder(bytes.NewReader(document))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		visit(key.(string), value)
	}
	return nil
}

// typeName returns the one JSON type, apart from null, that the schema allows.
func typeName(s *jsonschema.Schema) string {
	for ; s != nil; s = s.Ref {
		if s.Types == nil {
			continue
		}
		types := slices.DeleteFunc(s.Types.ToStrings(), func(t string) bool { return t == "null" })
		if len(types) == 1 {
			return types[0]
		}
		return ""
	}
	return ""
}

func invalid(field, format string, args ...any) *mintage.Error {
	return mintage.Errorf(mintage.CodeInvalidInput, format, args...).WithField(field)
}

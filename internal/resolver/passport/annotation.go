package passport

import (
	"encoding/json"
	"maps"
	"strings"

	"mintage/internal/dpp"
)

// annotation is a place in a DPP schema, and what it says about the values there.
// The zero value is a place that the schema says nothing about.
type annotation struct {
	schema   map[string]any // the object at this place
	document map[string]any // that references resolve in
	unit     string         // of the nearest place above that has one
}

// maxReferences is how many references in a row are followed; dpp.Parse refuses
// those that go in a circle.
const maxReferences = 16

// annotations returns the place of a schema's top.
func annotations(s *dpp.Schema) annotation {
	var document map[string]any
	if json.Unmarshal(s.Document, &document) != nil {
		return annotation{} // Parse has read it
	}
	return annotation{schema: document, document: document}
}

// member returns the place of an object's member, items that of a list's items.
func (a annotation) member(name string) annotation {
	properties, _ := a.schema["properties"].(map[string]any)
	return a.at(properties[name])
}

func (a annotation) items() annotation { return a.at(a.schema["items"]) }

func (a annotation) at(place any) annotation {
	next := annotation{document: a.document, unit: a.unit}
	schema, _ := place.(map[string]any)
	for range maxReferences {
		if unit, ok := schema["x-mintage-unit"].(string); ok {
			next.unit = unit
		}
		reference, ok := schema["$ref"].(string)
		if !ok {
			break
		}
		target, _ := lookUp(a.document, reference).(map[string]any)
		schema = merged(schema, target)
	}
	next.schema = schema
	return next
}

// merged lays what stands beside a reference over what it refers to.
func merged(near, far map[string]any) map[string]any {
	both := make(map[string]any, len(near)+len(far))
	maps.Copy(both, near)
	delete(both, "$ref") // followed; the next one, if any, is the other's
	for key, v := range far {
		if _, ok := both[key]; !ok {
			both[key] = v
		}
	}
	return both
}

// lookUp follows a JSON pointer within the document (RFC 6901, as a fragment);
// nil where there is nothing, and for references by anchor.
func lookUp(document map[string]any, reference string) any {
	rest, ok := strings.CutPrefix(reference, "#/")
	if !ok {
		return nil
	}
	var place any = document
	for step := range strings.SplitSeq(rest, "/") {
		object, ok := place.(map[string]any)
		if !ok {
			return nil
		}
		place = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return place
}

// label returns the place's label in a language, else in English, else the name
// made readable; and the language that it is in, "" for a name.
func (a annotation) label(l *language, name string) (text, code string) {
	labels, _ := a.schema["x-mintage-label"].(map[string]any)
	for _, code := range []string{l.code, defaultLanguage} {
		if text, _ := labels[code].(string); text != "" {
			return text, code
		}
	}
	return readable(name), ""
}

// title is label's text alone.
func (a annotation) title(l *language, name string) string {
	text, _ := a.label(l, name)
	return text
}

// format is the schema's "format", such as "date".
func (a annotation) format() string {
	format, _ := a.schema["format"].(string)
	return format
}

// readable makes words of a name in snake case.
func readable(name string) string {
	words := strings.TrimSpace(strings.ReplaceAll(name, "_", " "))
	if words == "" {
		return name
	}
	return strings.ToUpper(words[:1]) + words[1:] // names begin with ASCII; other bytes stay as they are
}

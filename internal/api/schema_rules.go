package api

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// rules describe the fields of a body in the OpenAPI document. huma checks names
// and types; presence, ranges and sets are the domain's to judge, which finds all
// faults at once and has better words for them.
type rules map[string]map[string]any

// describe adds rules to a schema, without making huma check them.
func describe(s *huma.Schema, required []string, r rules) *huma.Schema {
	if len(required) > 0 {
		s.Extensions = map[string]any{"required": required}
	}
	for name, rule := range r {
		s.Properties[name].Extensions = rule
	}
	return s
}

// enum is the rule of a field that has one of some values.
func enum[T ~string](values []T) map[string]any { return map[string]any{"enum": values} }

// object is a JSON object that is handed on as it is written, to the digit.
type object struct{ json.RawMessage }

// Schema is part of huma.SchemaProvider.
func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// optional is a field of a merge patch (RFC 7396), where null is not the same as
// absent.
type optional[T any] struct {
	present bool
	value   *T // nil for null
}

// null reports whether the field is there and null.
func (o optional[T]) null() bool { return o.present && o.value == nil }

// UnmarshalJSON is called only where the field is there.
func (o *optional[T]) UnmarshalJSON(text []byte) error {
	o.present = true
	return json.Unmarshal(text, &o.value)
}

// Schema is part of huma.SchemaProvider.
func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), true, "")
	s.Nullable = true
	return &s
}

// text shows "" as null.
func text[T ~string](s T) *string {
	if s == "" {
		return nil
	}
	out := string(s)
	return &out
}

// moment shows the zero time as null.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// openAnswers leaves room for new fields in what is answered; only what is sent
// is closed to unknown ones.
func openAnswers(document *huma.OpenAPI) {
	schemas := document.Components.Schemas
	sent := map[*huma.Schema]bool{}
	var visit func(*huma.Schema)
	visit = func(s *huma.Schema) {
		if s == nil || sent[s] {
			return
		}
		sent[s] = true
		if s.Ref != "" {
			visit(schemas.SchemaFromRef(s.Ref))
		}
		visit(s.Items)
		for _, p := range s.Properties {
			visit(p)
		}
	}
	for _, path := range document.Paths {
		for _, o := range []*huma.Operation{path.Post, path.Put, path.Patch} {
			if o != nil && o.RequestBody != nil {
				for _, m := range o.RequestBody.Content {
					visit(m.Schema)
				}
			}
		}
	}
	for _, s := range schemas.Map() {
		if s.AdditionalProperties == false && !sent[s] {
			s.AdditionalProperties = nil
		}
	}
}

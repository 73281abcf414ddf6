package passport_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/dpp"
	"mintage/internal/resolver/passport"
)

// secretSchema has an attribute of every access class, flat and nested, and some
// whose class is missing.
const secretSchema = `{
	"type": "object",
	"properties": {
		"shown":           {"type": "string", "x-mintage-access": "public"},
		"shown_object":    {"type": "object", "x-mintage-access": "public", "properties": {"part": {"x-mintage-label": {"en": "Part"}}}},
		"shown_list":      {"type": "array", "x-mintage-access": "public"},
		"shown_item":      {"x-mintage-access": "public", "x-mintage-level": "item"},
		"secret_interest": {"x-mintage-access": "legitimate_interest", "x-mintage-label": {"en": "SECRET-label-interest"}},
		"secret_authorities": {"x-mintage-access": "authorities", "x-mintage-group": "SECRET-group"},
		"secret_classless":   {"x-mintage-label": {"en": "SECRET-label-classless"}},
		"secret_object":      {"x-mintage-access": "authorities", "type": "object", "properties": {"shown": {"x-mintage-label": {"en": "SECRET-part"}}}},
		"secret_list":        {"x-mintage-access": "legitimate_interest", "type": "array"},
		"secret_boolean_schema": true,
		"secret_absent":         {"x-mintage-access": "authorities", "x-mintage-label": {"en": "SECRET-absent"}}
	},
	"additionalProperties": true
}`

const secretAttributes = `{
	"shown": "SHOWN-1", "shown_object": {"part": "SHOWN-2", "other": {"deep": ["SHOWN-3"]}},
	"shown_list": [{"a": "SHOWN-4"}, ["SHOWN-5"]], "shown_item": "SHOWN-6",
	"secret_interest": "SECRET-1", "secret_authorities": "SECRET-2", "secret_classless": "SECRET-3",
	"secret_object": {"shown": "SECRET-4"}, "secret_list": [{"shown": "SECRET-5"}], "secret_boolean_schema": "SECRET-6",
	"unknown": "SECRET-7", "unknown_object": {"shown": "SECRET-8"}, "Shown": "SECRET-9", "shown ": "SECRET-10", "": "SECRET-11"
}`

// all are the three forms of a page, in every language and of every kind.
func all(t *testing.T, p *passport.Page) map[string]string {
	t.Helper()
	r := passport.New()
	forms := map[string]string{}
	for _, kind := range []passport.Kind{passport.KindUnit, passport.KindLot, passport.KindProduct} {
		for _, l := range r.Languages() {
			p.Kind = kind
			data, err := r.JSON(p, l)
			if err != nil {
				t.Fatal(err)
			}
			linked, err := r.JSONLD(p, l)
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(data) || !json.Valid(linked) {
				t.Fatalf("not JSON:\n%s\n%s", data, linked)
			}
			name := fmt.Sprintf("%s %s ", kind, l)
			forms[name+"HTML"], forms[name+"JSON"], forms[name+"JSON-LD"] = html(t, r, p, l), string(data), string(linked)
		}
	}
	return forms
}

// TestOnlyPublic: everything that is public is there, and nothing else is, neither
// values nor labels nor names.
func TestOnlyPublic(t *testing.T) {
	schema, err := dpp.Parse("secret", []byte(secretSchema))
	if err != nil {
		t.Fatal(err)
	}
	p := unitPage(t, func(p *passport.Page) {
		p.Schema, p.Product = schema, &mintage.Product{
			Code: "K7QM2X9T", Name: "P", SKU: "SECRET-sku", Status: mintage.ProductDiscontinued, ID: "SECRET-id", Attributes: json.RawMessage(secretAttributes),
		}
		p.Brand = &mintage.Brand{ID: "SECRET-brand", Name: "Acme", SealedKey: []byte("SECRET-key")}
	})
	for name, text := range all(t, p) {
		for i := range 6 {
			if want := fmt.Sprintf("SHOWN-%d", i+1); !strings.Contains(text, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		for _, secret := range []string{"secret", "unknown", "discontinued"} {
			if at := strings.Index(strings.ToLower(text), secret); at >= 0 {
				t.Errorf("%s tells %s", name, text[max(0, at-60):min(len(text), at+60)])
			}
		}
	}
}

// TestBuiltinSchemas fills every attribute of the schemas that come with mintage, at
// any depth, with its own mark, and expects those of the public ones alone.
func TestBuiltinSchemas(t *testing.T) {
	for _, schema := range dpp.Builtin() {
		t.Run(schema.ID, func(t *testing.T) {
			var document map[string]any
			if err := json.Unmarshal(schema.Document, &document); err != nil {
				t.Fatal(err)
			}
			attributes, marks := map[string]any{}, map[string][]string{}
			properties, _ := document["properties"].(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(properties)) {
				attributes[name] = filled(properties[name], "MARK-"+name+"-", func(mark string) { marks[name] = append(marks[name], mark) })
			}
			data, err := json.Marshal(attributes)
			if err != nil {
				t.Fatal(err)
			}
			p := unitPage(t, func(p *passport.Page) {
				p.Schema, p.Product = schema, &mintage.Product{Code: "K7QM2X9T", Name: "P", Attributes: data}
			})
			for form, text := range all(t, p) {
				seen := 0
				for _, a := range schema.Attributes {
					for _, mark := range marks[a.Name] {
						if got := strings.Contains(text, mark); got != (a.Access == dpp.AccessPublic) {
							t.Errorf("%s: %s, whose access is %q, is shown: %t", form, mark, a.Access, got)
						}
						seen++
					}
				}
				if seen < len(schema.Attributes) {
					t.Fatalf("only %d marks for %d attributes", seen, len(schema.Attributes))
				}
			}
		})
	}
}

// filled is a value as the schema describes it, with a mark at each leaf.
func filled(schema any, mark string, note func(string)) any {
	object, _ := schema.(map[string]any)
	switch {
	case object["properties"] != nil:
		value := map[string]any{}
		members, _ := object["properties"].(map[string]any)
		for name, member := range members {
			value[name] = filled(member, mark+name+"-", note)
		}
		return value
	case object["items"] != nil:
		return []any{filled(object["items"], mark+"item-", note)}
	default:
		note(mark + "END")
		return mark + "END"
	}
}

// TestNothingToShow: without a schema, without attributes, or with what is no object,
// there is nothing to show, and the page says so.
func TestNothingToShow(t *testing.T) {
	schema, _ := dpp.BuiltinByID("battery")
	for _, test := range []struct {
		schema     *dpp.Schema
		attributes string
	}{
		{nil, `{"manufacturer_name": "SECRET"}`}, {schema, ""}, {schema, "null"}, {schema, `["SECRET"]`}, {schema, `{"manufacturer_name":"SECRET"`},
		{schema, `{"manufacturer_name": null, "chemistry": " ", "Manufacturer_name": "SECRET"}`},
	} {
		p := unitPage(t, func(p *passport.Page) {
			p.Schema, p.Product = test.schema, &mintage.Product{Code: "K7QM2X9T", Name: "P", Attributes: json.RawMessage(test.attributes)}
		})
		for form, text := range all(t, p) {
			if strings.Contains(text, "SECRET") {
				t.Errorf("%s of %q: %s", form, test.attributes, text)
			}
			if form == "unit en HTML" && !strings.Contains(text, "No public details") {
				t.Errorf("%q: the page does not say that there is nothing", test.attributes)
			}
		}
	}
}

package dpp

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"mintage"
)

// Any bytes: a clear refusal or a schema that works, never a panic.
func FuzzParse(f *testing.F) {
	// Small seeds: the fuzzer minimizes what it finds, which takes minutes for the
	// schemas we ship.
	for _, seed := range []string{
		`{"type": "object", "properties": {"a": {"x-mintage-access": "public", "x-mintage-sum": {"member": "b", "equals": 1}}}, "required": ["a"]}`,
		``, `{`, `[]`, `{"type": "object"}`,
		`{"type": "object", "$id": "urn:x", "$ref": "#/$defs/a", "$defs": {"a": {"$id": "b", "$anchor": "c"}}}`,
		`{"type": "object", "properties": {"a": {"multipleOf": 1e400}}, "anyOf": [{"not": {}}, false]}`,
		`{"type": "object", "unevaluatedProperties": false, "if": true, "then": {"dependentSchemas": {"a": false}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		s, err := Parse("fuzz", document)
		if err != nil {
			if mintage.ErrorCode(err) != mintage.CodeInvalidInput || mintage.ErrorMessage(err) == "" {
				t.Fatalf("not a clear refusal: %v", err)
			}
			return
		}
		_ = s.Check(nil)
		_ = s.Check([]byte(`{"a": [{"b": 1}, "", null], "c": {"d": true}}`))
		for _, a := range s.Attributes {
			if _, err := s.ParseCell(a.Name, `1`); err != nil && mintage.ErrorCode(err) != mintage.CodeInvalidInput {
				t.Fatal(err)
			}
		}
	})
}

// Any attributes: problems in a stable order, each at its own pointer.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(``))
	f.Add([]byte(`{"rated_capacity_ah": 1e400, "fibre_composition": [{"fibre": "wool", "percent": 1e-300}]}`))
	f.Add([]byte(`{"spare_parts": [{"part_number": "", "a/b~": 1}], "battery_category": "EV", "": 0}`))
	f.Add([]byte(strings.Repeat(`{"a":`, 50) + `1` + strings.Repeat(`}`, 50)))
	f.Fuzz(func(t *testing.T, attributes []byte) {
		for _, s := range Builtin() {
			problems := s.Check(json.RawMessage(attributes))
			if !reflect.DeepEqual(problems, s.Check(json.RawMessage(attributes))) {
				t.Fatal("the same attributes gave other problems")
			}
			seen := map[string]bool{}
			for _, p := range problems {
				if seen[p.Pointer] || p.Message == "" {
					t.Fatalf("problem without a message or with another's pointer: %+v", p)
				}
				seen[p.Pointer] = true
			}
		}
	})
}

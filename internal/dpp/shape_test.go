package dpp_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"mintage/internal/dpp"
)

// Every attribute of the schemas that we ship can be asked for in a form.
func TestShapesOfBuiltin(t *testing.T) {
	want := map[string]dpp.Kind{
		"battery weight_kg": dpp.KindNumber, "battery expected_lifetime_cycles": dpp.KindInteger, "battery battery_category": dpp.KindChoice,
		"battery hazardous_substances": dpp.KindRows, "battery critical_raw_materials": dpp.KindList, "battery detailed_composition": dpp.KindRecord,
		"textile animal_parts": dpp.KindBoolean, "textile size": dpp.KindText, "textile fibre_composition": dpp.KindRows,
	}
	for _, schema := range dpp.Builtin() {
		shapes := schema.Shapes()
		for _, a := range schema.Attributes {
			shape, ok := shapes[a.Name]
			if !ok || shape.Kind == dpp.KindJSON {
				t.Errorf("%s %s can only be asked for as JSON", schema.ID, a.Name)
			}
			if kind, ok := want[schema.ID+" "+a.Name]; ok && kind != shape.Kind {
				t.Errorf("%s %s is %s instead of %s", schema.ID, a.Name, shape.Kind, kind)
			}
		}
	}
	textile, _ := dpp.BuiltinByID("textile")
	members := textile.Shapes()["fibre_composition"].Members
	if len(members) != 2 || members[0].Title("de") != "Faser" || members[1].Unit != "%" || members[1].Above != "0" || members[1].Maximum != "100" || !members[1].Required {
		t.Errorf("the members of a composition: %+v", members)
	}
}

func TestShapesOfOwn(t *testing.T) {
	property := func(text string) dpp.Shape {
		t.Helper()
		schema, err := dpp.Parse("own", []byte(`{"type":"object","$defs":{"x":{"type":"string"}},"properties":{"a":`+text+`}}`))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Shapes()["a"]
	}
	for text, want := range map[string]dpp.Shape{
		`true`:                              {Kind: dpp.KindJSON},
		`{}`:                                {Kind: dpp.KindJSON},
		`{"type":["string","null"]}`:        {Kind: dpp.KindText},
		`{"type":["string","number"]}`:      {Kind: dpp.KindJSON},
		`{"type":"string","format":"date"}`: {Kind: dpp.KindText, Format: "date"},
		`{"type":"string","maxLength":7,"examples":["a",1]}`:                       {Kind: dpp.KindText, MaxLength: 7, Examples: []string{"a"}},
		`{"type":"integer","enum":[1,2]}`:                                          {Kind: dpp.KindJSON},
		`{"$ref":"#/$defs/x"}`:                                                     {Kind: dpp.KindJSON},
		`{"type":"string","anyOf":[{"minLength":1}]}`:                              {Kind: dpp.KindJSON},
		`{"type":"array"}`:                                                         {Kind: dpp.KindJSON},
		`{"type":"array","items":{"type":"array","items":{"type":"string"}}}`:      {Kind: dpp.KindJSON},
		`{"type":"array","minItems":1,"items":{"type":"string","maxLength":3}}`:    {Kind: dpp.KindList, MinItems: 1, MaxLength: 3},
		`{"type":"object"}`:                                                        {Kind: dpp.KindJSON},
		`{"type":"object","properties":{"b":{"type":"array"}}}`:                    {Kind: dpp.KindJSON},
		`{"type":"object","required":["b"],"properties":{"b":{"type":"boolean"}}}`: {Kind: dpp.KindRecord, Members: []dpp.Member{{Name: "b", Required: true, Shape: dpp.Shape{Kind: dpp.KindBoolean}}}},
		`{"type":"number","minimum":-273.15,"exclusiveMaximum":1e2}`:               {Kind: dpp.KindNumber, Minimum: "-273.15", Below: "1e2"},
	} {
		if got := property(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v instead of %+v", text, got, want)
		}
	}
}

func TestShapeParse(t *testing.T) {
	for _, c := range []struct {
		kind dpp.Kind
		text string
		want any
		ok   bool
	}{
		{dpp.KindText, " a b ", "a b", true}, {dpp.KindText, " ", nil, true},
		{dpp.KindNumber, "1.50", json.Number("1.50"), true}, {dpp.KindNumber, "1,5", nil, false}, {dpp.KindNumber, "1e999", nil, false},
		{dpp.KindInteger, "12", json.Number("12"), true}, {dpp.KindInteger, "1.0", nil, false}, {dpp.KindInteger, strings.Repeat("9", 70), nil, false},
		{dpp.KindBoolean, "true", true, true}, {dpp.KindBoolean, "false", false, true}, {dpp.KindBoolean, "yes", nil, false},
	} {
		got, ok := dpp.Shape{Kind: c.kind}.Parse(c.text)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s %q is %v, %v", c.kind, c.text, got, ok)
		}
	}
}

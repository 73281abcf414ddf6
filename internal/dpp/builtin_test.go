package dpp

import (
	"bytes"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The metaschema comes with the library; nothing of ours is registered here.
func TestBuiltinSchemasAreJSONSchema2020(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(nothing{})
	meta := compiler.MustCompile(jsonschema.Draft2020.String())
	for _, s := range Builtin() {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(s.Document))
		if err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		if err := meta.Validate(document); err != nil {
			t.Errorf("%s: %v", s.ID, err)
		}
	}
}

func TestBuiltinAttributesAreFullyAnnotated(t *testing.T) {
	for _, s := range Builtin() {
		if s.Version == "" || s.Title == "" {
			t.Errorf("%s: version %q, title %q; both must be set", s.ID, s.Version, s.Title)
		}
		if s.Provisional != (s.ID == "textile") {
			t.Errorf("%s: provisional is %v", s.ID, s.Provisional)
		}
		required := 0
		for _, a := range s.Attributes {
			if a.Label["en"] == "" || a.Label["de"] == "" || a.Access == "" || a.Group == "" || a.Source == "" || a.Type == "" {
				t.Errorf("%s: %s lacks an annotation: %+v", s.ID, a.Name, a)
			}
			if a.Pointer != "/"+a.Name {
				t.Errorf("%s: pointer of %s is %s", s.ID, a.Name, a.Pointer)
			}
			if a.Required && a.Level != LevelModel {
				t.Errorf("%s: %s is required, but of level %s", s.ID, a.Name, a.Level)
			}
			if a.Level == LevelItem && a.Public() {
				t.Errorf("%s: %s is about one item, but public", s.ID, a.Name)
			}
			if a.Required {
				required++
			}
		}
		if got := len(s.compiled.Required); got != required {
			t.Errorf("%s: %d names in required, %d of them are properties", s.ID, got, required)
		}
	}
}

func TestBuiltinByID(t *testing.T) {
	battery, ok := BuiltinByID("battery")
	if !ok || battery != Builtin()[0] {
		t.Error("battery is not the first builtin schema")
	}
	if _, ok := BuiltinByID("toaster"); ok {
		t.Error("found a schema that does not exist")
	}
	a, ok := battery.Attribute("rated_capacity_ah")
	want := Attribute{
		Pointer: "/rated_capacity_ah", Name: "rated_capacity_ah", Unit: "Ah", Access: AccessPublic,
		Group: "performance", Level: LevelModel, Required: true, Type: "number",
	}
	if !ok || a.Unit != want.Unit || a.Access != want.Access || a.Group != want.Group || a.Type != want.Type || !a.Required || a.Level != want.Level {
		t.Errorf("rated_capacity_ah = %+v", a)
	}
	if a.Title("de") != "Bemessungskapazität" || a.Title("fr") != "Rated capacity" || (Attribute{Name: "x"}).Title("en") != "x" {
		t.Errorf("titles: %q, %q", a.Title("de"), a.Title("fr"))
	}
}

// Each access class of Annex XIII is there, and where it belongs.
func TestBatteryAccessClasses(t *testing.T) {
	battery, _ := BuiltinByID("battery")
	for name, want := range map[string]Access{
		"chemistry":               AccessPublic,             // point 1
		"spare_parts":             AccessLegitimateInterest, // point 2
		"test_reports":            AccessAuthorities,        // point 3
		"state_of_health_percent": AccessLegitimateInterest, // point 4
	} {
		if a, _ := battery.Attribute(name); a.Access != want || a.Public() != (want == AccessPublic) {
			t.Errorf("%s: access %q, want %q", name, a.Access, want)
		}
	}
}

// A caller may sort or cut what it got; the next caller must not notice.
func TestBuiltinReturnsACopy(t *testing.T) {
	first := Builtin()
	first[0] = nil
	if slices.Contains(Builtin(), nil) {
		t.Error("changing the result of Builtin changed the builtin schemas")
	}
}

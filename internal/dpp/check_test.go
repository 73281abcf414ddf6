package dpp

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// format writes problems as "-/missing" and "!/invalid".
func format(problems []Problem) string {
	var out []string
	for _, p := range problems {
		mark := "!"
		if p.Missing {
			mark = "-"
		}
		out = append(out, mark+p.Pointer)
	}
	return strings.Join(out, " ")
}

func TestCheck(t *testing.T) {
	const maker = `{"type": "object", "properties": {"name": {"type": "string"}, "a/b": {"type": "string"}}, "required": ["name", "a/b"]}`
	for name, c := range map[string]struct{ schema, attributes, want string }{
		"ready":              {`"properties": {"a": {"type": "number"}}, "required": ["a"]`, `{"a": 1}`, ""},
		"unknown is allowed": {`"properties": {"a": {"type": "number"}}`, `{"z": 1}`, ""},
		"no attributes":      {`"required": ["a"]`, ``, "-/a"},
		"null attributes":    {`"required": ["a"]`, ` null `, "-/a"},
		"not JSON":           {`"required": ["a"]`, `{`, "!"},
		"a list":             {`"required": ["a"]`, `[1]`, "!"},
		"two objects":        {`"required": ["a"]`, `{} {}`, "!"},
		"null":               {`"required": ["a"]`, `{"a": null}`, "-/a"},
		"null though allowed": {
			`"properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]`, `{"a": null}`, "-/a",
		},
		"empty":                {`"properties": {"a": {"type": "number"}}, "required": ["a"]`, `{"a": ""}`, "-/a"},
		"blank":                {`"required": ["a"]`, `{"a": " \t\n\u00a0"}`, "-/a"},
		"optional and blank":   {`"properties": {"a": {"type": "number"}}`, `{"a": "", "b": null}`, ""},
		"zero and false count": {`"required": ["a", "b", "c"]`, `{"a": 0, "b": false, "c": []}`, ""},
		"document order": {
			`"properties": {"z": {"type": "number"}, "a": {"type": "number"}, "m": {"type": "number"}}, "required": ["a", "m", "q"], "additionalProperties": false`,
			`{"z": "x", "x": 1, "m": "y"}`, "!/z -/a !/m -/q !/x",
		},
		"one problem per field": {`"properties": {"a": {"maxLength": 1, "pattern": "^x", "enum": ["x"]}}`, `{"a": "yyy"}`, "!/a"},
		"nested missing": {
			`"properties": {"maker": ` + maker + `}, "required": ["maker"]`, `{"maker": {"name": " "}}`, "-/maker/a~1b -/maker/name",
		},
		"nested parent missing": {`"properties": {"maker": ` + maker + `}, "required": ["maker"]`, `{}`, "-/maker"},
		"in a list": {
			`"properties": {"m": {"type": "array", "items": ` + maker + `}}`,
			`{"m": [{"name": "x", "a/b": "y"}, {"name": 1}]}`, "-/m/1/a~1b !/m/1/name",
		},
		"through a reference": {`"$defs": {"m": ` + maker + `}, "properties": {"m": {"$ref": "#/$defs/m"}}`, `{"m": {"name": "x"}}`, "-/m/a~1b"},
		"through all of":      {`"properties": {"b": {}}, "allOf": [{"required": ["a"]}, {"required": ["b", "a"]}]`, `{}`, "-/b -/a"},
		"on a condition": {
			`"properties": {"k": {}, "t": {}}, "if": {"properties": {"k": {"const": "EV"}}, "required": ["k"]}, "then": {"required": ["t"]}`,
			`{"k": "EV"}`, "-/t",
		},
		"dependent": {`"dependentRequired": {"a": ["b"]}`, `{"a": 1}`, "-/b"},
		"object or null, meant the object": {
			`"properties": {"m": {"anyOf": [{"type": "null"}, ` + maker + `]}}`, `{"m": {"name": "x"}}`, "-/m/a~1b",
		},
		"either or":              {`"anyOf": [{"required": ["a"]}, {"required": ["b"]}]`, `{}`, "!"},
		"either or, wrong types": {`"properties": {"a": {"anyOf": [{"type": "null"}, {"type": "number"}]}}`, `{"a": true}`, "!/a"},
		"one of, two fit":        {`"properties": {"a": {"oneOf": [{"minimum": 1}, {"minimum": 2}]}}`, `{"a": 3}`, "!/a"},
		"item level": {
			`"properties": {"soh": {"type": "number", "x-mintage-level": "item"}, "lot": {"type": "string", "x-mintage-level": "batch"}, "a": {}}, "required": ["soh", "lot", "a"]`,
			`{"soh": "bad", "lot": 5}`, "-/a",
		},
		"item level in a choice": {
			`"properties": {"soh": {"x-mintage-level": "item"}}, "anyOf": [{"required": ["soh"]}, {"required": ["b"]}]`, `{}`, "",
		},
		"item level, huge number": {`"properties": {"soh": {"x-mintage-level": "item"}}`, `{"soh": 1e99999999}`, ""},
		"huge number":             {`"properties": {"a": {"minimum": 5}}`, `{"a": 1e99999999, "b": 1}`, "!/a"},
		"long number":             {`"required": ["a"]`, `{"a": ` + strings.Repeat("9", 65) + `}`, "!/a"},
		"deep":                    {``, `{"a": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "!/a" + strings.Repeat("/0", maxDepth-1)},
		"very many values":        {``, `{"a": [` + strings.Repeat("0,", maxWork) + `0]}`, "!"},
		"big numbers are exact": {
			`"properties": {"a": {"maximum": 9007199254740992}, "b": {"maximum": 9007199254740993}}`,
			`{"a": 9007199254740993, "b": 9007199254740993}`, "!/a",
		},
		"format":      {`"properties": {"a": {"format": "date"}, "b": {"format": "date"}}`, `{"a": "31.3.2027", "b": "2027-03-31"}`, "!/a"},
		"sum":         {`"properties": {"f": {"x-mintage-sum": {"member": "p", "equals": 100}}}`, `{"f": [{"p": 33.3}, {"p": 33.3}, {"p": 33.3}]}`, "!/f"},
		"sum, exact":  {`"properties": {"f": {"x-mintage-sum": {"member": "p", "equals": 100}}}`, `{"f": [{"p": 33.3}, {"p": 33.3}, {"p": 33.4}]}`, ""},
		"sum, absent": {`"properties": {"f": {"x-mintage-sum": {"member": "p", "equals": 100}}}`, `{"f": [{"p": 33.3}, {"q": 1}]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inside := ""
			if c.schema != "" {
				inside = ", " + c.schema
			}
			s := mustParse(t, `{"type": "object"`+inside+`}`)
			problems := s.Check(json.RawMessage(c.attributes))
			if got := format(problems); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if c.want == "" && problems != nil {
				t.Error("not nil")
			}
		})
	}
}

// Messages tell what to do and never repeat what the product says.
func TestMessages(t *testing.T) {
	const secret = "s3cr3t"
	for name, c := range map[string]struct{ schema, value, want string }{
		"type":       {`{"type": "number"}`, `"s3cr3t"`, "Must be a number, not text."},
		"types":      {`{"type": ["array", "boolean"]}`, `{"s3cr3t": 1}`, "Must be true or false or a list, not an object."},
		"enum":       {`{"enum": ["LMT", 5, true]}`, `"s3cr3t"`, "Must be one of: LMT, 5, true."},
		"const":      {`{"const": "x"}`, `"s3cr3t"`, "Must be x."},
		"date":       {`{"format": "date"}`, `"s3cr3t"`, "Must be a date such as 2027-03-31."},
		"uri":        {`{"format": "uri"}`, `"s3cr3t"`, "Must be a web address such as https://example.com/page."},
		"pattern":    {`{"pattern": "^[A-Z]{2}$"}`, `"s3cr3t"`, "Must match the pattern ^[A-Z]{2}$."},
		"minimum":    {`{"minimum": 0.1}`, `0.05`, "Must be at least 0.1."},
		"maximum":    {`{"maximum": 100}`, `650`, "Must be at most 100."},
		"exclusive":  {`{"exclusiveMinimum": 0}`, `-7`, "Must be more than 0."},
		"below":      {`{"exclusiveMaximum": 5}`, `7`, "Must be less than 5."},
		"multiple":   {`{"multipleOf": 0.25}`, `0.3`, "Must be a multiple of 0.25."},
		"short":      {`{"minLength": 9}`, `"s3cr3t"`, "Must have at least 9 characters."},
		"long":       {`{"maxLength": 2}`, `"s3cr3t"`, "Must have at most 2 characters."},
		"few":        {`{"minItems": 2}`, `["s3cr3t"]`, "Must list at least 2, but has 1."},
		"many":       {`{"maxItems": 0}`, `["s3cr3t"]`, "Must list at most 0, but has 1."},
		"same":       {`{"uniqueItems": true}`, `["a", "s3cr3t", "s3cr3t"]`, "Entries 2 and 3 are the same; keep one."},
		"contains":   {`{"contains": {"const": 1}}`, `["s3cr3t"]`, "Lacks an entry that the DPP schema demands."},
		"overfull":   {`{"contains": true, "maxContains": 0}`, `["s3cr3t"]`, "Has too many entries of one sort."},
		"few fields": {`{"minProperties": 2}`, `{"s3cr3t": 1}`, "Must have at least 2 fields, but has 1."},
		"too full":   {`{"maxProperties": 0}`, `{"s3cr3t": 1}`, "Must have at most 0 fields, but has 1."},
		"never":      {`false`, `"s3cr3t"`, "Is not allowed here; remove it."},
		"not":        {`{"not": {"type": "string"}}`, `"s3cr3t"`, "Has a form that the DPP schema forbids."},
		"joined":     {`{"maxLength": 2, "pattern": "^x"}`, `"s3cr3t"`, "Must have at most 2 characters. Must match the pattern ^x."},
		"sum":        {`{"x-mintage-sum": {"member": "p", "equals": 100}}`, `[{"p": 98, "q": "s3cr3t"}]`, `The "p" of all entries must add up to exactly 100.`},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, `{"type": "object", "properties": {"a": `+c.schema+`}}`)
			problems := s.Check([]byte(`{"a": ` + c.value + `}`))
			if len(problems) != 1 || problems[0].Message != c.want {
				t.Fatalf("problems: %+v, want %q", problems, c.want)
			}
			if strings.Contains(problems[0].Message, secret) {
				t.Error("the message contains the value")
			}
		})
	}
	battery, _ := BuiltinByID("battery")
	for _, p := range battery.Check(nil) {
		if p.Pointer == "/rated_capacity_ah" && p.Message != `Missing or empty: fill in "Rated capacity", a number in Ah.` {
			t.Errorf("message: %s", p.Message)
		}
	}
}

// complete returns attributes that allow minting.
func complete(t testing.TB, id string) (*Schema, map[string]any) {
	t.Helper()
	s, ok := BuiltinByID(id)
	if !ok {
		t.Fatalf("no schema %s", id)
	}
	for _, p := range catalogue(t) {
		if p.schema == id && s.Check(p.encode(t)) == nil {
			return s, p.attributes
		}
	}
	t.Fatalf("no complete product for %s in the catalogue", id)
	return nil, nil
}

// Whatever required fields are taken away, in whatever way, exactly those are
// reported, in the document's order; spoilt ones likewise.
func TestCheckReportsExactlyWhatIsWrong(t *testing.T) {
	for _, id := range []string{"battery", "textile"} {
		s, whole := complete(t, id)
		var required []Attribute
		for _, a := range s.Attributes {
			if a.Required {
				required = append(required, a)
			}
		}
		rapid.Check(t, func(t *rapid.T) {
			attributes := maps.Clone(whole)
			var want []Problem
			for _, a := range required {
				switch rapid.IntRange(0, 6).Draw(t, a.Name) {
				case 0:
					delete(attributes, a.Name)
				case 1:
					attributes[a.Name] = nil
				case 2:
					attributes[a.Name] = rapid.SampledFrom([]string{"", " ", "\t\n"}).Draw(t, "blank")
				case 3:
					attributes[a.Name] = true // no required attribute is a boolean
					want = append(want, Problem{Pointer: a.Pointer})
					continue
				default:
					continue
				}
				want = append(want, Problem{Pointer: a.Pointer, Missing: true})
			}
			raw, err := json.Marshal(attributes)
			if err != nil {
				t.Fatal(err)
			}
			got := s.Check(raw)
			for i := range got {
				if got[i].Message == "" {
					t.Fatalf("%s: no message", got[i].Pointer)
				}
				got[i].Message = ""
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("got %s, want %s", format(got), format(want))
			}
		})
	}
}

// The validator walks maps, so its own order changes from run to run.
func TestCheckIsStable(t *testing.T) {
	s, ok := BuiltinByID("battery")
	if !ok {
		t.Fatal("no battery schema")
	}
	attributes := []byte(`{"weight_kg": "x", "battery_category": "EV", "chemistry": 5, "spare_parts": [{"x": 1, "y": 2}, {}], "voltage_min_v": -1}`)
	want := s.Check(attributes)
	if len(want) < 15 {
		t.Fatalf("only %d problems", len(want))
	}
	for range 50 {
		if got := s.Check(attributes); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	if !slices.ContainsFunc(want, func(p Problem) bool { return p.Pointer == "/exhaustion_threshold_percent" && p.Missing }) {
		t.Error("an EV battery may lack its capacity threshold for exhaustion")
	}
}

func TestCheckConcurrently(t *testing.T) {
	s, whole := complete(t, "textile")
	raw, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if problems := s.Check(raw); problems != nil {
					t.Errorf("problems: %+v", problems)
				}
				if problems := s.Check([]byte(`{"size": 5}`)); len(problems) != 8 {
					t.Errorf("problems: %+v", problems)
				}
			}
		})
	}
	group.Wait()
}

package dpp

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mintage"
)

func mustParse(t testing.TB, document string) *Schema {
	t.Helper()
	s, err := Parse("test", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	s := mustParse(t, `{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title": "Toasters", "x-mintage-version": "3", "x-mintage-provisional": true, "type": "object",
		"$defs": {"power": {"type": "number", "minimum": 1}},
		"properties": {
			"z/first": {"$ref": "#/$defs/power", "x-mintage-unit": "W", "x-mintage-access": "public", "x-mintage-label": {"en": "Power"}},
			"secret": {"type": ["integer", "null"], "x-mintage-level": "item", "x-mintage-group": "g", "x-mintage-source": "s"},
			"anything": true,
			"a": {"type": ["string", "number"]}
		},
		"required": ["z/first"]
	}`)
	if s.ID != "test" || s.Title != "Toasters" || s.Version != "3" || !s.Provisional {
		t.Errorf("schema: %+v", s)
	}
	var got []string
	for _, a := range s.Attributes {
		got = append(got, fmt.Sprintf("%s %s %q %q %s %v %s", a.Pointer, a.Level, a.Unit, a.Access, a.Type, a.Required, a.Title("en")))
	}
	want := []string{
		`/z~1first model "W" "public" number true Power`,
		`/secret item "" "" integer false secret`,
		`/anything model "" ""  false anything`,
		`/a model "" ""  false a`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("attributes:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.Attributes[1].Public() {
		t.Error("an attribute without an access class is public")
	}
}

func TestParseKeepsItsOwnCopy(t *testing.T) {
	document := []byte(`{"type": "object"}`)
	s, err := Parse("x", document)
	if err != nil {
		t.Fatal(err)
	}
	document[0] = 'X'
	if s.Document[0] != '{' {
		t.Error("the schema changed with the caller's bytes")
	}
}

func TestParseRefuses(t *testing.T) {
	object := func(inside string) string { return `{"type": "object", ` + inside + `}` }
	nested := strings.Repeat(`{"properties": {"a": `, 20) + `{}` + strings.Repeat(`}}`, 20)
	var bomb strings.Builder
	for i := range 40 {
		fmt.Fprintf(&bomb, `"d%d": {"allOf": [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%d"}]}, `, i, i+1, i+1)
	}
	for name, c := range map[string]struct{ document, field, says string }{
		"empty":                 {"", "", "not valid JSON"},
		"not JSON":              {"{", "", "not valid JSON"},
		"half a list":           {`{"enum": [1,]}`, "/enum/1", "not valid JSON"},
		"two documents":         {"{} {}", "", "after its end"},
		"not UTF-8":             {"{\"a\": \"\xff\"}", "", "UTF-8"},
		"a list":                {"[]", "", "JSON object"},
		"true":                  {"true", "", "JSON object"},
		"no type":               {"{}", "/type", "object"},
		"type array":            {`{"type": "array"}`, "/type", "object"},
		"type list":             {`{"type": ["object", "null"]}`, "/type", "object"},
		"large":                 {object(`"title": "` + strings.Repeat("x", maxDocument) + `"`), "", "256 KiB"},
		"deep":                  {object(`"properties": {"a": ` + nested + `}`), strings.Repeat("/properties/a", 16), "32 levels"},
		"many values":           {object(`"enum": [` + strings.Repeat("1,", maxValues) + `1]`), "", "10000 values"},
		"duplicate":             {object(`"properties": {"a": true, "b": true, "a": false}`), "/properties/a", "twice"},
		"huge number":           {object(`"properties": {"a": {"multipleOf": 1e9999999}}`), "/properties/a/multipleOf", "too large"},
		"not a schema":          {object(`"properties": {"a": {"type": "txt"}}`), "/properties/a/type", "must be one of: array, boolean"},
		"required not a list":   {object(`"required": "a"`), "/required", "a list, not text"},
		"several mistakes":      {object(`"properties": {"b": {"minimum": "x"}, "a": {"type": 5}}`), "/properties/a/type", "must be one of"},
		"bad pattern":           {object(`"properties": {"a": {"pattern": "(?=x)"}}`), "/properties/a/pattern", "RE2"},
		"bad pattern name":      {object(`"patternProperties": {"(": true}`), "", "RE2"},
		"draft-07":              {object(`"$schema": "http://json-schema.org/draft-07/schema#"`), "/$schema", "2020-12"},
		"draft-07 within":       {object(`"$defs": {"a": {"$id": "x", "$schema": "http://json-schema.org/draft-07/schema"}}`), "/$defs/a/$schema", "2020-12"},
		"own dialect":           {object(`"$schema": "https://example.com/schema"`), "", "another document"},
		"ref to the web":        {object(`"properties": {"a": {"$ref": "https://example.com/a.json"}}`), "", "another document"},
		"ref to a file":         {object(`"properties": {"a": {"$ref": "file:///etc/passwd"}}`), "", "another document"},
		"relative ref":          {object(`"properties": {"a": {"$ref": "other.json"}}`), "", "another document"},
		"ref below an id":       {object(`"$id": "https://example.com/s", "properties": {"a": {"$ref": "t"}}`), "", "another document"},
		"ref to nowhere":        {object(`"properties": {"a": {"$ref": "#/$defs/a"}}`), "", "references"},
		"ref to no anchor":      {object(`"properties": {"a": {"$ref": "#a"}}`), "", "references"},
		"ref in a circle":       {object(`"properties": {"a": {"$ref": "#"}}`), "", "circle"},
		"ref to itself":         {object(`"$ref": "#"`), "", "circle"},
		"ref to the metaschema": {object(`"properties": {"a": {"$ref": "https://json-schema.org/draft/2020-12/schema"}}`), "", "circle"},
		"dynamic ref":           {object(`"properties": {"a": {"$dynamicRef": "#b"}}, "$defs": {"b": {"$dynamicAnchor": "b"}}`), "/properties/a/$dynamicRef", "not allowed"},
		"unfolds":               {object(`"$ref": "#/$defs/d0", "$defs": {` + bomb.String() + `"d40": {"minProperties": 1}}`), "", "unfold"},
		"property names":        {object(`"propertyNames": {"maxLength": 3}`), "/propertyNames", "not allowed"},
		"huge count":            {object(`"properties": {"a": {"maxLength": 1e30}}`), "/properties/a/maxLength", "at most 2147483647"},
		"access class":          {object(`"properties": {"a": {"x-mintage-access": "everyone"}}`), "/properties/a/x-mintage-access", "public, legitimate_interest, authorities"},
		"level":                 {object(`"properties": {"a": {"x-mintage-level": "unit"}}`), "/properties/a/x-mintage-level", "model, batch, item"},
		"label":                 {object(`"properties": {"a": {"x-mintage-label": {"english": "A"}}}`), "/properties/a/x-mintage-label/english", "not allowed"},
		"sum":                   {object(`"properties": {"a": {"x-mintage-sum": {"member": "b"}}}`), "/properties/a/x-mintage-sum/equals", "equals"},
		"misspelt keyword":      {object(`"properties": {"a": {"x-mintage-acces": "public"}}`), "/properties/a/x-mintage-acces", "spelling"},
		"access further down":   {object(`"properties": {"a": {"properties": {"b": {"x-mintage-access": "public"}}}}`), "/properties/a/properties/b/x-mintage-access", "top level"},
		"access in a definition": {
			object(`"$defs": {"a": {"x-mintage-access": "public"}}, "properties": {"a": {"$ref": "#/$defs/a"}}`),
			"/$defs/a/x-mintage-access", "top level",
		},
		"version further down": {object(`"allOf": [{"x-mintage-version": "1"}]`), "/allOf/0/x-mintage-version", "top"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse("x", []byte(c.document))
			if s != nil || err == nil {
				t.Fatal("accepted")
			}
			e, ok := errors.AsType[*mintage.Error](err)
			if !ok || e.Code != mintage.CodeInvalidInput {
				t.Fatalf("got %v, want a mintage.Error with %s", err, mintage.CodeInvalidInput)
			}
			if e.Field != c.field || !strings.Contains(strings.ToLower(e.Message), strings.ToLower(c.says)) {
				t.Errorf("field %q, message %q; want field %q and %q", e.Field, e.Message, c.field, c.says)
			}
		})
	}
}

// Not only refused: the server and the file at the other end are never touched.
func TestParseReadsNothingElse(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"type": "string"}`))
	}))
	server.Config.ConnState = func(net.Conn, http.ConnState) { asked.Add(1) }
	server.Start()
	defer server.Close()
	file := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(file, []byte(`{"type": "string"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{server.URL + "/a.json", "file://" + filepath.ToSlash(file), filepath.ToSlash(file)} {
		for _, document := range []string{
			fmt.Sprintf(`{"type": "object", "properties": {"a": {"$ref": %q}}}`, ref),
			fmt.Sprintf(`{"type": "object", "$schema": %q}`, ref),
			fmt.Sprintf(`{"type": "object", "$id": %q, "properties": {"a": {"$ref": "b.json"}}}`, ref),
		} {
			if _, err := Parse("x", []byte(document)); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the server was contacted %d times", n)
	}
}

func TestParseAcceptsLocalReferences(t *testing.T) {
	s := mustParse(t, `{"type": "object", "$id": "https://example.com/toaster",
		"$defs": {"n": {"$anchor": "n", "type": "number"}, "m": {"$id": "m", "type": "string"}},
		"properties": {"a": {"$ref": "#n"}, "b": {"$ref": "m"}, "c": {"$ref": "https://example.com/toaster#/$defs/n"}}}`)
	problems := s.Check([]byte(`{"a": "x", "b": 1, "c": "x"}`))
	if len(problems) != 3 {
		t.Errorf("problems: %+v", problems)
	}
}

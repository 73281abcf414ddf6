package catalogue

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mintage"
)

func TestAttributes(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	list := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}" }
	sized := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	for name, test := range map[string]struct {
		in, want string // want "": refused
	}{
		"empty object":              {`{}`, `{}`},
		"space goes, order stays":   {" {\"b\" : 1.50,\n \"a\": [ 1, 2 ] } ", `{"b":1.50,"a":[1,2]}`},
		"digits stay":               {`{"a":12345678901234567890.10}`, `{"a":12345678901234567890.10}`},
		"one name in two objects":   {`{"a":{"a":1},"b":{"a":1}}`, `{"a":{"a":1},"b":{"a":1}}`},
		"a value equal to the name": {`{"a":"a"}`, `{"a":"a"}`},
		"list of equal texts":       {`{"a":["a","a"]}`, `{"a":["a","a"]}`},
		"as deep as may be":         {nested(20), nested(20)},
		"as deep in lists":          {list(20), list(20)},
		"as large as may be":        {sized(64 << 10), sized(64 << 10)},
		"nothing":                   {``, ``},
		"null":                      {`null`, ``},
		"list":                      {`[]`, ``},
		"text":                      {`"a"`, ``},
		"two values":                {`{} {}`, ``},
		"something after it":        {`{}x`, ``},
		"not closed":                {`{"a":1`, ``},
		"comma at the end":          {`{"a":1,}`, ``},
		"name twice":                {`{"a":1,"a":1}`, ``},
		"name twice, escaped":       {`{"a":1,"\u0061":1}`, ``},
		"name twice further down":   {`{"b":[{"a":{},"a":[]}]}`, ``},
		"too deep":                  {nested(21), ``},
		"too deep in lists":         {list(21), ``},
		"too large":                 {sized(64<<10 + 1), ``},
		"not UTF-8":                 {"{\"a\":\"\xff\"}", ``},
		"raw NUL":                   {"{\"a\":\"\x00\"}", ``},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := compactAttributes(json.RawMessage(test.in))
			if test.want == "" {
				wantError(t, err, mintage.CodeInvalidInput, "attributes")
				return
			}
			if err != nil || string(got) != test.want {
				t.Errorf("got %.200s, %v; want %.200s", got, err, test.want)
			}
		})
	}
}

// The examples of RFC 7396, appendix A, whose target and patch are objects.
func TestMergePatch(t *testing.T) {
	for _, test := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		// Ours: digits stay, nothing is escaped for HTML, the old text stays where
		// nothing changes.
		{`{"a":1.10}`, `{"b":2.50}`, `{"a":1.10,"b":2.50}`},
		{`{"a":1}`, `{"b":"<&>"}`, `{"a":1,"b":"<&>"}`},
		{`{"b":1,"a":2}`, `{"a":2}`, `{"b":1,"a":2}`},
		{`{"b":1,"a":2}`, `{"c":null}`, `{"b":1,"a":2}`},
	} {
		got, err := patchAttributes(json.RawMessage(test.target), json.RawMessage(test.patch))
		if err != nil || string(got) != test.want {
			t.Errorf("%s patched with %s is %s, %v; want %s", test.target, test.patch, got, err, test.want)
		}
	}
	for _, patch := range []string{`null`, `["a"]`, `"a"`, `{"a":1,"a":2}`} {
		_, err := patchAttributes(json.RawMessage(`{}`), json.RawMessage(patch))
		wantError(t, err, mintage.CodeInvalidInput, "attributes")
	}
	big := `{"a":"` + strings.Repeat("x", 40<<10) + `"}`
	_, err := patchAttributes(json.RawMessage(big), json.RawMessage(strings.Replace(big, "a", "b", 1)))
	wantError(t, err, mintage.CodeInvalidInput, "attributes")
}

// A patch applied twice is the patch applied once.
func TestMergePatchIsIdempotent(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) any { return drawJSON(t, 3) })
	object := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), value, 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		target, _ := json.Marshal(object.Draw(t, "target"))
		patch, _ := json.Marshal(object.Draw(t, "patch"))
		once, err := patchAttributes(target, patch)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := patchAttributes(once, patch)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("%s patched with %s is %s, and again %s, %v", target, patch, once, twice, err)
		}
	})
}

func drawJSON(t *rapid.T, depth int) any {
	kinds := 4
	if depth == 0 {
		kinds = 2
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Int().Draw(t, "number")
	case 2:
		return strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "") // refused, as another test says
	case 3:
		return []any{drawJSON(t, depth-1)}
	}
	return map[string]any{rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"): drawJSON(t, depth-1)}
}

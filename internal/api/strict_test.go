package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"mintage"
)

func TestStrictJSONTakes(t *testing.T) {
	for _, good := range []string{
		`{}`, " \t\r\n{ } \n", `{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}`, `{"😀":"\ud83d\ude00"}`, `{"a":"\uD83D\uDE00x\udbff\udfff"}`, `{"a":"\ud7ff\ue000\uffff\u0001"}`, `{"a":"\\u0000"}`,
		`{"a":"\\\\ud800"}`, `{"a":"[{\"a\":1,\"a\":2}]"}`, `{"a":["a","a"],"b":"a"}`, `{"a":123456789012345678901234567890}`, `{"a":"�"}`,
		strings.Repeat(`{"a":`, 31) + "{}" + strings.Repeat("}", 31), `{"":1," ":2}`, `{"a":"퟿"}`,
	} {
		if err := checkJSON([]byte(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestStrictJSONRefuses(t *testing.T) {
	for name, bad := range badBodies {
		p, ok := errors.AsType[*problem](checkJSON([]byte(bad)))
		if !ok || p.Status != http.StatusBadRequest || p.Code != codeMalformed {
			t.Errorf("%s: %v", name, p)
		}
	}
	for _, bad := range []string{`{"a":1,"A":2}`, `{"k":1,"` + "\u212a" + `":2}`, `{"a":"\ud83d"}`, `{"a":"\ud83d\\ude00"}`, `{"a":"\ude00\ud83d"}`, `{"a":[{},{"b":1,"\u0062":1}]}`, ``} {
		if checkJSON([]byte(bad)) == nil {
			t.Errorf("%s passes", bad)
		}
	}
}

// FuzzStrictJSON holds the reader against encoding/json: what it takes is valid,
// an object, means the same when decoded and encoded again, and has no name twice.
func FuzzStrictJSON(f *testing.F) {
	for _, bad := range badBodies {
		if len(bad) < 1000 {
			f.Add([]byte(bad))
		}
	}
	f.Add([]byte(`{"a":[1,-0,1e5,"\u00e9\ud83d\ude00",{"b":null,"c":true}],"z":"\\\"\/"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if checkJSON(data) != nil {
			return
		}
		var decoded map[string]any
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&decoded); err != nil || decoded == nil {
			t.Fatalf("it is no object: %v", err)
		}
		if names(decoded) != namesIn(data) {
			t.Fatal("a name was lost: it stood twice")
		}
		again, err := json.Marshal(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsRune(data, '\uFFFD') || bytes.Contains(bytes.ToLower(data), []byte("fffd")) {
			return
		}
		if bytes.Contains(again, []byte(`\u0000`)) && !bytes.Contains(again, []byte(`\\u0000`)) || bytes.ContainsRune(again, '\uFFFD') || bytes.Contains(again, []byte(`\ufffd`)) {
			t.Fatalf("something was replaced: %s", again)
		}
		if _, err := decodeAny(data); err != nil {
			t.Fatal(err)
		}
	})
}

func names(value any) (n int) {
	switch v := value.(type) {
	case []any:
		for _, inner := range v {
			n += names(inner)
		}
	case map[string]any:
		n = len(v)
		for _, inner := range v {
			n += names(inner)
		}
	}
	return n
}

// namesIn counts the names in a text, by its colons outside strings.
func namesIn(data []byte) (n int) {
	inside := false
	for i := 0; i < len(data); i++ {
		switch {
		case inside && data[i] == '\\':
			i++
		case data[i] == '"':
			inside = !inside
		case !inside && data[i] == ':':
			n++
		}
	}
	return n
}

// FuzzIdempotencyKey finds no key that is taken and cannot be sent again.
func FuzzIdempotencyKey(f *testing.F) {
	for _, key := range []string{"k", `"k"`, `"`, `""`, `"""`, "", "a b", "\x7f", "ü", strings.Repeat("k", 255), strings.Repeat("k", 256)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		key, err := mintage.ValidateIdempotencyKey(sent)
		if err != nil {
			if mintage.ErrorCode(err) != mintage.CodeInvalidInput || key != "" {
				t.Fatalf("%q: %q, %v", sent, key, err)
			}
			return
		}
		if len(key) < 1 || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			t.Fatalf("%q became %q", sent, key)
		}
		quoted, err := mintage.ValidateIdempotencyKey(`"` + key + `"`)
		if err != nil || quoted != key {
			t.Fatalf("quoted, %q became %q (%v)", key, quoted, err)
		}
	})
}

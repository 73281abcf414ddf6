package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"unicode/utf8"

	"mintage/internal/strictjson"
)

// FuzzCheck holds the reader against encoding/json: what it takes is one valid
// object within the limits that means the same when decoded and encoded again;
// what is no JSON it refuses.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		``, `{}`, `[]`, `null`, `{"a":1} {}`, `{"a":1,"a":2}`, `{"a":1,"\u0041":2}`, `{"a":"\ud800"}`, `{"a":"\ud83d\ude00\u0000"}`,
		`{"a":[1,-0,1e5,"\u00e9\ud83d\ude00",{"b":null,"c":true}],"z":"\\\"\/"}`, `{"a":[[[[[[[[1]]]]]]]]}`, `{"a":1e99}`, `{"a":12345678901}`,
		"{\"a\":\"\xff\"}", "\ufeff{}", `{"a":[1,]}`, `{"k":1,"` + "\u212a" + `":2}`, `{"a":"\ufffd"}`,
	} {
		f.Add([]byte(text))
	}
	rules := strictjson.Rules{Bytes: 1 << 12, Depth: 8, Values: 50, Digits: 10, Exponent: 50, FoldNames: true}
	f.Fuzz(func(t *testing.T, text []byte) {
		fault := rules.Check(text)
		if fault != nil {
			if fault.Offset < 0 || fault.Offset > len(text) || fault.Text("It") == "" || !utf8.ValidString(fault.Pointer()) {
				t.Fatalf("an odd fault: %+v", fault)
			}
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) || len(text) > rules.Bytes {
			t.Fatal("it is no JSON")
		}
		var decoded map[string]any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&decoded); err != nil || decoded == nil {
			t.Fatalf("it is no object: %v", err)
		}
		sizes := sizes{}
		sizes.add(decoded, 1)
		if tokens := tokensOf(t, text); tokens != sizes.names+sizes.values+sizes.closings {
			t.Fatalf("%d tokens, but %+v: a name was lost, it stood twice", tokens, sizes)
		}
		if sizes.depth > rules.Depth || sizes.values > rules.Values || sizes.digits > rules.Digits {
			t.Fatalf("beyond the limits: %+v", sizes)
		}
		again, err := json.Marshal(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if fault := rules.Check(again); fault != nil && fault.Kind != strictjson.TooLarge { // escapes for HTML are longer
			t.Fatalf("encoded again it is refused: %s", fault.Text("It"))
		}
		// encoding/json writes U+FFFD where it cannot represent what it read.
		if bytes.ContainsRune(text, utf8.RuneError) || bytes.Contains(bytes.ToLower(text), []byte("fffd")) {
			return
		}
		if bytes.ContainsRune(again, utf8.RuneError) || bytes.Contains(again, []byte(`\ufffd`)) {
			t.Fatalf("something was replaced: %s", again)
		}
	})
}

// sizes of a decoded value.
type sizes struct{ names, values, closings, depth, digits int }

func (s *sizes) add(value any, depth int) {
	s.values++
	switch v := value.(type) {
	case []any:
		s.closings++
		s.depth = max(s.depth, depth)
		for _, inner := range v {
			s.add(inner, depth+1)
		}
	case map[string]any:
		s.closings++
		s.depth = max(s.depth, depth)
		s.names += len(v)
		for _, inner := range v {
			s.add(inner, depth+1)
		}
	case json.Number:
		s.digits = max(s.digits, len(v))
	}
}

// tokensOf counts a text's tokens as encoding/json's decoder reads them.
func tokensOf(t *testing.T, text []byte) (n int) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
}

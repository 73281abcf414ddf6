package strictjson_test

import (
	"strings"
	"testing"

	"mintage/internal/strictjson"
)

// nested returns n objects within each other.
func nested(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }

func TestTakes(t *testing.T) {
	rules := strictjson.Rules{Bytes: 1 << 10, Depth: 32, Values: 40, Digits: 30, Exponent: 300, FoldNames: true}
	for _, good := range []string{
		`{}`, " \t\r\n{ } \n", `{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}`, `{"😀":"\ud83d\ude00"}`,
		`{"a":"\uD83D\uDE00x\udbff\udfff"}`, `{"a":"\ud7ff\ue000\uffff\u0001"}`, `{"a":"\\u0000"}`, `{"a":"\\\\ud800"}`,
		`{"a":"[{\"a\":1,\"a\":2}]"}`, `{"a":["a","a"],"b":"a"}`, `{"a":"a"}`, `{"a":123456789012345678901234567890}`,
		`{"a":"�"}`, `{"":1," ":2}`, `{"a":"퟿"}`, `{"a":-1.5e-300,"b":1E+300,"c":true,"d":false,"e":null}`,
		nested(32), `{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + "}",
		`{"a":"` + strings.Repeat("x", 1<<10-8) + `"}`, `{"a":[` + strings.Repeat("1,", 37) + `1]}`,
	} {
		if fault := rules.Check([]byte(good)); fault != nil {
			t.Errorf("%.200s: %s", good, fault.Text("It"))
		}
	}
	rules = strictjson.Rules{Lists: true}
	for _, good := range []string{`[]`, `[{"a":1,"A":2}]`, `{"k":1,"` + "\u212a" + `":2}`, `[1e999999999]`, nested(9000)} {
		if fault := rules.Check([]byte(good)); fault != nil {
			t.Errorf("%.200s: %s", good, fault.Text("It"))
		}
	}
}

func TestRefuses(t *testing.T) {
	rules := strictjson.Rules{Bytes: 1 << 10, Depth: 20, Values: 40, Digits: 30, Exponent: 300, FoldNames: true}
	for _, c := range []struct {
		text    string
		kind    strictjson.Kind
		offset  int
		pointer string
	}{
		{``, strictjson.Malformed, 0, ""},
		{`  `, strictjson.Malformed, 1, ""},
		{`{`, strictjson.Malformed, 0, ""},
		{`{"a"`, strictjson.Malformed, 3, ""},
		{`{"a" 1}`, strictjson.Malformed, 5, "/a"},
		{`{"a":1`, strictjson.Malformed, 5, "/a"},
		{`{"a":1,}`, strictjson.Malformed, 7, ""},
		{`{"a":[1,]}`, strictjson.Malformed, 8, "/a/1"},
		{`{"a":[1 2]}`, strictjson.Malformed, 8, "/a/0"},
		{`{"a":{"b":01}}`, strictjson.Malformed, 11, "/a/b"},
		{`{"a":1ex}`, strictjson.Malformed, 7, "/a"},
		{`{"a":trux}`, strictjson.Malformed, 8, "/a"},
		{`{"a":]`, strictjson.Malformed, 5, "/a"},
		{`{"a":"\x"}`, strictjson.Malformed, 7, "/a"},
		{`{"a":"\ud800`, strictjson.Malformed, 11, "/a"},
		{"{\"a\":\"\x00\"}", strictjson.Malformed, 6, "/a"},
		{"{}\x00", strictjson.Trailing, 2, ""},
		{`{"a":1} {}`, strictjson.Trailing, 8, ""},
		{`{}x`, strictjson.Trailing, 2, ""},
		{"\ufeff{}", strictjson.Malformed, 0, ""},
		{`[]`, strictjson.NotObject, 0, ""},
		{` null`, strictjson.NotObject, 1, ""},
		{`"a"`, strictjson.NotObject, 0, ""},
		{`1`, strictjson.NotObject, 0, ""},
		{"{\"a\":\"x\xff\"}", strictjson.NotUTF8, 7, ""},
		{"{\"a\":\"\xc0\x80\"}", strictjson.NotUTF8, 6, ""},
		{"{\"a\":\"\xed\xa0\x80\"}", strictjson.NotUTF8, 6, ""},
		{`{"a":1,"a":1}`, strictjson.NameTwice, 7, "/a"},
		{`{"a":1,"\u0061":1}`, strictjson.NameTwice, 7, "/a"},
		{`{"a":1,"A":2}`, strictjson.NameTwice, 7, "/A"},
		{`{"k":1,"` + "\u212a" + `":2}`, strictjson.NameTwice, 7, "/\u212a"},
		{`{"b~/":[{"a":{},"a":[]}]}`, strictjson.NameTwice, 16, "/b~0~1/0/a"},
		{nested(21), strictjson.TooDeep, 100, strings.Repeat("/a", 20)},
		{`{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}", strictjson.TooDeep, 24, "/a" + strings.Repeat("/0", 19)},
		{strings.Repeat(`{"a":`, 200), strictjson.TooDeep, 100, strings.Repeat("/a", 20)},
		{`{"a":"` + strings.Repeat("x", 1<<10-7) + `"}`, strictjson.TooLarge, 0, ""},
		{`{"a":[` + strings.Repeat("1,", 38) + `1]}`, strictjson.TooMany, 82, "/a/38"},
		{`{"a":[0,1234567890123456789012345678901]}`, strictjson.LongNumber, 8, "/a/1"},
		{`{"a":1e301}`, strictjson.LongNumber, 5, "/a"},
		{`{"a":1E-301}`, strictjson.LongNumber, 5, "/a"},
		{`{"a":1e99999999999999999999}`, strictjson.LongNumber, 5, "/a"},
		{`{"a":"x\u0000"}`, strictjson.HasNUL, 7, "/a"},
		{`{"a\u0000":1}`, strictjson.HasNUL, 3, ""},
		{`{"a":"\ud83d"}`, strictjson.HalfPair, 6, "/a"},
		{`{"a":"\ud83d\\ude00"}`, strictjson.HalfPair, 6, "/a"},
		{`{"a":"\ude00\ud83d"}`, strictjson.HalfPair, 6, "/a"},
		{`{"a":"\ud83d\ud83d\ude00"}`, strictjson.HalfPair, 6, "/a"},
		{`{"a":"😀\udc00x"}`, strictjson.HalfPair, 10, "/a"},
	} {
		fault := rules.Check([]byte(c.text))
		if fault == nil {
			t.Errorf("%.200q passes", c.text)
			continue
		}
		if fault.Kind != c.kind || fault.Offset != c.offset || fault.Pointer() != c.pointer {
			t.Errorf("%.200q: kind %d at byte %d, %q; want %d at %d, %q", c.text, fault.Kind, fault.Offset, fault.Pointer(), c.kind, c.offset, c.pointer)
		}
		if text := fault.Text("It"); !strings.HasPrefix(text, "It ") || !strings.HasSuffix(text, ".") {
			t.Errorf("%.200q: %q", c.text, text)
		}
	}
}

func TestExact(t *testing.T) {
	rules := strictjson.Rules{Digits: 6, Exponent: 30}
	for number, want := range map[string]bool{
		"0": true, "-1.5": true, "123456": true, "1e30": true, "1E-30": true, "1e+030": true,
		"1234567": false, "1e31": false, "1E-31": false, "1e": false,
	} {
		if rules.Exact(number) != want {
			t.Errorf("%s: %t", number, !want)
		}
	}
}

package api

import (
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

// FuzzIdempotencyHeader sends what may stand in the header, also twice: a key is
// taken only where one was sent that the domain takes.
func FuzzIdempotencyHeader(f *testing.F) {
	for _, value := range []string{"k", `"k"`, `""`, "", " ", "a b", "\x7f", "ü", `"k`, "k,l", strings.Repeat("k", 255), strings.Repeat("k", 257)} {
		f.Add(value, "", false)
		f.Add(value, value, true)
	}
	f.Fuzz(func(t *testing.T, first, second string, twice bool) {
		sent := []string{first}
		if twice {
			sent = append(sent, second)
		}
		fault := checkIdempotencyKey(sent)
		_, err := mintage.ValidateIdempotencyKey(first)
		if taken := fault == nil && err == nil; taken && (twice || first == "" || first == `""`) {
			t.Fatalf("%q is taken for one key", sent)
		}
		if fault != nil && !twice && first != "" {
			t.Fatalf("%q is refused before the domain has seen it", sent)
		}
	})
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

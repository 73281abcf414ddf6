package gs1_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mintage/internal/gs1"
)

var validators = []struct {
	name     string
	validate func(string) error
}{
	{"lot code", gs1.ValidateLot},
	{"serial number", gs1.ValidateSerial},
}

func TestValidateRefuses(t *testing.T) {
	for _, v := range validators {
		for _, tt := range []struct{ name, in, message string }{
			{"empty", "", "is empty"},
			{"21 characters", strings.Repeat("x", 21), "has 21 characters"},
			{"space", "AB 12", "' ' at position 3;"},
			{"number sign", "#1", "'#' at position 1;"},
			{"tilde", "A~", "'~' at position 2;"},
			{"backslash", `A\B`, `'\\' at position 2;`},
			{"FNC1 as GS", "A\x1dB", `'\x1d' at position 2;`},
			{"umlaut", "Charge-Ä1", "U+00C4 'Ä' at position 8;"},
			{"after an umlaut", "ä$", "U+00E4 'ä' at position 1;"},
			{"bidi override", "A\u202eB", "U+202E at position 2;"},
			{"not UTF-8", "A\xc3", "the byte 0xC3 at position 2;"},
			{"dot", ".", `is "."`},
			{"two dots", "..", `is ".."`},
		} {
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				refused(t, v.validate(tt.in), "The "+v.name, tt.message)
			})
		}
	}
}

// Of the 256 bytes exactly the 82 of the set pass.
func TestValidateCharacterSet(t *testing.T) {
	if len(charset82) != 82 {
		t.Fatalf("the test's own set has %d characters", len(charset82))
	}
	for _, v := range validators {
		for c := range 256 {
			s := "A" + string([]byte{byte(c)})
			want := strings.Contains(charset82, s[1:])
			if err := v.validate(s); (err == nil) != want {
				t.Errorf("%s %q: %v", v.name, s, err)
			}
		}
	}
}

func TestValidateAccepts(t *testing.T) {
	for _, v := range validators {
		for _, s := range []string{"A", "...", "0", "A/B", "ABC%40XYZ", "./..", strings.Repeat("x", gs1.MaxValueLength)} {
			if err := v.validate(s); err != nil {
				t.Errorf("%s %q: %v", v.name, s, err)
			}
		}
		t.Run(v.name, rapid.MakeCheck(func(t *rapid.T) {
			if err := v.validate(value82.Draw(t, "value")); err != nil {
				t.Fatal(err)
			}
		}))
	}
}

package serial

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mintage"
)

func TestCodeText(t *testing.T) {
	for text, code := range map[string]Code{
		"000000000000": 0,
		"000000000001": 1,
		"00000000000Z": 31,
		"000000000010": 32,
		"0123456789AB": 0x443214c74254b, // 5 bits a digit
		"ZZZZZZZZZZZZ": Domain - 1,
	} {
		if got := code.String(); got != text {
			t.Errorf("%d is written %s, want %s", code, got, text)
		}
		if got, err := ParseCode(text); got != code || err != nil {
			t.Errorf("%s is read as %d, %v; want %d", text, got, err, code)
		}
		if got := string(code.AppendTo([]byte("x"))); got != "x"+text {
			t.Errorf("%d is appended as %s", code, got)
		}
	}
}

func TestCodesSortAsTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Code(rapid.Uint64Range(0, Domain-1).Draw(t, "a"))
		b := Code(rapid.Uint64Range(0, Domain-1).Draw(t, "b"))
		if (a < b) != (a.String() < b.String()) {
			t.Fatalf("%d and %d sort otherwise than %v and %v", a, b, a, b)
		}
	})
}

func TestParseCodeNamesTheFault(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "has 12 characters, this one has 0",
		"0123456789A":           "has 12 characters, this one has 11",
		"0123456789ABC":         "has 12 characters, this one has 13",
		"ABCDEFGHJKé":           "has 12 characters, this one has 11", // 12 bytes
		"ABCDEFGHJKé1":          "'é' at position 11",
		"o00000000000":          "'o' at position 1;",
		"00000000000O":          "'O' at position 12",
		"00I000000000":          "'I' at position 3",
		"000L00000000":          "'L' at position 4",
		"0000U0000000":          "'U' at position 5",
		"abcdefghjkmn":          "'a' at position 1;",
		"000000 00000":          "' ' at position 7",
		"000000-00000":          "'-' at position 7",
		"00000000000\x00":       `'\x00' at position 12`,
		"\xff00000000000":       "at position 1;",
		" 000000000000":         "this one has 13",
		strings.Repeat("é", 12): "'é' at position 1;",
	} {
		_, err := ParseCode(text)
		if mintage.ErrorCode(err) != mintage.CodeInvalidInput || !strings.Contains(mintage.ErrorMessage(err), want) {
			t.Errorf("%q: %v, want a message with %q", text, err, want)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	for _, seed := range []string{"", "000000000000", "ZZZZZZZZZZZZ", "0123456789ABC", "o00000000000", "ABCDEFGHJKé", "\xff00000000000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, err := ParseCode(text)
		if err != nil {
			if mintage.ErrorCode(err) != mintage.CodeInvalidInput || code != 0 {
				t.Fatalf("%q: %d, %v", text, code, err)
			}
			return
		}
		if code >= Domain || code.String() != text {
			t.Fatalf("%q is read as %d, which is written %v", text, code, code)
		}
	})
}

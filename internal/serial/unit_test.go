package serial

import (
	"strings"
	"testing"

	"mintage"
)

func TestUnit(t *testing.T) {
	const text = "7H3KQ9ZD-00000000000Z"
	unit := Unit{ProductCode: testProduct, Code: 31}
	if got := unit.String(); got != text {
		t.Errorf("written %s, want %s", got, text)
	}
	if got, err := ParseUnit(text); got != unit || err != nil {
		t.Errorf("read as %v, %v; want %v", got, err, unit)
	}
}

func TestParseUnitNamesTheFault(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "a hyphen",
		"7H3KQ9ZD00000000000Z":    "a hyphen",
		"-00000000000Z":           "A product code has 8 characters, this one has 0",
		"7H3KQ9ZD-":               "A code has 12 characters, this one has 0",
		"7h3kq9zd-00000000000Z":   "The product code has 'h' at position 2",
		"7H3KQ9ZD-00000000000z":   "The code has 'z' at position 12",
		"7H3KQ9ZD-00000000000Z-":  "A code has 12 characters, this one has 13",
		"7H3KQ9ZD--0000000000Z":   "The code has '-' at position 1;",
		"7H3KQ9ZD–00000000000Z":   "a hyphen", // an en dash
		" 7H3KQ9ZD-00000000000Z":  "A product code has 8 characters, this one has 9",
		"7H3KQ9ZD-00000000000Z\n": "A code has 12 characters, this one has 13",
	} {
		_, err := ParseUnit(text)
		if mintage.ErrorCode(err) != mintage.CodeInvalidInput || !strings.Contains(mintage.ErrorMessage(err), want) {
			t.Errorf("%q: %v, want a message with %q", text, err, want)
		}
	}
}

func TestNewProductCode(t *testing.T) {
	seen := make(map[string]bool)
	used := make(map[rune]bool)
	for range 1000 { // equal draws: 5 in 10^7
		code := NewProductCode()
		if err := ParseProductCode(code); err != nil || seen[code] {
			t.Fatalf("%q: %v, or drawn twice", code, err)
		}
		seen[code] = true
		for _, r := range code {
			used[r] = true
		}
	}
	if len(used) != len(alphabet) {
		t.Errorf("only %d characters occur", len(used))
	}
}

func FuzzParseUnit(f *testing.F) {
	for _, seed := range []string{"", "-", "7H3KQ9ZD-00000000000Z", "7H3KQ9ZD00000000000Z", "7h3kq9zd-00000000000Z", "7H3KQ9ZD--0000000000Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		unit, err := ParseUnit(text)
		if err != nil {
			if mintage.ErrorCode(err) != mintage.CodeInvalidInput || unit != (Unit{}) {
				t.Fatalf("%q: %v, %v", text, unit, err)
			}
			return
		}
		if unit.String() != text || ParseProductCode(unit.ProductCode) != nil {
			t.Fatalf("%q is read as %v", text, unit)
		}
	})
}

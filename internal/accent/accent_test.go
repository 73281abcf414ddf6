package accent_test

import (
	"testing"

	"mintage/internal/accent"
)

// That every scheme can be read is held by the tests of package passport, which has
// the whole page.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"#1a5fb4": "#1a5fb4", "#FFFFFF": "#ffffff", "": "", "1a5fb4": "", "#12345": "", "#1234567": "", "#gggggg": "", "#+12345": "", "red": "",
	} {
		c, ok := accent.Parse(text)
		if ok != (want != "") || ok && c.String() != want {
			t.Errorf("%q is %s, %v", text, c, ok)
		}
		if !ok && accent.Of(text) != accent.Own {
			t.Errorf("%q does not lead to mintage's own", text)
		}
	}
}

func TestSchemes(t *testing.T) {
	for _, text := range []string{"#000000", "#ffffff", "#ffd400", "#808080", "#0b6b4f", "#1d4ed8"} {
		c := accent.Of(text)
		for name, s := range map[string]accent.Scheme{"light": c.Light(), "dark": c.Dark()} {
			if s.Least() < accent.MinContrast {
				t.Errorf("%s, %s: %.2f:1", text, name, s.Least())
			}
		}
	}
	if c := accent.Of("#1d4ed8"); c.Light().Accent != c {
		t.Errorf("a colour that can be read became %s", c.Light().Accent)
	}
}

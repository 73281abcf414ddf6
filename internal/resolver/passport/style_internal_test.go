package passport

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/accent"
)

// propertiesOf reads the colours of a style sheet's light and dark sets.
func propertiesOf(t *testing.T, css string) (light, dark map[string]accent.Colour) {
	t.Helper()
	light, dark = map[string]accent.Colour{}, map[string]accent.Colour{}
	block := regexp.MustCompile(`(@media screen and \(prefers-color-scheme: ?dark\) ?\{\s*)?:root ?\{([^}]*)\}`)
	for _, b := range block.FindAllStringSubmatch(css, -1) {
		into := []map[string]accent.Colour{light, dark}
		if b[1] != "" {
			into = into[1:]
		}
		for _, m := range regexp.MustCompile(`--([a-z-]+): ?(#[0-9a-f]{6})`).FindAllStringSubmatch(b[2], -1) {
			c, ok := accent.Parse(m[2])
			if !ok {
				t.Fatalf("%s is no colour", m[2])
			}
			for _, set := range into {
				set[m[1]] = c
			}
		}
	}
	return light, dark
}

// TestContrast holds every pair of text and ground to 4.5:1, for all kinds of accents.
func TestContrast(t *testing.T) {
	accents := []string{"", "#000000", "#ffffff", "#ffd400", "#ff0000", "#00ff00", "#0000ff", "#00ffff", "#ff00ff", "#808080", "#f6f8f7", "#161c19", "#0b6b4f"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		accents = append(accents, accent.Colour{uint8(random.Uint32()), uint8(random.Uint32()), uint8(random.Uint32())}.String())
	}
	for _, colour := range accents {
		s := makeStylesheet(colour)
		light, dark := propertiesOf(t, string(s.css))
		for name, set := range map[string]map[string]accent.Colour{"light": light, "dark": dark} {
			for _, pair := range [][2]string{
				{"ink", "ground"}, {"ink", "surface"}, {"ink", "red-tint"}, {"ink-soft", "ground"}, {"ink-soft", "surface"}, {"ink-soft", "grey-tint"},
				{"accent", "ground"}, {"accent", "surface"}, {"accent", "accent-tint"}, {"on-accent", "accent"},
				{"red", "surface"}, {"red", "red-tint"},
			} {
				a, okA := set[pair[0]]
				b, okB := set[pair[1]]
				if !okA || !okB {
					t.Fatalf("%s lacks %s or %s", name, pair[0], pair[1])
				}
				if ratio := accent.Contrast(a, b); ratio < accent.MinContrast {
					t.Errorf("accent %q, %s: %s on %s has %.2f:1", colour, name, pair[0], pair[1], ratio)
				}
			}
			// The edge of the panel that warns is seen (WCAG 2.2, 1.4.11).
			if ratio := accent.Contrast(set["amber"], set["ground"]); ratio < 3 {
				t.Errorf("%s: amber on ground has %.2f:1", name, ratio)
			}
		}
		if colour != "" && light["band"].String() != colour {
			t.Errorf("the band is %s instead of %s", light["band"], colour)
		}
		if bright, dim := accent.Own.Light(), accent.Own.Dark(); light["ground"] != bright.Ground || light["surface"] != bright.Surface || dark["ground"] != dim.Ground || dark["surface"] != dim.Surface {
			t.Fatal("the grounds of package accent are not those of passport.css")
		}
	}
}

// TestAccentStays: an accent that can be read is left as it is.
func TestAccentStays(t *testing.T) {
	light, _ := propertiesOf(t, string(makeStylesheet("#1d4ed8").css))
	if light["accent"].String() != "#1d4ed8" {
		t.Errorf("the accent became %s", light["accent"])
	}
}

// TestStylesheet: it refers to nothing, its name is its content's, and a brand's
// accent cannot bring anything but a colour into it.
func TestStylesheet(t *testing.T) {
	r := New()
	own, name := r.Stylesheet(nil)
	for _, accent := range []string{"#ff0000", "red;} body{display:none", "#12345", "#1234567", "#gggggg", "url(https://x.example)"} {
		css, other := r.Stylesheet(&mintage.Brand{AccentColour: accent})
		if strings.Contains(string(css), "url(") || strings.Contains(string(css), "http") || strings.Contains(string(css), "@import") || strings.Contains(string(css), "display:none") && accent[0] == 'r' {
			t.Errorf("%q is in the style sheet", accent)
		}
		if valid := accent == "#ff0000"; valid == (string(css) == string(own)) || valid == (other == name) {
			t.Errorf("%q: the name %s does not follow the content", accent, other)
		}
	}
	if !regexp.MustCompile(`^[0-9a-f]{16}\.css$`).MatchString(name) {
		t.Errorf("its name is %s", name)
	}
	if len(own) > 10_000 {
		t.Errorf("it has %d bytes", len(own))
	}
	for _, m := range regexp.MustCompile(`font-size: ([^;]+);`).FindAllStringSubmatch(passportCSS, -1) {
		if size := m[1]; !slices.Contains([]string{".75rem", ".875rem", "1rem", "1.25rem", "1.75rem", "11pt"}, size) {
			t.Errorf("there is a size of its own: %s", size)
		}
	}
}

func TestLogoName(t *testing.T) {
	for mediaType, want := range map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/svg+xml": "", "text/html": ""} {
		got := LogoName([]byte("logo"), mediaType)
		if _, extension, _ := strings.Cut(got, "."); (got == "") != (want == "") || got != "" && "."+extension != want {
			t.Errorf("%s: %q", mediaType, got)
		}
	}
	if LogoName([]byte("a"), "image/png") == LogoName([]byte("b"), "image/png") {
		t.Error("two logos have one name")
	}
}

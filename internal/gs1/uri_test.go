package gs1_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mintage/internal/gs1"
)

func ExampleIdentity_URL() {
	id := gs1.Identity{
		Base:       "https://id.example.com",
		GTIN:       "09520123456788",
		Lot:        "L/1",
		Serialised: true,
	}
	fmt.Println(id.URL("7KQ2MXV0PT4C"))
	id.Serialised = false
	fmt.Println(id.URL("7KQ2MXV0PT4C"))
	fmt.Println(id.LotURL())
	// Output:
	// https://id.example.com/01/09520123456788/10/L%2F1/21/7KQ2MXV0PT4C
	// https://id.example.com/01/09520123456788/10/L%2F1?u=7KQ2MXV0PT4C
	// https://id.example.com/01/09520123456788/10/L%2F1
}

func TestIdentity(t *testing.T) {
	const base, gtin, product = "https://h.example/p", "09520123456788", "K3M9T0QZ"
	for _, tt := range []struct {
		name             string
		id               gs1.Identity
		value, url, lots string
	}{
		{
			"serial", gs1.Identity{Base: base, GTIN: gtin, ProductCode: product, Serialised: true}, "S1",
			"https://h.example/p/01/09520123456788/21/S1",
			"https://h.example/p/01/09520123456788",
		},
		{
			"serial and lot", gs1.Identity{Base: base, GTIN: gtin, ProductCode: product, Lot: "L1", Serialised: true}, "S1",
			"https://h.example/p/01/09520123456788/10/L1/21/S1",
			"https://h.example/p/01/09520123456788/10/L1",
		},
		{
			"batch", gs1.Identity{Base: base, GTIN: gtin, ProductCode: product}, "C1",
			"https://h.example/p/01/09520123456788?u=C1",
			"https://h.example/p/01/09520123456788",
		},
		{
			"batch and lot", gs1.Identity{Base: base, GTIN: gtin, ProductCode: product, Lot: "L1"}, "C1",
			"https://h.example/p/01/09520123456788/10/L1?u=C1",
			"https://h.example/p/01/09520123456788/10/L1",
		},
		{
			"no GTIN, batch", gs1.Identity{Base: base, ProductCode: product, Lot: "L1"}, "C1",
			"https://h.example/p/u/K3M9T0QZ/C1",
			"https://h.example/p/u/K3M9T0QZ",
		},
		{
			"no GTIN, serial", gs1.Identity{Base: base, ProductCode: product, Serialised: true}, "S1",
			"https://h.example/p/u/K3M9T0QZ/S1",
			"https://h.example/p/u/K3M9T0QZ",
		},
		{
			"escaped", gs1.Identity{Base: base, GTIN: gtin, Lot: "50%?", Serialised: true}, "A/B",
			"https://h.example/p/01/09520123456788/10/50%25%3F/21/A%2FB",
			"https://h.example/p/01/09520123456788/10/50%25%3F",
		},
		{
			"escaped in a query", gs1.Identity{Base: base, GTIN: gtin}, "A&u=B+C",
			"https://h.example/p/01/09520123456788?u=A%26u%3DB%2BC",
			"https://h.example/p/01/09520123456788",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.id.URL(tt.value); got != tt.url {
				t.Errorf("URL = %s, want %s", got, tt.url)
			}
			if got := tt.id.LotURL(); got != tt.lots {
				t.Errorf("LotURL = %s, want %s", got, tt.lots)
			}
		})
	}
}

func TestEscapeSegment(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"7KQ2MXV0PT4C":      "7KQ2MXV0PT4C",
		"A/B":               "A%2FB",
		"ABC%40XYZ":         "ABC%2540XYZ",
		"a-b.c_d~e":         "a-b.c_d~e",
		`!"%&'()*+,/:;<=>?`: "%21%22%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F",
		" ":                 "%20",
		"é":                 "%C3%A9",
		"\xff\x00":          "%FF%00",
	} {
		if got := gs1.EscapeSegment(in); got != want {
			t.Errorf("EscapeSegment(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestEscapeSegmentRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkEscape(t, value82.Draw(t, "value"))
	})
}

func FuzzEscapeSegment(f *testing.F) {
	for _, seed := range []string{"", "A/B", "ABC%40XYZ", charset82, "%", "..", "é\x00\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) { checkEscape(t, s) })
}

// escapedForm is what RFC 3986 leaves of a segment when all but the unreserved
// characters are encoded, in upper case.
var escapedForm = regexp.MustCompile(`^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$`)

func checkEscape(t rapid.TB, s string) {
	t.Helper()
	escaped := gs1.EscapeSegment(s)
	if !escapedForm.MatchString(escaped) {
		t.Errorf("%q became %q", s, escaped)
	}
	if back, err := url.PathUnescape(escaped); err != nil || back != s {
		t.Errorf("%q became %q and, as a path, %q again, %v", s, escaped, back, err)
	}
	if back, err := url.QueryUnescape(escaped); err != nil || back != s {
		t.Errorf("%q became %q and, as a query, %q again, %v", s, escaped, back, err)
	}
}

// Whatever was accepted can be read back from the URL by any URL parser, and
// resolving the URL (which removes dot segments) changes nothing.
func TestURLReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := gs1.Identity{
			Base:        anyBase.Draw(t, "base"),
			ProductCode: rapid.StringMatching(`[0-9A-HJKMNP-TV-Z]{8}`).Draw(t, "product code"),
			Serialised:  rapid.Bool().Draw(t, "serialised"),
		}
		if rapid.Bool().Draw(t, "has GTIN") {
			gtin, err := gs1.ParseGTIN(anyGTIN.Draw(t, "gtin"))
			if err != nil {
				t.Fatal(err)
			}
			id.GTIN = gtin
		}
		if rapid.Bool().Draw(t, "has lot") {
			id.Lot = value82.Draw(t, "lot")
		}
		value := value82.Draw(t, "value")

		var want []string
		var query url.Values
		if id.GTIN == "" {
			want = []string{"u", id.ProductCode, value}
		} else {
			want = []string{"01", string(id.GTIN)}
			if id.Lot != "" {
				want = append(want, "10", id.Lot)
			}
			if id.Serialised {
				want = append(want, "21", value)
			} else {
				query = url.Values{"u": {value}}
			}
		}

		text := id.URL(value)
		if prefix, suffix := id.URLAffixes(); text != prefix+gs1.EscapeSegment(value)+suffix {
			t.Errorf("%s is not made of %s and %s", text, prefix, suffix)
		}
		if len(text) > 246 {
			t.Errorf("%s has %d characters", text, len(text))
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if u.String() != text || new(url.URL).ResolveReference(u).String() != text {
			t.Errorf("%s is normalised to %s and %s", text, u, new(url.URL).ResolveReference(u))
		}
		path, ok := strings.CutPrefix(u.Scheme+"://"+u.Host+u.EscapedPath(), string(id.Base)+"/")
		if !ok {
			t.Fatalf("%s does not begin with its base", text)
		}
		var got []string
		for segment := range strings.SplitSeq(path, "/") {
			segment, err := url.PathUnescape(segment)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, segment)
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%s has segments %q, want %q", text, got, want)
		}
		if u.RawQuery != "" || query != nil {
			if got, err := url.ParseQuery(u.RawQuery); err != nil || fmt.Sprint(got) != fmt.Sprint(query) {
				t.Errorf("%s has query %v, %v; want %v", text, got, err, query)
			}
		}
	})
}

// The longest URL is that of the longest base and values that are all escaped.
// Columns and label layouts rely on the figure.
func TestURLLength(t *testing.T) {
	worst := strings.Repeat("%", gs1.MaxValueLength)
	id := gs1.Identity{Base: gs1.Base(longestBase), GTIN: "09520123456788", Lot: worst, Serialised: true}
	if got := len(id.URL(worst)); got != 246 {
		t.Errorf("the longest URL has %d characters, doc.go says 246", got)
	}
}

// elementString matches what consists of AIs 01, 10 and 21 alone; a caret ends
// a lot before the next AI.
var elementString = regexp.MustCompile(`^\^01(\d{14})(?:10([^^]+)(?:\^|$))?(?:21([^^]+))?$`)

// GS1's own engine reads these URIs as the given element strings; from those
// the same URIs must come out again. The vectors lie beside the project, and
// not everyone has them.
func TestURLOfVectors(t *testing.T) {
	data, err := os.ReadFile("../../../shared/data/digital-link-vectors.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("no vectors beside the project; nothing to check")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct{ URI, Strict string }
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, c := range vectors.Cases {
		parts := elementString.FindStringSubmatch(c.Strict)
		if parts == nil {
			continue
		}
		checked++
		t.Run(c.URI, func(t *testing.T) {
			gtin, err := gs1.ParseGTIN(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			// Some vectors have hosts that no base may have, so the base is taken as it is.
			base, _, _ := strings.Cut(c.URI, "/01/")
			id := gs1.Identity{Base: gs1.Base(base), GTIN: gtin, Lot: parts[2], Serialised: parts[3] != ""}
			got := id.LotURL()
			if id.Serialised {
				got = id.URL(parts[3])
			}
			if got != c.URI {
				t.Errorf("%s came out as %s", c.URI, got)
			}
		})
	}
	if checked == 0 {
		t.Error("no vector consists of AIs 01, 10 and 21 alone")
	}
}

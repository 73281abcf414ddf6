package gs1_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mintage/internal/gs1"
)

func ExampleParseLink() {
	link, err := gs1.ParseLink("HTTPS://ID.Example.com/shop/01/9520123456788/10/L%2F1/21/S1?17=281200&u=x#top")
	fmt.Println(err)
	fmt.Println(link.Prefix, link.GTIN, link.Lot, link.Serial, link.Data, link.Unknown)
	fmt.Println(link.Path())
	fmt.Println(link.ElementString())
	// Output:
	// <nil>
	// /shop 09520123456788 L/1 S1 [{17 281200}] u=x
	// /01/09520123456788/10/L%2F1/21/S1
	// ^010952012345678810L/1^21S1^17281200
}

// What GS1's own engine makes of Digital Links. The vectors lie beside the
// project, and not everyone has them.
func TestParseLinkOfVectors(t *testing.T) {
	data, err := os.ReadFile("../../../shared/data/digital-link-vectors.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("no vectors beside the project; nothing to check")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct{ URI, Strict, Tolerant string }
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Cases) == 0 {
		t.Fatal("no vectors in the file")
	}
	for _, c := range vectors.Cases {
		t.Run(c.URI, func(t *testing.T) {
			if c.Tolerant == "" {
				c.Tolerant = c.Strict
			}
			strict, err := gs1.ParseLinkStrict(c.URI)
			checkElementString(t, "strict", strict, err, c.Strict)
			tolerant, err := gs1.ParseLink(c.URI)
			checkElementString(t, "tolerant", tolerant, err, c.Tolerant)
		})
	}
}

func checkElementString(t *testing.T, mode string, link gs1.Link, err error, want string) {
	t.Helper()
	if want == "reject" {
		refused(t, err)
		return
	}
	if err != nil || link.ElementString() != want {
		t.Errorf("%s: got %+v, %v; want %s", mode, link, err, want)
	}
}

func TestParseLink(t *testing.T) {
	for _, tt := range []struct{ name, uri, prefix, elements, unknown string }{
		{"http", "http://a/01/09520123456788", "", "^0109520123456788", ""},
		{"upper case", "HTTPS://ID.EXAMPLE.COM/01/09520123456788", "", "^0109520123456788", ""},
		{"mixed case", "hTTps://A.b/01/09520123456788", "", "^0109520123456788", ""},
		{"port", "https://a:8443/01/09520123456788", "", "^0109520123456788", ""},
		{"IPv6", "http://[::1]:8080/01/09520123456788", "", "^0109520123456788", ""},
		{"prefix", "https://a/p/v1/01/09520123456788", "/p/v1", "^0109520123456788", ""},
		{"a key in the prefix", "https://a/01/x/01/09520123456788", "/01/x", "^0109520123456788", ""},
		{"an odd prefix", "https://a/x%20y//z/01/09520123456788", "/x%20y//z", "^0109520123456788", ""},
		{"GTIN-8", "https://a/01/96385074", "", "^0100000096385074", ""},
		{"GTIN-12", "https://a/01/036000291452", "", "^0100036000291452", ""},
		{"GTIN-13", "https://a/01/4006381333931", "", "^0104006381333931", ""},
		{"slash at the end", "https://a/01/09520123456788/", "", "^0109520123456788", ""},
		{"slash before the query", "https://a/01/09520123456788/21/x/?u=1", "", "^010952012345678821x", "u=1"},
		{"fragment", "https://a/01/09520123456788?11=200100#/10/x?y", "", "^010952012345678811200100", ""},
		{"all qualifiers", "https://a/01/09520123456788/22/2A/10/L/21/S", "", "^0109520123456788222A^10L^21S", ""},
		{"some qualifiers", "https://a/01/09520123456788/22/2A/21/S", "", "^0109520123456788222A^21S", ""},
		{"values like AIs", "https://a/01/09520123456788/10/01/21/00", "", "^01095201234567881001^2100", ""},
		{"TPX", "https://a/01/09520123456788/235/X?10=L", "", "^0109520123456788235X^10L", ""},
		{"encoded once", "https://a/01/09520123456788/10/%2541%2fB", "", "^010952012345678810%41/B", ""},
		{"plus in the path", "https://a/01/09520123456788/10/A+B", "", "^010952012345678810A+B", ""},
		{"plus in the query", "https://a/01/09520123456788?240=A%2BB", "", "^0109520123456788240A+B", ""},
		{"unknown", "https://a/01/09520123456788?&x=%41+b&&11=200100&y", "", "^010952012345678811200100", "x=%41+b&y"},
		{"only unknown", "https://a/01/09520123456788?u=7KQ2&linkType=gs1:pip", "", "^0109520123456788", "u=7KQ2&linkType=gs1:pip"},
		{"digits without a value", "https://a/01/09520123456788?999&=1", "", "^0109520123456788", "999&=1"},
		{"SSCC", "https://a/00/006141411234567890?02=09520123456788&37=25&10=L", "", "^0000614141123456789002095201234567883725^10L", ""},
		{"GINC", "https://a/401/12345678?99=ABC", "", "^40112345678^99ABC", ""},
		{"GLN", "https://a/414/9520123456788/254/32a%2Fb", "", "^414952012345678825432a/b", ""},
		{"GIAI with a GTIN", "https://a/8004/9520614141234567?01=9520123456788", "", "^80049520614141234567^0109520123456788", ""},
		{"ITIP", "https://a/8006/095201234567880102/10/L", "", "^8006095201234567880102^10L", ""},
		{"GSRN", "https://a/8018/123456789012345675/8019/123", "", "^8018123456789012345675^8019123", ""},
		{"GDTI", "https://a/253/1231231231232TEST5678901234567", "", "^2531231231231232TEST5678901234567", ""},
		{"no GTIN", "https://a/p/u/K3M9T0QZ/7KQ2MXV0PT4C?11=x", "/p", "", "11=x"},
		{"no GTIN, product", "https://a/u/K3M9T0QZ/", "", "", ""},
		{"no GTIN, like compressed data", "https://a/u/ARFRJYDA/ARFRJYDAKAAA", "", "", ""},
		{"a lot u", "https://a/01/09520123456788/10/u/21/K3M9T0QZ", "", "^010952012345678810u^21K3M9T0QZ", ""},
		{"end of the month", "https://a/01/09520123456788?17=240200", "", "^010952012345678817240200", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			link, err := gs1.ParseLink(tt.uri)
			if err != nil {
				t.Fatal(err)
			}
			if link.Prefix != tt.prefix || link.ElementString() != tt.elements || link.Unknown != tt.unknown || link.Compressed {
				t.Errorf("got %+v (%s)", link, link.ElementString())
			}
			if (link.GTIN != "") != (link.Key.AI == "01") || link.GTIN != "" && string(link.GTIN) != link.Key.Value {
				t.Errorf("GTIN = %q beside key %v", link.GTIN, link.Key)
			}
		})
	}
}

func TestParseLinkRefuses(t *testing.T) {
	const gtin = "https://a/01/09520123456788"
	for _, tt := range []struct {
		name, uri, message string
		notLink            bool
	}{
		{"empty", "", "must begin with https://", false},
		{"no scheme", "a/01/09520123456788", "must begin with https://", false},
		{"ftp", "ftp://a/01/09520123456788", "must begin with https://", false},
		{"a long s in the scheme", "http\u017f://a/01/09520123456788", "U+017F", false},
		{"no host", "https:///01/09520123456788", "no host", false},
		{"user name", "https://me@a/01/09520123456788", "characters that no host has", false},
		{"IPv6 zone", "https://[fe80::1%25lo]/01/09520123456788", "characters that no host has", false},
		{"blank", "https://a/01/09520123456788 ", "' ' at position 28", false},
		{"caret", "https://a/01/09520123456788^10", "'^' at position 28", false},
		{"too long", gtin + "?x=" + strings.Repeat("y", gs1.MaxLinkLength), "it may have 8000", false},

		{"host only", "https://a", "no GS1 key", true},
		{"root", "https://a/", "no GS1 key", true},
		{"no key", "https://a/about/us", "no GS1 key", true},
		{"convenience name", "https://a/gtin/09520123456788", "no GS1 key", true},
		{"no product code", "https://a/u/K3M9T0Q/7KQ2MXV0PT4C", "no GS1 key", true},
		{"product code in lower case", "https://a/u/k3m9t0qz", "no GS1 key", true},
		{"after the code", "https://a/u/K3M9T0QZ/7KQ2MXV0PT4C/x", "no GS1 key", true},
		{"code too long", "https://a/u/K3M9T0QZ/" + strings.Repeat("x", 21), "has 21 characters", false},
		{"code not of the set", "https://a/u/K3M9T0QZ/a%20b", "' ' at position 2", false},
		{"code with broken encoding", "https://a/u/K3M9T0QZ/%zz", "percent sign", false},
		{"an attribute alone", "https://a/17/281231", "no GS1 key", true},
		{"key without value", "https://a/01", "no GS1 key", true},
		{"empty value", "https://a/01//09520123456788", "neither a qualifier", false},
		{"qualifier without value", gtin + "/10", "neither a qualifier", false},
		{"qualifier with empty value", gtin + "/10/", "neither a qualifier", false},
		{"two slashes at the end", gtin + "//", "neither a qualifier", false},
		{"foreign segment", gtin + "/reviews", "neither a qualifier", false},
		{"foreign segments", gtin + "/reviews/latest", "does not go on in pairs", false},
		{"foreign after qualifiers", gtin + "/10/L/21/S/x", "neither a qualifier", false},
		{"foreign after qualifiers, two", gtin + "/10/L/21/S/x/y", "does not go on in pairs", false},
		{"no AI", gtin + "/89/ABC123", "does not go on in pairs", false},
		{"compressed after qualifiers", gtin + "/10/L/EEarwSM", "neither a qualifier", false},

		{"order", gtin + "/21/S/10/L", "AI 10 where none of the qualifiers of AI 01", false},
		{"order of 22", gtin + "/10/L/22/V", "AI 22 where none", false},
		{"twice in the path", gtin + "/10/L/10/M", "AI 10 where none", false},
		{"mixed alternatives", gtin + "/10/L/235/X", "AI 235 where none", false},
		{"data in the path", gtin + "/17/281231", "AI 17 where none", false},
		{"another key's qualifier", gtin + "/254/X", "AI 254 where none", false},

		{"check digit", "https://a/01/09520123456789", "check digit 9", false},
		{"all zeros", "https://a/01/00000000000000", "all zeros", false},
		{"11 digits", "https://a/01/12345678901", "11 digits", false},
		{"empty after decoding", gtin + "?10=", "has 0 characters", false},
		{"long lot", gtin + "/10/" + strings.Repeat("x", 21), "has 21 characters; it may have 1 to 20", false},
		{"NUL", gtin + "/10/A%00", `'\x00' at position 2`, false},
		{"group separator", gtin + "/10/A%1DB", `'\x1d' at position 2`, false},
		{"umlaut", gtin + "/10/%C3%84", "U+00C4", false},
		{"not UTF-8", gtin + "/10/%FF", "byte 0xFF", false},
		{"broken encoding", gtin + "/10/A%4", "percent sign", false},
		{"broken encoding, not hexadecimal", gtin + "/10/A%4G", "percent sign", false},
		{"dot segment", "https://a/x/../01/09520123456788", `".."`, false},
		{"dot as a lot", gtin + "/10/.", `"."`, false},
		{"dot as a lot, encoded", gtin + "/10/%2E/21/S", `AI 10 is "."`, false},

		{"unknown AI", gtin + "?999=faux", "3 digits", false},
		{"digits of any length", gtin + "?123456789=x", "9 digits", false},
		{"qualifier in the query", gtin + "?10=L", "belongs in the path", false},
		{"qualifier in the query beside another", gtin + "/21/S?10=L", "belongs in the path", false},
		{"serial in the query", "https://a/00/006141411234567890?21=S", "cannot be a data attribute", false},
		{"no attribute", gtin + "?8200=x", "cannot be a data attribute", false},
		{"twice", gtin + "?99=A&99=A", "AI 99 is there twice", false},
		{"key again", gtin + "?01=09520123456788", "AI 01 is there twice", false},
		{"path again", gtin + "/10/L?10=L", "AI 10 is there twice", false},
		{"space by plus", gtin + "?98=XYZ+987", "' ' at position 4", false},
		{"month 13", gtin + "?17=281301", "month", false},
		{"30 February", gtin + "?17=280230", "day", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			link, err := gs1.ParseLink(tt.uri)
			refused(t, err, tt.message)
			if !reflect.DeepEqual(link, gs1.Link{}) {
				t.Errorf("refused, yet returned %+v", link)
			}
			if errors.Is(err, gs1.ErrNotLink) != tt.notLink {
				t.Errorf("is ErrNotLink = %t", !tt.notLink)
			}
		})
	}
}

func TestParseLinkStrict(t *testing.T) {
	for _, uri := range []string{
		"https://a/01/9520123456788", "https://a/01/96385074", "https://a/01/09520123456788/",
		"https://a/8004/9520614141234567?01=9520123456788",
	} {
		if _, err := gs1.ParseLink(uri); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
		_, err := gs1.ParseLinkStrict(uri)
		refused(t, err)
	}
	for _, target := range [][2]string{{"/01/09520123456788?a", ""}, {"/01/09520123456788#a", ""}, {"/01/09520123456788", "a#b"}} {
		_, err := gs1.ParseTarget(target[0], target[1])
		refused(t, err, "percent-encoded")
	}
}

func TestLinkParameter(t *testing.T) {
	link, err := gs1.ParseTarget("/01/09520123456788", "u=A%20B+C&link%54ype=gs1%3Apip&x&u=2&bad=%4")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"u": "A B C", "linkType": "gs1:pip", "x": ""} {
		if got, ok := link.Parameter(name); !ok || got != want {
			t.Errorf("%s = %q, %t; want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{"bad", "U", "linktype", ""} {
		if got, ok := link.Parameter(name); ok {
			t.Errorf("%s = %q", name, got)
		}
	}
}

func TestParseDate(t *testing.T) {
	today := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]string{
		"281231": "2028-12-31", "281200": "2028-12-31", "240200": "2024-02-29", "270200": "2027-02-28",
		"770101": "2077-01-01", "780101": "1978-01-01", "000229": "2000-02-29",
	} {
		if got, err := gs1.ParseDate(value, today); err != nil || got.Format(time.DateOnly) != want {
			t.Errorf("%s = %s, %v; want %s", value, got, err, want)
		}
	}
	for _, value := range []string{"", "28123", "2812310", "281301", "280001", "270229", "28123x", "+28123"} {
		_, err := gs1.ParseDate(value, today)
		refused(t, err)
	}
	if _, err := gs1.ParseDate("000229", time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("2100 has no 29 February")
	}
	if got, err := gs1.ParseDate("490101", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil || got.Year() != 2149 {
		t.Errorf("got %s, %v; want 2149", got, err)
	}
}

// drawn is an identity that internal/gs1 can build a URL of, with the value of
// one of its units.
type drawn struct {
	id    gs1.Identity
	value string
}

var anyIdentity = rapid.Custom(func(t *rapid.T) drawn {
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
	return drawn{id, value82.Draw(t, "value")}
})

// parse(build(x)) = x, for all that mintage prints: units, lots and products.
func TestParseLinkReadsWhatIsBuilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyIdentity.Draw(t, "identity")
		var lot gs1.Link
		_, afterScheme, _ := strings.Cut(string(d.id.Base), "://")
		if _, prefix, ok := strings.Cut(afterScheme, "/"); ok {
			lot.Prefix = "/" + prefix
		}
		unit := lot
		if d.id.GTIN == "" {
			lot.ProductCode = d.id.ProductCode
			unit.ProductCode, unit.Code = d.id.ProductCode, d.value
		} else {
			lot.Key, lot.GTIN, lot.Lot = gs1.Element{AI: "01", Value: string(d.id.GTIN)}, d.id.GTIN, d.id.Lot
			unit = lot
			if d.id.Serialised {
				unit.Serial = d.value
			} else {
				unit.Unknown = "u=" + gs1.EscapeSegment(d.value)
			}
		}
		for uri, want := range map[string]gs1.Link{d.id.URL(d.value): unit, d.id.LotURL(): lot} {
			link, err := gs1.ParseLinkStrict(uri)
			if err != nil {
				t.Fatalf("%s: %v", uri, err)
			}
			if !reflect.DeepEqual(link, want) {
				t.Errorf("%s: got %+v, want %+v", uri, link, want)
			}
			if !strings.HasPrefix(uri, string(d.id.Base)+link.Path()) {
				t.Errorf("%s: its path came out as %s", uri, link.Path())
			}
			if got, ok := link.Parameter("u"); ok != (want.Unknown != "") || ok && got != d.value {
				t.Errorf("%s: u = %q, %t; want %q", uri, got, ok, d.value)
			}
		}
	})
}

// ambiguous finds segments that no base may have: what reads as a key, and "u".
var ambiguous = regexp.MustCompile(`/([0-9]{2,4}|u)(/|$)`)

// checkCanonical reads a link's canonical and compressed forms back.
func checkCanonical(t testing.TB, link gs1.Link) {
	t.Helper()
	compressed := link.CompressedPath()
	link.Compressed = false
	again, err := gs1.ParseTarget(link.Prefix+link.Path(), link.Query())
	if err != nil || !reflect.DeepEqual(again, link) {
		t.Fatalf("%+v became %s?%s, which reads as %+v, %v", link, link.Path(), link.Query(), again, err)
	}
	link.Compressed = link.Key.AI != ""
	if len(compressed) > 1000 || ambiguous.MatchString(link.Prefix) {
		return // longer than is read, which takes many data attributes, or behind what no base may have
	}
	again, err = gs1.ParseTarget(link.Prefix+compressed, link.Unknown)
	sortData(&link)
	sortData(&again)
	if err != nil || !reflect.DeepEqual(again, link) {
		t.Fatalf("%+v became %s, which reads as %+v, %v", link, compressed, again, err)
	}
}

// sortData puts data attributes into an order of their own: compression may
// change it.
func sortData(link *gs1.Link) {
	link.Data = slices.SortedFunc(slices.Values(link.Data), func(a, b gs1.Element) int { return strings.Compare(a.AI, b.AI) })
}

func FuzzParseLink(f *testing.F) {
	for _, seed := range []string{
		"", "https://id.example.com/01/09520123456788/10/L%2F1/21/7KQ2MXV0PT4C", "HTTPS://A/01/9520123456788?u=7KQ2MXV0PT4C",
		"http://[::1]:8080/p/01/96385074/22/2A/10/L/21/S/?17=281200&3103=000195&3922=0299&x=%2541#f", "https://a/01/09520123456788/235/X?10=L",
		"https://a/p/u/K3M9T0QZ/7KQ2MXV0PT4C?11=x", "https://a/u/K3M9T0QZ", "https://a/00/006141411234567890?02=09520123456788&37=25", "https://a/414/9520123456788/254/32a%2Fb", "https://a/8018/123456789012345675/8019/123",
		"https://a/253/1231231231232TEST", "https://a/255/5678409730535?3900=0001&3940=0010", "https://a/8003/04965031954585", "https://a/8004/9520614/7040/5KFX",
		"https://a/8013/1987654Ad4X4bL5ttr2310c2K", "https://a/8010/95201234ABC?8030=AB12-_", "https://a/AQnYUc1gmiCNV4JGQhcNT6K6cibQCWN9Pee9tT-PQ?x=1",
		"https://a/01/05412345000013/EEarwSMhC4an0V05E2gEsb6e897an8eg", "https://a/01/09520123456788?7003=2812312359&7007=281201281202&8008=2812311200",
		"https://a/01/09520123456788?423=276250&4309=02790858480120312345&4330=000123-&7258=1/2&8001=00010000200319", "https://a/01/../01//10/.",
		"http://0/00/8004/0000",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		link, err := gs1.ParseLink(uri)
		if err != nil {
			refused(t, err)
			if _, err := gs1.ParseLinkStrict(uri); err == nil {
				t.Errorf("%q passes only strictly", uri)
			}
			return
		}
		checkCanonical(t, link)
	})
}

// The three forms that mintage prints, for the allocations and the time of a scan.
func BenchmarkParseLink(b *testing.B) {
	for name, uri := range map[string]string{
		"serial": "https://id.example.com/01/09520123456788/10/PB-7731-A/21/7KQ2MXV0PT4C",
		"batch":  "https://id.example.com/01/09520123456788/10/PB-7731-A?u=7KQ2MXV0PT4C",
		"data":   "https://id.example.com/01/09520123456788/10/PB-7731-A/21/7KQ2MXV0PT4C?17=281200&11=271201",
		"packed": "https://id.example.com/AQnYUc1gmiCNV4JGQhcNT6K6c",
		"u":      "https://id.example.com/u/K3M9T0QZ/7KQ2MXV0PT4C",
		"other":  "https://id.example.com/favicon",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = gs1.ParseLink(uri)
			}
		})
	}
}

func TestUnitCode(t *testing.T) {
	for uri, want := range map[string]string{
		"https://id.example/01/09520123456788/10/A/21/S1?u=C1": "S1",
		"https://id.example/01/09520123456788/10/A?u=C1":       "C1",
		"https://id.example/01/09520123456788/10/A":            "",
		"https://id.example/u/7Q2K9M4X/C1?u=C2":                "C1",
		"https://id.example/u/7Q2K9M4X":                        "",
	} {
		link, err := gs1.ParseLink(uri)
		if err != nil || link.UnitCode() != want {
			t.Errorf("%s: %q, %v", uri, link.UnitCode(), err)
		}
	}
}

package gs1_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mintage/internal/gs1"
)

// Compressed as GS1's reference implementation of the algorithm does it, with the
// codes for frequent sequences and without.
var compressedLinks = []struct{ target, full, plain string }{
	{"/01/09520123456788", "ARFRJydaKA", "ARFRJydaKA"},
	{"/01/09520123456788/22/2A", "ChFRJydaKIRU", "ARFRJydaKESEVA"},
	{"/01/09520123456788/21/4711", "DBFRJydaKAiTO", "ARFRJydaKEIIkzg"},
	{"/01/09520123456788/10/PB-7731_A/21/7KQ2MXV0PT4C", "CxFRJydaKNJ4P3fe-v4BC2dlIbGLq6Hp8BA", "ARFRJydaKCDSeD933vr-AQtnZSGxi6uh6fAQ"},
	{"/01/09520123456788/10/L%2F1/21/abc123def?17=281231", "GhFRJydaKQcxexKavBI970So8", "ARFRJydaKCEHMXsRdEqPISmrwSPe8"},
	{"/01/09520123456788/10/L%2F1/21/DEADBEEF?17=281200", "GhFRJydaKQcxexSN6tvu9Epw", "ARFRJydaKCEHMXsRdEpwIUjerb7v"},
	{"/01/09520123456788/10/x?15=281231", "HxFRJydaKMOKJUe", "ARFRJydaKCDDiKolR4"},
	{"/01/09520123456788?91=hello", "HhFRJydaKMLC9LLQ", "ARFRJydaKSLCwvSy0A"},
	{"/01/09520123456788?7003=2812312359", "DhFRJydaKFPQPZO", "ARFRJydaKOAGU9A9k4"},
	{"/01/09520123456788?17=201225&3103=000195&3922=299", "LRFRJydaKAAYYuYkEnJEaVg", "ARFRJydaKC5iQSYgYAGGckRpW"},
	{"/01/09520123456788?240=A_B&423=276250", "ARFRJydaKEgMYH4KEaKGfQ", "ARFRJydaKEgMYH4KEaKGfQ"},
	{"/01/09520123456788?7007=281201281202&8008=2812311200", "ARFRJydaKOAOiU45EpygAg1o_0IA", "ARFRJydaKOAOiU45EpygAg1o_0IA"},
	{"/01/09520123456788?8005=000199&8008=28123112", "ARFRJydaKQAKABjwAQa0f6A", "ARFRJydaKQAKABjwAQa0f6A"},
	{"/00/006141411234567890", "AAFdGUuw5W0g", "AAFdGUuw5W0g"},
	{"/253/1231231231232TEST5678901234567", "JTEeqxmlAHFMRJPnrvz3TXbfjnrs", "JTEeqxmlAHFMRJPnrvz3TXbfjnrs"},
	{"/253/1231231231232", "JTEeqxmlAIA", "JTEeqxmlAIA"},
	{"/255/5678409730535?3900=15", "wFKhuYSecBDw", "JVUqG5hJ5wHIAQ8"},
	{"/401/12345678?99=ABC", "QBCBeMKdMoHV4", "QBCBeMKdMoHV4"},
	{"/402/21173492661712079", "QCJZyW9mC6Z4", "QCJZyW9mC6Z4"},
	{"/8003/04965031954585AB12", "gAMJCAXukTKJViQ", "gAMJCAXukTKJViQ"},
	{"/8004/9520614141234567", "gAQQh0vK37o2H", "gAQQh0vK37o2H"},
	{"/8010/95201234ABC/8011/4711", "mkuVIBI0q8RJn", "gBBLlSASNKvIARRJn"},
	{"/8017/817019610850151481/8019/4003812", "m7VqMB30BMOXPRfk", "gBe1ajAd9ATDmAGXPRfk"},
	{"/8018/411369833821910265/8019/4003812", "nFtXqvMEQ0-XPRfk", "gBhbV6rzBENPmAGXPRfk"},
}

func TestCompressed(t *testing.T) {
	for _, tt := range compressedLinks {
		t.Run(tt.target, func(t *testing.T) {
			path, query, _ := strings.Cut(tt.target, "?")
			link, err := gs1.ParseTarget(path, query)
			if err != nil {
				t.Fatal(err)
			}
			if got := link.CompressedPath(); got != "/"+tt.full {
				t.Errorf("compressed to %s, want /%s", got, tt.full)
			}
			for _, segment := range []string{tt.full, tt.plain} {
				got, err := gs1.ParseLink("https://a/p/" + segment + "/?x=y")
				if err != nil || !got.Compressed || got.Prefix != "/p" || got.Unknown != "x=y" {
					t.Fatalf("%s: %+v, %v", segment, got, err)
				}
				sortData(&got)
				if got.Path() != path || got.ElementString() != link.ElementString() {
					t.Errorf("%s was read as %s, want %s", segment, got.ElementString(), link.ElementString())
				}
			}
		})
	}
}

func TestDecompress(t *testing.T) {
	for _, tt := range []struct{ name, path, query, elements, unknown string }{
		{"after the key", "/01/09520123456788/EEarwSM", "", "^010952012345678810ABC123", ""},
		{"after a short key", "/p/01/9520123456788/EEarwSM", "11=200100", "^010952012345678810ABC123^11200100", ""},
		{"any order", "/01/09520123456788/IQuGp9FdORNoBLG-nvPe2p_Ho", "", "^010952012345678822AJY3095721P49^2172292641703", ""},
		{"key not first", "/EGEuABhUjkEuJjdpg", "", "^8006095201234567880102^10L", ""},
		{"with parameters that are no AIs", "/DBFRJydaKMSWviJYp5E8qXmDall8FJqASrwN0B4UGI", "v=1", "^010952012345678821S1", "linkType=all&k1=42&u=a%20b&v=1"},
		{"filled to a byte", "/ARFRJydaKAA", "", "^0109520123456788", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			link, err := gs1.ParseTarget(tt.path, tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if !link.Compressed || link.ElementString() != tt.elements || link.Unknown != tt.unknown {
				t.Errorf("got %+v (%s)", link, link.ElementString())
			}
		})
	}
}

func TestDecompressRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		notLink    bool
	}{
		{"cut off", "/ARFRJyda", true},
		{"nothing", "/A", true},
		{"unused header", "/BRFRJydaKA", true},
		{"unused sequence", "/uRFRJydaKA", true},
		{"too much filling", "/ARFRJydaKAAA", true},
		{"filling that is not zero", "/ARFRJydaKB", true},
		{"not base64", "/ARFRJydaK.", true},
		{"no key", "/EEarwSM", true},
		{"longest", "/" + strings.Repeat("A", 1001), true},
		{"check digit", "/ARFRJydaKg", false},
		{"AI twice", "/01/09520123456788/EEarwSMQRqvBIw", false},
		{"key twice", "/01/09520123456788/ARFRJydaKA", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := gs1.ParseTarget(tt.path, "")
			refused(t, err)
			if errors.Is(err, gs1.ErrNotLink) != tt.notLink {
				t.Errorf("%v: is ErrNotLink = %t", err, !tt.notLink)
			}
		})
	}
}

// Every identity with a GTIN survives compression.
func TestCompressionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyIdentity.Filter(func(d drawn) bool { return d.id.GTIN != "" }).Draw(t, "identity")
		link, err := gs1.ParseLink(d.id.URL(d.value))
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "has CPV") {
			link.CPV = value82.Draw(t, "CPV")
		}
		for _, e := range []gs1.Element{
			{AI: "17", Value: "281200"}, {AI: "3103", Value: "000195"}, {AI: "3922", Value: "0299"}, {AI: "423", Value: "276250"},
			{AI: "99", Value: value82.Draw(t, "internal")}, {AI: "8030", Value: "AB12-_"},
		} {
			if rapid.Bool().Draw(t, e.AI) {
				link.Data = append(link.Data, e)
			}
		}
		compressed := link.CompressedPath()
		got, err := gs1.ParseTarget(link.Prefix+compressed, link.Unknown)
		sortData(&got)
		sortData(&link)
		if err != nil || got.Prefix != link.Prefix || got.ElementString() != link.ElementString() || got.Unknown != link.Unknown {
			t.Fatalf("%s was read as %+v, %v; want %+v", compressed, got, err, link)
		}
	})
}

func FuzzDecompress(f *testing.F) {
	for _, tt := range compressedLinks {
		f.Add(tt.full)
		f.Add(tt.plain)
	}
	f.Add("DBFRJydaKMSWviJYp5E8qXmDall8FJqASrwN0B4UGI")
	f.Add("01/09520123456788/EEarwSMhC4an0V05E2gEsb6e897an8eg")
	f.Fuzz(func(t *testing.T, segments string) {
		link, err := gs1.ParseTarget("/"+segments, "")
		if err != nil {
			refused(t, err)
			return
		}
		// What was compressed is at most this much longer uncompressed.
		if length := len(link.Path() + link.Query()); length > 4*len(segments)+64 {
			t.Errorf("%q became %d characters", segments, length)
		}
		checkCanonical(t, link)
	})
}

package store_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"mintage"
	"mintage/internal/store"
)

func TestProductWords(t *testing.T) {
	for name, test := range map[string]struct {
		product mintage.Product
		want    string
	}{
		"all":             {mintage.Product{SKU: "FL-BIKE-36V14", Name: "Commuter pack 36 V, 17.5 Ah", GTIN: "09520123456788"}, "09520123456788 17 36 36v14 5 9520123456788 ah bike commuter fl pack v"},
		"zeros of a GTIN": {mintage.Product{SKU: "a", Name: "a", GTIN: "00012345678905"}, "00012345678905 0012345678905 012345678905 12345678905 a"},
		"accents":         {mintage.Product{SKU: "x", Name: "Größe Ærø Łódź ÉCLAIR i\u0307 ﬁn ½"}, "1 2 aero eclair fin grosse i lodz x"},
		"other scripts":   {mintage.Product{SKU: "日本-1", Name: "Куртка हिंदी"}, "1 куртка हिदी 日本"},
		"nothing":         {mintage.Product{SKU: "--", Name: "…"}, ""},
		"broken":          {mintage.Product{SKU: "a\xffb", Name: "c\x00d"}, "a b c d"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(store.ProductWords(&test.product), " "); got != test.want {
				t.Errorf("%q instead of %q", got, test.want)
			}
		})
	}
}

func TestWordsAreBounded(t *testing.T) {
	long := strings.Repeat("ж", 300)
	for _, p := range []*mintage.Product{
		{SKU: long[:200], Name: long, GTIN: strings.Repeat("0", 14)},
		{SKU: strings.Repeat("a b ", 25), Name: strings.Repeat("ﷺ x1 y2 ", 40)},
		{SKU: "s", Name: strings.Join(numbered(300), " ")},
	} {
		words := store.ProductWords(p)
		if len(words) == 0 || len(words) > 100 || !slices.IsSorted(words) {
			t.Errorf("%d words", len(words))
		}
		for _, w := range words {
			if len(w) > 64 || !utf8.ValidString(w) || w+store.WordEnd <= w+"\U0010FFFD" {
				t.Errorf("the word %q", w)
			}
		}
	}
	if got := store.SearchWords(long); len(got) != 1 || got[0] != strings.Repeat("ж", 32) {
		t.Errorf("a long word is searched as %q", got)
	}
	if got := store.SearchWords(strings.Join(numbered(50), "-")); len(got) != 8 {
		t.Errorf("%d words are searched", len(got))
	}
	if got := store.SearchWords(" B a b-A "); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("words said twice are searched as %q", got)
	}
}

func numbered(n int) []string {
	var words []string
	for i := range n {
		words = append(words, "w"+strings.Repeat("i", i%60)+string(rune('a'+i%26)))
	}
	return words
}

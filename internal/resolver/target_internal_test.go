package resolver

import (
	"testing"

	"mintage"
)

func TestLocation(t *testing.T) {
	v := &values{gtin: "09520123456788", lot: "L%2F1", serial: "7KQ2MXV0PT4C", code: "7KQ2MXV0PT4C", unitID: "K7QM2X9T-7KQ2MXV0PT4C"}
	for _, tc := range []struct {
		href, query, want string
		level             level
	}{
		{"https://a.example", "", "https://a.example", levelProduct},
		{"https://a.example/x", "a=1&b", "https://a.example/x?a=1&b", levelProduct},
		{"https://a.example/x?y=z", "a=1", "https://a.example/x?y=z&a=1", levelProduct},
		{"https://a.example/x?", "a=1", "https://a.example/x?a=1", levelProduct},
		{"https://a.example/x?y=z&", "a=1", "https://a.example/x?y=z&a=1", levelProduct},
		{"https://a.example/x#part", "a=1", "https://a.example/x?a=1#part", levelProduct},
		{"https://a.example/{gtin}?y={lot}#{serial}", "a=1", "https://a.example/09520123456788?y=L%2F1&a=1#7KQ2MXV0PT4C", levelUnit},
		{"https://a.example/#?", "a=1", "https://a.example/?a=1#?", levelProduct},
		{"https://a.example/{lot}{lot}", "", "https://a.example/L%2F1L%2F1", levelLot},
		{"https://a.example/{code}/{unit_id}/", "", "https://a.example/7KQ2MXV0PT4C/K7QM2X9T-7KQ2MXV0PT4C/", levelUnit},
	} {
		var c card
		c.setLinks([]mintage.Link{{Type: "gs1:pip", Href: tc.href, Default: true}})
		if got := c.first.location(v, tc.query); got != tc.want {
			t.Errorf("%s with %q is %s, want %s", tc.href, tc.query, got, tc.want)
		}
		if c.first.level != tc.level || !c.alone {
			t.Errorf("%s is of level %d, alone %t", tc.href, c.first.level, c.alone)
		}
	}
}

func TestChoose(t *testing.T) {
	link := func(href, language, mediaType, context string, isDefault bool) mintage.Link {
		return mintage.Link{Type: "gs1:pip", Href: href, Language: language, MediaType: mediaType, Context: context, Default: isDefault}
	}
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	var c card
	c.setLinks([]mintage.Link{
		link("en", "en", "text/html", "", false), link("de", "de", "text/html", "", true), link("ch", "de-CH", "text/html", "", false),
		link("data", "fr", "application/json", "", false), link("us", "en", "text/html", "US", false),
	})
	if c.alone {
		t.Error("five links of a type are one")
	}
	for _, tc := range []struct{ accept, language, context, want string }{
		{browser, "en-GB,en;q=0.9", "", "en"},
		{browser, "en;q=0.3,de;q=0.9", "", "de"},
		{browser, "de-CH", "", "ch"},
		{browser, "fr", "", "de"}, // a miss is the default, and never data for a browser
		{browser, "", "", "de"},
		{"", "", "", "de"},
		{"*/*", "fr", "", "de"}, // who says nothing is taken for a browser
		{"application/json", "en", "", "data"},
		{browser, "en", "US", "us"},
		{browser, "en", "CA", "en"},
		{"image/png", "xx", "", "de"},
	} {
		got := choose(c.targets, preferences{parseRanges(tc.accept), parseRanges(tc.language), tc.context})
		if len(got) != 1 || got[0].Href != tc.want {
			t.Errorf("%q, %q, %q: %d links, %s; want %s", tc.accept, tc.language, tc.context, len(got), got[0].Href, tc.want)
		}
	}

	c.setLinks([]mintage.Link{link("1", "", "", "", false), link("2", "", "", "", false), link("3", "de", "", "", false)})
	if got := choose(c.targets, preferences{language: parseRanges("fr")}); len(got) != 2 || got[0].Href != "1" || got[1].Href != "2" {
		t.Errorf("of two that differ in nothing: %v", got)
	}
	if got := choose(c.targets, preferences{language: parseRanges("de")}); len(got) != 1 || got[0].Href != "3" {
		t.Errorf("of three, one in the language: %v", got)
	}
	if got := choose(nil, preferences{}); got != nil {
		t.Errorf("of none: %v", got)
	}
}

func TestParsePage(t *testing.T) {
	const product, code = "K7QM2X9T", "7KQ2MXV0PT4C"
	for path, want := range map[string]pageAddress{
		"_/abc.css":                        {file: "abc.css"},
		product:                            {product: product},
		product + "/":                      {product: product},
		product + "/" + code:               {product: product, code: code},
		product + "/" + code + "/":         {product: product, code: code},
		product + "/" + code + "/activate": {product: product, code: code, activate: true},
		product + "/lot/A%2FB":             {product: product, lot: "A/B"},
		product + "/lot/activate":          {product: product, lot: "activate"},
		product + "/brought":               {product: product, code: "brought"},
	} {
		if got, ok := parsePage(path); !ok || got != want {
			t.Errorf("%s: %+v, %t", path, got, ok)
		}
	}
	for _, path := range []string{
		"", "01/09520123456788", "k7qm2x9t", product + "X", product + "/a/b", product + "/lot/a/b", product + "/lot/%zz",
		product + "//activate", product + "/" + code + "/activate/x",
	} {
		if got, ok := parsePage(path); ok {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

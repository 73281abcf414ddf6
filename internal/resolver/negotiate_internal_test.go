package resolver

import "testing"

func TestNegotiate(t *testing.T) {
	for accept, want := range map[string]form{
		"":    formPage,
		"*/*": formPage,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": formPage, // browsers
		"image/avif,image/webp,*/*":                             formPage,
		"image/png":                                             formPage, // nothing of it can be had
		"text/html;q=0.5, application/json;q=0":                 formPage,
		"application/json":                                      formJSON,
		"Application/JSON; charset=utf-8":                       formJSON,
		"application/json, text/plain, */*":                     formJSON, // named, not only allowed
		"application/json, text/html":                           formPage, // liked equally
		"application/json, text/html;q=0.9":                     formJSON,
		"text/html;q=0.4, application/ld+json ;\tq=0.5":         formJSONLD,
		"application/ld+json, application/json":                 formJSONLD,
		"application/ld+json;q=0.9, application/json":           formJSON,
		"application/linkset+json":                              formLinkset,
		"application/linkset+json, application/json;q=0.5":      formLinkset,
		"application/*":                                         formPage, // as xhtml
		"application/*, application/xhtml+xml;q=0":              formJSONLD,
		"application/json;q=2, text/html;q=x, */*;q=0.00001":    formPage, // malformed weights are none
		"application/json;q=0.0":                                formPage,
		";,;q=1,,":                                              formPage,
		"application/json;profile=\"a\";q=0.3, text/html;q=0.2": formJSON,
	} {
		if got := negotiate(&headerList{text: accept}); got != want {
			t.Errorf("%q: form %d, want %d", accept, got, want)
		}
	}
}

func TestSpeaks(t *testing.T) {
	for _, tc := range []struct {
		accept, likes, over string // "" is a language that nobody asked for
	}{
		{"de", "de", "en"},
		{"de-AT", "de", "en"},
		{"de", "de-CH", "en"},
		{"de-CH,de;q=0.9", "de-CH", "de"},
		{"de;q=0.2, en;q=0.8", "en", "de"},
		{"DE", "de", "en"},
		{"fr, *;q=0.1", "fr", "de"},
		{"en;q=0, *;q=0.5", "de", "en"},
		{"deu", "deu", "de"},
	} {
		if a, b := parseRanges(tc.accept).speaks(tc.likes), parseRanges(tc.accept).speaks(tc.over); a <= b {
			t.Errorf("%q: %s %d, %s %d", tc.accept, tc.likes, a, tc.over, b)
		}
	}
	for _, accept := range []string{"fr", "fr-CH, en-US;q=0.5", "de;q=0", "d", "de-", ""} {
		if got := parseRanges(accept).speaks("de"); got != 0 {
			t.Errorf("%q likes German: %d", accept, got)
		}
	}
}

func TestThousandths(t *testing.T) {
	for s, want := range map[string]int{
		"1": 1000, "1.0": 1000, "0": 0, "0.5": 500, "0.25": 250, "0.125": 125, "0.001": 1, "1.5": 1000,
		"": 0, ".5": 0, "0.1234": 0, "2": 0, "-1": 0, "0.x": 0, "0.": 0, "1.": 1000, "NaN": 0,
	} {
		if got := thousandths(s); got != want {
			t.Errorf("%q is %d, want %d", s, got, want)
		}
	}
}

// No header makes the reader fail, and what it likes is between nothing and all.
func FuzzNegotiate(f *testing.F) {
	for _, accept := range []string{"", "*/*", "text/html;q=0.5,application/json", "a/*;q=1.000;q", ";=;,,q=", "de-CH;q=.5"} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if got := negotiate(&headerList{text: accept}); got < formPage || got > formLinkset {
			t.Errorf("form %d", got)
		}
		for _, n := range []int{parseRanges(accept).acceptable("text/html"), parseRanges(accept).speaks("de")} {
			if n < 0 || n > 4*1000+3 {
				t.Errorf("%d", n)
			}
		}
	})
}

package mintage_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mintage"
)

func TestValidateLinks(t *testing.T) {
	good := mintage.Link{Type: "gs1:pip", Href: "https://www.example.com/{gtin}/{lot}?s={serial}&u={unit_id}#{code}", Title: "Product", Language: "de-CH", MediaType: "text/html", Context: "CH", Default: true}
	other := mintage.Link{Type: "gs1:epil", Href: "https://www.example.com/", Title: "Leaflet"}
	validType := func(s string) error {
		if !strings.HasPrefix(s, "gs1:") {
			return errors.New("no")
		}
		return nil
	}
	check := func(want string, links ...mintage.Link) {
		t.Helper()
		var fields []string
		for _, f := range mintage.ValidateLinks(links, validType) {
			fields = append(fields, f.Field)
			if f.Code != mintage.CodeInvalidInput || f.Message == "" {
				t.Errorf("%+v", f)
			}
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%+v: faults at %q, want %q", links, got, want)
		}
	}
	with := func(change func(*mintage.Link)) mintage.Link { l := good; change(&l); return l }
	check("")
	check("", good, other)
	check("/links", other)
	check("/links", good, with(func(l *mintage.Link) { l.Language = "fr" }))
	check("/links/1/href", good, with(func(l *mintage.Link) { l.Default, l.Title = false, "Again" }))
	check("/links", slices.Repeat([]mintage.Link{good}, mintage.MaxLinks+1)...)
	check("/links/0/link_type", with(func(l *mintage.Link) { l.Type = "pip" }))
	for _, href := range []string{
		"", "www.example.com", "/path", "http://www.example.com/", "ftp://www.example.com/", "javascript:alert(1)", "https:www.example.com", "https:///x",
		"https://user@www.example.com/", "https://user:pw@www.example.com/", "https://{gtin}.example.com/", "https://www.example.com:{lot}/", "https://www.example.com{lot}",
		"https://www.example.com/{GTIN}", "https://www.example.com/{", "https://www.example.com/a b", "https://www.example.com/ü", "https://www.example.com/\r\nx",
		"https://www.example.com/<x>", "https://www.example.com/%zz", "http://localhost.example.com/", "https://" + strings.Repeat("x", mintage.MaxHref),
	} {
		check("/links/0/href", with(func(l *mintage.Link) { l.Href = href }))
	}
	for _, href := range []string{"http://localhost/{gtin}", "http://127.0.0.1:8080/x", "http://[::1]/x", "https://www.example.com?x={serial}", "HTTPS://www.example.com/"} {
		check("", with(func(l *mintage.Link) { l.Href = href }))
	}
	for _, title := range []string{"", " x", "a\nb", "\xff", strings.Repeat("x", 201)} {
		check("/links/0/title", with(func(l *mintage.Link) { l.Title = title }))
	}
	for _, language := range []string{"deu", "DE", "de-ch", "de-CH-1996", "d"} {
		check("/links/0/language", with(func(l *mintage.Link) { l.Language = language }))
	}
	for _, media := range []string{"text", "text/", "text/html; charset=utf-8", "TEXT/HTML", "a b/c"} {
		check("/links/0/media_type", with(func(l *mintage.Link) { l.MediaType = media }))
	}
	check("/links/0/context", with(func(l *mintage.Link) { l.Context = "a\tb" }))
}

func TestSuspicious(t *testing.T) {
	if mintage.Suspicious(mintage.SignalNetworks) || !mintage.Suspicious(mintage.SignalNetworks+1) {
		t.Error("the bound is elsewhere")
	}
}

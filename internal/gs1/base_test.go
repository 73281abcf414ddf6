package gs1_test

import (
	"net/url"
	"strings"
	"testing"

	"mintage/internal/gs1"
)

// longestBase has exactly as many characters as a base may have.
var longestBase = "https://example.com/" + strings.Repeat("x", gs1.MaxBaseLength-len("https://example.com/"))

func TestParseBase(t *testing.T) {
	for in, want := range map[string]gs1.Base{
		"https://id.example.com":             "https://id.example.com",
		"https://id.example.com/":            "https://id.example.com",
		"HTTPS://ID.Example.COM/Shop/":       "https://id.example.com/Shop",
		"https://example.com:443/a":          "https://example.com/a",
		"https://example.com:8443/a/b":       "https://example.com:8443/a/b",
		"https://example.com:80":             "https://example.com:80",
		"https://localhost":                  "https://localhost",
		"http://localhost:8080":              "http://localhost:8080",
		"http://LOCALHOST:80/":               "http://localhost",
		"http://127.0.0.1:8080/x":            "http://127.0.0.1:8080/x",
		"http://[::1]:8080":                  "http://[::1]:8080",
		"http://[0:0:0:0:0:0:0:1]":           "http://[::1]",
		"https://[2001:DB8::0:1]:443/p":      "https://[2001:db8::1]/p",
		"https://192.0.2.1":                  "https://192.0.2.1",
		"https://intranet/~dpp/v1.2_x-y":     "https://intranet/~dpp/v1.2_x-y",
		"https://xn--bcher-kva.example":      "https://xn--bcher-kva.example",
		"https://1.example":                  "https://1.example",
		"https://example.com/1/12345/01a/uu": "https://example.com/1/12345/01a/uu",
		"https://example.com/...":            "https://example.com/...",
		longestBase:                          gs1.Base(longestBase),
		longestBase + "/":                    gs1.Base(longestBase),
	} {
		t.Run(in, func(t *testing.T) {
			got, err := gs1.ParseBase(in)
			if err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestParseBaseRefuses(t *testing.T) {
	const scheme, path, host = "must begin with https://", "path segment", "of its host"
	for _, tt := range []struct{ in, message string }{
		{"", scheme},
		{"https://", scheme},
		{"example.com", scheme},
		{"ftp://example.com", scheme},
		{"https:/example.com", scheme},
		{" https://example.com", scheme},
		{"http://example.com", "http:// is for localhost"},
		{"http://127.0.0.2", "http:// is for localhost"},
		{"http://localhost.example.com", "http:// is for localhost"},
		{"http://[::2]", "http:// is for localhost"},
		{"http://[::ffff:127.0.0.1]", "IPv6 address"},

		{"https://example.com?a=b", "query"},
		{"https://example.com/?", "query"},
		{"https://example.com/a#b", "fragment"},
		{"https://example.com/#", "fragment"},
		{"https://me@example.com", "user name"},
		{"https://me:secret@example.com/a", "user name"},
		{"https://@example.com", "user name"},

		{"https:///a", "host that is empty"},
		{"https://:8443", "host that is empty"},
		{"https://example.com./", "ends in a dot"},
		{"https://.example.com", "begins or ends in a dot"},
		{"https://example..com", "two dots in a row"},
		{"https://-example.com", "hyphen"},
		{"https://example-.com", "hyphen"},
		{"https://" + strings.Repeat("a", 64) + ".com", "63 characters"},
		{"https://bücher.example", "A-labels, xn--"},
		{"https://\u212Aelvin.example", "A-labels, xn--"}, // a Kelvin sign is no k
		{"https://example。com", "A-labels, xn--"},
		{"https://b%C3%BCcher.example", "'%' at position 2 " + host},
		{"https://exa_mple.com", "'_' at position 4 " + host},
		{"https://example.com ", "' ' at position 12 " + host},
		{`https://example.com\a`, `'\\' at position 12 ` + host},
		{"https://0300.0250.01.01", "four decimal numbers"},
		{"https://3232235777", "four decimal numbers"},
		{"https://192.0.2.0x1", "four decimal numbers"},
		{"https://192.0.2", "four decimal numbers"},
		{"https://192.0.2.256", "four decimal numbers"},
		{"https://[fe80::1%25lo]", "IPv6 address"},
		{"https://[fe80::1%lo]", "IPv6 address"},
		{"https://[192.0.2.1]", "IPv6 address"},
		{"https://[::1", "IPv6 address"},
		{"https://[]", "IPv6 address"},
		{"https://[::1]a", "between its IPv6 address"},

		{"https://example.com:", "port"},
		{"https://example.com:0", "port"},
		{"https://example.com:08443", "port"},
		{"https://example.com:65536", "port"},
		{"https://example.com:+443", "port"},
		{"https://example.com:443:443", "port"},
		{"https://[::1]:", "port"},

		{"https://example.com//", "empty path segment"},
		{"https://example.com//a", "empty path segment"},
		{"https://example.com/a//b", "empty path segment"},
		{"https://example.com/a//", "empty path segment"},
		{"https://example.com/./a", `path segment "."`},
		{"https://example.com/a/..", `path segment ".."`},
		{"https://example.com/a%2Fb", "'%' at position 2 of a path segment"},
		{"https://example.com/a/b c", "' ' at position 2 of a path segment"},
		{"https://example.com/a:b", "':' at position 2 of a path segment"},
		{"https://example.com/é", "U+00E9 'é' at position 1 of a path segment"},
		{"https://example.com/a\n", `'\n' at position 2 of a path segment`},
		{"https://example.com/01", `"01", which reads as a GS1 key`},
		{"https://example.com/a/254/b", `"254", which reads as a GS1 key`},
		{"https://example.com/8003/", `"8003", which reads as a GS1 key`},
		{"https://example.com/u", "kept for URLs without GTIN"},
		{"https://example.com/a/u/b", "kept for URLs without GTIN"},
		{"https://example.com/U", "kept for URLs without GTIN"},

		{longestBase + "x", "has 101 characters; it may have 100"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			_, err := gs1.ParseBase(tt.in)
			refused(t, err, tt.message)
		})
	}
}

func FuzzParseBase(f *testing.F) {
	for _, seed := range []string{
		"", "https://id.example.com", "HTTPS://Example.com:443/Shop/", "http://[::1]:8080/a", "http://127.0.0.1/",
		"https://192.0.2.1:8443/~x/1", "https://bücher.example", "https://a@b/?c#d", "https://a//01/../u", longestBase,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := gs1.ParseBase(s)
		if err != nil {
			refused(t, err)
			if got != "" {
				t.Errorf("%q refused, yet returned %q", s, got)
			}
			return
		}
		if again, err := gs1.ParseBase(string(got)); err != nil || again != got {
			t.Errorf("%q became %q, which became %q, %v", s, got, again, err)
		}
		if len(got) > gs1.MaxBaseLength {
			t.Errorf("%q became %q, which is too long", s, got)
		}
		// The standard library sees the same host and nothing that a base may not have.
		u, err := url.Parse(string(got))
		if err != nil {
			t.Fatalf("%q became %q: %v", s, got, err)
		}
		if bare := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(); bare != string(got) {
			t.Errorf("%q became %q, which net/url reads as %q", s, got, bare)
		}
		if u.Scheme != "https" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
			t.Errorf("%q became %q", s, got)
		}
	})
}

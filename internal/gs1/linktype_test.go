package gs1

import (
	"testing"

	"mintage"
)

func TestParseLinkType(t *testing.T) {
	for in, want := range map[string]string{
		"gs1:pip": "gs1:pip", "https://gs1.org/voc/pip": "gs1:pip", "https://www.gs1.org/voc/epil": "gs1:epil",
		"https://ref.gs1.org/voc/dpp": "gs1:dpp", "https://schema.org/about": "https://schema.org/about",
		"gs1:PIP": "", "gs1:": "", "gs1:defaultLink": "", "gs1:nothing": "", "https://gs1.org/voc/nothing": "", "pip": "", "": "",
		"https://example.com/a-b": "", "https://example.com": "", "javascript:x": "", "https://user@example.com/x": "", "https://example.com/x y": "",
	} {
		got, err := ParseLinkType(in)
		if got != want || (err == nil) != (want != "") || err != nil && mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%q: %q, %v", in, got, err)
		}
		if err != nil {
			continue
		}
		if again, err := ParseLinkType(LinkTypeIRI(got)); err != nil || again != got {
			t.Errorf("%q: the IRI %q reads as %q, %v", in, LinkTypeIRI(got), again, err)
		}
	}
	if n := len(linkTypes); n != 58 {
		t.Errorf("%d link types", n)
	}
}

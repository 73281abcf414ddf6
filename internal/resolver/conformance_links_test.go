package resolver_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/store/storetest"
)

func catalogueInput(sku string) catalogue.ProductInput {
	return catalogue.ProductInput{SKU: sku, Name: "Trail jacket"}
}

func productChange(gtin string) catalogue.ProductPatch { return catalogue.ProductPatch{GTIN: &gtin} }

// link is one of the links that a brand gives a product.
func link(linkType, href string, edit ...func(*mintage.Link)) mintage.Link {
	l := mintage.Link{Type: linkType, Href: href, Title: "A title"}
	for _, e := range edit {
		e(&l)
	}
	return l
}

func byDefault(l *mintage.Link)                 { l.Default = true }
func in(language string) func(*mintage.Link)    { return func(l *mintage.Link) { l.Language = language } }
func typed(media string) func(*mintage.Link)    { return func(l *mintage.Link) { l.MediaType = media } }
func within(context string) func(*mintage.Link) { return func(l *mintage.Link) { l.Context = context } }

// linkChoice: which link a request is redirected to.
var linkChoice = []requirement{
	{"the resolver redirects to the default link unless the request says otherwise", func(t *testing.T, s *site) {
		p := s.product(t,
			link("gs1:instructions", "https://brand.example/manual"),
			link("gs1:pip", "https://brand.example/{gtin}/{lot}/{serial}", byDefault))
		unit := s.units(t, p, 1, "L/1")[0]
		code := codeIn(unit)
		base := "https://brand.example/" + p.GTIN
		s.get(t, unit).leads(t, "a unit", base+"/L%2F1/"+code)
		s.get(t, strings.Split(unit, "/21/")[0]).leads(t, "a lot", base+"/L%2F1/")
		s.get(t, "/01/"+p.GTIN).leads(t, "the product", base+"//")
		for _, accept := range []string{"", "*/*", "text/html", "image/png", phoneAccept} {
			s.get(t, "/01/"+p.GTIN, "Accept", accept).leads(t, accept, base+"//")
		}
	}},
	{"without links of its own a product has the built-in passport page as its default", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		page := siteBase + "/p/" + p.Code
		for target, to := range map[string]string{
			unit: page + "/" + codeIn(unit), strings.Split(unit, "/21/")[0]: page + "/lot/L1", "/01/" + p.GTIN: page,
		} {
			s.get(t, target).leads(t, target, to)
			a := s.get(t, strings.TrimPrefix(to, siteBase)).is(t, to, 200)
			if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || !strings.Contains(a.body, "Trail jacket") {
				t.Errorf("%s is %s\n%.200s", to, a.Header.Get("Content-Type"), a.body)
			}
		}
	}},
	{"for each entity there is exactly one default link", func(t *testing.T, s *site) {
		p := s.product(t)
		a, b := link("gs1:pip", "https://brand.example/a"), link("gs1:pip", "https://brand.example/b", in("de"))
		for what, links := range map[string][]mintage.Link{
			"none": {a, b}, "two": {link("gs1:pip", "https://brand.example/a", byDefault), link("gs1:pip", "https://brand.example/b", byDefault)},
		} {
			_, err := s.mint.PutLinks(t.Context(), s.p, p.ID, links)
			if _, refused := errors.AsType[*mintage.InvalidError](err); !refused {
				t.Errorf("%s: %v", what, err)
			}
		}
	}},
	{"all key=value pairs of the query are passed on", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/pip", byDefault),
			link("gs1:instructions", "https://brand.example/manual?v=2#page-3"))
		to := s.get(t, "/01/"+p.GTIN+"?17=281231&utm=a%20b&utm=c").is(t, "the default", 307).location(t)
		if to != "https://brand.example/pip?17=281231&utm=a%20b&utm=c" {
			t.Errorf("the default leads to %s", to)
		}
		to = s.get(t, "/01/"+p.GTIN+"?linkType=gs1:instructions&utm=a").is(t, "by type", 307).location(t)
		u, err := url.Parse(to)
		if err != nil || u.Query().Get("v") != "2" || u.Query().Get("utm") != "a" || u.Fragment != "page-3" || strings.Count(to, "?") != 1 {
			t.Errorf("a target with a query of its own: %s (%v)", to, err)
		}
	}},
	{"the resolver redirects to the requested type of link if available", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/pip", byDefault), link("gs1:instructions", "https://brand.example/manual"),
			link("https://schema.org/reviews", "https://brand.example/reviews"))
		for written, to := range map[string]string{
			"gs1:instructions": "manual", "gs1%3Ainstructions": "manual", "gs1:pip": "pip", "https://schema.org/reviews": "reviews",
			"https://gs1.org/voc/instructions": "manual", "https%3A%2F%2Fgs1.org%2Fvoc%2Finstructions": "manual", "https://ref.gs1.org/voc/instructions": "manual",
		} {
			got := s.get(t, "/01/"+p.GTIN+"?linkType="+written).is(t, written, 307).location(t)
			if before, _, _ := strings.Cut(got, "?"); before != "https://brand.example/"+to {
				t.Errorf("%s leads to %s", written, got)
			}
		}
	}},
	{"404 if a link of the requested type is not available", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/pip", byDefault))
		for _, written := range []string{"gs1:instructions", "gs1:nosuchlt", "https://gs1.org/voc/nosuchlt", "https://schema.org/reviews", "", "pip", "%00", "gs1:PIP"} {
			s.get(t, "/01/"+p.GTIN+"?linkType="+written).is(t, written, 404)
		}
	}},
	{"Accept-Language chooses among links of a type", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/en", in("en"), byDefault), link("gs1:pip", "https://brand.example/de", in("de")),
			link("gs1:pip", "https://brand.example/de-CH", in("de-CH")))
		for accept, to := range map[string]string{
			"de": "de", "de-AT": "de", "de-CH": "de-CH", "de-CH,de;q=0.9": "de-CH", "en": "en", "en-GB,en;q=0.9": "en",
			"fr;q=0.9, de;q=0.5": "de", "de;q=0, en;q=0.1": "en", "de;q=0.2, en;q=0.8": "en",
			"fr": "en", "": "en", "*": "en", "fr-CA, it": "en", "nonsense;;;q=x": "en", // a miss is the default
		} {
			for _, target := range []string{"/01/" + p.GTIN, "/01/" + p.GTIN + "?linkType=gs1:pip"} {
				got := s.get(t, target, "Accept-Language", accept).is(t, accept, 307).location(t)
				if before, _, _ := strings.Cut(got, "?"); before != "https://brand.example/"+to {
					t.Errorf("%s for %q leads to %s, want %s", target, accept, got, to)
				}
			}
		}
	}},
	{"Accept chooses among links of a type", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/pip", byDefault),
			link("gs1:certificationInfo", "https://brand.example/page", typed("text/html")), link("gs1:certificationInfo", "https://brand.example/pdf", typed("application/pdf")),
			link("gs1:certificationInfo", "https://brand.example/json", typed("application/json")))
		for accept, to := range map[string]string{
			"application/pdf": "pdf", "text/html": "page", phoneAccept: "page", "application/json": "json", "application/pdf;q=0.5, text/html;q=0.9": "page",
			"application/pdf;q=0.9, text/html;q=0.5": "pdf",
		} {
			got := s.get(t, "/01/"+p.GTIN+"?linkType=gs1:certificationInfo", "Accept", accept).is(t, accept, 307).location(t)
			if before, _, _ := strings.Cut(got, "?"); before != "https://brand.example/"+to {
				t.Errorf("%q leads to %s, want %s", accept, got, to)
			}
		}
	}},
	{"the context in the query chooses among links of a type", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/pip", byDefault),
			link("gs1:recallStatus", "https://brand.example/all"), link("gs1:recallStatus", "https://brand.example/lk", within("LK")))
		for context, to := range map[string]string{"LK": "lk", "DE": "all", "": "all"} {
			got := s.get(t, "/01/"+p.GTIN+"?linkType=gs1:recallStatus&context="+context).is(t, context, 307).location(t)
			if before, _, _ := strings.Cut(got, "?"); before != "https://brand.example/"+to {
				t.Errorf("%q leads to %s, want %s", context, got, to)
			}
		}
	}},
	{"300 with the links where nothing tells which one fits best", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/pip", byDefault),
			link("gs1:certificationInfo", "https://brand.example/1"), link("gs1:certificationInfo", "https://brand.example/2"))
		a := s.get(t, "/01/"+p.GTIN+"?linkType=gs1:certificationInfo").is(t, "two alike", http.StatusMultipleChoices)
		for _, href := range []string{"https://brand.example/1", "https://brand.example/2"} {
			if !strings.Contains(a.body, href) {
				t.Errorf("%s is missing in %s", href, a.body)
			}
		}
	}},
	{"a browser never gets JSON, whatever language it asks for", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/en", in("en"), byDefault), link("gs1:pip", "https://brand.example/json", typed("application/json")))
		bare := s.product(t)
		for _, language := range []string{"en", "de", "fr", "xx", ""} {
			for _, accept := range []string{phoneAccept, "text/html,*/*;q=0.8", "*/*", ""} {
				s.get(t, "/01/"+p.GTIN, "Accept-Language", language, "Accept", accept).leads(t, language+" for "+accept, "https://brand.example/en")
				a := s.get(t, "/p/"+bare.Code, "Accept-Language", language, "Accept", accept).is(t, "the page", 200)
				if got := a.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
					t.Errorf("the page in %q for %q is %s", language, accept, got)
				}
			}
		}
		a := s.get(t, "/p/"+bare.Code, "Accept-Language", "de-AT, en;q=0.5")
		if !strings.Contains(a.body, `lang="de"`) {
			t.Errorf("the page in German:\n%.300s", a.body)
		}
	}},
	{"machines get the passport's data without a redirect", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/en", byDefault))
		unit := s.units(t, p, 1, "L1")[0]
		for _, target := range []string{unit, strings.Split(unit, "/21/")[0], "/01/" + p.GTIN} {
			for _, accept := range []string{"application/json", "application/ld+json"} {
				a := s.get(t, target, "Accept", accept).is(t, target, 200)
				var object map[string]any
				if err := json.Unmarshal([]byte(a.body), &object); err != nil || !strings.HasPrefix(a.Header.Get("Content-Type"), accept) {
					t.Errorf("%s for %s is %s: %v\n%.300s", target, accept, a.Header.Get("Content-Type"), err, a.body)
				}
				if accept == "application/ld+json" && object["@context"] == nil {
					t.Errorf("%s has no @context:\n%s", target, a.body)
				}
				a.has(t, "Vary", "Accept")
			}
		}
	}},
	{"a redirect tells where the linkset is", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		for _, target := range []string{unit, strings.Split(unit, "/21/")[0], "/01/" + p.GTIN, "/01/" + p.GTIN + "?linkType=gs1:pip"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				a := s.do(t, method, target).is(t, target, 307)
				to, mediaType := a.link("linkset")
				if mediaType != "application/linkset+json" || !strings.HasPrefix(to, siteBase) {
					t.Errorf("%s: the linkset is %q of %q", target, to, mediaType)
					continue
				}
				s.get(t, strings.TrimPrefix(to, siteBase), "Accept", mediaType).is(t, to, 200).has(t, "Content-Type", mediaType)
				// All links in the header were deprecated by release 1.0.0.
				if slices.ContainsFunc(a.Header.Values("Link"), func(v string) bool { return strings.Contains(v, `rel="gs1:`) }) {
					t.Errorf("%s lists links in its header: %q", target, a.Header.Values("Link"))
				}
			}
		}
	}},
	{"links that are changed are followed", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/before", byDefault))
		s.get(t, "/01/"+p.GTIN).leads(t, "before", "https://brand.example/before")
		if _, err := s.mint.PutLinks(t.Context(), s.p, p.ID, []mintage.Link{link("gs1:pip", "https://brand.example/after", byDefault)}); err != nil {
			t.Fatal(err)
		}
		storetest.Eventually(t, "the new link is followed", func() bool {
			return s.get(t, "/01/"+p.GTIN).location(t) == "https://brand.example/after"
		})
	}},
}

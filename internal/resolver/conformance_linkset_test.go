package resolver_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mintage"
	"mintage/internal/gs1"
)

// A linkset as RFC 9264 (section 4.2) and GS1's schema have it, read strictly: what
// is not listed here is not in one.
type (
	linkset struct {
		Linkset []linkContext `json:"linkset"`
	}
	linkContext map[string]json.RawMessage // anchor, itemDescription and link types
	linkTarget  struct {
		Href     string   `json:"href"`
		Title    string   `json:"title"`
		Hreflang []string `json:"hreflang"`
		Type     string   `json:"type"`
		Context  []string `json:"context"`
		FWQS     bool     `json:"fwqs"`
		Public   bool     `json:"public"`
	}
)

const (
	vocabulary  = "https://gs1.org/voc/"
	defaultLink = vocabulary + "defaultLink"
)

func (c linkContext) text(name string) (s string) {
	_ = json.Unmarshal(c[name], &s) // "" is found out
	return s
}

func (c linkContext) links(t *testing.T, linkType string) (links []linkTarget) {
	t.Helper()
	if c[linkType] == nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(c[linkType]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&links); err != nil {
		t.Errorf("%s of %s: %v", linkType, c.text("anchor"), err)
	}
	return links
}

var (
	webURL   = regexp.MustCompile(`^https?://[A-Za-z0-9.:-]+(/[!-~]*)?$`)
	language = regexp.MustCompile(`^[a-z]{2}(-[A-Z]{2})?$`)
	media    = regexp.MustCompile(`^[a-z]+/[a-z0-9.+-]+$`)
)

// linksetOf reads a linkset and asserts what holds for each one.
func (s *site) linksetOf(t *testing.T, target string, header ...string) []linkContext {
	t.Helper()
	a := s.get(t, target, header...).is(t, target, 200)
	a.has(t, "Content-Type", "application/linkset+json")
	valid(t, a.body)
	var set linkset
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&set); err != nil || len(set.Linkset) == 0 {
		t.Fatalf("%s: %v\n%s", target, err, a.body)
	}
	for _, c := range set.Linkset {
		anchor := c.text("anchor")
		if !strings.HasPrefix(anchor, siteBase+"/") || c.text("itemDescription") == "" {
			t.Errorf("the anchor is %q, the description %q", anchor, c.text("itemDescription"))
		}
		for linkType := range c {
			if linkType == "anchor" || linkType == "itemDescription" {
				continue
			}
			links := c.links(t, linkType)
			if !webURL.MatchString(linkType) || len(links) == 0 {
				t.Errorf("%s: %d links of type %q", anchor, len(links), linkType)
			}
			for _, l := range links {
				if !webURL.MatchString(l.Href) || l.Title == "" || l.Type != "" && !media.MatchString(l.Type) ||
					slices.ContainsFunc(l.Hreflang, func(tag string) bool { return !language.MatchString(tag) }) {
					t.Errorf("%s has a link of type %s %+v", anchor, linkType, l)
				}
			}
		}
		defaults := c.links(t, defaultLink)
		if len(defaults) != 1 {
			t.Errorf("%s has %d default links", anchor, len(defaults))
			continue
		}
		if d := defaults[0]; d.Type != "" || d.Hreflang != nil || d.Context != nil {
			t.Errorf("the default link of %s has attributes to choose by: %+v", anchor, d)
		}
	}
	return set.Linkset
}

// valid validates a linkset against GS1's schema, where the file is.
func valid(t *testing.T, body string) {
	t.Helper()
	text, err := os.ReadFile("../../../shared/data/gs1-linkset-schema.json")
	if errors.Is(err, fs.ErrNotExist) {
		return // third parties' data, not part of the project
	}
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(lookahead)
	if err := compiler.AddResource("linkset", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("linkset")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("GS1's schema: %v\n%s", err, body)
	}
}

// lookahead compiles the schema's patterns. Go's expressions have none of the look-ahead
// with which one of them begins: not before two names, in its first alternative.
func lookahead(pattern string) (jsonschema.Regexp, error) {
	rest, begins := strings.CutPrefix(pattern, "(?!(anchor|itemDescription))")
	compiled, err := regexp.Compile(rest)
	if err != nil || !begins {
		return compiled, err
	}
	return exceptNames{compiled}, nil
}

type exceptNames struct{ *regexp.Regexp }

func (r exceptNames) MatchString(s string) bool {
	return s != "anchor" && s != "itemDescription" && r.Regexp.MatchString(s)
}

// compressed is the compressed form of a path.
func compressed(t *testing.T, path string) string {
	t.Helper()
	link, err := gs1.ParseTarget(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return link.CompressedPath()
}

// linksets: what all links are told in.
var linksets = []requirement{
	{"linkType=linkset returns the linkset and does not redirect", func(t *testing.T, s *site) {
		p := s.product(t)
		for _, accept := range []string{phoneAccept, "", "*/*", "application/json", "application/linkset+json"} {
			s.linksetOf(t, "/01/"+p.GTIN+"?linkType=linkset", "Accept", accept)
		}
	}},
	{"Accept: application/linkset+json returns the linkset and does not redirect", func(t *testing.T, s *site) {
		p := s.product(t)
		s.linksetOf(t, "/01/"+p.GTIN, "Accept", "application/linkset+json")
		s.linksetOf(t, "/01/"+p.GTIN+"/", "Accept", "text/html;q=0.5, application/linkset+json")
	}},
	{"linkType=all, deprecated since 1.0.0, means the same", func(t *testing.T, s *site) {
		p := s.product(t)
		s.linksetOf(t, "/01/"+p.GTIN+"?linkType=all", "Accept", "application/linkset+json") // as GS1's test suite asks
		s.linksetOf(t, "/01/"+p.GTIN+"?linkType=all")
	}},
	{"every link has target, type and title, and language and media type where it has them", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/en", in("en"), typed("text/html"), byDefault), link("gs1:pip", "https://brand.example/de", in("de")),
			link("gs1:certificationInfo", "https://brand.example/pdf", typed("application/pdf"), within("LK")), link("https://schema.org/reviews", "https://brand.example/reviews"))
		c := s.linksetOf(t, "/01/"+p.GTIN+"?linkType=linkset")[0]
		pip, certificates := c.links(t, vocabulary+"pip"), c.links(t, vocabulary+"certificationInfo")
		if len(pip) != 2 || pip[0].Href != "https://brand.example/en" || pip[0].Type != "text/html" || !slices.Equal(pip[0].Hreflang, []string{"en"}) || !slices.Equal(pip[1].Hreflang, []string{"de"}) {
			t.Errorf("the product pages are %+v", pip)
		}
		if len(certificates) != 1 || certificates[0].Type != "application/pdf" || !slices.Equal(certificates[0].Context, []string{"LK"}) {
			t.Errorf("the certificates are %+v", certificates)
		}
		if reviews := c.links(t, "https://schema.org/reviews"); len(reviews) != 1 {
			t.Errorf("the reviews are %+v", reviews)
		}
	}},
	{"the default link is the one that is redirected to, and is described by a type of its own", func(t *testing.T, s *site) {
		for _, p := range []*mintage.Product{
			s.product(t), s.product(t, link("gs1:instructions", "https://brand.example/manual"), link("gs1:pip", "https://brand.example/{gtin}/{serial}", byDefault)),
		} {
			unit := s.units(t, p, 1, "L1")[0]
			lot, _, _ := strings.Cut(unit, "/21/")
			for _, target := range []string{"/01/" + p.GTIN, lot, unit} {
				c := s.linksetOf(t, target+"?linkType=linkset")[0]
				to := c.links(t, defaultLink)[0].Href
				s.get(t, target).leads(t, target, to)
				described := false
				for linkType := range c {
					if linkType != "anchor" && linkType != "itemDescription" && !strings.HasPrefix(linkType, defaultLink) {
						described = described || slices.ContainsFunc(c.links(t, linkType), func(l linkTarget) bool { return l.Href == to })
					}
				}
				if !described {
					t.Errorf("nothing describes the default %s of %s: %s", to, target, c)
				}
			}
		}
	}},
	{"each link in it can be asked for", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/en", in("en"), byDefault), link("gs1:pip", "https://brand.example/de", in("de")),
			link("gs1:certificationInfo", "https://brand.example/pdf", typed("application/pdf")), link("gs1:certificationInfo", "https://brand.example/lk", typed("application/pdf"), within("LK")))
		c := s.linksetOf(t, "/01/"+p.GTIN+"?linkType=linkset")[0]
		for linkType := range c {
			name, ofGS1 := strings.CutPrefix(linkType, vocabulary)
			if !ofGS1 || name == "defaultLink" {
				continue
			}
			for _, l := range c.links(t, linkType) {
				query, header := "?linkType=gs1%3A"+name, []string{"Accept", l.Type}
				if name == "defaultLinkMulti" {
					query = "?utm=a" // is never asked for by name
				}
				if len(l.Hreflang) > 0 {
					header = append(header, "Accept-Language", l.Hreflang[0])
				}
				if len(l.Context) > 0 {
					query += "&context=" + l.Context[0]
				}
				to := s.get(t, "/01/"+p.GTIN+query, header...).is(t, query, 307).location(t)
				got, _, _ := strings.Cut(to, "?")
				if want, _, _ := strings.Cut(l.Href, "?"); got != want {
					t.Errorf("%s %q leads to %s, want %s", query, header, to, l.Href)
				}
			}
		}
	}},
	{"the links of each level up to the primary key are included", func(t *testing.T, s *site) {
		p := s.product(t, link("gs1:pip", "https://brand.example/pip", byDefault))
		unit := s.units(t, p, 1, "L1")[0]
		gtin := "/01/" + p.GTIN
		for target, anchors := range map[string][]string{
			gtin:                         {gtin},
			gtin + "/10/L1":              {gtin + "/10/L1", gtin},
			unit:                         {unit, gtin + "/10/L1", gtin},
			gtin + "/21/" + codeIn(unit): {gtin + "/21/" + codeIn(unit), gtin},
		} {
			var got []string
			for _, c := range s.linksetOf(t, target+"?linkType=linkset") {
				got = append(got, strings.TrimPrefix(c.text("anchor"), siteBase))
			}
			if !slices.Equal(got, anchors) {
				t.Errorf("%s has the anchors %q, want %q", target, got, anchors)
			}
		}
	}},
	{"the subject of a linkset is the uncompressed URI", func(t *testing.T, s *site) {
		p := s.product(t)
		for _, written := range []string{compressed(t, "/01/"+p.GTIN), "/01/" + p.GTIN + "/"} {
			sets := s.linksetOf(t, written+"?linkType=linkset")
			if got := sets[0].text("anchor"); got != siteBase+"/01/"+p.GTIN {
				t.Errorf("%s has the anchor %s", written, got)
			}
		}
	}},
	{"a Link header points to a JSON-LD context", func(t *testing.T, s *site) {
		p := s.product(t)
		a := s.get(t, "/01/"+p.GTIN+"?linkType=linkset")
		to, mediaType := a.link("http://www.w3.org/ns/json-ld#context")
		if !strings.HasPrefix(to, "https://ref.gs1.org/standards/resolver/") || mediaType != "application/ld+json" {
			t.Errorf("the context is %q of %q: %q", to, mediaType, a.Header.Values("Link"))
		}
	}},
	{"the linkset of a unit activates nothing", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		s.linksetOf(t, unit+"?linkType=linkset")
		s.linksetOf(t, unit, "Accept", "application/linkset+json")
		if n := s.number(t, `SELECT count(*) FROM unit_states`, p); n != 0 {
			t.Errorf("%d units are active", n)
		}
	}},
	{"an unknown unit has no linkset", func(t *testing.T, s *site) {
		p := s.product(t)
		s.get(t, "/01/"+p.GTIN+"/21/0123456789AB?linkType=linkset").is(t, "an invented serial", 404)
		s.get(t, "/01/"+s.gtin(t, 14)+"?linkType=linkset").is(t, "an unknown GTIN", 404)
	}},
	{"a resolver description file is at /.well-known/gs1resolver", func(t *testing.T, s *site) {
		a := s.get(t, "/.well-known/gs1resolver", "Accept", "application/json").is(t, "the description", 200)
		a.has(t, "Content-Type", "application/json")
		// As GS1's schema of description files names and types them.
		var d struct {
			Name                        string `json:"name"`
			ResolverRoot                string `json:"resolverRoot"`
			SupportedPrimaryKeys        []string
			SupportedLinkType           []struct{ Namespace, Prefix string }
			LinkTypeDefaultCanBeLinkset bool   `json:"linkTypeDefaultCanBeLinkset"`
			JSONLDContextLocation       string `json:"jsonLdContextLocation"`
		}
		if err := json.Unmarshal([]byte(a.body), &d); err != nil {
			t.Fatal(err)
		}
		if d.ResolverRoot != siteBase || d.Name != "Acme" || !slices.Equal(d.SupportedPrimaryKeys, []string{"01"}) || d.JSONLDContextLocation == "" {
			t.Errorf("the description is %s", a.body)
		}
		// SHALL recognise the GS1 Web vocabulary namespace.
		if len(d.SupportedLinkType) == 0 || d.SupportedLinkType[0].Namespace != vocabulary || d.SupportedLinkType[0].Prefix != "gs1:" {
			t.Errorf("the namespaces are %+v", d.SupportedLinkType)
		}
		s.get(t, "/.well-known/gs1resolver", "Host", "id.nobody.example").is(t, "of nobody", 404)
	}},
}

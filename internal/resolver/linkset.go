package resolver

import (
	"bytes"
	"encoding/json"
	"net/http"

	"mintage"
	"mintage/internal/gs1"
)

const (
	linksetType = "application/linkset+json"
	// linksetContext makes JSON-LD of a linkset in JSON (GS1 Conformant Resolver).
	linksetContext = "https://ref.gs1.org/standards/resolver/linkset-context"

	defaultLink      = "defaultLink"
	defaultLinkMulti = "defaultLinkMulti"
)

var contextLink = []string{"<" + linksetContext + `>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"`}

// linkObject is a link in a linkset (RFC 9264, section 4.2.3), with what GS1 adds.
type linkObject struct {
	Href     string   `json:"href"`
	Title    string   `json:"title"`
	Type     string   `json:"type,omitempty"`
	Hreflang []string `json:"hreflang,omitempty"`
	Context  []string `json:"context,omitempty"`
}

func newLinkObject(t *target, v *values) linkObject {
	o := linkObject{Href: t.location(v, ""), Title: t.Title, Type: t.MediaType}
	if t.Language != "" {
		o.Hreflang = []string{t.Language}
	}
	if t.Context != "" {
		o.Context = []string{t.Context}
	}
	return o
}

// contextObject is the links of one anchor, by link type (RFC 9264, section 4.2.2).
type contextObject map[string]any

func (c contextObject) add(linkType string, o linkObject) {
	links, _ := c[linkType].([]linkObject)
	c[linkType] = append(links, o)
}

// linkset answers with the links of an identity, of all levels from the one asked for
// up to the GTIN. A link stands where what it is filled in with is known first;
// each level has its own default link and passport.
func (v *visit) linkset(id *identity) error {
	var objects []contextObject
	for i, step := range v.steps(id) {
		objects = append(objects, v.contextOf(step.identity, step.anchor, func(l level) bool {
			// What asks for more than was asked for stands, half filled in, at the first.
			return l == step.identity.level || i == 0 && l > step.identity.level
		}))
	}
	return v.linksetBody(http.StatusOK, id, objects)
}

// step is a level of an identity, with its address.
type step struct {
	identity *identity
	anchor   string
}

// steps are the levels of an identity from the one asked for up to its product.
func (v *visit) steps(id *identity) []step {
	link := *id.link
	link.Data, link.Unknown = nil, ""
	at := func(i *identity, query string) step { return step{i, v.base.url + link.Path() + query} }
	above := &identity{subject: id.subject, link: id.link, gtin: string(link.GTIN)}
	if link.ProductCode != "" {
		above.gtin = id.gtin
	}
	steps := []step{at(id, unitQuery(id))}
	up := func() {
		i := *above
		if link.Lot != "" {
			i.level, i.lot = levelLot, link.Lot
		}
		steps = append(steps, at(&i, ""))
	}
	if id.level == levelUnit {
		link.Code, link.Serial = "", ""
		up()
	}
	if link.Lot != "" {
		link.Lot = ""
		up()
	}
	if link.CPV != "" || link.Qualifier.AI != "" {
		link.CPV, link.Qualifier = "", gs1.Element{}
		up()
	}
	return steps
}

// contextOf is the links of one level.
func (v *visit) contextOf(id *identity, anchor string, here func(level) bool) contextObject {
	values := id.values()
	c := contextObject{"anchor": anchor, "itemDescription": id.card.product.Name}
	builtIn := id.card.builtIn(v.pageURL(id))
	first := id.card.first
	if first == nil {
		first = builtIn[0]
	}
	// The default is told without anything that could be chosen by.
	c.add(gs1.Vocabulary+defaultLink, linkObject{Href: first.location(&values, ""), Title: first.Title})
	if id.card.first != nil && !id.card.alone {
		for _, t := range id.card.ofType(first.Type) {
			c.add(gs1.Vocabulary+defaultLinkMulti, newLinkObject(t, &values))
		}
	}
	for _, t := range id.card.targets {
		if here(t.level) {
			c.add(gs1.LinkTypeIRI(t.Type), newLinkObject(t, &values))
		}
	}
	for _, t := range builtIn {
		c.add(gs1.LinkTypeIRI(t.Type), newLinkObject(t, &values))
	}
	return c
}

// choices answers 300 with the links of a type among which nothing decides.
func (v *visit) choices(id *identity, linkType string, best []*target) error {
	values := id.values()
	c := contextObject{"anchor": v.asked(id), "itemDescription": id.card.product.Name}
	for _, t := range best {
		c.add(gs1.LinkTypeIRI(linkType), newLinkObject(t, &values))
	}
	return v.linksetBody(http.StatusMultipleChoices, id, []contextObject{c})
}

func (v *visit) linksetBody(status int, id *identity, objects []contextObject) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string][]contextObject{"linkset": objects}); err != nil {
		return err
	}
	h := v.w.Header()
	h["Link"] = append(h["Link"], contextLink...)
	if id.level != levelProduct || status != http.StatusOK {
		return v.body(status, linksetType, out.Bytes())
	}
	return v.cached(linksetType, out.Bytes())
}

// description is a resolver description file (GS1 Conformant Resolver).
type description struct {
	Name                        string     `json:"name"`
	ResolverRoot                string     `json:"resolverRoot"`
	SupportedPrimaryKeys        []string   `json:"supportedPrimaryKeys"`
	SupportedLinkType           []linkType `json:"supportedLinkType"`
	LinkTypeDefaultCanBeLinkset bool       `json:"linkTypeDefaultCanBeLinkset"`
	ValidatesAICombination      bool       `json:"validatesAIcombination"`
	JSONLDContextLocation       string     `json:"jsonLdContextLocation"`
}

type linkType struct {
	Namespace string `json:"namespace"`
	Prefix    string `json:"prefix"`
}

// describe answers with the description of a base's resolver.
func (v *visit) describe() error {
	if err := v.allow(readMethods); err != nil {
		return err
	}
	b, err := v.r.brand(v.ctx(), v.base.brand)
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(description{
		Name: b.Name, ResolverRoot: v.base.url, SupportedPrimaryKeys: []string{"01"},
		SupportedLinkType:      []linkType{{gs1.Vocabulary, "gs1:"}},
		ValidatesAICombination: true, JSONLDContextLocation: linksetContext,
	}, "", "  ")
	if err != nil {
		return mintage.Errorf(mintage.CodeInternal, "The description could not be made.").WithCause(err)
	}
	return v.cached("application/json", append(content, '\n'))
}

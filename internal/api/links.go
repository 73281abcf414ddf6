package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
)

// productLink is one of the places that a product's codes lead to.
type productLink struct {
	Type      string  `json:"link_type" required:"false" doc:"Of the GS1 Web Vocabulary, such as gs1:pip, or the IRI of another vocabulary's."`
	Href      string  `json:"href" required:"false" doc:"https URL; {gtin}, {lot}, {serial}, {code} and {unit_id} after the host stand for the scanned unit's."`
	Title     string  `json:"title" required:"false" doc:"For people, in the link's language."`
	Language  *string `json:"language" required:"false" doc:"Such as de or de-CH; null for any."`
	MediaType *string `json:"media_type" required:"false" doc:"Such as text/html; null for any."`
	Context   *string `json:"context" required:"false" doc:"What else the link depends on, typically a country; or null."`
	Default   bool    `json:"default" required:"false" doc:"Where a scan leads that asks for nothing else: exactly one link of the product."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (productLink) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"link_type", "href", "title"}, rules{"href": {"maxLength": mintage.MaxHref}})
}

// productLinks are all of them, in their order.
type productLinks struct {
	Links []productLink `json:"links" required:"false" nullable:"false" doc:"In this order. None: codes lead to the built-in passport page."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (productLinks) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"links"}, rules{"links": {"maxItems": mintage.MaxLinks}})
}

func showLinks(links []mintage.Link) productLinks {
	out := productLinks{Links: make([]productLink, len(links))}
	for i, l := range links {
		out.Links[i] = productLink{
			Type: l.Type, Href: l.Href, Title: l.Title, Language: text(l.Language), MediaType: text(l.MediaType),
			Context: text(l.Context), Default: l.Default,
		}
	}
	return out
}

func (p productLinks) links() []mintage.Link {
	or := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	links := make([]mintage.Link, len(p.Links))
	for i, l := range p.Links {
		links[i] = mintage.Link{
			Type: l.Type, Href: l.Href, Title: l.Title, Language: or(l.Language), MediaType: or(l.MediaType), Context: or(l.Context), Default: l.Default,
		}
	}
	return links
}

func (s *server) registerLinks() {
	register(s, op("get_product_links", http.MethodGet, "/v1/products/{id}/links", "Products", "Get where the product's codes lead"), s.getLinks)

	o := op("put_product_links", http.MethodPut, "/v1/products/{id}/links", "Products", "Say where the product's codes lead")
	o.Description = "Replaces all links of the product, also for units that were printed long ago: a resolver URL never changes, where it leads may. " +
		"What resolvers remember is brought up to date within a second."
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusNotFound}
	register(s, o, s.putLinks)
}

func (s *server) getLinks(ctx context.Context, in *ByID) (*body[productLinks], error) {
	links, err := s.Mint.Links(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &body[productLinks]{showLinks(links)}, nil
}

func (s *server) putLinks(ctx context.Context, in *struct {
	ByID
	Body productLinks
}) (*body[productLinks], error) {
	if in.Body.Links == nil { // to take all away, say so
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "The links are missing; an empty list takes them all away.").WithField("links")
	}
	links, err := s.Mint.PutLinks(ctx, principal(ctx), in.ID, in.Body.links())
	if err != nil {
		return nil, err
	}
	return &body[productLinks]{showLinks(links)}, nil
}

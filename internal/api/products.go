package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/catalogue"
)

// product is a product as it is shown.
type product struct {
	ID          string                   `json:"id" format:"uuid"`
	SKU         string                   `json:"sku" doc:"Unique within the brand."`
	Name        string                   `json:"name"`
	GTIN        *string                  `json:"gtin" doc:"14 digits, or null."`
	ProductCode string                   `json:"product_code" doc:"8 characters, never changes; part of the URLs of products without a GTIN."`
	Status      mintage.CommercialStatus `json:"commercial_status" doc:"DRAFT, ACTIVE or DISCONTINUED; only an ACTIVE product can be minted."`
	SchemaID    *string                  `json:"dpp_schema" doc:"The DPP schema that the attributes must satisfy before the product can be minted."`
	Attributes  object                   `json:"attributes" doc:"The DPP attributes, by name; numbers keep their digits."`
	CreatedAt   time.Time                `json:"created_at"`
	UpdatedAt   time.Time                `json:"updated_at"`
}

// TransformSchema is part of huma.SchemaTransformer.
func (product) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"commercial_status": enum(mintage.CommercialStatuses)})
}

func showProduct(p *mintage.Product) product {
	return product{
		ID: p.ID, SKU: p.SKU, Name: p.Name, GTIN: text(p.GTIN), ProductCode: p.Code, Status: p.Status,
		SchemaID: text(p.SchemaID), Attributes: object{p.Attributes},
		CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
}

// newProduct is a product to be created.
type newProduct struct {
	SKU        string                   `json:"sku" required:"false" doc:"Without it, the GTIN as written."`
	Name       string                   `json:"name" required:"false" doc:"For people."`
	GTIN       string                   `json:"gtin" required:"false" doc:"GTIN-8, -12, -13 or -14, as digits."`
	Status     mintage.CommercialStatus `json:"commercial_status" required:"false" doc:"ACTIVE if it is left out."`
	SchemaID   string                   `json:"dpp_schema" required:"false" doc:"The id of the DPP schema that the attributes must satisfy before the product can be minted."`
	Attributes object                   `json:"attributes" required:"false" doc:"The DPP attributes, by name. They may be completed later."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (newProduct) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"name"}, rules{"commercial_status": enum(mintage.CommercialStatuses)})
}

// productPatch is a JSON merge patch of a product.
type productPatch struct {
	SKU        optional[string] `json:"sku" required:"false" doc:"Unique within the brand."`
	Name       optional[string] `json:"name" required:"false" doc:"For people."`
	GTIN       optional[string] `json:"gtin" required:"false" doc:"null takes it away."`
	Status     optional[string] `json:"commercial_status" required:"false" doc:"Only an ACTIVE product can be minted."`
	SchemaID   optional[string] `json:"dpp_schema" required:"false" doc:"null takes it away."`
	Attributes object           `json:"attributes" required:"false" doc:"Merged into the attributes (RFC 7396): null takes one away."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (productPatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, name := range []string{"sku", "name", "commercial_status"} {
		s.Properties[name].Nullable = false
	}
	return describe(s, nil, rules{"commercial_status": enum(mintage.CommercialStatuses)})
}

func (b *productPatch) patch() (catalogue.ProductPatch, error) {
	for name, field := range map[string]optional[string]{"sku": b.SKU, "name": b.Name, "commercial_status": b.Status} {
		if field.null() {
			return catalogue.ProductPatch{}, mintage.Errorf(mintage.CodeInvalidInput, "The %s cannot be taken away.", name).WithField(name)
		}
	}
	patch := catalogue.ProductPatch{
		SKU: b.SKU.value, Name: b.Name.value, Status: (*mintage.CommercialStatus)(b.Status.value),
		GTIN: orEmpty(b.GTIN), SchemaID: orEmpty(b.SchemaID), Attributes: b.Attributes.RawMessage,
	}
	return patch, nil
}

// orEmpty turns null into "".
func orEmpty(o optional[string]) *string {
	if o.null() {
		return new(string)
	}
	return o.value
}

// ByID is the input of an operation on one row.
type ByID struct {
	ID string `path:"id"`
}

type productFilter struct {
	Paging

	SKU    string `query:"sku" doc:"Only the product with this SKU."`
	GTIN   string `query:"gtin" doc:"GTIN-8, -12, -13 or -14."`
	Search string `query:"search" maxLength:"200" doc:"Words, each of which must be the beginning of a word of the product's SKU, name or GTIN. Case and accents do not matter."`
	Status string `query:"commercial_status" enum:"DRAFT,ACTIVE,DISCONTINUED" doc:"Only products in this state."`
}

// created is the answer of an operation that creates a row, or finds it there.
type created[T any] struct {
	Status   int
	Location string `header:"Location" doc:"The path of what was created: for a mint request, of its job."`
	Body     T
}

func (s *server) registerProducts() {
	o := op("create_product", http.MethodPost, "/v1/products", "Products", "Create a product")
	o.DefaultStatus = http.StatusCreated
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.createProduct)

	register(s, op("list_products", http.MethodGet, "/v1/products", "Products", "List products, newest first"), s.listProducts)
	register(s, op("get_product", http.MethodGet, "/v1/products/{id}", "Products", "Get a product"), s.getProduct)

	o = op("update_product", http.MethodPatch, "/v1/products/{id}", "Products", "Change a product by a JSON merge patch (RFC 7396)")
	o.Description = "What was minted before keeps what was printed on it."
	o.Metadata[metaBody] = takesPatch
	o.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/merge-patch+json": {}}}
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	register(s, o, s.updateProduct)
	o.RequestBody.Content["application/merge-patch+json"].Schema = o.RequestBody.Content["application/json"].Schema
}

func (s *server) createProduct(ctx context.Context, in *struct{ Body newProduct }) (*created[product], error) {
	p, err := s.Catalogue.CreateProduct(ctx, principal(ctx), catalogue.ProductInput{
		SKU: in.Body.SKU, Name: in.Body.Name, GTIN: in.Body.GTIN, Status: in.Body.Status,
		SchemaID: in.Body.SchemaID, Attributes: present(in.Body.Attributes),
	})
	if err != nil {
		return nil, err
	}
	return &created[product]{Status: http.StatusCreated, Location: "/v1/products/" + p.ID, Body: showProduct(p)}, nil
}

// present turns null, which is as good as absent where something is created,
// into nil.
func present(o object) json.RawMessage {
	if string(o.RawMessage) == "null" {
		return nil
	}
	return o.RawMessage
}

func (s *server) listProducts(ctx context.Context, in *productFilter) (*body[list[product]], error) {
	page, err := in.page(s.cursors(ctx))
	if err != nil {
		return nil, err
	}
	filter := catalogue.ProductFilter{SKU: in.SKU, GTIN: in.GTIN, Search: in.Search, Status: mintage.CommercialStatus(in.Status)}
	rows, err := s.Catalogue.Products(ctx, principal(ctx), filter, page)
	if err != nil {
		return nil, err
	}
	return listOf(s.cursors(ctx), rows, in.Limit, func(p *mintage.Product) int64 { return p.Number }, showProduct), nil
}

func (s *server) getProduct(ctx context.Context, in *ByID) (*body[product], error) {
	p, err := s.Catalogue.Product(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &body[product]{showProduct(p)}, nil
}

func (s *server) updateProduct(ctx context.Context, in *struct {
	ByID
	Body productPatch
}) (*body[product], error) {
	patch, err := in.Body.patch()
	if err != nil {
		return nil, err
	}
	p, err := s.Catalogue.UpdateProduct(ctx, principal(ctx), in.ID, patch)
	if err != nil {
		return nil, err
	}
	return &body[product]{showProduct(p)}, nil
}

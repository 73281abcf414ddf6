package catalogue

import (
	"context"
	"io"
	"maps"
	"strings"

	"mintage"
	"mintage/internal/dpp"
	"mintage/internal/store"
)

// ImportProducts creates and changes products from a CSV file (see the package's
// documentation) and calls each, in the file's order, for every row once it is
// stored or refused. A file that is refused as a whole changes nothing. An error
// of each, or a fault of the place, ends the import; what was reported, and the
// rest of the same transaction, stays.
func (s *Service) ImportProducts(ctx context.Context, p mintage.Principal, r io.Reader, each func(Row) error) (Summary, error) {
	products := productImport{service: s, principal: p, schemas: map[string]*boundSchema{}}
	im := importer{service: s, principal: p, layout: productLayout, apply: products.apply, each: each}
	return im.run(ctx, r)
}

type productImport struct {
	service   *Service
	principal mintage.Principal
	schemas   map[string]*boundSchema // those seen so far
}

// boundSchema is a schema with the names that it has for the file's columns.
type boundSchema struct {
	*dpp.Schema
	names []string // like columns.attributes
}

func (im *productImport) apply(ctx context.Context, tx store.Tx, r record) (key, result string, err error) {
	sku, err := chooseSKU(r.text("sku"), r.text("gtin"))
	if err != nil {
		return "", "", err
	}
	// Before a database sees them: the domain judges the SKU, gs1 the GTIN.
	draft := mintage.Product{SKU: sku, Name: "-", Status: mintage.ProductActive}
	if err := setGTIN(&draft, r.text("gtin")); err != nil {
		return "", "", err
	}
	if err := draft.Validate(); err != nil {
		return "", "", err
	}
	change := func(product *mintage.Product) error { return im.change(ctx, tx, product, r) }
	stored, err := tx.ProductBySKU(ctx, im.principal.BrandNumber, sku)
	if isNotFound(err) {
		_, err := im.service.createProduct(ctx, tx, im.principal, sku, change)
		return sku, ResultCreated, err
	}
	if err != nil {
		return "", "", err
	}
	// Most rows of a file that is imported every night say nothing new; those
	// take no lock.
	next := *stored
	if err := change(&next); err != nil {
		return "", "", err
	}
	if len(changedFields(stored, &next)) == 0 {
		return sku, ResultUnchanged, nil
	}
	_, changed, err := im.service.updateProduct(ctx, tx, im.principal, stored.ID, change)
	if !changed {
		return sku, ResultUnchanged, err
	}
	return sku, ResultUpdated, err
}

// change brings the cells that are not empty into a product.
func (im *productImport) change(ctx context.Context, tx store.Tx, product *mintage.Product, r record) error {
	if name := r.text("name"); name != "" {
		product.Name = name
	}
	if gtin := r.text("gtin"); gtin != "" {
		if err := setGTIN(product, gtin); err != nil {
			return err
		}
	}
	if status := r.text("commercial_status"); status != "" {
		product.Status = mintage.CommercialStatus(strings.ToUpper(status))
	}
	if id := r.text("dpp_schema"); id != "" && id != product.SchemaID {
		if _, err := im.schema(ctx, tx, id, r.columns); err != nil {
			return err
		}
		product.SchemaID = id
	}
	return im.changeAttributes(ctx, tx, product, r)
}

func (im *productImport) changeAttributes(ctx context.Context, tx store.Tx, product *mintage.Product, r record) error {
	values := map[string]any{}
	for i, column := range r.columns.attributes {
		cell := r.cells[column.index]
		if strings.TrimSpace(cell) == "" {
			continue
		}
		heading := attributePrefix + column.name
		if product.SchemaID == "" {
			return invalid(heading, "The product has no DPP schema that says what this column holds; fill in dpp_schema.")
		}
		schema, err := im.schema(ctx, tx, product.SchemaID, r.columns)
		if err != nil {
			return err
		}
		name := schema.names[i]
		value, err := schema.ParseCell(name, cell)
		if err != nil {
			return invalid(heading, "%s", mintage.ErrorMessage(err))
		}
		switch value.(type) {
		case map[string]any, []any: // the cell is JSON
			if err := checkCell(strings.TrimSpace(cell)); err != nil {
				return invalid(heading, "%s", mintage.ErrorMessage(err))
			}
		}
		values[name] = value
	}
	if len(values) == 0 {
		return nil
	}
	attributes, err := editAttributes(product.Attributes, func(object map[string]any) { maps.Copy(object, values) })
	if err != nil {
		return err
	}
	product.Attributes = attributes
	return nil
}

// schema finds a schema once per import: it takes long to compile, and a file
// that is being imported means one version of it.
func (im *productImport) schema(ctx context.Context, tx store.Tx, id string, columns *columns) (*boundSchema, error) {
	if bound, ok := im.schemas[id]; ok {
		return bound, nil
	}
	schema, err := FindSchema(ctx, tx, im.principal.BrandNumber, id)
	if err != nil {
		return nil, unknownSchema(err)
	}
	bound := &boundSchema{Schema: schema}
	for _, column := range columns.attributes {
		bound.names = append(bound.names, attributeName(schema, column.name))
	}
	im.schemas[id] = bound
	return bound, nil
}

// attributeName finds the attribute that a heading means: by its exact name, else
// by the only one that folds to the same. Otherwise the heading itself, which the
// schema will refuse.
func attributeName(schema *dpp.Schema, heading string) string {
	if _, ok := schema.Attribute(heading); ok {
		return heading
	}
	name := ""
	for _, a := range schema.Attributes {
		if fold(a.Name) != fold(heading) {
			continue
		}
		if name != "" {
			return heading
		}
		name = a.Name
	}
	if name == "" {
		return heading
	}
	return name
}

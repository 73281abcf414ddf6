package web

import (
	"bytes"
	"context"
	"io"

	"mintage"
	"mintage/examples"
	"mintage/internal/catalogue"
	"mintage/internal/mint"
)

// gettingStarted is the way of an empty brand to its first batch.
type gettingStarted struct {
	Notice string // what has just been done, or ""
	Steps  []startStep
}

// startStep is one step of it.
type startStep struct {
	Number   int
	Name     string // products, production or mint: its texts go by it
	Done     bool
	Next     bool // the one to do now
	Optional bool

	May    bool // whoever looks may do it
	Path   string
	Sample string // the path of its sample file; "" where it has none
	Use    string // the path that imports the sample; "" where that would mix it with what there is
}

// gettingStarted works out how far the brand has come; nil where it has a batch.
func (v *visit) gettingStarted() (*gettingStarted, error) {
	batches, err := v.Mint.List(v.ctx(), v.principal, mint.Filter{}, mint.Page{Limit: 1})
	if err != nil || len(batches) > 0 {
		return nil, err
	}
	products, err := v.hasProducts()
	if err != nil {
		return nil, err
	}
	runs, err := v.hasProductionBatches()
	if err != nil {
		return nil, err
	}
	start := &gettingStarted{Notice: v.done("sample_products", "sample_production_batches"), Steps: []startStep{
		{Number: 1, Name: "products", Done: products, May: v.allows("import_products"), Path: "/products/import", Sample: sampleProducts},
		{Number: 2, Name: "production", Done: runs, Optional: true, May: v.allows("import_production_batches"), Path: "/production-batches/import", Sample: sampleRuns},
		{Number: 3, Name: "mint", May: v.allows("submit_mint_request"), Path: "/mint/new"},
	}}
	switch {
	case !products:
		start.Steps[0].Next = true
		start.Steps[0].Use = "/mint/start/sample-products"
	case !runs:
		sample, err := v.hasSample()
		if err != nil {
			return nil, err
		}
		start.Steps[1].Next = true
		if sample {
			start.Steps[1].Use = "/mint/start/sample-production-batches"
		}
	}
	start.Steps[2].Next = products
	return start, nil
}

func (v *visit) hasProducts() (bool, error) {
	list, err := v.Catalogue.Products(v.ctx(), v.principal, catalogue.ProductFilter{}, catalogue.Page{Limit: 1})
	return len(list) > 0, err
}

func (v *visit) hasProductionBatches() (bool, error) {
	list, err := v.Catalogue.ProductionBatches(v.ctx(), v.principal, "", catalogue.Page{Limit: 1})
	return len(list) > 0, err
}

// hasSample reports whether the sample's products are the brand's.
func (v *visit) hasSample() (bool, error) {
	const one = "FL-BIKE-36V14"
	list, err := v.Catalogue.Products(v.ctx(), v.principal, catalogue.ProductFilter{SKU: one}, catalogue.Page{Limit: 1})
	return len(list) > 0, err
}

// The paths of the sample files.
const (
	sampleProducts = "/mint/start/products.csv"
	sampleRuns     = "/mint/start/production-batches.csv"
)

func (v *visit) sampleProductsFile() error {
	return v.sampleFile("products.csv", examples.Catalogue)
}

func (v *visit) sampleRunsFile() error {
	return v.sampleFile("production-batches.csv", examples.ProductionBatches)
}

// sampleFile serves a file to try an import with.
func (v *visit) sampleFile(name string, content []byte) error {
	if err := v.saveSession(); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	v.answered = true
	_, _ = v.w.Write(content) // nobody to tell
	return nil
}

// useSampleProducts imports the sample's products into a brand that has none. Where
// it has some, as after the form was sent twice, nothing is mixed in.
func (v *visit) useSampleProducts() error {
	has, err := v.hasProducts()
	if err != nil {
		return err
	}
	if has {
		v.redirect("/mint")
		return nil
	}
	return v.useSample(v.Catalogue.ImportProducts, examples.Catalogue, "sample_products")
}

// useSampleRuns imports the sample's production batches, which are of its products.
func (v *visit) useSampleRuns() error {
	has, err := v.hasProductionBatches()
	if err != nil {
		return err
	}
	sample, err := v.hasSample()
	if err != nil {
		return err
	}
	if has || !sample {
		v.redirect("/mint")
		return nil
	}
	return v.useSample(v.Catalogue.ImportProductionBatches, examples.ProductionBatches, "sample_production_batches")
}

func (v *visit) useSample(
	load func(context.Context, mintage.Principal, io.Reader, func(catalogue.Row) error) (catalogue.Summary, error), file []byte, done string,
) error {
	if _, err := load(v.ctx(), v.principal, bytes.NewReader(file), func(catalogue.Row) error { return nil }); err != nil {
		return err
	}
	v.redirect("/mint?done=" + done)
	return nil
}

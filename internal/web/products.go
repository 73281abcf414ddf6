package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/catalogue"
	"mintage/internal/dpp"
	"mintage/internal/mint"
)

const (
	// listLength is how many rows of the catalogue a page shows at once.
	listLength = 50
	// fewRows is how many rows of another list a page shows beside its own matter.
	fewRows = 5
	// maxSearch is how many characters a search may have.
	maxSearch = 200
)

// May reports whether the member's role allows an operation, so that a page shows no
// button that would be refused.
func (v *view) May(op access.Operation) bool { return access.Allow(v.visit.principal, op) == nil }

// productRow is one product of a list.
type productRow struct {
	*mintage.Product

	Open int // what stands in the way of minting it; 0: it is ready
}

// productList is what the page of products shows.
type productList struct {
	part[productRow]

	Search, Status string
	Statuses       []option
	Notice         string
}

// Filtered reports whether the list is narrowed.
func (l productList) Filtered() bool { return l.Search != "" || l.Status != "" }

// productsPage lists products, or those that a search finds.
func (v *visit) productsPage() error {
	query := v.r.URL.Query()
	list := productList{
		Search: trimSearch(query.Get("q")), Status: query.Get("status"),
		Statuses: statuses(v, "catalogue.any_status", mintage.CommercialStatuses),
	}
	if !slices.Contains(mintage.CommercialStatuses, mintage.CommercialStatus(list.Status)) {
		list.Status = ""
	}
	page, err := v.page(listLength)
	if err != nil {
		return err
	}
	filter := catalogue.ProductFilter{Search: list.Search, Status: mintage.CommercialStatus(list.Status)}
	products, err := v.Catalogue.Products(v.ctx(), v.principal, filter, page)
	if err != nil {
		return err
	}
	shown := partOf(v, products, listLength, func(p *mintage.Product) int64 { return p.Number })
	reasons, err := v.Mint.Readiness(v.ctx(), v.principal, shown.Rows)
	if err != nil {
		return err
	}
	list.Next = shown.Next
	for i, p := range shown.Rows {
		list.Rows = append(list.Rows, productRow{p, len(reasons[i])})
	}
	return v.render(http.StatusOK, "products", list)
}

// trimSearch makes of what was typed what can be searched for.
func trimSearch(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, text), " "))
	if utf8.RuneCountInString(text) > maxSearch {
		text = string([]rune(text)[:maxSearch])
	}
	return text
}

// statuses are the options of a choice among states, after one for none of them.
func statuses[S ~string](v *visit, none string, states []S) []option {
	options := []option{{Label: v.language.text(none)}}
	for _, state := range states {
		options = append(options, option{Value: string(state), Label: v.language.text("catalogue.status." + string(state))})
	}
	return options
}

// productPage shows one product, and what was made of it.
func (v *visit) productPage() error {
	data, err := v.productData(v.r.PathValue("product_id"))
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "product", data)
}

// productData is what the page of a product shows.
type productData struct {
	Product *mintage.Product
	Notice  string
	Open    []openPoint // what stands in the way of minting it
	Groups  []shownGroup
	Unsaid  int // optional attributes without a value
	Links   []mintage.Link

	ProductionBatches     []productionBatchRow
	MoreProductionBatches bool
	MintBatches           []*mint.Work
	MoreMintBatches       bool
}

// openPoint is one thing that stands in the way of minting a product.
type openPoint struct {
	Text string
	Path string // where to do something about it; "" where the role may not
}

func (v *visit) productData(id string) (*productData, error) {
	product, schema, err := v.productAndSchema(id)
	if err != nil {
		return nil, err
	}
	data := &productData{Product: product}
	switch v.r.URL.Query().Get("done") {
	case "created":
		data.Notice = v.language.text("done.product_created")
	case "saved":
		data.Notice = v.language.text("done.product_saved")
	}
	reasons, err := v.Mint.Readiness(v.ctx(), v.principal, []*mintage.Product{product})
	if err != nil {
		return nil, err
	}
	for _, r := range reasons[0] {
		data.Open = append(data.Open, v.openPoint(product, schema, r))
	}
	if data.Groups, data.Unsaid, err = v.showAttributes(product, schema); err != nil {
		return nil, err
	}
	if data.Links, err = v.Mint.Links(v.ctx(), v.principal, product.ID); err != nil {
		return nil, err
	}
	some := mint.Page{Limit: fewRows + 1}
	runs, err := v.Catalogue.ProductionBatches(v.ctx(), v.principal, product.ID, some)
	if err != nil {
		return nil, err
	}
	data.MoreProductionBatches = len(runs) > fewRows
	if data.ProductionBatches, err = v.productionBatchRows(runs[:min(len(runs), fewRows)]); err != nil {
		return nil, err
	}
	works, err := v.Mint.List(v.ctx(), v.principal, mint.Filter{ProductID: product.ID}, some)
	if err != nil {
		return nil, err
	}
	data.MoreMintBatches = len(works) > fewRows
	data.MintBatches = works[:min(len(works), fewRows)]
	return data, nil
}

// productAndSchema returns a product and the DPP schema that it names; nil for none.
func (v *visit) productAndSchema(id string) (*mintage.Product, *dpp.Schema, error) {
	product, err := v.Catalogue.Product(v.ctx(), v.principal, id)
	if err != nil || product.SchemaID == "" {
		return product, nil, err
	}
	schema, err := v.Catalogue.Schema(v.ctx(), v.principal, product.SchemaID)
	return product, schema, err
}

// openPoint says a blocking reason of a product in the reader's language, and leads to
// where it is mended.
func (v *visit) openPoint(product *mintage.Product, schema *dpp.Schema, r mintage.Reason) openPoint {
	edit := "/products/" + product.ID + "/edit"
	point := openPoint{Path: edit}
	switch r.Code {
	case mintage.ReasonStatusNotActive:
		point.Text = v.language.text("catalogue.open.status", v.language.text("catalogue.status."+string(product.Status)))
		point.Path += "#product_status"
	case mintage.ReasonFieldMissing, mintage.ReasonFieldInvalid:
		pointer := strings.TrimPrefix(r.Field, "/attributes")
		label, expected := v.attributeLabel(schema, pointer)
		point.Text = v.language.text("catalogue.open.missing", label)
		if r.Code == mintage.ReasonFieldInvalid {
			point.Text = v.language.text("catalogue.open.invalid", label, v.problemText(r.Message, expected))
		}
		point.Path += "#" + pointer
	case mintage.ReasonGTINRequired:
		point.Text = v.language.text("catalogue.open.gtin_required")
		point.Path += "#product_gtin"
	case mintage.ReasonGTINTaken:
		point.Text = v.language.text("catalogue.open.gtin_taken")
		point.Path += "#product_gtin"
	default:
		point.Text = r.Message
	}
	if access.Allow(v.principal, "update_product") != nil {
		point.Path = ""
	}
	return point
}

// Schema is what people call a DPP schema.
func (v *view) Schema(id string) string { return v.visit.schemaName(id) }

// schemaName is what people call a DPP schema: those of mintage have a name in each
// language, a brand's own is known by its id.
func (v *visit) schemaName(id string) string {
	if id == "" {
		return v.language.text("catalogue.schema.none")
	}
	if name, ok := v.language.texts["catalogue.schema."+id]; ok {
		return name
	}
	return id
}

// CatalogueState describes the chip of a product's or a production batch's state.
func (v *view) CatalogueState(state any) chip {
	name := fmt.Sprint(state)
	return chip{State: name, Text: v.T("catalogue.status." + name)}
}

// gtinView is a GTIN that can be copied.
type gtinView struct {
	Value, Copied string
	Groups        []string // set apart by the style sheet, not by characters
}

// GTIN describes a GTIN as it is stored, with 14 digits.
func (v *view) GTIN(gtin string) gtinView {
	return gtinView{gtin, v.T("layout.copied"), []string{gtin[:2], gtin[2:6], gtin[6:10], gtin[10:]}}
}

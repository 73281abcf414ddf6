package web

import (
	"errors"
	"html/template"
	"math"
	"strings"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/export/qr"
)

// blocked is one thing that stands in the way, in the reader's words, at the field that
// it concerns.
type blocked struct {
	fault
	Fix     string // where it can be mended; "" where a step of the wizard does
	FixText string
}

// blockedBy says everything that stands in the way of a well-formed request, for
// product, which it may be nil for.
func (w *wizard) blockedBy(req *mintage.MintRequest, product *mintage.Product) ([]blocked, error) {
	reasons, err := w.Mint.Preflight(w.ctx(), w.principal, req)
	if conflict, ok := errors.AsType[*mintage.Error](err); ok && conflict.Code == mintage.CodeConflict {
		return []blocked{{fault: fault{"quantity", w.language.text("wizard.fault.no_room", int64(mintage.MaxProductUnits))}}}, nil
	}
	if err != nil {
		return nil, err
	}
	list := make([]blocked, 0, len(reasons))
	for _, r := range reasons {
		words, err := w.explainReason(r, req, product)
		if err != nil {
			return nil, err
		}
		b := blocked{fault: fault{fieldOfReason(r.Code), words}}
		if b.Field == "product_id" && product != nil {
			b.Fix, b.FixText = "/products/"+product.ID, w.language.text("wizard.fix.view")
			if access.Allow(w.principal, "update_product") == nil {
				b.Fix, b.FixText = b.Fix+"/edit", w.language.text("wizard.fix.edit")
			}
		}
		list = append(list, b)
	}
	return list, nil
}

// fieldOfReason is the field of the wizard that a reason concerns.
func fieldOfReason(code mintage.Code) string {
	switch code {
	case mintage.ReasonProductionNotFound, mintage.ReasonProductionMismatch, mintage.ReasonProductionNotReady:
		return "production_batch_id"
	case mintage.ReasonQuantityExceeds:
		return "quantity"
	default:
		return "product_id"
	}
}

// explainReason says a reason in the reader's language, by its code.
func (w *wizard) explainReason(r mintage.Reason, req *mintage.MintRequest, product *mintage.Product) (string, error) {
	text := w.language.text
	key := "wizard.reason." + string(r.Code)
	switch {
	case r.Code == mintage.ReasonStatusNotActive && product != nil:
		return text(key, text("wizard.status."+string(product.Status))), nil
	case r.Code == mintage.ReasonProductionNotReady && w.run != nil:
		return text(key, w.run.Code, text("wizard.run."+string(w.run.Status))), nil
	case r.Quantities != nil:
		q := r.Quantities
		return text(key, req.RequestedQuantity, q.Remaining, q.ProductionBatch, q.Committed), nil
	case r.Code == mintage.ReasonFieldMissing, r.Code == mintage.ReasonFieldInvalid:
		label, err := w.attributeLabel(r, product)
		if err != nil {
			return "", err
		}
		words := text(key, label)
		if r.Code == mintage.ReasonFieldInvalid && w.language.code == "en" {
			words += " " + r.Message // the schema's own words, which are English
		}
		return words, nil
	default:
		return text(key), nil
	}
}

// attributeLabel is what the product's DPP schema calls the field of a reason.
func (w *wizard) attributeLabel(r mintage.Reason, product *mintage.Product) (string, error) {
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.Field, "/attributes"), "/"), "/")
	if name == "" || product == nil {
		return w.language.text("wizard.attributes"), nil
	}
	schema, err := w.Catalogue.Schema(w.ctx(), w.principal, product.SchemaID)
	if err != nil {
		return "", err
	}
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	if a, ok := schema.Attribute(name); ok {
		return a.Title(w.language.code), nil
	}
	return name, nil
}

// previewData is what will be printed on the first unit.
type previewData struct {
	Prefix, Example, Suffix string
	Lot                     string
	SVG                     template.HTML
	Modules                 int
	Least                   string // how wide it has to be printed at least, in mm
	Widths                  []printedWidth
}

// printedWidth is how wide a module becomes where the code is printed so wide.
type printedWidth struct {
	Width, Module string // in mm
	TooSmall      bool
}

// preview is nil where the configuration is not far enough for one.
func (w *wizard) preview() (*previewData, error) {
	if w.chosen == nil || w.request.IdentityMode != mintage.IdentitySerial && w.request.IdentityMode != mintage.IdentityBatch {
		return nil, nil
	}
	p, err := w.Mint.Preview(w.ctx(), w.principal, w.request)
	switch mintage.ErrorCode(err) {
	case "":
	case mintage.CodeInvalidInput, mintage.CodeNotFound: // said beside the lot, or at its own step
		return nil, nil
	default:
		return nil, err
	}
	code, err := qr.Encode(p.URL(), qr.M)
	if err != nil {
		return nil, err
	}
	data := &previewData{
		Prefix: p.Prefix, Example: p.Example, Suffix: p.Suffix, Lot: p.Lot,
		SVG: template.HTML(code.SVG()), Modules: code.Size(), //nolint:gosec // G203: numbers only
		Least: w.decimal("%.1f", math.Ceil(10*code.MinWidth())/10),
	}
	for _, width := range []float64{12, 15, 20, 25} {
		module := code.Module(width)
		data.Widths = append(data.Widths, printedWidth{
			Width: w.decimal("%.0f", width), Module: w.decimal("%.2f", math.Floor(100*module)/100), TooSmall: module < qr.MinModule,
		})
	}
	return data, nil
}

// decimal writes a number as the reader's language does.
func (w *wizard) decimal(format string, n float64) string {
	return w.language.printer.Sprintf(format, n)
}

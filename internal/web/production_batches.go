package web

import (
	"net/http"
	"strconv"
	"strings"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/mint"
)

// productionBatchFields are the fields of a production batch's form, by the names that
// the use cases know them by.
var productionBatchFields = map[string]string{
	"code": "run_code", "sku": "run_sku", "product_id": "run_sku", "quantity": "run_quantity", "status": "run_status",
}

// productionBatchRow is one production batch with its product.
type productionBatchRow struct {
	*mintage.ProductionBatch

	Product   *mintage.Product
	Remaining int64
	Capacity  int64
}

// Over is how many units may be minted beyond the quantity.
func (r productionBatchRow) Over() int64 { return r.Capacity - r.Quantity }

// productionBatchList is what the page of production batches shows.
type productionBatchList struct {
	part[productionBatchRow]

	SKU     string
	Product *mintage.Product // the one that the list is narrowed to, or nil
	Unknown bool             // no product has the SKU
}

// Filtered reports whether the list is narrowed.
func (l productionBatchList) Filtered() bool { return l.Product != nil || l.Unknown }

// productionBatchesPage lists production batches: of one product, or of all.
func (v *visit) productionBatchesPage() error {
	query := v.r.URL.Query()
	list := productionBatchList{SKU: trimSearch(query.Get("sku"))}
	var err error
	if list.SKU != "" {
		found, err := v.Catalogue.Products(v.ctx(), v.principal, catalogue.ProductFilter{SKU: list.SKU}, mint.Page{Limit: 1})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			list.Unknown = true
			return v.render(http.StatusOK, "production_batches", list)
		}
		list.Product = found[0]
	} else if id := query.Get("product_id"); id != "" {
		if list.Product, err = v.Catalogue.Product(v.ctx(), v.principal, id); err != nil {
			return err
		}
		list.SKU = list.Product.SKU
	}
	page, err := v.page(listLength)
	if err != nil {
		return err
	}
	id := ""
	if list.Product != nil {
		id = list.Product.ID
	}
	batches, err := v.Catalogue.ProductionBatches(v.ctx(), v.principal, id, page)
	if err != nil {
		return err
	}
	shown := partOf(v, batches, listLength, func(b *mintage.ProductionBatch) int64 { return b.Number })
	list.Next = shown.Next
	if list.Rows, err = v.productionBatchRows(shown.Rows); err != nil {
		return err
	}
	return v.render(http.StatusOK, "production_batches", list)
}

// productionBatchRows adds to production batches what they do not know themselves.
func (v *visit) productionBatchRows(batches []*mintage.ProductionBatch) ([]productionBatchRow, error) {
	brand, err := v.Mint.Settings(v.ctx(), v.principal)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, b := range batches {
		ids = append(ids, b.ProductID)
	}
	products, err := v.Catalogue.ProductsByID(v.ctx(), v.principal, ids)
	if err != nil {
		return nil, err
	}
	var rows []productionBatchRow
	for _, b := range batches {
		rows = append(rows, productionBatchRow{b, products[b.ProductID], b.Remaining(brand.OverIssuePercent), b.Capacity(brand.OverIssuePercent)})
	}
	return rows, nil
}

// productionBatchData is what the page of one production batch shows; Row is nil for a
// new one.
type productionBatchData struct {
	Row      *productionBatchRow
	Statuses []option
	Notice   string
}

// Action is where the form is sent to.
func (d productionBatchData) Action() string {
	if d.Row == nil {
		return "/production-batches/new"
	}
	return "/production-batches/" + d.Row.ID
}

func (v *visit) productionBatchForm(status int, row *productionBatchRow, f *form) error {
	data := productionBatchData{Row: row}
	switch v.r.URL.Query().Get("done") {
	case "created":
		data.Notice = v.language.text("done.run_created")
	case "saved":
		data.Notice = v.language.text("done.run_saved")
	}
	for _, s := range mintage.ProductionBatchStatuses {
		data.Statuses = append(data.Statuses, option{string(s), v.language.text("catalogue.status." + string(s)), v.language.text("catalogue.run_status." + string(s))})
	}
	return v.renderForm(status, "production_batch", data, f)
}

// newProductionBatchPage shows an empty form, for a product if the URL names one.
func (v *visit) newProductionBatchPage() error {
	f := &form{values: map[string]string{}}
	if id := v.r.URL.Query().Get("product_id"); id != "" {
		product, err := v.Catalogue.Product(v.ctx(), v.principal, id)
		if err != nil {
			return err
		}
		f.values["run_sku"] = product.SKU
	}
	return v.productionBatchForm(http.StatusOK, nil, f)
}

// createProductionBatch stores a new one. A code that is there already is a fault: who
// asks for a new production batch does not mean to change another.
func (v *visit) createProductionBatch() error {
	f := v.form
	in, ok := v.readProductionBatch(f, "run_code")
	if ok {
		switch _, err := v.Catalogue.ProductionBatchByCode(v.ctx(), v.principal, in.Code); mintage.ErrorCode(err) {
		case mintage.CodeNotFound:
		case "":
			f.faults, ok = append(f.faults, fault{"run_code", v.language.text("fault.run_code.CONFLICT")}), false
		default:
			return err
		}
	}
	if !ok {
		return v.productionBatchForm(http.StatusUnprocessableEntity, nil, f)
	}
	return v.putProductionBatch(in, nil, "created")
}

// productionBatchPage shows one production batch, as a form to those who may change it.
func (v *visit) productionBatchPage() error {
	row, err := v.productionBatch()
	if err != nil {
		return err
	}
	sku := ""
	if row.Product != nil {
		sku = row.Product.SKU
	}
	return v.productionBatchForm(http.StatusOK, row, &form{values: map[string]string{
		"run_sku": sku, "run_quantity": strconv.FormatInt(row.Quantity, 10), "run_status": string(row.Status),
	}})
}

// productionBatch is the one that the path names.
func (v *visit) productionBatch() (*productionBatchRow, error) {
	batch, err := v.Catalogue.ProductionBatch(v.ctx(), v.principal, v.r.PathValue("production_batch_id"))
	if err != nil {
		return nil, err
	}
	rows, err := v.productionBatchRows([]*mintage.ProductionBatch{batch})
	if err != nil {
		return nil, err
	}
	return &rows[0], nil
}

// changeProductionBatch changes one as an ERP would: the last write counts, and what
// contradicts the committed figure is refused.
func (v *visit) changeProductionBatch() error {
	row, err := v.productionBatch()
	if err != nil {
		return err
	}
	in, ok := v.readProductionBatch(v.form)
	if in.Code = row.Code; !ok {
		return v.productionBatchForm(http.StatusUnprocessableEntity, row, v.form)
	}
	return v.putProductionBatch(in, row, "saved")
}

// readProductionBatch reads the form; required are fields besides those of each form.
func (v *visit) readProductionBatch(f *form, required ...string) (in catalogue.ProductionBatchInput, ok bool) {
	v.require(f, append(required, "run_sku", "run_quantity")...)
	in = catalogue.ProductionBatchInput{
		Code: f.text("run_code"), SKU: f.text("run_sku"), Status: mintage.ProductionBatchStatus(f.text("run_status")),
	}
	if digits := f.text("run_quantity"); digits != "" {
		var err error
		if in.Quantity, err = strconv.ParseInt(digits, 10, 64); err != nil || strings.Trim(digits, "0123456789") != "" {
			f.faults = append(f.faults, fault{"run_quantity", v.language.text("fault.run_quantity")})
		}
	}
	return in, len(f.faults) == 0
}

func (v *visit) putProductionBatch(in catalogue.ProductionBatchInput, row *productionBatchRow, done string) error {
	f := v.form
	batch, _, err := v.Catalogue.PutProductionBatch(v.ctx(), v.principal, in)
	switch {
	case err == nil:
		v.redirect("/production-batches/" + batch.ID + "?done=" + done)
		return nil
	case mintage.ErrorCode(err) == mintage.CodeCommitted:
		return v.belowCommitted(in)
	case v.blame(f, err, productionBatchFields):
		return v.productionBatchForm(http.StatusUnprocessableEntity, row, f)
	default:
		return err
	}
}

// belowCommitted shows the form again with what keeps the change from being made; the
// figure is read anew, and so perhaps larger than the one that it was refused for.
func (v *visit) belowCommitted(in catalogue.ProductionBatchInput) error {
	batch, err := v.Catalogue.ProductionBatchByCode(v.ctx(), v.principal, in.Code)
	if err != nil {
		return err
	}
	rows, err := v.productionBatchRows([]*mintage.ProductionBatch{batch})
	if err != nil {
		return err
	}
	at := fault{"run_quantity", v.language.text("catalogue.committed_quantity", batch.Committed)}
	if p := rows[0].Product; p == nil || p.SKU != in.SKU {
		at = fault{"run_sku", v.language.text("catalogue.committed_product", batch.Committed)}
	}
	v.form.faults = append(v.form.faults, at)
	return v.productionBatchForm(http.StatusConflict, &rows[0], v.form)
}

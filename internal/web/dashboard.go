package web

import (
	"net/http"
	"net/url"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/mint"
)

// Tabs of the dashboard.
const (
	tabBatches  = "batches"
	tabTokens   = "tokens"
	tabExports  = "exports"
	tabActivity = "activity"
)

// tab is one of them in the head.
type tab struct {
	Name, Path string
	Current    bool
}

// dashboardHead is what all tabs of the dashboard begin with; the template of the same
// name shows it.
type dashboardHead struct {
	*mint.Overview

	Chart   *chart
	Tabs    []tab
	Query   string // what was searched for
	MayMint bool
}

// dashboardHead reads the figures of the brand for the head of a tab.
func (v *visit) dashboardHead(current string) (*dashboardHead, error) {
	o, err := v.Mint.Overview(v.ctx(), v.principal)
	if err != nil {
		return nil, err
	}
	head := &dashboardHead{Overview: o, Chart: newChart(v.language, o.Days), MayMint: v.may("submit_mint_request")}
	for _, t := range []struct {
		tab
		op access.Operation
	}{
		{tab{Name: tabBatches, Path: "/mint"}, opViewDashboard},
		{tab{Name: tabTokens, Path: "/mint/tokens"}, "list_units"},
		{tab{Name: tabExports, Path: "/mint/exports"}, "export_mint_batch"},
		{tab{Name: tabActivity, Path: "/mint/activity"}, "list_events"},
	} {
		if v.may(t.op) {
			t.Current = t.Name == current
			head.Tabs = append(head.Tabs, t.tab)
		}
	}
	return head, nil
}

// may reports whether the member's role allows an operation.
func (v *visit) may(op access.Operation) bool { return access.Allow(v.principal, op) == nil }

// home is where the wordmark leads.
func (v *visit) home() error {
	v.redirect("/mint")
	return nil
}

// batchesLength is how many batches one part of the list has.
const batchesLength = 25

// batchesData is the dashboard's first tab.
type batchesData struct {
	Head *dashboardHead
	part[batchRow]

	Filter batchFilter
	// Live says that a row may change by itself.
	Live bool
	// Start is shown instead of the list while the brand has no batch; else nil.
	Start *gettingStarted
}

// batchRow is one batch in a list.
type batchRow struct {
	mint.Work

	Product     *mintage.Product
	SubmittedBy string
}

// Percent is how far minting is, 0 to 100, rounded down so that 100 means done.
func (r batchRow) Percent() int64 {
	if r.Batch.RequestedQuantity == 0 {
		return 0
	}
	return 100 * r.Batch.MintedQuantity / r.Batch.RequestedQuantity
}

// Running says that the row may change by itself.
func (r batchRow) Running() bool { return !r.Job.Status.Final() }

// batchFilter is what the URL says of the list.
type batchFilter struct {
	State   string // a job's state, "RUNNING" for those that are not final, "" for all
	SKU     string
	Product *mintage.Product // of the SKU; nil where none has it
}

// stateRunning stands for all states that are not final.
const stateRunning = "RUNNING"

// Narrow reports whether the filter leaves anything out.
func (f batchFilter) Narrow() bool { return f.State != "" || f.SKU != "" }

// batchFilter reads the filter. What is no state is none: the URL is anybody's.
func (v *visit) batchFilter() (f batchFilter, err error) {
	query := v.r.URL.Query()
	for _, state := range append([]string{stateRunning}, jobStates()...) {
		if query.Get("state") == state {
			f.State = state
		}
	}
	if sku := query.Get("sku"); cleanText(sku) {
		f.SKU = sku
	}
	if f.SKU == "" {
		return f, nil
	}
	f.Product, err = v.Catalogue.ProductBySKU(v.ctx(), v.principal, f.SKU)
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return f, nil
	}
	return f, err
}

func jobStates() []string {
	states := make([]string, len(mintage.JobStatuses))
	for i, s := range mintage.JobStatuses {
		states[i] = string(s)
	}
	return states
}

// States are the choices of the list's filter.
func (batchesData) States() []string { return append([]string{stateRunning}, jobStates()...) }

// dashboard shows the brand's batches, newest first.
func (v *visit) dashboard() error {
	head, err := v.dashboardHead(tabBatches)
	if err != nil {
		return err
	}
	d := batchesData{Head: head}
	if d.Filter, err = v.batchFilter(); err != nil {
		return err
	}
	if d.Filter.SKU == "" || d.Filter.Product != nil {
		f := mint.Filter{Unfinished: d.Filter.State == stateRunning}
		if !f.Unfinished {
			f.JobStatus = mintage.JobStatus(d.Filter.State)
		}
		if d.Filter.Product != nil {
			f.ProductID = d.Filter.Product.ID
		}
		if d.part, err = v.batchRows(f, batchesLength); err != nil {
			return err
		}
	}
	for _, r := range d.Rows {
		d.Live = d.Live || r.Running()
	}
	if len(d.Rows) == 0 && !d.Filter.Narrow() {
		if d.Start, err = v.gettingStarted(); err != nil {
			return err
		}
	}
	return v.render(http.StatusOK, "dashboard", d)
}

// batchRows reads the part of the batches that the request asks for.
func (v *visit) batchRows(f mint.Filter, limit int) (p part[batchRow], err error) {
	page, err := v.page(limit)
	if err != nil {
		return p, err
	}
	works, err := v.Mint.List(v.ctx(), v.principal, f, page)
	if err != nil {
		return p, err
	}
	found := partOf(v, works, limit, func(w *mint.Work) int64 { return w.Batch.Number })
	var actors, productIDs []string
	for _, w := range found.Rows {
		actors, productIDs = append(actors, w.Job.SubmittedBy), append(productIDs, w.Batch.ProductID)
	}
	products, err := v.Catalogue.ProductsByID(v.ctx(), v.principal, productIDs)
	if err != nil {
		return p, err
	}
	names, err := v.names(actors)
	if err != nil {
		return p, err
	}
	p.Next = found.Next
	for _, w := range found.Rows {
		p.Rows = append(p.Rows, batchRow{*w, products[w.Batch.ProductID], names(w.Job.SubmittedBy)})
	}
	return p, nil
}

// mintAgain is where the wizard begins filled in with what a batch did not mint.
func mintAgain(b *mintage.Batch) string {
	query := url.Values{
		"product_id": {b.ProductID}, "identity_mode": {string(b.IdentityMode)}, "activation_mode": {string(b.ActivationMode)},
		"quantity": {formatInt(b.Remaining())},
	}
	if b.ProductionBatchID != "" {
		query.Set("production_batch_id", b.ProductionBatchID)
	}
	for _, lot := range b.Lots {
		left := min(lot.Quantity, lot.FirstOrdinal+lot.Quantity-b.NextOrdinal())
		if lot.Code != "" && left > 0 {
			query.Add("lot_code", lot.Code)
			query.Add("lot_quantity", formatInt(left))
		}
	}
	return "/mint/new?" + query.Encode()
}

package web

import (
	"errors"
	"net/http"

	"mintage"
	"mintage/internal/edge"
	"mintage/internal/mint"
)

// batchData is what the page of a batch shows.
type batchData struct {
	batchRow

	Progress        progress
	Counts          *mint.BatchCounts
	ProductionBatch *mintage.ProductionBatch // nil where none is linked
	Notice          string
	Again           string // where what is missing can be minted; "" where nothing is, or not by this member

	MayExport, MayListUnits, MayRecall bool
}

// NamedLots reports whether the batch has lots that have codes.
func (d batchData) NamedLots() bool { return d.Batch.Lots[0].Code != "" }

// Remaining is how many units are still to be minted.
func (d batchData) Remaining() int64 { return d.Batch.Remaining() }

// lotRow is one lot with its counts.
type lotRow struct {
	mintage.Lot
	mintage.Counts
}

// Total is how many units of the lot are minted.
func (r lotRow) Total() int64 { return r.Minted + r.Active + r.Revoked }

// Lots are the batch's, in their order.
func (d batchData) Lots() []lotRow {
	rows := make([]lotRow, len(d.Batch.Lots))
	for i, lot := range d.Batch.Lots {
		rows[i] = lotRow{lot, d.Counts.Lots[i]}
	}
	return rows
}

// batchPage shows a batch: how far it is, what became of its units, and what to do
// next.
func (v *visit) batchPage() error {
	w, err := v.Mint.Batch(v.ctx(), v.principal, v.r.PathValue("batch_id"))
	if err != nil {
		return err
	}
	d := batchData{
		batchRow:  batchRow{Work: *w},
		MayExport: v.may("export_mint_batch"), MayListUnits: v.may("list_units"), MayRecall: v.may("recall_mint_batch"),
	}
	if d.Product, err = v.Catalogue.Product(v.ctx(), v.principal, w.Batch.ProductID); err != nil {
		return err
	}
	if w.Batch.ProductionBatchID != "" {
		if d.ProductionBatch, err = v.Catalogue.ProductionBatch(v.ctx(), v.principal, w.Batch.ProductionBatchID); err != nil {
			return err
		}
	}
	names, err := v.names([]string{w.Job.SubmittedBy})
	if err != nil {
		return err
	}
	d.SubmittedBy = names(w.Job.SubmittedBy)
	if d.Counts, err = v.Mint.Counts(v.ctx(), v.principal, w.Batch.ID); err != nil {
		return err
	}
	if d.Progress, err = v.newPace().progress(w); err != nil {
		return err
	}
	switch v.r.URL.Query().Get("done") {
	case "submitted":
		d.Notice = v.language.text("done.submitted")
	case "already":
		d.Notice = v.language.text("done.already")
	}
	if w.Job.Status == mintage.JobFailed && v.may("submit_mint_request") {
		d.Again = mintAgain(&w.Batch)
	}
	return v.render(http.StatusOK, "batch", d)
}

// exportBatch sends the units of a batch as CSV.
func (v *visit) exportBatch() error {
	b, err := v.Export.Batch(v.ctx(), v.principal, v.r.PathValue("batch_id"))
	if err != nil {
		return err
	}
	if err := v.saveSession(); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="mint-batch-`+b.ID+`.csv"`)
	out := edge.NewPaced(v.w, edge.ChunkTime)
	admitted := v.stillAdmitted("export_mint_batch")
	err = v.Export.CSV(v.ctx(), b, out, func() error {
		if err := out.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		return admitted()
	})
	v.answered = out.Begun()
	if err == nil {
		return nil
	}
	if v.answered {
		v.Log.Warn("an export broke off", "request_id", edge.RequestID(v.ctx()), "error", err)
		panic(http.ErrAbortHandler) // a cut file must not look complete
	}
	h.Del("Content-Disposition")
	return err
}

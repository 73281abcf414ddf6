package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/mint"
)

// recallPage asks what of a batch is to be recalled, why, and whether it is meant.
type recallPage struct {
	*mint.Work

	Product *mintage.Product
	Recalls []*mintage.Recall // made before
	Notice  string
}

// Whole returns the recall of the whole batch, nil where there is none.
func (p *recallPage) Whole() *mintage.Recall {
	for _, r := range p.Recalls {
		if r.Quantity == p.Batch.RequestedQuantity {
			return r
		}
	}
	return nil
}

// recalled reports whether all of a lot is recalled already.
func (p *recallPage) recalled(l mintage.Lot) bool {
	for _, r := range p.Recalls {
		if r.Covers(l.FirstOrdinal) {
			return true
		}
	}
	return false
}

// Minting reports whether units are still to come.
func (p *recallPage) Minting() bool { return !p.Job.Status.Final() && p.Batch.Remaining() > 0 }

// The values of the choice: the whole batch, or a lot by its code.
const (
	recallWhole = "batch"
	recallLot   = "lot:"
)

// Parts are what there is to recall.
func (p *recallPage) Parts(v *view) field {
	options := []option{{Value: recallWhole, Label: v.T("recall.whole"), Hint: v.T("recall.units", p.Batch.RequestedQuantity)}}
	for _, l := range p.Batch.Lots {
		if l.Code != "" && !p.recalled(l) {
			options = append(options, option{Value: recallLot + l.Code, Label: v.T("recall.lot", l.Code), Hint: v.T("recall.units", l.Quantity)})
		}
	}
	return v.Select("recall_part", options)
}

func (v *visit) recallPage() error {
	f := &form{values: map[string]string{}}
	if lot := clean(v.r.URL.Query().Get("lot")); lot != "" {
		f.values["recall_part"] = recallLot + lot
	}
	return v.askToRecall(http.StatusOK, f)
}

func (v *visit) askToRecall(status int, f *form) error {
	id := v.r.PathValue("batch_id")
	w, err := v.Mint.Batch(v.ctx(), v.principal, id)
	if err != nil {
		return err
	}
	page := &recallPage{Work: w}
	if page.Product, err = v.Catalogue.Product(v.ctx(), v.principal, w.Batch.ProductID); err != nil {
		return err
	}
	if page.Recalls, err = v.Mint.Recalls(v.ctx(), v.principal, id); err != nil {
		return err
	}
	switch v.r.URL.Query().Get("done") {
	case "recalled":
		page.Notice = v.language.text("done.recalled")
	case "already":
		page.Notice = v.language.text("done.already_recalled")
	}
	return v.renderForm(status, "recall", page, f)
}

// recall recalls a batch or one of its lots, once the number of its units or the word was
// typed.
func (v *visit) recall() error {
	f := v.form
	v.require(f, "recall_part", "reason", "recall_confirm")
	w, err := v.Mint.Batch(v.ctx(), v.principal, v.r.PathValue("batch_id"))
	if err != nil {
		return err
	}
	quantity := w.Batch.RequestedQuantity
	lot, ofLot := strings.CutPrefix(f.text("recall_part"), recallLot)
	if ofLot {
		if err := access.Allow(v.principal, opRecallLot); err != nil {
			return err
		}
		quantity = 0
		for _, l := range w.Batch.Lots {
			if l.Code == lot {
				quantity = l.Quantity
			}
		}
	}
	if (ofLot && quantity == 0 || !ofLot && f.text("recall_part") != recallWhole) && f.fault("recall_part") == "" {
		f.faults = append(f.faults, fault{"recall_part", v.language.text("fault.recall_part")})
	}
	if f.fault("recall_confirm") == "" && !confirmed(f.text("recall_confirm"), quantity) {
		f.faults = append(f.faults, fault{"recall_confirm", v.language.text("fault.recall_confirm")})
	}
	if len(f.faults) > 0 {
		return v.askToRecall(http.StatusUnprocessableEntity, f)
	}
	var out *mint.Recalled
	if ofLot {
		out, err = v.Mint.RecallLot(v.ctx(), v.principal, w.Batch.ID, lot, f.text("reason"))
	} else {
		out, err = v.Mint.RecallBatch(v.ctx(), v.principal, w.Batch.ID, f.text("reason"))
	}
	if err != nil {
		if v.blame(f, err, map[string]string{"reason": "reason"}) {
			return v.askToRecall(http.StatusUnprocessableEntity, f)
		}
		return err
	}
	done := "recalled"
	if out.Already {
		done = "already"
	}
	v.redirect("/mint/batches/" + url.PathEscape(w.Batch.ID) + "/recall?done=" + done)
	return nil
}

// confirmed reports whether the number of units was typed, however its digits are grouped,
// or the word.
func confirmed(typed string, quantity int64) bool {
	if strings.EqualFold(typed, "RECALL") {
		return true
	}
	digits := strings.NewReplacer(",", "", ".", "", " ", "", "\u00a0", "", "\u202f", "", "’", "", "'", "").Replace(typed)
	return quantity > 0 && digits == strconv.FormatInt(quantity, 10)
}

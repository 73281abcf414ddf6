package web

import (
	"fmt"
	"net/http"
	"slices"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/gs1"
	"mintage/internal/mint"
)

// Operations of the wizard.
const (
	opPrepareMint access.Operation = "preflight_mint_request"
	opSubmitMint  access.Operation = "submit_mint_request"
)

// wizard is the wizard at one request: what was typed, what that names, and what is
// wrong with it.
type wizard struct {
	*visit
	wizardState

	brand      *mintage.Brand
	chosen     *mintage.Product         // nil where none is, or there is no such product
	run        *mintage.ProductionBatch // nil likewise
	defaultLot string                   // what submission makes the lot where there are none
	request    *mintage.MintRequest
	faults     map[string][]fault // by step
}

// mintWizard shows the step that is asked for, or the first one before it that is not
// finished, with what is wrong there: whoever asks for a step has tried those before.
func (v *visit) mintWizard() error {
	w, err := v.openWizard()
	if err != nil {
		return err
	}
	if w.key == "" {
		w.key = newWizardKey()
		v.redirect(w.url(w.wanted()))
		return nil
	}
	step := w.wanted()
	if open := w.firstOpen(); slices.Index(wizardSteps(), open) < slices.Index(wizardSteps(), step) {
		return w.show(http.StatusOK, open, w.faults[open])
	}
	return w.show(http.StatusOK, step, nil)
}

// submitMint submits the request that the URL says. The wizard's key makes it one
// submission, however often it is sent.
func (v *visit) submitMint() error {
	w, err := v.openWizard()
	if err != nil {
		return err
	}
	if w.key == "" {
		w.key = newWizardKey()
		v.redirect(w.url(stepReview))
		return nil
	}
	if open := w.firstOpen(); open != stepReview {
		return w.show(http.StatusUnprocessableEntity, open, w.faults[open])
	}
	done, err := v.Mint.Submit(v.ctx(), v.principal, w.request, w.key)
	switch mintage.ErrorCode(err) {
	case "":
		v.redirect(batchURL(done))
		return nil
	case mintage.CodeBlocked, mintage.CodeConflict, mintage.CodeKeyReused:
		// The review finds out the same, and says it where it belongs.
		return w.show(http.StatusUnprocessableEntity, stepReview, nil)
	case mintage.CodeUnknown:
		v.redirect(w.url(stepReview) + "&again=yes") // where it turns out whether it was done
		return nil
	default:
		return err
	}
}

// batchURL is where a submission leads to.
func batchURL(s *mint.Submission) string {
	if s.Duplicate {
		return "/mint/batches/" + s.BatchID + "?done=already"
	}
	return "/mint/batches/" + s.BatchID + "?done=submitted"
}

// openWizard reads what was typed and looks up what that names.
func (v *visit) openWizard() (*wizard, error) {
	state, err := v.readWizard()
	if err != nil {
		return nil, err
	}
	w := &wizard{visit: v, wizardState: *state, faults: map[string][]fault{}}
	if w.brand, err = v.Mint.Settings(v.ctx(), v.principal); err != nil {
		return nil, err
	}
	if w.product != "" {
		w.chosen, err = v.Catalogue.Product(v.ctx(), v.principal, w.product)
		if err != nil && mintage.ErrorCode(err) != mintage.CodeNotFound {
			return nil, err
		}
	}
	if w.production != "" {
		w.run, err = v.Catalogue.ProductionBatch(v.ctx(), v.principal, w.production)
		if err != nil && mintage.ErrorCode(err) != mintage.CodeNotFound {
			return nil, err
		}
	}
	w.checkProduct()
	w.checkRun()
	if err := w.findDefaultLot(); err != nil {
		return nil, err
	}
	w.readRequest()
	w.checkConfiguration()
	return w, nil
}

// wanted is the step to show: the one that is asked for, or the first that is open.
func (w *wizard) wanted() string {
	if w.step != "" {
		return w.step
	}
	return w.firstOpen()
}

// firstOpen is the first step that is not finished.
func (w *wizard) firstOpen() string {
	for _, step := range wizardSteps() {
		if len(w.faults[step]) > 0 {
			return step
		}
	}
	return stepReview
}

func (w *wizard) fault(step, field, key string, args ...any) {
	w.faults[step] = append(w.faults[step], fault{field, w.language.text(key, args...)})
}

func (w *wizard) checkProduct() {
	switch {
	case w.product == "":
		w.fault(stepProduct, "product_id", "wizard.fault.no_product")
	case w.chosen == nil:
		w.fault(stepProduct, "product_id", "wizard.fault.unknown_product")
	}
}

func (w *wizard) checkRun() {
	switch {
	case w.production == "":
	case w.run == nil:
		w.fault(stepRun, "production_batch_id", "wizard.fault.unknown_run")
	case w.chosen != nil && w.run.ProductID != w.chosen.ID:
		w.fault(stepRun, "production_batch_id", "wizard.fault.other_run")
	}
}

// findDefaultLot learns which lot a submission without lots will have. Where the
// table says just that, it says nothing, so that it follows when another production
// batch is chosen.
func (w *wizard) findDefaultLot() error {
	if w.run == nil || w.chosen == nil {
		return nil
	}
	preview, err := w.Mint.Preview(w.ctx(), w.principal, &mintage.MintRequest{ProductID: w.chosen.ID, ProductionBatchID: w.run.ID})
	if err != nil {
		return err
	}
	w.defaultLot = preview.Lot
	if len(w.lots) == 1 && w.lots[0].Code == w.defaultLot {
		all, known := parseQuantity(w.quantity)
		n, ok := parseQuantity(w.lots[0].Quantity)
		if w.lots[0].Quantity == "" || ok && known && n == all {
			w.lots, w.lotsTyped = nil, false
		}
	}
	return nil
}

// readRequest makes a mint request of what was typed. What cannot be read is 0, which
// no request may have. One lot may be left without a quantity: it gets the rest.
func (w *wizard) readRequest() {
	w.request = &mintage.MintRequest{
		ProductID: w.product, ProductionBatchID: w.production, IdentityMode: w.identity, ActivationMode: w.activation,
	}
	w.request.RequestedQuantity, _ = parseQuantity(w.quantity)
	rest, open := w.request.RequestedQuantity, []int{}
	for i, row := range w.lots {
		lot := mintage.LotRequest{LotCode: row.Code}
		if row.Quantity == "" {
			open = append(open, i)
		} else {
			lot.Quantity, _ = parseQuantity(row.Quantity)
		}
		rest -= min(lot.Quantity, mintage.MaxRequestQuantity)
		w.request.Lots = append(w.request.Lots, lot)
	}
	if len(open) == 1 {
		w.request.Lots[open[0]].Quantity = max(0, rest)
	}
}

// checkConfiguration holds the configuration to the domain's rules, and says what is
// wrong in the reader's words.
func (w *wizard) checkConfiguration() {
	sum := int64(0)
	for _, lot := range w.request.Lots {
		sum += lot.Quantity
	}
	for _, e := range w.request.Validate(gs1.ValidateLot) {
		row, isCode := -1, false
		if n, err := fmt.Sscanf(e.Field, "/lots/%d/", &row); n == 1 && err == nil {
			isCode = e.Field == fmt.Sprintf("/lots/%d/lot_code", row)
		}
		switch {
		case e.Field == "/product_id": // said by its own step
		case e.Field == "/requested_quantity" && w.quantity == "":
			w.fault(stepConfiguration, "quantity", "wizard.fault.no_quantity")
		case e.Field == "/requested_quantity":
			w.fault(stepConfiguration, "quantity", "wizard.fault.quantity", mintage.MaxRequestQuantity)
		case e.Field == "/identity_mode":
			w.fault(stepConfiguration, "identity_mode", "wizard.fault.identity_mode")
		case e.Field == "/activation_mode":
			w.fault(stepConfiguration, "activation_mode", "wizard.fault.activation_mode")
		case e.Field == "/lots" && len(w.lots) > mintage.MaxLots:
			w.fault(stepConfiguration, "lots", "wizard.fault.many_lots", mintage.MaxLots)
		case e.Field == "/lots" && w.request.RequestedQuantity > 0:
			w.fault(stepConfiguration, "lots", "wizard.fault.lots_sum", sum, w.request.RequestedQuantity)
		case isCode && gs1.ValidateLot(w.lots[row].Code) == nil:
			w.fault(stepConfiguration, fmt.Sprintf("lot_code-%d", row), "wizard.fault.lot_twice", row+1)
		case isCode:
			w.fault(stepConfiguration, fmt.Sprintf("lot_code-%d", row), "wizard.fault.lot_code", row+1)
		case row >= 0 && (w.request.RequestedQuantity > 0 || w.lots[row].Quantity != ""):
			w.fault(stepConfiguration, fmt.Sprintf("lot_quantity-%d", row), "wizard.fault.lot_quantity", row+1)
		}
	}
}

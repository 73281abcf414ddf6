package web

import (
	"slices"
	"strconv"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/catalogue"
	"mintage/internal/mint"
)

// wizardPage is what the page of a step shows.
type wizardPage struct {
	Step   string
	Steps  []wizardStep
	Hidden []pair // what the step has no inputs for
	// AdminsOnly says that the brand keeps this member from submitting.
	AdminsOnly bool
	FullURL    string // of this step with all that was typed, to be sent to somebody

	Product *mintage.Product
	Run     *mintage.ProductionBatch

	Products *productStep
	Runs     *runStep
	Settings *configurationStep
	Review   *reviewStep
	Preview  *previewData // nil where there is none yet, or the step shows none
}

// wizardStep is one step in the list of them.
type wizardStep struct {
	Name    string
	Number  int
	Current bool
	Before  bool // it comes before the current one
	Open    bool // one may go there: all before it is finished
}

// show answers with the page of a step.
func (w *wizard) show(status int, step string, faults []fault) error {
	page := &wizardPage{
		Step: step, Hidden: w.pairs(step), AdminsOnly: access.Allow(w.principal, opSubmitMint) != nil, Product: w.chosen, Run: w.run,
	}
	at, limit := slices.Index(wizardSteps(), step), slices.Index(wizardSteps(), w.firstOpen())
	for i, name := range wizardSteps() {
		page.Steps = append(page.Steps, wizardStep{Name: name, Number: i + 1, Current: i == at, Before: i < at, Open: i <= limit})
	}
	f := &form{faults: faults}
	var err error
	switch step {
	case stepProduct:
		page.Products, err = w.productStep()
	case stepRun:
		page.Runs, err = w.runStep()
	case stepConfiguration:
		page.Settings = w.configurationStep(f)
		page.Preview, err = w.preview()
	default:
		if page.Review, err = w.reviewStep(f); err == nil {
			page.Preview, err = w.preview()
		}
		page.Hidden = w.pairs("") // it may have another key by now
	}
	if err != nil {
		return err
	}
	page.FullURL = w.BaseURL + w.url(step)
	return w.renderForm(status, "wizard", page, f)
}

// productStep is what there is to choose from.
type productStep struct {
	Search  string
	Choices []productChoice
	More    bool // there are others
}

// productChoice is one product, and what keeps it from being minted.
type productChoice struct {
	*mintage.Product
	Chosen  bool
	Missing []blocked
}

// missingAtOnce is how much of what a product lacks is shown without asking.
const missingAtOnce = 3

// First is what is shown at once of what the product lacks.
func (c productChoice) First() []blocked { return c.Missing[:min(missingAtOnce, len(c.Missing))] }

// Rest is what is shown on demand.
func (c productChoice) Rest() []blocked { return c.Missing[len(c.First()):] }

// productChoices is how many products are shown at once.
const productChoices = 8

func (w *wizard) productStep() (*productStep, error) {
	step := &productStep{Search: w.searched}
	products, err := w.Catalogue.Products(w.ctx(), w.principal, catalogue.ProductFilter{Search: w.searched}, catalogue.Page{Limit: productChoices + 1})
	if err != nil {
		return nil, err
	}
	if step.More = len(products) > productChoices; step.More {
		products = products[:productChoices]
	}
	if w.chosen != nil { // stays in sight, whatever is searched for
		products = slices.DeleteFunc(products, func(p *mintage.Product) bool { return p.ID == w.chosen.ID })
		products = slices.Insert(products, 0, w.chosen)
	}
	for _, p := range products {
		choice := productChoice{Product: p, Chosen: w.chosen != nil && p.ID == w.chosen.ID}
		if choice.Missing, err = w.missingOf(p); err != nil {
			return nil, err
		}
		step.Choices = append(step.Choices, choice)
	}
	return step, nil
}

// missingOf says what keeps a single unit of a product from being minted.
func (w *wizard) missingOf(p *mintage.Product) ([]blocked, error) {
	return w.blockedBy(&mintage.MintRequest{
		ProductID: p.ID, RequestedQuantity: 1, IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
	}, p)
}

// runStep is the production batches of the product.
type runStep struct {
	Choices []runChoice
	Chosen  string // the ID; "" for none
	More    bool   // there are older ones
}

// runChoice is one production batch, and how much of it is left.
type runChoice struct {
	*mintage.ProductionBatch
	Remaining int64
}

// Usable reports whether anything can be minted against it.
func (c runChoice) Usable() bool { return c.Status == mintage.ProductionReady && c.Remaining > 0 }

// runChoices is how many production batches are shown, the newest first.
const runChoices = 50

func (w *wizard) runStep() (*runStep, error) {
	step := &runStep{}
	if w.chosen == nil {
		return step, nil
	}
	runs, err := w.Catalogue.ProductionBatches(w.ctx(), w.principal, w.chosen.ID, catalogue.Page{Limit: runChoices + 1})
	if err != nil {
		return nil, err
	}
	if step.More = len(runs) > runChoices; step.More {
		runs = runs[:runChoices]
	}
	if w.run != nil && w.run.ProductID == w.chosen.ID {
		step.Chosen = w.run.ID
		if !slices.ContainsFunc(runs, func(r *mintage.ProductionBatch) bool { return r.ID == w.run.ID }) {
			runs = append(runs, w.run)
		}
	}
	for _, r := range runs {
		step.Choices = append(step.Choices, runChoice{r, r.Remaining(w.brand.OverIssuePercent)})
	}
	// What can be used comes first; within that the newest.
	slices.SortStableFunc(step.Choices, func(a, b runChoice) int {
		switch {
		case a.Usable() == b.Usable():
			return 0
		case a.Usable():
			return -1
		default:
			return 1
		}
	})
	return step, nil
}

// configurationStep is the inputs of the configuration.
type configurationStep struct {
	Identity, Activation field
	Quantity             field
	Lots                 []lotInput
	LotsFault            string
	Divided              bool   // there are lots to be summed
	Missing              int64  // what the lots lack of the quantity; below 0 where they have too much
	Summary              string // of the lots
	DefaultLot           string
	Remaining            int64 // of the production batch; -1 without one
	Over                 bool  // more is asked for
}

// lotInput is one row of the table of lots.
type lotInput struct {
	typedLot
	Number, Label            int // counted from 0, and from 1
	CodeFault, QuantityFault string
}

// spareLots is how many rows there are to fill in, for want of a script that adds some.
const spareLots = 2

func (w *wizard) configurationStep(f *form) *configurationStep {
	text := w.language.text
	step := &configurationStep{
		Identity: field{Name: "identity_mode", Label: text("field.identity_mode"), Value: string(w.identity), Fault: f.fault("identity_mode"), Options: []option{
			{string(mintage.IdentitySerial), text("identity.serial"), text("wizard.identity.serial")},
			{string(mintage.IdentityBatch), text("identity.batch"), text("wizard.identity.batch")},
		}},
		Activation: field{Name: "activation_mode", Label: text("field.activation_mode"), Value: string(w.activation), Fault: f.fault("activation_mode"), Options: []option{
			{string(mintage.ActiveAtMint), text("wizard.active_at_mint"), text("wizard.activation.active_at_mint")},
			{string(mintage.FirstScan), text("wizard.first_scan"), text("wizard.activation.first_scan")},
		}},
		Quantity: field{
			Name: "quantity", Label: text("field.quantity"), Value: w.quantity, Fault: f.fault("quantity"),
			Hint: text("wizard.quantity_hint", mintage.MaxRequestQuantity),
		},
		LotsFault: f.fault("lots"), DefaultLot: w.defaultLot, Remaining: -1,
	}
	if w.run != nil {
		step.Remaining = w.run.Remaining(w.brand.OverIssuePercent)
		step.Over = w.request.RequestedQuantity > step.Remaining
		step.Quantity.Hint = text("wizard.quantity_left", mintage.MaxRequestQuantity, step.Remaining, w.run.Code)
	}
	rows := slices.Clone(w.lots)
	if !w.lotsTyped && w.defaultLot != "" {
		rows = append(rows, typedLot{Code: w.defaultLot})
	}
	for range min(spareLots, max(0, mintage.MaxLots-len(rows))) {
		rows = append(rows, typedLot{})
	}
	for i, row := range rows {
		step.Lots = append(step.Lots, lotInput{row, i, i + 1, f.fault("lot_code-" + strconv.Itoa(i)), f.fault("lot_quantity-" + strconv.Itoa(i))})
	}
	if step.Divided = len(w.request.Lots) > 0 && w.request.RequestedQuantity > 0; !step.Divided {
		return step
	}
	sum := int64(0)
	for _, lot := range w.request.Lots {
		sum += lot.Quantity
	}
	switch step.Missing = w.request.RequestedQuantity - sum; {
	case step.Missing > 0:
		step.Summary = text("wizard.lots_less", w.language.number(step.Missing))
	case step.Missing < 0:
		step.Summary = text("wizard.lots_more", w.language.number(-step.Missing))
	default:
		step.Summary = text("wizard.lots_sum", w.language.number(sum))
	}
	return step
}

// reviewStep is all that is about to be submitted.
type reviewStep struct {
	Request *mintage.MintRequest
	Lots    []mintage.LotRequest // those that submission will make, too
	Blocked []blocked
	// Before is what this wizard submitted earlier, nil for nothing. It is the same
	// request where it is a Duplicate.
	Before *mint.Submission
	// BeforeURL leads there.
	BeforeURL string
	Again     bool // the last attempt ended without an answer
	Action    string
}

// Of returns what stands in the way at a field.
func (s *reviewStep) Of(field string) (list []blocked) {
	for _, b := range s.Blocked {
		if b.Field == field {
			list = append(list, b)
		}
	}
	return list
}

// reviewStep also finds out whether this was submitted before: whoever comes back from
// the batch must not read that its own units are missing.
func (w *wizard) reviewStep(f *form) (*reviewStep, error) {
	step := &reviewStep{Request: w.request, Lots: w.request.Lots, Again: w.r.URL.Query().Get("again") != ""}
	if len(step.Lots) == 0 && w.defaultLot != "" {
		step.Lots = []mintage.LotRequest{{LotCode: w.defaultLot, Quantity: w.request.RequestedQuantity}}
	}
	before, err := w.Mint.Submitted(w.ctx(), w.principal, w.request, w.key)
	switch mintage.ErrorCode(err) {
	case "":
		step.Before, step.BeforeURL = before, batchURL(&mint.Submission{BatchID: before.BatchID, Duplicate: true})
		if !before.Duplicate {
			w.key = newWizardKey() // to be submitted as a request of its own
		}
	case mintage.CodeNotFound:
	default:
		return nil, err
	}
	if step.Before == nil || !step.Before.Duplicate {
		if step.Blocked, err = w.blockedBy(w.request, w.chosen); err != nil {
			return nil, err
		}
		for _, b := range step.Blocked {
			f.faults = append(f.faults, b.fault)
		}
	}
	step.Action = w.url(stepReview)
	return step, nil
}

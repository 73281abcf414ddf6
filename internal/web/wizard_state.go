package web

import (
	"cmp"
	"crypto/rand"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"mintage"
)

// wizardPath is the path of all steps of the wizard.
const wizardPath = "/mint/new"

// Steps of the wizard, as its URL names them.
const (
	stepProduct       = "product"
	stepRun           = "run"
	stepConfiguration = "configuration"
	stepReview        = "review"
)

func wizardSteps() []string { return []string{stepProduct, stepRun, stepConfiguration, stepReview} }

// wizardState is all that was typed into the wizard. It lives in the URL's query, so
// that each step can be reloaded, kept as a bookmark and sent to a colleague.
type wizardState struct {
	step       string // that was asked for; "" where it is none
	product    string // the ID
	production string // the ID, "" for none
	identity   mintage.IdentityMode
	activation mintage.ActivationMode
	quantity   string
	lots       []typedLot
	lotsTyped  bool   // the table of lots was sent, if only empty
	searched   string // what products are searched for
	key        string // the idempotency key; "" where there is no valid one
}

// typedLot is a row of the table of lots as it was typed.
type typedLot struct{ Code, Quantity string }

func (r typedLot) empty() bool { return r.Code == "" && r.Quantity == "" }

// newWizardKey makes the idempotency key of a wizard that is opened.
func newWizardKey() string { return rand.Text() }

// readWizard reads the state. What no page of ours sends is refused.
func (v *visit) readWizard() (*wizardState, error) {
	query, err := url.ParseQuery(v.r.URL.RawQuery)
	if err != nil {
		return nil, mintage.Errorf(codeBadForm, "The query cannot be read.").WithCause(err)
	}
	for _, values := range query {
		for i := range values {
			// Cells that were copied from a spreadsheet end in tabs.
			values[i] = strings.TrimSpace(strings.ReplaceAll(values[i], "\t", " "))
			if !cleanText(values[i]) {
				return nil, mintage.Errorf(codeBadForm, "The query has text that is not valid.")
			}
		}
	}
	s := &wizardState{
		step: query.Get("step"), product: query.Get("product_id"), production: query.Get("production_batch_id"),
		identity: mintage.IdentityMode(query.Get("identity_mode")), activation: mintage.ActivationMode(query.Get("activation_mode")),
		quantity: query.Get("quantity"), searched: query.Get("q"),
	}
	if !slices.Contains(wizardSteps(), s.step) {
		s.step = ""
	}
	brand, err := v.Mint.Settings(v.ctx(), v.principal)
	if err != nil {
		return nil, err
	}
	s.identity, s.activation = cmp.Or(s.identity, brand.DefaultIdentityMode), cmp.Or(s.activation, brand.DefaultActivationMode)
	codes, quantities := query["lot_code"], query["lot_quantity"]
	s.lotsTyped = len(codes) > 0
	for i := range min(max(len(codes), len(quantities)), maxLotRows) {
		row := typedLot{}
		if i < len(codes) {
			row.Code = codes[i]
		}
		if i < len(quantities) {
			row.Quantity = quantities[i]
		}
		if !row.empty() {
			s.lots = append(s.lots, row)
		}
	}
	if key, err := mintage.ValidateIdempotencyKey(query.Get("key")); err == nil {
		s.key = key
	}
	return s, nil
}

// maxLotRows is how many rows of lots are read: one more than there may be, so that
// too many are seen to be.
const maxLotRows = mintage.MaxLots + 1

// pair is a field of the URL's query.
type pair struct{ Name, Value string }

// pairs are the state without the fields of the step that has inputs for them.
func (s *wizardState) pairs(without string) []pair {
	list := []pair{{"key", s.key}}
	add := func(step, name, value string) {
		if step != without && value != "" {
			list = append(list, pair{name, value})
		}
	}
	add(stepProduct, "q", s.searched)
	add(stepProduct, "product_id", s.product)
	add(stepRun, "production_batch_id", s.production)
	add(stepConfiguration, "identity_mode", string(s.identity))
	add(stepConfiguration, "activation_mode", string(s.activation))
	add(stepConfiguration, "quantity", s.quantity)
	if without == stepConfiguration {
		return list
	}
	for _, row := range s.lots {
		list = append(list, pair{"lot_code", row.Code}, pair{"lot_quantity", row.Quantity})
	}
	if len(s.lots) == 0 && s.lotsTyped {
		list = append(list, pair{"lot_code", ""}, pair{"lot_quantity", ""})
	}
	return list
}

// url is where a step stands with all of the state.
func (s *wizardState) url(step string) string {
	query := url.Values{"step": {step}}
	for _, p := range s.pairs("") {
		query.Add(p.Name, p.Value)
	}
	return wizardPath + "?" + query.Encode()
}

// parseQuantity reads a number as people write and paste it: with its digits grouped
// by commas, dots, apostrophes or spaces of any kind. What could mean a fraction is no
// quantity.
func parseQuantity(text string) (int64, bool) {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '’':
			return '\''
		}
		return r
	}, strings.TrimSpace(text))
	separator := strings.TrimLeft(text, "0123456789")
	if separator != "" {
		separator = separator[:1]
		if !slices.Contains([]string{" ", ",", ".", "'"}, separator) {
			return 0, false
		}
		groups := strings.Split(text, separator)
		for i, group := range groups {
			if i > 0 && len(group) != 3 || i == 0 && (group == "" || len(group) > 3) {
				return 0, false
			}
		}
		text = strings.Join(groups, "")
	}
	if strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

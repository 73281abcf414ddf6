package mintage

import (
	"encoding/json"
	"slices"
	"time"
)

// CommercialStatus says whether a product is on the market.
type CommercialStatus string

// Commercial states of a product. Only an ACTIVE one can be minted.
const (
	ProductDraft        CommercialStatus = "DRAFT"
	ProductActive       CommercialStatus = "ACTIVE"
	ProductDiscontinued CommercialStatus = "DISCONTINUED"
)

// CommercialStatuses lists every commercial state.
var CommercialStatuses = []CommercialStatus{ProductDraft, ProductActive, ProductDiscontinued}

// MaxProductUnits bounds the ordinals of a product: they are below it. Four bytes
// an ordinal keep the rows and the index of units small.
const MaxProductUnits = 1 << 31

// Product is a SKU of a brand.
type Product struct {
	Number      int64
	ID          string
	BrandNumber int64
	Code        string // 8 random base32 characters, unique over all brands, immutable

	SKU    string // unique within the brand
	Name   string
	GTIN   string // 14 digits, or "" for none
	Status CommercialStatus

	// SchemaID names the DPP schema that Attributes must satisfy before the
	// product can be minted; "" for none.
	SchemaID string
	// Attributes is a JSON object.
	Attributes json.RawMessage

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Validate refuses a product that cannot be stored. Whether it may be minted is
// another question, which preflight answers.
func (p *Product) Validate() error {
	if err := validateText("sku", p.SKU, 100); err != nil {
		return err
	}
	if err := validateText("name", p.Name, 300); err != nil {
		return err
	}
	if !slices.Contains(CommercialStatuses, p.Status) {
		return Errorf(CodeInvalidInput, "The commercial status must be DRAFT, ACTIVE or DISCONTINUED.").WithField("commercial_status")
	}
	return nil
}

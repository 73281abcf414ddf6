package mintage

import (
	"slices"
	"time"
)

// ProductionBatchStatus is the state of a production batch, as the ERP tells it.
type ProductionBatchStatus string

// States of a production batch. Only a READY one can be minted against.
const (
	ProductionPlanned ProductionBatchStatus = "PLANNED"
	ProductionReady   ProductionBatchStatus = "READY"
	ProductionClosed  ProductionBatchStatus = "CLOSED"
)

// ProductionBatchStatuses lists every state of a production batch.
var ProductionBatchStatuses = []ProductionBatchStatus{ProductionPlanned, ProductionReady, ProductionClosed}

// MaxProductionQuantity bounds a production batch, so that no percentage of it
// can overflow.
const MaxProductionQuantity = 1_000_000_000_000

// ProductionBatch is a production run known to the brand's ERP.
type ProductionBatch struct {
	Number        int64
	ID            string
	BrandNumber   int64
	Code          string // unique within the brand
	ProductNumber int64
	ProductID     string
	Quantity      int64
	Status        ProductionBatchStatus

	// Committed is what live and finished requests hold of the batch: what a
	// FAILED job minted, and what any other one requested. It is computed.
	Committed int64

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Validate refuses a production batch that cannot be stored.
func (p *ProductionBatch) Validate() error {
	if err := validateText("code", p.Code, 100); err != nil {
		return err
	}
	if p.Quantity < 1 || p.Quantity > MaxProductionQuantity {
		return Errorf(CodeInvalidInput, "The quantity must be 1 to %d.", int64(MaxProductionQuantity)).WithField("quantity")
	}
	if !slices.Contains(ProductionBatchStatuses, p.Status) {
		return Errorf(CodeInvalidInput, "The status must be PLANNED, READY or CLOSED.").WithField("status")
	}
	return nil
}

// Capacity is how many units may be minted against the batch in all, with the
// brand's over-issue percentage, rounded down.
func (p *ProductionBatch) Capacity(overIssuePercent int) int64 {
	return p.Quantity + p.Quantity*int64(overIssuePercent)/100
}

// Remaining is how many units may still be minted against the batch.
func (p *ProductionBatch) Remaining(overIssuePercent int) int64 {
	return max(0, p.Capacity(overIssuePercent)-p.Committed)
}

// ChangeTo returns nil where an ERP push may turn p into next: the product never
// changes once something is committed, and the quantity never falls below what
// is committed ([CodeCommitted]).
func (p *ProductionBatch) ChangeTo(next *ProductionBatch, overIssuePercent int) error {
	if p.Committed == 0 {
		return nil
	}
	if next.ProductNumber != p.ProductNumber {
		return Errorf(CodeCommitted, "The product cannot change: %d units are committed against this production batch.", p.Committed).WithField("product_id")
	}
	if next.Quantity < p.Quantity && next.Capacity(overIssuePercent) < p.Committed {
		return Errorf(CodeCommitted, "The quantity cannot fall to %d: %d units are committed against this production batch.", next.Quantity, p.Committed).WithField("quantity")
	}
	return nil
}

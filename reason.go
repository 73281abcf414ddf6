package mintage

// Codes of blocking reasons, in the order in which preflight lists them.
const (
	ReasonProductNotFound    Code = "PRODUCT_NOT_FOUND"
	ReasonStatusNotActive    Code = "COMMERCIAL_STATUS_NOT_ACTIVE"
	ReasonFieldMissing       Code = "DPP_FIELD_MISSING"
	ReasonFieldInvalid       Code = "DPP_FIELD_INVALID"
	ReasonGTINRequired       Code = "GTIN_REQUIRED"
	ReasonGTINTaken          Code = "GTIN_TAKEN"
	ReasonProductionNotFound Code = "PRODUCTION_BATCH_NOT_FOUND"
	ReasonProductionMismatch Code = "PRODUCTION_BATCH_PRODUCT_MISMATCH"
	ReasonProductionNotReady Code = "PRODUCTION_BATCH_NOT_READY"
	ReasonQuantityExceeds    Code = "QUANTITY_EXCEEDS_PRODUCTION_BATCH"
)

// Reason is one thing that stands in the way of a mint request: a state of the
// world that can change, not a malformed input.
type Reason struct {
	Code    Code
	Message string // says what is wrong and what to do
	Field   string // JSON pointer into the request or, for DPP fields, into the product; "" if none applies

	// Quantities is set for [ReasonQuantityExceeds] only.
	Quantities *Quantities
}

// Quantities are the figures of a production batch that a request exceeds.
type Quantities struct {
	ProductionBatch int64 // the batch's quantity, without over-issue
	Committed       int64
	Remaining       int64
}

// BlockedError is a request that was refused for its blocking reasons; nothing
// was created.
type BlockedError struct {
	Reasons []Reason
}

func (e *BlockedError) Error() string { return string(CodeBlocked) + ": " + e.message() }

func (e *BlockedError) message() string {
	return "The mint request is blocked; each blocking reason says what to do."
}

// Unwrap makes [ErrorCode] and [ErrorMessage] work on a blocked request.
func (e *BlockedError) Unwrap() error { return Errorf(CodeBlocked, "%s", e.message()) }

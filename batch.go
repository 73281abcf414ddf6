package mintage

import "time"

// BatchStatus is the state of a mint batch; it mirrors its job's.
type BatchStatus string

// States of a batch. minted and failed are final.
const (
	BatchQueued     BatchStatus = "queued"
	BatchProcessing BatchStatus = "processing"
	BatchMinted     BatchStatus = "minted"
	BatchFailed     BatchStatus = "failed"
)

// BatchStatuses lists every state, in the order of a batch's life.
var BatchStatuses = []BatchStatus{BatchQueued, BatchProcessing, BatchMinted, BatchFailed}

// Jobs returns the states of a job whose batch is in state s.
func (s BatchStatus) Jobs() []JobStatus {
	var jobs []JobStatus
	for _, j := range JobStatuses {
		if j.Batch() == s {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// Batch is what one request produced or is producing. All but MintedQuantity is
// fixed at submission: what is printed stays true, whatever is edited later.
type Batch struct {
	Number      int64 // its job's number
	ID          string
	JobID       string
	BrandNumber int64
	Status      BatchStatus // follows from the job

	ProductNumber         int64
	ProductID             string
	ProductionBatchNumber int64  // 0 if none is linked
	ProductionBatchID     string // "" if none is linked

	IdentityMode   IdentityMode
	ActivationMode ActivationMode

	RequestedQuantity int64
	MintedQuantity    int64 // the number of its units, at every commit
	FirstOrdinal      int64 // the batch owns [FirstOrdinal, FirstOrdinal+RequestedQuantity)

	ResolverBase string
	GTIN         string // 14 digits, or ""
	ProductCode  string
	Lots         []Lot // in ordinal order; together they are the batch's range

	CreatedAt time.Time
}

// NextOrdinal is the ordinal of the unit to be minted next.
func (b *Batch) NextOrdinal() int64 { return b.FirstOrdinal + b.MintedQuantity }

// Remaining is how many units are still to be minted.
func (b *Batch) Remaining() int64 { return b.RequestedQuantity - b.MintedQuantity }

// Lot returns the lot that an ordinal of the batch belongs to.
func (b *Batch) Lot(ordinal int64) Lot {
	for _, l := range b.Lots {
		if ordinal < l.FirstOrdinal+l.Quantity {
			return l
		}
	}
	return Lot{}
}

// Lot is a contiguous part of a batch. A batch without lots has one with no
// code, so that every unit stands in exactly one.
type Lot struct {
	Code         string // GS1 AI (10), or ""
	FirstOrdinal int64
	Quantity     int64

	// URLPrefix and URLSuffix stand around the unit's code in its resolver URL,
	// ready-encoded.
	URLPrefix, URLSuffix string
}

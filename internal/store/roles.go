package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"mintage"
	"mintage/internal/serial"
)

// BrandReader reads brands and their API keys.
type BrandReader interface {
	BrandByNumber(ctx context.Context, number int64) (*mintage.Brand, error)
	BrandByID(ctx context.Context, id string) (*mintage.Brand, error)
	// Brands lists all brands, oldest first: for the operator of the
	// installation, never for a brand.
	Brands(ctx context.Context) ([]*mintage.Brand, error)
	// BasesOf lists the resolver bases that belong to a brand, in the order of bytes.
	BasesOf(ctx context.Context, brand int64) ([]string, error)
	// Logo returns a brand's logo and its media type; NOT_FOUND where it has none.
	Logo(ctx context.Context, brand int64) (image []byte, mediaType string, err error)
	// APIKey finds a key by its public part, before the brand is known.
	APIKey(ctx context.Context, id string) (*mintage.APIKey, error)
}

// BrandTx writes brands and their API keys.
type BrandTx interface {
	// CreateBrand stores b and its resolver base, and sets b.Number. CONFLICT
	// where the base is another brand's, or the ID is taken.
	CreateBrand(ctx context.Context, b *mintage.Brand) error
	// UpdateBrand stores all but Number, ID, SealedKey and CreatedAt. A new
	// resolver base is added to those of the brand; CONFLICT where it is another
	// brand's. Under a role that policies apply to, only one of [BrandReader.BasesOf]
	// is taken, and any other is UNAVAILABLE.
	UpdateBrand(ctx context.Context, b *mintage.Brand) error
	CreateAPIKey(ctx context.Context, k *mintage.APIKey) error
	// PutLogo stores a brand's logo; an empty image removes it.
	PutLogo(ctx context.Context, brand int64, image []byte, mediaType string) error
}

// ProductFilter narrows a list of products; zero fields do not.
type ProductFilter struct {
	SKU  string
	GTIN string // 14 digits
	// Status is "" for any.
	Status mintage.CommercialStatus
	// Search is words, each of which begins a word of the product's SKU, name or GTIN;
	// see [ProductWords] and [SearchWords]. A text without words narrows nothing.
	Search string
}

// ProductReader reads the catalogue of one brand.
type ProductReader interface {
	ProductByID(ctx context.Context, brand int64, id string) (*mintage.Product, error)
	ProductBySKU(ctx context.Context, brand int64, sku string) (*mintage.Product, error)
	// ProductByCode finds a product by its product code.
	ProductByCode(ctx context.Context, brand int64, code string) (*mintage.Product, error)
	Products(ctx context.Context, brand int64, filter ProductFilter, page Page) ([]*mintage.Product, error)
	// NextOrdinal returns the ordinal of a product that is reserved next, given the
	// product's number.
	NextOrdinal(ctx context.Context, product int64) (int64, error)
	// GTINOwner returns the number of the product that gtin belongs to, because
	// units were or are being minted with it; 0 if none.
	GTINOwner(ctx context.Context, brand int64, gtin string) (int64, error)

	SchemaByID(ctx context.Context, brand int64, id string) (*Schema, error)
	Schemas(ctx context.Context, brand int64) ([]*Schema, error)
}

// Schema is a brand's own DPP schema, as stored.
type Schema struct {
	ID       string // chosen by the brand, unique within it
	Document []byte // JSON Schema 2020-12
}

// ProductTx writes the catalogue of one brand.
type ProductTx interface {
	// CreateProduct stores p and sets p.Number. CONFLICT where the SKU is taken.
	CreateProduct(ctx context.Context, p *mintage.Product) error
	// UpdateProduct stores SKU, Name, GTIN, Status, SchemaID, Attributes and
	// UpdatedAt. CONFLICT where the SKU is taken.
	UpdateProduct(ctx context.Context, p *mintage.Product) error
	// LockProduct reads a product and keeps others from changing it, or reserving
	// its ordinals, until the transaction ends.
	LockProduct(ctx context.Context, brand int64, id string) (*mintage.Product, error)
	// PutSchema stores a brand's own DPP schema, or replaces it.
	PutSchema(ctx context.Context, brand int64, s *Schema) error
}

// ProductionReader reads the production batches of one brand. Committed is
// computed in the same statement.
type ProductionReader interface {
	ProductionBatchByID(ctx context.Context, brand int64, id string) (*mintage.ProductionBatch, error)
	ProductionBatchByCode(ctx context.Context, brand int64, code string) (*mintage.ProductionBatch, error)
	// ProductionBatches lists them; product 0 means any.
	ProductionBatches(ctx context.Context, brand, product int64, page Page) ([]*mintage.ProductionBatch, error)
}

// ProductionTx writes the production batches of one brand.
type ProductionTx interface {
	// CreateProductionBatch stores p and sets p.Number. CONFLICT where the code is
	// taken.
	CreateProductionBatch(ctx context.Context, p *mintage.ProductionBatch) error
	// UpdateProductionBatch stores ProductNumber, Quantity, Status and UpdatedAt.
	UpdateProductionBatch(ctx context.Context, p *mintage.ProductionBatch) error
	// LockProductionBatch reads a production batch, with what is committed, and
	// keeps others from changing it or committing more until the transaction ends.
	LockProductionBatch(ctx context.Context, brand int64, id string) (*mintage.ProductionBatch, error)
}

// KeyClaim is the use of an idempotency key by one accepted request.
type KeyClaim struct {
	RequestHash []byte
	JobID       string
}

// RequestTx writes an accepted mint request.
type RequestTx interface {
	// ClaimKey takes an idempotency key for a request and returns nil, or returns
	// the claim of the request that has it. Where another transaction is about to
	// take the same key, it waits for that one to end.
	ClaimKey(ctx context.Context, brand int64, key string, claim KeyClaim) (*KeyClaim, error)
	// ClaimGTIN makes a GTIN the product's, and returns the number of the product
	// that owns it: the given one, or that which had it before.
	ClaimGTIN(ctx context.Context, brand int64, gtin string, product int64) (owner int64, err error)
	// ReleaseGTIN gives a GTIN back where no unit was minted with it and no job
	// that would is unfinished; otherwise it does nothing. The caller holds the
	// product's lock, so that no submission relies on the claim meanwhile.
	ReleaseGTIN(ctx context.Context, brand int64, gtin string, product int64) error
	// ReserveOrdinals takes the next quantity ordinals of a product and returns
	// the first. CONFLICT where the product would have more than
	// mintage.MaxProductUnits.
	ReserveOrdinals(ctx context.Context, product, quantity int64) (first int64, err error)
	// CreateJob stores a job and its batch, lots included, sets the number of
	// both, and wakes workers when the transaction commits.
	CreateJob(ctx context.Context, j *mintage.Job, b *mintage.Batch) error
}

// JobFilter narrows a list of jobs or batches; zero fields do not.
type JobFilter struct {
	Statuses        []mintage.JobStatus
	Product         int64 // its number
	ProductionBatch int64 // its number
	// Lot is the code of a lot that the batch has.
	Lot string
}

// Work is a job with its batch.
type Work struct {
	Job   mintage.Job
	Batch mintage.Batch
}

// JobReader reads the jobs and batches of one brand.
type JobReader interface {
	WorkByJobID(ctx context.Context, brand int64, id string) (*Work, error)
	WorkByBatchID(ctx context.Context, brand int64, id string) (*Work, error)
	// WorkByOrdinal finds the batch that owns an ordinal of a product.
	WorkByOrdinal(ctx context.Context, brand, product, ordinal int64) (*Work, error)
	Works(ctx context.Context, brand int64, filter JobFilter, page Page) ([]*Work, error)
	// KeyClaim returns the claim of an idempotency key; NOT_FOUND where it is free.
	KeyClaim(ctx context.Context, brand int64, key string) (*KeyClaim, error)
	// NextDue is how long until the earliest job that waits after an error
	// becomes runnable; negative if none waits. It looks at all brands.
	NextDue(ctx context.Context) (time.Duration, error)
}

// JobTx drives jobs, of whatever brand.
type JobTx interface {
	// ClaimJob takes the lock of the oldest job that is runnable (not final, not
	// waiting) and whose lock is free, and holds it to the end of the transaction.
	// It returns nil where there is none. What it returns is read under the lock;
	// the batch's lots are left out, a cycle does not need them.
	ClaimJob(ctx context.Context) (*Work, error)
	// MoveJob takes a job that ClaimJob returned to its next state and stores
	// StartedAt, FinishedAt, ConsecutiveErrors and LastError with it.
	// ILLEGAL_TRANSITION where the domain does
	// not know the transition or the stored state is not j.Status. It sets
	// j.Status.
	MoveJob(ctx context.Context, j *mintage.Job, next mintage.JobStatus) error
	// RecordStrike stores ConsecutiveErrors and LastError of a job that goes on,
	// and keeps it from being claimed for wait, by the database's clock. The
	// strike that fails a job is stored by MoveJob.
	RecordStrike(ctx context.Context, j *mintage.Job, wait time.Duration) error
	// ClearStrikes stores that the latest cycle was good, and sets
	// j.ConsecutiveErrors to 0. Like RecordStrike it fails with ILLEGAL_TRANSITION
	// where the stored state is not j.Status.
	ClearStrikes(ctx context.Context, j *mintage.Job) error
}

// Slice is a run of units of one product, at most mintage.MaxCycle: unit i has
// the ordinal First+i.
type Slice struct {
	Product int64
	First   int64
	Codes   []serial.Code

	// Writing, if set, is called when the database has the slice to write and this
	// processor little to do: the time to make the next one.
	Writing func()
}

// UnitReader reads units.
type UnitReader interface {
	// MintedProducts lists the products of a brand that have units, or soon will: those
	// that ordinals were reserved of.
	MintedProducts(ctx context.Context, brand int64, page Page) ([]ProductRow, error)
	// UnitCode returns the code of a unit; NOT_FOUND where it was not minted.
	UnitCode(ctx context.Context, product, ordinal int64) (serial.Code, error)
	// EachUnit calls fn for each unit of a product with from <= ordinal < to, in
	// ordinal order, in constant memory. An error of fn ends it and is returned.
	EachUnit(ctx context.Context, product, from, to int64, fn func(ordinal int64, code serial.Code) error) error
	// Cycles returns, for each cycle that overlaps from <= ordinal < to, its
	// range and time, in ordinal order.
	Cycles(ctx context.Context, product, from, to int64) ([]Cycle, error)
}

// Cycle is when a run of units was created.
type Cycle struct {
	First    int64
	Quantity int64
	At       time.Time
}

// UnitTx writes units.
type UnitTx interface {
	// InsertUnits creates the units of a slice and adds them to the batch's
	// minted_quantity, which must be expected before. CONFLICT where one of the
	// units exists, or minted_quantity differs or would exceed the request.
	InsertUnits(ctx context.Context, batch int64, expected int64, s Slice) error
}

// EventFilter narrows a list of events; zero fields do not.
type EventFilter struct {
	Batch int64
	Kind  mintage.EventKind
	Kinds []mintage.EventKind // any of them
	Actor string
	// Notable leaves out what units and workers do by the thousand: cycles, activations,
	// the steps of a job between its beginning and its end, and the transitions of
	// batches, which follow from those of jobs. However many of these there are, the
	// others are found at once.
	Notable bool
	// From and Until bound the time: From <= At < Until.
	From, Until time.Time
}

// EventReader reads the audit trail of one brand.
type EventReader interface {
	Events(ctx context.Context, brand int64, filter EventFilter, page Page) ([]*mintage.Event, error)
	// UnitEvents lists what the trail says of a unit and of its batch as a whole, newest
	// first, at most limit: the batch's transitions and exports, the recalls that cover the
	// unit, and its own revocation. Its first scan is not among them: it would have to be
	// looked for among all of the batch.
	UnitEvents(ctx context.Context, brand, batch, product, ordinal int64, limit int) ([]*mintage.Event, error)
	// JobSteps lists the transitions of a batch's job, oldest first.
	JobSteps(ctx context.Context, brand, batch int64) ([]JobStep, error)
}

// JobStep is when a job came into a state.
type JobStep struct {
	To mintage.JobStatus
	At time.Time
}

// EventTx writes the audit trail.
type EventTx interface {
	// AppendEvent stores e and sets e.Number. A range counts where Quantity > 0.
	AppendEvent(ctx context.Context, e *mintage.Event) error
}

// AuditReader reads whole tables as they are, of all brands: for an auditor, who
// believes neither keys nor references. Nothing is joined, left out or judged,
// so that fields that come from another table stay zero.
//
// A row that can be read in part only comes with a [RowError], and the next one
// follows. Any other error comes with a zero row and ends the sequence. Other
// methods may be called, and other sequences run, between two rows.
type AuditReader interface {
	// AllProducts is in the order of numbers.
	AllProducts(ctx context.Context) iter.Seq2[ProductRow, error]
	// AllBases is in the order of bases.
	AllBases(ctx context.Context) iter.Seq2[BaseRow, error]
	// AllGTINs is in the order of brands and GTINs.
	AllGTINs(ctx context.Context) iter.Seq2[GTINRow, error]
	// AllKeys is in the order of brands and keys.
	AllKeys(ctx context.Context) iter.Seq2[KeyRow, error]
	// AllProductionBatches is in the order of numbers. Committed is not computed.
	AllProductionBatches(ctx context.Context) iter.Seq2[mintage.ProductionBatch, error]
	// AllJobs is in the order of numbers.
	AllJobs(ctx context.Context) iter.Seq2[mintage.Job, error]
	// AllBatches is in the order of numbers.
	AllBatches(ctx context.Context) iter.Seq2[mintage.Batch, error]
	// AllLots is in the order of batches and first ordinals.
	AllLots(ctx context.Context) iter.Seq2[LotRow, error]
	// AllBatchEvents is in the order of batches and numbers. Events that name no
	// batch are left out.
	AllBatchEvents(ctx context.Context) iter.Seq2[mintage.Event, error]
	// AllRecalls is in the order of batches and then of their making.
	AllRecalls(ctx context.Context) iter.Seq2[mintage.Recall, error]
	// AllUnits is in the order of products and ordinals. Where the primary key was
	// lost, one of these may come twice.
	AllUnits(ctx context.Context) iter.Seq2[UnitRow, error]
	// AllUnitStates is in the order of products and ordinals, active before revoked;
	// one may come twice like a unit.
	AllUnitStates(ctx context.Context) iter.Seq2[mintage.UnitState, error]
}

// Rows of an [AuditReader] that the domain has no type for.
type (
	// ProductRow is a product without what the brand says of it.
	ProductRow struct {
		Number, BrandNumber int64
		ID, Code            string
		NextOrdinal         int64 // the next to be reserved
	}
	// BaseRow is a resolver base and the brand that it belongs to.
	BaseRow struct {
		Base        string
		BrandNumber int64
	}
	// GTINRow is a GTIN and the product of the brand that it belongs to.
	GTINRow struct {
		BrandNumber   int64
		GTIN          string
		ProductNumber int64
	}
	// KeyRow is an idempotency key. JobNumber is that of the brand's job with this
	// ID; 0 if there is none.
	KeyRow struct {
		BrandNumber int64
		Key, JobID  string
		JobNumber   int64
	}
	// LotRow is a lot of a batch.
	LotRow struct {
		BatchNumber, ProductNumber int64
		mintage.Lot
	}
	// UnitRow is a unit.
	UnitRow struct {
		ProductNumber, Ordinal int64
		Code                   serial.Code
	}
)

// RowError is why a row, or a field of it, cannot be read.
type RowError struct {
	Table string
	Err   error
}

func (e *RowError) Error() string {
	return fmt.Sprintf("a row of %s cannot be read: %v", e.Table, e.Err)
}

func (e *RowError) Unwrap() error { return e.Err }

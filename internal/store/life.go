package store

import (
	"context"
	"time"

	"mintage"
)

// LifeReader reads what happened to units after they were minted.
type LifeReader interface {
	// UnitStates lists the rows of units of a product with from <= ordinal < to, in
	// the order of ordinals, active before revoked.
	UnitStates(ctx context.Context, product, from, to int64) ([]mintage.UnitState, error)
	// StateOrdinals lists the ordinals from <= ordinal < to of a product's units that have
	// a row of a status, of any where it is "": in order, each once, at most limit. It reads
	// no more rows than it lists, and some.
	StateOrdinals(ctx context.Context, product, from, to int64, status mintage.TokenStatus, limit int) ([]int64, error)
	// Recalls lists the recalls of a product, oldest first.
	Recalls(ctx context.Context, brand, product int64) ([]*mintage.Recall, error)
	// LotCounts counts the minted units of a batch by state, one entry a lot in
	// their order; exactly, as of the transaction's moment, and without reading each unit.
	// The sum of an entry is how many units of the lot were minted. Recalls cover whole
	// lots. NOT_FOUND where the brand has no such batch.
	LotCounts(ctx context.Context, brand, batch int64) ([]mintage.Counts, error)
	// Scans lists the scans of a unit, newest first, at most limit. Newest is what was
	// stored last on SQLite, and what has the latest time on PostgreSQL; scans are stored
	// within seconds.
	Scans(ctx context.Context, product, ordinal int64, limit int) ([]*mintage.Scan, error)
	// ScanNetworks counts the different networks that scanned a unit since a time,
	// robots left out, among the newest [mintage.SignalScans] of the others.
	ScanNetworks(ctx context.Context, product, ordinal int64, since time.Time) (int64, error)
	// Links lists the links of a product in their order.
	Links(ctx context.Context, brand, product int64) ([]mintage.Link, error)
	// DailyCounts lists what happened to a brand by UTC day, from a day on, oldest first,
	// days without anything left out: scans as they are stored, the rest as of the
	// last RollUp.
	DailyCounts(ctx context.Context, brand int64, from time.Time) ([]DailyCount, error)
	// Totals counts all that a brand has, without reading units: what was minted and the
	// jobs exactly, the states of units as of the last RollUp, scans as they are stored.
	Totals(ctx context.Context, brand int64) (Totals, error)
}

// Totals are a brand's figures of all time.
type Totals struct {
	mintage.Counts       // of all units; their sum is how many were minted
	Scans          int64 // robots left out
	Running        int64 // jobs that are not final
	Failed         int64 // jobs
}

// DailyCount is what happened on one day.
type DailyCount struct {
	Day       time.Time // midnight UTC, of the times that events and scans carry
	Minted    int64
	Activated int64 // by a scan: units born active are not counted
	Revoked   int64 // a recall counts with its Quantity
	Scans     int64 // robots left out
}

// LifeTx writes it. Rows are only ever added.
//
// ActivateUnits and RevokeUnits hold the units until the transaction ends: nobody else
// activates or revokes one of them meanwhile. So UnitStates, read after RevokeUnits in
// the same transaction, says for certain what a unit was before, which is the From of
// its event. LotCounts believes those events.
type LifeTx interface {
	// ActivateUnits inserts the active rows of units, and reports for each whether
	// this call did it: false where the unit was active already, was revoked by a row of
	// its own, or comes a second time in the list.
	ActivateUnits(ctx context.Context, units []mintage.UnitState) ([]bool, error)
	// RevokeUnits inserts the revoked rows of units, and reports for each whether
	// this call did it.
	RevokeUnits(ctx context.Context, units []mintage.UnitState) ([]bool, error)
	// AppendEvents is AppendEvent for many, in their order; numbers are not set.
	AppendEvents(ctx context.Context, events []*mintage.Event) error
	// CreateRecall fails with CONFLICT where exactly this run was recalled already.
	CreateRecall(ctx context.Context, r *mintage.Recall) error
	// AppendScans stores scans; NOT_FOUND where one is of a product that is not there
	// (0 is none).
	AppendScans(ctx context.Context, scans []mintage.Scan) error
	// PutLinks replaces the links of a product; NOT_FOUND where the brand has no such one.
	PutLinks(ctx context.Context, brand, product int64, links []mintage.Link) error
	// RollUp adds the events after the last call, up to an event horizon, to the stored
	// counts behind LotCounts and DailyCounts, at most limit events (of any kind); it
	// reports whether some are left. How far it came is stored with the counts, so that an
	// event is counted once, whoever calls and with whatever horizon.
	RollUp(ctx context.Context, horizon int64, limit int) (more bool, err error)
}

// Change is an event that makes what a resolver remembers untrue.
type Change struct {
	Number        int64
	BrandNumber   int64
	ProductNumber int64 // 0: the whole brand
	Ordinal       int64 // -1: the whole product
}

// ResolverReader is what a resolver asks before and after it knows a brand. On
// PostgreSQL, what has no brand (Bases, Changes) goes through one narrow function each.
//
// Beside these, a resolver's role has the right to call, for one brand: BrandByNumber,
// Logo, ProductByCode, SchemaByID, UnitCode, UnitStates, Recalls, Links and Scans;
// ActivateUnits, AppendEvents and AppendScans; and without a brand
// EventHorizon and Ping.
type ResolverReader interface {
	// Bases lists the resolver bases on a host (with its port, where it has one).
	Bases(ctx context.Context, host string) ([]BaseRow, error)
	// ProductByGTIN finds the product that a GTIN was claimed for, else the oldest one that has it.
	ProductByGTIN(ctx context.Context, brand int64, gtin string) (*mintage.Product, error)
	// BatchByOrdinal finds the batch that owns an ordinal of a product, lots included;
	// NOT_FOUND where none does. JobID and Status are left empty, here and in LotsByCode:
	// jobs are not the resolver's business, and its role has no right on them.
	BatchByOrdinal(ctx context.Context, brand, product, ordinal int64) (*mintage.Batch, error)
	// LotsByCode lists the batches of a product that have a lot with this code, lots
	// included, newest first, at most limit.
	LotsByCode(ctx context.Context, brand, product int64, code string, limit int) ([]*mintage.Batch, error)
	// Changes lists changes after an event's number, in order, at most limit, of all
	// brands: events of the kinds unit.transition (to revoked only), mint_batch.recalled,
	// product.created, product.updated, product.links_changed, dpp_schema.stored,
	// brand.created, brand.updated, brand.logo_changed. A recall is of the whole product;
	// what a product.… event is about is found by its SubjectID.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
}

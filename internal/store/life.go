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
	// Recalls lists the recalls of a product, oldest first.
	Recalls(ctx context.Context, brand, product int64) ([]*mintage.Recall, error)
	// LotCounts counts the minted units of a batch by state, one entry a lot in
	// their order; exactly, as of the transaction's moment, and without reading each unit.
	LotCounts(ctx context.Context, brand, batch int64) ([]mintage.Counts, error)
	// Scans lists the scans of a unit, newest first, at most limit.
	Scans(ctx context.Context, product, ordinal int64, limit int) ([]*mintage.Scan, error)
	// ScanNetworks counts the different networks that scanned a unit since a time,
	// robots left out.
	ScanNetworks(ctx context.Context, product, ordinal int64, since time.Time) (int64, error)
	// Links lists the links of a product in their order.
	Links(ctx context.Context, brand, product int64) ([]mintage.Link, error)
	// DailyCounts lists units minted, activated, and scans of a brand by UTC day, from a day on.
	DailyCounts(ctx context.Context, brand int64, from time.Time) ([]DailyCount, error)
}

// DailyCount is what happened on one day.
type DailyCount struct {
	Day                        time.Time // midnight UTC
	Minted, Activated, Revoked int64
	Scans                      int64
}

// LifeTx writes it. Rows are only ever added.
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
	// AppendScans stores scans.
	AppendScans(ctx context.Context, scans []mintage.Scan) error
	// PutLinks replaces the links of a product.
	PutLinks(ctx context.Context, brand, product int64, links []mintage.Link) error
	// RollUp adds the unit events after the last call, up to an event horizon, to
	// the stored counts behind LotCounts, at most limit events; it reports whether some are left.
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
// PostgreSQL, what has no brand goes through one narrow function each.
type ResolverReader interface {
	// Bases lists the resolver bases on a host (with its port, where it has one).
	Bases(ctx context.Context, host string) ([]BaseRow, error)
	// ProductByGTIN finds the product that a GTIN was claimed for, else the oldest one that has it.
	ProductByGTIN(ctx context.Context, brand int64, gtin string) (*mintage.Product, error)
	// LotsByCode lists the batches of a product that have a lot with this code,
	// newest first, at most limit.
	LotsByCode(ctx context.Context, brand, product int64, code string, limit int) ([]*Work, error)
	// Changes lists changes after an event's number, in order, at most limit: of revocations,
	// recalls, products, links, brands. Of all brands.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
}

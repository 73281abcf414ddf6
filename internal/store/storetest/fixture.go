package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Fixture fills a store through the contract, in the transactions and with the
// events that the use cases and the engine would make, but without their checks.
// A failure ends the test. It is for one goroutine.
type Fixture struct {
	// MasterKey is the key that the brands' keys are sealed under.
	MasterKey serial.MasterKey
	// Now is the clock for times shown to people.
	Now func() time.Time

	t     testing.TB
	s     store.Store
	count int // makes names differ
}

// NewFixture returns a fixture for a migrated store.
func NewFixture(t testing.TB, s store.Store) *Fixture {
	t.Helper()
	return &Fixture{
		MasterKey: serial.NewMasterKey(),
		// Both engines keep times to the microsecond.
		Now: func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
		t:   t,
		s:   s,
	}
}

// NewID draws an identifier of a row.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// NewBrand creates a brand, as changed by edit.
func (f *Fixture) NewBrand(edit ...func(*mintage.Brand)) *mintage.Brand {
	f.t.Helper()
	f.count++
	id := NewID()
	b := &mintage.Brand{
		ID:                     id,
		Name:                   fmt.Sprintf("Brand %d", f.count),
		ResolverBase:           fmt.Sprintf("https://id-%d.example", f.count),
		LotFromProductionBatch: true,
		SealedKey:              f.MasterKey.Seal(id, serial.NewBrandKey()),
		CreatedAt:              f.Now(),
	}
	b.SetDefaults()
	for _, e := range edit {
		e(b)
	}
	f.inTx(func(ctx context.Context, tx store.Tx) error { return tx.CreateBrand(ctx, b) })
	return b
}

// NewProduct creates an ACTIVE product with a GTIN of its own, as changed by
// edit.
func (f *Fixture) NewProduct(b *mintage.Brand, edit ...func(*mintage.Product)) *mintage.Product {
	f.t.Helper()
	f.count++
	p := &mintage.Product{
		ID:          NewID(),
		BrandNumber: b.Number,
		Code:        serial.NewProductCode(),
		SKU:         fmt.Sprintf("SKU-%d", f.count),
		Name:        fmt.Sprintf("Product %d", f.count),
		GTIN:        f.NewGTIN(),
		Status:      mintage.ProductActive,
		Attributes:  []byte(`{}`),
		CreatedAt:   f.Now(),
		UpdatedAt:   f.Now(),
	}
	for _, e := range edit {
		e(p)
	}
	f.inTx(func(ctx context.Context, tx store.Tx) error { return tx.CreateProduct(ctx, p) })
	return p
}

// NewGTIN returns a valid GTIN that the fixture has not returned before.
func (f *Fixture) NewGTIN() string {
	f.t.Helper()
	f.count++
	digits := fmt.Sprintf("0950%09d", f.count) // 950 is GS1's prefix for examples
	check, err := gs1.CheckDigit(digits)
	if err != nil {
		f.t.Fatal(err)
	}
	return digits + string(check)
}

// NewProductionBatch creates a READY production batch, as changed by edit.
func (f *Fixture) NewProductionBatch(p *mintage.Product, quantity int64, edit ...func(*mintage.ProductionBatch)) *mintage.ProductionBatch {
	f.t.Helper()
	f.count++
	pb := &mintage.ProductionBatch{
		ID:            NewID(),
		BrandNumber:   p.BrandNumber,
		Code:          fmt.Sprintf("RUN-%d", f.count),
		ProductNumber: p.Number,
		ProductID:     p.ID,
		Quantity:      quantity,
		Status:        mintage.ProductionReady,
		CreatedAt:     f.Now(),
		UpdatedAt:     f.Now(),
	}
	for _, e := range edit {
		e(pb)
	}
	f.inTx(func(ctx context.Context, tx store.Tx) error { return tx.CreateProductionBatch(ctx, pb) })
	return pb
}

// Submission is an accepted mint request. Only Product and Quantity are needed;
// the modes are serial and first_scan otherwise.
type Submission struct {
	Product        *mintage.Product
	Quantity       int64
	Lots           []mintage.LotRequest
	IdentityMode   mintage.IdentityMode
	ActivationMode mintage.ActivationMode
	Production     *mintage.ProductionBatch
	Key            string // idempotency key
	CycleLimit     int    // mintage.MaxCycle otherwise
}

// Submit submits a request in serial mode.
func (f *Fixture) Submit(p *mintage.Product, quantity int64, lots ...mintage.LotRequest) *store.Work {
	f.t.Helper()
	return f.SubmitRequest(Submission{Product: p, Quantity: quantity, Lots: lots})
}

// SubmitRequest submits a request.
func (f *Fixture) SubmitRequest(s Submission) *store.Work {
	f.t.Helper()
	var w *store.Work
	f.inTx(func(ctx context.Context, tx store.Tx) (err error) {
		w, err = f.Create(ctx, tx, s)
		return err
	})
	return w
}

// Create does what a submission does within the caller's transaction.
func (f *Fixture) Create(ctx context.Context, tx store.Tx, s Submission) (*store.Work, error) {
	jobID := NewID()
	brand, err := tx.BrandByNumber(ctx, s.Product.BrandNumber)
	if err != nil {
		return nil, err
	}
	if s.Key != "" {
		taken, err := tx.ClaimKey(ctx, brand.Number, s.Key, store.KeyClaim{RequestHash: []byte(s.Key), JobID: jobID})
		if err != nil {
			return nil, err
		}
		if taken != nil {
			return tx.WorkByJobID(ctx, brand.Number, taken.JobID)
		}
	}
	if s.Production != nil {
		if _, err := tx.LockProductionBatch(ctx, brand.Number, s.Production.ID); err != nil {
			return nil, err
		}
	}
	p, err := tx.LockProduct(ctx, brand.Number, s.Product.ID)
	if err != nil {
		return nil, err
	}
	if p.GTIN != "" {
		owner, err := tx.ClaimGTIN(ctx, brand.Number, p.GTIN, p.Number)
		if err != nil {
			return nil, err
		}
		if owner != p.Number {
			return nil, fmt.Errorf("the GTIN is product %d's", owner)
		}
	}
	first, err := tx.ReserveOrdinals(ctx, p.Number, s.Quantity)
	if err != nil {
		return nil, err
	}
	w := f.NewWork(brand, p, s, first)
	w.Job.ID, w.Batch.JobID = jobID, jobID
	if err := tx.CreateJob(ctx, &w.Job, &w.Batch); err != nil {
		return nil, err
	}
	return w, f.appendTransition(ctx, tx, w, "", w.Job.Status)
}

// NewWork returns a job and its batch as they are handed to CreateJob, without
// storing anything.
func (f *Fixture) NewWork(brand *mintage.Brand, p *mintage.Product, s Submission, first int64) *store.Work {
	at := f.Now()
	w := &store.Work{
		Job: mintage.Job{
			ID:          NewID(),
			BrandNumber: brand.Number,
			Status:      mintage.JobQueued,
			CycleLimit:  mintage.MaxCycle,
			SubmittedBy: "key:test",
			CreatedAt:   at,
		},
		Batch: mintage.Batch{
			ID:                NewID(),
			BrandNumber:       brand.Number,
			Status:            mintage.BatchQueued,
			ProductNumber:     p.Number,
			ProductID:         p.ID,
			IdentityMode:      mintage.IdentitySerial,
			ActivationMode:    mintage.FirstScan,
			RequestedQuantity: s.Quantity,
			FirstOrdinal:      first,
			ResolverBase:      brand.ResolverBase,
			GTIN:              p.GTIN,
			ProductCode:       p.Code,
			CreatedAt:         at,
		},
	}
	w.Batch.JobID = w.Job.ID
	if s.CycleLimit != 0 {
		w.Job.CycleLimit = s.CycleLimit
	}
	if s.IdentityMode != "" {
		w.Batch.IdentityMode = s.IdentityMode
	}
	if s.ActivationMode != "" {
		w.Batch.ActivationMode = s.ActivationMode
	}
	if s.Production != nil {
		w.Batch.ProductionBatchNumber, w.Batch.ProductionBatchID = s.Production.Number, s.Production.ID
	}
	w.Batch.Lots = newLots(&w.Batch, s.Lots)
	return w
}

func newLots(b *mintage.Batch, requests []mintage.LotRequest) []mintage.Lot {
	if len(requests) == 0 {
		requests = []mintage.LotRequest{{Quantity: b.RequestedQuantity}}
	}
	var lots []mintage.Lot
	next := b.FirstOrdinal
	for _, r := range requests {
		id := gs1.Identity{
			Base:        gs1.Base(b.ResolverBase),
			GTIN:        gs1.GTIN(b.GTIN),
			ProductCode: b.ProductCode,
			Lot:         r.LotCode,
			Serialised:  b.IdentityMode == mintage.IdentitySerial,
		}
		prefix, suffix := id.URLAffixes()
		lots = append(lots, mintage.Lot{Code: r.LotCode, FirstOrdinal: next, Quantity: r.Quantity, URLPrefix: prefix, URLSuffix: suffix})
		next += r.Quantity
	}
	return lots
}

// inTx runs fn in a transaction that must succeed.
func (f *Fixture) inTx(fn func(ctx context.Context, tx store.Tx) error) {
	f.t.Helper()
	ctx := f.t.Context()
	if err := f.s.InTx(ctx, func(tx store.Tx) error { return fn(ctx, tx) }); err != nil {
		f.t.Fatal(err)
	}
}

package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

var testTime = time.Date(2026, time.May, 4, 3, 2, 1, 123456000, time.UTC)

// openAt opens a file and closes it when the test ends.
func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path, Options{Now: func() time.Time { return testTime }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// openNew opens a new, migrated file.
func openNew(t testing.TB) *Store {
	t.Helper()
	s := openAt(t, filepath.Join(t.TempDir(), "mintage.db"))
	if err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func inTx(t testing.TB, s *Store, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := s.InTx(ctx, func(tx store.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// newBrand stores a brand of the given number in the test.
func newBrand(i int) *mintage.Brand {
	b := &mintage.Brand{
		ID: fmt.Sprintf("brand-%d", i), Name: "Brand", ResolverBase: fmt.Sprintf("https://id%d.example", i),
		SealedKey: []byte("sealed"), CreatedAt: testTime,
	}
	b.SetDefaults()
	return b
}

// newBatch stores a brand, a product, and a job for quantity units in one lot.
func newBatch(t testing.TB, s *Store, quantity int64) *mintage.Batch {
	t.Helper()
	b := &mintage.Batch{
		ID: "batch", JobID: "job", IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.FirstScan,
		RequestedQuantity: quantity, ResolverBase: "https://id1.example", ProductCode: "PR0DVCT1", CreatedAt: testTime,
		Lots: []mintage.Lot{{Code: "L1", Quantity: quantity, URLPrefix: "https://id1.example/u/PR0DVCT1/", URLSuffix: "?x"}},
	}
	inTx(t, s, func(ctx context.Context, tx store.Tx) error {
		brand := newBrand(1)
		if err := tx.CreateBrand(ctx, brand); err != nil {
			return err
		}
		p := &mintage.Product{
			ID: "product", BrandNumber: brand.Number, Code: b.ProductCode, SKU: "sku", Name: "Product",
			Status: mintage.ProductActive, Attributes: []byte("{}"), CreatedAt: testTime, UpdatedAt: testTime,
		}
		if err := tx.CreateProduct(ctx, p); err != nil {
			return err
		}
		b.BrandNumber, b.ProductNumber, b.ProductID = brand.Number, p.Number, p.ID
		j := &mintage.Job{
			ID: b.JobID, BrandNumber: brand.Number, Status: mintage.JobQueued, CycleLimit: mintage.MaxCycle,
			SubmittedBy: "test", CreatedAt: testTime,
		}
		return tx.CreateJob(ctx, j, b)
	})
	return b
}

// slice makes n units that follow each other; the codes are as random to the
// database as real ones.
func slice(b *mintage.Batch, first int64, n int) store.Slice {
	s := store.Slice{Product: b.ProductNumber, First: first, Codes: make([]serial.Code, n)}
	for i := range s.Codes {
		s.Codes[i] = serial.Code(uint64(first+int64(i)+1) * 0x9E3779B97F4A7C15 % serial.Domain)
	}
	return s
}

// mint inserts n units in one cycle, with its event.
func mint(ctx context.Context, tx store.Tx, b *mintage.Batch, minted int64, n int) error {
	s := slice(b, b.FirstOrdinal+minted, n)
	if err := tx.InsertUnits(ctx, b.Number, minted, s); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, &mintage.Event{
		BrandNumber: b.BrandNumber, At: testTime, Kind: mintage.EventBatchCycle, Actor: "test", SubjectID: b.ID,
		BatchNumber: b.Number, ProductNumber: b.ProductNumber, FirstOrdinal: s.First, Quantity: int64(n),
	})
}

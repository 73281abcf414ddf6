package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/export"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestCSV(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		brand := f.NewBrand()
		p := mintage.Principal{BrandNumber: brand.Number, Actor: "key:test"}
		product := f.NewProduct(brand, func(p *mintage.Product) { p.GTIN = "00000095201238" })
		lots := []mintage.LotRequest{{LotCode: "0007", Quantity: 3}, {LotCode: `A,"B"`, Quantity: 12_000}, {LotCode: "=1+1", Quantity: 7}}
		f.Submit(product, 12_010, lots...)
		w := f.Mint(12_010)

		s := export.New(db, f.Now)
		b, err := s.Batch(t.Context(), p, strings.ToUpper(w.Batch.ID))
		if err != nil {
			t.Fatal(err)
		}
		flushed := 0
		var file bytes.Buffer
		if err := s.CSV(t.Context(), b, &file, func() error { flushed++; return nil }); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(file.Bytes())).ReadAll()
		if err != nil || len(rows) != 12_011 || flushed < 2 {
			t.Fatalf("%d rows in %d chunks: %v", len(rows), flushed, err)
		}
		for at, lot := range map[int]string{1: "0007", 3: "0007", 4: `A,"B"`, 12_003: `A,"B"`, 12_004: "=1+1", 12_010: "=1+1"} {
			row := rows[at]
			prefix := b.Lot(b.FirstOrdinal + int64(at) - 1).URLPrefix
			if row[3] != lot || row[2] != product.GTIN || row[6] != prefix+row[5] || row[0] != product.Code+"-"+row[5] || row[4] != row[5] {
				t.Errorf("row %d: %v", at, row)
			}
		}
		var again bytes.Buffer
		if err := s.CSV(t.Context(), b, &again, nil); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
			t.Errorf("the second export differs: %v", err)
		}
		stop := errors.New("the reader has gone")
		if err := s.CSV(t.Context(), b, &again, func() error { return stop }); !errors.Is(err, stop) {
			t.Errorf("a reader that is gone: %v", err)
		}
		if _, err := s.Batch(t.Context(), mintage.Principal{BrandNumber: f.NewBrand().Number}, b.ID); mintage.ErrorCode(err) != mintage.CodeNotFound {
			t.Errorf("another brand's batch: %v", err)
		}

		// A unit that is missing is an error, never a file with a row less.
		raw := db.Raw(t)
		if _, err := raw.ExecContext(t.Context(), "DELETE FROM units WHERE ordinal = 11000"); err != nil {
			t.Fatal(err)
		}
		if err := s.CSV(t.Context(), b, &again, nil); mintage.ErrorCode(err) != mintage.CodeInternal {
			t.Errorf("a gap: %v", err)
		}
		var exported int
		err = db.Read(t.Context(), func(r store.Reader) error {
			events, err := r.Events(context.Background(), brand.Number, store.EventFilter{Kind: mintage.EventBatchExported}, store.Page{Limit: 10})
			exported = len(events)
			return err
		})
		if err != nil || exported != 1 {
			t.Errorf("%d events of exports, %v", exported, err)
		}
	})
}

package sqlite

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// The view units_v is for those who read the file with their own tools: it must
// say of a unit what the program says.
func TestUnitsView(t *testing.T) {
	s := openNew(t)
	lots := []mintage.Lot{
		{Code: "A", FirstOrdinal: 0, Quantity: 2, URLPrefix: "https://id.example/01/00000000000017/10/A/21/"},
		{FirstOrdinal: 2, Quantity: 3, URLPrefix: "https://id.example/u/PR0DVCT1/", URLSuffix: "?x=%2F"},
	}
	codes := []serial.Code{0, 1, serial.Domain - 1, 0x0123456789abcdef, 1 << 59}
	batch := newBatch(t, s, 10)
	second := *batch
	second.ID, second.JobID, second.FirstOrdinal, second.RequestedQuantity, second.Lots = "second", "second-job", 10, 5, lots
	second.GTIN, second.ActivationMode = "00000000000017", mintage.ActiveAtMint
	for i := range second.Lots {
		second.Lots[i].FirstOrdinal += second.FirstOrdinal
	}
	inTx(t, s, func(ctx context.Context, tx store.Tx) error {
		if err := mint(ctx, tx, batch, 0, 10); err != nil {
			return err
		}
		job := &mintage.Job{
			ID: second.JobID, BrandNumber: second.BrandNumber, Status: mintage.JobQueued, CycleLimit: 1, CreatedAt: testTime,
		}
		if err := tx.CreateJob(ctx, job, &second); err != nil {
			return err
		}
		// Two cycles at different times.
		for i, part := range [][]serial.Code{codes[:3], codes[3:]} {
			first := second.FirstOrdinal + int64(3*i)
			if err := tx.InsertUnits(ctx, second.Number, int64(3*i), store.Slice{Product: second.ProductNumber, First: first, Codes: part}); err != nil {
				return err
			}
			if err := tx.AppendEvent(ctx, &mintage.Event{
				BrandNumber: second.BrandNumber, At: testTime.Add(time.Duration(i+1) * time.Hour), Kind: mintage.EventBatchCycle,
				BatchNumber: second.Number, ProductNumber: second.ProductNumber, FirstOrdinal: first, Quantity: int64(len(part)),
			}); err != nil {
				return err
			}
		}
		return nil
	})

	type unit struct {
		ID, Product, Batch, GTIN, Lot, Serial, URL, Status, CreatedAt, ActivatedAt, RevokedAt string
		Ordinal                                                                               int64
	}
	rows, err := s.reader.QueryContext(t.Context(), `
		SELECT unit_id, product_id, mint_batch_id, ordinal, coalesce(gtin, ''), coalesce(lot, ''), coalesce(serial, ''),
			resolver_url, status, created_at, coalesce(activated_at, ''), coalesce(revoked_at, '')
		FROM units_v ORDER BY ordinal`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var got []unit
	for rows.Next() {
		var u unit
		if err := rows.Scan(&u.ID, &u.Product, &u.Batch, &u.Ordinal, &u.GTIN, &u.Lot, &u.Serial,
			&u.URL, &u.Status, &u.CreatedAt, &u.ActivatedAt, &u.RevokedAt); err != nil {
			t.Fatal(err)
		}
		got = append(got, u)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}

	var want []unit
	at := func(d time.Duration) string { return testTime.Add(d).Format("2006-01-02T15:04:05.000000Z") }
	add := func(b *mintage.Batch, ordinal int64, code serial.Code, created string) {
		lot := b.Lot(ordinal)
		u := unit{
			ID: serial.Unit{ProductCode: b.ProductCode, Code: code}.String(), Product: b.ProductID, Batch: b.ID, Ordinal: ordinal,
			GTIN: b.GTIN, Lot: lot.Code, Serial: code.String(), URL: lot.URLPrefix + code.String() + lot.URLSuffix,
			Status: string(b.ActivationMode.Born()), CreatedAt: created,
		}
		if b.ActivationMode == mintage.ActiveAtMint {
			u.ActivatedAt = created
		}
		want = append(want, u)
	}
	for i, code := range slice(batch, 0, 10).Codes {
		add(batch, int64(i), code, at(0))
	}
	for i, code := range codes {
		add(&second, second.FirstOrdinal+int64(i), code, at(time.Duration(i/3+1)*time.Hour))
	}
	if len(got) != len(want) {
		t.Fatalf("the view has %d units, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("the view says\n%+v, want\n%+v", got[i], want[i])
		}
	}
}

package storetest_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/serial"
	"mintage/internal/store/storetest"
)

// viewRow is a row of units_v, its times as text.
type viewRow struct {
	UnitID, ProductID, BatchID string
	Ordinal                    int64
	GTIN, Lot, Serial          sql.NullString
	URL, Status                string
	Created                    string
	Activated, Revoked         sql.NullString
}

// viewOf reads units_v, which is for people with an SQL client.
func viewOf(t *testing.T, db *storetest.DB, batch string) (rows []viewRow) {
	t.Helper()
	text, at := "%s", "%s"
	if db.Engine() == "postgres" {
		text, at = "%s::text", `to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
	}
	query := strings.Join([]string{
		"SELECT unit_id, ", fmt.Sprintf(text, "product_id"), ", ", fmt.Sprintf(text, "mint_batch_id"),
		", ordinal, gtin, lot, serial, resolver_url, status, ",
		fmt.Sprintf(at, "created_at"), ", ", fmt.Sprintf(at, "activated_at"), ", ", fmt.Sprintf(at, "revoked_at"),
		" FROM units_v WHERE ", fmt.Sprintf(text, "mint_batch_id"), " = '", batch, "' ORDER BY ordinal",
	}, "")
	raw := db.Raw(t)
	defer raw.Close()
	found, err := raw.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var r viewRow
		if err := found.Scan(&r.UnitID, &r.ProductID, &r.BatchID, &r.Ordinal, &r.GTIN, &r.Lot, &r.Serial, &r.URL, &r.Status,
			&r.Created, &r.Activated, &r.Revoked); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// A unit's state in the view: its own rows, and the recalls that cover it.
func TestUnitsViewOfLives(t *testing.T) {
	lots := []mintage.LotRequest{{LotCode: "A", Quantity: 5}, {LotCode: "B", Quantity: 3}}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		clock := storetest.NewClock(time.Date(2026, 3, 29, 1, 30, 0, 987_654_000, time.UTC))
		f.Now = clock.Now
		p := f.NewProduct(f.NewBrand())
		f.Submit(p, 3)
		f.Mint(3)
		// moment is the time from now on, as the view spells it.
		moment := func() sql.NullString {
			clock.Advance(time.Minute)
			return sql.NullString{String: clock.Now().Format("2006-01-02T15:04:05.000000Z"), Valid: true}
		}
		type life struct {
			Status             string
			Activated, Revoked sql.NullString
		}
		for _, mode := range []mintage.ActivationMode{mintage.FirstScan, mintage.ActiveAtMint} {
			t.Run(string(mode), func(t *testing.T) {
				batch := &f.SubmitRequest(storetest.Submission{Product: p, Quantity: 8, Lots: lots, ActivationMode: mode}).Batch
				var none, born sql.NullString
				minted := moment()
				f.Mint(7)
				if mode == mintage.ActiveAtMint {
					born = minted
				}
				revoked := moment()
				f.Revoke(batch, "r", ordinals(batch, 1, 3)...)
				activated := born
				if mode == mintage.FirstScan {
					activated = moment()
					f.Activate(batch, ordinals(batch, 3, 6)...)
				}
				later := moment()
				f.Revoke(batch, "r", ordinals(batch, 4, 5)...)
				want := []life{
					{string(mode.Born()), born, none},
					{"revoked", born, revoked},
					{"revoked", born, revoked},
					{"active", activated, none},
					{"revoked", activated, later},
					{"active", activated, none}, // the other lot
					{string(mode.Born()), born, none},
				}
				is := func() {
					t.Helper()
					same(t, mapped(viewOf(t, db, batch.ID), func(r viewRow) life { return life{r.Status, r.Activated, r.Revoked} }), want)
				}
				is()
				for _, lot := range []*mintage.Lot{&batch.Lots[1], nil} { // the batch has both
					recalled := moment()
					f.Recall(batch, lot, "r")
					for i := range want {
						if (lot == nil || i >= 5) && !want[i].Revoked.Valid {
							want[i].Status, want[i].Revoked = "revoked", recalled
						}
					}
					is()
				}
				// One that is minted afterwards is revoked as its lot was.
				last := want[6]
				if mode == mintage.ActiveAtMint {
					last.Activated = moment()
				}
				want = append(want, last)
				f.Mint(1)
				is()
				drain(t, db, f)
			})
		}
	})
}

func TestUnitsView(t *testing.T) {
	lots := []mintage.LotRequest{{LotCode: `A/1"%`, Quantity: 2}, {LotCode: "B", Quantity: 5}}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		clock := storetest.NewClock(time.Date(2026, 3, 29, 1, 30, 0, 987_654_000, time.UTC))
		f.Now = clock.Now
		total := int64(0)
		for _, gtin := range []bool{true, false} {
			b := f.NewBrand()
			p := f.NewProduct(b, func(p *mintage.Product) {
				if !gtin {
					p.GTIN = ""
				}
			})
			for _, mode := range []mintage.IdentityMode{mintage.IdentitySerial, mintage.IdentityBatch} {
				for _, withLots := range []bool{true, false} {
					for _, activation := range []mintage.ActivationMode{mintage.FirstScan, mintage.ActiveAtMint} {
						t.Run(fmt.Sprintf("GTIN %v, %s, lots %v, %s", gtin, mode, withLots, activation), func(t *testing.T) {
							s := storetest.Submission{Product: p, Quantity: 7, IdentityMode: mode, ActivationMode: activation}
							if withLots {
								s.Lots = lots
							}
							w := f.SubmitRequest(s)
							var cycles []time.Time
							for _, n := range []int{1, 3} { // the last three do not exist yet
								clock.Advance(time.Minute)
								cycles = append(cycles, slices.Repeat([]time.Time{clock.Now()}, n)...)
								f.Mint(int64(n))
							}
							codes := codesOf(t, db, p.Number, w.Batch.FirstOrdinal, w.Batch.FirstOrdinal+7)
							got := viewOf(t, db, w.Batch.ID)
							same(t, len(got), 4)
							for i, row := range got {
								ordinal := w.Batch.FirstOrdinal + int64(i)
								code := codes[i]
								lot := w.Batch.Lot(ordinal).Code
								created := cycles[i].Format("2006-01-02T15:04:05.000000Z")
								want := viewRow{
									UnitID:    serial.Unit{ProductCode: p.Code, Code: code}.String(),
									ProductID: p.ID,
									BatchID:   w.Batch.ID,
									Ordinal:   ordinal,
									GTIN:      sql.NullString{String: p.GTIN, Valid: gtin},
									Lot:       sql.NullString{String: lot, Valid: withLots},
									Status:    string(activation.Born()),
									Created:   created,
									URL: gs1.Identity{
										Base: gs1.Base(b.ResolverBase), GTIN: gs1.GTIN(p.GTIN), ProductCode: p.Code,
										Lot: lot, Serialised: mode == mintage.IdentitySerial,
									}.URL(code.String()),
								}
								if mode == mintage.IdentitySerial {
									want.Serial = sql.NullString{String: code.String(), Valid: true}
								}
								if activation == mintage.ActiveAtMint {
									want.Activated = sql.NullString{String: created, Valid: true}
								}
								same(t, row, want)
							}
							drain(t, db, f)
							total += 7
						})
					}
				}
			}
		}
		for _, query := range []string{
			"SELECT count(*) FROM units",
			"SELECT count(*) FROM units_v",
			"SELECT count(DISTINCT resolver_url) FROM units_v",
			"SELECT count(DISTINCT unit_id) FROM units_v",
			"SELECT sum(minted_quantity) FROM mint_batches",
		} {
			if n := count(t, db, query); n != total {
				t.Errorf("%s is %d, want %d", query, n, total)
			}
		}
	})
}

package storetest_test

import (
	"slices"
	"testing"

	"mintage/internal/store/storetest"
)

// The audit trail and the recalls are only ever added to, by whoever asks: these statements run as
// the database's owner.
func TestTheAuditTrailIsAppendOnly(t *testing.T) {
	common := []string{
		"UPDATE events SET actor = 'nobody'",
		"UPDATE events SET actor = actor WHERE number = 2",
		"DELETE FROM events",
		"DELETE FROM events WHERE number = (SELECT max(number) FROM events)",
		"UPDATE event_seals SET last_event = last_event + 1",
		"UPDATE event_seals SET hash = hash WHERE number = 1",
		"UPDATE event_seals SET number = number + 1000",
		"DELETE FROM event_seals",
		"DELETE FROM event_seals WHERE number = 2",
		"UPDATE recalls SET quantity = 1",
		"UPDATE recalls SET reason = reason",
		"DELETE FROM recalls",
	}
	own := map[string][]string{
		"postgres": {
			"TRUNCATE events",
			"TRUNCATE event_seals",
			"TRUNCATE event_seals, events",
			"TRUNCATE events RESTART IDENTITY CASCADE",
			`INSERT INTO events (number, brand_number, at, kind, actor, subject_id) OVERRIDING SYSTEM VALUE
				SELECT number, brand_number, at, 'x', actor, subject_id FROM events
				ON CONFLICT (number) DO UPDATE SET kind = excluded.kind`,
			"TRUNCATE recalls",
			`INSERT INTO recalls (brand_number, product_number, batch_number, first_ordinal, quantity, reason, at)
				SELECT brand_number, product_number, batch_number, first_ordinal, quantity, 'x', at FROM recalls
				ON CONFLICT (product_number, first_ordinal, quantity) DO UPDATE SET reason = excluded.reason`,
			"MERGE INTO event_seals USING brands b ON b.number = brand_number WHEN MATCHED THEN DELETE",
		},
		"sqlite": {
			"UPDATE events SET number = number + 1000",
			"UPDATE OR REPLACE events SET number = 1 WHERE number = 2",
			"INSERT OR REPLACE INTO events (number, brand_number, at, kind, actor, subject_id) SELECT number, brand_number, at, 'x', actor, subject_id FROM events",
			"REPLACE INTO event_seals SELECT * FROM event_seals",
			"REPLACE INTO recalls SELECT * FROM recalls",
			`INSERT OR REPLACE INTO recalls (brand_number, product_number, batch_number, first_ordinal, quantity, reason, at)
				SELECT brand_number, product_number, batch_number, first_ordinal, quantity, 'x', at FROM recalls`,
		},
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		for range 3 {
			newEvent(t, db, f, b)
		}
		newSeal(t, db, f, b, 1, 1)
		newSeal(t, db, f, b, 2, 3)
		f.Recall(&f.Submit(f.NewProduct(b), 5).Batch, nil, "r")
		raw := db.Raw(t)
		// attempt runs a statement and takes it back.
		attempt := func(t *testing.T, statement string) error {
			t.Helper()
			tx, err := raw.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			_, err = tx.ExecContext(t.Context(), statement)
			return err
		}
		statements := slices.Concat(common, own[db.Engine()])
		for _, statement := range statements {
			if err := attempt(t, statement); err == nil {
				t.Errorf("it was done: %s", statement)
			}
		}
		newEvent(t, db, f, b)
		newSeal(t, db, f, b, 3, 4)
		f.Recall(&f.Submit(f.NewProduct(b), 5).Batch, nil, "r")

		storetest.Unguard(t, raw)
		for _, statement := range statements {
			if err := attempt(t, statement); err != nil {
				t.Errorf("it fails for another reason than its guard: %s: %v", statement, err)
			}
		}
	})
}

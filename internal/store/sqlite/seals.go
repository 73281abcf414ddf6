package sqlite

import (
	"context"
	"time"

	"mintage"
)

const sealColumns = `brand_number, number, last_event, digests, hash, sealed_at`

func scanSeal(scan scanner) (*mintage.Seal, error) {
	s := &mintage.Seal{}
	err := scan(&s.BrandNumber, &s.Number, &s.LastEvent, &s.Digests, &s.Hash, timeInto{&s.SealedAt})
	return s, err
}

func (r reader) LastSeal(ctx context.Context, brand int64) (*mintage.Seal, error) {
	return one(ctx, r.session, scanSeal, `
		SELECT `+sealColumns+` FROM event_seals WHERE brand_number = ? ORDER BY number DESC LIMIT 1`,
		brand)
}

func (r reader) Seals(ctx context.Context, brand, after int64, limit int) ([]*mintage.Seal, error) {
	return list(ctx, r.session, scanSeal, `
		SELECT `+sealColumns+` FROM event_seals WHERE brand_number = ? AND number > ? ORDER BY number LIMIT ?`,
		brand, after, max(limit, 1)) // a negative limit would be none
}

func (r reader) EventsBetween(ctx context.Context, brand, after, upTo int64, limit int) ([]*mintage.Event, error) {
	return list(ctx, r.session, scanEvent, `
		SELECT e.number, e.brand_number, e.at, e.kind, e.actor, e.address_class, e.request_id, e.subject_id,
			coalesce(e.batch_number, 0), '', '',
			coalesce(e.product_number, 0), coalesce(e.first_ordinal, 0), coalesce(e.quantity, 0),
			e.from_state, e.to_state, e.message
		FROM events e
		WHERE e.brand_number = ? AND e.number > ? AND e.number <= ?
		ORDER BY e.number LIMIT ?`,
		brand, after, upTo, max(limit, 1))
}

// UnsealedBrands asks two indexes for each brand: how many events there are does
// not matter.
func (r reader) UnsealedBrands(ctx context.Context, upTo int64, limit int) ([]int64, error) {
	return list(ctx, r.session, integer, `
		SELECT b.number FROM brands b
		WHERE EXISTS (
			SELECT 1 FROM events e
			WHERE e.brand_number = b.number AND e.number <= ?
				AND e.number > coalesce((
					SELECT s.last_event FROM event_seals s
					WHERE s.brand_number = b.number ORDER BY s.number DESC LIMIT 1
				), 0)
		)
		ORDER BY b.number LIMIT ?`,
		upTo, max(limit, 1))
}

// UnsealedSince asks the indexes as UnsealedBrands does.
func (r reader) UnsealedSince(ctx context.Context) (time.Time, error) {
	scanTime := func(scan scanner) (since time.Time, err error) {
		err = scan(timeInto{&since})
		return since, err
	}
	return one(ctx, r.session, scanTime, `
		SELECT min((
			SELECT e.at FROM events e
			WHERE e.brand_number = b.number
				AND e.number > coalesce((
					SELECT s.last_event FROM event_seals s
					WHERE s.brand_number = b.number ORDER BY s.number DESC LIMIT 1
				), 0)
			ORDER BY e.number LIMIT 1
		)) FROM brands b`)
}

// TrailBrands goes from one brand number to the next in the indexes.
func (r reader) TrailBrands(ctx context.Context) ([]int64, error) {
	return list(ctx, r.session, integer, `
		WITH RECURSIVE e (number) AS (
			SELECT min(brand_number) FROM events
			UNION ALL
			SELECT (SELECT min(n.brand_number) FROM events n WHERE n.brand_number > e.number) FROM e WHERE e.number IS NOT NULL
		), s (number) AS (
			SELECT min(brand_number) FROM event_seals
			UNION ALL
			SELECT (SELECT min(n.brand_number) FROM event_seals n WHERE n.brand_number > s.number) FROM s WHERE s.number IS NOT NULL
		)
		SELECT number FROM (SELECT number FROM e UNION SELECT number FROM s)
		WHERE number IS NOT NULL ORDER BY number`)
}

// LockSeals has the lock already: the transaction is the only writer.
func (t *tx) LockSeals(context.Context) (bool, error) { return true, t.ready() }

func (t *tx) AppendSeal(ctx context.Context, s *mintage.Seal) error {
	added, err := t.exec(ctx, `
		INSERT INTO event_seals (brand_number, number, last_event, digests, hash, sealed_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6
		WHERE NOT EXISTS (SELECT 1 FROM event_seals WHERE brand_number = ?1 AND number = ?2)`,
		s.BrandNumber, s.Number, s.LastEvent, s.Digests, s.Hash, text(s.SealedAt))
	if err == nil && added == 0 {
		return conflict("The brand has a block of this number already.", nil)
	}
	return err
}

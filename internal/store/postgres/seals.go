package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
)

// sealLock is the advisory lock of whoever seals; see the package's documentation.
const sealLock = -2

const selectSeal = `SELECT brand_number, number, last_event, digests, hash, sealed_at FROM event_seals`

func scanSeal(row pgx.Row) (*mintage.Seal, error) {
	s := new(mintage.Seal)
	return s, row.Scan(&s.BrandNumber, &s.Number, &s.LastEvent, &s.Digests, &s.Hash, utc(&s.SealedAt))
}

func (t *tx) LastSeal(ctx context.Context, brand int64) (*mintage.Seal, error) {
	return one(ctx, t, scanSeal, selectSeal+` WHERE brand_number = $1 ORDER BY number DESC LIMIT 1`, brand)
}

func (t *tx) Seals(ctx context.Context, brand, after int64, limit int) ([]*mintage.Seal, error) {
	return many(ctx, t, scanSeal, selectSeal+` WHERE brand_number = $1 AND number > $2 ORDER BY number LIMIT $3`,
		brand, after, int64(limit))
}

func (t *tx) EventsBetween(ctx context.Context, brand, after, upTo int64, limit int) ([]*mintage.Event, error) {
	return many(ctx, t, scanEvent, `
		SELECT e.number, e.brand_number, e.at, e.kind, e.actor, e.address_class, e.request_id, e.subject_id,
			coalesce(e.batch_number, 0), '', '',
			coalesce(e.product_number, 0), coalesce(e.first_ordinal, 0), coalesce(e.quantity, 0),
			e.from_state, e.to_state, e.message
		FROM events e
		WHERE e.brand_number = $1 AND e.number > $2 AND e.number <= $3
		ORDER BY e.number LIMIT $4`, brand, after, upTo, int64(limit))
}

// UnsealedBrands asks two indexes for each brand: how many events there are does
// not matter.
func (t *tx) UnsealedBrands(ctx context.Context, upTo int64, limit int) ([]int64, error) {
	brands, err := many(ctx, t, scanNumber, `
		SELECT b.number FROM brands b
		CROSS JOIN LATERAL (
			SELECT coalesce((
				SELECT s.last_event FROM event_seals s
				WHERE s.brand_number = b.number ORDER BY s.number DESC LIMIT 1
			), 0) AS sealed OFFSET 0
		) s
		CROSS JOIN LATERAL (
			SELECT FROM events e
			WHERE e.brand_number = b.number AND e.number > s.sealed AND e.number <= $1
			ORDER BY e.number LIMIT 1
		) e
		ORDER BY b.number LIMIT $2`, upTo, int64(limit))
	if err != nil {
		return nil, err
	}
	return values(brands), nil
}

// UnsealedSince asks the indexes as UnsealedBrands does.
func (t *tx) UnsealedSince(ctx context.Context) (since time.Time, err error) {
	err = t.get(ctx, []any{utc(&since)}, `
		SELECT min(e.at) FROM brands b
		CROSS JOIN LATERAL (
			SELECT coalesce((
				SELECT s.last_event FROM event_seals s
				WHERE s.brand_number = b.number ORDER BY s.number DESC LIMIT 1
			), 0) AS sealed OFFSET 0
		) s
		CROSS JOIN LATERAL (
			SELECT e.at FROM events e
			WHERE e.brand_number = b.number AND e.number > s.sealed
			ORDER BY e.number LIMIT 1
		) e`)
	return since, err
}

// TrailBrands goes from one brand number to the next in the indexes.
func (t *tx) TrailBrands(ctx context.Context) ([]int64, error) {
	brands, err := many(ctx, t, scanNumber, `
		WITH RECURSIVE e AS (
			(SELECT brand_number AS number FROM events ORDER BY brand_number LIMIT 1)
			UNION ALL
			SELECT (SELECT n.brand_number FROM events n WHERE n.brand_number > e.number ORDER BY n.brand_number LIMIT 1)
			FROM e WHERE e.number IS NOT NULL
		), s AS (
			(SELECT brand_number AS number FROM event_seals ORDER BY brand_number LIMIT 1)
			UNION ALL
			SELECT (SELECT n.brand_number FROM event_seals n WHERE n.brand_number > s.number ORDER BY n.brand_number LIMIT 1)
			FROM s WHERE s.number IS NOT NULL
		)
		SELECT number FROM (SELECT number FROM e UNION SELECT number FROM s) brands
		WHERE number IS NOT NULL ORDER BY number`)
	if err != nil {
		return nil, err
	}
	return values(brands), nil
}

func (t *tx) LockSeals(ctx context.Context) (got bool, err error) {
	err = t.get(ctx, []any{&got}, `SELECT pg_try_advisory_xact_lock($1)`, int64(sealLock))
	return got, err
}

func (t *tx) AppendSeal(ctx context.Context, s *mintage.Seal) error {
	n, err := t.exec(ctx, `
		INSERT INTO event_seals (brand_number, number, last_event, digests, hash, sealed_at)
		VALUES ($1, $2, $3, $4::bytea, $5::bytea, $6)
		ON CONFLICT (brand_number, number) DO NOTHING`,
		s.BrandNumber, s.Number, s.LastEvent, s.Digests, s.Hash, s.SealedAt)
	if err == nil && n == 0 {
		return conflict("The brand has a block of this number already.")
	}
	return err
}

package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mintage"
)

// transitions are the columns of lot_counts for a group of events e.
const transitions = `
	count(*) FILTER (WHERE e.from_state = 'minted' AND e.to_state = 'active') AS activated,
	count(*) FILTER (WHERE e.from_state = 'minted' AND e.to_state = 'revoked') AS revoked_minted,
	count(*) FILTER (WHERE e.from_state = 'active' AND e.to_state = 'revoked') AS revoked_active`

// lotOfEvent is the first ordinal of the lot that an event e is in. Ranges do not
// overlap: it is the last lot to begin before it.
const lotOfEvent = `(
	SELECT l.first_ordinal FROM lots l
	WHERE l.product_number = e.product_number AND l.first_ordinal <= e.first_ordinal
	ORDER BY l.first_ordinal DESC LIMIT 1
)`

// lotCounts adds to the stored counts of each lot what the batch's events say since:
// those are the events of a moment where RollUp is called now and then. They are asked
// for in the order of an index, because the planner, which cannot know that they are
// few, would otherwise read all there are. Nothing reads units or their states.
const lotCounts = `
	WITH since AS MATERIALIZED (
		SELECT ` + lotOfEvent + ` AS lot, ` + transitions + `
		FROM (
			SELECT product_number, first_ordinal, from_state, to_state FROM events
			WHERE brand_number = $1 AND batch_number = $2 AND kind = 'unit.transition'
				AND number > (SELECT upto FROM roll_up)
			ORDER BY number OFFSET 0
		) e
		GROUP BY 1
	)
	SELECT greatest(0, least(l.quantity, b.first_ordinal + b.minted_quantity - l.first_ordinal)),
		b.activation_mode = 'active_at_mint',
		EXISTS (
			SELECT FROM recalls r
			WHERE r.product_number = l.product_number AND r.first_ordinal <= l.first_ordinal
				AND r.first_ordinal + r.quantity >= l.first_ordinal + l.quantity
		),
		coalesce(c.activated, 0) + coalesce(s.activated, 0),
		coalesce(c.revoked_minted, 0) + coalesce(s.revoked_minted, 0),
		coalesce(c.revoked_active, 0) + coalesce(s.revoked_active, 0)
	FROM mint_batches b
	JOIN lots l ON l.batch_number = b.number
	LEFT JOIN lot_counts c ON c.product_number = l.product_number AND c.first_ordinal = l.first_ordinal
	LEFT JOIN since s ON s.lot = l.first_ordinal
	WHERE b.brand_number = $1 AND b.number = $2
	ORDER BY l.first_ordinal`

func (t *tx) LotCounts(ctx context.Context, brand, batch int64) ([]mintage.Counts, error) {
	counts, err := many(ctx, t, scanCounts, lotCounts, brand, batch)
	if err == nil && len(counts) == 0 { // each batch has a lot
		return nil, notFound()
	}
	return counts, err
}

// scanCounts scans the minted units of a lot and what happened to them. One that was
// born active needs no activation, and none is counted.
func scanCounts(row pgx.Row) (c mintage.Counts, err error) {
	var total, activated, revokedMinted, revokedActive int64
	var bornActive, recalled bool
	err = row.Scan(&total, &bornActive, &recalled, &activated, &revokedMinted, &revokedActive)
	c.Revoked = revokedMinted + revokedActive
	switch {
	case recalled:
		c.Revoked = total
	case bornActive:
		c.Active = total - c.Revoked
	default:
		c.Active = activated - revokedActive
	}
	c.Minted = total - c.Active - c.Revoked
	return c, err
}

// RollUp locks the one row that says how far it came, so that each event is counted
// once, whoever calls. The last statement takes the window's events from the primary
// key, of whatever kind, so that a call reads no more than limit of them.
func (t *tx) RollUp(ctx context.Context, horizon int64, limit int) (more bool, err error) {
	var upto int64
	err = t.get(ctx, []any{&upto}, `SELECT upto FROM roll_up WHERE id = 1 FOR UPDATE`)
	if err != nil || upto >= horizon {
		return false, err
	}
	err = t.get(ctx, []any{&more}, `
		WITH e AS MATERIALIZED (
			SELECT number, brand_number, at, kind, product_number, first_ordinal, quantity, from_state, to_state
			FROM events WHERE number > $1 AND number <= $2
			ORDER BY number LIMIT $3
		), lots AS (
			INSERT INTO lot_counts AS c (product_number, first_ordinal, brand_number, activated, revoked_minted, revoked_active)
			SELECT e.product_number, e.lot, e.brand_number, `+transitions+`
			FROM (SELECT e.*, `+lotOfEvent+` AS lot FROM e WHERE e.kind = 'unit.transition') e
			WHERE e.lot IS NOT NULL -- verify names the others
			GROUP BY 1, 2, 3 ORDER BY 1, 2
			ON CONFLICT (product_number, first_ordinal) DO UPDATE SET
				activated = c.activated + EXCLUDED.activated,
				revoked_minted = c.revoked_minted + EXCLUDED.revoked_minted,
				revoked_active = c.revoked_active + EXCLUDED.revoked_active
		), days AS (
			INSERT INTO day_counts AS c (brand_number, day, minted, activated, revoked)
			SELECT e.brand_number, (e.at AT TIME ZONE 'UTC')::date,
				coalesce(sum(e.quantity) FILTER (WHERE e.kind = 'mint_batch.cycle'), 0),
				coalesce(sum(e.quantity) FILTER (WHERE e.kind = 'unit.transition' AND e.to_state = 'active'), 0),
				coalesce(sum(e.quantity) FILTER (WHERE e.kind = 'unit.transition' AND e.to_state = 'revoked' OR e.kind = 'mint_batch.recalled'), 0)
			FROM e WHERE e.kind IN ('mint_batch.cycle', 'unit.transition', 'mint_batch.recalled')
			GROUP BY 1, 2 ORDER BY 1, 2
			ON CONFLICT (brand_number, day) DO UPDATE SET
				minted = c.minted + EXCLUDED.minted,
				activated = c.activated + EXCLUDED.activated,
				revoked = c.revoked + EXCLUDED.revoked
		)
		UPDATE roll_up SET upto = CASE WHEN read.events < $3 THEN $2 ELSE read.last END
		FROM (SELECT count(*) AS events, max(number) AS last FROM e) read
		WHERE id = 1
		RETURNING upto < $2`, upto, horizon, int64(max(limit, 1)))
	return more, err
}

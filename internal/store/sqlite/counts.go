package sqlite

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/store"
)

// lotCountsQuery adds to the stored counts of each lot what the batch's events say
// since, which an index finds: those are the events of a moment where RollUp is called
// now and then. Nothing reads units or their states.
//
// A unit that was born active needs no activation, and none is counted. A recall covers
// a lot or not, whole.
const lotCountsQuery = `
	WITH batch AS (
		SELECT number, product_number, first_ordinal + minted_quantity AS next_ordinal, activation_mode = 'active_at_mint' AS born_active
		FROM mint_batches WHERE brand_number = ?1 AND number = ?2
	), lot AS (
		SELECT l.product_number, l.first_ordinal, l.quantity,
			max(0, min(l.quantity, b.next_ordinal - l.first_ordinal)) AS total, b.born_active,
			EXISTS (
				SELECT 1 FROM recalls r
				WHERE r.product_number = l.product_number AND r.first_ordinal <= l.first_ordinal
					AND r.first_ordinal + r.quantity >= l.first_ordinal + l.quantity
			) AS recalled
		FROM batch b JOIN lots l ON l.batch_number = b.number
	), counted AS (
		SELECT c.first_ordinal AS lot, c.activated, c.revoked_minted, c.revoked_active
		FROM lot JOIN lot_counts c USING (product_number, first_ordinal)
		UNION ALL
		SELECT (
				SELECT max(l.first_ordinal) FROM lots l
				WHERE l.product_number = e.product_number AND l.first_ordinal <= e.first_ordinal
			), ` + transitions + `
		FROM batch b CROSS JOIN events e ON e.batch_number = b.number
		WHERE e.kind = 'unit.transition' AND e.number > (SELECT upto FROM roll_up)
		GROUP BY 1
	), summed AS (
		SELECT lot, sum(activated) AS activated, sum(revoked_minted) AS revoked_minted, sum(revoked_active) AS revoked_active
		FROM counted GROUP BY lot
	)
	SELECT l.total, l.born_active, l.recalled,
		coalesce(s.activated, 0), coalesce(s.revoked_minted, 0), coalesce(s.revoked_active, 0)
	FROM lot l LEFT JOIN summed s ON s.lot = l.first_ordinal
	ORDER BY l.first_ordinal`

// transitions are the columns of lot_counts for a group of events e.
const transitions = `
	count(*) FILTER (WHERE e.from_state = 'minted' AND e.to_state = 'active') AS activated,
	count(*) FILTER (WHERE e.from_state = 'minted' AND e.to_state = 'revoked') AS revoked_minted,
	count(*) FILTER (WHERE e.from_state = 'active' AND e.to_state = 'revoked') AS revoked_active`

func (r reader) LotCounts(ctx context.Context, brand, batch int64) ([]mintage.Counts, error) {
	counts, err := list(ctx, r.session, func(scan scanner) (c mintage.Counts, err error) {
		var total, activated, revokedMinted, revokedActive int64
		var bornActive, recalled bool
		err = scan(&total, &bornActive, &recalled, &activated, &revokedMinted, &revokedActive)
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
	}, lotCountsQuery, brand, batch)
	if err == nil && len(counts) == 0 { // each batch has a lot
		return nil, notFound()
	}
	return counts, err
}

// What the events ?1 < number <= ?2 add.
const (
	rollUpLots = `
		INSERT INTO lot_counts (product_number, first_ordinal, brand_number, activated, revoked_minted, revoked_active)
		SELECT l.product_number, l.first_ordinal, e.brand_number, ` + transitions + `
		FROM events e JOIN lots l ON l.product_number = e.product_number AND l.first_ordinal = (
			SELECT max(first_ordinal) FROM lots WHERE product_number = e.product_number AND first_ordinal <= e.first_ordinal
		)
		WHERE e.number > ?1 AND e.number <= ?2 AND e.kind = 'unit.transition'
		GROUP BY l.product_number, l.first_ordinal
		ON CONFLICT (product_number, first_ordinal) DO UPDATE SET
			activated = activated + excluded.activated,
			revoked_minted = revoked_minted + excluded.revoked_minted,
			revoked_active = revoked_active + excluded.revoked_active`
	rollUpDays = `
		INSERT INTO day_counts (brand_number, day, minted, activated, revoked)
		SELECT brand_number, substr(at, 1, 10),
			coalesce(sum(quantity) FILTER (WHERE kind = 'mint_batch.cycle'), 0),
			coalesce(sum(quantity) FILTER (WHERE kind = 'unit.transition' AND to_state = 'active'), 0),
			coalesce(sum(quantity) FILTER (WHERE kind = 'unit.transition' AND to_state = 'revoked' OR kind = 'mint_batch.recalled'), 0)
		FROM events
		WHERE number > ?1 AND number <= ?2 AND kind IN ('mint_batch.cycle', 'unit.transition', 'mint_batch.recalled')
		GROUP BY 1, 2
		ON CONFLICT (brand_number, day) DO UPDATE SET
			minted = minted + excluded.minted,
			activated = activated + excluded.activated,
			revoked = revoked + excluded.revoked`
)

func (t *tx) RollUp(ctx context.Context, horizon int64, limit int) (more bool, err error) {
	upto, err := one(ctx, t.session, integer, `SELECT upto FROM roll_up`)
	if err != nil || upto >= horizon {
		return false, err
	}
	last, err := one(ctx, t.session, integer, `
		SELECT coalesce(max(number), ?1) FROM (SELECT number FROM events WHERE number > ?1 AND number <= ?2 ORDER BY number LIMIT ?3)`,
		upto, horizon, max(limit, 1)) // a negative limit would be none
	if err != nil || last == upto {
		return false, err
	}
	for _, statement := range []string{rollUpLots, rollUpDays} {
		if _, err := t.exec(ctx, statement, upto, last); err != nil {
			return false, err
		}
	}
	if _, err := t.exec(ctx, `UPDATE roll_up SET upto = ?`, last); err != nil {
		return false, err
	}
	left, err := one(ctx, t.session, integer, `SELECT EXISTS (SELECT 1 FROM events WHERE number > ? AND number <= ?)`, last, horizon)
	return left == 1, err
}

func (r reader) DailyCounts(ctx context.Context, brand int64, from time.Time) ([]store.DailyCount, error) {
	return list(ctx, r.session, func(scan scanner) (c store.DailyCount, err error) {
		var day string
		if err := scan(&day, &c.Minted, &c.Activated, &c.Revoked, &c.Scans); err != nil {
			return c, err
		}
		c.Day, err = time.Parse(time.DateOnly, day)
		return c, err
	}, `
		SELECT day, minted, activated, revoked, scans FROM day_counts WHERE brand_number = ? AND day >= ? ORDER BY day`,
		brand, from.UTC().Format(time.DateOnly))
}

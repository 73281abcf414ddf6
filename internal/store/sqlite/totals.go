package sqlite

import (
	"context"

	"mintage/internal/store"
)

// totalsQuery begins with what the batches say, as if nothing had happened to their
// units, and adds what was counted of them since. Of a recalled lot, all that counts is
// what was minted of it.
const totalsQuery = `
	WITH batch AS (
		SELECT b.minted_quantity, b.activation_mode = 'active_at_mint' AS born_active, j.status
		FROM mint_batches b JOIN mint_jobs j ON j.number = b.number
		WHERE b.brand_number = ?1
	), recalled AS (
		SELECT DISTINCT l.product_number, l.first_ordinal,
			max(0, min(l.quantity, b.first_ordinal + b.minted_quantity - l.first_ordinal)) AS total,
			b.activation_mode = 'active_at_mint' AS born_active
		FROM recalls r
		JOIN mint_batches b ON b.number = r.batch_number
		JOIN lots l ON l.batch_number = b.number
		WHERE r.brand_number = ?1 AND r.first_ordinal <= l.first_ordinal AND r.first_ordinal + r.quantity >= l.first_ordinal + l.quantity
	), changed AS (
		SELECT c.activated - c.revoked_active AS active, c.revoked_minted + c.revoked_active AS revoked
		FROM lot_counts c
		WHERE c.brand_number = ?1 AND (c.product_number, c.first_ordinal) NOT IN (SELECT product_number, first_ordinal FROM recalled)
	)
	SELECT
		(SELECT coalesce(sum(minted_quantity), 0) FROM batch),
		(SELECT coalesce(sum(minted_quantity), 0) FROM batch WHERE born_active)
			- (SELECT coalesce(sum(total), 0) FROM recalled WHERE born_active) + (SELECT coalesce(sum(active), 0) FROM changed),
		(SELECT coalesce(sum(total), 0) FROM recalled) + (SELECT coalesce(sum(revoked), 0) FROM changed),
		(SELECT coalesce(sum(scans), 0) FROM day_counts WHERE brand_number = ?1),
		(SELECT count(*) FROM batch WHERE status IN ('QUEUED', 'RESERVED', 'PROCESSING')),
		(SELECT count(*) FROM batch WHERE status = 'FAILED')`

func (r reader) Totals(ctx context.Context, brand int64) (store.Totals, error) {
	return one(ctx, r.session, func(scan scanner) (t store.Totals, err error) {
		var minted int64
		err = scan(&minted, &t.Active, &t.Revoked, &t.Scans, &t.Running, &t.Failed)
		t.Minted = minted - t.Active - t.Revoked
		return t, err
	}, totalsQuery, brand)
}

package postgres

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
		WHERE b.brand_number = $1
	), recalled AS (
		SELECT DISTINCT l.product_number, l.first_ordinal,
			greatest(0, least(l.quantity, b.first_ordinal + b.minted_quantity - l.first_ordinal)) AS total,
			b.activation_mode = 'active_at_mint' AS born_active
		FROM recalls r
		JOIN mint_batches b ON b.number = r.batch_number
		JOIN lots l ON l.batch_number = b.number
		WHERE r.brand_number = $1 AND r.first_ordinal <= l.first_ordinal AND r.first_ordinal + r.quantity >= l.first_ordinal + l.quantity
	), changed AS (
		SELECT c.activated - c.revoked_active AS active, c.revoked_minted + c.revoked_active AS revoked
		FROM lot_counts c
		WHERE c.brand_number = $1 AND NOT EXISTS (
			SELECT FROM recalled WHERE recalled.product_number = c.product_number AND recalled.first_ordinal = c.first_ordinal
		)
	)
	SELECT
		(SELECT coalesce(sum(minted_quantity), 0)::bigint FROM batch),
		(SELECT coalesce(sum(minted_quantity), 0)::bigint FROM batch WHERE born_active)
			- (SELECT coalesce(sum(total), 0)::bigint FROM recalled WHERE born_active) + (SELECT coalesce(sum(active), 0)::bigint FROM changed),
		(SELECT coalesce(sum(total), 0)::bigint FROM recalled) + (SELECT coalesce(sum(revoked), 0)::bigint FROM changed),
		(SELECT coalesce(sum(scans), 0)::bigint FROM day_counts WHERE brand_number = $1),
		(SELECT count(*) FROM batch WHERE status IN ('QUEUED', 'RESERVED', 'PROCESSING')),
		(SELECT count(*) FROM batch WHERE status = 'FAILED')`

func (t *tx) Totals(ctx context.Context, brand int64) (store.Totals, error) {
	var all store.Totals
	var minted int64
	err := t.get(ctx, []any{&minted, &all.Active, &all.Revoked, &all.Scans, &all.Running, &all.Failed}, totalsQuery, brand)
	all.Minted = minted - all.Active - all.Revoked
	return all, err
}

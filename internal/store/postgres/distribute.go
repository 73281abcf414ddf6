package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mintage"
)

// growing are the tables that grow with units. Citus distributes them by product
// and keeps a product's rows of all of them on one node.
var growing = []string{"units", "unit_states", "scans"}

// joinForCitus is minted_units for Citus, which cannot push the planner's
// fence in the migrated view down to its nodes and does not need it there.
// Recalls are joined to lots beforehand: both stay on the coordinator.
const joinForCitus = `
	CREATE OR REPLACE VIEW minted_units AS
	SELECT l.batch_number, l.product_number, l.code AS lot, l.url_prefix, l.url_suffix, e.at AS created_at, u.ordinal, u.code,
		active.at AS activated_at, revoked.at AS revoked_at, r.recalled_at
	FROM lots l
	LEFT JOIN (
		SELECT l.product_number, l.first_ordinal, min(r.at) AS recalled_at
		FROM recalls r
		JOIN lots l ON l.product_number = r.product_number AND l.first_ordinal >= r.first_ordinal
			AND l.first_ordinal + l.quantity <= r.first_ordinal + r.quantity
		GROUP BY l.product_number, l.first_ordinal
	) r ON r.product_number = l.product_number AND r.first_ordinal = l.first_ordinal
	JOIN events e ON e.kind = 'mint_batch.cycle' AND e.product_number = l.product_number
		AND e.first_ordinal > l.first_ordinal - 20000 AND e.first_ordinal < l.first_ordinal + l.quantity
	JOIN units u ON u.product_number = l.product_number
		AND u.ordinal >= greatest(l.first_ordinal, e.first_ordinal)
		AND u.ordinal < least(l.first_ordinal + l.quantity, e.first_ordinal + e.quantity)
	LEFT JOIN unit_states active ON active.product_number = u.product_number AND active.ordinal = u.ordinal AND active.status = 'active'
	LEFT JOIN unit_states revoked ON revoked.product_number = u.product_number AND revoked.ordinal = u.ordinal AND revoked.status = 'revoked'`

// Distribute spreads the growing tables over the nodes of a Citus cluster, with
// the rows they have. It may be run again without harm, and goes on where an
// earlier run ended. NOT_SUPPORTED where the extension is not there. Nothing may
// write units meanwhile: Citus locks a table while it distributes it, and a
// worker then waits or pauses.
func (s *Store) Distribute(ctx context.Context) error {
	if err := s.checkVersion(ctx); err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, s.direct)
	if err != nil {
		return failure(ctx, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var installed bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')`).Scan(&installed); err != nil {
		return failure(ctx, err)
	}
	if !installed {
		return mintage.Errorf(mintage.CodeNotSupported,
			"The Citus extension is not installed in this database. Install Citus, run CREATE EXTENSION citus and add the data nodes; then run this again.")
	}
	// Each step by itself: create_distributed_table moves rows and must not be one
	// transaction with the rest.
	for i, table := range growing {
		var done bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = $1::text::regclass)`, table).Scan(&done)
		if err != nil {
			return failure(ctx, err)
		}
		if done {
			continue
		}
		with := "none" // the first one begins a group of its own
		if i > 0 {
			with = growing[0]
		}
		if _, err := conn.Exec(ctx, `SELECT create_distributed_table($1::text::regclass, 'product_number', colocate_with => $2::text)`, table, with); err != nil {
			return failure(ctx, err)
		}
	}
	for _, statement := range []string{
		`SELECT create_distributed_function('mintage_code(bigint)')`,
		joinForCitus,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return failure(ctx, err)
		}
	}
	return nil
}

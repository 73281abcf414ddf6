package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Group roles with these names have the rights of a plane each; login roles are
// members of one. What a group may do is all that is listed here: each statement
// of the driver, and each lock that it takes, needs its line. A lock on a row
// (FOR UPDATE) wants the right to change some column of it.
//
// Nobody is granted UPDATE or DELETE on events and event_seals, or anything on
// users, identities, sessions and set_up_links.
const (
	// appGroup serves the API and people, for one brand at a time.
	appGroup = "mintage_app"
	// workerGroup mints and seals, for all brands. Its login roles need BYPASSRLS.
	workerGroup = "mintage_worker"
	// resolverGroup answers the public, for the brand of the host that was asked.
	resolverGroup = "mintage_resolver"
)

const grantApp = `
	GRANT SELECT ON goose_db_version, installation, brands, brand_logos, resolver_bases, api_keys, members, brand_members,
		invitations, dpp_schemas, products, product_words, product_links, gtin_claims, production_batches, mint_jobs, mint_batches,
		lots, idempotency_keys, brand_units, brand_unit_states, brand_scans, recalls, lot_counts, day_counts, roll_up, events,
		event_seals TO mintage_app;
	GRANT INSERT ON installation, brands, brand_logos, resolver_bases, api_keys, members, invitations, dpp_schemas, products,
		product_words, product_links, gtin_claims, production_batches, mint_jobs, mint_batches, lots, idempotency_keys, recalls, events
		TO mintage_app;
	GRANT USAGE ON SEQUENCE brands_number_seq TO mintage_app;
	GRANT UPDATE (name, resolver_base, gs1_required, over_issue_percent, lot_from_production_batch, admins_submit,
		tap_to_activate, default_identity_mode, default_activation_mode, cycle_size, accent_colour) ON brands TO mintage_app;
	GRANT UPDATE (image, media_type), DELETE ON brand_logos TO mintage_app;
	GRANT DELETE ON product_words, product_links TO mintage_app;
	GRANT UPDATE (expires_at, revoked_at, last_used_at, successor) ON api_keys TO mintage_app;
	GRANT UPDATE (role), DELETE ON members TO mintage_app;
	GRANT DELETE ON invitations TO mintage_app;
	GRANT UPDATE (document) ON dpp_schemas TO mintage_app;
	GRANT UPDATE (sku, name, gtin, commercial_status, schema_id, attributes, next_ordinal, updated_at)
		ON products TO mintage_app;
	GRANT UPDATE (gtin), DELETE ON gtin_claims TO mintage_app;
	GRANT UPDATE (product_number, quantity, status, updated_at) ON production_batches TO mintage_app;
	GRANT EXECUTE ON FUNCTION mintage_api_key, mintage_brands_before_users, mintage_brand_of_base, mintage_has_users,
		mintage_user, mintage_user_by_email, mintage_user_by_identity, mintage_identities, mintage_memberships,
		mintage_create_user, mintage_lock_user, mintage_update_user, mintage_link_identity, mintage_invitation, mintage_session,
		mintage_create_session, mintage_create_session_of, mintage_update_session, mintage_delete_session,
		mintage_delete_sessions, mintage_delete_expired, mintage_create_set_up_link, mintage_use_set_up_link,
		mintage_revoke_units TO mintage_app;`

const grantWorker = `
	GRANT SELECT ON goose_db_version, installation, brands, brand_logos, resolver_bases, dpp_schemas, products, gtin_claims,
		production_batches, mint_jobs, mint_batches, lots, idempotency_keys, units, brand_units, minted_units, units_v,
		lot_counts, day_counts, roll_up, events, event_seals TO mintage_worker;
	GRANT INSERT ON installation, units, lot_counts, day_counts, events, event_seals TO mintage_worker;
	GRANT UPDATE (activated, revoked_minted, revoked_active) ON lot_counts TO mintage_worker;
	GRANT UPDATE (minted, activated, revoked) ON day_counts TO mintage_worker;
	GRANT UPDATE (upto) ON roll_up TO mintage_worker;
	GRANT SELECT ON SEQUENCE events_number_seq TO mintage_worker;
	GRANT UPDATE (status, consecutive_errors, last_error, not_before, cycle_limit, started_at, finished_at)
		ON mint_jobs TO mintage_worker;
	GRANT UPDATE (minted_quantity) ON mint_batches TO mintage_worker;
	GRANT UPDATE (updated_at) ON products TO mintage_worker; -- to lock one, before a GTIN is released
	GRANT UPDATE (gtin), DELETE ON gtin_claims TO mintage_worker;
	GRANT EXECUTE ON FUNCTION mintage_brands_before_users TO mintage_worker; -- part of listing brands`

const grantResolver = `
	GRANT SELECT ON goose_db_version, installation, brands, brand_logos, dpp_schemas, products, product_links, gtin_claims,
		mint_batches, lots, brand_units, brand_unit_states, brand_scans, recalls TO mintage_resolver;
	GRANT SELECT (number, id) ON production_batches TO mintage_resolver;
	GRANT INSERT, SELECT (number) ON events TO mintage_resolver; -- an event's number is returned
	GRANT SELECT ON SEQUENCE events_number_seq TO mintage_resolver;
	GRANT INSERT ON scans TO mintage_resolver;
	GRANT INSERT (brand_number, day, scans), SELECT (brand_number, day, scans), UPDATE (scans) ON day_counts TO mintage_resolver;
	GRANT EXECUTE ON FUNCTION mintage_brand_of_base, mintage_bases_of_host, mintage_changes, mintage_activate_units
		TO mintage_resolver;`

// makeGroups creates the group roles that are missing, where the owner may. Roles
// belong to all databases of a server, so that another one may do the same now.
const makeGroups = `
	DO $$
	DECLARE
		missing text;
	BEGIN
		IF (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
			FOR missing IN
				SELECT name FROM unnest(ARRAY['mintage_app', 'mintage_worker', 'mintage_resolver']) AS name
				WHERE name NOT IN (SELECT rolname FROM pg_roles)
			LOOP
				BEGIN
					EXECUTE format('CREATE ROLE %I NOLOGIN', missing);
				EXCEPTION WHEN duplicate_object OR unique_violation THEN
				END;
			END LOOP;
		END IF;
	END
	$$`

// revokeAll takes from a group whatever it was granted on the schema's objects, by
// this version or an earlier one.
const revokeAll = `
	SELECT format('REVOKE ALL ON %s %s FROM %I', o.kind, string_agg(o.name, ', '), $1::text)
	FROM pg_class b
	CROSS JOIN LATERAL (
		SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name
		FROM pg_class c
		WHERE c.relkind IN ('r', 'p', 'v', 'S') AND c.relnamespace = b.relnamespace AND c.relowner = b.relowner
		UNION ALL
		SELECT 'FUNCTION', p.oid::regprocedure::text
		FROM pg_proc p
		WHERE p.prokind = 'f' AND p.pronamespace = b.relnamespace AND p.proowner = b.relowner
	) o
	WHERE b.oid = 'brands'::regclass
	GROUP BY o.kind`

// grant gives each group role that exists exactly its rights, in one transaction,
// so that nobody finds them missing meanwhile. For any role but the owner it does
// nothing.
func (s *Store) grant(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.direct)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var owner bool
		err := tx.QueryRow(ctx, `SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'brands'::regclass`).Scan(&owner)
		if err != nil || !owner {
			return err
		}
		// Two who grant at once would meet in the catalogue.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, makeGroups); err != nil {
			return err
		}
		for _, group := range []struct{ name, rights string }{
			{appGroup, grantApp}, {workerGroup, grantWorker}, {resolverGroup, grantResolver},
		} {
			if err := grantGroup(ctx, tx, group.name, group.rights); err != nil {
				return err
			}
		}
		return nil
	})
}

func grantGroup(ctx context.Context, tx pgx.Tx, name, rights string) error {
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, name).Scan(&exists); err != nil || !exists {
		return err
	}
	rows, err := tx.Query(ctx, revokeAll, name)
	if err != nil {
		return err
	}
	revoke, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, statement := range append(revoke, rights) {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// rights are all that each group role may do to tables, views and sequences; what is
// not here it may not.
var rights = map[string]map[string]string{
	"mintage_app": {
		"api_keys":           "SELECT INSERT UPDATE(expires_at last_used_at revoked_at successor)",
		"brand_logos":        "SELECT INSERT UPDATE(image media_type) DELETE",
		"brand_members":      "SELECT",
		"brand_scans":        "SELECT",
		"brand_unit_states":  "SELECT",
		"brand_units":        "SELECT",
		"brands":             "SELECT INSERT UPDATE(accent_colour admins_submit cycle_size default_activation_mode default_identity_mode gs1_required lot_from_production_batch name over_issue_percent resolver_base tap_to_activate)",
		"brands_number_seq":  "USAGE",
		"day_counts":         "SELECT",
		"dpp_schemas":        "SELECT INSERT UPDATE(document)",
		"event_seals":        "SELECT",
		"events":             "SELECT INSERT",
		"goose_db_version":   "SELECT",
		"gtin_claims":        "SELECT INSERT UPDATE(gtin) DELETE",
		"idempotency_keys":   "SELECT INSERT",
		"installation":       "SELECT INSERT",
		"invitations":        "SELECT INSERT DELETE",
		"lot_counts":         "SELECT",
		"lots":               "SELECT INSERT",
		"members":            "SELECT INSERT UPDATE(role) DELETE",
		"mint_batches":       "SELECT INSERT",
		"mint_jobs":          "SELECT INSERT",
		"product_links":      "SELECT INSERT DELETE",
		"product_words":      "SELECT INSERT DELETE",
		"production_batches": "SELECT INSERT UPDATE(product_number quantity status updated_at)",
		"products":           "SELECT INSERT UPDATE(attributes commercial_status gtin name next_ordinal schema_id sku updated_at)",
		"recalls":            "SELECT INSERT",
		"resolver_bases":     "SELECT INSERT",
		"roll_up":            "SELECT",
	},
	"mintage_worker": {
		"brand_logos":        "SELECT",
		"brand_units":        "SELECT",
		"brands":             "SELECT",
		"day_counts":         "SELECT INSERT UPDATE(activated minted revoked)",
		"dpp_schemas":        "SELECT",
		"event_seals":        "SELECT INSERT",
		"events":             "SELECT INSERT",
		"events_number_seq":  "SELECT",
		"goose_db_version":   "SELECT",
		"gtin_claims":        "SELECT UPDATE(gtin) DELETE",
		"idempotency_keys":   "SELECT",
		"installation":       "SELECT INSERT",
		"lot_counts":         "SELECT INSERT UPDATE(activated revoked_active revoked_minted)",
		"lots":               "SELECT",
		"mint_batches":       "SELECT UPDATE(minted_quantity)",
		"mint_jobs":          "SELECT UPDATE(consecutive_errors cycle_limit finished_at last_error not_before started_at status)",
		"minted_units":       "SELECT",
		"production_batches": "SELECT",
		"products":           "SELECT UPDATE(updated_at)",
		"resolver_bases":     "SELECT",
		"roll_up":            "SELECT UPDATE(upto)",
		"units":              "SELECT INSERT",
		"units_v":            "SELECT",
	},
	"mintage_resolver": {
		"brand_logos":        "SELECT",
		"brand_scans":        "SELECT",
		"brand_unit_states":  "SELECT",
		"brand_units":        "SELECT",
		"brands":             "SELECT",
		"day_counts":         "SELECT(brand_number day scans) INSERT(brand_number day scans) UPDATE(scans)",
		"dpp_schemas":        "SELECT",
		"events":             "SELECT(number) INSERT",
		"events_number_seq":  "SELECT",
		"goose_db_version":   "SELECT",
		"gtin_claims":        "SELECT",
		"installation":       "SELECT",
		"lots":               "SELECT",
		"mint_batches":       "SELECT",
		"product_links":      "SELECT",
		"production_batches": "SELECT(id number)",
		"products":           "SELECT",
		"recalls":            "SELECT",
		"scans":              "INSERT",
	},
}

// rightsOf reads from the catalogue what a role may do to a relation.
const rightsOf = `
	SELECT c.relname, concat_ws(' ', VARIADIC ARRAY(
		SELECT CASE
			WHEN c.relkind = 'S' THEN CASE WHEN has_sequence_privilege($1, c.oid, p.name) THEN p.name END
			WHEN has_table_privilege($1, c.oid, p.name) THEN p.name
			WHEN p.of_columns THEN (
				SELECT p.name || '(' || string_agg(a.attname, ' ' ORDER BY a.attname) || ')'
				FROM pg_attribute a
				WHERE a.attrelid = c.oid AND a.attnum > 0 AND has_column_privilege($1, c.oid, a.attnum, p.name)
			)
		END
		FROM (VALUES (1, 'SELECT', true, true), (2, 'INSERT', true, false), (3, 'UPDATE', true, true), (4, 'DELETE', false, false),
			(5, 'TRUNCATE', false, false), (6, 'REFERENCES', true, false), (7, 'TRIGGER', false, false), (8, 'USAGE', false, true)
		) AS p (position, name, of_columns, of_sequences)
		WHERE CASE c.relkind WHEN 'S' THEN p.of_sequences ELSE p.name <> 'USAGE' END
		ORDER BY p.position
	))
	FROM pg_class c
	WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')`

func TestLeastRights(t *testing.T) {
	db := storetest.Open(t, "postgres")
	conn := connect(t, db.URL)
	for range 2 { // the second time there is something to take away
		for group, want := range rights {
			got := map[string]string{}
			rows, err := conn.Query(t.Context(), rightsOf, group)
			must(t, err)
			for rows.Next() {
				var name, list string
				must(t, rows.Scan(&name, &list))
				if list != "" {
					got[name] = list
				}
			}
			must(t, rows.Err())
			for name := range got {
				if got[name] != want[name] {
					t.Errorf("%s may %s on %s, want %q", group, got[name], name, want[name])
				}
			}
			for name := range want {
				if got[name] == "" {
					t.Errorf("%s may nothing on %s, want %s", group, name, want[name])
				}
			}
		}
		exec(t, conn, `GRANT ALL ON users, events, units, unit_states, scans, recalls TO mintage_app, mintage_worker, mintage_resolver;
			GRANT UPDATE (hash) ON event_seals TO mintage_worker;
			GRANT EXECUTE ON FUNCTION mintage_user, mintage_changes, mintage_activate_units, mintage_revoke_units
				TO mintage_app, mintage_worker, mintage_resolver`)
		must(t, db.Migrate(t.Context()))
	}
	for door, may := range map[string][]string{
		"mintage_user(uuid)":                                              {"mintage_app"},
		"mintage_changes(bigint, bigint)":                                 {"mintage_resolver"},
		"mintage_activate_units(integer, integer[], timestamptz[])":       {"mintage_resolver"},
		"mintage_revoke_units(integer, integer[], timestamptz[], text[])": {"mintage_app"},
	} {
		equal(t, "who may open "+door, value[[]string](t, conn, `
			SELECT array_agg(name) FROM unnest(ARRAY['mintage_app', 'mintage_worker', 'mintage_resolver']) name
			WHERE has_function_privilege(name, $1, 'EXECUTE')`, door), may)
	}
}

// What runs with the owner's rights is closed to everybody by default, and believes
// no search_path.
func TestDoorsAreNarrow(t *testing.T) {
	db := storetest.Open(t, "postgres")
	conn := connect(t, db.URL)
	doors := value[int](t, conn, `SELECT count(*) FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace`)
	if doors < 10 {
		t.Fatalf("%d doors", doors)
	}
	equal(t, "doors that are open, or look around", value[[]string](t, conn, `
		SELECT coalesce(array_agg(p.proname::text), '{}')
		FROM pg_proc p
		WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace AND (
			EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)
			OR p.proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp']
			OR p.prosqlbody IS NULL
		)`), []string{})
	// Views too run with the owner's rights. Those that the restricted may read must
	// let no function of theirs see a row before it is known to be theirs.
	equal(t, "views without a barrier", value[[]string](t, conn, `
		SELECT coalesce(array_agg(c.relname::text), '{}')
		FROM pg_class c, unnest(ARRAY['mintage_app', 'mintage_resolver']) AS role
		WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace AND has_any_column_privilege(role, c.oid, 'SELECT')
			AND NOT coalesce(c.reloptions @> ARRAY['security_barrier=true'], false)`), []string{})
}

// A table that says whose its rows are lets the database check it.
func TestTablesOfBrandsHavePolicies(t *testing.T) {
	db := storetest.Open(t, "postgres")
	conn := connect(t, db.URL)
	with := value[[]string](t, conn, `
		SELECT array_agg(c.relname::text ORDER BY c.relname)
		FROM pg_class c
		JOIN pg_policy p ON p.polrelid = c.oid AND p.polcmd = '*' AND p.polpermissive AND p.polroles = '{0}'
			AND pg_get_expr(p.polqual, c.oid) ~ '^\((brand_)?number = mintage_brand\(\)\)$' AND p.polwithcheck IS NULL
		WHERE c.relrowsecurity`)
	equal(t, "tables with policies", with, value[[]string](t, conn, `
		SELECT array_agg(c.relname::text ORDER BY c.relname)
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND (a.attname = 'brand_number' OR a.attname = 'number' AND c.relname = 'brands')
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace`))
	// Whatever else there is takes away.
	equal(t, "all policies that give", value[int](t, conn, `SELECT count(*) FROM pg_policy WHERE polpermissive`), len(with))
	for _, table := range postgres.Growing {
		if slices.Contains(with, table) {
			t.Errorf("%s has a policy, which COPY refuses", table)
		}
	}
}

// Nobody can rewrite what happened, without changing the schema first.
func TestEventsAreKept(t *testing.T) {
	w := newWorld(t)
	before := storetest.Snapshot(t, w.DB)
	for _, table := range []string{"events", "event_seals", "recalls"} {
		for _, statement := range []string{
			`UPDATE ` + table + ` SET brand_number = 1`,
			`UPDATE ` + table + ` SET brand_number = 2 WHERE false`,
			`DELETE FROM ` + table,
			`TRUNCATE ` + table,
			`MERGE INTO ` + table + ` t USING brands b ON t.brand_number = b.number WHEN MATCHED THEN DELETE`,
		} {
			for role, url := range map[string]string{"owner": w.URL, "app": w.App, "worker": w.Worker, "resolver": w.Resolver} {
				want := "42501"
				conn := connect(t, url)
				if role == "owner" {
					want = "23001"
					exec(t, conn, `SET session_replication_role = replica`) // switches off other triggers
				}
				_, err := conn.Exec(t.Context(), statement)
				if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != want {
					t.Errorf("%s: %s: %v", role, statement, err)
				}
			}
		}
	}
	if diff := storetest.Changes(before, storetest.Snapshot(t, w.DB)); diff != "" {
		t.Error(diff)
	}
}

// An owner who may not make roles, the only role there is; then roles that a DBA
// has made, which the next migration gives their rights.
func TestPlainOwner(t *testing.T) {
	server := pgtest.StartServer(t)
	admin := connect(t, server.URL(""))
	exec(t, admin, `CREATE ROLE plain LOGIN`)
	exec(t, admin, `CREATE DATABASE plain OWNER plain`)
	url := strings.Replace(server.URL("plain"), "postgres@", "plain@", 1)
	s := open(t, url, postgres.Options{EveryBrand: true})
	must(t, s.Migrate(t.Context()))
	equal(t, "roles", value[int](t, admin, `SELECT count(*) FROM pg_roles WHERE rolname LIKE 'mintage%'`), 0)
	must(t, s.Ping(t.Context()))
	check(t, "restricted", false)(s.Restricted(t.Context()))

	f := storetest.NewFixture(t, s)
	product := f.NewProduct(f.NewBrand())
	f.Submit(product, 3)
	f.Mint(3)
	must(t, s.For(product.BrandNumber).Read(t.Context(), func(r store.Reader) error {
		return second(r.UnitCode(t.Context(), product.Number, 2))
	}))
	sealAll(t, s)

	exec(t, admin, `CREATE ROLE mintage_app; CREATE ROLE mintage_worker; CREATE ROLE app LOGIN IN ROLE mintage_app;
		CREATE ROLE worker LOGIN IN ROLE mintage_worker`) // it has no BYPASSRLS
	app := open(t, strings.Replace(url, "plain@", "app@", 1), postgres.Options{})
	wantCode(t, app.Ping(t.Context()), mintage.CodeUnavailable)
	must(t, s.Migrate(t.Context()))
	must(t, app.Ping(t.Context()))
	must(t, app.Migrate(t.Context())) // finds nothing to do
	check(t, "restricted", true)(app.Restricted(t.Context()))
	must(t, app.For(product.BrandNumber).Read(t.Context(), func(r store.Reader) error {
		return second(r.UnitCode(t.Context(), product.Number, 2))
	}))

	// A worker to whom policies apply would find nothing to do, for ever.
	f.Submit(product, 3)
	worker := open(t, strings.Replace(url, "plain@", "worker@", 1), postgres.Options{EveryBrand: true})
	wantCode(t, worker.Ping(t.Context()), mintage.CodeForbidden)
	if err := worker.Ping(t.Context()); !strings.Contains(mintage.ErrorMessage(err), "BYPASSRLS") {
		t.Errorf("the message does not say what to do: %v", err)
	}
	exec(t, admin, `ALTER ROLE worker BYPASSRLS`)
	must(t, worker.Ping(t.Context()))
	minting := storetest.NewFixture(t, worker)
	minting.MasterKey = f.MasterKey
	minting.Mint(3)
}

// A right that is missing is the place's fault: jobs are not to fail for it.
func TestMissingRightIsNoStrike(t *testing.T) {
	w := newWorld(t)
	err := w.resolver.InTx(t.Context(), func(tx store.Tx) error { return second(tx.ClaimJob(t.Context())) })
	wantCode(t, err, mintage.CodeUnavailable)
	for _, s := range []*postgres.Store{w.app, w.resolver} {
		for _, table := range []string{"units", "unit_states", "scans", "users"} {
			url := w.App
			if s == w.resolver {
				url = w.Resolver
			}
			_, err := connect(t, url).Exec(t.Context(), fmt.Sprintf(`SELECT FROM %s`, pgx.Identifier{table}.Sanitize()))
			if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "42501" {
				t.Errorf("%s: %v", table, err)
			}
		}
	}
}

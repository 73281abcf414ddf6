package postgres_test

import (
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// crowd fills the tables so that reading one of them from end to end never pays: 200
// brands with 100 products each, of which one has 100 batches: brand 7's is 19807.
const crowd = `
	INSERT INTO brands (id, name, resolver_base, gs1_required, over_issue_percent, lot_from_production_batch, admins_submit, tap_to_activate,
		default_identity_mode, default_activation_mode, cycle_size, accent_colour, sealed_key, created_at)
	SELECT gen_random_uuid(), 'b', 'https://id.example/' || n, false, 0, true, false, false, 'serial', 'active_at_mint', 20000, '', '', now() FROM generate_series(1, 200) n;
	INSERT INTO products (id, brand_number, code, sku, name, gtin, commercial_status, attributes, created_at, updated_at)
	SELECT gen_random_uuid(), 1 + n % 200, 'C' || n, 'SKU-' || n, 'p', 'G' || n, 'ACTIVE', '{}', now(), now() FROM generate_series(0, 19999) n;
	INSERT INTO product_words SELECT number, 'w' || n, brand_number FROM products, generate_series(number, number + 4) n;
	INSERT INTO product_words SELECT number, 'pack', brand_number FROM products;
	INSERT INTO gtin_claims SELECT brand_number, gtin, number FROM products;
	INSERT INTO production_batches (id, brand_number, code, product_number, quantity, status, created_at, updated_at)
	SELECT gen_random_uuid(), brand_number, 'PB' || number, number, 1000, 'READY', now(), now() FROM products;
	INSERT INTO mint_jobs (id, brand_number, status, cycle_limit, submitted_by, created_at, finished_at)
	SELECT gen_random_uuid(), 1 + n % 200, 'COMPLETED', 1000, 'k', now(), now() FROM generate_series(0, 19999) n;
	INSERT INTO mint_batches (number, id, brand_number, product_number, production_batch_number, identity_mode, activation_mode,
		requested_quantity, minted_quantity, first_ordinal, resolver_base, gtin, product_code, created_at)
	SELECT number, gen_random_uuid(), brand_number, 19800 + brand_number, 19800 + brand_number, 'serial', 'first_scan',
		20, 20, (number - 1) / 200 * 20, 'https://id.example', NULL, 'C', now()
	FROM mint_jobs;
	INSERT INTO lots (brand_number, product_number, first_ordinal, quantity, batch_number, code, url_prefix, url_suffix)
	SELECT brand_number, product_number, first_ordinal, 20, number, 'L' || number % 3, '', '' FROM mint_batches;
	INSERT INTO units SELECT 19800 + p, o, o FROM generate_series(1, 200) p, generate_series(0, 1999) o;
	INSERT INTO events (brand_number, at, kind, actor, subject_id, batch_number, product_number, first_ordinal, quantity)
	SELECT brand_number, now(), 'mint_batch.cycle', 'w', 's', number, product_number, first_ordinal, 20 FROM mint_batches;
	INSERT INTO events (brand_number, at, kind, actor, subject_id)
	SELECT 1 + n % 200, now(), 'product.updated', 'a', 's' FROM generate_series(1, 100000) n;
	INSERT INTO events (brand_number, at, kind, actor, subject_id, batch_number, product_number, first_ordinal, quantity, from_state, to_state)
	SELECT brand_number, now(), 'unit.transition', 'scan', 's', number, product_number, first_ordinal + n, 1, 'minted', 'active'
	FROM mint_batches, generate_series(0, 4) n;
	INSERT INTO unit_states SELECT 19800 + p, o, now(), 'active', '' FROM generate_series(1, 200) p, generate_series(0, 1999, 2) o;
	INSERT INTO scans SELECT 19800 + p, o, now(), '203.0.113.0/24', 'phone', 'de', 'active' FROM generate_series(1, 200) p, generate_series(0, 1999, 2) o;
	INSERT INTO recalls (brand_number, product_number, batch_number, first_ordinal, quantity, reason, at)
	SELECT brand_number, product_number, number, first_ordinal, 20, 'r', now() FROM mint_batches WHERE number > 10000;
	INSERT INTO product_links SELECT number, n, brand_number, 'gs1:pip', 'https://example.com/', '', '', '', '', n = 0 FROM products, generate_series(0, 2) n;
	INSERT INTO lot_counts SELECT product_number, first_ordinal, brand_number, 1, 1, 1 FROM lots;
	INSERT INTO day_counts SELECT b, date '2026-01-01' + n, 1, 1, 1, 1 FROM generate_series(1, 200) b, generate_series(0, 199) n;
	INSERT INTO resolver_bases SELECT 'https://id' || n || '.example/p', 1 + n % 200 FROM generate_series(1, 10000) n;
	UPDATE roll_up SET upto = (SELECT max(number) - 10 FROM events);
	INSERT INTO api_keys (id, brand_number, role, hash, created_at, label)
	SELECT 'key' || n, 1 + n % 200, 'viewer', '', now(), '' FROM generate_series(1, 10000) n;
	ANALYZE`

// An operator that might tell of rows which it is not to see is not used before a
// policy, and then finds its index no more. So each frequent statement is explained
// under the role that policies apply to.
func TestPlansUnderPolicies(t *testing.T) {
	db := storetest.Open(t, "postgres")
	conn := connect(t, db.URL)
	exec(t, conn, crowd)
	logins := pgtest.Roles(t, db.URL)
	app, resolver := open(t, logins.App, postgres.Options{}), open(t, logins.Resolver, postgres.Options{})
	ctx := t.Context()
	const brand = 7
	product := value[string](t, conn, `SELECT id::text FROM products WHERE number = 19807`)
	batch := value[string](t, conn, `SELECT id::text FROM mint_batches WHERE brand_number = 7 ORDER BY number DESC LIMIT 1`)
	page := store.Page{Limit: 10}
	for name, test := range map[string]struct {
		run  func(store.Tx) error
		want []string
	}{
		"product by ID": {
			func(tx store.Tx) error { return second(tx.ProductByID(ctx, brand, product)) },
			[]string{"products_id_key", "Index Cond: (id = "},
		},
		"product by SKU": {
			func(tx store.Tx) error { return second(tx.ProductBySKU(ctx, brand, "SKU-206")) },
			[]string{"products_brand_number_sku_key", "AND (sku = "},
		},
		"product by code": {
			func(tx store.Tx) error { return second(tx.ProductByCode(ctx, brand, "C206")) },
			[]string{"products_code_key"},
		},
		"products by GTIN": {
			func(tx store.Tx) error {
				return second(tx.Products(ctx, brand, store.ProductFilter{GTIN: "G206"}, page))
			},
			[]string{"products_by_gtin", "AND (gtin = "},
		},
		"products by words": {
			func(tx store.Tx) error {
				return second(tx.Products(ctx, brand, store.ProductFilter{Search: "w206 pack"}, page))
			},
			[]string{"product_words_of_brand", "AND (word >= ", "AND (word < ", "product_words_pkey"},
		},
		"products by a common word": {
			func(tx store.Tx) error {
				return second(tx.Products(ctx, brand, store.ProductFilter{Search: "pack"}, page))
			},
			[]string{"product_words_of_brand", "AND (word >= ", "AND (word < "},
		},
		"products": {
			func(tx store.Tx) error { return second(tx.Products(ctx, brand, store.ProductFilter{}, page)) },
			[]string{"products_of_brand", "AND (number < "},
		},
		"owner of a GTIN": {
			func(tx store.Tx) error { return second(tx.GTINOwner(ctx, brand, "G206")) },
			[]string{"gtin_claims_pkey", "AND (gtin = "},
		},
		"lock of a product": {
			func(tx store.Tx) error { return second(tx.LockProduct(ctx, brand, product)) },
			[]string{"products_id_key"},
		},
		"production batch by code": {
			func(tx store.Tx) error { return second(tx.ProductionBatchByCode(ctx, brand, "PB19807")) },
			[]string{"production_batches_brand_number_code_key", "mint_batches_of_production_batch"},
		},
		"production batches": {
			func(tx store.Tx) error { return second(tx.ProductionBatches(ctx, brand, 0, page)) },
			[]string{"production_batches_of_brand", "AND (number < ", "mint_batches_of_production_batch"},
		},
		"works of a product": {
			func(tx store.Tx) error { return second(tx.Works(ctx, brand, store.JobFilter{Product: 19807}, page)) },
			[]string{"lots_of_batch"},
		},
		"works": {
			func(tx store.Tx) error { return second(tx.Works(ctx, brand, store.JobFilter{}, page)) },
			[]string{"mint_jobs_of_brand", "AND (number < ", "lots_of_batch"},
		},
		"work by batch ID": {
			func(tx store.Tx) error { return second(tx.WorkByBatchID(ctx, brand, batch)) },
			[]string{"mint_batches_id_key", "lots_of_batch"},
		},
		"work by ordinal": {
			func(tx store.Tx) error { return second(tx.WorkByOrdinal(ctx, brand, 19807, 1000)) },
			[]string{"mint_batches_product_number_first_ordinal_key", "AND (first_ordinal <= "},
		},
		"events": {
			func(tx store.Tx) error {
				return second(tx.Events(ctx, brand, store.EventFilter{Actor: "cli", From: time.Unix(0, 0)}, page))
			},
			[]string{"events_of_brand", "AND (number < "},
		},
		"events of a batch": {
			func(tx store.Tx) error { return second(tx.Events(ctx, brand, store.EventFilter{Batch: 207}, page)) },
			[]string{"events_of_batch"},
		},
		"notable events": {
			func(tx store.Tx) error {
				return second(tx.Events(ctx, brand, store.EventFilter{Notable: true, Kinds: []mintage.EventKind{"product.updated"}}, page))
			},
			[]string{"events_notable", "AND (number < "},
		},
		"steps of a job": {
			func(tx store.Tx) error { return second(tx.JobSteps(ctx, brand, 207)) },
			[]string{"events_of_batch"},
		},
		"totals": {
			func(tx store.Tx) error { return second(tx.Totals(ctx, brand)) },
			[]string{"mint_batches", "lot_counts_of_brand", "recalls_of_brand", "day_counts_pkey"},
		},
		"events between": {
			func(tx store.Tx) error { return second(tx.EventsBetween(ctx, brand, 100, 5000, 100)) },
			[]string{"events_of_brand", "AND (number > ", "AND (number <= "},
		},
		"cycles": {
			func(tx store.Tx) error { return second(tx.Cycles(ctx, 19807, 1000, 1100)) },
			[]string{"events_cycles", "AND (first_ordinal < ", "AND (first_ordinal <= "},
		},
		"unit": {
			func(tx store.Tx) error { return second(tx.UnitCode(ctx, 19807, 1000)) },
			[]string{"products_pkey", "units_pkey", "AND (ordinal = "},
		},
		"units": {
			func(tx store.Tx) error {
				return tx.EachUnit(ctx, 19807, 500, 1500, func(int64, serial.Code) error { return nil })
			},
			[]string{"products_pkey", "units_pkey", "AND (ordinal >= ", "AND (ordinal < "},
		},
		"reserve ordinals": {
			func(tx store.Tx) error { return second(tx.ReserveOrdinals(ctx, 19807, 1)) },
			[]string{"products_pkey"},
		},
		"unit states": {
			func(tx store.Tx) error { return second(tx.UnitStates(ctx, 19807, 500, 1500)) },
			[]string{"products_pkey", "unit_states_pkey", "AND (ordinal >= ", "AND (ordinal < "},
		},
		"ordinals of revoked units": {
			func(tx store.Tx) error {
				return second(tx.StateOrdinals(ctx, 19807, 500, 1500, mintage.TokenRevoked, 50))
			},
			[]string{"products_pkey", "unit_states_revoked", "AND (ordinal >= ", "AND (ordinal < "},
		},
		"ordinals of activated units": {
			func(tx store.Tx) error {
				return second(tx.StateOrdinals(ctx, 19807, 500, 1500, mintage.TokenActive, 50))
			},
			[]string{"products_pkey", "unit_states_pkey", "AND (ordinal >= ", "AND (ordinal < "},
		},
		"ordinals of units with a state": {
			func(tx store.Tx) error { return second(tx.StateOrdinals(ctx, 19807, 500, 1500, "", 50)) },
			[]string{"products_pkey", "unit_states_pkey", "AND (ordinal >= ", "AND (ordinal < "},
		},
		"products with units": {
			func(tx store.Tx) error { return second(tx.MintedProducts(ctx, brand, page)) },
			[]string{"Index Cond: (brand_number = "},
		},
		"works of a lot": {
			func(tx store.Tx) error { return second(tx.Works(ctx, brand, store.JobFilter{Lot: "L1"}, page)) },
			[]string{"lots_by_code", "AND (code = ", "mint_jobs_pkey"},
		},
		"history of a unit": {
			func(tx store.Tx) error { return second(tx.UnitEvents(ctx, brand, 207, 19807, 1000, 100)) },
			[]string{"events_of_whole_batch", "events_revocations"},
		},
		"scans": {
			func(tx store.Tx) error { return second(tx.Scans(ctx, 19807, 500, 10)) },
			[]string{"products_pkey", "scans_of_people", "scans_of_robots", "AND (ordinal = "},
		},
		"networks": {
			func(tx store.Tx) error { return second(tx.ScanNetworks(ctx, 19807, 500, time.Unix(0, 0))) },
			[]string{"products_pkey", "scans_of_people", "AND (ordinal = ", "AND (at >= "},
		},
		"recalls": {
			func(tx store.Tx) error { return second(tx.Recalls(ctx, brand, 19807)) },
			[]string{"recalls_product_number_first_ordinal_quantity_key"},
		},
		"links": {
			func(tx store.Tx) error { return second(tx.Links(ctx, brand, 19807)) },
			[]string{"product_links_pkey"},
		},
		"counts of lots": {
			func(tx store.Tx) error { return second(tx.LotCounts(ctx, brand, 15007)) },
			[]string{"events_of_batch", "lots_of_batch", "lots_pkey", "lot_counts_pkey", "recalls_product_number_first_ordinal_quantity_key", "AND (number > "},
		},
		"counts of days": {
			func(tx store.Tx) error { return second(tx.DailyCounts(ctx, brand, time.Now())) },
			[]string{"day_counts_pkey", "AND (day >= "},
		},
		"product by claimed GTIN": {
			func(tx store.Tx) error { return second(tx.ProductByGTIN(ctx, brand, "G206")) },
			[]string{"gtin_claims_pkey", "products_by_gtin", "AND (number = "},
		},
		"batch by ordinal": {
			func(tx store.Tx) error { return second(tx.BatchByOrdinal(ctx, brand, 19807, 1000)) },
			[]string{"mint_batches_product_number_first_ordinal_key", "AND (first_ordinal <= "},
		},
		"lots by code": {
			func(tx store.Tx) error { return second(tx.LotsByCode(ctx, brand, 19807, "L1", 3)) },
			[]string{"lots_by_code", "mint_batches_pkey", "lots_of_batch"},
		},
		"API keys": {
			func(tx store.Tx) error { return second(tx.APIKeys(ctx, brand)) },
			[]string{"api_keys_of_brand"},
		},
	} {
		plans, err := app.Plans(ctx, brand, test.run)
		must(t, err)
		all := strings.Join(plans, "\n")
		for _, want := range test.want {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no %q in\n%s", name, want, all)
			}
		}
		for line := range strings.Lines(all) {
			// The brand's own row is on the one page that brands has here; roll_up has one.
			if strings.Contains(line, "Seq Scan") && !strings.Contains(line, "on brands") && !strings.Contains(line, "on roll_up") {
				t.Errorf("%s: it reads too much:\n%s", name, all)
				break
			}
		}
	}

	// Doors that open to the resolver, and not to the app.
	plans, err := resolver.Plans(ctx, brand, func(tx store.Tx) error {
		return second(tx.ActivateUnits(ctx, []mintage.UnitState{{ProductNumber: 19807, Ordinal: 1}}))
	})
	must(t, err)
	if all := strings.Join(plans, "\n"); strings.Contains(all, "Seq Scan") || !strings.Contains(all, "products_pkey") {
		t.Errorf("activate:\n%s", all)
	}

	// A search by the beginning of a column has to say so with comparisons.
	restricted := connect(t, pgtest.Login(t, db.URL, "IN ROLE mintage_app"))
	exec(t, restricted, `SET mintage.brand = '7'`)
	rows, err := restricted.Query(ctx, `EXPLAIN SELECT FROM products WHERE brand_number = 7 AND sku >= 'SKU-1' AND sku < 'SKU-2' ORDER BY sku LIMIT 10`)
	must(t, err)
	var plan strings.Builder
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	must(t, rows.Err())
	if !strings.Contains(plan.String(), "AND (sku >= 'SKU-1'::text) AND (sku < 'SKU-2'::text)") {
		t.Errorf("a search by prefix does not use the index:\n%s", &plan)
	}
	wantCode(t, app.Ping(ctx), mintage.Code(""))
}

// What a door does cannot be explained from outside; that it uses an index, and reads
// no table from end to end, the server's counters say.
func TestPlansOfDoors(t *testing.T) {
	db := storetest.Open(t, "postgres")
	conn := connect(t, db.URL)
	exec(t, conn, crowd)
	for call, indexes := range map[string][]string{
		`SELECT count(*) FROM mintage_changes(119900, 100)`:                                               {"events_changes"},
		`SELECT count(*) FROM mintage_bases_of_host('id77.example')`:                                      {"resolver_bases_by_host"},
		`SELECT count(*) FROM mintage_activate_units(19807, ARRAY[1, 2, 3], array_fill(now(), ARRAY[3]))`: {"unit_states_revoked"},
		`SELECT count(*) FROM mintage_revoke_units(19807, ARRAY[1], ARRAY[now()], ARRAY['r'])`:            {"unit_states_pkey"},
	} {
		tx, err := conn.Begin(t.Context())
		must(t, err)
		var found int
		must(t, tx.QueryRow(t.Context(), call).Scan(&found))
		var whole []string
		var used []string
		must(t, tx.QueryRow(t.Context(), `
			SELECT (SELECT coalesce(array_agg(relname::text), '{}') FROM pg_stat_xact_user_tables WHERE seq_scan > 0),
				(SELECT coalesce(array_agg(relname::text), '{}') FROM pg_class WHERE relname = ANY ($1::text[]) AND pg_stat_get_xact_numscans(oid) > 0)`,
			indexes).Scan(&whole, &used))
		must(t, tx.Rollback(t.Context()))
		equal(t, call+" finds something", found > 0, true)
		equal(t, call+" reads from end to end", whole, []string{})
		equal(t, call+" uses", used, indexes)
	}
}

package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mintage/internal/store/storetest"
	"mintage/internal/verify"
)

// damage is done past the store, and undone.
type damage struct {
	name string
	// sql damages the database. In it, {x.field} is a figure of a batch.
	sql string
	// want names the checks that fail, and no others.
	want string
	// findings is how many there are in all; 0 is any number.
	findings int64
}

// damages are told in a database that newHistory has made.
var damages = []damage{
	// Units.
	{"a unit is gone", "DELETE FROM units WHERE {completed.unit 20}", "counts gaps", 2},
	{"the last unit is gone", "DELETE FROM units WHERE {completed.unit 49}", "counts gaps", 2},
	{"all units of a batch are gone", "DELETE FROM units WHERE product_number = {foreign.product}", "counts gaps", 2},
	{"a unit beyond all ranges", "INSERT INTO units VALUES ({plain.product}, 1000, 1)", "orphans codes", 2},
	{"a unit before all ranges", "INSERT INTO units VALUES ({plain.product}, -1, 1)", "orphans codes", 2},
	{"a unit that a FAILED job did not mint", "INSERT INTO units VALUES ({failed.product}, {failed.first} + 20, 1)", "counts gaps codes", 3},
	{"a unit of a product that does not exist", "INSERT INTO units VALUES (999999, 0, 1)", "orphans codes", 3},
	{"a code is another", "UPDATE units SET code = code + 1 WHERE {lots.unit 3}", "codes", 1},
	{"a code is no code", "UPDATE units SET code = -1 WHERE {lots.unit 3}", "codes", 1},
	{"many codes are others", "UPDATE units SET code = code + 1 WHERE product_number = {completed.product} AND ordinal < 45", "codes", 45},
	{"two units have one's code", `UPDATE units SET code = (SELECT code FROM units WHERE {completed.unit 30}) WHERE {completed.unit 5}`, "codes duplicates", 2},
	{"two units have a code that is nobody's", "UPDATE units SET code = 12345 WHERE {completed.unit 5} OR {completed.unit 7}", "codes duplicates", 3},

	// Figures.
	{"a FAILED job counts one more", "UPDATE mint_batches SET minted_quantity = minted_quantity + 1 WHERE number = {failed.number}", "counts gaps events", 3},
	{"an unfinished job counts one less", "UPDATE mint_batches SET minted_quantity = minted_quantity - 1 WHERE number = {half.number}", "counts gaps events", 3},
	{"a COMPLETED job counts one less", "UPDATE mint_batches SET minted_quantity = minted_quantity - 1 WHERE number = {completed.number}", "counts gaps events states", 4},
	{"a COMPLETED job requested more", "UPDATE mint_batches SET requested_quantity = requested_quantity + 1 WHERE number = {rebased.number}", "ranges lots states", 3},
	{"ranges overlap", "UPDATE mint_batches SET first_ordinal = first_ordinal - 1 WHERE number = {rebased.number}", "ranges lots events orphans", 0},
	{"the next ordinal is too low", "UPDATE products SET next_ordinal = next_ordinal - 1 WHERE number = {completed.product}", "ranges", 1},
	{"ordinals belong to no batch", "UPDATE products SET next_ordinal = next_ordinal + 5 WHERE number = {queued.product}", "ranges", 1},

	// States.
	{"a job has gone back", "UPDATE mint_jobs SET status = 'RESERVED' WHERE number = {half.number}", "states events", 0},
	{"a job has gone ahead", "UPDATE mint_jobs SET status = 'RESERVED' WHERE number = {queued.number}", "events", 1},
	{"a job never started", "UPDATE mint_jobs SET started_at = NULL WHERE number = {completed.number}", "states", 1},
	{"a job has a strike that nobody tells of", "UPDATE mint_jobs SET consecutive_errors = 2 WHERE number = {half.number}", "events", 1},
	{"a job that nobody worked on has a strike", "UPDATE mint_jobs SET consecutive_errors = 1 WHERE number = {queued.number}", "states events", 3},

	// Events.
	{"a job's first transition is gone", "DELETE FROM events WHERE {queued.events} AND kind = 'mint_job.transition'", "events", 0},
	{"a job's transition is gone", "DELETE FROM events WHERE {struck.events} AND kind = 'mint_job.transition' AND to_state = 'RESERVED'", "events", 1},
	{"a job's last transition is gone", "DELETE FROM events WHERE {struck.events} AND to_state = 'COMPLETED'", "events", 0},
	{"a batch's transition is gone", "DELETE FROM events WHERE {struck.events} AND to_state = 'processing'", "events", 1},
	{"a cycle is gone", "DELETE FROM events WHERE {completed.events} AND kind = 'mint_batch.cycle' AND first_ordinal = 7", "events", 1},
	{"the last cycle is gone", "DELETE FROM events WHERE {completed.events} AND kind = 'mint_batch.cycle' AND first_ordinal = 49", "events", 1},
	{"a cycle is shifted", "UPDATE events SET first_ordinal = 8 WHERE {completed.events} AND kind = 'mint_batch.cycle' AND first_ordinal = 7", "events", 0},
	{"a strike is gone", "DELETE FROM events WHERE {failed.events} AND message LIKE 'Strike 2 of 3%'", "events", 1},
	{"an event does not say who", "UPDATE events SET actor = '' WHERE {failed.events} AND to_state = 'FAILED'", "events", 1},
	{"an event is about another job", "UPDATE events SET subject_id = 'x' WHERE {failed.events} AND to_state = 'FAILED'", "events", 1},

	// Lots and URLs.
	{"a lot is shifted", "UPDATE lots SET first_ordinal = first_ordinal + 1 WHERE batch_number = {lots.number} AND code = 'A'", "lots", 0},
	{"a lot is gone", "DELETE FROM lots WHERE batch_number = {lots.number} AND code = 'A'", "lots", 1},
	{"a lot is longer", "UPDATE lots SET quantity = quantity + 1 WHERE batch_number = {completed.number}", "lots", 1},
	{"a lot has another code", "UPDATE lots SET code = 'C' WHERE batch_number = {lots.number} AND code = 'A'", "lots", 1},
	{"a lot has none of its code", "UPDATE lots SET code = NULL WHERE batch_number = {plain.number} AND code = 'A'", "lots", 1},
	{"a lot code stands twice", "UPDATE lots SET code = 'B' WHERE batch_number = {plain.number} AND code = 'A'", "lots", 1},
	{"a URL is another", "UPDATE lots SET url_prefix = 'https://else.example/' WHERE batch_number = {completed.number}", "lots", 1},
	{"a URL has a suffix", "UPDATE lots SET url_suffix = '?x' WHERE batch_number = {completed.number}", "lots", 1},
	{"a batch has another mode", "UPDATE mint_batches SET identity_mode = 'serial' WHERE number = {lots.number}", "lots", 3},
	{"a batch has another product code", "UPDATE mint_batches SET product_code = '00000000' WHERE number = {plain.number}", "lots codes", 4},
	{"a lot of no batch", "UPDATE lots SET batch_number = 999999 WHERE batch_number = {completed.number}", "lots orphans", 2},

	// What happened to units. Of the batch scanned, 0, 1 and 5 are active, 2, 3, 4 and 6 revoked in
	// the lot X; 11 was scanned, 12 and 13 revoked before all of Y was recalled.
	{"a unit's activation is gone", "DELETE FROM unit_states WHERE {scanned.unit 0} AND status = 'active'", "tokens token_counts", 2},
	{"a unit's revocation is gone", "DELETE FROM unit_states WHERE {scanned.unit 3} AND status = 'revoked'", "tokens token_counts", 2},
	{"a revocation in a lot that is recalled is gone", "DELETE FROM unit_states WHERE {scanned.unit 13} AND status = 'revoked'", "tokens", 1},
	{"a unit is active, and nobody knows why", "INSERT INTO unit_states (product_number, ordinal, status, at, reason) SELECT product_number, ordinal, 'active', '2026-01-01T00:00:00.000000Z', '' FROM units WHERE {scanned.unit 8}", "tokens token_counts", 2},
	{"a unit is revoked, and nobody knows why", "INSERT INTO unit_states (product_number, ordinal, status, at, reason) SELECT product_number, ordinal, 'revoked', '2026-01-01T00:00:00.000000Z', 'x' FROM units WHERE {scanned.unit 8}", "tokens token_counts", 2},
	{"a revocation has no reason", "UPDATE unit_states SET reason = '' WHERE {scanned.unit 3}", "tokens", 1},
	{"a unit that was born active became it", "INSERT INTO unit_states (product_number, ordinal, status, at, reason) SELECT product_number, ordinal, 'active', '2026-01-01T00:00:00.000000Z', '' FROM units WHERE {born.unit 0}", "tokens", 2},
	{"a state of a unit that was not minted yet", "INSERT INTO unit_states (product_number, ordinal, status, at, reason) VALUES ({half.product}, {half.first} + 20, 'active', '2026-01-01T00:00:00.000000Z', '')", "orphans", 1},
	{"a state beyond all ranges", "INSERT INTO unit_states (product_number, ordinal, status, at, reason) VALUES ({plain.product}, 1000, 'active', '2026-01-01T00:00:00.000000Z', '')", "orphans", 1},
	{"a state of a product that does not exist", "INSERT INTO unit_states (product_number, ordinal, status, at, reason) VALUES (999999, 0, 'active', '2026-01-01T00:00:00.000000Z', '')", "orphans", 1},
	{"a unit's event is gone that is counted", "DELETE FROM events WHERE {scanned.events} AND kind = 'unit.transition' AND first_ordinal = {scanned.first}", "tokens", 1},
	{"a unit's event is gone that is not counted yet", "DELETE FROM events WHERE {scanned.events} AND kind = 'unit.transition' AND first_ordinal = {scanned.first} + 5", "tokens token_counts", 2},
	{"a unit's first event is gone", "DELETE FROM events WHERE {scanned.events} AND kind = 'unit.transition' AND first_ordinal = {scanned.first} + 2 AND to_state = 'active'", "events tokens", 2},
	{"a unit was activated twice", "UPDATE events SET first_ordinal = {scanned.first} WHERE {scanned.events} AND kind = 'unit.transition' AND first_ordinal = {scanned.first} + 1", "events tokens", 2},
	{"a unit was activated after it was revoked", "UPDATE events SET to_state = 'active' WHERE {scanned.events} AND first_ordinal = {scanned.first} + 2 AND to_state = 'revoked'", "events tokens", 2},
	{"an event is about a unit that was not minted", "UPDATE events SET first_ordinal = first_ordinal + 100 WHERE {scanned.events} AND kind = 'unit.transition' AND first_ordinal = {scanned.first}", "events tokens", 2},
	{"an event is about another unit", "UPDATE events SET subject_id = 'x' WHERE {scanned.events} AND kind = 'unit.transition' AND first_ordinal = {scanned.first}", "events", 1},
	{"a count is too high", "UPDATE lot_counts SET activated = activated + 1 WHERE product_number = {scanned.product} AND first_ordinal = {scanned.first}", "token_counts", 1},
	{"counts are gone", "DELETE FROM lot_counts WHERE product_number = {born.product}", "token_counts", 1},
	{"events are counted twice", "UPDATE roll_up SET upto = 0", "token_counts", 2},
	{"events are left out", "UPDATE roll_up SET upto = 1000000", "token_counts", 2},
	{"a recall is gone", "DELETE FROM recalls WHERE product_number = {scanned.product}", "recalls", 1},
	{"a recall covers less", "UPDATE recalls SET quantity = quantity - 1 WHERE product_number = {scanned.product}", "recalls", 3},
	{"a recall is of another lot", "UPDATE recalls SET lot = 'X' WHERE product_number = {scanned.product}", "recalls", 1},
	{"a recall has another reason", "UPDATE recalls SET reason = 'x' WHERE product_number = {scanned.product}", "recalls", 2},
	{"a recall is another brand's", "UPDATE recalls SET brand_number = {foreign.brand}", "recalls", 1},
	{"a recall of no batch", "UPDATE recalls SET batch_number = 999999", "orphans recalls", 2},
	{"a recall's event is gone", "DELETE FROM events WHERE kind = 'mint_batch.recalled'", "recalls", 1},

	// What belongs to whom.
	{"a GTIN was given to another product", "UPDATE gtin_claims SET product_number = {half.product} WHERE product_number = {foreign.product}", "gtins orphans", 2},
	{"a GTIN was given to another product of the brand", "UPDATE gtin_claims SET product_number = {half.product} WHERE product_number = {queued.product}", "gtins", 1},
	{"a GTIN belongs to nobody", "DELETE FROM gtin_claims WHERE product_number = {reborn.product}", "gtins", 1},
	{"a production batch is smaller", "UPDATE production_batches SET quantity = 99 WHERE product_number = {production.product}", "production batches", 1},
	{"a production batch is of another product", "UPDATE production_batches SET product_number = {half.product} WHERE product_number = {production.product}", "production batches", 2},
	{"less over-issue is allowed", "UPDATE brands SET over_issue_percent = 9", "production batches", 1},
	{"a resolver base belongs to nobody", "DELETE FROM resolver_bases WHERE base = 'https://new.example'", "bases", 0},
	{"a resolver base belongs to another brand", "UPDATE resolver_bases SET brand_number = {foreign.brand} WHERE base = 'https://new.example'", "bases", 0},
	{"a brand's resolver base is none", "UPDATE brands SET resolver_base = 'https://NEW.example' WHERE number = {foreign.brand}", "bases", 1},
	{"a product is another brand's", "UPDATE products SET brand_number = {foreign.brand} WHERE number = {plain.product}", "orphans codes", 21},
	{"a brand's key is damaged", "UPDATE brands SET sealed_key = (SELECT sealed_key FROM brands WHERE number = {completed.brand}) WHERE number = {foreign.brand}", "codes", 1},

	// What has lost its other half.
	{"a job is gone", "DELETE FROM mint_jobs WHERE number = {completed.number}", "orphans", 0},
	{"a batch is gone", "DELETE FROM mint_batches WHERE number = {struck.number}", "orphans ranges", 0},
	{"a product is gone", "DELETE FROM products WHERE number = {foreign.product}", "orphans codes", 0},
	{"an idempotency key has no job", "UPDATE idempotency_keys SET job_id = '018f0000-0000-7000-8000-000000000000' WHERE job_id = (SELECT id FROM mint_jobs WHERE number = {half.number})", "orphans", 1},
	{"an event of no batch", "UPDATE events SET batch_number = 999999 WHERE {failed.events} AND kind = 'mint_batch.transition' AND to_state = 'failed'", "events orphans", 2},
}

func TestEachDamageIsFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		h := newHistory(t, db)
		h.healthy()
		for _, d := range damages {
			t.Run(d.name, func(t *testing.T) {
				h.t = t
				undo := h.damage(d.sql)
				report := h.audit()
				undo()
				expect(t, report, d.want, d.findings)
				h.healthy()
			})
		}
	})
}

// expect requires that just those checks failed.
func expect(t *testing.T, report *verify.Report, want string, findings int64) {
	t.Helper()
	var failed []string
	total := int64(0)
	for _, c := range report.Checks {
		if c.OK != (c.Findings == 0) || int64(len(c.Examples)) != min(c.Findings, verify.MaxExamples) {
			t.Errorf("%+v", c)
		}
		if !c.OK {
			failed = append(failed, c.Name)
			t.Logf("%s: %q", c.Name, c.Examples)
		}
		total += c.Findings
	}
	wanted := strings.Fields(strings.ReplaceAll(want, "production batches", "production_batches"))
	for i := range wanted {
		wanted[i] = strings.ReplaceAll(wanted[i], "_", " ")
	}
	slices.Sort(failed)
	slices.Sort(wanted)
	if !slices.Equal(failed, wanted) || report.OK || report.Failed() != len(wanted) {
		t.Errorf("the checks that failed are %q, want %q", failed, wanted)
	}
	if findings != 0 && total != findings {
		t.Errorf("%d findings, want %d", total, findings)
	}
}

// damage runs statements past the store, without the databases' own guards, and
// returns what restores every table.
func (h *history) damage(statements ...string) (undo func()) {
	h.t.Helper()
	tables := []string{
		"brands", "resolver_bases", "products", "gtin_claims", "production_batches", "mint_jobs", "mint_batches",
		"lots", "idempotency_keys", "units", "events",
		"unit_states", "recalls", "lot_counts", "roll_up",
	}
	pool := h.db.Raw(h.t)
	storetest.Unguard(h.t, pool)
	raw, err := pool.Conn(h.t.Context()) // the settings are the connection's
	if err != nil {
		h.t.Fatal(err)
	}
	run := func(statement string) {
		h.t.Helper()
		if _, err := raw.ExecContext(h.t.Context(), statement); err != nil {
			h.t.Fatalf("%s: %v", statement, err)
		}
	}
	overriding := ""
	if h.db.Engine() == "postgres" {
		overriding = "OVERRIDING SYSTEM VALUE"
		run("SET session_replication_role = replica") // no foreign keys
	}
	for _, table := range tables {
		run(fmt.Sprintf("CREATE TEMP TABLE saved_%s AS SELECT * FROM %s", table, table))
	}
	for _, statement := range statements {
		statement = h.named(statement)
		result, err := raw.ExecContext(h.t.Context(), statement)
		if err != nil {
			h.t.Fatalf("%s: %v", statement, err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 && !strings.HasPrefix(statement, "ALTER") && !strings.HasPrefix(statement, "PRAGMA") {
			h.t.Fatalf("%s: nothing is damaged, %v", statement, err)
		}
	}
	return func() {
		h.t.Helper()
		run("BEGIN") // one wait for the disk
		for _, table := range tables {
			run("DELETE FROM " + table)
			run(fmt.Sprintf("INSERT INTO %s %s SELECT * FROM saved_%s", table, overriding, table))
		}
		run("COMMIT")
		if err := raw.Close(); err != nil {
			h.t.Fatal(err)
		}
	}
}

// named puts the figures of batches in place of their names.
func (h *history) named(statement string) string {
	for name, b := range h.batches {
		for field, value := range map[string]int64{
			"number": b.Number, "product": b.ProductNumber, "brand": b.BrandNumber, "first": b.FirstOrdinal,
		} {
			statement = strings.ReplaceAll(statement, "{"+name+"."+field+"}", fmt.Sprint(value))
		}
		statement = strings.ReplaceAll(statement, "{"+name+".events}", fmt.Sprintf("batch_number = %d", b.Number))
		for {
			before, rest, found := strings.Cut(statement, "{"+name+".unit ")
			if !found {
				break
			}
			n, after, _ := strings.Cut(rest, "}")
			statement = fmt.Sprintf("%s(product_number = %d AND ordinal = %d + %s)%s", before, b.ProductNumber, b.FirstOrdinal, n, after)
		}
	}
	return statement
}

package sqlite

import (
	"slices"
	"strings"
	"testing"
)

// What runs each second, each 250 ms or for a page that somebody waits for must read by
// indexes, however many units and events there are.
func TestPlans(t *testing.T) {
	s := openNew(t)
	anyone := []any{1, 2, 3, 4, 5}
	tests := map[string]struct {
		query string
		args  int
		want  []string // steps of the plan
	}{
		"LotCounts": {lotCountsQuery, 2, []string{
			"SEARCH e USING INDEX events_of_batch (batch_number=? AND number>?)",
			"SEARCH c USING PRIMARY KEY (product_number=? AND first_ordinal=?)",
		}},
		"Products by words": {"SELECT " + productColumns + " FROM products WHERE brand_number = 7 AND " + foundBy + " AND number < 9 ORDER BY number DESC LIMIT 5", 3, []string{
			"SEARCH products USING INDEX products_of_brand (brand_number=? AND number=? AND rowid<?)",
			"SEARCH product_words USING COVERING INDEX product_words_of_brand (brand_number=? AND word>? AND word<?)",
		}},
		"Totals": {totalsQuery, 1, []string{
			"SEARCH b USING INDEX mint_batches_of_brand (brand_number=?)",
			"SEARCH c USING INDEX lot_counts_of_brand (brand_number=?)",
			"SEARCH r USING INDEX recalls_of_brand (brand_number=?)",
			"SEARCH day_counts USING PRIMARY KEY (brand_number=?)",
		}},
		"Notable events": {
			"SELECT number FROM events e WHERE e.brand_number = ? AND " + notable + " AND e.kind IN ('product.created') AND e.number < ? ORDER BY e.number DESC LIMIT ?", 3,
			[]string{"SEARCH e USING INDEX events_notable (brand_number=? AND number<?)"},
		},
		"JobSteps":    {jobStepsQuery, 3, []string{"SEARCH events USING INDEX events_of_batch (batch_number=?)"}},
		"Changes":     {changesQuery, 2, []string{"SEARCH events USING INDEX events_changes (number>?)"}},
		"RollUp lots": {rollUpLots, 2, []string{"SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"}},
		"RollUp days": {rollUpDays, 2, []string{"SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"}},
		"Scans": {scansQuery, 3, []string{
			"SEARCH scans USING INDEX scans_of_people (product_number=? AND ordinal=?)",
			"SEARCH scans USING INDEX scans_of_robots (product_number=? AND ordinal=?)",
		}},
		"ScanNetworks": {scanNetworksQuery, 4, []string{"SEARCH scans USING INDEX scans_of_people (product_number=? AND ordinal=?)"}},
		"StateOrdinals of revoked units": {ordinalsQuery("revoked"), 4, []string{
			"SEARCH unit_states USING COVERING INDEX unit_states_revoked (product_number=? AND ordinal>? AND ordinal<?)",
		}},
		"StateOrdinals": {ordinalsQuery(""), 4, []string{
			"SEARCH unit_states USING PRIMARY KEY (product_number=? AND ordinal>? AND ordinal<?)",
		}},
		"UnitEvents": {unitEventsQuery, 5, []string{
			"SEARCH e USING INDEX events_of_whole_batch (batch_number=?)",
			"SEARCH e USING INDEX events_revocations (product_number=? AND first_ordinal=?)",
		}},
		"LotsByCode": {lotsByCodeQuery, 3, []string{
			"SEARCH lots USING COVERING INDEX lots_by_code (code=? AND product_number=?)",
		}},
		"units_v": {"SELECT * FROM units_v", 0, []string{
			"SEARCH e USING INDEX events_cycles (product_number=? AND first_ordinal>? AND first_ordinal<?)",
			"SEARCH u USING PRIMARY KEY (product_number=? AND ordinal>? AND ordinal<?)",
			"SEARCH s USING PRIMARY KEY (product_number=? AND ordinal=? AND status=?)",
		}},
	}
	// Sorts of what may be long: the one of scansQuery is of two lists that have ended
	// at the limit.
	sorts := map[string]int{"Scans": 1, "ScanNetworks": 0}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rows, err := s.reader.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+test.query, anyone[:test.args]...)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			var plan []string
			for rows.Next() {
				var id, parent, unused int
				var step string
				if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
					t.Fatal(err)
				}
				plan = append(plan, step)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			if most, ok := sorts[name]; ok {
				sorted := strings.Count(strings.Join(plan, "\n"), "USE TEMP B-TREE FOR ORDER BY")
				if sorted > most {
					t.Errorf("%d sorts:\n%s", sorted, strings.Join(plan, "\n"))
				}
			}
			for _, step := range test.want {
				if !slices.Contains(plan, step) {
					t.Errorf("the plan has no %q:\n%s", step, strings.Join(plan, "\n"))
				}
			}
		})
	}
}

package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
)

func TestDistributeNeedsCitus(t *testing.T) {
	db := storetest.Open(t, "postgres")
	s := open(t, db.URL, postgres.Options{})
	before := storetest.Snapshot(t, db)
	if err := s.Distribute(t.Context()); mintage.ErrorCode(err) != mintage.CodeNotSupported {
		t.Fatal(err)
	}
	if storetest.Snapshot(t, db) != before {
		t.Error("a refused distribution changed something")
	}
}

// What Citus asks of a table that is distributed by product.
func TestGrowingTablesCanBeDistributed(t *testing.T) {
	db := storetest.Open(t, "postgres")
	conn := connect(t, db.URL)
	for _, table := range postgres.Growing {
		for what, query := range map[string]string{
			"indexes that do not begin with the product's number": `
				SELECT count(*) FROM pg_index i
				JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
				WHERE i.indrelid = $1::text::regclass AND a.attname <> 'product_number'`,
			"foreign keys": `
				SELECT count(*) FROM pg_constraint
				WHERE contype = 'f' AND (conrelid = $1::text::regclass OR confrelid = $1::text::regclass)`,
			"policies": `SELECT count(*) FROM pg_class WHERE oid = $1::text::regclass AND relrowsecurity`,
			"triggers": `SELECT count(*) FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal`,
			"columns of eight bytes for products and units": `
				SELECT count(*) FROM pg_attribute
				WHERE attrelid = $1::text::regclass AND attname IN ('product_number', 'ordinal') AND atttypid <> 'integer'::regtype`,
			"columns that a sequence fills": `
				SELECT count(*) FROM pg_attribute a
				LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
				WHERE a.attrelid = $1::text::regclass AND a.attnum > 0
					AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval%')`,
		} {
			var n int
			if err := conn.QueryRow(t.Context(), query, table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n != 0 {
				t.Errorf("%s has %d %s", table, n, what)
			}
		}
		// A scan may come twice; a unit and its state may not.
		unique := value[int](t, conn, `SELECT count(*) FROM pg_index WHERE indrelid = $1::text::regclass AND indisunique`, table)
		equal(t, table+" has a unique key", unique > 0, table != "scans")
	}
}

// Each statement about a growing table names the product, so that Citus sends it
// to one node. Exceptions are those that look at the whole database.
func TestStatementsNameTheProduct(t *testing.T) {
	whole := []string{"audit.go", "distribute.go"}
	for _, statement := range postgres.Statements(t) {
		if slices.Contains(whole, statement.File) {
			continue
		}
		for _, table := range append(postgres.Growing, "brand_units", "brand_unit_states", "brand_scans") {
			for _, about := range []string{"FROM " + table, "JOIN " + table, "UPDATE " + table, "INTO " + table, "COPY " + table} {
				at := strings.Index(statement.SQL, about)
				if at >= 0 && !strings.Contains(statement.SQL[at:], "product_number") {
					t.Errorf("%s: a statement about %s does not name the product:\n%s", statement.File, table, statement.SQL)
				}
			}
		}
	}
}

package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Snapshot shows everything that is committed in the database, as text: two
// snapshots are equal exactly if no row was added, changed or removed between.
// It goes around the store, so that no driver can hide anything from it. It is
// meant for tests with up to some ten thousand rows.
func Snapshot(t testing.TB, db *DB) string {
	t.Helper()
	var b strings.Builder
	tables := Dump(t, db)
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		fmt.Fprintf(&b, "%s: %d rows\n", name, len(tables[name]))
		for _, row := range tables[name] {
			b.WriteString(row)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Dump returns the rows of each table, as text and in a fixed order, all as of
// one moment.
func Dump(t testing.TB, db *DB) map[string][]string {
	t.Helper()
	raw := db.Raw(t)
	defer raw.Close()
	tables, err := dump(t.Context(), raw, db.Path != "")
	if err != nil {
		t.Fatalf("dump the database: %v", err)
	}
	return tables
}

// Changes says how two snapshots differ, for the message of a test: the lines
// that only one of them has. It is empty if they are equal.
func Changes(before, after string) string {
	if before == after {
		return ""
	}
	count := make(map[string]int)
	for line := range strings.Lines(before) {
		count[line]--
	}
	for line := range strings.Lines(after) {
		count[line]++
	}
	var b strings.Builder
	for _, line := range slices.Sorted(maps.Keys(count)) {
		switch n := count[line]; {
		case n < 0:
			b.WriteString("- " + line)
		case n > 0:
			b.WriteString("+ " + line)
		}
	}
	return b.String()
}

func dump(ctx context.Context, raw *sql.DB, sqlite bool) (map[string][]string, error) {
	tx, err := raw.BeginTx(ctx, &sql.TxOptions{Isolation: isolation(sqlite), ReadOnly: !sqlite})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it only read

	names, err := column(ctx, tx, tableNames(sqlite))
	if err != nil {
		return nil, err
	}
	tables := make(map[string][]string, len(names))
	for _, name := range names {
		query := fmt.Sprintf(`SELECT t::text FROM %q t ORDER BY 1`, name)
		if sqlite {
			columns, err := column(ctx, tx, fmt.Sprintf(`SELECT 'quote("' || name || '")' FROM pragma_table_info('%s') ORDER BY cid`, name))
			if err != nil {
				return nil, err
			}
			query = fmt.Sprintf(`SELECT %s FROM %q ORDER BY 1`, strings.Join(columns, ` || ',' || `), name)
		}
		rows, err := column(ctx, tx, query)
		if err != nil {
			return nil, err
		}
		tables[name] = rows
	}
	return tables, nil
}

func isolation(sqlite bool) sql.IsolationLevel {
	if sqlite {
		return sql.LevelDefault // a read transaction sees one moment
	}
	return sql.LevelRepeatableRead
}

// tableNames is the query for the names of all tables but the engine's own.
func tableNames(sqlite bool) string {
	if sqlite {
		return `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`
	}
	return `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`
}

// column returns the one column of a query.
func column(ctx context.Context, tx *sql.Tx, query string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, rows.Err()
}

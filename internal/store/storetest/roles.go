package storetest

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest/pgtest"
)

// As opens the database as a login role of its own that is a member of one of
// the driver's group roles, such as "mintage_app". PostgreSQL only.
func (db *DB) As(t testing.TB, group string) store.Store {
	t.Helper()
	if db.URL == "" {
		t.Fatal("SQLite has no roles")
	}
	options := "IN ROLE " + group
	if group == "mintage_worker" {
		options += " BYPASSRLS" // membership does not pass it on
	}
	opts := postgres.Options{}
	if db.Clock != nil {
		opts.Now = db.Clock.Now
	}
	s, err := postgres.Open(t.Context(), pgtest.Login(t, db.URL, options), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// guarded are the tables that are only ever added to.
var guarded = []string{"events", "event_seals", "recalls"}

// Unguard removes the triggers that keep the audit trail and the recalls as they are, for a test
// that damages it: what a database's owner can do.
func Unguard(t testing.TB, raw *sql.DB) {
	t.Helper()
	var statements []string
	if _, postgres := raw.Driver().(*stdlib.Driver); postgres {
		for _, table := range guarded {
			statements = append(statements, "ALTER TABLE "+table+" DISABLE TRIGGER USER")
		}
	} else {
		rows, err := raw.QueryContext(t.Context(), "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger'")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var name, table string
			if err := rows.Scan(&name, &table); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(guarded, table) {
				statements = append(statements, "DROP TRIGGER "+name)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range statements {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

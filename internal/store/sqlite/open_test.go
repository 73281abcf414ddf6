package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mintage"
	"mintage/internal/store"
)

func TestOpenCreatesTheFileThatWasNamed(t *testing.T) {
	for _, name := range []string{"mintage.db", "a b", "what?mode=memory", "c#d", "50%25", "ä+&=;:'\"", "file:x"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openAt(t, filepath.Join(dir, name))
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			inTx(t, s, func(ctx context.Context, tx store.Tx) error { return tx.CreateBrand(ctx, newBrand(1)) })
			brands(t, s, 1) // the readers have the same file
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != 2 || entries[0].Name() != name || entries[1].Name() != name+".turn" {
				t.Fatalf("the folder has %v, want %q and its turnstile", entries, name)
			}
			info, err := entries[0].Info()
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("the file's mode is %v", info.Mode())
			}
		})
	}
}

func TestOpenRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	openAt(t, "x.db")
	if _, err := os.Stat("x.db"); err != nil {
		t.Fatal(err)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]mintage.Code{
		"":                                 mintage.CodeInvalidInput,
		filepath.Join(dir, "missing", "x"): mintage.CodeUnavailable,
		dir:                                mintage.CodeUnavailable,
		garbage:                            mintage.CodeUnavailable,
	} {
		s, err := Open(t.Context(), path, Options{})
		wantCode(t, err, want)
		if s != nil {
			t.Errorf("Open(%q) returned a store with its error", path)
		}
	}
}

func TestSettings(t *testing.T) {
	s := openNew(t)
	for _, c := range []struct {
		db           *sql.DB
		pragma, want string
	}{
		{s.writer, "journal_mode", "wal"},
		{s.writer, "synchronous", "2"},
		{s.writer, "foreign_keys", "1"},
		{s.writer, "busy_timeout", "10000"},
		{s.writer, "cache_size", "-16384"},
		{s.writer, "journal_size_limit", "16777216"},
		{s.writer, "wal_autocheckpoint", "1000"},
		{s.writer, "page_size", "4096"},
		{s.writer, "query_only", "0"},
		{s.reader, "journal_mode", "wal"},
		{s.reader, "busy_timeout", "10000"},
		{s.reader, "query_only", "1"},
	} {
		var got string
		if err := c.db.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%s is %s, want %s", c.pragma, got, c.want)
		}
	}
	// Not even a reader that lifts its own query_only can write.
	_, err := s.reader.ExecContext(t.Context(), "PRAGMA query_only = 0; DELETE FROM brands")
	wantCode(t, s.fail(err), mintage.CodeUnavailable)
}

func TestSchemaVersions(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "mintage.db"))
	for name, call := range map[string]func() error{
		"Ping": func() error { return s.Ping(t.Context()) },
		"InTx": func() error { return s.InTx(t.Context(), func(store.Tx) error { panic("ran") }) },
		"Read": func() error { return s.Read(t.Context(), func(store.Reader) error { panic("ran") }) },
	} {
		if err := call(); mintage.ErrorCode(err) != mintage.CodeOldSchema {
			t.Errorf("%s on an empty file: %v", name, err)
		}
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}

	if _, err := s.writer.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Ping(t.Context()), mintage.CodeOldSchema)
	wantCode(t, s.Migrate(t.Context()), mintage.CodeOldSchema)
	_, err := Open(t.Context(), s.path, Options{})
	wantCode(t, err, mintage.CodeOldSchema)
	if message := mintage.ErrorMessage(err); !strings.Contains(message, "newer") {
		t.Errorf("the message does not say that the file is newer: %s", message)
	}
}

func TestManyOpenAndMigrateAtOnce(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "mintage.db")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				s, err := Open(t.Context(), path, Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := openAt(t, path).Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHotQueriesUseTheirIndexes(t *testing.T) {
	s := openNew(t)
	for index, query := range map[string]string{
		"USING INDEX mint_jobs_runnable":                                           claimQuery,
		"USING INDEX mint_batches_of_production_batch (production_batch_number=?)": productionQuery + ` WHERE pb.brand_number = ? AND pb.id = ?`,
		"USING INDEX events_cycles":                                                cyclesQuery,
		"USING INDEX mint_batches_of_brand (brand_number=? AND number<?)":          workQuery + ` WHERE b.brand_number = ? AND b.number < ? ORDER BY b.number DESC LIMIT ?`,
	} {
		plan := explain(t, s, query)
		if !strings.Contains(plan, index) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("not %s:\n%s", index, plan)
		}
	}
}

// explain returns SQLite's plan for a query, a line each step.
func explain(t *testing.T, s *Store, query string) string {
	t.Helper()
	rows, err := s.reader.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, 1, 2, 3, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func wantCode(t testing.TB, err error, want mintage.Code) {
	t.Helper()
	if got := mintage.ErrorCode(err); got != want {
		t.Errorf("the code is %q, want %q: %v", got, want, err)
	}
}

// brands checks how many brands are stored.
func brands(t testing.TB, s *Store, want int) {
	t.Helper()
	err := s.Read(context.Background(), func(r store.Reader) error {
		all, err := r.Brands(context.Background())
		if len(all) != want {
			t.Errorf("%d brands are stored, want %d", len(all), want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

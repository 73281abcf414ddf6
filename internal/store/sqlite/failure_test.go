package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"mintage"
	"mintage/internal/store"
)

func TestEngineErrors(t *testing.T) {
	for code, want := range map[int]mintage.Code{
		sqlite3.SQLITE_FULL:                  mintage.CodeUnavailable,
		sqlite3.SQLITE_IOERR:                 mintage.CodeUnavailable,
		sqlite3.SQLITE_IOERR_FSYNC:           mintage.CodeUnavailable,
		sqlite3.SQLITE_READONLY:              mintage.CodeUnavailable,
		sqlite3.SQLITE_READONLY_DBMOVED:      mintage.CodeUnavailable,
		sqlite3.SQLITE_BUSY:                  mintage.CodeUnavailable,
		sqlite3.SQLITE_BUSY_RECOVERY:         mintage.CodeUnavailable,
		sqlite3.SQLITE_BUSY_SNAPSHOT:         mintage.CodeRetry,
		sqlite3.SQLITE_LOCKED:                mintage.CodeUnavailable,
		sqlite3.SQLITE_CANTOPEN:              mintage.CodeUnavailable,
		sqlite3.SQLITE_NOMEM:                 mintage.CodeUnavailable,
		sqlite3.SQLITE_PROTOCOL:              mintage.CodeUnavailable,
		sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: mintage.CodeConflict,
		sqlite3.SQLITE_CONSTRAINT_UNIQUE:     mintage.CodeConflict,
		sqlite3.SQLITE_CONSTRAINT_ROWID:      mintage.CodeConflict,
		sqlite3.SQLITE_CONSTRAINT_CHECK:      mintage.CodeInternal,
		sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: mintage.CodeInternal,
		sqlite3.SQLITE_CORRUPT:               mintage.CodeUnavailable,
		sqlite3.SQLITE_ERROR:                 mintage.CodeInternal,
	} {
		cause := errors.New("the engine's words")
		err := engineError(code, cause)
		if mintage.ErrorCode(err) != want || !errors.Is(err, cause) {
			t.Errorf("code %d gives %v, want %s", code, err, want)
		}
	}
}

func TestFullDisk(t *testing.T) {
	s := openNew(t)
	batch := newBatch(t, s, mintage.MaxCycle)
	pages := func(limit int) {
		if _, err := s.writer.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", limit)); err != nil {
			t.Fatal(err)
		}
	}
	pages(1) // SQLite takes it for "as many as there are"

	err := s.InTx(t.Context(), func(tx store.Tx) error {
		ctx := t.Context()
		if err := tx.CreateBrand(ctx, newBrand(2)); err != nil {
			return err
		}
		err := tx.Savepoint(ctx, func() error { return mint(ctx, tx, batch, 0, mintage.MaxCycle) })
		wantCode(t, err, mintage.CodeUnavailable)
		// SQLite may have ended the transaction: what comes now must not be a
		// transaction of its own.
		wantCode(t, tx.CreateBrand(ctx, newBrand(3)), mintage.CodeUnavailable)
		wantCode(t, tx.Savepoint(ctx, func() error { panic("ran") }), mintage.CodeUnavailable)
		_, err = tx.Brands(ctx)
		wantCode(t, err, mintage.CodeUnavailable)
		return nil // forgets the error
	})
	wantCode(t, err, mintage.CodeUnavailable)
	brands(t, s, 1)

	pages(1 << 30)
	inTx(t, s, func(ctx context.Context, tx store.Tx) error { return mint(ctx, tx, batch, 0, mintage.MaxCycle) })
}

func TestReadOnly(t *testing.T) {
	s := openNew(t)
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Ping(t.Context()), mintage.CodeUnavailable)
	err := s.InTx(t.Context(), func(tx store.Tx) error { return tx.CreateBrand(t.Context(), newBrand(1)) })
	wantCode(t, err, mintage.CodeUnavailable)
}

// An interrupted statement that writes ends the whole transaction, see
// sqlite3_interrupt.
func TestInterruptedStatement(t *testing.T) {
	s := openNew(t)
	err := s.InTx(t.Context(), func(txn store.Tx) error {
		if err := txn.CreateBrand(t.Context(), newBrand(1)); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := txn.Savepoint(t.Context(), func() error {
			_, err := txn.(*tx).exec(short, `
				WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n)
				INSERT INTO units SELECT 1, i, i FROM n`)
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the statement failed with %v", err)
		}
		if err := txn.CreateBrand(t.Context(), newBrand(2)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after it, another gave %v", err)
		}
		return nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the transaction gave %v", err)
	}
	brands(t, s, 0)
}

func TestForgottenErrorIsNotCommitted(t *testing.T) {
	s := openNew(t)
	err := s.InTx(t.Context(), func(tx store.Tx) error {
		for range 2 {
			_ = tx.CreateBrand(t.Context(), newBrand(1)) // the second one: CONFLICT
		}
		wantCode(t, tx.CreateBrand(t.Context(), newBrand(2)), mintage.CodeInternal)
		return nil
	})
	wantCode(t, err, mintage.CodeConflict)
	brands(t, s, 0)
}

func TestJournalStaysSmall(t *testing.T) {
	s := openNew(t)
	const cycles = 10
	batch := newBatch(t, s, cycles*mintage.MaxCycle)
	for i := range int64(cycles) {
		inTx(t, s, func(ctx context.Context, tx store.Tx) error {
			return mint(ctx, tx, batch, i*mintage.MaxCycle, mintage.MaxCycle)
		})
		if size := walSize(t, s); size > 8<<20 {
			t.Fatalf("after cycle %d the journal has %d bytes", i, size)
		}
	}
}

func TestJournalIsEmptiedOnceReadersLeave(t *testing.T) {
	s := openNew(t)
	s.wal.large = 1 << 20
	// As readers that overlap without end would do:
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA wal_autocheckpoint = 0"); err != nil {
		t.Fatal(err)
	}
	const cycles = 40
	batch := newBatch(t, s, cycles*mintage.MaxCycle)
	var minted int64
	grow := func(limit int64) { // mints until the journal reaches limit, or was emptied
		for before := walSize(t, s); before < limit; {
			inTx(t, s, func(ctx context.Context, tx store.Tx) error { return mint(ctx, tx, batch, minted, mintage.MaxCycle) })
			minted += mintage.MaxCycle
			after := walSize(t, s)
			if after < before {
				return
			}
			before = after
		}
	}
	err := s.Read(t.Context(), func(r store.Reader) error {
		if _, err := r.Brands(t.Context()); err != nil { // now it holds a moment
			return err
		}
		grow(2 * s.wal.large)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if size := walSize(t, s); size < 2*s.wal.large {
		t.Fatalf("with a reader in it the journal has %d bytes", size)
	}
	inTx(t, s, func(context.Context, store.Tx) error { return nil })
	grow(4 * s.wal.large)
	if size := walSize(t, s); size != 0 {
		t.Fatalf("without readers the journal still has %d bytes", size)
	}
	var timeout int
	if err := s.writer.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&timeout); err != nil || timeout != 10000 {
		t.Errorf("the busy timeout is now %d, %v", timeout, err)
	}
}

func walSize(t *testing.T, s *Store) int64 {
	t.Helper()
	info, err := os.Stat(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

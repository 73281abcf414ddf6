package bench

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/sqlite"
)

// sqliteBench is a file in a folder of its own.
type sqliteBench struct {
	folder string
	made   string // the data folder, where it is ours too
	opened *sqlite.Store
	inside *sql.DB // with the store's settings
}

func newSQLite(ctx context.Context, data string) (_ *sqliteBench, err error) {
	s := &sqliteBench{}
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		s.made = data
	}
	if err = os.MkdirAll(data, 0o700); err == nil {
		s.folder, err = os.MkdirTemp(data, "bench-")
	}
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeUnavailable, "The data folder %s cannot be written; choose another one with --data.", data).WithCause(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.remove(ctx))
		}
	}()
	path := filepath.Join(s.folder, "mintage.db")
	if s.opened, err = sqlite.Open(ctx, path, sqlite.Options{}); err != nil {
		return nil, err
	}
	if err := s.opened.Migrate(ctx); err != nil {
		return nil, err
	}
	settings := url.Values{
		"_txlock": {"immediate"}, "_busy_timeout": {"10000"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"},
		"_pragma": {"cache_size(-16384)", "temp_store(memory)"},
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s.inside, err = sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: settings.Encode()}).String())
	return s, err
}

func (s *sqliteBench) store() store.Store { return s.opened }

// facts: the store commits durably, unless the folder is in memory.
func (s *sqliteBench) facts(ctx context.Context) (version string, durable bool, err error) {
	const tmpfs = 0x01021994 // Linux's number for it
	var fs syscall.Statfs_t
	if err := syscall.Statfs(s.folder, &fs); err != nil {
		return "", false, err
	}
	err = s.inside.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version)
	return version, fs.Type != tmpfs, err
}

func (s *sqliteBench) fillNaive(ctx context.Context, n int64) error {
	if _, err := s.inside.ExecContext(ctx, `
		DROP TABLE IF EXISTS units_naive;
		CREATE TABLE units_naive (
			id TEXT NOT NULL,
			batch_id TEXT NOT NULL,
			serial TEXT NOT NULL,
			resolver_url TEXT NOT NULL,
			status TEXT NOT NULL,
			created_at TEXT NOT NULL
		)`); err != nil {
		return err
	}
	if _, err := s.inside.ExecContext(ctx, `
		WITH RECURSIVE n(i) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1),
			drawn(id, serial) AS MATERIALIZED (SELECT lower(hex(randomblob(16))) || '----', substr(hex(randomblob(8)), 1, 12) FROM n)
		INSERT INTO units_naive SELECT id, ?2, serial, ?3 || serial, ?4, '2026-01-01T00:00:00.000000Z' FROM drawn WHERE true`,
		n, uuid.NewString(), naiveURL, naiveStatus); err != nil {
		return err
	}
	_, err := s.inside.ExecContext(ctx, `CREATE UNIQUE INDEX units_naive_id ON units_naive (id); CREATE UNIQUE INDEX units_naive_serial ON units_naive (serial)`)
	return err
}

// settle moves the journal into the file and syncs it.
func (s *sqliteBench) settle(ctx context.Context) error {
	_, err := s.inside.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

// floorRows is the number of rows in one statement of the floor.
const floorRows = 100

// floor hands the driver a prepared statement and arguments in its own form: what
// database/sql does with each argument would slow it, and so would the goroutine
// that the driver starts at each execution to watch a context that can end.
func (s *sqliteBench) floor(ctx context.Context, product, first int64, codes []serial.Code) (took time.Duration, err error) {
	conn, err := s.inside.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	statements := make([][]driver.NamedValue, 0, len(codes)/floorRows+1)
	for len(codes) > 0 {
		n := min(floorRows, len(codes))
		args := make([]driver.NamedValue, 0, 3*n)
		for _, code := range codes[:n] {
			for _, value := range [...]int64{product, first, int64(code)} {
				args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: value})
			}
			first++
		}
		statements, codes = append(statements, args), codes[n:]
	}
	ctx = context.WithoutCancel(ctx)
	return took, conn.Raw(func(raw any) (err error) {
		c := raw.(interface { //nolint:forcetypeassert // the driver that we named
			driver.ConnBeginTx
			driver.ConnPrepareContext
		})
		started := time.Now()
		tx, err := c.BeginTx(ctx, driver.TxOptions{})
		if err != nil {
			return err
		}
		if err := insertFloor(ctx, c, statements); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		err = tx.Commit()
		took = time.Since(started)
		return err
	})
}

func insertFloor(ctx context.Context, c driver.ConnPrepareContext, statements [][]driver.NamedValue) error {
	for len(statements) > 0 {
		// All have the same number of rows, but for the last one. Parameters without
		// numbers are faster than fewer of them with numbers, which the driver looks
		// up by name at each execution (measured).
		params := len(statements[0])
		stmt, err := c.PrepareContext(ctx, `INSERT INTO units (product_number, ordinal, code) VALUES `+
			strings.Repeat(`(?, ?, ?), `, params/3-1)+`(?, ?, ?)`)
		if err != nil {
			return err
		}
		for len(statements) > 0 && len(statements[0]) == params && err == nil {
			_, err = stmt.(driver.StmtExecContext).ExecContext(ctx, statements[0]) //nolint:forcetypeassert // as above
			statements = statements[1:]
		}
		if err = errors.Join(err, stmt.Close()); err != nil {
			return err
		}
	}
	return nil
}

// naive draws its rows as it goes, as such a program would.
func (s *sqliteBench) naive(ctx context.Context, n int64) (time.Duration, error) {
	started, batch := time.Now(), uuid.NewString()
	for done := int64(0); done < n; done += mintage.MaxCycle {
		if err := s.naiveCycle(ctx, batch, min(mintage.MaxCycle, n-done)); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

func (s *sqliteBench) naiveCycle(ctx context.Context, batch string, n int64) error {
	tx, err := s.inside.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO units_naive VALUES (?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	at := now().Format(time.RFC3339Nano)
	for range n {
		r := newNaiveRow()
		if _, err := stmt.ExecContext(ctx, r.id.String(), batch, r.serial, r.url, naiveStatus, at); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// size is the file's: in the engine's phase hardly anything but units grows.
func (s *sqliteBench) size(ctx context.Context) (bytes int64, err error) {
	err = s.inside.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&bytes)
	return bytes, err
}

// wal: SQLite begins its journal anew after each checkpoint and keeps no total.
func (s *sqliteBench) wal(context.Context) (int64, error) { return -1, nil }

func (s *sqliteBench) progress(ctx context.Context) (minted, ended int64, err error) {
	err = s.inside.QueryRowContext(ctx, progressQuery).Scan(&minted, &ended)
	return minted, ended, err
}

func (s *sqliteBench) remove(context.Context) error {
	var errs []error
	if s.inside != nil {
		errs = append(errs, s.inside.Close())
	}
	if s.opened != nil {
		errs = append(errs, s.opened.Close())
	}
	errs = append(errs, os.RemoveAll(s.folder))
	if s.made != "" {
		_ = os.Remove(s.made) // somebody may have begun to use it
	}
	return errors.Join(errs...)
}

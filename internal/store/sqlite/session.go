package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mintage/internal/store"
)

// session is a transaction of SQLite, reading or writing. All statements go
// through it, so that none runs after the transaction broke: SQLite ends a
// transaction by itself after some errors, and the next statement would then be
// a transaction of its own.
type session struct {
	ctx   context.Context // of the whole transaction
	raw   *sql.Tx
	store *Store

	// broken is the error of the first statement that failed; nothing works after
	// it until a savepoint takes it back, as on PostgreSQL. lost says that none can.
	broken error
	lost   bool
}

// reader implements [store.Reader].
type reader struct{ *session }

// tx implements [store.Tx].
type tx struct {
	reader
	submitted bool // a job was created
}

// Now implements [store.Reader], to the microsecond that a stored time has.
func (s *session) Now(context.Context) (time.Time, error) {
	return s.store.now().UTC().Truncate(time.Microsecond), nil
}

// ready returns the error with which every statement fails after one did.
func (s *session) ready() error {
	switch {
	case s.broken == nil:
		return nil
	case s.lost:
		return s.broken
	default:
		return internal("A statement follows one that has failed.", s.broken)
	}
}

// fail gives a statement's error its code and breaks the transaction.
func (s *session) fail(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrTxDone) && s.ctx.Err() != nil {
		err = s.ctx.Err() // database/sql has rolled back for it
	}
	err = s.store.fail(err)
	if s.broken == nil {
		s.broken, s.lost = err, endsTransaction(err)
	}
	return err
}

// exec runs a statement and returns the number of rows that it changed.
func (s *session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := s.run(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return n, s.fail(err)
}

// insert runs an INSERT and returns the number that the row was given.
func (s *session) insert(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := s.run(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.LastInsertId()
	return n, s.fail(err)
}

func (s *session) run(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	result, err := s.raw.ExecContext(ctx, query, args...)
	return result, s.fail(err)
}

// scanner reads the columns of a row.
type scanner func(dest ...any) error

// each runs a query and calls fn for each row; fn's error ends it.
func (s *session) each(ctx context.Context, fn func(scan scanner) error, query string, args ...any) error {
	if err := s.ready(); err != nil {
		return err
	}
	rows, err := s.raw.QueryContext(ctx, query, args...)
	if err != nil {
		return s.fail(err)
	}
	defer func() { _ = rows.Close() }() // closed and checked below unless fn failed
	for rows.Next() {
		if err := fn(func(dest ...any) error { return s.fail(rows.Scan(dest...)) }); err != nil {
			return err
		}
	}
	return s.fail(rows.Err())
}

// one reads the one row of a query; NOT_FOUND where there is none.
func one[T any](ctx context.Context, s *session, read func(scanner) (T, error), query string, args ...any) (T, error) {
	var value T
	found := false
	err := s.each(ctx, func(scan scanner) (err error) {
		found = true
		value, err = read(scan)
		return err
	}, query, args...)
	if err == nil && !found {
		err = notFound()
	}
	return value, err
}

// list reads the rows of a query.
func list[T any](ctx context.Context, s *session, read func(scanner) (T, error), query string, args ...any) ([]T, error) {
	var values []T
	err := s.each(ctx, func(scan scanner) error {
		value, err := read(scan)
		values = append(values, value)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return values, nil
}

// integer reads a row of one number.
func integer(scan scanner) (n int64, err error) {
	err = scan(&n)
	return n, err
}

// where collects the conditions of a query; they are joined by AND.
type where struct {
	conditions []string
	args       []any
}

func (w *where) and(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

// page ends a query over a list, newest first: number is the column that the
// list is ordered by.
func (w *where) page(number string, page store.Page) (clause string, args []any) {
	if page.After > 0 {
		w.and(number+" < ?", page.After)
	}
	clause = " WHERE " + strings.Join(w.conditions, " AND ") + " ORDER BY " + number + " DESC LIMIT ?"
	return clause, append(w.args, max(page.Limit, 1)) // a negative limit would be none
}

// placeholders is "?, ?, ?" for n values.
func placeholders(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}

// rowsPerStatement bounds the rows of one statement that writes many, and with them
// its parameters.
const rowsPerStatement = 256

// rowsOfValues is "(?, ?), (?, ?)" for 2 rows of 2 columns.
func rowsOfValues(rows, columns int) string {
	row := "(" + placeholders(columns) + "), "
	return strings.TrimSuffix(strings.Repeat(row, rows), ", ")
}

// valuesOf is what rowsOfValues stands for.
func valuesOf[T any](rows []T, columns func(T) []any) []any {
	var all []any
	for _, row := range rows {
		all = append(all, columns(row)...)
	}
	return all
}

// inserts adds rows in their order. The statement ends before the rows.
func inserts[T any](ctx context.Context, s *session, statement string, rows []T, columns func(T) []any) error {
	for rows := range slices.Chunk(rows, rowsPerStatement) {
		args := valuesOf(rows, columns)
		if _, err := s.exec(ctx, statement+rowsOfValues(len(rows), len(args)/len(rows)), args...); err != nil {
			return err
		}
	}
	return nil
}

// timeFormat is how times are stored: as text that sorts as it reads.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// text is a time as it is stored: NULL for the zero time.
func text(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(timeFormat)
}

// timeInto scans a stored time: the zero time for NULL.
type timeInto struct{ t *time.Time }

// Scan implements [sql.Scanner].
func (into timeInto) Scan(value any) (err error) {
	switch v := value.(type) {
	case nil:
		*into.t = time.Time{}
	case string:
		*into.t, err = time.Parse(timeFormat, v)
	default:
		err = fmt.Errorf("a stored time is a %T", value)
	}
	return err
}

// orNull is NULL for the zero value.
func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// found turns "no row was changed" into an error.
func found(changed int64, err error) error {
	if err == nil && changed == 0 {
		return notFound()
	}
	return err
}

// Savepoint implements [store.Tx].
func (s *session) Savepoint(ctx context.Context, fn func() error) error {
	if _, err := s.run(ctx, "SAVEPOINT mintage"); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // fn failed, or it panics
			s.rollbackSavepoint(context.WithoutCancel(ctx)) // whose end may be why fn failed
		}
	}()
	err := fn()
	if err == nil {
		if s.broken == nil {
			done = true
			_, err = s.run(ctx, "RELEASE mintage")
			return err
		}
		err = s.broken // fn kept it to itself
	}
	if s.lost && !errors.Is(err, s.broken) {
		err = s.broken
	}
	return err
}

// rollbackSavepoint takes back what was done since the latest savepoint, the
// failure of a statement included.
func (s *session) rollbackSavepoint(ctx context.Context) {
	if s.lost {
		return
	}
	s.broken = nil
	for _, statement := range []string{"ROLLBACK TO mintage", "RELEASE mintage"} {
		if _, err := s.run(ctx, statement); err != nil {
			s.lost = true
			return
		}
	}
}

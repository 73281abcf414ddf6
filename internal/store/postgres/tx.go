package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"mintage"
	"mintage/internal/store"
)

// tx is a transaction, read-write or read-only.
type tx struct {
	pg  pgx.Tx
	now func() time.Time // nil for the database's clock
	// lost is why the transaction cannot go on, though a savepoint may have
	// caught the error.
	lost error
}

var _ store.Tx = (*tx)(nil)

// Now returns the database's clock.
func (t *tx) Now(ctx context.Context) (time.Time, error) {
	if t.now != nil {
		return t.now().UTC(), nil
	}
	var now time.Time
	err := t.get(ctx, []any{utc(&now)}, `SELECT clock_timestamp()`)
	return now, err
}

// clock is the clock that a test has set, as a parameter: NULL for the
// database's own.
func (t *tx) clock() *time.Time {
	if t.now == nil {
		return nil
	}
	now := t.now()
	return &now
}

// Savepoint runs fn so that its failure can be undone alone; see [store.Tx].
func (t *tx) Savepoint(ctx context.Context, fn func() error) error {
	// One name is enough: a nested savepoint hides the outer one until released.
	if _, err := t.exec(ctx, `SAVEPOINT s`); err != nil {
		return err
	}
	if err := fn(); err != nil {
		if t.lost == nil {
			if _, undo := t.exec(ctx, `ROLLBACK TO SAVEPOINT s; RELEASE SAVEPOINT s`); undo != nil {
				t.lost = undo
			}
		}
		return err
	}
	_, err := t.exec(ctx, `RELEASE SAVEPOINT s`)
	return err
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if t.lost != nil {
		return 0, t.lost
	}
	tag, err := t.pg.Exec(ctx, sql, args...)
	return tag.RowsAffected(), t.fail(ctx, err)
}

// change runs a statement that must change one row.
func (t *tx) change(ctx context.Context, sql string, args ...any) error {
	n, err := t.exec(ctx, sql, args...)
	if err == nil && n == 0 {
		return notFound()
	}
	return err
}

// get reads the columns of the one row that a query returns.
func (t *tx) get(ctx context.Context, columns []any, sql string, args ...any) error {
	if t.lost != nil {
		return t.lost
	}
	return t.fail(ctx, t.pg.QueryRow(ctx, sql, args...).Scan(columns...))
}

// one reads the one row that a query returns.
func one[T any](ctx context.Context, t *tx, scan func(pgx.Row) (*T, error), sql string, args ...any) (*T, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	v, err := scan(t.pg.QueryRow(ctx, sql, args...))
	if err != nil {
		return nil, t.fail(ctx, err)
	}
	return v, nil
}

// many reads all rows that a query returns.
func many[T any](ctx context.Context, t *tx, scan func(pgx.Row) (*T, error), sql string, args ...any) ([]*T, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	rows, err := t.pg.Query(ctx, sql, args...)
	if err != nil {
		return nil, t.fail(ctx, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*T, error) { return scan(row) })
	if err != nil {
		return nil, t.fail(ctx, err)
	}
	return all, nil
}

// fail translates an error, and remembers one after which the transaction cannot
// go on.
func (t *tx) fail(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	closed := t.pg.Conn().IsClosed()
	failed := failure(ctx, err)
	switch code := mintage.ErrorCode(failed); {
	case closed && ctx.Err() == nil && code != mintage.CodeUnavailable:
		// Whatever the error was, without a connection it is not the caller's.
		failed = unavailable(err)
		t.lost = failed
	case closed, code == mintage.CodeUnavailable, code == mintage.CodeRetry:
		t.lost = failed
	}
	return failed
}

// conditions are the clauses of a filter, with their arguments. A clause has %d
// where its argument's number belongs.
type conditions struct {
	sql  string
	args []any
}

func (c *conditions) and(clause string, arg any) {
	c.args = append(c.args, arg)
	c.sql += fmt.Sprintf(" AND "+clause, len(c.args))
}

// page adds the end of a query that lists from the highest number down. The
// column is the one with the number.
func (c *conditions) page(column string, p store.Page) {
	after := p.After
	if after == 0 {
		after = math.MaxInt64
	}
	c.and(column+" < $%d", after)
	c.args = append(c.args, int64(p.Limit))
	c.sql += fmt.Sprintf(" ORDER BY %s DESC LIMIT $%d", column, len(c.args))
}

// isID tells whether an ID can be in the database at all. It is as strict as a
// comparison of text, so that both engines find the same.
func isID(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.String() == id
}

// utcTime scans a time, in UTC; NULL is the zero time.
type utcTime time.Time

func utc(t *time.Time) *utcTime { return (*utcTime)(t) }

// ScanTimestamptz implements [pgtype.TimestamptzScanner].
func (u *utcTime) ScanTimestamptz(v pgtype.Timestamptz) error {
	*u = utcTime{}
	if v.Valid {
		*u = utcTime(v.Time.UTC())
	}
	return nil
}

// nullTime is the zero time as NULL.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

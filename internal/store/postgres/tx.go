package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"mintage"
	"mintage/internal/store"
)

// tx is a transaction, read-write or read-only.
type tx struct {
	conn *pgxpool.Conn
	now  func() time.Time // nil for the database's clock
	// ahead are statements that travel in front of the next one, in the same round
	// trip: BEGIN and its settings, SAVEPOINT, RELEASE, a lock. What is left of them at
	// the end is not needed.
	ahead []statement
	sent  int // statements, without those sent ahead
	// watch, in tests, sees each statement before it runs.
	watch func(ctx context.Context, sql string, args []any)
	depth int // of savepoints
	// lost is why the transaction cannot go on, though a savepoint may have
	// caught the error.
	lost error
}

// statement is one that returns nothing of interest.
type statement struct {
	sql  string
	args []any
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
	if t.failed() {
		_, err := t.exec(ctx, `SAVEPOINT none`) // the server says why not
		return err
	}
	t.depth++
	defer func() { t.depth-- }()
	name := fmt.Sprintf("s%d", t.depth)
	before, place := t.sent, len(t.ahead)
	t.goAhead(`SAVEPOINT ` + name)
	err := fn()
	switch {
	case t.sent == before: // nothing happened
		t.ahead = t.ahead[:place]
	case err == nil && t.failed(): // fn kept it to itself
		_, err = t.exec(ctx, `RELEASE SAVEPOINT `+name)
	case err == nil:
		t.goAhead(`RELEASE SAVEPOINT ` + name)
	case t.lost == nil:
		t.ahead = nil // ends of savepoints that end with this one
		if _, undo := t.exec(ctx, fmt.Sprintf(`ROLLBACK TO SAVEPOINT %[1]s; RELEASE SAVEPOINT %[1]s`, name)); undo != nil {
			t.lost = undo
		}
	}
	return err
}

// failed tells whether the server refuses everything up to a rollback.
func (t *tx) failed() bool { return t.conn.Conn().PgConn().TxStatus() == 'E' }

// commit ends the transaction, if anything was done in it.
func (t *tx) commit(ctx context.Context) error {
	if t.sent == 0 {
		return nil
	}
	tag, err := t.conn.Exec(ctx, `COMMIT`)
	if err == nil && tag.String() == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// release gives the connection back, after a rollback where nothing was committed.
// A connection that is not fit for another transaction is closed.
func (t *tx) release(ctx context.Context) {
	if pg := t.conn.Conn().PgConn(); !pg.IsClosed() && pg.TxStatus() != 'I' {
		_, _ = t.conn.Exec(ctx, `ROLLBACK`) // what failed is known already
	}
	t.conn.Release()
}

// goAhead has a statement sent in front of the next one.
func (t *tx) goAhead(sql string, args ...any) { t.ahead = append(t.ahead, statement{sql, args}) }

// pipeline sends a statement behind those that go ahead of it. What it returns
// without an error has the statement's result next, and is to be closed.
func (t *tx) pipeline(ctx context.Context, sql string, args []any) (pgx.BatchResults, error) {
	batch := &pgx.Batch{}
	for _, s := range t.ahead {
		batch.Queue(s.sql, s.args...)
	}
	batch.Queue(sql, args...)
	results := t.conn.SendBatch(ctx, batch)
	for range t.ahead {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // it has the same error
			return nil, err
		}
	}
	t.ahead = nil
	return results, nil
}

// begins counts a statement.
func (t *tx) begins(ctx context.Context, sql string, args []any) {
	t.sent++
	if t.watch != nil {
		t.watch(ctx, sql, args)
	}
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if t.lost != nil {
		return 0, t.lost
	}
	t.begins(ctx, sql, args)
	if len(t.ahead) == 0 {
		tag, err := t.conn.Exec(ctx, sql, args...)
		return tag.RowsAffected(), t.fail(ctx, err)
	}
	results, err := t.pipeline(ctx, sql, args)
	if err != nil {
		return 0, t.fail(ctx, err)
	}
	tag, err := results.Exec()
	if end := results.Close(); err == nil {
		err = end
	}
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
	return t.row(ctx, func(row pgx.Row) error { return row.Scan(columns...) }, sql, args...)
}

// row scans the one row that a query returns.
func (t *tx) row(ctx context.Context, scan func(pgx.Row) error, sql string, args ...any) error {
	if t.lost != nil {
		return t.lost
	}
	t.begins(ctx, sql, args)
	if len(t.ahead) == 0 {
		return t.fail(ctx, scan(t.conn.QueryRow(ctx, sql, args...)))
	}
	results, err := t.pipeline(ctx, sql, args)
	if err != nil {
		return t.fail(ctx, err)
	}
	err = scan(results.QueryRow())
	if end := results.Close(); err == nil {
		err = end
	}
	return t.fail(ctx, err)
}

// one reads the one row that a query returns.
func one[T any](ctx context.Context, t *tx, scan func(pgx.Row) (*T, error), sql string, args ...any) (v *T, err error) {
	err = t.row(ctx, func(row pgx.Row) (err error) {
		v, err = scan(row)
		return err
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// query runs a statement that returns rows.
func (t *tx) query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	t.begins(ctx, sql, args)
	if len(t.ahead) == 0 {
		return t.conn.Query(ctx, sql, args...)
	}
	results, err := t.pipeline(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	return &lastRows{rows, results}, err
}

// lastRows are the rows of a pipeline's last statement, and end it.
type lastRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r *lastRows) Close() {
	r.Rows.Close()
	_ = r.results.Close() // the rows have its error
}

// many reads all rows that a query returns.
func many[T any](ctx context.Context, t *tx, scan func(pgx.Row) (T, error), sql string, args ...any) ([]T, error) {
	rows, err := t.query(ctx, sql, args...)
	if err != nil {
		return nil, t.fail(ctx, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
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
	closed := t.conn.Conn().IsClosed()
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

// values are what the rows of one column hold.
func values[T any](rows []*T) []T {
	list := make([]T, len(rows))
	for i, row := range rows {
		list[i] = *row
	}
	return list
}

// nullTime is the zero time as NULL.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

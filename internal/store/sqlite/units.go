package sqlite

import (
	"context"
	"strings"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

func (r reader) MintedProducts(ctx context.Context, brand int64, page store.Page) ([]store.ProductRow, error) {
	var w where
	w.and("brand_number = ?", brand)
	w.and("next_ordinal > 0")
	clause, args := w.page("number", page)
	return list(ctx, r.session, func(scan scanner) (p store.ProductRow, err error) {
		err = scan(&p.Number, &p.BrandNumber, &p.ID, &p.Code, &p.NextOrdinal)
		return p, err
	}, `SELECT number, brand_number, id, code, next_ordinal FROM products`+clause, args...)
}

func (r reader) UnitCode(ctx context.Context, product, ordinal int64) (serial.Code, error) {
	code, err := one(ctx, r.session, integer, `SELECT code FROM units WHERE product_number = ? AND ordinal = ?`, product, ordinal)
	return serial.Code(code), err
}

func (r reader) EachUnit(ctx context.Context, product, from, to int64, fn func(ordinal int64, code serial.Code) error) error {
	var ordinal, code int64
	dest := []any{&ordinal, &code} // once, not once a row
	return r.each(ctx, func(scan scanner) error {
		if err := scan(dest...); err != nil {
			return err
		}
		return fn(ordinal, serial.Code(code))
	}, `SELECT ordinal, code FROM units WHERE product_number = ? AND ordinal >= ? AND ordinal < ? ORDER BY ordinal`, product, from, to)
}

// cyclesQuery reads the events, by an index that knows where a cycle begins. None
// is longer than MaxCycle (?4), so those that begin further back cannot overlap.
const cyclesQuery = `
	SELECT first_ordinal, quantity, at FROM events
	WHERE kind = 'mint_batch.cycle' AND product_number = ?1
		AND first_ordinal > ?2 - ?4 AND first_ordinal < ?3 AND first_ordinal + quantity > ?2
	ORDER BY first_ordinal`

func (r reader) Cycles(ctx context.Context, product, from, to int64) ([]store.Cycle, error) {
	return list(ctx, r.session, func(scan scanner) (c store.Cycle, err error) {
		err = scan(&c.First, &c.Quantity, timeInto{&c.At})
		return c, err
	}, cyclesQuery, product, from, to, mintage.MaxCycle)
}

// rowsPerInsert is the number of units that one statement inserts (measured:
// see BenchmarkInsertUnits).
const rowsPerInsert = 100

func (t *tx) InsertUnits(ctx context.Context, batch int64, expected int64, s store.Slice) error {
	counted, err := t.exec(ctx, `
		UPDATE mint_batches SET minted_quantity = minted_quantity + ?1
		WHERE number = ?2 AND minted_quantity = ?3 AND minted_quantity + ?1 <= requested_quantity`,
		len(s.Codes), batch, expected)
	if err != nil {
		return err
	}
	if counted == 0 {
		return conflict("The batch has not the expected number of units, or would get more than were requested.", nil)
	}
	if s.Writing != nil {
		s.Writing()
	}
	full := len(s.Codes) - len(s.Codes)%rowsPerInsert
	if err := t.insertUnits(ctx, s.Product, s.First, s.Codes[:full], rowsPerInsert); err != nil {
		return err
	}
	return t.insertUnits(ctx, s.Product, s.First+int64(full), s.Codes[full:], len(s.Codes)-full)
}

// insertUnits inserts units, so many with one statement; they divide evenly.
func (t *tx) insertUnits(ctx context.Context, product, first int64, codes []serial.Code, rows int) error {
	if len(codes) == 0 {
		return nil
	}
	if err := t.ready(); err != nil {
		return err
	}
	// The driver watches a context that can end with a goroutine a statement, which
	// costs more than a statement of 100 rows lasts. So the context is asked here.
	quiet := context.WithoutCancel(ctx)
	statement, err := t.raw.PrepareContext(quiet, insertSQL(rows))
	if err != nil {
		return t.fail(err)
	}
	defer func() { _ = statement.Close() }() // the transaction has its outcome
	args := make([]any, 3*rows)
	for i := range rows {
		args[3*i] = product
	}
	for ; len(codes) > 0; codes = codes[rows:] {
		if err := ctx.Err(); err != nil {
			return t.fail(err)
		}
		for i, code := range codes[:rows] {
			args[3*i+1] = first + int64(i)
			args[3*i+2] = int64(code)
		}
		if _, err := statement.ExecContext(quiet, args...); err != nil {
			return t.fail(err)
		}
		first += int64(rows)
	}
	return nil
}

// insertSQL inserts rows of product, ordinal and code. The parameters have no
// numbers: the driver looks each of those up by its name.
func insertSQL(rows int) string {
	return "INSERT INTO units (product_number, ordinal, code) VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", rows-1)
}

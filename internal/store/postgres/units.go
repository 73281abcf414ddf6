package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// chunk is how many units are read with one statement.
const chunk = 10_000

func (t *tx) MintedProducts(ctx context.Context, brand int64, page store.Page) ([]store.ProductRow, error) {
	c := conditions{args: []any{brand}}
	c.page("number", page)
	return many(ctx, t, func(row pgx.Row) (p store.ProductRow, err error) {
		err = row.Scan(&p.Number, &p.BrandNumber, &p.ID, &p.Code, &p.NextOrdinal)
		return p, err
	}, `SELECT number, brand_number, id, code, next_ordinal FROM products WHERE brand_number = $1 AND next_ordinal > 0`+c.sql, c.args...)
}

// UnitCode reads the view, whatever the role: it costs one more lookup in an index
// and keeps other brands' units from those whom policies apply to.
func (t *tx) UnitCode(ctx context.Context, product, ordinal int64) (serial.Code, error) {
	var code int64
	err := t.get(ctx, []any{&code}, `SELECT code FROM brand_units WHERE product_number = $1 AND ordinal = $2::bigint`, product, ordinal)
	return serial.Code(code), err
}

type unit struct{ ordinal, code int64 }

func scanUnit(row pgx.Row) (*unit, error) {
	u := new(unit)
	return u, row.Scan(&u.ordinal, &u.code)
}

// EachUnit reads in chunks and not from one long result: fn may be as slow as it
// likes without a statement running into its timeout, and may use the
// transaction itself. A statement asks for no more ordinals than a chunk has rows:
// through the view, the server may sort what it finds before it cuts it off. Where
// it finds nothing, the next one looks twice as far.
func (t *tx) EachUnit(ctx context.Context, product, from, to int64, fn func(ordinal int64, code serial.Code) error) error {
	for reach := int64(chunk); from < to; {
		upTo := to
		if reach < to-from {
			upTo = from + reach
		}
		units, err := many(ctx, t, scanUnit, `
			SELECT ordinal, code FROM brand_units
			WHERE product_number = $1 AND ordinal >= $2::bigint AND ordinal < $3::bigint
			ORDER BY ordinal LIMIT $4`, product, from, upTo, int64(chunk))
		if err != nil {
			return err
		}
		for _, u := range units {
			if err := fn(u.ordinal, serial.Code(u.code)); err != nil {
				return err
			}
			from = u.ordinal + 1
		}
		switch len(units) {
		case chunk:
			reach = chunk
		case 0:
			from, reach = upTo, 2*reach
		default:
			from, reach = upTo, chunk
		}
	}
	return nil
}

func (t *tx) Cycles(ctx context.Context, product, from, to int64) ([]store.Cycle, error) {
	// Cycles do not overlap, so that the first one to look at is the last that
	// begins no later than the range.
	cycles, err := many(ctx, t, func(row pgx.Row) (*store.Cycle, error) {
		c := new(store.Cycle)
		return c, row.Scan(&c.First, &c.Quantity, utc(&c.At))
	}, `
		SELECT first_ordinal, quantity, at
		FROM events
		WHERE kind = 'mint_batch.cycle' AND product_number = $1
			AND first_ordinal >= coalesce((
				SELECT max(first_ordinal) FROM events
				WHERE kind = 'mint_batch.cycle' AND product_number = $1 AND first_ordinal <= $2
			), $2)
			AND first_ordinal < $3 AND first_ordinal + quantity > $2
		ORDER BY first_ordinal`, product, from, to)
	if err != nil {
		return nil, err
	}
	values := make([]store.Cycle, len(cycles))
	for i, c := range cycles {
		values[i] = *c
	}
	return values, nil
}

// InsertUnits creates the units of a slice with COPY. The batch's count comes
// first: where it is not as expected, nothing has been written yet.
func (t *tx) InsertUnits(ctx context.Context, batch, expected int64, s store.Slice) error {
	if s.Product != int64(int32(s.Product)) || s.First < 0 || s.First+int64(len(s.Codes)) > mintage.MaxProductUnits {
		return conflict("The table of units cannot hold such a number of a product or a unit.")
	}
	buffer := buffers.Get().(*[]byte) //nolint:forcetypeassert // our own pool
	defer buffers.Put(buffer)
	// Encoded while the server counts.
	var encoding sync.WaitGroup
	encoding.Go(func() { *buffer = appendUnits((*buffer)[:0], s) })
	n, err := t.exec(ctx, `
		UPDATE mint_batches SET minted_quantity = minted_quantity + $3
		WHERE number = $1 AND minted_quantity = $2 AND minted_quantity + $3 <= requested_quantity`,
		batch, expected, int64(len(s.Codes)))
	encoding.Wait()
	if err != nil {
		return err
	}
	if n == 0 {
		return conflict("The batch has not the expected number of units, or would have too many.")
	}
	if s.Writing != nil {
		s.Writing()
	}
	_, err = t.conn.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(*buffer),
		`COPY units (product_number, ordinal, code) FROM STDIN BINARY`)
	return t.fail(ctx, err)
}

// buffers holds encoded slices, some 600 kB each, from one cycle to the next.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// copyHeader begins the binary format of COPY: signature, flags, no extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// appendUnits encodes a slice in the binary format of COPY: each row is the
// number of its fields, and each field its length and its bytes.
func appendUnits(b []byte, s store.Slice) []byte {
	b = append(b, copyHeader...)
	for i, code := range s.Codes {
		b = binary.BigEndian.AppendUint16(b, 3)
		b = appendInteger(b, s.Product)
		b = appendInteger(b, s.First+int64(i))
		b = binary.BigEndian.AppendUint32(b, 8)
		b = binary.BigEndian.AppendUint64(b, uint64(code))
	}
	return binary.BigEndian.AppendUint16(b, 0xffff) // the end
}

// appendInteger appends a field of four bytes.
func appendInteger(b []byte, n int64) []byte {
	b = binary.BigEndian.AppendUint32(b, 4)
	return binary.BigEndian.AppendUint32(b, uint32(n)) // InsertUnits has looked whether it fits
}

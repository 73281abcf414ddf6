package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// rowsOf yields the rows of a query on a table. Unlike other statements, it goes
// on after a row that cannot be read, and a damaged table does not break the
// transaction: nothing was being written, and other tables may be whole.
func rowsOf[T any](ctx context.Context, s *session, table string, scan func(scanner, *T) error, query string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := s.ready(); err != nil {
			yield(none, err)
			return
		}
		rows, err := s.raw.QueryContext(ctx, query)
		if err != nil {
			yield(none, s.auditError(err))
			return
		}
		defer func() { _ = rows.Close() }() // it only read
		var row T                           // once, not once a row
		read := scanner(rows.Scan)
		for rows.Next() {
			row = none
			err := scan(read, &row)
			if err != nil {
				err = &store.RowError{Table: table, Err: err}
			}
			if !yield(row, err) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, s.auditError(err))
		}
	}
}

// auditError is fail for a statement that only an auditor runs: it is there to
// find damage, so that this is no fault of the place here.
func (s *session) auditError(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_CORRUPT {
		return internal("The database file is damaged; restore it from a backup.", err)
	}
	if coded := s.store.fail(err); !endsTransaction(coded) {
		return coded
	}
	return s.fail(err)
}

// lenient scans a row whose times may be none: those stay zero, and the columns
// after them are read all the same.
func lenient(scan scanner, dest ...any) (err error) {
	for i, d := range dest {
		if t, ok := d.(*time.Time); ok {
			dest[i] = lenientTime{t, &err}
		}
	}
	scanned := scan(dest...)
	return errors.Join(scanned, err)
}

type lenientTime struct {
	t   *time.Time
	err *error // why it is none
}

// Scan implements [sql.Scanner].
func (into lenientTime) Scan(value any) error {
	if err := (timeInto{into.t}).Scan(value); err != nil {
		*into.err = err
	}
	return nil
}

func (r reader) AllProducts(ctx context.Context) iter.Seq2[store.ProductRow, error] {
	return rowsOf(ctx, r.session, "products", func(scan scanner, p *store.ProductRow) error {
		return scan(&p.Number, &p.BrandNumber, &p.ID, &p.Code, &p.NextOrdinal)
	}, `SELECT number, brand_number, id, code, next_ordinal FROM products ORDER BY number`)
}

func (r reader) AllBases(ctx context.Context) iter.Seq2[store.BaseRow, error] {
	return rowsOf(ctx, r.session, "resolver_bases", func(scan scanner, b *store.BaseRow) error {
		return scan(&b.Base, &b.BrandNumber)
	}, `SELECT base, brand_number FROM resolver_bases ORDER BY base`)
}

func (r reader) AllGTINs(ctx context.Context) iter.Seq2[store.GTINRow, error] {
	return rowsOf(ctx, r.session, "gtin_claims", func(scan scanner, g *store.GTINRow) error {
		return scan(&g.BrandNumber, &g.GTIN, &g.ProductNumber)
	}, `SELECT brand_number, gtin, product_number FROM gtin_claims ORDER BY brand_number, gtin`)
}

func (r reader) AllKeys(ctx context.Context) iter.Seq2[store.KeyRow, error] {
	return rowsOf(ctx, r.session, "idempotency_keys", func(scan scanner, k *store.KeyRow) error {
		return scan(&k.BrandNumber, &k.Key, &k.JobID, &k.JobNumber)
	}, `
		SELECT k.brand_number, k.key, k.job_id, coalesce(j.number, 0)
		FROM idempotency_keys k
		LEFT JOIN mint_jobs j ON j.id = k.job_id AND j.brand_number = k.brand_number
		ORDER BY k.brand_number, k.key`)
}

func (r reader) AllProductionBatches(ctx context.Context) iter.Seq2[mintage.ProductionBatch, error] {
	return rowsOf(ctx, r.session, "production_batches", func(scan scanner, p *mintage.ProductionBatch) error {
		return lenient(scan, &p.Number, &p.ID, &p.BrandNumber, &p.Code, &p.ProductNumber, &p.Quantity, &p.Status,
			&p.CreatedAt, &p.UpdatedAt)
	}, `
		SELECT number, id, brand_number, code, product_number, quantity, status, created_at, updated_at
		FROM production_batches ORDER BY number`)
}

func (r reader) AllJobs(ctx context.Context) iter.Seq2[mintage.Job, error] {
	return rowsOf(ctx, r.session, "mint_jobs", func(scan scanner, j *mintage.Job) error {
		return lenient(scan, &j.Number, &j.ID, &j.BrandNumber, &j.Status, &j.ConsecutiveErrors, &j.LastError, &j.CycleLimit,
			&j.SubmittedBy, &j.CreatedAt, &j.StartedAt, &j.FinishedAt)
	}, `
		SELECT number, id, brand_number, status, consecutive_errors, last_error, cycle_limit,
			submitted_by, created_at, started_at, finished_at
		FROM mint_jobs ORDER BY number`)
}

func (r reader) AllBatches(ctx context.Context) iter.Seq2[mintage.Batch, error] {
	return rowsOf(ctx, r.session, "mint_batches", func(scan scanner, b *mintage.Batch) error {
		return lenient(scan, &b.Number, &b.ID, &b.BrandNumber, &b.ProductNumber, &b.ProductionBatchNumber,
			&b.IdentityMode, &b.ActivationMode, &b.RequestedQuantity, &b.MintedQuantity, &b.FirstOrdinal,
			&b.ResolverBase, &b.GTIN, &b.ProductCode, &b.CreatedAt)
	}, `
		SELECT number, id, brand_number, product_number, coalesce(production_batch_number, 0),
			identity_mode, activation_mode, requested_quantity, minted_quantity, first_ordinal,
			resolver_base, coalesce(gtin, ''), product_code, created_at
		FROM mint_batches ORDER BY number`)
}

func (r reader) AllLots(ctx context.Context) iter.Seq2[store.LotRow, error] {
	return rowsOf(ctx, r.session, "lots", func(scan scanner, l *store.LotRow) error {
		return scan(&l.BatchNumber, &l.ProductNumber, &l.Code, &l.FirstOrdinal, &l.Quantity, &l.URLPrefix, &l.URLSuffix)
	}, `
		SELECT batch_number, product_number, coalesce(code, ''), first_ordinal, quantity, url_prefix, url_suffix
		FROM lots ORDER BY batch_number, first_ordinal`)
}

func (r reader) AllBatchEvents(ctx context.Context) iter.Seq2[mintage.Event, error] {
	return rowsOf(ctx, r.session, "events", func(scan scanner, e *mintage.Event) error {
		return lenient(scan, &e.Number, &e.BrandNumber, &e.At, &e.Kind, &e.Actor, &e.SubjectID,
			&e.BatchNumber, &e.ProductNumber, &e.FirstOrdinal, &e.Quantity, &e.From, &e.To, &e.Message)
	}, `
		SELECT number, brand_number, at, kind, actor, subject_id,
			batch_number, coalesce(product_number, 0), coalesce(first_ordinal, 0), coalesce(quantity, 0),
			from_state, to_state, message
		FROM events WHERE batch_number IS NOT NULL ORDER BY batch_number, number`)
}

// AllUnits scans into the same variables again and again: there are many.
func (r reader) AllUnits(ctx context.Context) iter.Seq2[store.UnitRow, error] {
	var product, ordinal, code int64
	dest := []any{&product, &ordinal, &code}
	return rowsOf(ctx, r.session, "units", func(scan scanner, u *store.UnitRow) error {
		if err := scan(dest...); err != nil {
			return fmt.Errorf("after ordinal %d of product %d: %w", ordinal, product, err)
		}
		*u = store.UnitRow{ProductNumber: product, Ordinal: ordinal, Code: serial.Code(code)}
		return nil
	}, `SELECT product_number, ordinal, code FROM units ORDER BY product_number, ordinal`)
}

package postgres

import (
	"context"
	"iter"
	"math"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// rowsOf yields the rows of a query, through a cursor named after the table: so
// no statement takes long, other statements may run between two rows, and no
// row is lost or repeated, whatever became of the table's keys.
func rowsOf[T any](ctx context.Context, t *tx, table string, scan func(pgx.Row) (*T, error), query string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if _, err := t.exec(ctx, `DECLARE audit_`+table+` NO SCROLL CURSOR FOR `+query); err != nil {
			yield(none, err)
			return
		}
		defer func() { _, _ = t.exec(ctx, `CLOSE audit_`+table) }() // else the transaction's end closes it
		for {
			rows, err := many(ctx, t, scan, `FETCH FORWARD 1000 FROM audit_`+table)
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(*row, nil) {
					return
				}
			}
			if len(rows) == 0 {
				return
			}
		}
	}
}

func (t *tx) AllProducts(ctx context.Context) iter.Seq2[store.ProductRow, error] {
	return rowsOf(ctx, t, "products", func(row pgx.Row) (*store.ProductRow, error) {
		p := new(store.ProductRow)
		return p, row.Scan(&p.Number, &p.BrandNumber, &p.ID, &p.Code, &p.NextOrdinal)
	}, `SELECT number, brand_number, id, code, next_ordinal FROM products ORDER BY number`)
}

func (t *tx) AllBases(ctx context.Context) iter.Seq2[store.BaseRow, error] {
	return rowsOf(ctx, t, "resolver_bases", func(row pgx.Row) (*store.BaseRow, error) {
		b := new(store.BaseRow)
		return b, row.Scan(&b.Base, &b.BrandNumber)
	}, `SELECT base, brand_number FROM resolver_bases ORDER BY base COLLATE "C"`)
}

func (t *tx) AllGTINs(ctx context.Context) iter.Seq2[store.GTINRow, error] {
	return rowsOf(ctx, t, "gtin_claims", func(row pgx.Row) (*store.GTINRow, error) {
		g := new(store.GTINRow)
		return g, row.Scan(&g.BrandNumber, &g.GTIN, &g.ProductNumber)
	}, `SELECT brand_number, gtin, product_number FROM gtin_claims ORDER BY brand_number, gtin COLLATE "C"`)
}

func (t *tx) AllKeys(ctx context.Context) iter.Seq2[store.KeyRow, error] {
	return rowsOf(ctx, t, "idempotency_keys", func(row pgx.Row) (*store.KeyRow, error) {
		k := new(store.KeyRow)
		return k, row.Scan(&k.BrandNumber, &k.Key, &k.JobID, &k.JobNumber)
	}, `
		SELECT k.brand_number, k.key, k.job_id, coalesce(j.number, 0)
		FROM idempotency_keys k
		LEFT JOIN mint_jobs j ON j.id = k.job_id AND j.brand_number = k.brand_number
		ORDER BY k.brand_number, k.key COLLATE "C"`)
}

func (t *tx) AllProductionBatches(ctx context.Context) iter.Seq2[mintage.ProductionBatch, error] {
	return rowsOf(ctx, t, "production_batches", func(row pgx.Row) (*mintage.ProductionBatch, error) {
		p := new(mintage.ProductionBatch)
		return p, row.Scan(&p.Number, &p.ID, &p.BrandNumber, &p.Code, &p.ProductNumber, &p.Quantity, &p.Status,
			utc(&p.CreatedAt), utc(&p.UpdatedAt))
	}, `
		SELECT number, id, brand_number, code, product_number, quantity, status, created_at, updated_at
		FROM production_batches ORDER BY number`)
}

func (t *tx) AllJobs(ctx context.Context) iter.Seq2[mintage.Job, error] {
	return rowsOf(ctx, t, "mint_jobs", func(row pgx.Row) (*mintage.Job, error) {
		j := new(mintage.Job)
		return j, row.Scan(&j.Number, &j.ID, &j.BrandNumber, &j.Status, &j.ConsecutiveErrors, &j.LastError, &j.CycleLimit,
			&j.SubmittedBy, utc(&j.CreatedAt), utc(&j.StartedAt), utc(&j.FinishedAt))
	}, `
		SELECT number, id, brand_number, status, consecutive_errors, last_error, cycle_limit,
			submitted_by, created_at, started_at, finished_at
		FROM mint_jobs ORDER BY number`)
}

func (t *tx) AllBatches(ctx context.Context) iter.Seq2[mintage.Batch, error] {
	return rowsOf(ctx, t, "mint_batches", func(row pgx.Row) (*mintage.Batch, error) {
		b := new(mintage.Batch)
		return b, row.Scan(&b.Number, &b.ID, &b.BrandNumber, &b.ProductNumber, &b.ProductionBatchNumber,
			&b.IdentityMode, &b.ActivationMode, &b.RequestedQuantity, &b.MintedQuantity, &b.FirstOrdinal,
			&b.ResolverBase, &b.GTIN, &b.ProductCode, utc(&b.CreatedAt))
	}, `
		SELECT number, id, brand_number, product_number, coalesce(production_batch_number, 0),
			identity_mode, activation_mode, requested_quantity, minted_quantity, first_ordinal,
			resolver_base, coalesce(gtin, ''), product_code, created_at
		FROM mint_batches ORDER BY number`)
}

func (t *tx) AllLots(ctx context.Context) iter.Seq2[store.LotRow, error] {
	return rowsOf(ctx, t, "lots", func(row pgx.Row) (*store.LotRow, error) {
		l := new(store.LotRow)
		return l, row.Scan(&l.BatchNumber, &l.ProductNumber, &l.Code, &l.FirstOrdinal, &l.Quantity, &l.URLPrefix, &l.URLSuffix)
	}, `
		SELECT batch_number, product_number, coalesce(code, ''), first_ordinal, quantity, url_prefix, url_suffix
		FROM lots ORDER BY batch_number, first_ordinal`)
}

func (t *tx) AllBatchEvents(ctx context.Context) iter.Seq2[mintage.Event, error] {
	return rowsOf(ctx, t, "events", func(row pgx.Row) (*mintage.Event, error) {
		e := new(mintage.Event)
		return e, row.Scan(&e.Number, &e.BrandNumber, utc(&e.At), &e.Kind, &e.Actor, &e.SubjectID,
			&e.BatchNumber, &e.ProductNumber, &e.FirstOrdinal, &e.Quantity, &e.From, &e.To, &e.Message)
	}, `
		SELECT number, brand_number, at, kind, actor, subject_id,
			batch_number, coalesce(product_number, 0), coalesce(first_ordinal, 0), coalesce(quantity, 0),
			from_state, to_state, message
		FROM events WHERE batch_number IS NOT NULL ORDER BY batch_number, number`)
}

// AllUnits goes from product to product, and through each in chunks: a cursor
// over all of them would have Citus gather them first.
func (t *tx) AllUnits(ctx context.Context) iter.Seq2[store.UnitRow, error] {
	return func(yield func(store.UnitRow, error) bool) {
		units := make([]store.UnitRow, 0, chunk)
		for from := int64(math.MinInt32); ; {
			// By the index, whatever lies between.
			var product *int64
			err := t.get(ctx, []any{&product}, `SELECT min(product_number) FROM units WHERE product_number >= $1::bigint`, from)
			if err != nil {
				yield(store.UnitRow{}, err)
				return
			}
			if product == nil || !t.unitsOf(ctx, *product, units, yield) || *product == math.MaxInt32 {
				return
			}
			from = *product + 1
		}
	}
}

// unitsOf yields the units of a product, and tells whether to go on. A chunk
// begins with the ordinal that the last one ended with, less the rows of that
// ordinal which were yielded: without a primary key there may be several.
func (t *tx) unitsOf(ctx context.Context, product int64, units []store.UnitRow, yield func(store.UnitRow, error) bool) bool {
	from, yielded := int64(math.MinInt32), int64(0)
	for {
		units, err := t.unitsFrom(ctx, product, from, yielded, units[:0])
		if err != nil {
			yield(store.UnitRow{}, err)
			return false
		}
		for _, u := range units {
			if u.Ordinal != from {
				from, yielded = u.Ordinal, 0
			}
			yielded++
			if !yield(u, nil) {
				return false
			}
		}
		if len(units) < chunk {
			return true
		}
	}
}

// unitsFrom reads a chunk without an allocation for each unit.
func (t *tx) unitsFrom(ctx context.Context, product, from, skip int64, units []store.UnitRow) ([]store.UnitRow, error) {
	rows, err := t.query(ctx, `
		SELECT ordinal, code FROM units
		WHERE product_number = $1 AND ordinal >= $2::bigint
		ORDER BY ordinal LIMIT $3 OFFSET $4`, product, from, int64(chunk), skip)
	if err != nil {
		return nil, t.fail(ctx, err)
	}
	var ordinal, code int64
	_, err = pgx.ForEachRow(rows, []any{&ordinal, &code}, func() error {
		units = append(units, store.UnitRow{ProductNumber: product, Ordinal: ordinal, Code: serial.Code(code)})
		return nil
	})
	return units, t.fail(ctx, err)
}

package sqlite

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/store"
)

const batchColumns = `
	b.number, b.brand_number, b.id, b.product_number, p.id, coalesce(b.production_batch_number, 0), coalesce(pb.id, ''), b.identity_mode, b.activation_mode,
	b.requested_quantity, b.minted_quantity, b.first_ordinal, b.resolver_base, coalesce(b.gtin, ''), b.product_code, b.created_at`

const workColumns = `
	j.number, j.id, j.brand_number, j.status, j.consecutive_errors, j.last_error, j.cycle_limit, j.submitted_by,
	j.created_at, j.started_at, j.finished_at,` + batchColumns

const (
	batchQuery = `
	SELECT ` + batchColumns + `
	FROM mint_batches b
	JOIN products p ON p.number = b.product_number
	LEFT JOIN production_batches pb ON pb.number = b.production_batch_number`
	workQuery = `
	SELECT ` + workColumns + `
	FROM mint_batches b
	JOIN mint_jobs j ON j.number = b.number
	JOIN products p ON p.number = b.product_number
	LEFT JOIN production_batches pb ON pb.number = b.production_batch_number`
)

// batchFields are where batchColumns are scanned into.
func batchFields(b *mintage.Batch) []any {
	return []any{
		&b.Number, &b.BrandNumber, &b.ID, &b.ProductNumber, &b.ProductID, &b.ProductionBatchNumber, &b.ProductionBatchID,
		&b.IdentityMode, &b.ActivationMode, &b.RequestedQuantity, &b.MintedQuantity, &b.FirstOrdinal,
		&b.ResolverBase, &b.GTIN, &b.ProductCode, timeInto{&b.CreatedAt},
	}
}

func scanBatch(scan scanner) (*mintage.Batch, error) {
	b := &mintage.Batch{}
	err := scan(batchFields(b)...)
	return b, err
}

func scanWork(scan scanner) (*store.Work, error) {
	w := &store.Work{}
	j, b := &w.Job, &w.Batch
	err := scan(append([]any{
		&j.Number, &j.ID, &j.BrandNumber, &j.Status, &j.ConsecutiveErrors, &j.LastError, &j.CycleLimit, &j.SubmittedBy,
		timeInto{&j.CreatedAt}, timeInto{&j.StartedAt}, timeInto{&j.FinishedAt},
	}, batchFields(b)...)...)
	b.JobID, b.Status = j.ID, j.Status.Batch()
	return w, err
}

func (r reader) WorkByJobID(ctx context.Context, brand int64, id string) (*store.Work, error) {
	return r.work(ctx, workQuery+` WHERE j.brand_number = ? AND j.id = ?`, brand, id)
}

func (r reader) WorkByBatchID(ctx context.Context, brand int64, id string) (*store.Work, error) {
	return r.work(ctx, workQuery+` WHERE b.brand_number = ? AND b.id = ?`, brand, id)
}

// whereOwnsOrdinal looks at the last batch that begins at or before the ordinal,
// then whether it reaches so far.
const whereOwnsOrdinal = `
	WHERE b.brand_number = ?1 AND b.product_number = ?2 AND ?3 < b.first_ordinal + b.requested_quantity
		AND b.first_ordinal = (SELECT max(first_ordinal) FROM mint_batches WHERE product_number = ?2 AND first_ordinal <= ?3)`

func (r reader) WorkByOrdinal(ctx context.Context, brand, product, ordinal int64) (*store.Work, error) {
	return r.work(ctx, workQuery+whereOwnsOrdinal, brand, product, ordinal)
}

// work reads one job with its batch and lots.
func (r reader) work(ctx context.Context, query string, args ...any) (*store.Work, error) {
	w, err := one(ctx, r.session, scanWork, query, args...)
	if err != nil {
		return nil, err
	}
	return w, r.loadLots(ctx, &w.Batch)
}

func (r reader) Works(ctx context.Context, brand int64, filter store.JobFilter, page store.Page) ([]*store.Work, error) {
	var w where
	w.and("b.brand_number = ?", brand)
	if len(filter.Statuses) > 0 {
		w.and("j.status IN ("+placeholders(len(filter.Statuses))+")", anys(filter.Statuses)...)
	}
	if filter.Product != 0 {
		w.and("b.product_number = ?", filter.Product)
	}
	if filter.ProductionBatch != 0 {
		w.and("b.production_batch_number = ?", filter.ProductionBatch)
	}
	if filter.Lot != "" {
		w.and("b.number IN (SELECT batch_number FROM lots WHERE code = ?)", filter.Lot)
	}
	clause, args := w.page("b.number", page)
	works, err := list(ctx, r.session, scanWork, workQuery+clause, args...)
	if err != nil {
		return nil, err
	}
	batches := make([]*mintage.Batch, len(works))
	for i, w := range works {
		batches[i] = &w.Batch
	}
	return works, r.loadLots(ctx, batches...)
}

// lotsPerQuery bounds the parameters of one statement.
const lotsPerQuery = 500

func (r reader) loadLots(ctx context.Context, batches ...*mintage.Batch) error {
	byNumber := make(map[int64]*mintage.Batch, len(batches))
	numbers := make([]int64, len(batches))
	for i, b := range batches {
		byNumber[b.Number] = b
		numbers[i] = b.Number
	}
	for len(numbers) > 0 {
		n := min(len(numbers), lotsPerQuery)
		err := r.each(ctx, func(scan scanner) error {
			var batch int64
			var l mintage.Lot
			if err := scan(&batch, &l.Code, &l.FirstOrdinal, &l.Quantity, &l.URLPrefix, &l.URLSuffix); err != nil {
				return err
			}
			b := byNumber[batch]
			b.Lots = append(b.Lots, l)
			return nil
		}, `
			SELECT batch_number, coalesce(code, ''), first_ordinal, quantity, url_prefix, url_suffix FROM lots
			WHERE batch_number IN (`+placeholders(n)+`) ORDER BY batch_number, first_ordinal`,
			anys(numbers[:n])...)
		if err != nil {
			return err
		}
		numbers = numbers[n:]
	}
	return nil
}

func anys[T any](values []T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// runnable is spelt as in the index mint_jobs_runnable, which serves it.
const runnable = `j.status IN ('QUEUED', 'RESERVED', 'PROCESSING')`

func (r reader) NextDue(ctx context.Context) (time.Duration, error) {
	now, err := r.Now(ctx)
	if err != nil {
		return 0, err
	}
	due, err := one(ctx, r.session, func(scan scanner) (due time.Time, err error) {
		err = scan(timeInto{&due})
		return due, err
	}, `SELECT min(not_before) FROM mint_jobs j WHERE `+runnable+` AND not_before > ?`, text(now))
	if err != nil || due.IsZero() {
		return -1, err
	}
	return due.Sub(now), nil
}

// claimQuery is workQuery the other way round: CROSS JOIN keeps SQLite from
// reordering, so that the index of runnable jobs, which is in their order, comes
// first.
const claimQuery = `
	SELECT ` + workColumns + `
	FROM mint_jobs j
	CROSS JOIN mint_batches b ON b.number = j.number
	CROSS JOIN products p ON p.number = b.product_number
	LEFT JOIN production_batches pb ON pb.number = b.production_batch_number
	WHERE ` + runnable + ` AND (j.not_before IS NULL OR j.not_before <= ?)
	ORDER BY j.number LIMIT 1`

// ClaimJob takes no lock: the transaction, which is the only writer, is it.
func (t *tx) ClaimJob(ctx context.Context) (*store.Work, error) {
	now, err := t.Now(ctx)
	if err != nil {
		return nil, err
	}
	w, err := one(ctx, t.session, scanWork, claimQuery, text(now))
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return nil, nil //nolint:nilnil // the contract's answer for "no job"
	}
	return w, err
}

func (t *tx) MoveJob(ctx context.Context, j *mintage.Job, next mintage.JobStatus) error {
	if err := j.Status.To(next); err != nil {
		return err
	}
	err := still(j)(t.exec(ctx, `
		UPDATE mint_jobs SET status = ?, started_at = ?, finished_at = ?, consecutive_errors = ?, last_error = ?
		WHERE number = ? AND status = ?`,
		next, text(j.StartedAt), text(j.FinishedAt), j.ConsecutiveErrors, j.LastError, j.Number, j.Status))
	if err == nil {
		j.Status = next
	}
	return err
}

func (t *tx) RecordStrike(ctx context.Context, j *mintage.Job, wait time.Duration) error {
	now, err := t.Now(ctx)
	if err != nil {
		return err
	}
	return still(j)(t.exec(ctx, `
		UPDATE mint_jobs SET consecutive_errors = ?, last_error = ?, not_before = ? WHERE number = ? AND status = ?`,
		j.ConsecutiveErrors, j.LastError, text(now.Add(wait)), j.Number, j.Status))
}

func (t *tx) ClearStrikes(ctx context.Context, j *mintage.Job) error {
	err := still(j)(t.exec(ctx, `
		UPDATE mint_jobs SET consecutive_errors = 0, not_before = NULL WHERE number = ? AND status = ?`,
		j.Number, j.Status))
	if err == nil {
		j.ConsecutiveErrors = 0 // or the next MoveJob would store the old count
	}
	return err
}

// still turns "no row was changed" into the error of a job whose state is not, or
// is no longer, the one that the caller knows.
func still(j *mintage.Job) func(changed int64, err error) error {
	return func(changed int64, err error) error {
		if err == nil && changed == 0 {
			return mintage.Errorf(mintage.CodeTransition, "The job is no longer %s.", j.Status)
		}
		return err
	}
}

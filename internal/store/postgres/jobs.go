package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/store"
)

// Of the tables below only j and b may change, and ClaimJob locks both. What else
// is named is looked up row by row: under policies the planner takes a row of a
// brand that meets another of the same brand for a rare coincidence, and joins as
// if there were few. For the same reason a list joins a job's batch, which is
// always there, as if it might be missing.
const (
	batchColumns = `
		b.id AS batch_id, b.product_number,
		(SELECT p.id FROM products p WHERE p.number = b.product_number) AS product_id,
		coalesce(b.production_batch_number, 0) AS production_batch_number,
		coalesce((SELECT pb.id::text FROM production_batches pb WHERE pb.number = b.production_batch_number), '') AS production_batch_id,
		b.identity_mode, b.activation_mode, b.requested_quantity, b.minted_quantity, b.first_ordinal,
		b.resolver_base, coalesce(b.gtin, '') AS gtin, b.product_code, b.created_at AS batch_created_at`
	workColumns = `
		j.number AS job_number, j.id AS job_id, j.brand_number, j.status, j.consecutive_errors, j.last_error,
		j.cycle_limit, j.submitted_by, j.created_at AS job_created_at, j.started_at, j.finished_at,` + batchColumns
	selectWork  = `SELECT ` + workColumns + ` FROM mint_jobs j JOIN mint_batches b ON b.number = j.number`
	selectWorks = `SELECT ` + workColumns + ` FROM mint_jobs j LEFT JOIN mint_batches b ON b.number = j.number`
	// runnable is, to the letter, the condition of the index mint_jobs_runnable.
	runnable = `j.status IN ('QUEUED', 'RESERVED', 'PROCESSING')`
)

func scanWork(row pgx.Row) (*store.Work, error) { return scanWorkAnd(row) }

// scanWorkAnd scans further columns behind those of the work.
func scanWorkAnd(row pgx.Row, further ...any) (*store.Work, error) {
	w := new(store.Work)
	j, b := &w.Job, &w.Batch
	err := row.Scan(slices.Concat([]any{
		&j.Number, &j.ID, &j.BrandNumber, &j.Status, &j.ConsecutiveErrors, &j.LastError,
		&j.CycleLimit, &j.SubmittedBy, utc(&j.CreatedAt), utc(&j.StartedAt), utc(&j.FinishedAt),
	}, batchFields(b), further)...)
	b.Number, b.JobID, b.BrandNumber, b.Status = j.Number, j.ID, j.BrandNumber, j.Status.Batch()
	return w, err
}

// batchFields are where batchColumns are scanned into.
func batchFields(b *mintage.Batch) []any {
	return []any{
		&b.ID, &b.ProductNumber, &b.ProductID, &b.ProductionBatchNumber, &b.ProductionBatchID,
		&b.IdentityMode, &b.ActivationMode, &b.RequestedQuantity, &b.MintedQuantity, &b.FirstOrdinal,
		&b.ResolverBase, &b.GTIN, &b.ProductCode, utc(&b.CreatedAt),
	}
}

func (t *tx) WorkByJobID(ctx context.Context, brand int64, id string) (*store.Work, error) {
	if !isID(id) {
		return nil, notFound()
	}
	return t.work(ctx, selectWork+` WHERE j.brand_number = $1 AND j.id = $2::uuid`, brand, id)
}

func (t *tx) WorkByBatchID(ctx context.Context, brand int64, id string) (*store.Work, error) {
	if !isID(id) {
		return nil, notFound()
	}
	return t.work(ctx, selectWork+` WHERE b.brand_number = $1 AND b.id = $2::uuid`, brand, id)
}

// whereOwnsOrdinal finds the last batch of a product to begin before an ordinal: ranges do
// not overlap, so that no other can own it. Found by the index, however many
// there are.
const whereOwnsOrdinal = `
	WHERE b.brand_number = $1 AND b.number = (
		SELECT number FROM mint_batches
		WHERE product_number = $2 AND first_ordinal <= $3
		ORDER BY first_ordinal DESC LIMIT 1
	)`

func (t *tx) WorkByOrdinal(ctx context.Context, brand, product, ordinal int64) (*store.Work, error) {
	w, err := t.work(ctx, selectWork+whereOwnsOrdinal, brand, product, ordinal)
	if err != nil {
		return nil, err
	}
	if ordinal >= w.Batch.FirstOrdinal+w.Batch.RequestedQuantity {
		return nil, notFound()
	}
	return w, nil
}

func (t *tx) Works(ctx context.Context, brand int64, filter store.JobFilter, page store.Page) ([]*store.Work, error) {
	c := conditions{args: []any{brand}}
	if len(filter.Statuses) > 0 {
		statuses := make([]string, len(filter.Statuses))
		for i, s := range filter.Statuses {
			statuses[i] = string(s)
		}
		c.and("j.status = ANY ($%d::text[])", statuses)
	}
	if filter.Product != 0 {
		c.and("b.product_number = $%d", filter.Product)
	}
	if filter.ProductionBatch != 0 {
		c.and("b.production_batch_number = $%d", filter.ProductionBatch)
	}
	if filter.Lot != "" {
		c.and("j.number = ANY (ARRAY(SELECT batch_number FROM lots WHERE brand_number = $1 AND code = $%d))", filter.Lot)
	}
	c.page("j.number", page)
	works, err := many(ctx, t, scanWork, selectWorks+` WHERE j.brand_number = $1`+c.sql, c.args...)
	if err != nil {
		return nil, err
	}
	batches := make([]*mintage.Batch, len(works))
	for i, w := range works {
		batches[i] = &w.Batch
	}
	return works, t.loadLots(ctx, batches...)
}

func (t *tx) work(ctx context.Context, sql string, args ...any) (*store.Work, error) {
	w, err := one(ctx, t, scanWork, sql, args...)
	if err != nil {
		return nil, err
	}
	return w, t.loadLots(ctx, &w.Batch)
}

// loadLots reads the lots of all batches at once.
func (t *tx) loadLots(ctx context.Context, of ...*mintage.Batch) error {
	if len(of) == 0 {
		return nil
	}
	numbers := make([]int64, len(of))
	batches := make(map[int64]*mintage.Batch, len(of))
	for i, b := range of {
		numbers[i] = b.Number
		batches[b.Number] = b
	}
	_, err := many(ctx, t, func(row pgx.Row) (*mintage.Lot, error) {
		var batch int64
		var l mintage.Lot
		if err := row.Scan(&batch, &l.Code, &l.FirstOrdinal, &l.Quantity, &l.URLPrefix, &l.URLSuffix); err != nil {
			return nil, err
		}
		batches[batch].Lots = append(batches[batch].Lots, l)
		return &l, nil
	}, `
		SELECT batch_number, coalesce(code, ''), first_ordinal, quantity, url_prefix, url_suffix
		FROM lots
		WHERE batch_number = ANY ($1::bigint[])
		ORDER BY batch_number, first_ordinal`, numbers)
	return err
}

func (t *tx) NextDue(ctx context.Context) (time.Duration, error) {
	// Rounded up: a timer that fires too early would find nothing.
	var microseconds int64
	err := t.get(ctx, []any{&microseconds}, `
		WITH clock AS MATERIALIZED (SELECT coalesce($1::timestamptz, clock_timestamp()) AS now)
		SELECT coalesce(ceil(extract(epoch FROM min(j.not_before - clock.now)) * 1000000), -1)::bigint
		FROM mint_jobs j, clock
		WHERE `+runnable+` AND j.not_before > clock.now`, t.clock())
	return time.Duration(microseconds) * time.Microsecond, err
}

// claimJob does it all in one round trip. What is locked is read in its latest
// version (see the package's documentation). The common table expression sees to
// it that the advisory lock is tried for the one job that was chosen.
const claimJob = `
	WITH claimed AS MATERIALIZED (
		` + selectWork + `
		WHERE ` + runnable + `
			AND (j.not_before IS NULL OR j.not_before <= coalesce($1::timestamptz, clock_timestamp()))
		ORDER BY j.number
		LIMIT 1
		FOR NO KEY UPDATE OF j, b SKIP LOCKED
	)
	SELECT claimed.*, pg_try_advisory_xact_lock(job_number) FROM claimed`

// ClaimJob claims the oldest runnable job that is free; see [store.JobTx]. The
// batch comes without its lots, which a worker does not need.
func (t *tx) ClaimJob(ctx context.Context) (*store.Work, error) {
	var locked bool
	w, err := one(ctx, t, func(row pgx.Row) (*store.Work, error) { return scanWorkAnd(row, &locked) }, claimJob, t.clock())
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !locked {
		// Who had the job before gives up its rows a moment before its advisory
		// lock. We have the rows, so that nobody else can come in between.
		if _, err := t.exec(ctx, `SELECT pg_advisory_xact_lock($1)`, w.Job.Number); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (t *tx) MoveJob(ctx context.Context, j *mintage.Job, next mintage.JobStatus) error {
	if err := j.Status.To(next); err != nil {
		return err
	}
	// The third strike and FAILED are one fact and stored as one.
	err := t.update(ctx, j, `
		UPDATE mint_jobs SET status = $3, started_at = $4::timestamptz, finished_at = $5::timestamptz,
			consecutive_errors = $6, last_error = $7
		WHERE number = $1 AND status = $2`,
		string(next), nullTime(j.StartedAt), nullTime(j.FinishedAt), j.ConsecutiveErrors, j.LastError)
	if err == nil {
		j.Status = next
	}
	return err
}

func (t *tx) RecordStrike(ctx context.Context, j *mintage.Job, wait time.Duration) error {
	return t.update(ctx, j, `
		UPDATE mint_jobs SET consecutive_errors = $3, last_error = $4,
			not_before = coalesce($5::timestamptz, clock_timestamp()) + $6::bigint * interval '1 microsecond'
		WHERE number = $1 AND status = $2`,
		j.ConsecutiveErrors, j.LastError, t.clock(), wait.Microseconds())
}

func (t *tx) ClearStrikes(ctx context.Context, j *mintage.Job) error {
	err := t.update(ctx, j, `
		UPDATE mint_jobs SET consecutive_errors = 0, not_before = NULL
		WHERE number = $1 AND status = $2`)
	if err == nil {
		j.ConsecutiveErrors = 0
	}
	return err
}

// update changes a job that is still in the state that the caller knows: the
// first two parameters are its number and that state.
func (t *tx) update(ctx context.Context, j *mintage.Job, sql string, args ...any) error {
	n, err := t.exec(ctx, sql, append([]any{j.Number, string(j.Status)}, args...)...)
	if err == nil && n == 0 {
		return mintage.Errorf(mintage.CodeTransition, "The job is no longer %s.", j.Status)
	}
	return err
}

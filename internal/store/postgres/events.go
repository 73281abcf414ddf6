package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/store"
)

func scanEvent(row pgx.Row) (*mintage.Event, error) {
	e := new(mintage.Event)
	return e, row.Scan(&e.Number, &e.BrandNumber, utc(&e.At), &e.Kind, &e.Actor, &e.Origin.AddressClass, &e.Origin.RequestID, &e.SubjectID,
		&e.BatchNumber, &e.BatchID, &e.JobID, &e.ProductNumber, &e.FirstOrdinal, &e.Quantity,
		&e.From, &e.To, &e.Message)
}

// notable is, to the letter, the condition of the index events_notable.
const notable = `(e.kind NOT IN ('mint_batch.cycle', 'mint_batch.transition', 'mint_job.transition', 'unit.transition')
	OR e.kind = 'mint_job.transition' AND e.to_state IN ('QUEUED', 'COMPLETED', 'FAILED')
	OR e.kind = 'unit.transition' AND e.to_state = 'revoked')`

func (t *tx) Events(ctx context.Context, brand int64, filter store.EventFilter, page store.Page) ([]*mintage.Event, error) {
	c := conditions{args: []any{brand}}
	if filter.Batch != 0 {
		c.and("e.batch_number = $%d", filter.Batch)
	}
	if filter.Kind != "" {
		c.and("e.kind = $%d", string(filter.Kind))
	}
	if len(filter.Kinds) > 0 {
		kinds := make([]string, len(filter.Kinds))
		for i, k := range filter.Kinds {
			kinds[i] = string(k)
		}
		c.and("e.kind = ANY ($%d::text[])", kinds)
	}
	if filter.Notable {
		c.sql += " AND " + notable
	}
	if filter.Actor != "" {
		c.and("e.actor = $%d", filter.Actor)
	}
	if !filter.From.IsZero() {
		c.and("e.at >= $%d", filter.From)
	}
	if !filter.Until.IsZero() {
		c.and("e.at < $%d", filter.Until)
	}
	c.page("e.number", page)
	return many(ctx, t, scanEvent, selectEvents+` WHERE e.brand_number = $1`+c.sql, c.args...)
}

// selectEvents looks the identifiers up one by one: a join may be planned as if the
// transaction's brand, which the planner does not know, had few batches.
const selectEvents = `
	SELECT e.number, e.brand_number, e.at, e.kind, e.actor, e.address_class, e.request_id, e.subject_id,
		coalesce(e.batch_number, 0),
		coalesce((SELECT b.id::text FROM mint_batches b WHERE b.number = e.batch_number), ''),
		coalesce((SELECT j.id::text FROM mint_jobs j WHERE j.number = e.batch_number), ''),
		coalesce(e.product_number, 0), coalesce(e.first_ordinal, 0), coalesce(e.quantity, 0),
		e.from_state, e.to_state, e.message
	FROM events e`

// UnitEvents has its conditions spelt as in the two indexes that serve it.
func (t *tx) UnitEvents(ctx context.Context, brand, batch, product, ordinal int64, limit int) ([]*mintage.Event, error) {
	return many(ctx, t, scanEvent, `(`+selectEvents+`
			WHERE e.brand_number = $1 AND e.batch_number = $2
				AND e.kind IN ('mint_batch.transition', 'mint_batch.exported', 'mint_batch.recalled')
				AND (e.kind <> 'mint_batch.recalled' OR e.first_ordinal <= $4 AND $4 < e.first_ordinal + e.quantity)
			ORDER BY e.number DESC LIMIT $5
		) UNION ALL (`+selectEvents+`
			WHERE e.brand_number = $1 AND e.product_number = $3 AND e.first_ordinal = $4
				AND e.kind = 'unit.transition' AND e.to_state = 'revoked'
		)
		ORDER BY 1 DESC LIMIT $5`, brand, batch, product, ordinal, int64(max(limit, 1)))
}

// AppendEvent sets e.Number.
func (t *tx) AppendEvent(ctx context.Context, e *mintage.Event) error {
	// An ordinal may be 0, so that only the quantity tells whether there is a range.
	return t.get(ctx, []any{&e.Number}, `
		INSERT INTO events (brand_number, at, kind, actor, subject_id, batch_number, product_number,
			first_ordinal, quantity, from_state, to_state, message, address_class, request_id)
		VALUES ($1, $2, $3, $4, $5, nullif($6::bigint, 0), nullif($7::bigint, 0),
			CASE WHEN $9::bigint <> 0 THEN $8::bigint END, nullif($9::bigint, 0), $10, $11, $12, $13, $14)
		RETURNING number`,
		e.BrandNumber, e.At, string(e.Kind), e.Actor, e.SubjectID, e.BatchNumber, e.ProductNumber,
		e.FirstOrdinal, e.Quantity, e.From, e.To, e.Message, string(e.Origin.AddressClass), e.Origin.RequestID)
}

// AppendEvents stores them with one statement. The server draws their numbers in the
// order of the arrays.
func (t *tx) AppendEvents(ctx context.Context, events []*mintage.Event) error {
	if len(events) == 0 {
		return nil
	}
	var brands, batches, products, firsts, quantities []int64
	var times []time.Time
	var kinds, actors, subjects, froms, tos, messages, classes, requests []string
	for _, e := range events {
		brands, times, kinds = append(brands, e.BrandNumber), append(times, e.At), append(kinds, string(e.Kind))
		actors, subjects = append(actors, e.Actor), append(subjects, e.SubjectID)
		batches, products = append(batches, e.BatchNumber), append(products, e.ProductNumber)
		firsts, quantities = append(firsts, e.FirstOrdinal), append(quantities, e.Quantity)
		froms, tos, messages = append(froms, e.From), append(tos, e.To), append(messages, e.Message)
		classes, requests = append(classes, string(e.Origin.AddressClass)), append(requests, e.Origin.RequestID)
	}
	_, err := t.exec(ctx, `
		INSERT INTO events (brand_number, at, kind, actor, subject_id, batch_number, product_number,
			first_ordinal, quantity, from_state, to_state, message, address_class, request_id)
		SELECT brand, at, kind, actor, subject, nullif(batch, 0), nullif(product, 0),
			CASE WHEN quantity <> 0 THEN first END, nullif(quantity, 0), from_state, to_state, message, class, request
		FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
				$8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
			AS e (brand, at, kind, actor, subject, batch, product, first, quantity, from_state, to_state, message, class, request)`,
		brands, times, kinds, actors, subjects, batches, products, firsts, quantities, froms, tos, messages, classes, requests)
	return err
}

// maxSteps is how many transitions a job has at most: QUEUED, RESERVED, PROCESSING and
// its end. With them the search ends before what happened to the units later.
const maxSteps = 4

func (t *tx) JobSteps(ctx context.Context, brand, batch int64) ([]store.JobStep, error) {
	return many(ctx, t, func(row pgx.Row) (s store.JobStep, err error) {
		err = row.Scan(&s.To, utc(&s.At))
		return s, err
	}, `
		SELECT to_state, at FROM (
			SELECT number, kind, to_state, at FROM events
			WHERE brand_number = $1 AND batch_number = $2
			ORDER BY number OFFSET 0
		) e
		WHERE kind = 'mint_job.transition'
		LIMIT $3`, brand, batch, int64(maxSteps))
}

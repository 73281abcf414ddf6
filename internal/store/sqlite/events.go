package sqlite

import (
	"context"

	"mintage"
	"mintage/internal/store"
)

// insertEvent is followed by a list of rows, as eventRow gives them.
const insertEvent = `
	INSERT INTO events (brand_number, at, kind, actor, subject_id, batch_number, product_number, first_ordinal, quantity,
		from_state, to_state, message, address_class, request_id)
	VALUES `

func eventRow(e *mintage.Event) []any {
	return []any{
		e.BrandNumber, text(e.At), e.Kind, e.Actor, e.SubjectID, orNull(e.BatchNumber), orNull(e.ProductNumber),
		firstOrdinal(e), orNull(e.Quantity), e.From, e.To, e.Message, e.Origin.AddressClass, e.Origin.RequestID,
	}
}

func (t *tx) AppendEvent(ctx context.Context, e *mintage.Event) error {
	row := eventRow(e)
	number, err := t.insert(ctx, insertEvent+rowsOfValues(1, len(row)), row...)
	if err == nil {
		e.Number = number
	}
	return err
}

func (t *tx) AppendEvents(ctx context.Context, events []*mintage.Event) error {
	return inserts(ctx, t.session, insertEvent, events, eventRow)
}

// firstOrdinal is NULL for an event that is not about a range of units. 0 is an
// ordinal, so it cannot tell by itself.
func firstOrdinal(e *mintage.Event) any {
	if e.Quantity == 0 {
		return nil
	}
	return e.FirstOrdinal
}

func scanEvent(scan scanner) (*mintage.Event, error) {
	e := &mintage.Event{}
	err := scan(&e.Number, &e.BrandNumber, timeInto{&e.At}, &e.Kind, &e.Actor, &e.Origin.AddressClass, &e.Origin.RequestID, &e.SubjectID,
		&e.BatchNumber, &e.BatchID, &e.JobID, &e.ProductNumber, &e.FirstOrdinal, &e.Quantity, &e.From, &e.To, &e.Message)
	return e, err
}

// notable is spelt as in the index events_notable, which serves it.
const notable = `(e.kind NOT IN ('mint_batch.cycle', 'mint_batch.transition', 'mint_job.transition', 'unit.transition')
	OR e.kind = 'mint_job.transition' AND e.to_state IN ('QUEUED', 'COMPLETED', 'FAILED')
	OR e.kind = 'unit.transition' AND e.to_state = 'revoked')`

func (r reader) Events(ctx context.Context, brand int64, filter store.EventFilter, page store.Page) ([]*mintage.Event, error) {
	var w where
	w.and("e.brand_number = ?", brand)
	if filter.Batch != 0 {
		w.and("e.batch_number = ?", filter.Batch)
	}
	if filter.Kind != "" {
		w.and("e.kind = ?", filter.Kind)
	}
	if len(filter.Kinds) > 0 {
		w.and("e.kind IN ("+placeholders(len(filter.Kinds))+")", anys(filter.Kinds)...)
	}
	if filter.Notable {
		w.and(notable)
	}
	if filter.Actor != "" {
		w.and("e.actor = ?", filter.Actor)
	}
	if !filter.From.IsZero() {
		w.and("e.at >= ?", text(filter.From))
	}
	if !filter.Until.IsZero() {
		w.and("e.at < ?", text(filter.Until))
	}
	clause, args := w.page("e.number", page)
	return list(ctx, r.session, scanEvent, selectEvents+clause, args...)
}

const selectEvents = `
	SELECT e.number, e.brand_number, e.at, e.kind, e.actor, e.address_class, e.request_id, e.subject_id,
		coalesce(e.batch_number, 0), coalesce(b.id, ''), coalesce(j.id, ''),
		coalesce(e.product_number, 0), coalesce(e.first_ordinal, 0), coalesce(e.quantity, 0),
		e.from_state, e.to_state, e.message
	FROM events e
	LEFT JOIN mint_batches b ON b.number = e.batch_number
	LEFT JOIN mint_jobs j ON j.number = e.batch_number`

// unitEventsQuery is spelt as in the two indexes that serve it.
const unitEventsQuery = selectEvents + `
	WHERE e.brand_number = ?1 AND e.batch_number = ?2
		AND e.kind IN ('mint_batch.transition', 'mint_batch.exported', 'mint_batch.recalled')
		AND (e.kind <> 'mint_batch.recalled' OR e.first_ordinal <= ?4 AND ?4 < e.first_ordinal + e.quantity)
	UNION ALL` + selectEvents + `
	WHERE e.brand_number = ?1 AND e.product_number = ?3 AND e.first_ordinal = ?4
		AND e.kind = 'unit.transition' AND e.to_state = 'revoked'
	ORDER BY 1 DESC LIMIT ?5`

func (r reader) UnitEvents(ctx context.Context, brand, batch, product, ordinal int64, limit int) ([]*mintage.Event, error) {
	return list(ctx, r.session, scanEvent, unitEventsQuery, brand, batch, product, ordinal, max(limit, 1)) // a negative limit would be none
}

// maxSteps is how many transitions a job has at most: QUEUED, RESERVED, PROCESSING and
// its end. With them the search ends before what happened to the units later.
const maxSteps = 4

const jobStepsQuery = `
	SELECT to_state, at FROM events
	WHERE brand_number = ?1 AND batch_number = ?2 AND kind = 'mint_job.transition'
	ORDER BY batch_number, number LIMIT ?3`

func (r reader) JobSteps(ctx context.Context, brand, batch int64) ([]store.JobStep, error) {
	return list(ctx, r.session, func(scan scanner) (s store.JobStep, err error) {
		err = scan(&s.To, timeInto{&s.At})
		return s, err
	}, jobStepsQuery, brand, batch, maxSteps)
}

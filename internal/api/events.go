package api

import (
	"context"
	"net/http"
	"time"

	"mintage"
)

// event is an entry of the audit trail as it is shown.
type event struct {
	At           time.Time         `json:"at"`
	Kind         mintage.EventKind `json:"kind" doc:"What happened, as subject.verb. New kinds may come."`
	Actor        string            `json:"actor" doc:"Who did it: key:…, worker:…, cli."`
	SubjectID    string            `json:"subject_id" doc:"The id of what the kind names."`
	BatchID      *string           `json:"mint_batch_id" doc:"The batch concerned, where there is one."`
	JobID        *string           `json:"mint_job_id" doc:"Its job."`
	From         *string           `json:"from" doc:"Of a transition."`
	To           *string           `json:"to" doc:"The state that followed."`
	FirstOrdinal *int64            `json:"first_ordinal" doc:"Of a cycle: its first unit."`
	Quantity     *int64            `json:"quantity" doc:"How many units."`
	Message      *string           `json:"message" doc:"Such as the error of a failed cycle."`
}

func showEvent(e *mintage.Event) event {
	out := event{
		At: e.At.UTC(), Kind: e.Kind, Actor: e.Actor, SubjectID: e.SubjectID,
		BatchID: text(e.BatchID), JobID: text(e.JobID), From: text(e.From), To: text(e.To), Message: text(e.Message),
	}
	if e.ProductNumber != 0 {
		out.FirstOrdinal = &e.FirstOrdinal
	}
	if e.Quantity != 0 {
		out.Quantity = &e.Quantity
	}
	return out
}

type eventFilter struct {
	Paging

	Kind    string `query:"kind" doc:"Only events of this kind."`
	BatchID string `query:"mint_batch_id" doc:"Only events of this batch and its job."`
}

func (s *server) registerEvents() {
	o := op("list_events", http.MethodGet, "/v1/events", "Events", "List the audit trail, newest first")
	o.Metadata[metaRefuses] = []int{http.StatusNotFound} // the filter's
	register(s, o, s.listEvents)
}

func (s *server) listEvents(ctx context.Context, in *eventFilter) (*body[list[event]], error) {
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	rows, err := s.Mint.Events(ctx, principal(ctx), in.BatchID, mintage.EventKind(in.Kind), page)
	if err != nil {
		return nil, err
	}
	return listOf(rows, in.Limit, func(e *mintage.Event) int64 { return e.Number }, showEvent), nil
}

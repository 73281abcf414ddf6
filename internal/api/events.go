package api

import (
	"context"
	"net/http"
	"time"

	"mintage"
	"mintage/internal/mint"
)

// event is an entry of the audit trail as it is shown.
type event struct {
	At           time.Time         `json:"at"`
	Kind         mintage.EventKind `json:"kind" doc:"What happened, as subject.verb. New kinds may come."`
	Actor        string            `json:"actor" doc:"Who did it: key:…, user:…, worker:…, cli."`
	AddressClass *string           `json:"address_class" doc:"What kind of address the request came from: loopback, private or public; null for a command or a worker."`
	RequestID    *string           `json:"request_id" doc:"The X-Request-Id of the request; the server's log knows it."`
	SubjectID    string            `json:"subject_id" doc:"The id of what the kind names."`
	BatchID      *string           `json:"mint_batch_id" doc:"The batch concerned, where there is one."`
	JobID        *string           `json:"mint_job_id" doc:"Its job."`
	From         *string           `json:"from" doc:"Of a transition."`
	To           *string           `json:"to" doc:"The state that followed."`
	FirstOrdinal *int64            `json:"first_ordinal" doc:"Of a cycle, a transition of a unit or a recall: the first unit."`
	Quantity     *int64            `json:"quantity" doc:"How many units."`
	Message      *string           `json:"message" doc:"Such as the error of a failed cycle, or the reason of a revocation."`
}

func showEvent(e *mintage.Event) event {
	out := event{
		At: e.At.UTC(), Kind: e.Kind, Actor: e.Actor, AddressClass: text(e.Origin.AddressClass), RequestID: text(e.Origin.RequestID), SubjectID: e.SubjectID,
		BatchID: text(e.BatchID), JobID: text(e.JobID), From: text(e.From), To: text(e.To), Message: text(e.Message),
	}
	if e.Quantity != 0 {
		out.Quantity = &e.Quantity
		if e.ProductNumber != 0 { // an export has a quantity and no range
			out.FirstOrdinal = &e.FirstOrdinal
		}
	}
	return out
}

type eventFilter struct {
	Paging

	Kind    string    `query:"kind" doc:"Only events of this kind."`
	Actor   string    `query:"actor" doc:"Only what this actor did, such as key:… with an API key's id."`
	BatchID string    `query:"mint_batch_id" doc:"Only events of this batch and its job."`
	From    time.Time `query:"from" doc:"Only events at this time or later (RFC 3339)."`
	Until   time.Time `query:"until" doc:"Only events before this time (RFC 3339)."`
}

func (s *server) registerEvents() {
	o := op("list_events", http.MethodGet, "/v1/events", "Events", "List the audit trail, newest first")
	o.Metadata[metaRefuses] = []int{http.StatusNotFound} // the filter's
	register(s, o, s.listEvents)
}

func (s *server) listEvents(ctx context.Context, in *eventFilter) (*body[list[event]], error) {
	page, err := in.page(s.cursors(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := s.Mint.Events(ctx, principal(ctx), mint.EventFilter{
		BatchID: in.BatchID, Kind: mintage.EventKind(in.Kind), Actor: in.Actor, From: in.From, Until: in.Until,
	}, page)
	if err != nil {
		return nil, err
	}
	return listOf(s.cursors(ctx), rows, in.Limit, func(e *mintage.Event) int64 { return e.Number }, showEvent), nil
}

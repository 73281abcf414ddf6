package mint

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/store"
)

// appendTransition records that w's job came from a state to its present one,
// and the batch's change of state that follows from it, if one does.
func appendTransition(ctx context.Context, tx store.EventTx, w *store.Work, from mintage.JobStatus, by mintage.Principal, at time.Time) error {
	e := eventOf(w, mintage.EventJobTransition, by, at)
	e.From, e.To, e.Message = string(from), string(w.Job.Status), ""
	if w.Job.Status == mintage.JobFailed {
		e.Message = w.Job.LastError
	}
	if err := tx.AppendEvent(ctx, e); err != nil {
		return err
	}
	to := w.Job.Status.Batch()
	batchFrom := string(from.Batch())
	if from == "" {
		batchFrom = ""
	}
	if batchFrom == string(to) {
		return nil
	}
	e = eventOf(w, mintage.EventBatchTransition, by, at)
	e.From, e.To = batchFrom, string(to)
	return tx.AppendEvent(ctx, e)
}

// eventOf begins an event about a job or its batch.
func eventOf(w *store.Work, kind mintage.EventKind, by mintage.Principal, at time.Time) *mintage.Event {
	e := by.Event(kind, at)
	e.BrandNumber = w.Job.BrandNumber // a worker is no brand's
	e.BatchNumber, e.BatchID, e.JobID, e.SubjectID = w.Batch.Number, w.Batch.ID, w.Job.ID, w.Batch.ID
	if kind == mintage.EventJobTransition || kind == mintage.EventJobStrike {
		e.SubjectID = w.Job.ID
	}
	return e
}

package mint

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/store"
)

// Page is the store's, for those who may not import it.
type Page = store.Page

// Work is the store's, for those who may not import it.
type Work = store.Work

// Filter narrows a list of jobs or batches; zero fields do not.
type Filter struct {
	JobStatus   mintage.JobStatus
	BatchStatus mintage.BatchStatus
	Unfinished  bool // only what is not COMPLETED or FAILED
	Begun       bool // only what a worker has begun to mint, or failed to
	ProductID   string
}

// Job returns a job with its batch.
func (s *Service) Job(ctx context.Context, p mintage.Principal, id string) (w *store.Work, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		w, err = r.WorkByJobID(ctx, p.BrandNumber, mintage.CanonicalID(id))
		return err
	})
	return w, err
}

// Batch returns a batch with its job.
func (s *Service) Batch(ctx context.Context, p mintage.Principal, id string) (w *store.Work, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		w, err = r.WorkByBatchID(ctx, p.BrandNumber, mintage.CanonicalID(id))
		return err
	})
	return w, err
}

// List returns jobs with their batches, newest first. NOT_FOUND where the filter
// names a product that does not exist or is another brand's.
func (s *Service) List(ctx context.Context, p mintage.Principal, f Filter, page store.Page) (list []*store.Work, err error) {
	filter := store.JobFilter{}
	if f.JobStatus != "" {
		filter.Statuses = []mintage.JobStatus{f.JobStatus}
	}
	if f.BatchStatus != "" {
		filter.Statuses = f.BatchStatus.Jobs()
	}
	if f.Unfinished {
		filter.Statuses = []mintage.JobStatus{mintage.JobQueued, mintage.JobReserved, mintage.JobProcessing}
	}
	if f.Begun {
		filter.Statuses = []mintage.JobStatus{mintage.JobProcessing, mintage.JobCompleted, mintage.JobFailed}
	}
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		if f.ProductID != "" {
			product, err := r.ProductByID(ctx, p.BrandNumber, mintage.CanonicalID(f.ProductID))
			if err != nil {
				return err
			}
			filter.Product = product.Number
		}
		list, err = r.Works(ctx, p.BrandNumber, filter, page)
		return err
	})
	return list, err
}

// Batches returns those batches that a list names, by their IDs. IDs of none, or of
// another brand's, are left out.
func (s *Service) Batches(ctx context.Context, p mintage.Principal, ids []string) (found map[string]*store.Work, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		found, err = store.ByID(ctx, p.BrandNumber, ids, r.WorkByBatchID)
		return err
	})
	return found, err
}

// Step is the store's, for those who may not import it.
type Step = store.JobStep

// Steps lists when the job of a batch came into each of its states, oldest first.
func (s *Service) Steps(ctx context.Context, p mintage.Principal, b *mintage.Batch) (steps []Step, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		steps, err = r.JobSteps(ctx, p.BrandNumber, b.Number)
		return err
	})
	return steps, err
}

// EventFilter narrows a list of events; zero fields do not.
type EventFilter struct {
	BatchID string
	Kind    mintage.EventKind
	Kinds   []mintage.EventKind // any of them
	Actor   string
	// Notable leaves out what units and workers do by the thousand; see
	// [store.EventFilter].
	Notable bool
	// From and Until bound the time: From <= At < Until.
	From, Until time.Time
}

// Events returns the audit trail of the brand, newest first. NOT_FOUND where the
// filter names a batch that does not exist or is another brand's.
func (s *Service) Events(ctx context.Context, p mintage.Principal, f EventFilter, page store.Page) (list []*mintage.Event, err error) {
	if !f.From.IsZero() && !f.Until.IsZero() && !f.From.Before(f.Until) {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "The time until is not after the time from; no event can be between them.").WithField("until")
	}
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		filter := store.EventFilter{Kind: f.Kind, Kinds: f.Kinds, Notable: f.Notable, Actor: f.Actor, From: f.From, Until: f.Until}
		if f.BatchID != "" {
			w, err := r.WorkByBatchID(ctx, p.BrandNumber, mintage.CanonicalID(f.BatchID))
			if err != nil {
				return err
			}
			filter.Batch = w.Batch.Number
		}
		list, err = r.Events(ctx, p.BrandNumber, filter, page)
		return err
	})
	return list, err
}

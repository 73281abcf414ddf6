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

// EventFilter narrows a list of events; zero fields do not.
type EventFilter struct {
	BatchID string
	Kind    mintage.EventKind
	Actor   string
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
		filter := store.EventFilter{Kind: f.Kind, Actor: f.Actor, From: f.From, Until: f.Until}
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

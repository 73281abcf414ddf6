package mint

import (
	"context"
	"slices"

	"mintage"
	"mintage/internal/store"
)

// TokenDetail is all that is known of a unit, as of one moment.
type TokenDetail struct {
	Token

	Work   *store.Work     // its batch
	Recall *mintage.Recall // the oldest that covers it; nil if none does
	// Events are those of [store.EventReader.UnitEvents], oldest first.
	Events []*mintage.Event
	Scans  *UnitScans
}

// Of a unit's history, this many events are read, and this many scans.
const (
	tokenEvents = 100
	tokenScans  = 20
)

// TokenDetail returns a unit by its public identifier, as Unit does, with its history.
func (s *Service) TokenDetail(ctx context.Context, p mintage.Principal, id string) (*TokenDetail, error) {
	var d *TokenDetail
	err := s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		f := s.newFinder(r, p.BrandNumber)
		u, err := f.byID(ctx, id)
		if err != nil {
			return err
		}
		d = &TokenDetail{Token: Token{Product: u.product}, Work: u.work}
		if d.Unit, err = unitOf(ctx, r, u); err != nil {
			return err
		}
		if d.Recall, err = f.recallOf(ctx, u); err != nil {
			return err
		}
		if d.Events, err = r.UnitEvents(ctx, p.BrandNumber, u.work.Batch.Number, u.product.Number, u.ordinal, tokenEvents); err != nil {
			return err
		}
		slices.Reverse(d.Events)
		d.Scans, err = s.scansOf(ctx, r, u, tokenScans)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Recalls lists the recalls of a batch and of its lots, oldest first.
func (s *Service) Recalls(ctx context.Context, p mintage.Principal, batchID string) (recalls []*mintage.Recall, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		w, err := r.WorkByBatchID(ctx, p.BrandNumber, mintage.CanonicalID(batchID))
		if err != nil {
			return err
		}
		all, err := r.Recalls(ctx, p.BrandNumber, w.Batch.ProductNumber)
		recalls = slices.DeleteFunc(all, func(c *mintage.Recall) bool { return c.BatchNumber != w.Batch.Number })
		return err
	})
	return recalls, err
}

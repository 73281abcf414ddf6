package mint

import (
	"context"
	"fmt"
	"time"

	"mintage"
	"mintage/internal/store"
)

// RevokeUnit revokes one unit for good, with a reason, and returns it. Where it was
// revoked before, by itself or by a recall, nothing changes and already is true.
func (s *Service) RevokeUnit(ctx context.Context, p mintage.Principal, id, reason string) (unit *mintage.Unit, already bool, err error) {
	if err := mintage.ValidateReason(reason); err != nil {
		return nil, false, err
	}
	err = s.store.For(p.BrandNumber).InTx(ctx, func(tx store.Tx) error {
		f := s.newFinder(tx, p.BrandNumber)
		u, err := f.byID(ctx, id)
		if err != nil {
			return err
		}
		if already, err = s.revoke(ctx, tx, p, f, u, reason); err != nil {
			return err
		}
		unit, err = unitOf(ctx, tx, u)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return unit, already, nil
}

// revoke revokes a unit and writes its event, or reports that it was revoked before.
func (s *Service) revoke(ctx context.Context, tx store.Tx, p mintage.Principal, f *finder, u *found, reason string) (already bool, err error) {
	recall, err := f.recallOf(ctx, u)
	if err != nil || recall != nil {
		return recall != nil, err
	}
	at := s.now()
	done, err := tx.RevokeUnits(ctx, []mintage.UnitState{{
		ProductNumber: u.product.Number, Ordinal: u.ordinal, Status: mintage.TokenRevoked, At: at, Reason: reason,
	}})
	if err != nil || !done[0] {
		return err == nil, err
	}
	// Only now is it certain what the unit was: nobody can activate it any more.
	states, err := tx.UnitStates(ctx, u.product.Number, u.ordinal, u.ordinal+1)
	if err != nil {
		return false, err
	}
	from := u.work.Batch.ActivationMode.Born()
	for _, state := range states {
		if state.Status == mintage.TokenActive {
			from = mintage.TokenActive
		}
	}
	e := eventOf(u.work, mintage.EventUnitTransition, p, at)
	e.SubjectID, e.ProductNumber, e.FirstOrdinal, e.Quantity = u.id(), u.product.Number, u.ordinal, 1
	e.From, e.To, e.Message = string(from), string(mintage.TokenRevoked), reason
	return false, tx.AppendEvent(ctx, e)
}

// Recalled is the answer to a recall.
type Recalled struct {
	*mintage.Recall
	Batch *mintage.Batch
	// Already says that the units were recalled before, and that nothing changed.
	Already bool
	// StillMinting says that units are still to come, which the recall covers.
	StillMinting bool
}

// RecallBatch revokes every unit of a batch at once, those still to be minted
// included: the job goes on. Where the whole batch was recalled before, nothing changes.
func (s *Service) RecallBatch(ctx context.Context, p mintage.Principal, batchID, reason string) (*Recalled, error) {
	return s.recall(ctx, p, batchID, reason, func(b *mintage.Batch) (mintage.Lot, error) {
		return mintage.Lot{FirstOrdinal: b.FirstOrdinal, Quantity: b.RequestedQuantity}, nil
	})
}

// RecallLot is RecallBatch for one lot of it. A batch without lots has none to recall:
// it is recalled as a whole.
func (s *Service) RecallLot(ctx context.Context, p mintage.Principal, batchID, lot, reason string) (*Recalled, error) {
	return s.recall(ctx, p, batchID, reason, func(b *mintage.Batch) (mintage.Lot, error) {
		for _, l := range b.Lots {
			if l.Code == lot && lot != "" {
				return l, nil
			}
		}
		return mintage.Lot{}, mintage.Errorf(mintage.CodeNotFound, "The mint batch has no lot with this code; check the lot_code, or recall the batch as a whole.")
	})
}

// maxRecallAttempts bounds how often a recall is tried that others make at the same moment.
const maxRecallAttempts = 3

func (s *Service) recall(ctx context.Context, p mintage.Principal, batchID, reason string, choose func(*mintage.Batch) (mintage.Lot, error)) (*Recalled, error) {
	if err := mintage.ValidateReason(reason); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		var out *Recalled
		err := s.store.For(p.BrandNumber).InTx(ctx, func(tx store.Tx) (err error) {
			out, err = s.recallOnce(ctx, tx, p, batchID, reason, choose)
			return err
		})
		if err == nil {
			return out, nil
		}
		// Somebody else recalled the same run meanwhile: then it is there already.
		if mintage.ErrorCode(err) != mintage.CodeConflict || attempt == maxRecallAttempts {
			return nil, err
		}
	}
}

func (s *Service) recallOnce(ctx context.Context, tx store.Tx, p mintage.Principal, batchID, reason string, choose func(*mintage.Batch) (mintage.Lot, error)) (*Recalled, error) {
	w, err := tx.WorkByBatchID(ctx, p.BrandNumber, mintage.CanonicalID(batchID))
	if err != nil {
		return nil, err
	}
	b := &w.Batch
	run, err := choose(b)
	if err != nil {
		return nil, err
	}
	out := &Recalled{Batch: b, StillMinting: !w.Job.Status.Final() && b.NextOrdinal() < run.FirstOrdinal+run.Quantity}
	recalls, err := tx.Recalls(ctx, p.BrandNumber, b.ProductNumber)
	if err != nil {
		return nil, err
	}
	for _, r := range recalls {
		if r.Covers(run.FirstOrdinal) && r.Covers(run.FirstOrdinal+run.Quantity-1) {
			out.Recall, out.Already = r, true
			return out, nil
		}
	}
	out.Recall = &mintage.Recall{
		BrandNumber: p.BrandNumber, ProductNumber: b.ProductNumber, BatchNumber: b.Number,
		FirstOrdinal: run.FirstOrdinal, Quantity: run.Quantity, Lot: run.Code, Reason: reason, At: s.now(),
	}
	if err := tx.CreateRecall(ctx, out.Recall); err != nil {
		return nil, err
	}
	e := eventOf(w, mintage.EventRecalled, p, out.At)
	e.ProductNumber, e.FirstOrdinal, e.Quantity = b.ProductNumber, run.FirstOrdinal, run.Quantity
	e.To, e.Message = string(mintage.TokenRevoked), reason
	return out, tx.AppendEvent(ctx, e)
}

// BatchCounts are the minted units of a batch by state.
type BatchCounts struct {
	Batch *mintage.Batch
	Lots  []mintage.Counts // one entry for each of the batch's lots, in their order
	Total mintage.Counts
}

// Counts counts the minted units of a batch by state: exactly, and without reading
// each unit.
func (s *Service) Counts(ctx context.Context, p mintage.Principal, batchID string) (*BatchCounts, error) {
	var out *BatchCounts
	err := s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		w, err := r.WorkByBatchID(ctx, p.BrandNumber, mintage.CanonicalID(batchID))
		if err != nil {
			return err
		}
		out = &BatchCounts{Batch: &w.Batch}
		out.Lots, err = r.LotCounts(ctx, p.BrandNumber, w.Batch.Number)
		for _, c := range out.Lots {
			out.Total.Minted += c.Minted
			out.Total.Active += c.Active
			out.Total.Revoked += c.Revoked
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UnitScans are the scans of a unit, and what their spread says.
type UnitScans struct {
	Scans      []*mintage.Scan // newest first, at most as many as asked for
	Since      time.Time       // where the window of the signal begins
	Networks   int64           // different networks within it, robots left out
	Suspicious bool            // more than one unit explains
}

// UnitScans lists the latest scans of a unit, at most limit, with the duplicate signal.
func (s *Service) UnitScans(ctx context.Context, p mintage.Principal, id string, limit int) (*UnitScans, error) {
	var out *UnitScans
	err := s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		u, err := s.newFinder(r, p.BrandNumber).byID(ctx, id)
		if err != nil {
			return err
		}
		out, err = s.scansOf(ctx, r, u, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) scansOf(ctx context.Context, r store.Reader, u *found, limit int) (out *UnitScans, err error) {
	out = &UnitScans{Since: mintage.SignalSince(s.now())}
	if out.Scans, err = r.Scans(ctx, u.product.Number, u.ordinal, limit); err != nil {
		return nil, err
	}
	out.Networks, err = r.ScanNetworks(ctx, u.product.Number, u.ordinal, out.Since)
	out.Suspicious = mintage.Suspicious(out.Networks)
	return out, err
}

// Why says for people why the scans are suspicious; "" where they are not.
func (u *UnitScans) Why() string {
	if !u.Suspicious {
		return ""
	}
	return fmt.Sprintf("The unit was scanned from %d different networks since %s; more than %d are more than one unit explains. Its code may have been copied.",
		u.Networks, u.Since.UTC().Format(time.DateOnly), int64(mintage.SignalNetworks))
}

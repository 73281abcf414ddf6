package storetest

import (
	"context"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Scanner is who the fixture's activations name.
const Scanner = "scan"

// Activate activates units of a batch as their first scans do, and reports for
// each whether this call did it.
func (f *Fixture) Activate(b *mintage.Batch, ordinals ...int64) (done []bool) {
	f.t.Helper()
	f.inTx(func(ctx context.Context, tx store.Tx) (err error) {
		done, err = f.ActivateIn(ctx, tx, b, ordinals...)
		return err
	})
	return done
}

// ActivateIn is Activate within the caller's transaction.
func (f *Fixture) ActivateIn(ctx context.Context, tx store.Tx, b *mintage.Batch, ordinals ...int64) ([]bool, error) {
	done, err := tx.ActivateUnits(ctx, f.States(b, "", ordinals...))
	if err != nil {
		return nil, err
	}
	var events []*mintage.Event
	for i, ordinal := range ordinals {
		if done[i] {
			events = append(events, f.transition(b, ordinal, Scanner, "", mintage.TokenMinted, mintage.TokenActive))
		}
	}
	return done, f.appendTransitions(ctx, tx, b, events)
}

// Revoke revokes units of a batch one by one, not by a recall, and reports for each
// whether this call did it.
func (f *Fixture) Revoke(b *mintage.Batch, reason string, ordinals ...int64) (done []bool) {
	f.t.Helper()
	f.inTx(func(ctx context.Context, tx store.Tx) (err error) {
		done, err = f.RevokeIn(ctx, tx, b, reason, ordinals...)
		return err
	})
	return done
}

// RevokeIn is Revoke within the caller's transaction.
func (f *Fixture) RevokeIn(ctx context.Context, tx store.Tx, b *mintage.Batch, reason string, ordinals ...int64) ([]bool, error) {
	done, err := tx.RevokeUnits(ctx, f.States(b, reason, ordinals...))
	if err != nil {
		return nil, err
	}
	var events []*mintage.Event
	for i, ordinal := range ordinals {
		if !done[i] {
			continue
		}
		states, err := tx.UnitStates(ctx, b.ProductNumber, ordinal, ordinal+1)
		if err != nil {
			return nil, err
		}
		from := b.ActivationMode.Born()
		if states[0].Status == mintage.TokenActive { // before the row that was just added
			from = mintage.TokenActive
		}
		events = append(events, f.transition(b, ordinal, "cli", reason, from, mintage.TokenRevoked))
	}
	return done, f.appendTransitions(ctx, tx, b, events)
}

// Recall recalls a lot of a batch, or all of it where lot is nil.
func (f *Fixture) Recall(b *mintage.Batch, lot *mintage.Lot, reason string) *mintage.Recall {
	f.t.Helper()
	r := f.NewRecall(b, lot, reason)
	f.inTx(func(ctx context.Context, tx store.Tx) error { return f.RecallIn(ctx, tx, b, r) })
	return r
}

// NewRecall is what Recall stores.
func (f *Fixture) NewRecall(b *mintage.Batch, lot *mintage.Lot, reason string) *mintage.Recall {
	r := &mintage.Recall{
		BrandNumber:   b.BrandNumber,
		ProductNumber: b.ProductNumber,
		BatchNumber:   b.Number,
		FirstOrdinal:  b.FirstOrdinal,
		Quantity:      b.RequestedQuantity,
		Reason:        reason,
		At:            f.Now(),
	}
	if lot != nil {
		r.FirstOrdinal, r.Quantity, r.Lot = lot.FirstOrdinal, lot.Quantity, lot.Code
	}
	return r
}

// RecallIn is Recall within the caller's transaction, of what NewRecall returned.
func (f *Fixture) RecallIn(ctx context.Context, tx store.Tx, b *mintage.Batch, r *mintage.Recall) error {
	if err := tx.CreateRecall(ctx, r); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, &mintage.Event{
		BrandNumber:   r.BrandNumber,
		At:            r.At,
		Kind:          mintage.EventRecalled,
		Actor:         "cli",
		SubjectID:     b.ID,
		BatchNumber:   r.BatchNumber,
		ProductNumber: r.ProductNumber,
		FirstOrdinal:  r.FirstOrdinal,
		Quantity:      r.Quantity,
		Message:       r.Reason,
	})
}

// States are the rows of units of a batch, as ActivateUnits and RevokeUnits want them.
func (f *Fixture) States(b *mintage.Batch, reason string, ordinals ...int64) []mintage.UnitState {
	var states []mintage.UnitState
	for _, ordinal := range ordinals {
		states = append(states, mintage.UnitState{ProductNumber: b.ProductNumber, Ordinal: ordinal, At: f.Now(), Reason: reason})
	}
	return states
}

func (f *Fixture) transition(b *mintage.Batch, ordinal int64, actor, reason string, from, to mintage.TokenStatus) *mintage.Event {
	return &mintage.Event{
		BrandNumber:   b.BrandNumber,
		At:            f.Now(),
		Kind:          mintage.EventUnitTransition,
		Actor:         actor,
		BatchNumber:   b.Number,
		ProductNumber: b.ProductNumber,
		FirstOrdinal:  ordinal,
		Quantity:      1,
		From:          string(from),
		To:            string(to),
		Message:       reason,
	}
}

// appendTransitions names each unit by its ID, and appends the events.
func (f *Fixture) appendTransitions(ctx context.Context, tx store.Tx, b *mintage.Batch, events []*mintage.Event) error {
	for _, e := range events {
		code, err := tx.UnitCode(ctx, b.ProductNumber, e.FirstOrdinal)
		if err != nil {
			return err
		}
		e.SubjectID = serial.Unit{ProductCode: b.ProductCode, Code: code}.String()
	}
	return tx.AppendEvents(ctx, events)
}

// RollUp rolls all events up that are at or below the horizon.
func RollUp(ctx context.Context, s store.Store, limit int) error {
	horizon, err := s.EventHorizon(ctx)
	for more := true; more && err == nil; {
		err = s.InTx(ctx, func(tx store.Tx) (err error) {
			more, err = tx.RollUp(ctx, horizon, limit)
			return err
		})
	}
	return err
}

package mint

import (
	"context"
	"math"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Unit returns one unit by its public identifier. An identifier that is not one,
// was never issued or is another brand's is NOT_FOUND: the answers look the same.
func (s *Service) Unit(ctx context.Context, p mintage.Principal, id string) (unit *mintage.Unit, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		f, err := s.newFinder(r, p.BrandNumber).byID(ctx, id)
		if err != nil {
			return err
		}
		unit, err = unitOf(ctx, r, f)
		return err
	})
	return unit, err
}

// unitOf is the public form of a unit that was found.
func unitOf(ctx context.Context, r store.Reader, f *found) (*mintage.Unit, error) {
	units, err := unitsOf(ctx, r, f.work, f.ordinal, f.ordinal+1)
	if err != nil {
		return nil, err
	}
	if len(units) != 1 {
		return nil, noSuchUnit()
	}
	return units[0], nil
}

// Units returns the minted units of a batch with an ordinal greater than after
// (-1 for all), in ordinal order, at most limit.
func (s *Service) Units(ctx context.Context, p mintage.Principal, batchID string, after int64, limit int) (units []*mintage.Unit, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		w, err := r.WorkByBatchID(ctx, p.BrandNumber, mintage.CanonicalID(batchID))
		if err != nil {
			return err
		}
		from := max(w.Batch.FirstOrdinal, min(after, math.MaxInt64-1)+1)
		to := min(w.Batch.NextOrdinal(), from+int64(limit))
		units, err = unitsOf(ctx, r, w, from, to)
		return err
	})
	return units, err
}

// unitsOf returns the units of a batch with from <= ordinal < to, as they are now.
func unitsOf(ctx context.Context, r store.Reader, w *store.Work, from, to int64) ([]*mintage.Unit, error) {
	if from >= to {
		return nil, nil
	}
	cycles, err := r.Cycles(ctx, w.Batch.ProductNumber, from, to)
	if err != nil {
		return nil, err
	}
	states, err := r.UnitStates(ctx, w.Batch.ProductNumber, from, to)
	if err != nil {
		return nil, err
	}
	recalls, err := r.Recalls(ctx, w.Batch.BrandNumber, w.Batch.ProductNumber)
	if err != nil {
		return nil, err
	}
	units := make([]*mintage.Unit, 0, to-from)
	err = r.EachUnit(ctx, w.Batch.ProductNumber, from, to, func(ordinal int64, code serial.Code) error {
		for len(cycles) > 1 && ordinal >= cycles[0].First+cycles[0].Quantity {
			cycles = cycles[1:]
		}
		u := NewUnit(&w.Batch, w.Batch.Lot(ordinal), ordinal, code)
		if len(cycles) > 0 {
			u.CreatedAt = cycles[0].At
		}
		if u.Status == mintage.TokenActive {
			u.ActivatedAt = u.CreatedAt
		}
		for len(states) > 0 && states[0].Ordinal < ordinal {
			states = states[1:]
		}
		for len(states) > 0 && states[0].Ordinal == ordinal {
			happened(u, states[0])
			states = states[1:]
		}
		if recall := covering(recalls, ordinal); recall != nil {
			happened(u, mintage.UnitState{Status: mintage.TokenRevoked, At: recall.At, Reason: recall.Reason})
		}
		units = append(units, u)
		return nil
	})
	return units, err
}

// happened takes what happened to a unit into its public form. Revoked is for good,
// in whichever order things come; of several revocations the earliest counts.
func happened(u *mintage.Unit, s mintage.UnitState) {
	switch s.Status {
	case mintage.TokenActive:
		u.ActivatedAt = s.At
		if u.Status == mintage.TokenMinted {
			u.Status = mintage.TokenActive
		}
	case mintage.TokenRevoked:
		if u.Status != mintage.TokenRevoked || s.At.Before(u.RevokedAt) {
			u.RevokedAt, u.RevocationReason = s.At, s.Reason
		}
		u.Status = mintage.TokenRevoked
	case mintage.TokenMinted: // no row says so
	}
}

// NewUnit makes the public form of a unit as it was born, from what its batch, lot
// and code say; the times are left zero.
func NewUnit(b *mintage.Batch, lot mintage.Lot, ordinal int64, code serial.Code) *mintage.Unit {
	text := code.String()
	u := &mintage.Unit{
		ID:        serial.Unit{ProductCode: b.ProductCode, Code: code}.String(),
		ProductID: b.ProductID, BatchID: b.ID, Ordinal: ordinal,
		Code: text, GTIN: b.GTIN, Lot: lot.Code,
		ResolverURL: lot.URLPrefix + text + lot.URLSuffix,
		Status:      b.ActivationMode.Born(),
	}
	if b.IdentityMode == mintage.IdentitySerial {
		u.Serial = text
	}
	return u
}

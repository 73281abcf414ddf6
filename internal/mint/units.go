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
func (s *Service) Unit(ctx context.Context, p mintage.Principal, id string) (*mintage.Unit, error) {
	notFound := mintage.Errorf(mintage.CodeNotFound, "There is no such unit; check the unit_id.")
	name, err := serial.ParseUnit(id)
	if err != nil {
		return nil, notFound
	}
	var unit *mintage.Unit
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		product, err := optional(r.ProductByCode(ctx, p.BrandNumber, name.ProductCode))
		if err != nil {
			return err
		}
		if product == nil {
			return notFound
		}
		cipher, err := s.keys.Cipher(ctx, r, p.BrandNumber, name.ProductCode)
		if err != nil {
			return err
		}
		ordinal := cipher.Decrypt(name.Code)
		if ordinal >= serial.MaxOrdinal {
			return notFound
		}
		w, err := optional(r.WorkByOrdinal(ctx, p.BrandNumber, product.Number, int64(ordinal)))
		if err != nil {
			return err
		}
		if w == nil {
			return notFound
		}
		units, err := unitsOf(ctx, r, w, int64(ordinal), int64(ordinal)+1)
		if err != nil {
			return err
		}
		if len(units) == 0 || units[0].Code != name.Code.String() {
			return notFound
		}
		unit = units[0]
		return nil
	})
	return unit, err
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

// unitsOf returns the units of a batch with from <= ordinal < to.
func unitsOf(ctx context.Context, r store.Reader, w *store.Work, from, to int64) ([]*mintage.Unit, error) {
	if from >= to {
		return nil, nil
	}
	cycles, err := r.Cycles(ctx, w.Batch.ProductNumber, from, to)
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
		units = append(units, u)
		return nil
	})
	return units, err
}

// NewUnit makes the public form of a unit from what its batch, lot and code say;
// the times are left zero.
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

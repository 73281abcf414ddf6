package resolver

import (
	"context"

	"mintage"
	"mintage/internal/bucket"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// unit is a minted unit that was asked for.
type unit struct {
	*subject

	batch   *mintage.Batch
	lot     mintage.Lot
	ordinal int64
	code    string
}

// id is the unit's public identifier.
func (u *unit) id() string { return u.subject.code + "-" + u.code }

// unit finds a unit by its code; nil where it was never issued.
func (r *Resolver) unit(ctx context.Context, s *subject, text string, client bucket.ID) (*unit, error) {
	// Serials that customers brought will be looked for here first, exactly as they are
	// written; for now every serial is a code of ours.
	if len(text) != serial.Length {
		return nil, nil
	}
	code, err := serial.ParseCode(text)
	if err != nil {
		return nil, nil
	}
	ordinal := s.cipher.Decrypt(code)
	if ordinal >= mintage.MaxProductUnits { // and so all that were never issued, but one in 2^29
		return nil, nil
	}
	u := &unit{subject: s, ordinal: int64(ordinal), code: text}
	if u.batch = s.batch(u.ordinal); u.batch == nil {
		if u.batch, err = r.lookUp(ctx, s, u.ordinal, code, client); u.batch == nil {
			return nil, err
		}
	}
	u.lot = u.batch.Lot(u.ordinal)
	return u, nil
}

// lookUp asks the database whether a unit was minted, and returns its batch; nil if it
// was not.
func (r *Resolver) lookUp(ctx context.Context, s *subject, ordinal int64, code serial.Code, client bucket.ID) (*mintage.Batch, error) {
	if err := r.misses.units.check(client); err != nil {
		return nil, err
	}
	var batch *mintage.Batch
	err := r.ask(ctx, r.store.For(s.brand), func(rd store.Reader) error {
		stored, err := rd.UnitCode(ctx, s.number, ordinal)
		if err != nil {
			return err
		}
		if stored != code {
			return mintage.Errorf(mintage.CodeNotFound, "The unit has another code.")
		}
		batch, err = rd.BatchByOrdinal(ctx, s.brand, s.number, ordinal)
		return err
	})
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		r.misses.units.miss(client)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.learn(s.item, batch)
	return batch, nil
}

// status returns what a unit is: from memory, where that cannot be wrong, else from
// the database. mayActivate says that the caller will try to activate a minted one,
// which tells as well.
func (r *Resolver) status(ctx context.Context, u *unit, mayActivate bool) (mintage.TokenStatus, error) {
	if u.card.covering(u.ordinal) != nil {
		return mintage.TokenRevoked, nil
	}
	born := u.batch.ActivationMode.Born()
	if r.fresh() {
		c := u.chunk(u.ordinal)
		if c == nil {
			r.loadLater(u.item, u.ordinal)
		} else if status, known := c.status(u.ordinal); known {
			c.resident.touch()
			if status == mintage.TokenMinted {
				status = born
			}
			if status != mintage.TokenMinted || mayActivate {
				return status, nil
			}
		}
	}
	states, err := r.states(ctx, u)
	if err != nil {
		return "", err
	}
	status := statusOf(states, born)
	if status == mintage.TokenActive && born == mintage.TokenMinted {
		u.activate(u.ordinal)
	}
	return status, nil
}

func (r *Resolver) states(ctx context.Context, u *unit) (states []mintage.UnitState, err error) {
	err = r.ask(ctx, r.store.For(u.brand), func(rd store.Reader) (err error) {
		states, err = rd.UnitStates(ctx, u.number, u.ordinal, u.ordinal+1)
		return err
	})
	return states, err
}

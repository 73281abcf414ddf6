package sqlite

import (
	"context"
	"slices"

	"mintage"
)

func (r reader) UnitStates(ctx context.Context, product, from, to int64) ([]mintage.UnitState, error) {
	return list(ctx, r.session, func(scan scanner) (u mintage.UnitState, err error) {
		err = scan(&u.ProductNumber, &u.Ordinal, &u.Status, timeInto{&u.At}, &u.Reason)
		return u, err
	}, `
		SELECT product_number, ordinal, status, at, reason FROM unit_states
		WHERE product_number = ? AND ordinal >= ? AND ordinal < ?
		ORDER BY ordinal, status`,
		product, from, to)
}

// ordinalsQuery asks the index of revocations, or else the primary key.
func ordinalsQuery(status mintage.TokenStatus) string {
	condition := ""
	switch status {
	case mintage.TokenRevoked:
		condition = ` AND status = 'revoked'`
	case mintage.TokenActive:
		condition = ` AND status = 'active'`
	case mintage.TokenMinted: // no row says so, and no condition means any
	}
	return `
		SELECT DISTINCT ordinal FROM unit_states
		WHERE product_number = ? AND ordinal >= ? AND ordinal < ?` + condition + `
		ORDER BY ordinal LIMIT ?`
}

func (r reader) StateOrdinals(ctx context.Context, product, from, to int64, status mintage.TokenStatus, limit int) ([]int64, error) {
	return list(ctx, r.session, integer, ordinalsQuery(status), product, from, to, max(limit, 1)) // a negative limit would be none
}

// ActivateUnits needs no lock, as nothing does here: the transaction is the only
// writer.
func (t *tx) ActivateUnits(ctx context.Context, units []mintage.UnitState) ([]bool, error) {
	return t.addStates(ctx, units, mintage.TokenActive, `
		WHERE NOT EXISTS (
			SELECT 1 FROM unit_states s
			WHERE s.product_number = u.column1 AND s.ordinal = u.column2 AND s.status = 'revoked'
		)`)
}

func (t *tx) RevokeUnits(ctx context.Context, units []mintage.UnitState) ([]bool, error) {
	return t.addStates(ctx, units, mintage.TokenRevoked, `WHERE true`) // without it the statement is ambiguous
}

// addStates adds the rows that the condition does not keep out and that are not there
// yet, and tells which those are.
func (t *tx) addStates(ctx context.Context, units []mintage.UnitState, status mintage.TokenStatus, condition string) ([]bool, error) {
	type unit struct{ product, ordinal int64 }
	results := make([]bool, 0, len(units))
	for chunk := range slices.Chunk(units, rowsPerStatement) {
		added := make(map[unit]bool, len(chunk))
		err := t.each(ctx, func(scan scanner) error {
			var u unit
			err := scan(&u.product, &u.ordinal)
			added[u] = true
			return err
		}, `
			INSERT INTO unit_states (product_number, ordinal, status, at, reason)
			SELECT * FROM (VALUES `+rowsOfValues(len(chunk), 5)+`) u `+condition+`
			ON CONFLICT DO NOTHING
			RETURNING product_number, ordinal`,
			valuesOf(chunk, func(u mintage.UnitState) []any {
				return []any{u.ProductNumber, u.Ordinal, status, text(u.At), u.Reason}
			})...)
		if err != nil {
			return nil, err
		}
		for _, u := range chunk {
			key := unit{u.ProductNumber, u.Ordinal}
			results = append(results, added[key])
			delete(added, key) // what comes again did nothing
		}
	}
	return results, nil
}

func (r reader) Recalls(ctx context.Context, brand, product int64) ([]*mintage.Recall, error) {
	return list(ctx, r.session, func(scan scanner) (*mintage.Recall, error) {
		c := &mintage.Recall{}
		err := scan(&c.BrandNumber, &c.ProductNumber, &c.BatchNumber, &c.FirstOrdinal, &c.Quantity, &c.Lot, &c.Reason, timeInto{&c.At})
		return c, err
	}, `
		SELECT brand_number, product_number, batch_number, first_ordinal, quantity, coalesce(lot, ''), reason, at
		FROM recalls WHERE brand_number = ? AND product_number = ? ORDER BY number`,
		brand, product)
}

func (t *tx) CreateRecall(ctx context.Context, c *mintage.Recall) error {
	added, err := t.exec(ctx, `
		INSERT INTO recalls (brand_number, product_number, batch_number, first_ordinal, quantity, lot, reason, at)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
		WHERE NOT EXISTS (SELECT 1 FROM recalls WHERE product_number = ?2 AND first_ordinal = ?4 AND quantity = ?5)`,
		c.BrandNumber, c.ProductNumber, c.BatchNumber, c.FirstOrdinal, c.Quantity, orNull(c.Lot), c.Reason, text(c.At))
	if err == nil && added == 0 {
		return conflict("These units have been recalled already.", nil)
	}
	return err
}

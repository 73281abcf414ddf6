package sqlite

import (
	"context"
	"iter"

	"mintage"
)

func (r reader) AllRecalls(ctx context.Context) iter.Seq2[mintage.Recall, error] {
	return rowsOf(ctx, r.session, "recalls", func(scan scanner, c *mintage.Recall) error {
		return lenient(scan, &c.BrandNumber, &c.ProductNumber, &c.BatchNumber, &c.FirstOrdinal, &c.Quantity, &c.Lot, &c.Reason, &c.At)
	}, `
		SELECT brand_number, product_number, batch_number, first_ordinal, quantity, coalesce(lot, ''), reason, at
		FROM recalls ORDER BY batch_number, number`)
}

func (r reader) AllUnitStates(ctx context.Context) iter.Seq2[mintage.UnitState, error] {
	return rowsOf(ctx, r.session, "unit_states", func(scan scanner, u *mintage.UnitState) error {
		return lenient(scan, &u.ProductNumber, &u.Ordinal, &u.Status, &u.At, &u.Reason)
	}, `SELECT product_number, ordinal, status, at, reason FROM unit_states ORDER BY product_number, ordinal, status`)
}

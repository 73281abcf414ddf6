package postgres

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/jackc/pgx/v5"

	"mintage"
)

func (t *tx) AllRecalls(ctx context.Context) iter.Seq2[mintage.Recall, error] {
	return rowsOf(ctx, t, "recalls", func(row pgx.Row) (*mintage.Recall, error) {
		r := new(mintage.Recall)
		return r, row.Scan(&r.BrandNumber, &r.ProductNumber, &r.BatchNumber, &r.FirstOrdinal, &r.Quantity, &r.Lot, &r.Reason, utc(&r.At))
	}, `
		SELECT brand_number, product_number, batch_number, first_ordinal, quantity, coalesce(lot, ''), reason, at
		FROM recalls ORDER BY batch_number, number`)
}

// AllUnitStates goes from product to product, as AllUnits does.
func (t *tx) AllUnitStates(ctx context.Context) iter.Seq2[mintage.UnitState, error] {
	return func(yield func(mintage.UnitState, error) bool) {
		for from := int64(math.MinInt32); ; {
			var product *int64
			err := t.get(ctx, []any{&product}, `SELECT min(product_number) FROM unit_states WHERE product_number >= $1::bigint`, from)
			if err != nil {
				yield(mintage.UnitState{}, err)
				return
			}
			if product == nil {
				return
			}
			states := rowsOf(ctx, t, "unit_states", func(row pgx.Row) (*mintage.UnitState, error) {
				u := new(mintage.UnitState)
				return u, row.Scan(&u.ProductNumber, &u.Ordinal, &u.Status, utc(&u.At), &u.Reason)
			}, fmt.Sprintf(`
				SELECT product_number, ordinal, status, at, reason FROM unit_states
				WHERE product_number = %d ORDER BY ordinal, status`, *product))
			for u, err := range states {
				if !yield(u, err) || err != nil {
					return
				}
			}
			if *product == math.MaxInt32 {
				return
			}
			from = *product + 1
		}
	}
}

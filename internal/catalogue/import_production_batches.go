package catalogue

import (
	"context"
	"io"
	"strconv"
	"strings"

	"mintage"
	"mintage/internal/store"
)

// ImportProductionBatches creates and changes production batches from a CSV file,
// in the way of ImportProducts.
func (s *Service) ImportProductionBatches(ctx context.Context, p mintage.Principal, r io.Reader, each func(Row) error) (Summary, error) {
	apply := func(ctx context.Context, tx store.Tx, r record) (key, result string, err error) {
		code := r.text("code")
		quantity, err := parseQuantity(r.text("quantity"))
		if err != nil {
			return "", "", err
		}
		_, result, err = s.putProductionBatch(ctx, tx, p, code, func(pb *mintage.ProductionBatch) error {
			if quantity != 0 {
				pb.Quantity = quantity
			}
			if status := r.text("status"); status != "" {
				pb.Status = mintage.ProductionBatchStatus(strings.ToUpper(status))
			}
			id, sku := r.text("product_id"), r.text("sku")
			if id != "" || sku != "" {
				return setProduct(ctx, tx, pb, id, sku)
			}
			if pb.ProductNumber == 0 {
				return invalid("product_id", "The row does not name the product of this new production batch; fill in its sku or product_id.")
			}
			return nil
		})
		return code, result, err
	}
	im := importer{service: s, principal: p, layout: productionLayout, apply: apply, each: each}
	return im.run(ctx, r)
}

// parseQuantity reads digits and nothing else: "1,200" is 1200 to some and 1.2 to
// others. An empty cell is 0, which no file can say.
func parseQuantity(cell string) (int64, error) {
	if cell == "" {
		return 0, nil
	}
	if strings.Trim(cell, "0123456789") != "" {
		return 0, invalid("quantity", "The quantity must be plain digits, such as 1200000: no separators, sign, decimals or exponent.")
	}
	n, err := strconv.ParseInt(cell, 10, 64)
	if err != nil || n < 1 || n > mintage.MaxProductionQuantity {
		return 0, invalid("quantity", "The quantity must be 1 to %d.", int64(mintage.MaxProductionQuantity))
	}
	return n, nil
}

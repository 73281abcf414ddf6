package mint

import (
	"context"

	"mintage"
	"mintage/internal/dpp"
	"mintage/internal/store"
)

// Readiness says for each of the products of the principal's brand what stands in the
// way of minting it, whatever the request: the reasons that [Service.Preflight] gives
// of the product alone. None: it is ready. The answer is in the products' order.
func (s *Service) Readiness(ctx context.Context, p mintage.Principal, products []*mintage.Product) (reasons [][]mintage.Reason, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		reasons = make([][]mintage.Reason, len(products))
		brand, err := r.BrandByNumber(ctx, p.BrandNumber)
		if err != nil {
			return err
		}
		schemas := map[string]*dpp.Schema{}
		for i, product := range products {
			f := facts{brand: brand, product: product}
			if product.GTIN != "" {
				if f.gtinOwner, err = r.GTINOwner(ctx, p.BrandNumber, product.GTIN); err != nil {
					return err
				}
			}
			schema, known := schemas[product.SchemaID]
			if !known {
				if schema, err = schemaOf(ctx, r, product); err != nil {
					return err
				}
				schemas[product.SchemaID] = schema
			}
			f.schema = schema
			reasons[i] = f.productReasons()
		}
		return nil
	})
	return reasons, err
}

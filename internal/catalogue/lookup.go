package catalogue

import (
	"context"

	"mintage"
	"mintage/internal/store"
)

// ProductBySKU returns a product by its SKU.
func (s *Service) ProductBySKU(ctx context.Context, p mintage.Principal, sku string) (product *mintage.Product, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		product, err = r.ProductBySKU(ctx, p.BrandNumber, sku)
		return err
	})
	return product, err
}

// ProductsByID returns those products that a list names, by their IDs. IDs of none, or
// of another brand's, are left out.
func (s *Service) ProductsByID(ctx context.Context, p mintage.Principal, ids []string) (found map[string]*mintage.Product, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		found, err = store.ByID(ctx, p.BrandNumber, ids, r.ProductByID)
		return err
	})
	return found, err
}

// ProductionBatchesByID is ProductsByID for production batches.
func (s *Service) ProductionBatchesByID(ctx context.Context, p mintage.Principal, ids []string) (found map[string]*mintage.ProductionBatch, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		found, err = store.ByID(ctx, p.BrandNumber, ids, r.ProductionBatchByID)
		return err
	})
	return found, err
}

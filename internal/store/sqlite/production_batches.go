package sqlite

import (
	"context"

	"mintage"
	"mintage/internal/store"
)

// productionQuery computes what is committed as the domain defines it: a FAILED
// job holds what it minted, any other one what it requested.
const productionQuery = `
	SELECT pb.number, pb.id, pb.brand_number, pb.code, pb.product_number, p.id, pb.quantity, pb.status,
		(
			SELECT coalesce(sum(CASE j.status WHEN 'FAILED' THEN b.minted_quantity ELSE b.requested_quantity END), 0)
			FROM mint_batches b JOIN mint_jobs j ON j.number = b.number
			WHERE b.production_batch_number = pb.number
		),
		pb.created_at, pb.updated_at
	FROM production_batches pb JOIN products p ON p.number = pb.product_number`

func scanProduction(scan scanner) (*mintage.ProductionBatch, error) {
	p := &mintage.ProductionBatch{}
	err := scan(&p.Number, &p.ID, &p.BrandNumber, &p.Code, &p.ProductNumber, &p.ProductID, &p.Quantity, &p.Status,
		&p.Committed, timeInto{&p.CreatedAt}, timeInto{&p.UpdatedAt})
	return p, err
}

func (r reader) ProductionBatchByID(ctx context.Context, brand int64, id string) (*mintage.ProductionBatch, error) {
	return one(ctx, r.session, scanProduction, productionQuery+` WHERE pb.brand_number = ? AND pb.id = ?`, brand, id)
}

func (r reader) ProductionBatchByCode(ctx context.Context, brand int64, code string) (*mintage.ProductionBatch, error) {
	return one(ctx, r.session, scanProduction, productionQuery+` WHERE pb.brand_number = ? AND pb.code = ?`, brand, code)
}

func (r reader) ProductionBatches(ctx context.Context, brand, product int64, page store.Page) ([]*mintage.ProductionBatch, error) {
	var w where
	w.and("pb.brand_number = ?", brand)
	if product != 0 {
		w.and("pb.product_number = ?", product)
	}
	clause, args := w.page("pb.number", page)
	return list(ctx, r.session, scanProduction, productionQuery+clause, args...)
}

// LockProductionBatch only reads: the transaction is the only writer.
func (t *tx) LockProductionBatch(ctx context.Context, brand int64, id string) (*mintage.ProductionBatch, error) {
	return t.ProductionBatchByID(ctx, brand, id)
}

func (t *tx) CreateProductionBatch(ctx context.Context, p *mintage.ProductionBatch) error {
	number, err := t.insert(ctx, `
		INSERT INTO production_batches (id, brand_number, code, product_number, quantity, status, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, p.BrandNumber, p.Code, p.ProductNumber, p.Quantity, p.Status, text(p.CreatedAt), text(p.UpdatedAt))
	if err == nil {
		p.Number = number
	}
	return err
}

func (t *tx) UpdateProductionBatch(ctx context.Context, p *mintage.ProductionBatch) error {
	return found(t.exec(ctx, `
		UPDATE production_batches SET product_number = ?, quantity = ?, status = ?, updated_at = ?
		WHERE number = ? AND brand_number = ?`,
		p.ProductNumber, p.Quantity, p.Status, text(p.UpdatedAt), p.Number, p.BrandNumber))
}

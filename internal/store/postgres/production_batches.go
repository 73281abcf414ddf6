package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/store"
)

// A FAILED job commits what it minted, any other one what it requested.
const selectProductionBatch = `
	SELECT pb.number, pb.id, pb.brand_number, pb.code, pb.product_number,
		(SELECT p.id FROM products p WHERE p.number = pb.product_number), pb.quantity, pb.status,
		pb.created_at, pb.updated_at, (
			SELECT coalesce(sum(
				CASE (SELECT j.status FROM mint_jobs j WHERE j.number = b.number)
					WHEN 'FAILED' THEN b.minted_quantity ELSE b.requested_quantity END
			), 0)::bigint
			FROM mint_batches b
			WHERE b.production_batch_number = pb.number
		)
	FROM production_batches pb`

func scanProductionBatch(row pgx.Row) (*mintage.ProductionBatch, error) {
	p := new(mintage.ProductionBatch)
	return p, row.Scan(&p.Number, &p.ID, &p.BrandNumber, &p.Code, &p.ProductNumber, &p.ProductID, &p.Quantity, &p.Status,
		utc(&p.CreatedAt), utc(&p.UpdatedAt), &p.Committed)
}

func (t *tx) ProductionBatchByID(ctx context.Context, brand int64, id string) (*mintage.ProductionBatch, error) {
	if !isID(id) {
		return nil, notFound()
	}
	return one(ctx, t, scanProductionBatch, selectProductionBatch+` WHERE pb.brand_number = $1 AND pb.id = $2::uuid`, brand, id)
}

func (t *tx) ProductionBatchByCode(ctx context.Context, brand int64, code string) (*mintage.ProductionBatch, error) {
	return one(ctx, t, scanProductionBatch, selectProductionBatch+` WHERE pb.brand_number = $1 AND pb.code = $2`, brand, code)
}

func (t *tx) ProductionBatches(ctx context.Context, brand, product int64, page store.Page) ([]*mintage.ProductionBatch, error) {
	c := conditions{args: []any{brand}}
	if product != 0 {
		c.and("pb.product_number = $%d", product)
	}
	c.page("pb.number", page)
	return many(ctx, t, scanProductionBatch, selectProductionBatch+` WHERE pb.brand_number = $1`+c.sql, c.args...)
}

// LockProductionBatch reads after it has locked, with a second statement: one
// statement would sum up what was committed before it began to wait.
func (t *tx) LockProductionBatch(ctx context.Context, brand int64, id string) (*mintage.ProductionBatch, error) {
	if !isID(id) {
		return nil, notFound()
	}
	var number int64
	err := t.get(ctx, []any{&number}, `
		SELECT number FROM production_batches
		WHERE brand_number = $1 AND id = $2::uuid
		FOR NO KEY UPDATE`, brand, id)
	if err != nil {
		return nil, err
	}
	return one(ctx, t, scanProductionBatch, selectProductionBatch+` WHERE pb.number = $1`, number)
}

func (t *tx) CreateProductionBatch(ctx context.Context, p *mintage.ProductionBatch) error {
	return t.get(ctx, []any{&p.Number}, `
		INSERT INTO production_batches (id, brand_number, code, product_number, quantity, status, created_at, updated_at)
		VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8)
		RETURNING number`,
		p.ID, p.BrandNumber, p.Code, p.ProductNumber, p.Quantity, string(p.Status), p.CreatedAt, p.UpdatedAt)
}

func (t *tx) UpdateProductionBatch(ctx context.Context, p *mintage.ProductionBatch) error {
	return t.change(ctx, `
		UPDATE production_batches SET product_number = $3, quantity = $4, status = $5, updated_at = $6
		WHERE brand_number = $1 AND number = $2`,
		p.BrandNumber, p.Number, p.ProductNumber, p.Quantity, string(p.Status), p.UpdatedAt)
}

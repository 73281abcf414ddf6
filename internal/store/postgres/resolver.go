package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/store"
)

// Bases goes through a door: whose host it is decides the brand.
func (t *tx) Bases(ctx context.Context, host string) ([]store.BaseRow, error) {
	return many(ctx, t, func(row pgx.Row) (b store.BaseRow, err error) {
		err = row.Scan(&b.Base, &b.BrandNumber)
		return b, err
	}, `SELECT base, brand_number FROM mintage_bases_of_host($1) ORDER BY base COLLATE "C"`, host)
}

// ProductByGTIN has what it looks for in a subquery of its own: a COALESCE that stands
// in the condition may not use an index before a policy.
func (t *tx) ProductByGTIN(ctx context.Context, brand int64, gtin string) (*mintage.Product, error) {
	return one(ctx, t, scanProduct, selectProduct+`
		WHERE brand_number = $1 AND number = (SELECT coalesce(
			(SELECT product_number FROM gtin_claims WHERE brand_number = $1 AND gtin = $2),
			(SELECT min(number) FROM products WHERE brand_number = $1 AND gtin = $2)
		))`, brand, gtin)
}

// selectBatch leaves the jobs out, which a resolver may not read.
const selectBatch = `SELECT b.number, b.brand_number, ` + batchColumns + ` FROM mint_batches b`

func scanBatch(row pgx.Row) (*mintage.Batch, error) {
	b := new(mintage.Batch)
	return b, row.Scan(append([]any{&b.Number, &b.BrandNumber}, batchFields(b)...)...)
}

func (t *tx) BatchByOrdinal(ctx context.Context, brand, product, ordinal int64) (*mintage.Batch, error) {
	b, err := one(ctx, t, scanBatch, selectBatch+whereOwnsOrdinal, brand, product, ordinal)
	if err != nil {
		return nil, err
	}
	if ordinal >= b.FirstOrdinal+b.RequestedQuantity {
		return nil, notFound()
	}
	return b, t.loadLots(ctx, b)
}

func (t *tx) LotsByCode(ctx context.Context, brand, product int64, code string, limit int) ([]*mintage.Batch, error) {
	batches, err := many(ctx, t, scanBatch, selectBatch+`
		WHERE b.brand_number = $1 AND b.number = ANY (ARRAY(
			SELECT batch_number FROM lots
			WHERE brand_number = $1 AND product_number = $2 AND code = $3
			ORDER BY batch_number DESC LIMIT $4
		))
		ORDER BY b.number DESC`, brand, product, code, int64(max(limit, 1)))
	if err != nil {
		return nil, err
	}
	return batches, t.loadLots(ctx, batches...)
}

// Changes goes through a door, since it looks at all brands.
func (t *tx) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	return many(ctx, t, func(row pgx.Row) (c store.Change, err error) {
		err = row.Scan(&c.Number, &c.BrandNumber, &c.ProductNumber, &c.Ordinal)
		return c, err
	}, `SELECT number, brand_number, product_number, ordinal FROM mintage_changes($1, $2)`, after, int64(max(limit, 1)))
}

package sqlite

import (
	"context"

	"mintage"
	"mintage/internal/store"
)

// Bases asks the primary key: what begins with a host has a slash after it, or
// nothing. ("0" is the character after the slash.)
func (r reader) Bases(ctx context.Context, host string) ([]store.BaseRow, error) {
	return list(ctx, r.session, func(scan scanner) (b store.BaseRow, err error) {
		err = scan(&b.Base, &b.BrandNumber)
		return b, err
	}, `
		SELECT base, brand_number FROM resolver_bases
		WHERE base IN ('https://' || ?1, 'http://' || ?1)
			OR base > 'https://' || ?1 || '/' AND base < 'https://' || ?1 || '0'
			OR base > 'http://' || ?1 || '/' AND base < 'http://' || ?1 || '0'
		ORDER BY base`, host)
}

func (r reader) ProductByGTIN(ctx context.Context, brand int64, gtin string) (*mintage.Product, error) {
	return one(ctx, r.session, scanProduct, `
		SELECT `+productColumns+` FROM products
		WHERE brand_number = ?1 AND number = coalesce(
			(SELECT product_number FROM gtin_claims WHERE brand_number = ?1 AND gtin = ?2),
			(SELECT min(number) FROM products WHERE brand_number = ?1 AND gtin = ?2)
		)`, brand, gtin)
}

func (r reader) BatchByOrdinal(ctx context.Context, brand, product, ordinal int64) (*mintage.Batch, error) {
	b, err := one(ctx, r.session, scanBatch, batchQuery+whereOwnsOrdinal, brand, product, ordinal)
	if err != nil {
		return nil, err
	}
	return b, r.loadLots(ctx, b)
}

const lotsByCodeQuery = batchQuery + `
	WHERE b.brand_number = ?1 AND b.number IN (SELECT batch_number FROM lots WHERE product_number = ?2 AND code = ?3)
	ORDER BY b.number DESC`

func (r reader) LotsByCode(ctx context.Context, brand, product int64, code string, limit int) ([]*mintage.Batch, error) {
	batches, err := list(ctx, r.session, scanBatch, lotsByCodeQuery+` LIMIT ?4`,
		brand, product, code, max(limit, 1)) // a negative limit would be none
	if err != nil {
		return nil, err
	}
	return batches, r.loadLots(ctx, batches...)
}

// changesQuery is spelt as in the index that it asks for, which has few events; the
// planner would take the primary key, which has them all.
const changesQuery = `
	SELECT number, brand_number,
		CASE WHEN kind IN ('product.created', 'product.updated', 'product.links_changed')
			THEN coalesce((SELECT p.number FROM products p WHERE p.id = subject_id), 0)
			ELSE coalesce(product_number, 0) END,
		CASE WHEN kind = 'unit.transition' THEN first_ordinal ELSE -1 END
	FROM events INDEXED BY events_changes
	WHERE number > ? AND (
		kind IN ('brand.created', 'brand.updated', 'brand.logo_changed', 'dpp_schema.stored',
			'product.created', 'product.updated', 'product.links_changed', 'mint_batch.recalled')
		OR kind = 'unit.transition' AND to_state = 'revoked'
	)
	ORDER BY number LIMIT ?`

func (r reader) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	return list(ctx, r.session, func(scan scanner) (c store.Change, err error) {
		err = scan(&c.Number, &c.BrandNumber, &c.ProductNumber, &c.Ordinal)
		return c, err
	}, changesQuery, after, max(limit, 1)) // a negative limit would be none
}

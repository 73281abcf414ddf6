package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/store"
)

const selectProduct = `
	SELECT number, id, brand_number, code, sku, name, coalesce(gtin, ''), commercial_status,
		coalesce(schema_id, ''), attributes, created_at, updated_at
	FROM products`

func scanProduct(row pgx.Row) (*mintage.Product, error) {
	p := new(mintage.Product)
	var attributes string
	err := row.Scan(&p.Number, &p.ID, &p.BrandNumber, &p.Code, &p.SKU, &p.Name, &p.GTIN, &p.Status,
		&p.SchemaID, &attributes, utc(&p.CreatedAt), utc(&p.UpdatedAt))
	p.Attributes = json.RawMessage(attributes)
	return p, err
}

func (t *tx) ProductByID(ctx context.Context, brand int64, id string) (*mintage.Product, error) {
	if !isID(id) {
		return nil, notFound()
	}
	return one(ctx, t, scanProduct, selectProduct+` WHERE brand_number = $1 AND id = $2::uuid`, brand, id)
}

func (t *tx) ProductBySKU(ctx context.Context, brand int64, sku string) (*mintage.Product, error) {
	return one(ctx, t, scanProduct, selectProduct+` WHERE brand_number = $1 AND sku = $2`, brand, sku)
}

func (t *tx) ProductByCode(ctx context.Context, brand int64, code string) (*mintage.Product, error) {
	return one(ctx, t, scanProduct, selectProduct+` WHERE brand_number = $1 AND code = $2`, brand, code)
}

func (t *tx) Products(ctx context.Context, brand int64, filter store.ProductFilter, page store.Page) ([]*mintage.Product, error) {
	c := conditions{args: []any{brand}}
	if filter.SKU != "" {
		c.and("sku = $%d", filter.SKU)
	}
	if filter.GTIN != "" {
		c.and("gtin = $%d", filter.GTIN)
	}
	if filter.Status != "" {
		c.and("commercial_status = $%d", string(filter.Status))
	}
	for _, word := range store.SearchWords(filter.Search) {
		c.args = append(c.args, word, word+store.WordEnd)
		c.sql += fmt.Sprintf(` AND EXISTS (
			SELECT FROM product_words w
			WHERE w.brand_number = $1 AND w.product_number = products.number AND w.word >= $%d AND w.word < $%d)`, len(c.args)-1, len(c.args))
	}
	c.page("number", page)
	return many(ctx, t, scanProduct, selectProduct+` WHERE brand_number = $1`+c.sql, c.args...)
}

// LockProduct locks the row against changes, but not against new rows that refer
// to it.
func (t *tx) LockProduct(ctx context.Context, brand int64, id string) (*mintage.Product, error) {
	if !isID(id) {
		return nil, notFound()
	}
	return one(ctx, t, scanProduct, selectProduct+` WHERE brand_number = $1 AND id = $2::uuid FOR NO KEY UPDATE`, brand, id)
}

func (t *tx) CreateProduct(ctx context.Context, p *mintage.Product) error {
	return t.get(ctx, []any{&p.Number}, `
		WITH created AS (
			INSERT INTO products (id, brand_number, code, sku, name, gtin, commercial_status, schema_id,
				attributes, created_at, updated_at)
			VALUES ($1::uuid, $2, $3, $4, $5, nullif($6::text, ''), $7, nullif($8::text, ''), $9, $10, $11)
			RETURNING number
		), found_by AS (
			INSERT INTO product_words (product_number, word, brand_number)
			SELECT number, word, $2 FROM created, unnest($12::text[]) word
		)
		SELECT number FROM created`,
		p.ID, p.BrandNumber, p.Code, p.SKU, p.Name, p.GTIN, string(p.Status), p.SchemaID,
		string(p.Attributes), p.CreatedAt, p.UpdatedAt, store.ProductWords(p))
}

func (t *tx) UpdateProduct(ctx context.Context, p *mintage.Product) error {
	err := t.change(ctx, `
		UPDATE products SET sku = $3, name = $4, gtin = nullif($5::text, ''), commercial_status = $6,
			schema_id = nullif($7::text, ''), attributes = $8, updated_at = $9
		WHERE brand_number = $1 AND number = $2`,
		p.BrandNumber, p.Number, p.SKU, p.Name, p.GTIN, string(p.Status),
		p.SchemaID, string(p.Attributes), p.UpdatedAt)
	if err != nil {
		return err
	}
	// A statement of its own: only after the lock does it see the words of whoever
	// held it before.
	_, err = t.exec(ctx, `
		WITH gone AS (DELETE FROM product_words WHERE product_number = $1 AND word <> ALL ($3::text[]))
		INSERT INTO product_words (product_number, word, brand_number)
		SELECT $1, word, $2 FROM unnest($3::text[]) word
		ON CONFLICT DO NOTHING`, p.Number, p.BrandNumber, store.ProductWords(p))
	return err
}

func (t *tx) GTINOwner(ctx context.Context, brand int64, gtin string) (int64, error) {
	owner, err := one(ctx, t, scanNumber, `
		SELECT product_number FROM gtin_claims WHERE brand_number = $1 AND gtin = $2`, brand, gtin)
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return *owner, nil
}

func scanNumber(row pgx.Row) (*int64, error) {
	n := new(int64)
	return n, row.Scan(n)
}

func (t *tx) NextOrdinal(ctx context.Context, product int64) (next int64, err error) {
	err = t.get(ctx, []any{&next}, `SELECT next_ordinal FROM products WHERE number = $1`, product)
	return next, err
}

const selectSchema = `SELECT id, document FROM dpp_schemas`

func scanSchema(row pgx.Row) (*store.Schema, error) {
	s := new(store.Schema)
	var document string
	err := row.Scan(&s.ID, &document)
	s.Document = []byte(document)
	return s, err
}

func (t *tx) SchemaByID(ctx context.Context, brand int64, id string) (*store.Schema, error) {
	return one(ctx, t, scanSchema, selectSchema+` WHERE brand_number = $1 AND id = $2`, brand, id)
}

func (t *tx) Schemas(ctx context.Context, brand int64) ([]*store.Schema, error) {
	return many(ctx, t, scanSchema, selectSchema+` WHERE brand_number = $1 ORDER BY id COLLATE "C"`, brand)
}

func (t *tx) PutSchema(ctx context.Context, brand int64, s *store.Schema) error {
	_, err := t.exec(ctx, `
		INSERT INTO dpp_schemas (brand_number, id, document) VALUES ($1, $2, $3)
		ON CONFLICT (brand_number, id) DO UPDATE SET document = EXCLUDED.document`,
		brand, s.ID, string(s.Document))
	return err
}

package sqlite

import (
	"context"
	"encoding/json"

	"mintage"
	"mintage/internal/store"
)

const productColumns = `number, id, brand_number, code, sku, name, coalesce(gtin, ''), commercial_status,
	coalesce(schema_id, ''), attributes, created_at, updated_at`

func scanProduct(scan scanner) (*mintage.Product, error) {
	p := &mintage.Product{}
	var attributes string
	err := scan(&p.Number, &p.ID, &p.BrandNumber, &p.Code, &p.SKU, &p.Name, &p.GTIN, &p.Status,
		&p.SchemaID, &attributes, timeInto{&p.CreatedAt}, timeInto{&p.UpdatedAt})
	p.Attributes = []byte(attributes)
	return p, err
}

func (r reader) ProductByID(ctx context.Context, brand int64, id string) (*mintage.Product, error) {
	return one(ctx, r.session, scanProduct, `SELECT `+productColumns+` FROM products WHERE brand_number = ? AND id = ?`, brand, id)
}

func (r reader) ProductBySKU(ctx context.Context, brand int64, sku string) (*mintage.Product, error) {
	return one(ctx, r.session, scanProduct, `SELECT `+productColumns+` FROM products WHERE brand_number = ? AND sku = ?`, brand, sku)
}

func (r reader) ProductByCode(ctx context.Context, brand int64, code string) (*mintage.Product, error) {
	return one(ctx, r.session, scanProduct, `SELECT `+productColumns+` FROM products WHERE brand_number = ? AND code = ?`, brand, code)
}

// foundBy are the products with a word from one up to another.
const foundBy = `number IN (SELECT product_number FROM product_words WHERE brand_number = ? AND word >= ? AND word < ?)`

func (r reader) Products(ctx context.Context, brand int64, filter store.ProductFilter, page store.Page) ([]*mintage.Product, error) {
	var w where
	w.and("brand_number = ?", brand)
	if filter.SKU != "" {
		w.and("sku = ?", filter.SKU)
	}
	if filter.GTIN != "" {
		w.and("gtin = ?", filter.GTIN)
	}
	if filter.Status != "" {
		w.and("commercial_status = ?", filter.Status)
	}
	for _, word := range store.SearchWords(filter.Search) {
		w.and(foundBy, brand, word, word+store.WordEnd)
	}
	clause, args := w.page("number", page)
	return list(ctx, r.session, scanProduct, `SELECT `+productColumns+` FROM products`+clause, args...)
}

// LockProduct only reads: the transaction is the only writer.
func (t *tx) LockProduct(ctx context.Context, brand int64, id string) (*mintage.Product, error) {
	return t.ProductByID(ctx, brand, id)
}

func (t *tx) CreateProduct(ctx context.Context, p *mintage.Product) error {
	number, err := t.insert(ctx, `
		INSERT INTO products (id, brand_number, code, sku, name, gtin, commercial_status, schema_id, attributes, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, p.BrandNumber, p.Code, p.SKU, p.Name, orNull(p.GTIN), p.Status, orNull(p.SchemaID), string(p.Attributes),
		text(p.CreatedAt), text(p.UpdatedAt))
	if err != nil {
		return err
	}
	p.Number = number
	return t.putProductWords(ctx, p)
}

// putProductWords brings the words that a product is found by to what they are now.
func (t *tx) putProductWords(ctx context.Context, p *mintage.Product) error {
	words, err := json.Marshal(store.ProductWords(p))
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `
		DELETE FROM product_words WHERE product_number = ? AND word NOT IN (SELECT value FROM json_each(?))`,
		p.Number, string(words)); err != nil {
		return err
	}
	_, err = t.exec(ctx, `
		INSERT INTO product_words (product_number, word, brand_number) SELECT ?, value, ? FROM json_each(?) WHERE true
		ON CONFLICT DO NOTHING`, p.Number, p.BrandNumber, string(words))
	return err
}

func (t *tx) UpdateProduct(ctx context.Context, p *mintage.Product) error {
	err := found(t.exec(ctx, `
		UPDATE products SET sku = ?, name = ?, gtin = ?, commercial_status = ?, schema_id = ?, attributes = ?, updated_at = ?
		WHERE number = ? AND brand_number = ?`,
		p.SKU, p.Name, orNull(p.GTIN), p.Status, orNull(p.SchemaID), string(p.Attributes), text(p.UpdatedAt),
		p.Number, p.BrandNumber))
	if err != nil {
		return err
	}
	return t.putProductWords(ctx, p)
}

func (r reader) NextOrdinal(ctx context.Context, product int64) (int64, error) {
	return one(ctx, r.session, integer, `SELECT next_ordinal FROM products WHERE number = ?`, product)
}

func (r reader) GTINOwner(ctx context.Context, brand int64, gtin string) (int64, error) {
	return one(ctx, r.session, integer, `
		SELECT coalesce(max(product_number), 0) FROM gtin_claims WHERE brand_number = ? AND gtin = ?`, brand, gtin)
}

func scanSchema(scan scanner) (*store.Schema, error) {
	s := &store.Schema{}
	var document string
	err := scan(&s.ID, &document)
	s.Document = []byte(document)
	return s, err
}

func (r reader) SchemaByID(ctx context.Context, brand int64, id string) (*store.Schema, error) {
	return one(ctx, r.session, scanSchema, `SELECT id, document FROM dpp_schemas WHERE brand_number = ? AND id = ?`, brand, id)
}

func (r reader) Schemas(ctx context.Context, brand int64) ([]*store.Schema, error) {
	return list(ctx, r.session, scanSchema, `SELECT id, document FROM dpp_schemas WHERE brand_number = ? ORDER BY id`, brand)
}

func (t *tx) PutSchema(ctx context.Context, brand int64, s *store.Schema) error {
	_, err := t.exec(ctx, `
		INSERT INTO dpp_schemas (brand_number, id, document) VALUES (?, ?, ?)
		ON CONFLICT (brand_number, id) DO UPDATE SET document = excluded.document`,
		brand, s.ID, string(s.Document))
	return err
}

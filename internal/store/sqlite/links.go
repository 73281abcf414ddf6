package sqlite

import (
	"context"

	"mintage"
)

func (r reader) Links(ctx context.Context, brand, product int64) ([]mintage.Link, error) {
	return list(ctx, r.session, func(scan scanner) (l mintage.Link, err error) {
		err = scan(&l.Type, &l.Href, &l.Title, &l.Language, &l.MediaType, &l.Context, &l.Default)
		return l, err
	}, `
		SELECT type, href, title, language, media_type, context, is_default FROM product_links
		WHERE brand_number = ? AND product_number = ? ORDER BY position`,
		brand, product)
}

func (t *tx) PutLinks(ctx context.Context, brand, product int64, links []mintage.Link) error {
	if _, err := one(ctx, t.session, integer, `SELECT number FROM products WHERE brand_number = ? AND number = ?`, brand, product); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM product_links WHERE product_number = ?`, product); err != nil {
		return err
	}
	position := -1
	return inserts(ctx, t.session, `
		INSERT INTO product_links (product_number, position, brand_number, type, href, title, language, media_type, context, is_default)
		VALUES `, links, func(l mintage.Link) []any {
		position++
		return []any{product, position, brand, l.Type, l.Href, l.Title, l.Language, l.MediaType, l.Context, l.Default}
	})
}

package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mintage"
)

const selectBrand = `
	SELECT number, id, name, resolver_base, gs1_required, over_issue_percent,
		lot_from_production_batch, admins_submit, sealed_key, created_at
	FROM brands`

func scanBrand(row pgx.Row) (*mintage.Brand, error) {
	b := new(mintage.Brand)
	return b, row.Scan(&b.Number, &b.ID, &b.Name, &b.ResolverBase, &b.GS1Required, &b.OverIssuePercent,
		&b.LotFromProductionBatch, &b.AdminsSubmit, &b.SealedKey, utc(&b.CreatedAt))
}

func (t *tx) BrandByNumber(ctx context.Context, number int64) (*mintage.Brand, error) {
	return one(ctx, t, scanBrand, selectBrand+` WHERE number = $1`, number)
}

func (t *tx) BrandByID(ctx context.Context, id string) (*mintage.Brand, error) {
	if !isID(id) {
		return nil, notFound()
	}
	return one(ctx, t, scanBrand, selectBrand+` WHERE id = $1::uuid`, id)
}

func (t *tx) Brands(ctx context.Context) ([]*mintage.Brand, error) {
	return many(ctx, t, scanBrand, selectBrand+` ORDER BY number`)
}

func (t *tx) CreateBrand(ctx context.Context, b *mintage.Brand) error {
	err := t.get(ctx, []any{&b.Number}, `
		INSERT INTO brands (id, name, resolver_base, gs1_required, over_issue_percent,
			lot_from_production_batch, admins_submit, sealed_key, created_at)
		VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8::bytea, $9)
		RETURNING number`,
		b.ID, b.Name, b.ResolverBase, b.GS1Required, b.OverIssuePercent,
		b.LotFromProductionBatch, b.AdminsSubmit, b.SealedKey, b.CreatedAt)
	if err != nil {
		return err
	}
	return t.takeBase(ctx, b)
}

func (t *tx) UpdateBrand(ctx context.Context, b *mintage.Brand) error {
	err := t.change(ctx, `
		UPDATE brands SET name = $2, resolver_base = $3, gs1_required = $4, over_issue_percent = $5,
			lot_from_production_batch = $6, admins_submit = $7
		WHERE number = $1`,
		b.Number, b.Name, b.ResolverBase, b.GS1Required, b.OverIssuePercent, b.LotFromProductionBatch, b.AdminsSubmit)
	if err != nil {
		return err
	}
	return t.takeBase(ctx, b)
}

// takeBase makes the resolver base the brand's for ever. The update changes
// nothing; it tells a base that is the brand's already from another brand's.
func (t *tx) takeBase(ctx context.Context, b *mintage.Brand) error {
	n, err := t.exec(ctx, `
		INSERT INTO resolver_bases (base, brand_number) VALUES ($1, $2)
		ON CONFLICT (base) DO UPDATE SET base = EXCLUDED.base
		WHERE resolver_bases.brand_number = EXCLUDED.brand_number`,
		b.ResolverBase, b.Number)
	if err == nil && n == 0 {
		return conflict("The resolver base belongs to another brand.")
	}
	return err
}

func (t *tx) APIKey(ctx context.Context, id string) (*mintage.APIKey, error) {
	return one(ctx, t, func(row pgx.Row) (*mintage.APIKey, error) {
		k := new(mintage.APIKey)
		return k, row.Scan(&k.ID, &k.BrandNumber, &k.Role, &k.Hash, utc(&k.CreatedAt), utc(&k.ExpiresAt), utc(&k.RevokedAt))
	}, `
		SELECT id, brand_number, role, hash, created_at, expires_at, revoked_at
		FROM api_keys WHERE id = $1`, id)
}

func (t *tx) CreateAPIKey(ctx context.Context, k *mintage.APIKey) error {
	_, err := t.exec(ctx, `
		INSERT INTO api_keys (id, brand_number, role, hash, created_at, expires_at, revoked_at)
		VALUES ($1, $2, $3, $4::bytea, $5, $6::timestamptz, $7::timestamptz)`,
		k.ID, k.BrandNumber, string(k.Role), k.Hash, k.CreatedAt, nullTime(k.ExpiresAt), nullTime(k.RevokedAt))
	return err
}

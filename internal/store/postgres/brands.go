package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
)

const (
	brandColumns = `b.number, b.id, b.name, b.resolver_base, b.gs1_required, b.over_issue_percent,
		b.lot_from_production_batch, b.admins_submit, b.tap_to_activate, b.default_identity_mode, b.default_activation_mode,
		b.cycle_size, b.accent_colour,
		EXISTS (SELECT FROM brand_logos l WHERE l.brand_number = b.number), b.sealed_key, b.created_at`
	selectBrand = `SELECT ` + brandColumns + ` FROM brands b`
)

func scanBrand(row pgx.Row) (*mintage.Brand, error) {
	b := new(mintage.Brand)
	return b, row.Scan(&b.Number, &b.ID, &b.Name, &b.ResolverBase, &b.GS1Required, &b.OverIssuePercent,
		&b.LotFromProductionBatch, &b.AdminsSubmit, &b.TapToActivate, &b.DefaultIdentityMode, &b.DefaultActivationMode,
		&b.CycleSize, &b.AccentColour, &b.HasLogo, &b.SealedKey, utc(&b.CreatedAt))
}

func (t *tx) BrandByNumber(ctx context.Context, number int64) (*mintage.Brand, error) {
	return one(ctx, t, scanBrand, selectBrand+` WHERE b.number = $1`, number)
}

func (t *tx) BrandByID(ctx context.Context, id string) (*mintage.Brand, error) {
	if !isID(id) {
		return nil, notFound()
	}
	return one(ctx, t, scanBrand, selectBrand+` WHERE b.id = $1::uuid`, id)
}

// Brands lists those that the role can see. Where policies apply, that is all of
// them until there is a first user, and then only the transaction's own.
func (t *tx) Brands(ctx context.Context) ([]*mintage.Brand, error) {
	return many(ctx, t, scanBrand,
		selectBrand+` UNION SELECT `+brandColumns+` FROM mintage_brands_before_users() b ORDER BY number`)
}

func (t *tx) BasesOf(ctx context.Context, brand int64) ([]string, error) {
	bases, err := many(ctx, t, func(row pgx.Row) (*string, error) { s := new(string); return s, row.Scan(s) },
		`SELECT base FROM resolver_bases WHERE brand_number = $1 ORDER BY base COLLATE "C"`, brand)
	if err != nil {
		return nil, err
	}
	return values(bases), nil
}

// CreateBrand also makes the new brand the transaction's, so that policies let it
// be stored. What follows in the transaction is then about that brand.
func (t *tx) CreateBrand(ctx context.Context, b *mintage.Brand) error {
	err := t.get(ctx, []any{&b.Number, nil}, `
		SELECT number, set_config('mintage.brand', number::text, true)
		FROM nextval(pg_get_serial_sequence('brands', 'number')) AS number`)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `
		INSERT INTO brands (number, id, name, resolver_base, gs1_required, over_issue_percent,
			lot_from_production_batch, admins_submit, tap_to_activate, default_identity_mode, default_activation_mode, cycle_size,
			accent_colour, sealed_key, created_at)
		OVERRIDING SYSTEM VALUE
		VALUES ($1, $2::uuid, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::bytea, $15)`,
		b.Number, b.ID, b.Name, b.ResolverBase, b.GS1Required, b.OverIssuePercent,
		b.LotFromProductionBatch, b.AdminsSubmit, b.TapToActivate, string(b.DefaultIdentityMode), string(b.DefaultActivationMode), b.CycleSize,
		b.AccentColour, b.SealedKey, b.CreatedAt)
	if err != nil {
		return err
	}
	return t.takeBase(ctx, b)
}

func (t *tx) UpdateBrand(ctx context.Context, b *mintage.Brand) error {
	err := t.change(ctx, `
		UPDATE brands SET name = $2, resolver_base = $3, gs1_required = $4, over_issue_percent = $5,
			lot_from_production_batch = $6, admins_submit = $7, tap_to_activate = $8,
			default_identity_mode = $9, default_activation_mode = $10, cycle_size = $11, accent_colour = $12
		WHERE number = $1`,
		b.Number, b.Name, b.ResolverBase, b.GS1Required, b.OverIssuePercent, b.LotFromProductionBatch, b.AdminsSubmit,
		b.TapToActivate, string(b.DefaultIdentityMode), string(b.DefaultActivationMode), b.CycleSize, b.AccentColour)
	if err != nil {
		return err
	}
	return t.takeBase(ctx, b)
}

// takeBase makes the resolver base the brand's for ever, unless it is already. A
// base that somebody else has, and may be invisible here, is asked for by its exact
// name.
func (t *tx) takeBase(ctx context.Context, b *mintage.Brand) error {
	n, err := t.exec(ctx, `
		INSERT INTO resolver_bases (base, brand_number)
		SELECT $1::text, $2::bigint
		WHERE NOT EXISTS (SELECT FROM resolver_bases WHERE base = $1::text AND brand_number = $2::bigint)
		ON CONFLICT (base) DO NOTHING`,
		b.ResolverBase, b.Number)
	if err != nil || n == 1 {
		return err
	}
	var owner int64
	if err := t.get(ctx, []any{&owner}, `SELECT mintage_brand_of_base($1)`, b.ResolverBase); err != nil {
		return err
	}
	if owner != b.Number {
		return conflict("The resolver base belongs to another brand.")
	}
	return nil
}

func (t *tx) Logo(ctx context.Context, brand int64) (image []byte, mediaType string, err error) {
	err = t.get(ctx, []any{&image, &mediaType}, `SELECT image, media_type FROM brand_logos WHERE brand_number = $1`, brand)
	return image, mediaType, err
}

func (t *tx) PutLogo(ctx context.Context, brand int64, image []byte, mediaType string) error {
	if len(image) == 0 {
		_, err := t.exec(ctx, `DELETE FROM brand_logos WHERE brand_number = $1`, brand)
		return err
	}
	_, err := t.exec(ctx, `
		INSERT INTO brand_logos (brand_number, image, media_type) VALUES ($1, $2::bytea, $3)
		ON CONFLICT (brand_number) DO UPDATE SET image = EXCLUDED.image, media_type = EXCLUDED.media_type`,
		brand, image, mediaType)
	return err
}

// keyColumns are those of the door and, joined to brands, of the table.
const keyColumns = `k.id, k.brand_number, k.role, k.hash, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, k.label,
	coalesce(k.successor, '')`

func scanAPIKey(row pgx.Row) (*mintage.APIKey, error) {
	k := new(mintage.APIKey)
	return k, row.Scan(&k.ID, &k.BrandNumber, &k.Role, &k.Hash, utc(&k.CreatedAt), utc(&k.ExpiresAt),
		utc(&k.RevokedAt), utc(&k.LastUsedAt), &k.Label, &k.Successor, &k.AdminsSubmit)
}

func (t *tx) APIKey(ctx context.Context, id string) (*mintage.APIKey, error) {
	return one(ctx, t, scanAPIKey, `SELECT `+keyColumns+`, k.admins_submit FROM mintage_api_key($1) k`, id)
}

func (t *tx) APIKeys(ctx context.Context, brand int64) ([]*mintage.APIKey, error) {
	return many(ctx, t, scanAPIKey, `
		SELECT `+keyColumns+`, b.admins_submit
		FROM api_keys k
		JOIN brands b ON b.number = k.brand_number
		WHERE k.brand_number = $1
		ORDER BY k.number DESC`, brand)
}

func (t *tx) CreateAPIKey(ctx context.Context, k *mintage.APIKey) error {
	_, err := t.exec(ctx, `
		INSERT INTO api_keys (id, brand_number, role, hash, created_at, expires_at, revoked_at, last_used_at, label, successor)
		VALUES ($1, $2, $3, $4::bytea, $5, $6::timestamptz, $7::timestamptz, $8::timestamptz, $9, nullif($10::text, ''))`,
		k.ID, k.BrandNumber, string(k.Role), k.Hash, k.CreatedAt, nullTime(k.ExpiresAt), nullTime(k.RevokedAt),
		nullTime(k.LastUsedAt), k.Label, k.Successor)
	return err
}

func (t *tx) UpdateAPIKey(ctx context.Context, k *mintage.APIKey) error {
	return t.change(ctx, `
		UPDATE api_keys SET expires_at = $3::timestamptz, revoked_at = $4::timestamptz, successor = nullif($5::text, '')
		WHERE brand_number = $1 AND id = $2`,
		k.BrandNumber, k.ID, nullTime(k.ExpiresAt), nullTime(k.RevokedAt), k.Successor)
}

func (t *tx) TouchAPIKey(ctx context.Context, brand int64, id string, at time.Time) error {
	return t.change(ctx, `UPDATE api_keys SET last_used_at = $3 WHERE brand_number = $1 AND id = $2`, brand, id, at)
}

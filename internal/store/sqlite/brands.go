package sqlite

import (
	"context"
	"time"

	"mintage"
)

const brandColumns = `
	number, id, name, resolver_base, gs1_required, over_issue_percent, lot_from_production_batch, admins_submit,
	tap_to_activate, default_identity_mode, default_activation_mode, cycle_size, accent_colour,
	EXISTS (SELECT 1 FROM brand_logos WHERE brand_number = number), sealed_key, created_at`

func scanBrand(scan scanner) (*mintage.Brand, error) {
	b := &mintage.Brand{}
	err := scan(&b.Number, &b.ID, &b.Name, &b.ResolverBase, &b.GS1Required, &b.OverIssuePercent,
		&b.LotFromProductionBatch, &b.AdminsSubmit, &b.TapToActivate, &b.DefaultIdentityMode, &b.DefaultActivationMode, &b.CycleSize,
		&b.AccentColour, &b.HasLogo, &b.SealedKey, timeInto{&b.CreatedAt})
	return b, err
}

func (r reader) BrandByNumber(ctx context.Context, number int64) (*mintage.Brand, error) {
	return one(ctx, r.session, scanBrand, `SELECT `+brandColumns+` FROM brands WHERE number = ?`, number)
}

func (r reader) BrandByID(ctx context.Context, id string) (*mintage.Brand, error) {
	return one(ctx, r.session, scanBrand, `SELECT `+brandColumns+` FROM brands WHERE id = ?`, id)
}

func (r reader) Brands(ctx context.Context) ([]*mintage.Brand, error) {
	return list(ctx, r.session, scanBrand, `SELECT `+brandColumns+` FROM brands ORDER BY number`)
}

func (r reader) BasesOf(ctx context.Context, brand int64) ([]string, error) {
	scanBase := func(scan scanner) (base string, err error) {
		err = scan(&base)
		return base, err
	}
	return list(ctx, r.session, scanBase, `SELECT base FROM resolver_bases WHERE brand_number = ? ORDER BY base`, brand)
}

func (t *tx) CreateBrand(ctx context.Context, b *mintage.Brand) error {
	number, err := t.insert(ctx, `
		INSERT INTO brands (id, name, resolver_base, gs1_required, over_issue_percent, lot_from_production_batch, admins_submit,
			tap_to_activate, default_identity_mode, default_activation_mode, cycle_size, accent_colour, sealed_key, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		b.ID, b.Name, b.ResolverBase, b.GS1Required, b.OverIssuePercent, b.LotFromProductionBatch, b.AdminsSubmit,
		b.TapToActivate, b.DefaultIdentityMode, b.DefaultActivationMode, b.CycleSize, b.AccentColour, b.SealedKey, text(b.CreatedAt))
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `INSERT INTO resolver_bases (base, brand_number) VALUES (?, ?)`, b.ResolverBase, number); err != nil {
		return err
	}
	b.Number = number
	return nil
}

func (t *tx) UpdateBrand(ctx context.Context, b *mintage.Brand) error {
	err := found(t.exec(ctx, `
		UPDATE brands SET name = ?, resolver_base = ?, gs1_required = ?, over_issue_percent = ?, lot_from_production_batch = ?,
			admins_submit = ?, tap_to_activate = ?, default_identity_mode = ?, default_activation_mode = ?, cycle_size = ?, accent_colour = ?
		WHERE number = ?`,
		b.Name, b.ResolverBase, b.GS1Required, b.OverIssuePercent, b.LotFromProductionBatch,
		b.AdminsSubmit, b.TapToActivate, b.DefaultIdentityMode, b.DefaultActivationMode, b.CycleSize, b.AccentColour, b.Number))
	if err != nil {
		return err
	}
	// The base may be the brand's already; another's meets the primary key.
	_, err = t.exec(ctx, `
		INSERT INTO resolver_bases (base, brand_number) SELECT ?1, ?2
		WHERE NOT EXISTS (SELECT 1 FROM resolver_bases WHERE base = ?1 AND brand_number = ?2)`,
		b.ResolverBase, b.Number)
	return err
}

func (r reader) Logo(ctx context.Context, brand int64) (image []byte, mediaType string, err error) {
	image, err = one(ctx, r.session, func(scan scanner) (image []byte, err error) {
		err = scan(&image, &mediaType)
		return image, err
	}, `SELECT image, media_type FROM brand_logos WHERE brand_number = ?`, brand)
	return image, mediaType, err
}

func (t *tx) PutLogo(ctx context.Context, brand int64, image []byte, mediaType string) error {
	if len(image) == 0 {
		_, err := t.exec(ctx, `DELETE FROM brand_logos WHERE brand_number = ?`, brand)
		return err
	}
	_, err := t.exec(ctx, `
		INSERT INTO brand_logos (brand_number, media_type, image) VALUES (?, ?, ?)
		ON CONFLICT (brand_number) DO UPDATE SET media_type = excluded.media_type, image = excluded.image`,
		brand, mediaType, image)
	return err
}

const keyColumns = `k.id, k.brand_number, k.role, k.hash, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, k.label,
	coalesce(k.successor, ''), b.admins_submit`

func scanAPIKey(scan scanner) (*mintage.APIKey, error) {
	k := &mintage.APIKey{}
	err := scan(&k.ID, &k.BrandNumber, &k.Role, &k.Hash, timeInto{&k.CreatedAt}, timeInto{&k.ExpiresAt},
		timeInto{&k.RevokedAt}, timeInto{&k.LastUsedAt}, &k.Label, &k.Successor, &k.AdminsSubmit)
	return k, err
}

func (r reader) APIKey(ctx context.Context, id string) (*mintage.APIKey, error) {
	return one(ctx, r.session, scanAPIKey, `
		SELECT `+keyColumns+` FROM api_keys k JOIN brands b ON b.number = k.brand_number
		WHERE k.id = ?`, id)
}

func (r reader) APIKeys(ctx context.Context, brand int64) ([]*mintage.APIKey, error) {
	return list(ctx, r.session, scanAPIKey, `
		SELECT `+keyColumns+` FROM api_keys k JOIN brands b ON b.number = k.brand_number
		WHERE k.brand_number = ? ORDER BY k.number DESC`, brand)
}

func (t *tx) CreateAPIKey(ctx context.Context, k *mintage.APIKey) error {
	_, err := t.exec(ctx, `
		INSERT INTO api_keys (id, brand_number, role, hash, created_at, expires_at, revoked_at, last_used_at, label, successor)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.BrandNumber, k.Role, k.Hash, text(k.CreatedAt), text(k.ExpiresAt), text(k.RevokedAt), text(k.LastUsedAt), k.Label, orNull(k.Successor))
	return err
}

func (t *tx) UpdateAPIKey(ctx context.Context, k *mintage.APIKey) error {
	return found(t.exec(ctx, `UPDATE api_keys SET expires_at = ?, revoked_at = ?, successor = ? WHERE brand_number = ? AND id = ?`,
		text(k.ExpiresAt), text(k.RevokedAt), orNull(k.Successor), k.BrandNumber, k.ID))
}

func (t *tx) TouchAPIKey(ctx context.Context, brand int64, id string, at time.Time) error {
	return found(t.exec(ctx, `UPDATE api_keys SET last_used_at = ? WHERE brand_number = ? AND id = ?`, text(at), brand, id))
}

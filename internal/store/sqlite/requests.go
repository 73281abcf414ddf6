package sqlite

import (
	"context"

	"mintage"
	"mintage/internal/store"
)

func (t *tx) ClaimKey(ctx context.Context, brand int64, key string, claim store.KeyClaim) (*store.KeyClaim, error) {
	taken, err := t.exec(ctx, `
		INSERT INTO idempotency_keys (brand_number, key, request_hash, job_id) VALUES (?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
		brand, key, claim.RequestHash, claim.JobID)
	if err != nil || taken == 1 {
		return nil, err
	}
	return t.KeyClaim(ctx, brand, key)
}

func (r reader) KeyClaim(ctx context.Context, brand int64, key string) (*store.KeyClaim, error) {
	return one(ctx, r.session, func(scan scanner) (*store.KeyClaim, error) {
		c := &store.KeyClaim{}
		err := scan(&c.RequestHash, &c.JobID)
		return c, err
	}, `SELECT request_hash, job_id FROM idempotency_keys WHERE brand_number = ? AND key = ?`, brand, key)
}

func (t *tx) ClaimGTIN(ctx context.Context, brand int64, gtin string, product int64) (owner int64, err error) {
	if _, err := t.exec(ctx, `
		INSERT INTO gtin_claims (brand_number, gtin, product_number) VALUES (?, ?, ?)
		ON CONFLICT DO NOTHING`,
		brand, gtin, product); err != nil {
		return 0, err
	}
	return t.GTINOwner(ctx, brand, gtin)
}

func (t *tx) ReleaseGTIN(ctx context.Context, brand int64, gtin string, product int64) error {
	_, err := t.exec(ctx, `
		DELETE FROM gtin_claims
		WHERE brand_number = ?1 AND gtin = ?2 AND product_number = ?3
			AND NOT EXISTS (
				SELECT 1 FROM mint_batches b JOIN mint_jobs j ON j.number = b.number
				WHERE b.brand_number = ?1 AND b.gtin = ?2 AND b.product_number = ?3
					AND (b.minted_quantity > 0 OR j.status NOT IN ('COMPLETED', 'FAILED'))
			)`,
		brand, gtin, product)
	return err
}

func (t *tx) ReserveOrdinals(ctx context.Context, product, quantity int64) (first int64, err error) {
	first, err = t.NextOrdinal(ctx, product)
	if err != nil {
		return 0, err
	}
	if quantity < 0 || quantity > mintage.MaxProductUnits-first {
		return 0, store.NoOrdinals(first)
	}
	_, err = t.exec(ctx, `UPDATE products SET next_ordinal = next_ordinal + ? WHERE number = ?`, quantity, product)
	return first, err
}

func (t *tx) CreateJob(ctx context.Context, j *mintage.Job, b *mintage.Batch) error {
	number, err := t.insert(ctx, `
		INSERT INTO mint_jobs (id, brand_number, status, consecutive_errors, last_error, cycle_limit, submitted_by,
			created_at, started_at, finished_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		j.ID, j.BrandNumber, j.Status, j.ConsecutiveErrors, j.LastError, j.CycleLimit, j.SubmittedBy,
		text(j.CreatedAt), text(j.StartedAt), text(j.FinishedAt))
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `
		INSERT INTO mint_batches (number, id, brand_number, product_number, production_batch_number, identity_mode, activation_mode,
			requested_quantity, minted_quantity, first_ordinal, resolver_base, gtin, product_code, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		number, b.ID, b.BrandNumber, b.ProductNumber, orNull(b.ProductionBatchNumber), b.IdentityMode, b.ActivationMode,
		b.RequestedQuantity, b.MintedQuantity, b.FirstOrdinal, b.ResolverBase, orNull(b.GTIN), b.ProductCode, text(b.CreatedAt)); err != nil {
		return err
	}
	for _, l := range b.Lots {
		if _, err := t.exec(ctx, `
			INSERT INTO lots (product_number, first_ordinal, quantity, batch_number, code, url_prefix, url_suffix)
			VALUES (?, ?, ?, ?, ?, ?, ?)`,
			b.ProductNumber, l.FirstOrdinal, l.Quantity, number, orNull(l.Code), l.URLPrefix, l.URLSuffix); err != nil {
			return err
		}
	}
	j.Number, b.Number = number, number
	t.submitted = true
	return nil
}

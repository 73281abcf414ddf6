package postgres

import (
	"context"

	"mintage"
	"mintage/internal/store"
)

func (t *tx) ClaimKey(ctx context.Context, brand int64, key string, claim store.KeyClaim) (*store.KeyClaim, error) {
	// The insert waits for another one of the same key to be committed or undone.
	n, err := t.exec(ctx, `
		INSERT INTO idempotency_keys (brand_number, key, request_hash, job_id)
		VALUES ($1, $2, $3::bytea, $4::uuid)
		ON CONFLICT DO NOTHING`,
		brand, key, claim.RequestHash, claim.JobID)
	if err != nil || n == 1 {
		return nil, err
	}
	return t.KeyClaim(ctx, brand, key)
}

func (t *tx) KeyClaim(ctx context.Context, brand int64, key string) (*store.KeyClaim, error) {
	var claim store.KeyClaim
	err := t.get(ctx, []any{&claim.RequestHash, &claim.JobID}, `
		SELECT request_hash, job_id FROM idempotency_keys WHERE brand_number = $1 AND key = $2`, brand, key)
	if err != nil {
		return nil, err
	}
	return &claim, nil
}

func (t *tx) ClaimGTIN(ctx context.Context, brand int64, gtin string, product int64) (int64, error) {
	// The update changes nothing. It returns the owner of a claim that is there
	// already, and locks it, so that it is not released before our job is seen.
	var owner int64
	err := t.get(ctx, []any{&owner}, `
		INSERT INTO gtin_claims AS c (brand_number, gtin, product_number) VALUES ($1, $2, $3)
		ON CONFLICT (brand_number, gtin) DO UPDATE SET gtin = EXCLUDED.gtin
		RETURNING product_number`,
		brand, gtin, product)
	return owner, err
}

func (t *tx) ReleaseGTIN(ctx context.Context, brand int64, gtin string, product int64) error {
	// First the lock, then the look: a submission that holds the claim may be
	// about to commit a job, which one statement would not see.
	n, err := t.exec(ctx, `
		SELECT FROM gtin_claims WHERE brand_number = $1 AND gtin = $2 AND product_number = $3
		FOR UPDATE`, brand, gtin, product)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec(ctx, `
		DELETE FROM gtin_claims c
		WHERE c.brand_number = $1 AND c.gtin = $2 AND c.product_number = $3
			AND NOT EXISTS (
				SELECT FROM mint_batches b
				JOIN mint_jobs j ON j.number = b.number
				WHERE b.brand_number = $1 AND b.product_number = $3 AND b.gtin = $2
					AND (b.minted_quantity > 0 OR j.status NOT IN ('COMPLETED', 'FAILED'))
			)`, brand, gtin, product)
	return err
}

func (t *tx) ReserveOrdinals(ctx context.Context, product, quantity int64) (int64, error) {
	var first int64
	err := t.get(ctx, []any{&first}, `
		UPDATE products SET next_ordinal = next_ordinal + $2
		WHERE number = $1 AND next_ordinal + $2 <= $3
		RETURNING next_ordinal - $2`,
		product, quantity, int64(mintage.MaxProductUnits))
	if mintage.ErrorCode(err) != mintage.CodeNotFound {
		return first, err
	}
	next, err := t.NextOrdinal(ctx, product)
	if err != nil {
		return 0, err
	}
	return 0, store.NoOrdinals(next)
}

func (t *tx) CreateJob(ctx context.Context, j *mintage.Job, b *mintage.Batch) error {
	err := t.get(ctx, []any{&j.Number}, `
		INSERT INTO mint_jobs (id, brand_number, status, consecutive_errors, last_error, cycle_limit,
			submitted_by, created_at, started_at, finished_at)
		VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10::timestamptz)
		RETURNING number`,
		j.ID, j.BrandNumber, string(j.Status), j.ConsecutiveErrors, j.LastError, j.CycleLimit,
		j.SubmittedBy, j.CreatedAt, nullTime(j.StartedAt), nullTime(j.FinishedAt))
	if err != nil {
		return err
	}
	b.Number = j.Number
	_, err = t.exec(ctx, `
		INSERT INTO mint_batches (number, id, brand_number, product_number, production_batch_number,
			identity_mode, activation_mode, requested_quantity, minted_quantity, first_ordinal,
			resolver_base, gtin, product_code, created_at)
		VALUES ($1, $2::uuid, $3, $4, nullif($5::bigint, 0), $6, $7, $8, $9, $10, $11, nullif($12::text, ''), $13, $14)`,
		b.Number, b.ID, b.BrandNumber, b.ProductNumber, b.ProductionBatchNumber,
		string(b.IdentityMode), string(b.ActivationMode), b.RequestedQuantity, b.MintedQuantity, b.FirstOrdinal,
		b.ResolverBase, b.GTIN, b.ProductCode, b.CreatedAt)
	if err != nil {
		return err
	}
	if err := t.insertLots(ctx, b); err != nil {
		return err
	}
	// Delivered when the transaction commits.
	_, err = t.exec(ctx, `SELECT pg_notify($1, '')`, submissions)
	return err
}

func (t *tx) insertLots(ctx context.Context, b *mintage.Batch) error {
	var firsts, quantities []int64
	var codes, prefixes, suffixes []string
	for _, l := range b.Lots {
		firsts, quantities = append(firsts, l.FirstOrdinal), append(quantities, l.Quantity)
		codes, prefixes, suffixes = append(codes, l.Code), append(prefixes, l.URLPrefix), append(suffixes, l.URLSuffix)
	}
	_, err := t.exec(ctx, `
		INSERT INTO lots (brand_number, product_number, first_ordinal, quantity, batch_number, code, url_prefix, url_suffix)
		SELECT $1, $2, first_ordinal, quantity, $3, nullif(code, ''), url_prefix, url_suffix
		FROM unnest($4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[])
			AS l (first_ordinal, quantity, code, url_prefix, url_suffix)`,
		b.BrandNumber, b.ProductNumber, b.Number, firsts, quantities, codes, prefixes, suffixes)
	return err
}

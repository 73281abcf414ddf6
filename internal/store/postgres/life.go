package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
)

// stateLock is the class of the advisory locks on the states of a product's units,
// in the form with two integers; see the package's documentation.
const stateLock = 1

// UnitStates reads the view, as UnitCode does.
func (t *tx) UnitStates(ctx context.Context, product, from, to int64) ([]mintage.UnitState, error) {
	return many(ctx, t, func(row pgx.Row) (u mintage.UnitState, err error) {
		err = row.Scan(&u.ProductNumber, &u.Ordinal, &u.Status, utc(&u.At), &u.Reason)
		return u, err
	}, `
		SELECT product_number, ordinal, status, at, reason FROM brand_unit_states
		WHERE product_number = $1 AND ordinal >= $2::bigint AND ordinal < $3::bigint
		ORDER BY ordinal, status`, product, from, to)
}

// ordinalsQuery asks the index of revocations, or else the primary key.
func ordinalsQuery(status mintage.TokenStatus) string {
	condition := ""
	switch status {
	case mintage.TokenRevoked:
		condition = ` AND status = 'revoked'`
	case mintage.TokenActive:
		condition = ` AND status = 'active'`
	case mintage.TokenMinted: // no row says so, and no condition means any
	}
	return `
		SELECT DISTINCT ordinal FROM brand_unit_states
		WHERE product_number = $1 AND ordinal >= $2::bigint AND ordinal < $3::bigint` + condition + `
		ORDER BY ordinal LIMIT $4`
}

// StateOrdinals reads the view in pieces, as EachUnit does and for the same reason.
func (t *tx) StateOrdinals(ctx context.Context, product, from, to int64, status mintage.TokenStatus, limit int) (ordinals []int64, err error) {
	query, limit := ordinalsQuery(status), max(limit, 1)
	for reach := int64(chunk); from < to && len(ordinals) < limit; reach *= 2 {
		upTo := to
		if reach < to-from {
			upTo = from + reach
		}
		more, err := many(ctx, t, func(row pgx.Row) (n int64, err error) {
			err = row.Scan(&n)
			return n, err
		}, query, product, from, upTo, int64(limit-len(ordinals)))
		if err != nil {
			return nil, err
		}
		ordinals, from = append(ordinals, more...), upTo
	}
	return ordinals, nil
}

// ActivateUnits and RevokeUnits find the brand's products, as far as the role can see
// them, and open the door once for each, in the order of their numbers.
const (
	byProduct = `
		WITH by_product AS (
			SELECT u.product, array_agg(u.ordinal ORDER BY u.ordinal) AS ordinals,
				array_agg(u.at ORDER BY u.ordinal) AS times, array_agg(u.reason ORDER BY u.ordinal) AS reasons
			FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::text[]) AS u (product, ordinal, at, reason)
			JOIN products p ON p.number = u.product
			GROUP BY u.product
			ORDER BY u.product
		)
		SELECT u.product, added.ordinal FROM by_product u CROSS JOIN LATERAL `
	activateUnits = byProduct + `mintage_activate_units(u.product, u.ordinals, u.times) AS added (ordinal)`
	revokeUnits   = byProduct + `mintage_revoke_units(u.product, u.ordinals, u.times, u.reasons) AS added (ordinal)`
)

// ActivateUnits shares the locks with others who activate. That two of these do not
// have the same unit is the primary key's affair: the second one waits for the first.
func (t *tx) ActivateUnits(ctx context.Context, units []mintage.UnitState) ([]bool, error) {
	return t.addStates(ctx, units, `SELECT pg_advisory_xact_lock_shared($1, n) FROM unnest($2::integer[]) n`, activateUnits)
}

// RevokeUnits has the locks for itself.
func (t *tx) RevokeUnits(ctx context.Context, units []mintage.UnitState) ([]bool, error) {
	return t.addStates(ctx, units, `SELECT pg_advisory_xact_lock($1, n) FROM unnest($2::integer[]) n`, revokeUnits)
}

// addStates takes the locks of the products and adds the rows that are not kept out,
// in one round trip. The locks are a statement of their own, so that the other one
// sees what was committed until they were there.
func (t *tx) addStates(ctx context.Context, units []mintage.UnitState, lock, insert string) ([]bool, error) {
	type unit struct{ product, ordinal int64 }
	positions := make(map[unit]int, len(units))
	var products, ordinals []int64
	var times []time.Time
	var reasons []string
	for i, u := range units {
		key := unit{u.ProductNumber, u.Ordinal}
		if _, again := positions[key]; again {
			continue
		}
		positions[key] = i
		products, ordinals = append(products, u.ProductNumber), append(ordinals, u.Ordinal)
		times, reasons = append(times, u.At), append(reasons, u.Reason)
	}
	added := make([]bool, len(units))
	if len(units) == 0 {
		return added, nil
	}
	// In one order, whoever locks: else two could wait for each other.
	locks := slices.Clone(products)
	slices.Sort(locks)
	t.goAhead(lock, int64(stateLock), slices.Compact(locks))
	rows, err := t.query(ctx, insert, products, ordinals, times, reasons)
	if err != nil {
		return nil, t.fail(ctx, err)
	}
	var u unit
	_, err = pgx.ForEachRow(rows, []any{&u.product, &u.ordinal}, func() error {
		added[positions[u]] = true
		return nil
	})
	if err != nil {
		return nil, t.fail(ctx, err)
	}
	return added, nil
}

func (t *tx) Recalls(ctx context.Context, brand, product int64) ([]*mintage.Recall, error) {
	return many(ctx, t, func(row pgx.Row) (*mintage.Recall, error) {
		r := new(mintage.Recall)
		return r, row.Scan(&r.BrandNumber, &r.ProductNumber, &r.BatchNumber, &r.FirstOrdinal, &r.Quantity, &r.Lot, &r.Reason, utc(&r.At))
	}, `
		SELECT brand_number, product_number, batch_number, first_ordinal, quantity, coalesce(lot, ''), reason, at
		FROM recalls WHERE brand_number = $1 AND product_number = $2 ORDER BY number`, brand, product)
}

func (t *tx) CreateRecall(ctx context.Context, r *mintage.Recall) error {
	n, err := t.exec(ctx, `
		INSERT INTO recalls (brand_number, product_number, batch_number, first_ordinal, quantity, lot, reason, at)
		VALUES ($1, $2, $3, $4, $5, nullif($6::text, ''), $7, $8)
		ON CONFLICT DO NOTHING`,
		r.BrandNumber, r.ProductNumber, r.BatchNumber, r.FirstOrdinal, r.Quantity, r.Lot, r.Reason, r.At)
	if err == nil && n == 0 {
		return conflict("These units have been recalled already.")
	}
	return err
}

func (t *tx) Links(ctx context.Context, brand, product int64) ([]mintage.Link, error) {
	return many(ctx, t, func(row pgx.Row) (l mintage.Link, err error) {
		err = row.Scan(&l.Type, &l.Href, &l.Title, &l.Language, &l.MediaType, &l.Context, &l.Default)
		return l, err
	}, `
		SELECT type, href, title, language, media_type, context, is_default
		FROM product_links WHERE brand_number = $1 AND product_number = $2 ORDER BY position`, brand, product)
}

func (t *tx) PutLinks(ctx context.Context, brand, product int64, links []mintage.Link) error {
	if _, err := one(ctx, t, scanNumber, `SELECT number FROM products WHERE brand_number = $1 AND number = $2`, brand, product); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM product_links WHERE product_number = $1`, product); err != nil || len(links) == 0 {
		return err
	}
	var types, hrefs, titles, languages, mediaTypes, contexts []string
	var defaults []bool
	for _, l := range links {
		types, hrefs, titles = append(types, l.Type), append(hrefs, l.Href), append(titles, l.Title)
		languages, mediaTypes, contexts = append(languages, l.Language), append(mediaTypes, l.MediaType), append(contexts, l.Context)
		defaults = append(defaults, l.Default)
	}
	_, err := t.exec(ctx, `
		INSERT INTO product_links (brand_number, product_number, position, type, href, title, language, media_type, context, is_default)
		SELECT $1, $2, position - 1, type, href, title, language, media_type, context, is_default
		FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[])
			WITH ORDINALITY AS l (type, href, title, language, media_type, context, is_default, position)`,
		brand, product, types, hrefs, titles, languages, mediaTypes, contexts, defaults)
	return err
}

package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/store"
)

// noOrdinal is the ordinal of a scan of no unit; it is stored as NULL.
const noOrdinal = -1

// Scans merges what two indexes have, and names the agent in words, not by a parameter:
// a plan for any parameter could use neither.
func (t *tx) Scans(ctx context.Context, product, ordinal int64, limit int) ([]*mintage.Scan, error) {
	return many(ctx, t, func(row pgx.Row) (*mintage.Scan, error) {
		s := new(mintage.Scan)
		return s, row.Scan(&s.ProductNumber, &s.Ordinal, utc(&s.At), &s.Network, &s.Agent, &s.Language, &s.Outcome)
	}, `
		SELECT product_number, ordinal, at, network, agent, language, outcome FROM (
			(SELECT * FROM brand_scans
			WHERE product_number = $1 AND ordinal = $2::bigint AND agent <> 'robot'
			ORDER BY at DESC LIMIT $3)
			UNION ALL
			(SELECT * FROM brand_scans
			WHERE product_number = $1 AND ordinal = $2::bigint AND agent = 'robot'
			ORDER BY at DESC LIMIT $3)
		) s
		ORDER BY at DESC LIMIT $3`, product, ordinal, int64(limit))
}

func (t *tx) ScanNetworks(ctx context.Context, product, ordinal int64, since time.Time) (int64, error) {
	var networks int64
	err := t.get(ctx, []any{&networks}, `
		SELECT count(DISTINCT network) FROM (
			SELECT network FROM brand_scans
			WHERE product_number = $1 AND ordinal = $2::bigint AND agent <> 'robot' AND at >= $3
			ORDER BY at DESC LIMIT $4
		) s`, product, ordinal, since, int64(mintage.SignalScans))
	return networks, err
}

// AppendScans stores them and counts those of people, in one statement.
// A product that the role cannot see, or that is not there, is NOT_FOUND; 0 is none.
func (t *tx) AppendScans(ctx context.Context, scans []mintage.Scan) error {
	if len(scans) == 0 {
		return nil
	}
	var products []int64
	var ordinals []*int64
	var times []time.Time
	var networks, agents, languages, outcomes []string
	for _, s := range scans {
		var ordinal *int64
		if s.Ordinal != noOrdinal {
			ordinal = &s.Ordinal
		}
		products, ordinals, times = append(products, s.ProductNumber), append(ordinals, ordinal), append(times, s.At)
		networks, agents = append(networks, s.Network), append(agents, string(s.Agent))
		languages, outcomes = append(languages, s.Language), append(outcomes, string(s.Outcome))
	}
	n, err := t.exec(ctx, `
		WITH scanned AS MATERIALIZED (
			SELECT s.*, p.brand_number
			FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])
				AS s (product_number, ordinal, at, network, agent, language, outcome)
			LEFT JOIN products p ON p.number = s.product_number
			WHERE s.product_number = 0 OR p.number IS NOT NULL
		), counted AS (
			INSERT INTO day_counts AS d (brand_number, day, scans)
			SELECT brand_number, (at AT TIME ZONE 'UTC')::date AS day, count(*)
			FROM scanned WHERE brand_number IS NOT NULL AND agent <> $8
			GROUP BY brand_number, day ORDER BY brand_number, day
			ON CONFLICT (brand_number, day) DO UPDATE SET scans = d.scans + EXCLUDED.scans
		)
		INSERT INTO scans (product_number, ordinal, at, network, agent, language, outcome)
		SELECT product_number, ordinal, at, network, agent, language, outcome FROM scanned`,
		products, ordinals, times, networks, agents, languages, outcomes, string(mintage.AgentRobot))
	if err == nil && n < int64(len(scans)) {
		return notFound()
	}
	return err
}

func (t *tx) DailyCounts(ctx context.Context, brand int64, from time.Time) ([]store.DailyCount, error) {
	return many(ctx, t, func(row pgx.Row) (c store.DailyCount, err error) {
		err = row.Scan(utc(&c.Day), &c.Minted, &c.Activated, &c.Revoked, &c.Scans)
		return c, err
	}, `
		SELECT day::timestamp AT TIME ZONE 'UTC', minted, activated, revoked, scans
		FROM day_counts
		WHERE brand_number = $1 AND day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
		ORDER BY day`, brand, from)
}

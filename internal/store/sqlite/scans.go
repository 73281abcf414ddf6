package sqlite

import (
	"context"
	"time"

	"mintage"
)

// noOrdinal is the ordinal of a scan of no unit; it is stored as NULL.
const noOrdinal = -1

// scansQuery merges what two indexes have, each in the order of storing.
const scansQuery = `
	SELECT product_number, ordinal, at, network, agent, language, outcome FROM (
		SELECT * FROM (SELECT *, rowid AS place FROM scans
			WHERE product_number = ?1 AND ordinal = ?2 AND agent <> 'robot' ORDER BY rowid DESC LIMIT ?3)
		UNION ALL
		SELECT * FROM (SELECT *, rowid AS place FROM scans
			WHERE product_number = ?1 AND ordinal = ?2 AND agent = 'robot' ORDER BY rowid DESC LIMIT ?3)
	) ORDER BY place DESC LIMIT ?3`

const scanNetworksQuery = `
	SELECT count(DISTINCT network) FROM (
		SELECT network, at FROM scans
		WHERE product_number = ?1 AND ordinal = ?2 AND agent <> 'robot' ORDER BY rowid DESC LIMIT ?3
	) WHERE at >= ?4`

func (r reader) Scans(ctx context.Context, product, ordinal int64, limit int) ([]*mintage.Scan, error) {
	return list(ctx, r.session, func(scan scanner) (*mintage.Scan, error) {
		s := &mintage.Scan{}
		err := scan(&s.ProductNumber, &s.Ordinal, timeInto{&s.At}, &s.Network, &s.Agent, &s.Language, &s.Outcome)
		return s, err
	}, scansQuery, product, ordinal, max(limit, 1)) // a negative limit would be none
}

func (r reader) ScanNetworks(ctx context.Context, product, ordinal int64, since time.Time) (int64, error) {
	return one(ctx, r.session, integer, scanNetworksQuery, product, ordinal, mintage.SignalScans, text(since))
}

// AppendScans counts the scans of people as it stores them all.
func (t *tx) AppendScans(ctx context.Context, scans []mintage.Scan) error {
	err := inserts(ctx, t.session, `
		INSERT INTO scans (product_number, ordinal, at, network, agent, language, outcome) VALUES `,
		scans, func(s mintage.Scan) []any {
			var ordinal any = s.Ordinal
			if s.Ordinal == noOrdinal {
				ordinal = nil
			}
			return []any{s.ProductNumber, ordinal, text(s.At), s.Network, s.Agent, s.Language, s.Outcome}
		})
	if err != nil {
		return err
	}
	for c, scans := range countScans(scans) {
		err := found(t.exec(ctx, `
			INSERT INTO day_counts (brand_number, day, scans) SELECT brand_number, ?, ? FROM products WHERE number = ?
			ON CONFLICT (brand_number, day) DO UPDATE SET scans = scans + excluded.scans`,
			c.day, scans, c.product))
		if err != nil {
			return err
		}
	}
	return nil
}

// productDay is a product and a day, UTC.
type productDay struct {
	product int64
	day     string
}

// countScans counts the scans that were not a robot's: 0 of them for a product that only
// robots asked for. Of no product, there is nothing to count.
func countScans(scans []mintage.Scan) map[productDay]int64 {
	counts := make(map[productDay]int64)
	for _, s := range scans {
		if s.ProductNumber == 0 {
			continue
		}
		c := productDay{s.ProductNumber, s.At.UTC().Format(time.DateOnly)}
		if s.Agent == mintage.AgentRobot {
			counts[c] += 0
		} else {
			counts[c]++
		}
	}
	return counts
}

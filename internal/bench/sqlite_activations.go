package bench

import (
	"context"
	"time"
)

// activations runs one transaction for each unit on one connection, with prepared
// statements: SQLite writes one transaction at a time, however many ask.
func (s *sqliteBench) activations(ctx context.Context, a activations) (perSecond float64, by string, err error) {
	conn, err := s.inside.Conn(ctx)
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	state, err := conn.PrepareContext(ctx, `INSERT INTO unit_states (product_number, ordinal, status, at, reason) VALUES (?, ?, 'active', ?, '')`)
	if err != nil {
		return 0, "", err
	}
	defer state.Close()
	event, err := conn.PrepareContext(ctx, `
		INSERT INTO events (brand_number, at, kind, actor, address_class, request_id, subject_id, batch_number, product_number, first_ordinal, quantity, from_state, to_state)
		VALUES (?, ?, 'unit.transition', 'scan', 'loopback', 'AAAAAAAAAAAAAAAAAAAAAAAAAA', '00000000-000000000000', ?, ?, ?, 1, 'minted', 'active')`)
	if err != nil {
		return 0, "", err
	}
	defer event.Close()
	var done int64
	// A context that can end costs a goroutine a statement; this one ends soon by itself.
	ctx = context.WithoutCancel(ctx)
	started := time.Now()
	for time.Since(started) < a.duration {
		at, ordinal := now().Format("2006-01-02T15:04:05.000000Z"), a.first+done
		if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
			return 0, "", err
		}
		_, err := state.ExecContext(ctx, a.product, ordinal, at)
		if err == nil {
			_, err = event.ExecContext(ctx, a.brand, at, a.batch, a.product, ordinal)
		}
		if err == nil {
			_, err = conn.ExecContext(ctx, `COMMIT`)
		}
		if err != nil {
			return 0, "", err // the benchmark ends, and with it the transaction
		}
		done++
	}
	return rate(done, time.Since(started)), "loop", nil
}

package sqlite

import (
	"context"

	"mintage/internal/store"
)

// For returns the store itself: SQLite has no roles, so that the queries' own
// brand is the only wall.
func (s *Store) For(int64) store.Transactions { return s }

// Restricted is false: see For.
func (s *Store) Restricted(context.Context) (bool, error) { return false, nil }

// EventHorizon implements [store.Store]. It is the last number that was given
// out in a committed transaction: writers come one after another, so that the one
// that is open, and all that come, have higher ones.
func (s *Store) EventHorizon(ctx context.Context) (last int64, err error) {
	if err := s.requireSchema(ctx); err != nil {
		return 0, err
	}
	err = s.read(ctx, s.watch, func(r *session) error {
		last, err = one(ctx, r, integer, `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'`)
		return err
	})
	return last, err
}

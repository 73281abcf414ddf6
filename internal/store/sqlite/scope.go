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

// EventHorizon is the highest number there is: writers come one after another.
func (s *Store) EventHorizon(ctx context.Context) (int64, error) { panic("not written yet") }

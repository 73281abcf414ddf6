package postgres

import (
	"context"

	"mintage/internal/store"
)

// For is not written yet.
func (s *Store) For(int64) store.Transactions { return s }

// Restricted is not written yet.
func (s *Store) Restricted(context.Context) (bool, error) { return false, nil }

// EventHorizon is not written yet.
func (s *Store) EventHorizon(context.Context) (int64, error) { panic("not written yet") }

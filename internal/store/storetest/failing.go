package storetest

import (
	"context"

	"mintage/internal/store"
)

// FailInserts is s, with cycles that fail where fail returns an error. Half of
// their slice has been inserted by then, so that a rollback has something to undo.
func FailInserts(s store.Store, fail func(context.Context, store.Slice) error) store.Store {
	return &failing{s, fail}
}

type failing struct {
	store.Store
	fail func(context.Context, store.Slice) error
}

func (f *failing) InTx(ctx context.Context, fn func(store.Tx) error) error {
	return f.Store.InTx(ctx, func(tx store.Tx) error { return fn(&failingTx{tx, f.fail}) })
}

type failingTx struct {
	store.Tx
	fail func(context.Context, store.Slice) error
}

func (f *failingTx) InsertUnits(ctx context.Context, batch, expected int64, s store.Slice) error {
	failed := f.fail(ctx, s)
	if failed == nil {
		return f.Tx.InsertUnits(ctx, batch, expected, s)
	}
	if ctx.Err() != nil {
		return failed
	}
	half := s
	half.Codes = s.Codes[:(len(s.Codes)+1)/2]
	if err := f.Tx.InsertUnits(ctx, batch, expected, half); err != nil {
		return err
	}
	return failed
}

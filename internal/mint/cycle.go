package mint

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"mintage"
	"mintage/internal/store"
)

// step runs one transaction of the engine: it claims the oldest runnable job and
// reserves it or mints its next slice. It reports whether there was one.
func (e *Engine) step(ctx context.Context) (worked bool, err error) {
	// A transaction that outlives the limit is ended by the database. Should the
	// connection have died without a word, only our own clock can tell.
	ctx, cancel := context.WithTimeout(ctx, e.HungAfter*4/3)
	defer cancel()
	var minted int64
	err = e.store.InTx(ctx, func(tx store.Tx) error {
		w, err := tx.ClaimJob(ctx)
		worked, minted = w != nil, 0
		switch {
		case err != nil || w == nil:
			return err
		case w.Job.Status == mintage.JobQueued:
			return e.move(ctx, tx, w, mintage.JobReserved)
		default:
			before := w.Batch.MintedQuantity
			err := e.cycle(ctx, tx, w)
			minted = w.Batch.MintedQuantity - before
			return err
		}
	})
	switch {
	case err == nil:
		e.minted.Add(minted)
		if minted > 0 {
			e.size = min(e.CycleSize, 2*e.size)
		}
	case mintage.ErrorCode(err) == mintage.CodeRetry:
		return true, nil // lost races again and again: simply the next step
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		if worked { // a claim came through: the place is slow, not gone
			e.size = max(1, e.size/2)
		}
		err = mintage.Errorf(mintage.CodeUnavailable, "The database did not finish a cycle in time.").WithCause(err)
	}
	return worked, err
}

// cycle mints the next slice of a claimed job, or counts a strike against it.
func (e *Engine) cycle(ctx context.Context, tx store.Tx, w *store.Work) error {
	before := *w
	err := tx.Savepoint(ctx, func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				e.Log.Error("a cycle panics", "job", w.Job.ID, "panic", r, "stack", string(debug.Stack()))
				err = mintage.Errorf(mintage.CodeInternal, "The cycle was stopped by a fault of the program.")
			}
		}()
		return e.mintSlice(ctx, tx, w)
	})
	if err == nil || !isStrike(ctx, err) {
		return err
	}
	*w = before
	return e.strike(ctx, tx, w, err)
}

// isStrike tells an error of the job from one of the place or of a lost race.
func isStrike(ctx context.Context, err error) bool {
	switch mintage.ErrorCode(err) {
	case mintage.CodeUnavailable, mintage.CodeUnknown, mintage.CodeRetry, mintage.CodeOldSchema:
		return false
	default:
		return ctx.Err() == nil
	}
}

func (e *Engine) mintSlice(ctx context.Context, tx store.Tx, w *store.Work) error {
	b := &w.Batch
	size := int64(min(e.size, w.Job.CycleLimit))
	count := min(size, b.Remaining())
	cipher, err := e.keys.Cipher(ctx, tx, b.BrandNumber, b.ProductCode)
	if err != nil {
		return err
	}
	slice := store.Slice{Product: b.ProductNumber, First: b.NextOrdinal()}
	slice.Codes = e.codes.make(cipher, b.ProductCode, slice.First, count)
	next, ahead := slice.First+count, min(size, b.Remaining()-count)
	slice.Writing = func() { e.codes.prepare(cipher, b.ProductCode, next, ahead) }
	if err := tx.InsertUnits(ctx, b.Number, b.MintedQuantity, slice); err != nil {
		return err
	}
	b.MintedQuantity += count
	if w.Job.ConsecutiveErrors > 0 {
		w.Job.ConsecutiveErrors = 0
		if err := tx.ClearStrikes(ctx, &w.Job); err != nil {
			return err
		}
	}
	if w.Job.Status == mintage.JobReserved {
		if err := e.move(ctx, tx, w, mintage.JobProcessing); err != nil {
			return err
		}
	}
	done := eventOf(w, mintage.EventBatchCycle, e.principal(), e.Now())
	done.ProductNumber, done.FirstOrdinal, done.Quantity = slice.Product, slice.First, count
	if err := tx.AppendEvent(ctx, done); err != nil {
		return err
	}
	if b.Remaining() > 0 {
		return nil
	}
	return e.move(ctx, tx, w, mintage.JobCompleted)
}

// strike counts a failed cycle; the third in a row fails the job. What the job
// minted stays, what it did not is free again.
func (e *Engine) strike(ctx context.Context, tx store.Tx, w *store.Work, cause error) error {
	next := w.Job.Strike(strikeMessage(cause))
	e.Log.Warn("a cycle failed", "job", w.Job.ID, "consecutive_errors", w.Job.ConsecutiveErrors, "error", cause)

	failed := eventOf(w, mintage.EventJobStrike, e.principal(), e.Now())
	failed.Message = fmt.Sprintf("Strike %d of %d in a row: %s", w.Job.ConsecutiveErrors, mintage.MaxStrikes, w.Job.LastError)
	if err := tx.AppendEvent(ctx, failed); err != nil {
		return err
	}
	if next != mintage.JobFailed {
		return tx.RecordStrike(ctx, &w.Job, e.Waits[w.Job.ConsecutiveErrors-1])
	}
	if err := e.move(ctx, tx, w, mintage.JobFailed); err != nil {
		return err
	}
	if w.Batch.GTIN == "" {
		return nil
	}
	// Under the product's lock, so that a submission that relies on the claim is
	// either seen or waits.
	p, err := tx.LockProduct(ctx, w.Batch.BrandNumber, w.Batch.ProductID)
	if err != nil {
		return err
	}
	return tx.ReleaseGTIN(ctx, p.BrandNumber, w.Batch.GTIN, p.Number)
}

// strikeMessage is what a person may read of a failed cycle: the message and its
// cause, which speaks of this job's own rows only.
func strikeMessage(err error) string {
	const limit = 500
	message := mintage.ErrorMessage(err)
	if cause := errors.Unwrap(err); cause != nil {
		message += " (" + cause.Error() + ")"
	}
	if len(message) > limit {
		message = message[:limit]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(message, "\x00", ""), "")
}

// move takes the job to its next state, with its times and events.
func (e *Engine) move(ctx context.Context, tx store.Tx, w *store.Work, next mintage.JobStatus) error {
	from, now := w.Job.Status, e.Now()
	if next == mintage.JobProcessing {
		w.Job.StartedAt = now
	}
	if next.Final() {
		w.Job.FinishedAt = now
	}
	if err := tx.MoveJob(ctx, &w.Job, next); err != nil {
		return err
	}
	w.Batch.Status = next.Batch()
	return appendTransition(ctx, tx, w, from, e.principal(), now)
}

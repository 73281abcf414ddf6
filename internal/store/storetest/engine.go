package storetest

import (
	"context"
	"fmt"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Actor is who the fixture's events name.
const Actor = "worker:test"

// Mint mints the next n units of the oldest runnable job, or those that remain,
// in as few cycles as possible, and returns the job as it then stands. With n
// 0 it only claims the job.
func (f *Fixture) Mint(n int64) *store.Work {
	f.t.Helper()
	w := f.Claim()
	for n > 0 && !w.Job.Status.Final() {
		job := w.Job.Number
		f.inTx(func(ctx context.Context, tx store.Tx) (err error) {
			if w, err = tx.ClaimJob(ctx); err != nil {
				return err
			}
			if w == nil || w.Job.Number != job {
				return fmt.Errorf("job %d is no longer the oldest runnable one", job)
			}
			return f.Cycle(ctx, tx, w, n)
		})
		n -= mintage.MaxCycle
	}
	return w
}

// Claim reserves the oldest runnable job, as a worker does before its first
// cycle.
func (f *Fixture) Claim() *store.Work {
	f.t.Helper()
	var w *store.Work
	f.inTx(func(ctx context.Context, tx store.Tx) (err error) {
		if w, err = tx.ClaimJob(ctx); err != nil {
			return err
		}
		if w == nil {
			return fmt.Errorf("there is no runnable job")
		}
		if w.Job.Status != mintage.JobQueued {
			return nil
		}
		return f.Move(ctx, tx, w, mintage.JobReserved)
	})
	return w
}

// Cycle mints the next n units of a claimed job, or those that remain, in the
// caller's transaction. w is as ClaimJob returned it and follows.
func (f *Fixture) Cycle(ctx context.Context, tx store.Tx, w *store.Work, n int64) error {
	slice, err := f.Slice(ctx, tx, &w.Batch, n)
	if err != nil {
		return err
	}
	if err := tx.InsertUnits(ctx, w.Batch.Number, w.Batch.MintedQuantity, slice); err != nil {
		return err
	}
	count := int64(len(slice.Codes))
	w.Batch.MintedQuantity += count
	if err := tx.AppendEvent(ctx, &mintage.Event{
		BrandNumber:   w.Batch.BrandNumber,
		At:            f.Now(),
		Kind:          mintage.EventBatchCycle,
		Actor:         Actor,
		SubjectID:     w.Batch.ID,
		BatchNumber:   w.Batch.Number,
		ProductNumber: w.Batch.ProductNumber,
		FirstOrdinal:  slice.First,
		Quantity:      count,
	}); err != nil {
		return err
	}
	if w.Job.ConsecutiveErrors > 0 {
		w.Job.ConsecutiveErrors = 0
		if err := tx.ClearStrikes(ctx, &w.Job); err != nil {
			return err
		}
	}
	if w.Job.Status == mintage.JobQueued {
		if err := f.Move(ctx, tx, w, mintage.JobReserved); err != nil {
			return err
		}
	}
	if w.Job.Status == mintage.JobReserved {
		if err := f.Move(ctx, tx, w, mintage.JobProcessing); err != nil {
			return err
		}
	}
	if w.Batch.Remaining() > 0 {
		return nil
	}
	return f.Move(ctx, tx, w, mintage.JobCompleted)
}

// Slice returns the next n units of a batch, or those that remain, at most
// mintage.MaxCycle.
func (f *Fixture) Slice(ctx context.Context, r store.Reader, b *mintage.Batch, n int64) (store.Slice, error) {
	brand, err := r.BrandByNumber(ctx, b.BrandNumber)
	if err != nil {
		return store.Slice{}, err
	}
	key, err := f.MasterKey.Open(brand.ID, brand.SealedKey)
	if err != nil {
		return store.Slice{}, err
	}
	cipher, err := serial.NewCipher(key, b.ProductCode)
	if err != nil {
		return store.Slice{}, err
	}
	s := store.Slice{
		Product: b.ProductNumber,
		First:   b.NextOrdinal(),
		Codes:   make([]serial.Code, min(n, b.Remaining(), mintage.MaxCycle)),
	}
	cipher.Fill(s.Codes, uint64(s.First))
	return s, nil
}

// Move takes a claimed job to its next state, with the times and events of it.
func (f *Fixture) Move(ctx context.Context, tx store.Tx, w *store.Work, next mintage.JobStatus) error {
	from := w.Job.Status
	if next == mintage.JobProcessing {
		w.Job.StartedAt = f.Now()
	}
	if next.Final() {
		w.Job.FinishedAt = f.Now()
	}
	if err := tx.MoveJob(ctx, &w.Job, next); err != nil {
		return err
	}
	w.Batch.Status = next.Batch()
	return f.appendTransition(ctx, tx, w, from, next)
}

// Strike records a failed cycle of the oldest runnable job, with no wait after
// it; at the third in a row the job fails. It returns the job as it then stands.
func (f *Fixture) Strike(message string) *store.Work {
	f.t.Helper()
	w := f.Claim()
	f.inTx(func(ctx context.Context, tx store.Tx) (err error) {
		if w, err = tx.ClaimJob(ctx); err != nil {
			return err
		}
		return f.StrikeIn(ctx, tx, w, message)
	})
	return w
}

// StrikeIn is Strike for a job that the caller's transaction has claimed, as
// reserved before.
func (f *Fixture) StrikeIn(ctx context.Context, tx store.Tx, w *store.Work, message string) error {
	next := w.Job.Strike(message)
	if err := tx.AppendEvent(ctx, &mintage.Event{
		BrandNumber: w.Job.BrandNumber,
		At:          f.Now(),
		Kind:        mintage.EventJobStrike,
		Actor:       Actor,
		SubjectID:   w.Job.ID,
		BatchNumber: w.Job.Number,
		Message:     message,
	}); err != nil {
		return err
	}
	if next == mintage.JobFailed {
		return f.Move(ctx, tx, w, next)
	}
	return tx.RecordStrike(ctx, &w.Job, 0)
}

// Fail strikes the oldest runnable job until it is FAILED.
func (f *Fixture) Fail() *store.Work {
	f.t.Helper()
	for {
		if w := f.Strike("the fixture has let this cycle fail"); w.Job.Status.Final() {
			return w
		}
	}
}

// appendTransition writes the events of a job's transition and of its batch's.
func (f *Fixture) appendTransition(ctx context.Context, tx store.Tx, w *store.Work, from, to mintage.JobStatus) error {
	e := mintage.Event{
		BrandNumber: w.Job.BrandNumber,
		At:          f.Now(),
		Kind:        mintage.EventJobTransition,
		Actor:       Actor,
		SubjectID:   w.Job.ID,
		BatchNumber: w.Job.Number,
		From:        string(from),
		To:          string(to),
	}
	if err := tx.AppendEvent(ctx, &e); err != nil {
		return err
	}
	before := mintage.BatchStatus("")
	if from != "" {
		before = from.Batch()
	}
	if before == to.Batch() {
		return nil
	}
	e.Number = 0
	e.Kind, e.SubjectID, e.From, e.To = mintage.EventBatchTransition, w.Batch.ID, string(before), string(to.Batch())
	return tx.AppendEvent(ctx, &e)
}

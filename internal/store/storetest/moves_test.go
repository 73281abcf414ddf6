package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// bring makes a job of five units in a state, and is the oldest runnable one
// where that state is not final.
func bring(f *storetest.Fixture, p *mintage.Product, status mintage.JobStatus) *store.Work {
	w := f.Submit(p, 5)
	switch status {
	case mintage.JobReserved:
		f.Claim()
	case mintage.JobProcessing:
		f.Mint(2)
	case mintage.JobCompleted:
		f.Mint(5)
	case mintage.JobFailed:
		f.Fail()
	case mintage.JobQueued:
	}
	return w
}

// prepared returns a copy of a job with all that must stand in it when it goes
// to next.
func prepared(j *mintage.Job, next mintage.JobStatus) *mintage.Job {
	j = copyOf(j)
	j.ConsecutiveErrors, j.LastError = 1, "a strike" // stored with every move
	at := j.CreatedAt.Add(time.Minute)
	if next == mintage.JobProcessing && j.StartedAt.IsZero() {
		j.StartedAt = at
	}
	if next.Final() {
		j.FinishedAt = at
	}
	if next == mintage.JobFailed {
		j.ConsecutiveErrors, j.LastError = mintage.MaxStrikes, "the third strike"
	}
	return j
}

func TestMoveJob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		for _, from := range mintage.JobStatuses {
			for _, to := range append(mintage.JobStatuses, "PAUSED", "") {
				t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
					defer drain(t, db, f) // the next case wants to have the oldest job
					w := workOf(t, db, bring(f, p, from))
					same(t, w.Job.Status, from)
					j := prepared(&w.Job, to)
					move := func(ctx context.Context, tx store.Tx) error {
						if !from.Final() {
							if got, err := tx.ClaimJob(ctx); err != nil || got.Job.ID != j.ID {
								return fmt.Errorf("claimed %v, %w", got, err)
							}
						}
						return tx.MoveJob(ctx, j, to)
					}
					if from.To(to) != nil {
						refusedWithin(t, db, mintage.CodeTransition, move)
						same(t, j.Status, from)
					} else {
						write(t, db, move)
						same(t, j.Status, to)
						w.Job, w.Batch.Status = *j, to.Batch()
						same(t, workOf(t, db, w), w)
					}
				})
			}
		}
	})
}

func TestMoveOfAStaleJob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		for _, stored := range mintage.JobStatuses {
			for _, believed := range mintage.JobStatuses {
				for _, to := range mintage.JobStatuses {
					if stored == believed || believed.To(to) != nil {
						continue
					}
					t.Run(fmt.Sprintf("%s, believed %s, to %s", stored, believed, to), func(t *testing.T) {
						defer drain(t, db, f)
						w := workOf(t, db, bring(f, p, stored))
						w.Job.Status = believed
						j := prepared(&w.Job, to)
						refusedWithin(t, db, mintage.CodeTransition, func(ctx context.Context, tx store.Tx) error { return tx.MoveJob(ctx, j, to) })
						same(t, j.Status, believed)
					})
				}
			}
		}
		t.Run("unknown", func(t *testing.T) {
			j := &mintage.Job{Number: 999_999, ID: storetest.NewID(), Status: mintage.JobQueued}
			refusedWithin(t, db, mintage.CodeTransition, func(ctx context.Context, tx store.Tx) error {
				return tx.MoveJob(ctx, j, mintage.JobReserved)
			})
		})
	})
}

// TestJobsContradictingThemselves tries what the schema must refuse whatever the
// code above it believes.
func TestJobsContradictingThemselves(t *testing.T) {
	tests := map[string]struct {
		to   mintage.JobStatus
		edit func(*mintage.Job)
	}{
		"COMPLETED without an end":  {mintage.JobCompleted, func(j *mintage.Job) { j.FinishedAt = time.Time{} }},
		"FAILED without an end":     {mintage.JobFailed, func(j *mintage.Job) { j.FinishedAt = time.Time{} }},
		"FAILED with two strikes":   {mintage.JobFailed, func(j *mintage.Job) { j.ConsecutiveErrors = 2 }},
		"FAILED with four strikes":  {mintage.JobFailed, func(j *mintage.Job) { j.ConsecutiveErrors = 4 }},
		"PROCESSING with an end":    {mintage.JobProcessing, func(j *mintage.Job) { j.FinishedAt = j.CreatedAt }},
		"FAILED without any strike": {mintage.JobFailed, func(j *mintage.Job) { j.ConsecutiveErrors = 0 }},
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		p := f.NewProduct(f.NewBrand())
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				from := mintage.JobProcessing
				if test.to == mintage.JobProcessing {
					from = mintage.JobReserved
				}
				defer drain(t, db, f)
				w := workOf(t, db, bring(f, p, from))
				j := prepared(&w.Job, test.to)
				test.edit(j)
				unchanged(t, db, func() {
					err := db.InTx(t.Context(), func(tx store.Tx) error { return tx.MoveJob(t.Context(), j, test.to) })
					if err == nil || errors.Is(err, errRollback) {
						t.Error("it was stored")
					}
				})
			})
		}
	})
}

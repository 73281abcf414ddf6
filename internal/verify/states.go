package verify

import (
	"slices"

	"mintage"
)

// checkState holds a job's state against its figures and times.
func (a *audit) checkState(j *mintage.Job, b *mintage.Batch) {
	find := a.states.find
	if b.RequestedQuantity < 1 || b.RequestedQuantity > mintage.MaxRequestQuantity {
		find("batch %s has a requested quantity of %d", b.ID, b.RequestedQuantity)
	}
	if !slices.Contains([]mintage.IdentityMode{mintage.IdentitySerial, mintage.IdentityBatch}, b.IdentityMode) {
		find("batch %s has the identity mode %q", b.ID, b.IdentityMode)
	}
	if !slices.Contains([]mintage.ActivationMode{mintage.ActiveAtMint, mintage.FirstScan}, b.ActivationMode) {
		find("batch %s has the activation mode %q", b.ID, b.ActivationMode)
	}
	if j == nil {
		return
	}
	if !slices.Contains(mintage.JobStatuses, j.Status) {
		find("job %s has the status %q", j.ID, j.Status)
		return
	}
	if !fits(j.Status, b.MintedQuantity, b.RequestedQuantity) {
		find("job %s is %s with %d of %d units", j.ID, j.Status, b.MintedQuantity, b.RequestedQuantity)
	}
	// A job starts with its first units, and ends with its final state.
	if started := !j.StartedAt.IsZero(); started != (b.MintedQuantity > 0) {
		find("job %s is %s with %d units, and its start is %s", j.ID, j.Status, b.MintedQuantity, known(started))
	}
	if finished := !j.FinishedAt.IsZero(); finished != j.Status.Final() {
		find("job %s is %s, and its end is %s", j.ID, j.Status, known(finished))
	}
	if !strikesFit(j) {
		find("job %s is %s with %d errors in a row", j.ID, j.Status, j.ConsecutiveErrors)
	}
	if j.ConsecutiveErrors > 0 && j.LastError == "" {
		find("job %s has %d errors in a row and no message", j.ID, j.ConsecutiveErrors)
	}
	if j.CycleLimit < 1 || j.CycleLimit > mintage.MaxCycle {
		find("job %s has a cycle limit of %d", j.ID, j.CycleLimit)
	}
}

// fits tells whether a job in state s may have so many units. A FAILED one lacks
// some: with the last unit it would have been COMPLETED.
func fits(s mintage.JobStatus, minted, requested int64) bool {
	switch s {
	case mintage.JobQueued, mintage.JobReserved:
		return minted == 0
	case mintage.JobProcessing:
		return 0 < minted && minted < requested
	case mintage.JobCompleted:
		return minted == requested
	case mintage.JobFailed:
		return 0 <= minted && minted < requested
	default:
		return false
	}
}

// strikesFit: the third strike and FAILED are one fact; a job that nobody has
// worked on, or that ended with a good cycle, has none.
func strikesFit(j *mintage.Job) bool {
	switch j.Status {
	case mintage.JobQueued, mintage.JobCompleted:
		return j.ConsecutiveErrors == 0
	case mintage.JobFailed:
		return j.ConsecutiveErrors == mintage.MaxStrikes
	default:
		return 0 <= j.ConsecutiveErrors && j.ConsecutiveErrors < mintage.MaxStrikes
	}
}

func known(is bool) string {
	if is {
		return "set"
	}
	return "not set"
}

package mintage

import (
	"slices"
	"time"
)

// JobStatus is the state of a mint job.
type JobStatus string

// States of a job. COMPLETED and FAILED are final.
const (
	JobQueued     JobStatus = "QUEUED"     // waits for a worker
	JobReserved   JobStatus = "RESERVED"   // a worker has claimed it, no unit exists yet
	JobProcessing JobStatus = "PROCESSING" // units exist, more are to come
	JobCompleted  JobStatus = "COMPLETED"  // all units exist
	JobFailed     JobStatus = "FAILED"     // three cycles in a row failed; what was minted stays
)

// JobStatuses lists every state, in the order of a job's life.
var JobStatuses = []JobStatus{JobQueued, JobReserved, JobProcessing, JobCompleted, JobFailed}

// jobTransitions is the whole lifecycle of a job: what is not here is illegal.
var jobTransitions = map[JobStatus][]JobStatus{
	JobQueued:     {JobReserved},
	JobReserved:   {JobProcessing, JobFailed},
	JobProcessing: {JobCompleted, JobFailed},
}

// To returns nil where a job in state s may become next, else an [Error] with
// [CodeTransition].
func (s JobStatus) To(next JobStatus) error {
	if slices.Contains(jobTransitions[s], next) {
		return nil
	}
	return Errorf(CodeTransition, "A job cannot go from %s to %s.", s, next)
}

// Final reports whether no transition leads out of s.
func (s JobStatus) Final() bool { return len(jobTransitions[s]) == 0 }

// Batch returns the state of the batch whose job is in state s.
func (s JobStatus) Batch() BatchStatus {
	switch s {
	case JobProcessing:
		return BatchProcessing
	case JobCompleted:
		return BatchMinted
	case JobFailed:
		return BatchFailed
	case JobQueued, JobReserved:
		return BatchQueued
	}
	return BatchQueued
}

// Limits of the engine.
const (
	// MaxCycle is the largest number of units that one transaction creates.
	MaxCycle = 20_000
	// MaxStrikes is how many cycles in a row may fail before the job does.
	MaxStrikes = 3
)

// Job is the execution of one accepted mint request.
type Job struct {
	Number      int64
	ID          string
	BrandNumber int64
	Status      JobStatus

	// ConsecutiveErrors counts failed cycles since the last good one, 0 to
	// [MaxStrikes].
	ConsecutiveErrors int
	// LastError is the message of the latest failed cycle; a good cycle keeps it.
	LastError string
	// CycleLimit is the largest slice to try, 1 to [MaxCycle]. It is halved when
	// a transaction had to be ended because it hung.
	CycleLimit int

	SubmittedBy string
	CreatedAt   time.Time
	StartedAt   time.Time // first unit; zero before
	FinishedAt  time.Time // COMPLETED or FAILED; zero before
}

// Strike counts one failed cycle against the job and returns the state that
// follows: the same one, or FAILED at the third in a row.
func (j *Job) Strike(message string) JobStatus {
	j.ConsecutiveErrors++
	j.LastError = message
	if j.ConsecutiveErrors >= MaxStrikes {
		return JobFailed
	}
	return j.Status
}

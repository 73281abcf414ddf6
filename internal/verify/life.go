package verify

import "mintage"

// life retells one job from its events and is held against what is stored.
type life struct {
	a     *audit
	job   *mintage.Job
	batch *mintage.Batch

	jobState   mintage.JobStatus   // "" before the first transition
	batchState mintage.BatchStatus // likewise
	minted     int64               // by cycles
	strikes    int                 // since the last cycle

	tokens  *tokens
	recalls []mintage.Event
}

func newLife(a *audit, j *mintage.Job, b *mintage.Batch) *life {
	return &life{a: a, job: j, batch: b, tokens: &tokens{}}
}

func (l *life) see(e *mintage.Event) {
	l.a.events.Examined++
	l.a.orphans.Examined++
	if l.batch == nil || l.job == nil {
		l.a.orphans.find("event number %d, %s, is of batch number %d, of which the job or the batch does not exist", e.Number, e.Kind, e.BatchNumber)
		return
	}
	if e.BrandNumber != l.batch.BrandNumber {
		l.a.orphans.find("event number %d is of batch %s and of another brand", e.Number, l.batch.ID)
	}
	if e.Actor == "" || e.At.IsZero() {
		l.a.events.find("event number %d, %s, of batch %s does not say who or when", e.Number, e.Kind, l.batch.ID)
	}
	subject := l.batch.ID
	switch e.Kind {
	case mintage.EventJobTransition:
		subject = l.job.ID
		l.jobMoves(e)
	case mintage.EventBatchTransition:
		l.batchMoves(e)
	case mintage.EventBatchCycle:
		l.cycle(e)
	case mintage.EventJobStrike:
		subject = l.job.ID
		l.strikes++
	case mintage.EventRecalled:
		l.recalls = append(l.recalls, *e)
	case mintage.EventUnitTransition:
		l.unitMoves(e)
		return // its subject is the unit
	default:
		return // what people did with the batch
	}
	if e.SubjectID != subject {
		l.a.events.find("event number %d, %s, of batch %s has the subject %q", e.Number, e.Kind, l.batch.ID, e.SubjectID)
	}
}

// jobMoves takes a transition of the job. After one that does not follow, the
// tale goes on from where that one ends, so that one missing event is one
// finding.
func (l *life) jobMoves(e *mintage.Event) {
	to := mintage.JobStatus(e.To)
	legal := l.jobState.To(to) == nil
	if l.jobState == "" {
		legal = to == mintage.JobQueued
	}
	if e.From != string(l.jobState) || !legal {
		l.a.events.find("job %s was %s and goes from %s to %s", l.job.ID, state(l.jobState), state(e.From), state(e.To))
	}
	l.jobState = to
}

// batchMoves takes a transition of the batch, which the job's last one entails.
func (l *life) batchMoves(e *mintage.Event) {
	to := mintage.BatchStatus(e.To)
	if e.From != string(l.batchState) || e.From == e.To || to != l.jobState.Batch() || l.jobState == "" {
		l.a.events.find("batch %s was %s, with its job %s, and goes from %s to %s",
			l.batch.ID, state(l.batchState), state(l.jobState), state(e.From), state(e.To))
	}
	l.batchState = to
}

func (l *life) cycle(e *mintage.Event) {
	next := after(l.batch.FirstOrdinal, l.minted)
	if e.ProductNumber != l.batch.ProductNumber || e.FirstOrdinal != next || e.Quantity < 1 || e.Quantity > mintage.MaxCycle {
		l.a.events.find("a cycle of batch %s minted %d units of product number %d from ordinal %d on; it has to be from %d",
			l.batch.ID, e.Quantity, e.ProductNumber, e.FirstOrdinal, next)
	}
	l.minted = after(e.FirstOrdinal, e.Quantity) - l.batch.FirstOrdinal
	l.strikes = 0
}

func (l *life) finish() {
	if l.batch == nil || l.job == nil {
		return
	}
	find := l.a.events.find
	if l.jobState != l.job.Status {
		find("job %s is %s; its events end with %s", l.job.ID, l.job.Status, state(l.jobState))
	}
	if l.batchState != l.job.Status.Batch() {
		find("batch %s is %s; its events end with %s", l.batch.ID, l.job.Status.Batch(), state(l.batchState))
	}
	if l.minted != l.batch.MintedQuantity {
		find("batch %s counts %d units; its cycles minted %d", l.batch.ID, l.batch.MintedQuantity, l.minted)
	}
	if l.strikes != l.job.ConsecutiveErrors {
		find("job %s has %d errors in a row; its events tell of %d", l.job.ID, l.job.ConsecutiveErrors, l.strikes)
	}
}

// state names a state in a finding, also the one before the first.
func state[S ~string](s S) string {
	if s == "" {
		return "nothing"
	}
	return string(s)
}

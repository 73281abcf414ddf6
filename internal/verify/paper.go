package verify

import (
	"iter"
	"slices"

	"mintage"
	"mintage/internal/store"
)

// cursor is a sequence that is read row by row, beside others.
type cursor[T any] struct {
	next   func() (T, error, bool)
	stop   func()
	number func(*T) int64 // of the row's batch, by which the sequence is ordered
	audit  *audit
	checks []*Check // that need the rows

	row T
	ok  bool // there is a row
}

func open[T any](a *audit, rows iter.Seq2[T, error], number func(*T) int64, checks ...*Check) *cursor[T] {
	c := &cursor[T]{number: number, audit: a, checks: checks}
	c.next, c.stop = iter.Pull2(rows)
	c.advance()
	return c
}

func (c *cursor[T]) advance() {
	var err error
	if c.row, err, c.ok = c.next(); c.ok {
		c.ok = c.audit.readable(err, c.checks...)
	}
}

// at tells whether the row belongs to a batch.
func (c *cursor[T]) at(number int64) bool { return c.ok && c.number(&c.row) == number }

// lowest is the least of a number and the row's.
func (c *cursor[T]) lowest(number *int64, found *bool) {
	if c.ok && (!*found || c.number(&c.row) < *number) {
		*number, *found = c.number(&c.row), true
	}
}

// readPaper reads all that is written about batches: jobs, batches, lots and
// events side by side, since all are in the order of the batch's number. So what
// one of them lacks is seen, without a join that would hide it.
func (a *audit) readPaper() error {
	jobs := open(a, a.r.AllJobs(a.ctx), func(j *mintage.Job) int64 { return j.Number },
		a.states, a.orphans, a.events, a.production, a.gtins)
	defer jobs.stop()
	batches := open(a, a.r.AllBatches(a.ctx), func(b *mintage.Batch) int64 { return b.Number },
		a.states, a.orphans, a.counts, a.ranges, a.gaps, a.lots, a.events, a.tokens, a.recalls, a.tokenCounts, a.production, a.gtins, a.bases)
	defer batches.stop()
	lots := open(a, a.r.AllLots(a.ctx), func(l *store.LotRow) int64 { return l.BatchNumber }, a.lots, a.orphans)
	defer lots.stop()
	recalls := open(a, a.r.AllRecalls(a.ctx), func(r *mintage.Recall) int64 { return r.BatchNumber }, a.recalls, a.orphans, a.tokenCounts)
	defer recalls.stop()
	events := open(a, a.r.AllBatchEvents(a.ctx), func(e *mintage.Event) int64 { return e.BatchNumber }, a.events, a.orphans)
	defer events.stop()
	for {
		var number int64
		var found bool
		jobs.lowest(&number, &found)
		batches.lowest(&number, &found)
		lots.lowest(&number, &found)
		recalls.lowest(&number, &found)
		events.lowest(&number, &found)
		if !found {
			return nil
		}

		var job *mintage.Job
		for ; jobs.at(number); jobs.advance() {
			a.states.Examined++
			if job != nil {
				a.duplicates.find("job number %d stands twice", number)
				continue
			}
			j := jobs.row
			job = &j
		}
		var batch *mintage.Batch
		for ; batches.at(number); batches.advance() {
			a.ranges.Examined++
			if batch != nil {
				a.duplicates.find("batch number %d stands twice", number)
				continue
			}
			b := batches.row
			batch = &b
		}
		a.checkReferences(number, job, batch)

		layout := newLayout(a, batch)
		for ; lots.at(number); lots.advance() {
			layout.see(&lots.row)
		}
		layout.finish()

		life := newLife(a, job, batch)
		for ; events.at(number); events.advance() {
			life.see(&events.row)
		}
		life.finish()

		var recalled []mintage.Recall
		for ; recalls.at(number); recalls.advance() {
			recalled = append(recalled, recalls.row)
		}
		sound := a.checkRecalls(number, batch, layout.lots, recalled, life.recalls)
		if batch != nil {
			a.tally(batch, life.tokens, layout, recalled, sound && job != nil)
		}
	}
}

// tally prepares the counting of the states of a batch's units by lot, and keeps it
// with the batch's range.
func (a *audit) tally(b *mintage.Batch, t *tokens, layout *layout, recalls []mintage.Recall, sound bool) {
	for _, l := range layout.lots {
		covers := func(r mintage.Recall) bool {
			return r.Covers(l.FirstOrdinal) && r.Covers(after(l.FirstOrdinal, l.Quantity)-1)
		}
		t.lots = append(t.lots, lotTally{first: l.FirstOrdinal, quantity: l.Quantity, recalled: slices.ContainsFunc(recalls, covers)})
	}
	t.countable = sound && layout.sound && 0 <= b.MintedQuantity && b.MintedQuantity <= b.RequestedQuantity && b.FirstOrdinal >= 0 &&
		a.owns(b.BrandNumber, b.ProductNumber)
	t.activated.RunOptimize()
	t.revoked.RunOptimize()
	s := &a.spans[len(a.spans)-1] // which checkReferences has added
	s.tokens, s.bornActive = t, b.ActivationMode.Born() == mintage.TokenActive
}

// checkReferences checks what a job and a batch say of each other and of others;
// one of them may be missing, or both.
func (a *audit) checkReferences(number int64, j *mintage.Job, b *mintage.Batch) {
	if j != nil {
		a.orphans.Examined++
		if b == nil {
			a.orphans.find("job %s has no batch", j.ID)
		}
		if a.brands[j.BrandNumber] == nil {
			a.orphans.find("job %s belongs to brand number %d, which does not exist", j.ID, j.BrandNumber)
		}
	}
	if b == nil {
		return
	}
	a.orphans.Examined++
	if j == nil {
		a.orphans.find("batch %s has no job", b.ID)
	} else if j.BrandNumber != b.BrandNumber {
		a.orphans.find("batch %s and its job are of different brands", b.ID)
	}
	if !a.owns(b.BrandNumber, b.ProductNumber) {
		a.orphans.find("batch %s is of product number %d, which its brand does not have", b.ID, b.ProductNumber)
	} else if p := a.products[b.ProductNumber]; p.code != b.ProductCode {
		a.codes.find("batch %s has the product code %q, its product %q", b.ID, b.ProductCode, p.code)
	}
	a.spans = append(a.spans, span{
		product: b.ProductNumber, first: b.FirstOrdinal, requested: b.RequestedQuantity, minted: b.MintedQuantity,
		number: number, brand: b.BrandNumber, id: b.ID,
	})
	if b.MintedQuantity > b.RequestedQuantity {
		a.counts.find("batch %s counts %d units, but %d were requested", b.ID, b.MintedQuantity, b.RequestedQuantity)
	}
	a.checkState(j, b)
	a.checkGTIN(j, b)
	a.checkBase(b.ResolverBase, b.BrandNumber, "batch "+b.ID)
	a.commit(j, b)
}

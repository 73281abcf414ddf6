package resolver

import (
	"context"
	"errors"
	"time"

	"mintage/internal/store"
)

const (
	changesPage = 1000
	// pollTime bounds one poll, so that one that hangs gives way to the next.
	pollTime = 5 * time.Second
	// settling is how long a revocation is applied again and again. Where units are
	// spread over nodes (Citus), its event can be seen a moment before its row, and a
	// chunk that is read just then lacks it.
	settling = 2 * time.Second
)

// poller follows the changes of all brands.
type poller struct {
	r       *Resolver
	horizon int64                  // changes up to it were applied
	begun   bool                   // the horizon is known
	applied map[int64]bool         // changes after the horizon that were
	lately  map[int64]store.Change // revocations that are still settling
	since   map[int64]time.Time
}

// poll keeps what is remembered true until ctx ends.
func (r *Resolver) poll(ctx context.Context) {
	p := &poller{r: r, applied: make(map[int64]bool), lately: make(map[int64]store.Change), since: make(map[int64]time.Time)}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing := false
	for {
		begin := time.Now()
		err := p.once(ctx, begin)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			r.polled.Store(int64(begin.Sub(r.epoch)))
			if failing {
				r.log.Info("changes can be read again")
			}
		case !errors.Is(err, errNotYet) && !failing:
			r.log.Warn("changes cannot be read; until they can, each scan asks the database", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// errNotYet says that it is not known yet from where on to read.
var errNotYet = errors.New("resolver: a transaction that was open at the start goes on")

func (p *poller) once(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	// Read first: changes that commit after it have greater numbers.
	horizon, err := p.r.store.EventHorizon(ctx)
	if err != nil {
		return err
	}
	if !p.begun {
		// Nothing is remembered yet, so nothing before the horizon matters. It is 0 where
		// there are no events yet, or where transactions have to end before it is known.
		if horizon == 0 {
			changes, err := p.changes(ctx, 0, 1)
			if err != nil {
				return err
			}
			if len(changes) > 0 {
				return errNotYet
			}
		}
		p.horizon, p.begun = horizon, true
		return nil
	}
	for after := p.horizon; ; {
		page, err := p.changes(ctx, after, changesPage)
		if err != nil {
			return err
		}
		p.apply(page, now)
		if len(page) < changesPage {
			break
		}
		after = page[len(page)-1].Number
	}
	p.settle(now)
	p.horizon = max(p.horizon, horizon)
	for number := range p.applied {
		if number <= p.horizon {
			delete(p.applied, number)
		}
	}
	return nil
}

func (p *poller) changes(ctx context.Context, after int64, limit int) (changes []store.Change, err error) {
	err = p.r.store.Watch(ctx, func(r store.Reader) (err error) {
		changes, err = r.Changes(ctx, after, limit)
		return err
	})
	return changes, err
}

// apply applies those of a page that were not.
func (p *poller) apply(page []store.Change, now time.Time) {
	var fresh []store.Change
	for _, c := range page {
		if p.applied[c.Number] {
			continue
		}
		p.applied[c.Number] = true
		fresh = append(fresh, c)
		if c.Ordinal >= 0 {
			p.lately[c.Number], p.since[c.Number] = c, now
		}
	}
	if len(fresh) > 0 {
		p.r.cache.apply(fresh)
	}
}

// settle applies recent revocations again.
func (p *poller) settle(now time.Time) {
	var again []store.Change
	for number, c := range p.lately {
		if now.Sub(p.since[number]) >= settling {
			delete(p.lately, number)
			delete(p.since, number)
			continue
		}
		again = append(again, c)
	}
	if len(again) > 0 {
		p.r.cache.apply(again)
	}
}

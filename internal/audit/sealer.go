package audit

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"mintage"
	"mintage/internal/store"
)

const (
	// interval is how often a sealer looks for new events.
	interval = time.Second
	// Bounds of one transaction, so that on SQLite others wait no longer than for a
	// cycle of minting.
	maxTxEvents = 2 * maxBlock
	maxTxBrands = 64

	// tailEvery is how often a sealer looks how old the tail is, and oldTail from
	// when on that is no delay any more: no transaction of mintage lasts so long.
	tailEvery = 10 * time.Second
	oldTail   = time.Minute
)

// Sealer links the committed events of each brand into its hash chain. Any
// number of them, in any number of processes, may run on one store. One Sealer is
// for one goroutine, but for [Sealer.OldTail].
type Sealer struct {
	store store.Store
	now   func() time.Time
	log   *slog.Logger
	digester

	// The tail is what is not sealed yet. held is since when it was there, as seen by
	// this process, while the horizon stood at heldAt.
	looked time.Time
	heldAt int64
	held   time.Time
	tail   atomic.Pointer[time.Time] // since when, where that is long ago

	sealed int64          // the horizon up to which nothing is left to seal
	stuck  map[int64]bool // brands that cannot be sealed, as the log has told
	paused bool           // by a fault of the place, as the log has told
}

// NewSealer returns a sealer that does nothing until it is run.
func NewSealer(s store.Store, now func() time.Time, log *slog.Logger) *Sealer {
	return &Sealer{store: s, now: now, log: log, stuck: make(map[int64]bool)}
}

// Run seals what was committed, each second, until ctx is done. Faults are logged
// once and waited out, so that Run never gives up.
func (s *Sealer) Run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	s.run(ctx, ticker.C)
}

func (s *Sealer) run(ctx context.Context, ticks <-chan time.Time) {
	for {
		err := s.RunOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		s.tell(err)
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// tell logs that sealing pauses or goes on, when that changes.
func (s *Sealer) tell(err error) {
	switch {
	case err != nil && !s.paused:
		s.log.Error("sealing of events pauses", "code", mintage.ErrorCode(err), "error", err)
	case err == nil && s.paused:
		s.log.Info("sealing of events goes on")
	}
	s.paused = err != nil
}

// RunOnce seals everything up to the present horizon, unless another sealer is
// at it, and looks at what is left. It fails where the place does; what it has
// sealed before stays.
func (s *Sealer) RunOnce(ctx context.Context) error {
	horizon, err := s.store.EventHorizon(ctx)
	if err != nil {
		return err
	}
	if horizon != s.sealed {
		if err := s.sealTo(ctx, horizon); err != nil {
			return err
		}
	}
	return s.lookAtTail(ctx, horizon)
}

// OldTail returns since when events wait to be sealed, where that is longer than a
// minute: a transaction is open for that long, or their brand cannot be sealed.
// Otherwise it is zero. It may be called while the sealer runs.
func (s *Sealer) OldTail() time.Time {
	if since := s.tail.Load(); since != nil {
		return *since
	}
	return time.Time{}
}

// lookAtTail logs that events have waited for long, and that they do not any more.
// Events say when they were made, but whoever holds sealing up in order to edit
// them can edit that too; so what counts besides is this process's own clock.
func (s *Sealer) lookAtTail(ctx context.Context, horizon int64) error {
	at := s.now()
	if at.Sub(s.looked) < tailEvery {
		return nil
	}
	s.looked = at
	var since time.Time
	err := s.store.Read(ctx, func(r store.Reader) (err error) {
		since, err = r.UnsealedSince(ctx)
		return err
	})
	if err != nil && (ctx.Err() != nil || ofThePlace(err)) {
		return err
	}
	none := err == nil && since.IsZero()
	switch {
	case none:
		s.held = time.Time{}
	case s.held.IsZero() || horizon != s.heldAt:
		s.heldAt, s.held = horizon, at
	}
	if err != nil || s.held.Before(since) {
		since = s.held
	}
	was := !s.OldTail().IsZero()
	old := !none && at.Sub(since) > oldTail
	if !old {
		s.tail.Store(nil)
	} else {
		s.tail.Store(&since)
	}
	switch {
	case old && !was:
		s.log.Error("events wait to be sealed for too long; look for a transaction of the database that stays open", "since", since)
	case was && !old:
		s.log.Info("no events wait for long to be sealed any more")
	}
	return nil
}

// sealTo seals what there is up to a horizon.
func (s *Sealer) sealTo(ctx context.Context, horizon int64) error {
	for {
		p, err := s.seal(ctx, horizon)
		if err != nil {
			return err
		}
		s.tellStuck(p)
		if !p.more {
			if p.locked && len(s.stuck) == 0 {
				s.sealed = horizon
			}
			return nil
		}
	}
}

// pass is what one transaction of a sealer did.
type pass struct {
	locked bool            // it had the right to seal
	more   bool            // it may have left something, since it came to a bound
	failed map[int64]error // why a brand could not be sealed, nil for those that could
}

// seal appends blocks up to the horizon, as many as one transaction may have.
func (s *Sealer) seal(ctx context.Context, horizon int64) (pass, error) {
	var p pass
	err := s.store.InTx(ctx, func(tx store.Tx) (err error) {
		p = pass{failed: make(map[int64]error)}
		if p.locked, err = tx.LockSeals(ctx); err != nil || !p.locked {
			return err
		}
		// Those that are stuck come again each time, and must not crowd out the others.
		limit := maxTxBrands + len(s.stuck)
		brands, err := tx.UnsealedBrands(ctx, horizon, limit)
		if err != nil {
			return err
		}
		p.more = len(brands) == limit
		room := maxTxEvents
		for _, brand := range brands {
			if room == 0 {
				break
			}
			var sealed int
			err := tx.Savepoint(ctx, func() (err error) {
				sealed, err = s.sealBrand(ctx, tx, brand, horizon, room)
				return err
			})
			if err != nil && (ctx.Err() != nil || ofThePlace(err)) {
				return err
			}
			p.failed[brand] = err
			if err == nil {
				p.more = p.more || sealed == min(room, maxBlock)
				room -= sealed
			}
		}
		return nil
	})
	return p, err
}

// sealBrand appends the next block of a brand, of at most room events, and returns
// how many it has.
func (s *Sealer) sealBrand(ctx context.Context, tx store.Tx, brand, horizon int64, room int) (int, error) {
	last, err := tx.LastSeal(ctx, brand)
	switch {
	case mintage.ErrorCode(err) == mintage.CodeNotFound:
		last = &mintage.Seal{}
	case err != nil:
		return 0, err
	}
	events, err := tx.EventsBetween(ctx, brand, last.LastEvent, horizon, min(room, maxBlock))
	if err != nil || len(events) == 0 {
		return 0, err
	}
	return len(events), tx.AppendSeal(ctx, s.block(last, brand, events, s.now()))
}

// tellStuck logs which brands cannot be sealed, or can again, when that changes.
func (s *Sealer) tellStuck(p pass) {
	for brand, err := range p.failed {
		switch {
		case err != nil && !s.stuck[brand]:
			s.log.Error("the events of a brand cannot be sealed", "brand_number", brand, "code", mintage.ErrorCode(err), "error", err)
			s.stuck[brand] = true
		case err == nil && s.stuck[brand]:
			s.log.Info("the events of a brand are sealed again", "brand_number", brand)
			delete(s.stuck, brand)
		}
	}
}

// ofThePlace tells a fault of the database or the connection to it from one of
// the data.
func ofThePlace(err error) bool {
	switch mintage.ErrorCode(err) {
	case mintage.CodeUnavailable, mintage.CodeUnknown, mintage.CodeRetry, mintage.CodeOldSchema, mintage.CodeForbidden:
		return true
	default:
		return false
	}
}

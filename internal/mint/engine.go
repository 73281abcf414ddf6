package mint

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"mintage"
	"mintage/internal/store"
)

// Options configure an engine. Zero fields take the defaults.
type Options struct {
	// CycleSize is the largest number of units a cycle, 1 to [mintage.MaxCycle],
	// which is the default.
	CycleSize int
	// Poll is how often an idle engine looks for work that no signal announced.
	// Default 1 s.
	Poll time.Duration
	// Waits are how long a job rests after its first and second strike in a row.
	// Default 1 s, then 10 s.
	Waits [mintage.MaxStrikes - 1]time.Duration
	// HungAfter is how long one transaction may hold a job before it is ended.
	// Default 15 s.
	HungAfter time.Duration
	// Grace is how long the cycle in hand may still take when the engine is told
	// to stop; then it is rolled back. Default 4 s.
	Grace time.Duration
	// Pause is how long the engine rests after a fault of the place. Default 1 s.
	Pause time.Duration
	// Actor names the worker in events.
	Actor string
	// Now gives the times shown to people. Default time.Now.
	Now func() time.Time
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.CycleSize <= 0 || o.CycleSize > mintage.MaxCycle {
		o.CycleSize = mintage.MaxCycle
	}
	setDefault(&o.Poll, time.Second)
	setDefault(&o.Waits[0], time.Second)
	setDefault(&o.Waits[1], 10*time.Second)
	setDefault(&o.HungAfter, 15*time.Second)
	setDefault(&o.Grace, 4*time.Second)
	setDefault(&o.Pause, time.Second)
	if o.Actor == "" {
		o.Actor = "worker"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// Engine is one worker: it mints whatever job is the oldest runnable one, a
// cycle at a time. Any number of engines, in any number of processes, may run on
// one store.
type Engine struct {
	store store.Store
	keys  *Keyring
	codes *codeMaker
	// size is how many units the next cycle may have, 1 to CycleSize. A cycle that
	// was not finished in time halves it, a good one doubles it again.
	size int
	Options

	minted atomic.Int64

	mu    sync.Mutex
	fault error
}

// NewEngine returns an engine that does nothing until it is run.
func NewEngine(s store.Store, keys *Keyring, o Options) *Engine {
	o = o.withDefaults()
	return &Engine{store: s, keys: keys, codes: newCodeMaker(), size: o.CycleSize, Options: o}
}

// Minted is how many units this engine has created since it was made.
func (e *Engine) Minted() int64 { return e.minted.Load() }

// Fault returns the fault of the place that the engine pauses for, nil if none.
func (e *Engine) Fault() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fault
}

func (e *Engine) setFault(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil && e.fault == nil:
		e.Log.Error("minting pauses", "code", mintage.ErrorCode(err), "error", err)
	case err == nil && e.fault != nil:
		e.Log.Info("minting goes on")
	}
	e.fault = err
}

// Run mints until ctx is done. The cycle in hand is then finished, within
// Options.Grace. Faults are logged, shown in [Engine.Fault] and waited out, so
// that Run never gives up.
func (e *Engine) Run(ctx context.Context) {
	working, stop := e.begin(ctx)
	defer stop()
	submitted := e.store.Submissions(ctx)
	for ctx.Err() == nil {
		worked, err := e.step(working)
		if ctx.Err() != nil {
			return
		}
		e.setFault(err)
		if err == nil && worked {
			continue
		}
		wait := e.Pause
		if err == nil {
			wait = e.untilDue(ctx)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-submitted:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// RunOnce mints until no job is runnable or ctx is done, and begins no cycle later
// than limit after its start (0 for no limit): one invocation, which leaves the
// rest to the next. It fails where the place does.
func (e *Engine) RunOnce(ctx context.Context, limit time.Duration) error {
	working, stop := e.begin(ctx)
	defer stop()
	began := time.Now()
	for ctx.Err() == nil && (limit <= 0 || time.Since(began) < limit) {
		worked, err := e.step(working)
		if ctx.Err() != nil {
			return nil // told to stop: what was cut off is the next one's
		}
		if err != nil || !worked {
			return err
		}
	}
	return nil
}

// begin returns the context to work with, which outlives ctx by the grace
// period, and starts the watch for hung workers.
func (e *Engine) begin(ctx context.Context) (working context.Context, stop func()) {
	working, cut := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(e.Grace, cut) })
	watching, endWatch := context.WithCancel(ctx)
	go e.endHungWorkers(watching)
	return working, func() {
		forget()
		endWatch()
		cut()
	}
}

// principal is the engine in the audit trail; it acts for no brand in particular.
func (e *Engine) principal() mintage.Principal { return mintage.Principal{Actor: e.Actor} }

// untilDue is how long an idle engine may rest: until the next job that waits
// after a strike, but no longer than a poll.
func (e *Engine) untilDue(ctx context.Context) time.Duration {
	due := time.Duration(-1)
	err := e.store.Read(ctx, func(r store.Reader) (err error) {
		due, err = r.NextDue(ctx)
		return err
	})
	if err != nil || due < 0 {
		return e.Poll // a fault will show at the next step
	}
	return min(due, e.Poll)
}

// endHungWorkers watches for transactions that hold a job for too long, those of
// this process included, until ctx is done.
func (e *Engine) endHungWorkers(ctx context.Context) {
	ticker := time.NewTicker(e.HungAfter / 5)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		jobs, err := e.store.EndHungWorkers(ctx, e.HungAfter)
		if err != nil {
			e.Log.Debug("looking for hung workers", "error", err)
		}
		for _, number := range jobs {
			e.Log.Warn("ended a worker that hung", "job", number)
		}
	}
}

package access

import (
	"context"
	"sync"
	"time"
)

// Bounds of what is written later.
const (
	maxLater   = 4096            // jobs that wait; more are dropped
	laterTime  = 5 * time.Second // for one job
	closeGrace = 2 * time.Second // for all of them, at the end
)

// later runs small writes off the request's path, one after the other: those that
// an answer must not wait for, or whose duration it must not show.
type later struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	jobs    map[string]func(context.Context) error
	running bool
	closed  bool
	failed  error
}

func newLater() *later {
	ctx, cancel := context.WithCancel(context.Background())
	return &later{ctx: ctx, cancel: cancel, jobs: make(map[string]func(context.Context) error)}
}

// do has a job run soon, unless one with the same key waits or runs. A job that
// fails is not run again: the next occasion brings the next one.
func (l *later) do(key string, job func(context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.jobs[key] != nil || len(l.jobs) == maxLater {
		return
	}
	l.jobs[key] = job
	if !l.running {
		l.running = true
		l.wg.Go(l.run)
	}
}

// run works until nothing is left: an idle service has no goroutine.
func (l *later) run() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.jobs) > 0 {
		for key, job := range l.jobs {
			l.mu.Unlock()
			ctx, cancel := context.WithTimeout(l.ctx, laterTime)
			err := job(ctx)
			cancel()
			l.mu.Lock()
			delete(l.jobs, key)
			if err != nil {
				l.failed = err
			}
		}
	}
	l.running = false
}

// wait returns when nothing is left to do.
func (l *later) wait() { l.wg.Wait() }

func (l *later) close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	enough := time.AfterFunc(closeGrace, l.cancel)
	l.wait()
	enough.Stop()
	l.cancel()
	return l.failed
}

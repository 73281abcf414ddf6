package resolver

import (
	"context"
	"sync"
)

// asking lets one of several who want to know the same ask for it first.
type asking struct {
	mu   sync.Mutex
	done map[any]chan struct{} // closed when the first one has its answer
}

// enter returns at once to whoever is the first to ask for key, and to others when that
// one leaves, or ctx ends. Everyone calls leave.
func (a *asking) enter(ctx context.Context, key any) (leave func()) {
	a.mu.Lock()
	done := a.done[key]
	if done == nil {
		done = make(chan struct{})
		a.done[key] = done
		a.mu.Unlock()
		return func() {
			a.mu.Lock()
			delete(a.done, key)
			a.mu.Unlock()
			close(done)
		}
	}
	a.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
	}
	return func() {}
}

package sqlite

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

const (
	// turnWait is how long a writer waits at the turnstile at most. Then it tries
	// its luck: the turnstile is for fairness, the lock of SQLite for safety.
	turnWait = 250 * time.Millisecond
	turnPoll = time.Millisecond
)

// turnstile lets the processes that write to one file take turns. SQLite's own
// lock is not fair: whoever waits for it looks again at growing intervals, and a
// worker that commits and begins again at once is never found between two
// cycles. So each process passes the turnstile before it asks for the lock and
// leaves it when it has it. While one waits for the lock, the others wait here.
type turnstile struct {
	file *os.File
}

func newTurnstile(path string) (turnstile, error) {
	f, err := os.OpenFile(path+".turn", os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the file that the operator names
	return turnstile{f}, err
}

// enter waits for the turn of this process, of which one connection at a time
// may ask, and returns how to leave.
func (t turnstile) enter(ctx context.Context) (leave func()) {
	if t.try() {
		return t.leave
	}
	patience := time.NewTimer(turnWait)
	defer patience.Stop()
	poll := time.NewTicker(turnPoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return func() {}
		case <-patience.C:
			return func() {}
		case <-poll.C:
		}
		if t.try() {
			return t.leave
		}
	}
}

// try takes the turn if it is free. Where it cannot be had at all, there is none.
func (t turnstile) try() bool {
	err := syscall.Flock(int(t.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return !errors.Is(err, syscall.EWOULDBLOCK)
}

func (t turnstile) leave() {
	_ = syscall.Flock(int(t.file.Fd()), syscall.LOCK_UN) // fails only where try had nothing to lock
}

func (t turnstile) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}

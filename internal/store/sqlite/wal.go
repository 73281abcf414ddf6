package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

const (
	// walKept is the size in bytes that the journal's file may keep after all of it
	// was moved into the database.
	walKept = 16 << 20
	// walLarge is the size in bytes from which it is time to wait for readers.
	walLarge = 64 << 20
	// walWait is how long writers are held up for that.
	walWait = 100 * time.Millisecond
)

// walKeeper bounds the journal where readers overlap without end: SQLite's own
// checkpoints move its content then, but never find the moment to begin it anew.
type walKeeper struct {
	path        string
	large       int64
	busyTimeout time.Duration
	tried       atomic.Int64 // the size at the latest attempt, 0 while it is small
}

// keep runs after each commit. It is best effort: what was committed is safe.
// Where a reader stays for longer, the next attempt waits until the journal has
// grown by as much again, so that minting is not held up at each cycle.
func (k *walKeeper) keep(ctx context.Context, writer *sql.DB) {
	info, err := os.Stat(k.path) //nolint:gosec // beside the file that the operator names
	if err != nil {
		return
	}
	switch size := info.Size(); {
	case size < k.large:
		k.tried.Store(0)
		return
	case size < k.tried.Load()+k.large:
		return
	default:
		k.tried.Store(size)
	}
	conn, err := writer.Conn(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }() // returns it to the pool
	if setBusyTimeout(ctx, conn, walWait) == nil {
		_, _ = conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	_ = setBusyTimeout(context.WithoutCancel(ctx), conn, k.busyTimeout)
}

func setBusyTimeout(ctx context.Context, conn *sql.Conn, d time.Duration) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", d.Milliseconds()))
	return err
}

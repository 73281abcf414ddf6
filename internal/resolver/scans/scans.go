package scans

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"mintage"
	"mintage/internal/store"
)

const (
	// interval is how long a scan waits for others at most.
	interval = time.Second
	// maxBatch is how many are written in one transaction, and how many that wait are
	// enough to begin. Units are scanned in no order, so that each scan of a small
	// transaction costs the database a page of its own (measured on SQLite: 18 µs a scan
	// in transactions of 1,000, a third of that in these).
	maxBatch = 16_000
	// room is how many are held in memory, some 10 MB: at a thousand scans a second
	// a minute without the database.
	room = 4 * maxBatch
	// timeout ends a transaction that does not come back.
	timeout = 10 * time.Second
)

// Transactions is what a buffer needs of a [store.Store].
type Transactions interface {
	For(brand int64) store.Transactions
}

// Buffer holds scans until they are written.
type Buffer struct {
	store Transactions
	log   *slog.Logger
	full  chan struct{} // has a signal when maxBatch wait

	mu      sync.Mutex
	waiting map[int64][]mintage.Scan // by brand, oldest first
	held    int                      // how many wait or are being written
	dropped int64
	refused int64 // of them, those that there was no room for
	closed  bool

	// What the log has told; Run's own.
	paused  bool  // by a fault of the place
	told    int64 // refused, when that was looked at last
	without bool  // there is no room
}

// New makes a buffer; nothing is written before Run.
func New(s Transactions, log *slog.Logger) *Buffer {
	return &Buffer{store: s, log: log, full: make(chan struct{}, 1), waiting: make(map[int64][]mintage.Scan)}
}

// Add takes a scan of a brand's, or drops and counts it where there is no room, or
// Run has ended. It never blocks.
func (b *Buffer) Add(brand int64, s mintage.Scan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.held >= room {
		b.dropped++
		b.refused++
		return
	}
	b.waiting[brand] = append(b.waiting[brand], s)
	b.held++
	if b.held%maxBatch == 0 {
		select {
		case b.full <- struct{}{}:
		default:
		}
	}
}

// Dropped is how many scans were not stored, or may not have been, since New.
func (b *Buffer) Dropped() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}

// Held is how many scans wait to be stored, or are being stored.
func (b *Buffer) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// Run writes what Add takes until ctx ends, and then what is left. It is called once.
func (b *Buffer) Run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			b.end(ctx)
			return
		case <-ticker.C:
			b.write(ctx)
			b.tellRoom()
		case <-b.full:
			if !b.paused { // else the next tick is soon enough
				b.write(ctx)
			}
		}
	}
}

// end writes what is left. What cannot be written now never will be.
func (b *Buffer) end(ctx context.Context) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.write(last)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held > 0 {
		b.log.Error("scans are lost: the database could not take them before the end", "scans", b.held)
	}
	b.dropped += int64(b.held)
	b.held = 0
	clear(b.waiting)
}

// write writes everything that waits at the moment. The first fault of the place ends
// it: what is left stays for the next time.
func (b *Buffer) write(ctx context.Context) {
	b.mu.Lock()
	taken := b.waiting
	b.waiting = make(map[int64][]mintage.Scan, len(taken))
	b.mu.Unlock()
	// In the order of a map, which is another one each time, so that a brand whose
	// transaction hangs does not hold up the same others again and again.
	for brand := range taken {
		for len(taken[brand]) > 0 {
			batch := taken[brand][:min(maxBatch, len(taken[brand]))]
			slices.SortStableFunc(batch, byUnit)
			err := b.append(ctx, brand, batch)
			if ofThePlace(err) {
				b.giveBack(taken)
				b.pause(ctx, err)
				return
			}
			b.done(len(batch), err)
			taken[brand] = taken[brand][len(batch):]
		}
		delete(taken, brand)
	}
	b.goOn()
}

// byUnit is the order in which the database keeps scans.
func byUnit(a, b mintage.Scan) int {
	return cmp.Or(cmp.Compare(a.ProductNumber, b.ProductNumber), cmp.Compare(a.Ordinal, b.Ordinal))
}

func (b *Buffer) append(ctx context.Context, brand int64, batch []mintage.Scan) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return b.store.For(brand).InTx(ctx, func(tx store.Tx) error { return tx.AppendScans(ctx, batch) })
}

// ofThePlace reports whether the same scans may be stored later, and were not now.
func ofThePlace(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return mintage.ErrorCode(err) != mintage.CodeUnknown
	}
	switch mintage.ErrorCode(err) {
	case mintage.CodeUnavailable, mintage.CodeRetry, mintage.CodeOldSchema:
		return true
	default:
		return false
	}
}

// done forgets scans that were stored, or that never will be.
func (b *Buffer) done(n int, err error) {
	if err != nil {
		b.log.Error("scans are lost: the database refuses them", "scans", n, "code", mintage.ErrorCode(err), "error", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	if err != nil {
		b.dropped += int64(n)
	}
}

// giveBack puts what was taken before what came meanwhile.
func (b *Buffer) giveBack(taken map[int64][]mintage.Scan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for brand, scans := range taken {
		b.waiting[brand] = append(scans, b.waiting[brand]...)
	}
}

// tellRoom logs when scans begin to be dropped for want of room, and when they no longer
// are. Add does not: whoever it logs to may be slow.
func (b *Buffer) tellRoom() {
	b.mu.Lock()
	refused := b.refused
	b.mu.Unlock()
	switch lately := refused - b.told; {
	case lately > 0 && !b.without:
		b.log.Error("scans are dropped: more come than the database takes", "dropped", refused)
	case lately == 0 && b.without:
		b.log.Info("scans are noted again", "dropped", refused)
	}
	b.without, b.told = refused > b.told, refused
}

func (b *Buffer) pause(ctx context.Context, err error) {
	if !b.paused && ctx.Err() == nil {
		b.log.Error("writing of scans pauses", "code", mintage.ErrorCode(err), "error", err)
	}
	b.paused = true
}

func (b *Buffer) goOn() {
	if b.paused {
		b.log.Info("writing of scans goes on")
	}
	b.paused = false
}

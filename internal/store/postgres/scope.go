package postgres

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"

	"mintage/internal/store"
)

// scoped are the transactions of one brand.
type scoped struct {
	*Store
	set string // sets the brand, for the transaction only; see setting
}

// For returns the transactions of one brand; see [store.Store]. The brand is set in
// the round trip that begins the transaction.
func (s *Store) For(brand int64) store.Transactions {
	return scoped{s, `, set_config('mintage.brand', '` + strconv.FormatInt(brand, 10) + `', true)`}
}

func (s scoped) InTx(ctx context.Context, fn func(store.Tx) error) error {
	return s.inTx(ctx, s.begin(s.beginWrite), fn)
}

func (s scoped) Read(ctx context.Context, fn func(store.Reader) error) error {
	return s.read(ctx, s.begin(s.beginRead), fn)
}

// begin adds the brand to the last statement of those that begin a transaction.
func (s scoped) begin(statements []string) []string {
	statements = slices.Clone(statements)
	statements[len(statements)-1] += s.set
	return statements
}

// Restricted reports whether policies apply to this role; see [store.Store].
func (s *Store) Restricted(ctx context.Context) (restricted bool, err error) {
	if err := s.pool.QueryRow(ctx, `SELECT row_security_active('brands')`).Scan(&restricted); err != nil {
		return false, failure(ctx, err)
	}
	return restricted, nil
}

// horizon is how far [Store.EventHorizon] has come.
type horizon struct {
	mu sync.Mutex
	at int64
	// next is the number that it moves to once all of before have ended: the
	// transactions that may have drawn a number up to it.
	next   int64
	before map[string]bool
}

// EventHorizon implements [store.Store]; the package's documentation says why it is
// right. Where nobody writes at the moment, it is up to date at once.
func (s *Store) EventHorizon(ctx context.Context) (int64, error) {
	h := &s.horizon
	h.mu.Lock()
	defer h.mu.Unlock()
	err := s.run(ctx, s.watch, s.beginRead, func(t *tx) error {
		// The number comes first. Whoever drew it, or one before, had its lock by then.
		last, err := one(ctx, t, scanNumber, `
			SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_number_seq`)
		if err != nil {
			return err
		}
		writers, err := many(ctx, t, scanText, `
			SELECT virtualtransaction FROM pg_locks
			WHERE locktype = 'relation' AND relation = 'events'::regclass AND mode = 'RowExclusiveLock' AND granted
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		if err != nil {
			return err
		}
		h.look(*last, writers)
		return nil
	})
	return h.at, err
}

// look moves the horizon on after a look at the last number and then, later, at who
// writes.
func (h *horizon) look(last int64, writers []*string) {
	now := make(map[string]bool, len(writers))
	for _, w := range writers {
		now[*w] = true
	}
	for w := range h.before {
		if !now[w] {
			delete(h.before, w)
		}
	}
	if len(h.before) > 0 {
		return
	}
	h.at = max(h.at, h.next)
	h.next, h.before = last, now
	if len(now) == 0 {
		h.at = max(h.at, last)
	}
}

func scanText(row pgx.Row) (*string, error) {
	s := new(string)
	return s, row.Scan(s)
}

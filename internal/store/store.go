package store

import (
	"context"
	"time"

	"mintage"
)

// Store is a database that mintage keeps its data in.
type Store interface {
	Transactions

	// For returns the transactions of one brand's principal. Under a role that
	// policies apply to (PostgreSQL's app and resolver roles), other brands' rows
	// do not exist in them; and without For hardly any rows do.
	For(brand int64) Transactions

	// Engine names the database for people: "sqlite" or "postgres".
	Engine() string

	// Restricted reports whether the database itself keeps brands apart for this
	// store's role. It is false on SQLite, and on PostgreSQL for a role that
	// policies do not apply to: an owner, a worker.
	Restricted(ctx context.Context) (bool, error)

	// Ping fails with UNAVAILABLE where the database cannot be used for writing,
	// and with SCHEMA_OUT_OF_DATE where it has to be migrated first.
	Ping(ctx context.Context) error

	// Submissions returns a channel that receives after a mint request was
	// committed, by this process or, on PostgreSQL, by any. It has room for one
	// signal and may miss or repeat one: it only shortens the wait of a poll. It
	// is closed never; the subscription ends with ctx.
	Submissions(ctx context.Context) <-chan struct{}

	// EndHungWorkers ends every transaction that has held a job's lock for longer
	// than limit, and makes the job's CycleLimit half of the slice that it may have
	// tried (at least 1), so that a slow link does not hang again. It returns the jobs concerned.
	EndHungWorkers(ctx context.Context, limit time.Duration) ([]int64, error)

	// Watch is Read for what must go on however busy the store is, such as the poll that
	// hears of revocations: it has a connection of its own and waits for nobody but
	// EventHorizon and other calls of Watch.
	Watch(ctx context.Context, fn func(Reader) error) error

	// EventHorizon returns a number below which, and at which, no event can appear
	// any more: every transaction that may have drawn such a number has ended. It
	// never goes back, and stays where it is while such a transaction is open. It
	// has the connection of Watch.
	EventHorizon(ctx context.Context) (int64, error)

	// Migrate brings the schema up to date; it does nothing where it is.
	Migrate(ctx context.Context) error

	Close() error
}

// Transactions run functions in transactions of their own.
type Transactions interface {
	// InTx runs fn in a read-write transaction and commits it if fn returns nil;
	// otherwise, or on a panic, nothing of it remains. fn may run more than once
	// (see TRY_AGAIN in the package's documentation), so its effects outside the
	// transaction must bear repetition.
	InTx(ctx context.Context, fn func(Tx) error) error

	// Read runs fn in a read-only transaction that sees one moment. It waits for
	// no writer.
	Read(ctx context.Context, fn func(Reader) error) error
}

// Reader is what a read-only transaction offers.
type Reader interface {
	// Now is the database's clock.
	Now(ctx context.Context) (time.Time, error)

	BrandReader
	ProductReader
	ProductionReader
	JobReader
	UnitReader
	EventReader
	PeopleReader
	KeyCheckReader
	SealReader
	LifeReader
	ResolverReader
	AuditReader
}

// Tx is what a read-write transaction offers.
type Tx interface {
	Reader
	BrandTx
	ProductTx
	ProductionTx
	RequestTx
	JobTx
	UnitTx
	EventTx
	PeopleTx
	KeyCheckTx
	SealTx
	LifeTx

	// Savepoint runs fn so that its failure leaves the transaction as it was
	// before and usable; outside of one, a statement that failed dooms the
	// transaction. It returns fn's error; where the transaction itself is
	// lost (UNAVAILABLE, TRY_AGAIN), everything after it fails too.
	Savepoint(ctx context.Context, fn func() error) error
}

// Page asks for part of a list, newest first unless the method says otherwise.
type Page struct {
	After int64 // number of the last row already seen; 0 for the beginning
	Limit int   // at most so many rows, at least 1
}

// ByID reads what a list names by IDs, each once, in the caller's transaction. What is
// not there, or is another brand's, is left out.
func ByID[T any](ctx context.Context, brand int64, ids []string, read func(ctx context.Context, brand int64, id string) (*T, error)) (map[string]*T, error) {
	found := make(map[string]*T, len(ids))
	for _, id := range ids {
		if found[id] != nil {
			continue
		}
		one, err := read(ctx, brand, mintage.CanonicalID(id))
		switch mintage.ErrorCode(err) {
		case "":
			found[id] = one
		case mintage.CodeNotFound:
		default:
			return nil, err
		}
	}
	return found, nil
}

// NoOrdinals is why [RequestTx.ReserveOrdinals], and a preflight, refuse; next is the product's next
// ordinal.
func NoOrdinals(next int64) error {
	return mintage.Errorf(mintage.CodeConflict,
		"A product can have %d units, and this one has room for %d more; request no more than that, or mint with a new product.",
		int64(mintage.MaxProductUnits), mintage.MaxProductUnits-next)
}

// Unreleased is why [Store.Ping] and [Store.Migrate] refuse a database that was made
// before the first release.
func Unreleased() error {
	return mintage.Errorf(mintage.CodeOldSchema,
		"The database was made by a mintage from before its first release, and cannot be brought up to date; start anew with an empty one (CHANGELOG.md).")
}

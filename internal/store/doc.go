// Package store is the contract between mintage and its database. It has two
// drivers, store/sqlite and store/postgres, which pass one conformance suite,
// store/storetest; above the contract nothing knows which engine runs.
//
// # What it promises
//
// [Store.InTx] runs a function in one transaction: all of it is committed or
// nothing. Inside, what is written is read back, locks are held to the end, and
// a transition that the domain does not have is refused. A driver holds no
// rules: it stores what the use cases decided and refuses what contradicts the
// schema.
//
// Order and due times come from the database: numbers from its sequences, the
// time from [Reader.Now]. Times shown to people come from the caller.
//
// Locks are always taken in this order, so that no two transactions wait for
// each other: idempotency key, production batch, product, GTIN, job, units.
//
// # One worker at a time
//
// [JobTx.ClaimJob] takes the lock of the oldest runnable job whose lock is free
// and holds it until the transaction ends, however it ends. There is no lease
// and no heartbeat: the database frees the lock when the worker dies. A worker
// that hangs with the lock in hand is ended from outside, by
// [Store.EndHungWorkers].
//
// On SQLite, where all writers are one, the write transaction itself is the
// lock.
//
// # How it fails
//
// Errors carry a code (see [mintage.ErrorCode]):
//
//	NOT_FOUND            no such row, or another brand's
//	CONFLICT             a unique key is taken
//	ILLEGAL_TRANSITION   the state is not, or is no longer, the expected one
//	TRY_AGAIN            serialization failure or deadlock; InTx has already
//	                     run the function again a few times
//	INVALID_INPUT        text that a database cannot hold (NUL, invalid UTF-8)
//	FORBIDDEN            the role may not migrate; or it is to work for all
//	                     brands and sees only one
//	NOT_SUPPORTED        the server or file system cannot do what is needed
//	UNAVAILABLE          a fault of the place: connection, disk, shutdown,
//	                     read-only, busy, a right that is missing. What was asked for may be asked again
//	OUTCOME_UNKNOWN      the same while committing: it may have been stored
//	SCHEMA_OUT_OF_DATE   migrate first
//	INTERNAL             anything else; a cycle counts it as a strike
//
// The end of a context passes through as it is. A worker gives its transactions a
// deadline: while it sends into a network that is gone, nothing else ends them.
//
// Nothing above a driver looks at an error's text.
package store

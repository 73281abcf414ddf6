// Package mint holds the use cases of minting: it says what stands in the way of
// a request (preflight), accepts it (submit), creates its units (the engine), shows
// what came of it, ends it (revocations and recalls) and says where its codes lead.
//
// # What it promises
//
// A submission creates its job, its batch and the range of ordinals that they
// own, or nothing: see [Service.Submit]. The engine then inserts that range, in
// order, in slices of at most [mintage.MaxCycle] units, one transaction each:
// see [Engine].
//
// A revocation is one row and one event, in one transaction: see
// [Service.RevokeUnit]. A recall of a batch or lot is one row and one event for all
// its units, those still to be minted included: see [Service.RecallBatch]. Both are for
// good, need a reason, and change nothing the second time. What a unit is follows from its
// rows, the recalls and how its batch has it born; revoked comes before all else.
// [Service.Counts] is exact at every moment; [RollUp] only makes it fast.
//
// # A cycle
//
// Each cycle claims anew: it takes the lock of the oldest runnable job that
// nobody works on. Having just committed, a worker's own job is free, so that it
// gets it again unless an older one became free. That one rule gives the order,
// the hand-over after a crash and the end of a job whose worker is gone.
//
// A job that is QUEUED becomes RESERVED in a transaction of its own, so that
// people see it. Any other claim inserts the next slice, adds to minted_quantity,
// moves the job (to PROCESSING with its first units, to COMPLETED with its last)
// and writes the events, all in the transaction that holds the lock. Where the
// next slice begins follows from minted_quantity, read under the lock; a slice
// that was inserted before meets the primary key. So nothing is minted twice or
// left out, whatever dies at whatever moment.
//
// The codes of the next slice are made while the database writes this one.
//
// # How it fails
//
// An error inside a cycle rolls back to a savepoint and is counted as a strike in
// the same transaction, with its message; then the job waits, and after the third
// strike in a row it is FAILED. Two kinds of error are no strike. A fault of the
// place (UNAVAILABLE) pauses the worker, shows in [Engine.Fault] and leaves the
// job as it is. A lost race (TRY_AGAIN) is simply run again.
package mint

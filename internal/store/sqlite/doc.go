// Package sqlite keeps mintage's data in one file, with SQLite as a Go library
// (modernc.org/sqlite): no server, no C compiler, nothing to set up.
//
// # One writer
//
// SQLite has one writer at a time. So a store has one connection that writes and
// a pool of connections that cannot. [Store.InTx] waits for the first, and every
// transaction on it is BEGIN IMMEDIATE: it takes SQLite's write lock at once and
// never finds, halfway through, that another has written since it read. That
// makes the write transaction the lock of everything: of a production batch, of a
// product, of a job. Reads run beside it, each on the state of one moment.
//
// Other processes may write too; who waits longer than the busy timeout for them
// gets UNAVAILABLE. A turnstile lets them take turns (measured: a short command
// waits 0.05 s beside five running jobs, without it up to a second and more). [Lock] sees to it that only one process serves or works on a
// file; short commands need no lock.
//
// A worker cannot hang with the lock in hand as it can on PostgreSQL: its
// statements run in its own process, and the operating system frees the lock when
// that ends.
//
// # Settings
//
// Of the writer:
//
//	journal_mode = WAL         readers and the writer do not wait for each other
//	synchronous = FULL         a commit is on the disk before it is reported;
//	                           NORMAL may lose the latest ones with the power
//	foreign_keys = ON          SQLite's default is off, for its past's sake
//	busy_timeout = 10000       milliseconds to wait for other processes
//	cache_size = -16384        16 MiB: the indexes of a large catalogue fit
//	journal_size_limit = 16 MiB
//	                           what the journal's file keeps after a burst
//	temp_store = memory        no file beside ours
//	_txlock = immediate        see above
//
// Of the readers: mode = ro and query_only, so that a mistake of ours is an error
// and no write; deferred transactions. Of both: _dqs = 0, so that a misspelt
// column is an error and no string.
//
// The page size (4096) and the checkpoint after each 1000 pages are SQLite's own:
// minting a million units took the same time with pages of 4, 8 and 16 KiB and
// with checkpoints after 500 to 10,000 pages (measured). Memory-mapped reading
// stays off: an I/O error would be a signal that ends the process.
//
// With these checkpoints the journal has 4 MB while a million units are minted.
// A reader that stays, such as a long export, keeps it from being emptied until
// it ends; readers that overlap without end would do so for ever, so a commit
// that finds 64 MiB waits for them for a moment (walKeeper).
//
// # Values
//
// Times are text, RFC 3339 in UTC with six digits, NULL for the zero time: they
// sort as they read. The database's clock is this process's: SQLite has none of
// its own. Numbers are AUTOINCREMENT, so that none comes twice; a job and its
// batch share one.
//
// # What is only ever added to
//
// Triggers refuse to change, replace or remove rows of events, event_seals and recalls,
// also to statements from outside. Whoever owns the file can drop them, as everything:
// that is what the hash chain is for. SQLite has no roles, so [Store.For] promises
// no second wall between brands: the queries' own brand is the only one.
//
// # The life of units
//
// A unit that was never activated or revoked has no row in unit_states. Activating one
// costs 211 bytes of the file, its event and that event's indexes included (measured);
// in lists of 256, 44,000 a second.
//
// Counts by state are stored for each lot, as of an event's number, and read together
// with the events since, by the index of a batch's events: 1 ms for a batch of a
// million activated units, and 1.5 ms more for each 1000 events since (measured). A
// recall is looked up, not counted. Of all events, the index events_changes holds the few
// that a resolver follows, so that it may ask for them often.
//
// # When a statement fails
//
// SQLite ends a transaction by itself after some errors (disk full, I/O error,
// interrupt), and what came next would be committed alone. So all statements go
// through a session, which remembers the first failure: nothing works after it
// until a savepoint takes it back, as on PostgreSQL, and after such an error
// nothing does. Error codes come from SQLite's extended result codes, never from
// its texts.
package sqlite

// Package postgres keeps mintage's data in PostgreSQL 15 or later. It is one of
// the two drivers of package store, whose documentation says what both promise;
// here is how this one does it. One database belongs to one mintage: the driver
// regards its notification channels and advisory locks as its own.
//
// # The lock of a job
//
// A worker that claims a job holds two locks until its transaction ends.
//
// The rows of the job and of its batch are locked FOR NO KEY UPDATE SKIP LOCKED.
// This lock decides who has the job: two workers that ask at the same moment get
// different jobs or one gets none. It also makes the claim read the truth. A
// statement reads rows as they were when it began, and until it reaches the lock
// another worker may have finished a whole cycle. But a row that is being locked
// is read again, in its latest version, and the conditions are checked on that
// version. The claim therefore takes what changes (state, strikes,
// minted_quantity) from the two locked rows only, and nothing but identifiers,
// which never change, from the tables joined to them.
//
// The advisory lock with the job's number as its key (the form with one bigint)
// says who has the job: pg_locks names the process that holds an advisory lock,
// but not the one that holds a row's. [Store.EndHungWorkers] needs that. It is
// taken after the rows, so that nobody else holds it for long: a transaction that
// ends gives up its rows a moment before its advisory locks, and a claim that
// comes in that moment waits for it. Keys from 1 on are jobs, -1 is the
// migration's, and -2 that of whoever seals.
//
// Both die with the transaction, and the transaction with its worker: no lease
// has to be prolonged, and nothing depends on the connection afterwards, so that
// PgBouncer may give it to somebody else.
//
// # A worker that hangs
//
// Each transaction begins with its own timeouts (see [Options]), set with SET
// LOCAL in the same round trip as BEGIN and the first statement: for a statement,
// for waiting on a lock, and for doing nothing. All are below the 15 seconds after
// which a worker is ended, so that what the server can notice by itself never comes
// to that.
//
// What it cannot notice is a COPY whose client stays silent: neither the timeout
// of statements nor a cancel request ends it, only the end of the process does.
// So units are encoded to the last byte before COPY begins, which leaves nothing
// but the network to wait for. Where that hangs, EndHungWorkers ends the process
// and makes the job's CycleLimit half of the slice, as far as it is known: of the
// limit or of what was left to mint. The halving is part of the statement that
// ends the process, and waits for the row that dies with it. It also asks that
// the limit be the one seen before the kill, so that two callers at once halve it
// once.
//
// Only a superuser or a role with pg_signal_backend may end another role's
// processes. All workers should therefore connect with the same role.
//
// # Round trips
//
// A cycle takes five: BEGIN, the timeouts and the claim; SAVEPOINT and the batch's
// count, while the slice is being encoded; COPY; the event; COMMIT. What returns
// nothing and can hardly fail (BEGIN, the timeouts, SAVEPOINT, RELEASE) waits for the
// next statement and is sent in front of it, as one pipeline up to one Sync, which
// PgBouncer takes as one piece too. A RELEASE with nothing behind it but COMMIT is
// never sent, and a transaction without a statement is none.
//
// # A client that waits
//
// When a context ends in the middle of a statement, the connection is closed,
// because only that stops the statement; so the transaction is lost, whatever
// becomes of the savepoint around it. A commit is not stopped by its context:
// half-way through, nobody would know its outcome. Where the connection breaks
// then, nobody knows either, and the error is OUTCOME_UNKNOWN. Whoever gets it
// asks the database what happened, as workers and idempotency keys do anyway.
//
// A partner that vanishes without a word is noticed by TCP keepalive while
// nothing is outstanding, and on Linux by the user timeout while something is;
// elsewhere only the context's deadline helps then. A cycle has one.
//
// # The second wall
//
// The first wall between brands is in every statement, which names the brand. The
// second one is in the database: each table that has a brand has a policy which
// shows only the rows of the transaction's brand, as [Store.For] sets it with SET
// LOCAL in the round trip that begins the transaction. Where it is not set there
// are no rows. Policies apply to the login roles that are members of mintage_app
// and mintage_resolver. They do not apply to the owner, so that one role can still
// do everything, nor to a worker's login role, which has BYPASSRLS: a worker looks
// for jobs of all brands.
//
// What has to be found before the brand is known (an API key, a user, a session,
// whose a resolver base is) has a door each: a function that runs with the owner's
// rights and takes the exact key. Tables of people have no other access.
//
// A table that grows with units has no policy: COPY would refuse it, and Citus
// could not distribute it. The restricted roles have no right on it and read the
// view brand_units, which finds out from the product whose units they are. All
// roles read units that way; it costs a lookup in the key of products.
//
// Under a policy, only operators that are leakproof may use an index. Comparisons
// of numbers, texts, UUIDs and times are; LIKE and trigrams are not. So a search
// is by the beginning of a column, between two texts; a test looks at plans.
//
// grants.go lists what each group role may do. [Store.Migrate] grants it.
//
// # The event horizon
//
// A sequence hands out numbers before transactions commit, and some never do, so
// that the highest event that can be seen says nothing about lower ones.
// [Store.EventHorizon] reads the last number that was handed out, and then who
// holds the lock on the table of events that an INSERT takes. Whoever drew that
// number, or a lower one, took this lock before and keeps it until the transaction
// has ended, which is after its rows can be seen. So once each of those holders is
// gone, no event up to that number can appear any more. Whoever comes later does
// not matter, nor does who only reads. Transactions are named by their virtual
// transaction numbers, which are not used twice.
//
// # Errors
//
// SQLSTATE decides, never the text; errors.go has the table. Some cases needed a
// decision. A statement that ran into its timeout (57014) is INTERNAL and thus a
// strike: its cause is as likely the job's slice as the server's load, and a
// pause would hold up every other job. A lock that was not granted in time
// (55P03) is UNAVAILABLE: contention is no fault of the job, and running the
// function again at once would only lengthen the queue. A right that is missing
// (42501), be it a grant or another brand's row, is UNAVAILABLE too: jobs must not
// fail because a role was set up wrongly.
//
// After an error other than NOT_FOUND or ILLEGAL_TRANSITION, PostgreSQL refuses
// everything up to the rollback. Where work shall go on, what may fail has to be
// inside [store.Tx.Savepoint].
//
// # PgBouncer
//
// In transaction mode, up to version 1.20, prepared statements must not outlive
// a transaction: add default_query_exec_mode=exec to the URL. Every statement
// here works in each of pgx's modes, which is why parameters whose type the
// server could not guess carry a cast. LISTEN and the lock of migrations need a
// session of their own and take [Options.DirectURL]. Without one, submissions
// made elsewhere are noticed by polling only.
package postgres

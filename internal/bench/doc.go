// Package bench measures how fast this machine and its database mint ([Mint]) and how
// fast the resolver answers scans ([Resolve]), beside what the same machine and
// database do at best. It works in a scratch database of its own.
//
// # Minting
//
// A round has its phases one after the other, so that a machine that grows
// slower or busier does so for all three; figures are medians over the rounds,
// and a ratio is the median of the rounds' own ratios:
//
//   - the engine: mint requests through [mint.Service], minted by [mint.Engine]
//     in this process or by worker processes, from submission to the last commit;
//   - where several jobs are asked for: one such job alone, minted by the same
//     workers;
//   - the floor: rows of the same kind in the same table, with the same index, by
//     one COPY in one transaction, encoded before the clock starts. On SQLite: by
//     a prepared statement of 100 rows in one transaction, handed to the driver
//     itself, its arguments made before;
//   - the naive way: a table with a random UUID as its key, a unique index on a
//     random serial and the URL as text, filled in the engine's cycles.
//
// Before each phase the database writes out what the one before left in memory
// (CHECKPOINT), so that none pays for another. The engine and the floor each
// take a product that is newer than all others: both append at the right edge of
// the index. Autovacuum is off for the two tables with units: it would fall upon
// whichever phase is running at the minute.
//
// # Scanning
//
// The resolver stands behind the same edge and server as in production, on loopback,
// and stores its scans; beside it, behind a server like it, stands a
// handler of net/http that does nothing but redirect. Load comes from this process:
// connections that stay open, each with one request under way (see generator). Its
// cost is the same for both, so that a ratio is a little kinder than one of servers
// alone would be; it is why the load is written by hand.
//
// Each case is a phase of its own. What the resolver notes of scans is stored
// after their answers: a phase begins with a while that is not measured, so that it
// pays for as many scans as it makes, and after it what is left is waited for, so that
// the next phase pays for none. The known tokens are a sample over all units of a
// product, of which one in a thousand is revoked; first scans are in random order.
//
// First scans are held against the database alone, that does their two inserts in one
// statement, one unit in a transaction, on as many connections: by pgbench, and where
// that is not installed by a loop here. On SQLite, which has one writer, on one
// connection.
//
// The scratch database is removed at the end, also when the context ends.
package bench

// Package bench measures how fast this machine and its database mint, beside
// what the same database takes at best and beside what one would build without
// much thought. It works in a scratch database of its own.
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
// The scratch database is removed at the end, also when the context ends.
package bench

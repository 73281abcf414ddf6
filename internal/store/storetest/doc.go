// Package storetest gives tests a database, and is where the contract of
// package store is tested: its own tests run every method on every engine.
//
// [Each] runs a test body once per engine, each time with a fresh, migrated
// database. PostgreSQL is never optional: where there is none, the test fails
// (see package pgtest). [Fixture] fills a database through the contract, the way
// the use cases, the engine and first scans do, and [Snapshot] shows that an operation which
// was refused left nothing behind. [DB.As] is the database for a role that may do
// less than the tests' own, and [Unguard] lets a test damage what is only ever added to.
//
// # Adding to the contract
//
// A new method of the contract needs a test with its name, in the list in
// conformance_test.go; TestEveryMethodHasItsTest fails until it has one.
//
// Tests do not sleep. A body that makes two transactions meet holds the first
// one with a channel and learns from [DB.AwaitBlocked] that the second waits. On
// SQLite, where writers queue before their transaction begins, nothing can be
// observed there and the body must hold whichever way the two interleave.
//
// The drivers' own tests are in external packages (postgres_test, sqlite_test),
// since this package imports both drivers.
package storetest

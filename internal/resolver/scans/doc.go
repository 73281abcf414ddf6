// Package scans writes scans to the database without making anyone wait for it.
//
// # What it promises
//
// [Buffer.Add] never blocks and never fails: it puts a scan into memory, or drops it
// and counts it where there is no room for more. [Buffer.Run] writes what was added,
// each second or as soon as 16,000 wait, each brand's in transactions of its own of
// at most 16,000 scans. When its context ends it writes what is left and returns, within
// 10 seconds. A scan is stored at most once.
//
// A scan is a note of what happened, not a promise to anyone: an activation has an
// event of its own in the transaction that made it. So what the process holds when it
// is killed, at most about a second of scans, is lost.
//
// # How it fails
//
// A fault of the place (UNAVAILABLE, TRY_AGAIN, SCHEMA_OUT_OF_DATE, or no answer in
// time) leaves scans where they are, and they are tried again each second, while
// new ones are taken as long as there is room. Scans that cannot be stored for any
// other reason are dropped and counted, and so are those whose transaction may or may
// not have been committed (OUTCOME_UNKNOWN), so that none is stored twice. The log says
// once that writing pauses, and once that it goes on; likewise when scans begin to be
// dropped for want of room, and when they no longer are. [Buffer.Dropped] is the count.
package scans

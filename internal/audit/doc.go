// Package audit makes the audit trail tamper-evident: a sealer links the events
// of each brand into a hash chain, and a verifier finds what was changed since.
//
// # What it promises
//
// Within a second or so of being committed, an event is sealed: its digest stands
// in a block, whose hash covers the block before. Whoever then edits, removes,
// inserts or moves an event of a sealed range contradicts the block, and whoever
// changes the block contradicts the next one. [Verify] names the event or the
// block. To hide it, all blocks from there on have to be made anew, which nothing
// in the database can show; a head that was saved elsewhere ([Export]) does.
//
// The threat is somebody who can write to the database, the owner's rights
// included, and cannot reach the saved head. So:
//
//   - What was sealed when the head was saved cannot be changed without being
//     found, by anybody, as long as SHA-256 holds. An edit that matches a given
//     digest, of which 16 bytes are kept, takes some 2^128 attempts; two events
//     prepared beforehand so that one may later stand for the other, some 2^64.
//   - What was sealed after that cannot be changed unless the rest of the
//     chain is made anew. It has no key, so that this is easy: save heads often.
//
// # What it does not prove
//
//   - That an event is true. Whoever can write to the database can also append an
//     event, and it will be sealed.
//   - Anything about events that are not sealed yet. A transaction that stays open
//     holds sealing up, and meanwhile the owner can edit what waits, its times
//     included. It cannot do so unnoticed for long: a [Sealer] that sees the tail
//     older than a minute, by the events' times or by its own clock, logs that and
//     tells it in [Sealer.OldTail]; [Verify] and [Export] fail where the oldest event
//     that waits is older than a [Tail] allows. What remains are the minutes before.
//   - Which event was changed, where the chain was made anew: only that the saved
//     head is no longer part of it.
//   - That all events are there which should be. Package verify holds the events
//     of jobs and batches against what they led to.
//   - The difference between NULL and 0, or NULL and "", in a column of events:
//     they read alike everywhere, and so they are sealed.
//
// # Blocks
//
// A block covers the events of one brand that the block before does not, up to
// and including its last one: 1 to 1,024 of them. Its digests are, for each event in
// the order of numbers, 8 bytes of number and the first 16 bytes of the SHA-256
// of the event's canonical encoding. Its hash is the SHA-256 of
//
//	the hash of the block before, 32 bytes (zeros before the first)
//	brand number, block number, number of the last event, 8 bytes each
//	when it was sealed, in microseconds since 1970, 8 bytes
//	the digests
//
// The canonical encoding of an event is a version byte, now 1, and then every
// column in the order of [appendEvent], each with its length in 4 bytes before
// it: text as it is, numbers in 8 bytes, time in microseconds since 1970. All
// numbers are big-endian, negative ones in two's complement.
//
// # When events are sealed
//
// Chaining within the transaction that writes the event would make a brand's
// transactions queue for the end of the chain. So it is done afterwards, by
// whichever process takes the right to ([store.SealTx.LockSeals]), and a writer
// never waits for it, except on SQLite, where all writers take turns and a
// transaction of the sealer is as short as a cycle of minting.
//
// Numbers are drawn before the commit, so a lower number may appear after a
// higher one. Only events up to [store.Store.EventHorizon] are sealed, below
// which nothing can appear any more: what does is not late but forged.
//
// # How it fails
//
// A block is one row, written in a transaction: a sealer that dies leaves whole
// blocks, and the next one goes on after them. Any number may run. A fault of the
// place pauses sealing until it is over, and is logged once. Where the events of
// one brand cannot be read, that brand's sealing stops there, is logged once, and the
// others' goes on. [Verify] and [Export] fail with FORBIDDEN under a role that
// policies apply to, which would show them nothing and call it sound.
package audit

// Package mintage holds the domain of the mint: brands, products, production
// batches, mint requests, jobs, batches, lots, units and events, their states
// and the rules that hold between them. It knows no database, no HTTP and no
// library but Go's own.
//
// # The lifecycle
//
// A brand submits a [MintRequest]. If nothing stands in the way (see [Reason]),
// one [Job] and one [Batch] come into being together and a range of the
// product's ordinals becomes theirs. Workers then create the batch's units, in
// cycles of at most [MaxCycle], oldest job first:
//
//	job    QUEUED → RESERVED → PROCESSING → COMPLETED
//	                RESERVED or PROCESSING → FAILED
//	batch  queued → processing → minted or failed; queued → failed
//	token  minted → active → revoked; minted → revoked
//
// There are no other transitions and no way back: see [JobStatus.To] and
// [TokenStatus.To]. A batch has no state of its own: [JobStatus.Batch] gives it,
// so that the two cannot disagree.
//
// # Numbers and identifiers
//
// Everything stored has an ID (a UUID, public) or a code. Number fields are
// given by the database, order things as they happened, and never leave the
// engine, except inside opaque cursors.
//
// # Failure
//
// Functions fail with an [Error], which carries a [Code] and a message that is
// safe to show. Rules that a mint request breaks are not errors one by one but
// a list of [Reason], all of them at once.
package mintage

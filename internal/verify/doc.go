// Package verify is the auditor: it reads a whole database against mintage's
// promises and says, check by check, what contradicts them.
//
// # What it promises
//
// [Run] reads everything in one transaction that sees one moment, so that it may
// run beside workers: at every commit all checks hold. It changes nothing, and
// believes nothing but what it reads: no key, no reference, no figure that a
// driver computes. It stops at no finding; what cannot be read is one itself.
//
// It keeps, of each product, batch, lot, production batch, resolver base and GTIN, what
// the others are held against: some 200 bytes a batch. Of a unit that was scanned
// or revoked by itself it keeps two bits at most, compressed; of others nothing. It
// reads each unit once, in the order of the primary key.
//
// # The checks
//
//	counts              each batch's minted_quantity is the number of its units and
//	                    no more than was requested (promise 2)
//	ranges              the batches of a product lie one after the other, without
//	                    overlap or hole, from ordinal 0 to the next to be reserved
//	gaps                a batch has its first minted_quantity ordinals, and no
//	                    others (promise 6)
//	orphans             nothing refers to what does not exist or is another brand's;
//	                    no unit is outside the range of a batch, and
//	                    no state is of a unit that was never minted
//	duplicates          no unit, code in a product, product code, job or batch
//	                    stands twice (promise 3)
//	codes               each code enciphers its ordinal
//	lots                a batch's lots are its range, and their URLs are those of
//	                    its base, GTIN, product code, mode and lot (promise 9)
//	states              a job's state agrees with its figures and times (promise 7)
//	events              transitions, cycles and strikes tell a legal history that
//	                    leads to what is stored (promise 11); of each unit, too
//	tokens              each state of a unit is one that its batch's units may come
//	                    to, once, and has its event, and each event its state
//	                    (promises 10 and 11)
//	recalls             a recall covers its batch or one of its lots, says when and
//	                    why, and has its event
//	token counts        the counts by lot and state are those of a recount
//	production batches  no more is committed than may be (promise 2)
//	gtins               what was minted with a GTIN, or will be, belongs to the
//	                    product that owns the GTIN (promise 3)
//	bases               resolver bases belong to the brands that use them
//
// One damage often shows in several checks: a unit that was deleted is missing in
// counts and in gaps.
//
// # What it cannot see
//
//   - The past. A batch that vanished with its units, lots, events and range, and
//     with the ordinals that came after it, leaves no trace; nor does an event
//     about a product or a brand. Backups and exports are the witnesses of those.
//   - What printers, exports and scanners did with the codes.
//   - Whether times are true: clocks may jump, and nothing depends on them.
//   - The order of claims (promise 5) and which worker held a lock (promise 4):
//     they are not stored.
//   - The percentage of over-issue of the moment when a request came: a production
//     batch is held against the highest one that its brand ever had, as events tell.
//   - Codes that stand twice beyond the first ten thousand wrong ones of a run.
//   - Damage below SQL that the database hides, such as an index that lacks a row.
//     Where PostgreSQL refuses to read a page, it ends the transaction, and the
//     checks that come after it say that they could not be made.
package verify

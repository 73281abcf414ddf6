// Package resolver is the public plane: what a phone, a customs officer's scanner or
// a search robot gets that opens a printed URL. It follows GS1's Conformant Resolver
// standard 1.2.0, GS1 Digital Link: URI Syntax and RFC 9264 (linksets).
//
// # What it answers
//
// The host and the path before the GS1 key choose a resolver base, and with it the
// brand; what belongs to no base resolves nothing. Then, for
//
//	{base}/01/{gtin}[/22/{cpv}][/10/{lot}][/21/{serial}]   and compressed ones
//	{base}/01/{gtin}[/10/{lot}]?u={code}
//	{base}/u/{product code}[/{code}]
//
// the answer is 307 to the product's default link, with the query string passed on.
// Without links that is the passport page of this resolver:
//
//	{base}/p/{product code}                  a product
//	{base}/p/{product code}/lot/{lot}        a lot
//	{base}/p/{product code}/{code}           a unit
//	{base}/p/{product code}/{code}/activate  POST: one tap, see below
//	{base}/p/_/…                             style sheets and logos, by content hash
//
// ?linkType= asks for another link, ?linkType=linkset or Accept:
// application/linkset+json for all of them; Accept: application/json or
// application/ld+json answers the passport's data itself. Whoever prefers nothing of
// these, such as a browser, never gets JSON. {base}/.well-known/gs1resolver describes
// the resolver. A path that is no Digital Link is 404, one that goes wrong after
// its key is 400, and an error is never a 200. HEAD answers as GET does; all answers
// allow any origin (CORS), since all they say is public.
//
// # Tokens
//
//	minted    activated by this scan, if it was a person's; else answered as it is
//	active    the default answer
//	revoked   410, with the reason; by the unit's own row or by a recall, and for good
//	no unit   404
//
// A unit is activated once, however many scans race: in the database, where one
// insert of several wins, with its event in the same transaction. HEAD, prefetches and
// robots are answered alike but activate nothing, nor does a linkset or a passport
// page. A brand may ask for a tap (Brand.TapToActivate): then a scan leads to the
// passport page, whatever the default link, until its button was pressed.
//
// A lot or product level that is not known is answered one level up: a product always
// knows something to say. But a unit whose lot is not the one in the URL was never
// printed so, and is 404. So is a product in DRAFT, until it has units: it is not for
// the public yet.
//
// # What it knows, and what it asks
//
// A serial is an enciphered ordinal (package serial). One that deciphers beyond every
// possible ordinal was never issued: 404 without asking the database, which is what
// makes guessing cheap to bear. For the rest this process remembers, for each product
// lately asked for,
//
//   - a card: the product, its links and recalls;
//   - the batches that were met, with how far each was minted when last read;
//   - in chunks of 65,536 ordinals, which units are revoked and which were activated,
//     as compressed bitmaps, read as a whole after the first question about one;
//
// and for pages the brands with their logos, and each DPP schema once, however many
// products have it. All of it together is bounded ([Options.Memory]); what was not used for
// longest goes first. Beside it, bounded by themselves, there are what pages told of
// units (times and reasons, which never change, and for a minute the duplicate signal)
// and the rendered parts of pages (package passport). What is remembered is only ever believed in the direction that cannot become wrong: minted
// units stay minted and active ones active. "Not yet" is never believed: a unit
// beyond what was minted is looked up, so that one committed a moment ago by another
// process is found, and one that seems to be waiting for its first scan goes to
// the database. A GTIN leads to a product without asking only once a unit of that
// product was met that carries it, because such a GTIN never moves again.
//
// What can become wrong (revocations, recalls, cards, brands) is dropped or corrected
// by a poll of the event trail each 250 ms. Events may commit late, with a smaller
// number than others already seen, so each poll reads again from the last event
// horizon on (store.Store) and applies what it has not applied yet. Something that
// was being read while it changed is used for that one answer but not kept.
//
// Lookups that find nothing are limited for each client address (of IPv6, each /64), those
// of hosts, of products with their lots and of units each for itself: [Options.Misses] a
// second, five times as many at once. Beyond that the answer is 429. What is found
// does not count, so that a line scanner behind one address is not held up.
//
// # How it fails
//
// Where no poll has succeeded for a second, nothing remembered is believed, and each
// scan asks the database: a revoked token must not pass for a good one because
// a process lost its connection. The poll has a database connection of its own
// (store.Store's Watch), so that a crowd of scans cannot bring that about. Six requests
// ask the database at once; too many more, or one that waits for five seconds, are
// answered 503 with Retry-After, and so are all if the database does not answer. An activation that fails with others in one transaction is
// tried again alone, and answered 503 if that fails too; the unit then stays minted,
// or is active if only the answer to the commit was lost, which the next scan finds.
// Scans are noted through a bounded buffer (package scans): they are dropped and
// counted rather than waited for. A fault of the program is 500, and its cause is in
// the log, which never has a path, a code or an address.
package resolver

// Package api offers mintage's use cases to programs, over HTTP. Each operation
// is one call of a use case; rules live there, not here. What is here is how a
// request is read, who may make it, and how an answer or a refusal is written.
//
// # What it promises
//
// Every request but the health checks and the API's own description carries an
// API key, and the brand comes from that key alone. One middleware asks package
// access for each operation by its operationId; an operation without a rule is
// refused to everybody. Another brand's rows look like rows that do not exist, in
// status, body and headers. Secrets (API keys, the links of invitations) are answered
// once, where they are made.
//
// The API stands behind an edge (package edge), which gives each request its id and
// its client's address, bounds rates and slow bodies, answers panics and writes the
// log. Both go into the principal, and from there into every event.
//
// Package strictjson reads every JSON body before huma sees it: what two programs
// could understand in different ways is refused. Then huma checks names and types, and the domain
// all the rest. A refused request changes nothing.
//
// Lists page by an opaque cursor over the order in which rows came to be, newest
// first (units by ordinal), so that rows added meanwhile shift nothing. A cursor is
// one brand's for one list, and tells nobody the number that it holds. The units
// of a batch in the making end where minting stands; the same cursor asked again
// goes on from there.
//
// # Streams
//
// An export and a watch last as long as somebody reads, an import as long as
// somebody writes; a deadline bounds each chunk instead of the whole, that of a
// body being the edge's. All three
// need little memory, whatever their size. An export that cannot go on breaks the
// connection, so that a truncated file cannot pass for a whole one. The answer to
// an import is sent when the file has been read: most clients do not read before
// they have written all, and an answer of many rows would stop both. A watch ends
// with the job or with the server; its event ids follow from the job's state, so
// that any process can resume it.
//
// The deadlines stay on the connection after a request. A server that also has
// other handlers should set its WriteTimeout, which renews them.
//
// # How it fails
//
// Always with application/problem+json (RFC 9457): a stable code, words that are
// safe to show, the request's id, and where it applies the faults of the input by
// JSON pointer or the blocking reasons. No answer repeats a value that was sent.
// The one table that maps codes to statuses is in problem.go. Causes are logged
// with the request's id and never shown.
package api

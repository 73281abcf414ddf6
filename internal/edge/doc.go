// Package edge is what every plane (api, web, resolver) has before its routes. A
// server has one edge for each of its listeners:
//
//	handler := edge.New(edge.Options{…})(routes)
//
// # What it promises
//
// Each request has an id, which its answer, its log line and its events carry: the
// caller's X-Request-Id where that is safe in any log, else a new one. It has the
// address of the client: that of the connection, or, where the connection comes
// from a trusted proxy, the last one in X-Forwarded-For that is no trusted proxy's
// itself. From anybody else that header is not believed. A plane asks for them with
// [RequestID], [Address] and [Origin], and names who asks with [SetActor].
//
// Each request leaves one line in the log: id, method, route, status, duration and
// actor, and neither the path nor the address nor a header, so that the log holds
// no identity, no person and no secret. On a public plane the line of what was
// answered without a fault of ours has the level debug, the others have info. The route is the pattern that an
// [http.ServeMux] found, or what [SetRoute] has said.
//
// A panic is answered with 500 and nothing else; the stack is in the log. Where the
// answer has begun already the connection is broken off, so that half an answer
// does not pass for a whole one. [http.ErrAbortHandler] does the same without the
// log entry.
//
// Every answer has the security headers of a plane that shows nothing: no scripts,
// no frames, no cache. A plane that needs more sets those headers itself, later; a
// public one sets them all, where it shows something.
//
// # Limits
//
// Requests are counted for each address (of an IPv6 address the network /64) and
// for each credential that [Credential] reads, in whatever way it is written; more
// than the rate allows get 429 and Retry-After. What is kept is a keyed hash of the
// credential, in a table that forgets what was not seen for longest: at most some
// 10 MB, whoever asks how often.
//
// A body must move: its next bytes within 30 s, and 1 KiB a second on average
// after the first 30 s. Only waiting for the client counts, not what the server
// does meanwhile. An answer has 60 s, unless its handler moves the deadline, as
// streams do with each chunk. Headers have 10 s and 16 KiB, and a connection on which
// nothing is asked is closed after 30 s (see [Server]). [Limit] bounds the
// connections, all of them and those of one address, so that nobody can take them
// all; a trusted proxy, which stands for many, may. The size of bodies is each plane's own business.
//
// # How it fails
//
// With application/problem+json (RFC 9457), in the form of package api's; a
// browser that navigates gets the same sentence as plain text. A certificate that
// cannot be read anew is logged, and the one before goes on being used.
package edge

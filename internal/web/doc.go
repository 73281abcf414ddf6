// Package web is the face of mintage for people: pages made on the server, which
// work without script. Each page and each form is one call of a use case or a few;
// rules live there. What is here is who may open a page, how a form is read, and
// how a page looks.
//
// # What it promises
//
// A page exists if it is in the table of routes.go, and nowhere else. A route is
// public, or it names an [access.Operation]: whoever is not signed in is sent to
// the sign-in page, and whoever's role may not perform the operation gets a page
// that says so. A route that names an operation without a rule is open to nobody.
//
// Whom a request acts for is read anew each time: the session names the user and
// the brand that was chosen, the member's role comes from the database. So a role
// that is taken away is gone with the next click, and another brand's rows look like
// rows that do not exist.
//
// Every answer, errors included, carries a Content-Security-Policy that allows
// nothing inline and no foreign host. Unsafe methods are refused where they come
// from another site (net/http's CrossOriginProtection). Nothing changes on GET, but
// for the session in which the way to an OpenID provider begins and ends, and for the
// event that an export leaves.
//
// # Streams
//
// The progress of a batch (Server-Sent Events) and its export last as long as somebody
// reads. Every few seconds they ask whether the reader is still signed in, still a
// member of the brand that they were begun for and still allowed to: otherwise progress
// ends with an event that has the page loaded again, and an export breaks off. Each
// event of progress is the part of the page that shows the whole state, so that a reader
// who comes back after a restart has missed nothing.
//
// # Sessions
//
// A session ends after 24 hours without a request, and after 7 days in any case: a
// week's work on a computer of one's own, and nothing left on a forgotten one by the
// day after. The cookie holds a random token; the database knows its hash. The
// token is renewed whenever somebody signs in, so that one that was planted before
// is worth nothing. The session is written when something in it changes, and once an
// hour for the idle limit, not on every request. Forms that change nothing in the
// session leave their outcome in the next page's URL.
//
// A form is read before anything else is found out, since whoever sends it decides how
// long that takes: who is there, and what they may do, is what holds at its end. A
// session that ends while a request is under way does not come back (see
// [access.SessionStore]), and what was to be done to the account is not done.
//
// # One-time links
//
// A link's secret is a segment of its path: the part after # would not reach the
// server without script. GET shows a button and POST uses the link, so that the
// preview of a mail program does not use it up. Nothing here logs a path, only the
// route's pattern, and the page sends no path on as a referrer.
//
// An invitation's link and an API key are shown once, in the answer to the form that
// made them: never in a URL, where they would be logged and remembered. Whoever
// reloads that page would make another one, so the script gives it the address of the
// list; without script the browser asks.
//
// # OpenID Connect
//
// The authorization code flow with PKCE (RFC 7636, S256 only). State, nonce and
// verifier live in the session, for 10 minutes and for one attempt. The provider is
// asked for its configuration at the first sign-in, so that mintage starts while
// it is away. Only a verified e-mail address leads to an account, and only to one
// that exists.
//
// # The wizard
//
// What was typed into the wizard lives in the URL's query and nowhere else: each step
// is a form that GET sends to the next one, with the fields of the others hidden. So
// a step can be reloaded, sent to a colleague, or linked to with fields filled in. A
// step that is asked for before those that come first are valid shows the first of
// them with its faults; nobody sees a fault in what was not left yet. The wizard gets its
// idempotency key when it is opened, in the URL too, so that whatever is sent twice is
// one submission; the review tells what the key was used for before it tells what
// stands in the way.
//
// # Languages
//
// English and German, by Accept-Language. Each is one file of keys and texts in
// messages; a test holds them to the same keys, and every key that a page uses to
// both.
//
// # How it fails
//
// With a page in the same layout that says what is wrong and what to do, in the
// reader's language, or with the form itself and the faults beside their fields. The
// one table of codes and statuses is in fail.go. Causes are logged with the
// request's ID and never shown.
package web

// Package access says who may do what. It makes API keys, turns the key of a
// request into a [mintage.Principal], and holds the one table of operations and
// the least role that may perform each.
//
// # API keys
//
// A key reads "mk_", 12 characters that identify it, and 52 that are its secret
// (260 random bits). It is shown once, when it is made; stored are its identifier
// and the SHA-256 of its secret, which needs no salt and no slow hash because
// nobody can guess so much randomness. Secrets are compared in constant time.
//
// # How it fails
//
// A key that is malformed, unknown, expired or revoked is UNAUTHORIZED, always
// with the same words, so that an answer tells nothing about which keys exist. A
// role that is too low is FORBIDDEN.
package access

// Package access says who may do what. It makes API keys and accounts, turns the
// key or the session of a request into a [mintage.Principal], and holds the one
// table of operations and the least role that may perform each ([Allow]).
//
// # API keys
//
// A key reads "mk_", 12 characters that identify it, and 52 that are its secret
// (260 random bits). It is shown once, when it is made; stored are its identifier
// and the SHA-256 of its secret, which needs no salt and no slow hash because
// nobody can guess so much randomness. Secrets are compared in constant time.
//
// Each request reads its key anew, so that a revocation or an expiry takes effect
// at once. A rotation makes a key that takes another's place; the old one lives on
// for the overlap. When a key was last used is stored off the request's path, once a
// minute at most.
//
// # People
//
// A person has one account, under an e-mail address, and is a member of brands. The
// role is read at each request too. Admins manage operators and viewers, and their
// keys; owners everything ([mintage.Role.MayManage]). A brand that has an owner keeps
// one: whoever changes members holds the brand's lock.
//
// Passwords follow NIST SP 800-63B-4, section 3.1.1.2: 15 characters or more, no
// rules of composition, no expiry, a blocklist. They are stored as argon2id in PHC
// form with 19 MiB, 2 passes and 1 thread (OWASP's Password Storage Cheat Sheet; RFC
// 9106 describes the function), which takes some 20 ms (measured), and at most 4 are
// computed at once: 76 MiB, whoever asks how often.
//
// A sign-in with an unknown address verifies a hash that nothing matches, and is
// refused in the same words after the same time. Wrong passwords are counted for
// each account, known or not, and for each address, in tables of bounded size, in
// this process. Whoever knows an address can thus keep its owner from signing in
// with the password for a while; sessions, OpenID Connect and one-time links go on.
//
// # One-time links
//
// A link's secret has 260 random bits and is stored as SHA-256. It is used once, and
// expires. The first owner of an installation gets one on standard output; everybody
// else by invitation.
//
// An account can belong to brands that do not trust each other, and nothing verifies
// an e-mail address here but an OpenID provider. So an admin who invites an address
// that has an account must not get into it by the link; nor may one who made an
// account in another's name keep a way into it once another brand invites the same
// address. Hence:
//
//   - A link signs in only to an account that has no password, no OpenID identity
//     and no other brand, and only while its role is the one that the link was made
//     for.
//   - For any other account the link adds the membership, and only for whoever is
//     signed in to that account: it takes both.
//   - Using a link ends the account's other sessions. Linking an OpenID identity,
//     whose provider has verified the address, also takes a password away.
//   - The installation's operator can make a link that signs in to any account, and
//     takes its password away.
//
// What is left is that whoever may invite can learn whether an address has an
// account, from whether it is a member at once.
//
// # Events
//
// Changes of keys and members leave their event in the same transaction. What
// happens to an account (signed in, password changed, signed out everywhere) leaves
// one in each brand of the user, since a session opens them all; the first one in
// the transaction of the change, the others after it, because a database role may see
// one brand at a time. A refused password of a member leaves one in each brand, once a
// minute at most, so that nobody floods the trail; it is written later, since the time
// that it takes would tell that the address is known.
//
// # How it fails
//
// A key that is malformed, unknown, expired or revoked is UNAUTHORIZED, always
// with the same words, so that an answer tells nothing about which keys exist; so is a
// sign-in, and a link. A role that is too low is FORBIDDEN. What belongs to another
// brand is NOT_FOUND. Too many failures are TOO_MANY_REQUESTS.
package access

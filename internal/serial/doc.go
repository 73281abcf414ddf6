// Package serial turns the ordinals of a product into the codes that are printed
// on its units, and codes back into ordinals. It also makes and guards the keys
// on which that rests.
//
// # What it promises
//
//   - Two ordinals of a product never have the same code, and the same ordinal
//     always has the same one: after a crash, on another machine, in ten years.
//   - Codes do not tell how many units there are, nor which were made together or
//     one after the other, and from any number of codes no other can be computed.
//   - A guessed code is told from an issued one without a database, but for one
//     guess in a million: it deciphers to [MaxOrdinal] or more.
//
// # How
//
// An ordinal is a number below 2^60, written as 12 digits of base 32. FF1 (NIST
// SP 800-38G) enciphers it to 12 such digits: a Feistel network of ten rounds
// over AES. The brand's key is the key and the product's code is the tweak.
//
// # Why it is safe
//
// Unique: a Feistel network is a permutation, whatever its round function. So
// codes are distinct by construction, and not because collisions are rare.
//
// Unguessable: to those without the key, the permutation is one drawn at random
// from all of them. A guess against a product with a million units hits with
// 10^6 / 2^60, less than 10^-12, and every known code helps only in that it need
// not be tried again.
//
// Products are unrelated because each is another tweak, and brands are unrelated
// because each has another key: a product's units, all known, say nothing about
// another product's, nor one brand's key about another brand's codes.
//
// AES-128 suffices. Whoever can try 2^128 keys, or 2^108 against a million brands
// at once, would long before have tried the 2^40 codes that a hit on a product of
// a million units takes on average. Longer keys are accepted, for those whose
// rules ask for them; they cost time and make no code harder to guess.
//
// # What it does not promise
//
// FF1's known weaknesses are those of small domains: Bellare, Hoang and Tessaro
// (2016) and Hoang, Tessaro and Trieu (2018) recover messages where a few hundred
// or thousand values exist. The first edition of SP 800-38G therefore requires a
// domain of 100 values and recommends a million; the drafts of Revision 1 (2019,
// 2025) require the million. Ours has 10^18. What these attacks have to see grows
// as a power of the half's size, 2^30, and with ten rounds it is far more than all
// codes there are. Still, that none is faster is experience and not proof: the
// classical bounds for Feistel networks hold up to about 2^30 codes under one
// tweak, a billion units of one product.
//
// A code is no signature and no copy protection: who photographs a label has its
// code. Unguessable means that codes cannot be made up.
//
// The code hides the ordinal from the public and not from the brand's own
// systems, which hold the key.
//
// # How it fails
//
// A brand's key that leaks makes all codes of the brand computable, those of the
// past and those to come; it cannot be changed, for the printed codes stay. It is
// stored only under the [MasterKey], bound to its brand.
//
// A brand's key that is lost, or a master key that is lost, loses no printed
// code, because each unit's code is stored too. But no more units can be minted
// for its products, and guesses cannot be told without the database. Nobody may
// answer that with a new key: its codes would meet the old ones. So the master
// key belongs in a safe, apart from the database's backups.
//
// A wrong master key, a damaged sealed key and another brand's sealed key are
// told from the right one when the key is opened, before any code is made.
package serial

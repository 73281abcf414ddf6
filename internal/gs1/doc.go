// Package gs1 is the ground that mintage stands on when it prints and when it is
// scanned: GTINs, the GS1 Application Identifiers (AIs) with the formats of their
// values, resolver bases, the canonical URLs made of them, and the reading of GS1
// Digital Links.
//
// It is strict when printing and tolerant when reading.
//
// # Printing
//
// What is printed cannot be corrected. [ParseGTIN], [ValidateLot],
// [ValidateSerial] and [ParseBase] accept a value or refuse it; they never repair
// one by guessing (no trimming, no change of case except in the host name, where
// case has no meaning). Parsing is idempotent: what they return, they accept
// unchanged.
//
// From accepted values an [Identity] builds URLs that
//
//   - are pure ASCII and at most 246 characters long;
//   - pass through URL parsers and normalisers unchanged, so that a scan asks
//     for exactly what was printed;
//   - are unambiguous: two URLs are equal only if base, GTIN or product code,
//     lot and value are. This is why a base may not contain a segment that
//     reads as a GS1 key or as "u", and why "." and ".." are neither lot nor
//     serial.
//
// The forms, with {lot} only where there is one:
//
//	{base}/01/{gtin14}/10/{lot}/21/{serial}    serial mode
//	{base}/01/{gtin14}/10/{lot}?u={code}       batch mode
//	{base}/u/{product code}/{code}             no GTIN, both modes
//
// # Reading
//
// [ParseLink] and [ParseTarget] read what a scan asks for. Every URL that an
// [Identity] builds reads back as what it was built from, without an allocation
// where nothing is percent-encoded. Beyond that they take what GS1 Digital Link: URI
// Syntax allows, and what is seen in practice: short GTINs, a slash at the end, a
// scheme in capitals. [ParseLinkStrict] leaves the first two out. What they refuse
// is listed at ParseLink.
//
// A [Link] has decoded values that keep the formats and rules of their AIs, at most
// one of each AI, and qualifiers that go with the key. [Link.Path] and [Link.Query]
// spell it canonically, but for the order and the unknown parameters of the query,
// and read back as the same Link. Any primary key is read; whether it is one that
// can be resolved is the caller's business, as is whether Prefix is a base.
//
// Compressed links are decompressed on the way, whole ("/{data}") or after a key
// ("/01/{gtin14}/{data}"). What they hold is then checked like everything else, and
// their length is bounded on both sides.
//
// The table of AIs is identifiers.txt, the rules it names are in rule.go. A new
// release of the General Specifications that brings new AIs means new lines there.
//
// # How it fails
//
// Every refusal is a *[mintage.Error] with code [mintage.CodeInvalidInput] and
// a message that says what is wrong and, where it can, where: the character and its
// position, counted from 1 in characters, the length, or the check digit that was
// expected. The refused value itself is never repeated whole. Field is left to
// the caller, who knows what the input was called. [ErrNotLink] is the cause where
// a path has no key at all, so that it may be something other than a Digital Link.
// Building URLs cannot fail.
//
// # Sources
//
// GS1 General Specifications, release 26.0 (AIs, check digits, the character sets
// of figures 7.11-1 to 7.11-3); GS1 Digital Link: URI Syntax (keys and the order of
// their qualifiers, percent-encoding) and, in its release 1.2, the compression; RFC
// 3986 (URIs), RFC 5952 (the text form of IPv6 addresses); ISO 3166-1, ISO 4217.
package gs1

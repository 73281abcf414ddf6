// Package gs1 is the ground that mintage stands on when it prints: GTINs, the
// values of the GS1 application identifiers (AIs) 10 and 21, resolver bases,
// and the canonical URLs made of them.
//
// # What it promises
//
// It is strict, because what is printed cannot be corrected. [ParseGTIN],
// [ValidateLot], [ValidateSerial] and [ParseBase] accept a value or refuse it;
// they never repair one by guessing (no trimming, no change of case except in
// the host name, where case has no meaning). Parsing is idempotent: what they
// return, they accept unchanged.
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
// # How it fails
//
// Every refusal is a *[mintage.Error] with code [mintage.CodeInvalidInput] and
// a message that says what is wrong and where: the character and its position,
// counted from 1 in characters, the length, or the check digit that was
// expected. The refused value itself is never repeated whole. Field is left to
// the caller, who knows what the input was called. Building URLs cannot fail.
//
// Reading URLs back, tolerantly, is the business of the resolver; nothing here
// assumes that a URL met in the wild is one that this package built.
//
// # Sources
//
// GS1 General Specifications (GTIN, check digit, AIs 10 and 21, figure 7.11-1
// "AI encodable character set 82"); GS1 Digital Link: URI Syntax (the order of
// the keys, percent-encoding of reserved characters); RFC 3986 (URIs), RFC 5952
// (the text form of IPv6 addresses).
package gs1

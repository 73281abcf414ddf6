// Package strictjson refuses JSON that two programs could understand in different
// ways, or that would make whoever reads it slow. Bodies of requests, attributes
// of products and DPP schemas all pass through it before anything decodes them.
//
// # What it promises
//
// A text that [Rules.Check] lets pass is one JSON object (RFC 8259; a list
// where the rules say so) within the rules' limits, and much like an I-JSON message (RFC 7493): it is UTF-8, no
// object has a name twice, no string has a NUL or half of a surrogate pair. So
// every decoder makes the same of it, encoding/json among them, which by itself
// keeps the last of two values and replaces what it cannot represent. Numbers are
// left as they are written; how long and how large they may be is a rule.
//
// The text is read once after encoding/json has found it well-formed, without
// recursion and in memory that grows with the depth and the number of names.
//
// # How it fails
//
// With a [Fault]: what is wrong, and where, by byte and by JSON pointer (RFC 6901).
// [Fault.Text] says it in words, which repeat no value; a pointer has names of the
// text in it. A fault has no code: what it means is the caller's to say.
package strictjson

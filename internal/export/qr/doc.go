// Package qr makes QR codes (ISO/IEC 18004) of the URLs that are printed.
//
// # What it promises
//
// The text comes back byte for byte. The symbol is of the smallest version that
// holds it, since with a given label every version less makes larger modules, and
// of the eight masks the one that the standard's penalties prefer. The same text and
// level make the same symbol each time.
//
// A URL is divided into segments, so that its upper-case part costs 5.5 bits a
// character instead of 8. Digits are packed still more densely only where 13 or more
// stand together, as in a GTIN: the code of a unit has 12 characters, and one that
// happens to have many digits must not get a smaller symbol than its neighbours on the
// same roll of labels.
//
// # How
//
// rsc.io/qr/coding places modules and computes the error correction; but it takes the
// mask as given and the text as one segment, and lays out each symbol anew. Here
// a layout is made once per version and level. A mask then is an exclusive or of
// whole lines, and its penalty is counted 64 modules at a time.
//
// It is safe for use by any number of goroutines.
package qr

// Package export writes minted batches out, for printers and people.
//
// An export is a stream, not a job: it reads the batch in ordinal order, a chunk
// at a time, and holds no transaction while it writes, so that a slow reader
// costs neither memory nor a connection. Units never change once written, hence
// what it writes for a given range is the same each time.
//
// An export covers the units that were minted when it began. It leaves an event.
//
// It fails with the store's errors, or with the writer's; what was written until
// then is valid as far as it goes.
package export

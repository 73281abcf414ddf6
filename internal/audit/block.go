package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"mintage"
)

const (
	// maxBlock is how many events a block has at most.
	maxBlock = 1024
	// encodingVersion begins the canonical encoding of an event.
	encodingVersion = 1

	numberSize = 8
	digestSize = 16
	entrySize  = numberSize + digestSize // of one event in a block
)

// appendEvent appends the canonical encoding of an event; see the package's
// documentation. BatchID and JobID are not the event's own.
func appendEvent(b []byte, e *mintage.Event) []byte {
	b = append(b, encodingVersion)
	b = appendNumber(b, e.Number)
	b = appendNumber(b, e.BrandNumber)
	b = appendNumber(b, e.At.UnixMicro())
	b = appendText(b, string(e.Kind))
	b = appendText(b, e.Actor)
	b = appendText(b, string(e.Origin.AddressClass))
	b = appendText(b, e.Origin.RequestID)
	b = appendText(b, e.SubjectID)
	b = appendNumber(b, e.BatchNumber)
	b = appendNumber(b, e.ProductNumber)
	b = appendNumber(b, e.FirstOrdinal)
	b = appendNumber(b, e.Quantity)
	b = appendText(b, e.From)
	b = appendText(b, e.To)
	return appendText(b, e.Message)
}

func appendNumber(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(n))
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// digester makes the entries of blocks; it reuses its memory.
type digester struct{ encoding []byte }

// digest returns what is kept of an event's hash.
func (d *digester) digest(e *mintage.Event) [digestSize]byte {
	d.encoding = appendEvent(d.encoding[:0], e)
	sum := sha256.Sum256(d.encoding)
	return [digestSize]byte(sum[:])
}

// block makes the block that follows last, which is zero before the first one,
// of events in the order of their numbers.
func (d *digester) block(last *mintage.Seal, brand int64, events []*mintage.Event, at time.Time) *mintage.Seal {
	b := &mintage.Seal{
		BrandNumber: brand,
		Number:      last.Number + 1,
		LastEvent:   events[len(events)-1].Number,
		Digests:     make([]byte, 0, len(events)*entrySize),
		SealedAt:    at.UTC().Truncate(time.Microsecond),
	}
	for _, e := range events {
		digest := d.digest(e)
		b.Digests = binary.BigEndian.AppendUint64(b.Digests, uint64(e.Number))
		b.Digests = append(b.Digests, digest[:]...)
	}
	b.Hash = blockHash(last.Hash, b)
	return b
}

// blockHash computes the hash of a block from that of the block before, which is
// nil before the first one.
func blockHash(previous []byte, b *mintage.Seal) []byte {
	if previous == nil {
		previous = make([]byte, sha256.Size)
	}
	var fixed []byte
	for _, n := range [...]int64{b.BrandNumber, b.Number, b.LastEvent, b.SealedAt.UnixMicro()} {
		fixed = binary.BigEndian.AppendUint64(fixed, uint64(n))
	}
	sum := sha256.Sum256(bytes.Join([][]byte{previous, fixed, b.Digests}, nil))
	return sum[:]
}

// entries are the digests of a block that have not been dealt with yet.
type entries []byte

func (e entries) number() int64  { return int64(binary.BigEndian.Uint64(e)) }
func (e entries) digest() []byte { return e[numberSize:entrySize] }
func (e entries) next() entries  { return e[entrySize:] }
func (e entries) count() int64   { return int64(len(e) / entrySize) }

// malformed tells what of a block no sealer would have written, whatever its
// hash; "" if nothing.
func malformed(b *mintage.Seal) string {
	switch {
	case len(b.Hash) != sha256.Size:
		return "its hash has not the length of a hash"
	case len(b.Digests) == 0 || len(b.Digests)%entrySize != 0:
		return "its digests are cut short"
	}
	last := int64(0)
	for e := entries(b.Digests); len(e) > 0; e = e.next() {
		if e.number() <= last {
			return "its digests are not in the order of events"
		}
		last = e.number()
	}
	if last != b.LastEvent {
		return "its digests do not end with its last event"
	}
	return ""
}

package audit

import (
	"context"
	"time"

	"mintage"
)

const (
	MaxBlock    = maxBlock
	MaxTxEvents = maxTxEvents
	Window      = window
	EntrySize   = entrySize
)

// RunOn is Run with the ticks of the test.
func (s *Sealer) RunOn(ctx context.Context, ticks <-chan time.Time) { s.run(ctx, ticks) }

// Remake computes the digests and the hash of a block anew, as somebody would who
// knows how it is done.
func Remake(previous []byte, b *mintage.Seal, events []*mintage.Event) {
	last := &mintage.Seal{Number: b.Number - 1, Hash: previous}
	*b = *new(digester).block(last, b.BrandNumber, events, b.SealedAt)
}

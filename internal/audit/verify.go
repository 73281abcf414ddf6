package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"mintage"
	"mintage/internal/store"
)

// Verify walks the chain and the events of one brand, or where brandID is "" of
// all, in constant memory, and compares the chains with saved heads, nil if
// there are none. Events that wait to be sealed for longer than the tail allows are
// a finding, and so is, where all brands are looked at, a brand that the trail names
// and that does not exist: nobody seals its events. It may run beside writers and sealers. An error means that there
// is no report: the database cannot be used; FORBIDDEN under a role that sees one
// brand at a time; NOT_FOUND where there is no such brand; INVALID_INPUT where the
// one brand has no saved head.
func Verify(ctx context.Context, s store.Store, brandID string, saved *Heads, tail Tail) (*Report, error) {
	brands, err := brandsOf(ctx, s, brandID)
	if err != nil {
		return nil, err
	}
	heads := make(map[string]*Head)
	if saved != nil {
		for i := range saved.Heads {
			heads[saved.Heads[i].BrandID] = &saved.Heads[i]
		}
	}
	if brandID != "" && saved != nil && heads[brandID] == nil {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "The file holds no saved head of this brand.")
	}
	report := &Report{OK: true, Brands: []*Chain{}}
	add := func(c *Chain) {
		c.OK = c.Findings == 0
		report.OK = report.OK && c.OK
		report.Brands = append(report.Brands, c)
	}
	known := make(map[string]bool)
	for _, b := range brands {
		known[b.ID] = true
		c, err := verifyBrand(ctx, s, b, heads[b.ID], tail)
		if err != nil {
			return nil, err
		}
		add(c)
	}
	if brandID != "" {
		return report, nil
	}
	strays, err := straysOf(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, number := range strays {
		c := &Chain{BrandNumber: number, Examples: []Finding{}}
		c.find(Finding{Problem: BrandMissing, Message: fmt.Sprintf("events or blocks are of brand number %d, which does not exist; nobody seals or checks them", number)})
		add(c)
	}
	if saved != nil {
		for _, head := range saved.Heads {
			if known[head.BrandID] {
				continue
			}
			c := &Chain{BrandID: head.BrandID, Examples: []Finding{}}
			c.find(Finding{Problem: BrandMissing, Message: "the brand has a saved head and is gone"})
			add(c)
		}
	}
	return report, nil
}

// Tail says how old events may be that are not sealed yet.
type Tail struct {
	Now time.Time
	Max time.Duration
}

func (t Tail) old(c *Chain) bool {
	return !c.UnsealedSince.IsZero() && t.Now.Sub(c.UnsealedSince) > t.Max
}

// straysOf lists the brand numbers of the trail that are no brand's.
func straysOf(ctx context.Context, s store.Store) (strays []int64, err error) {
	err = s.Read(ctx, func(r store.Reader) error { // one moment, or a new brand would be a stray
		brands, err := r.Brands(ctx)
		if err != nil {
			return err
		}
		strays, err = r.TrailBrands(ctx)
		strays = slices.DeleteFunc(strays, func(number int64) bool {
			return slices.ContainsFunc(brands, func(b *mintage.Brand) bool { return b.Number == number })
		})
		return err
	})
	return strays, err
}

func verifyBrand(ctx context.Context, s store.Store, b *mintage.Brand, saved *Head, tail Tail) (*Chain, error) {
	w := newWalk(s, b, saved)
	whole, err := w.blocks(ctx, w.compare)
	if err != nil {
		return nil, err
	}
	w.chain.Head = w.head()
	if !whole {
		return w.chain, nil
	}
	w.checkSaved()
	if err := w.countUnsealed(ctx); err != nil {
		return nil, err
	}
	if tail.old(w.chain) {
		w.chain.find(Finding{Problem: UnsealedTailOld, Event: w.oldest, Message: fmt.Sprintf(
			"event %d has not been sealed since %s: nobody seals, or a transaction of the database stays open; until it is, it can be changed unnoticed",
			w.oldest, w.chain.UnsealedSince.Format(time.RFC3339))})
	}
	return w.chain, nil
}

// page is how many blocks are read at a time.
const page = 256

// walk goes through one brand's chain. Each read is a transaction of its own, so
// that none is open for long: what is sealed does not change any more, and what
// was sealed since the walk began is found by the next read.
type walk struct {
	events eventReader
	chain  *Chain
	saved  *Head
	digester

	last     mintage.Seal // the block before; zero before the first one
	covered  int64        // the highest event that a block covers so far
	unsure   bool         // where the block before ends, since it is damaged
	metSaved bool         // the block of the saved head was seen
	oldest   int64        // of the events that are not sealed
}

func newWalk(s store.Store, b *mintage.Brand, saved *Head) *walk {
	return &walk{
		events:  eventReader{store: s, brand: b.Number},
		chain:   &Chain{BrandID: b.ID, Examples: []Finding{}},
		saved:   saved,
		covered: math.MinInt64,
	}
}

// blocks goes through the blocks and calls compare for each one whose digests can
// be read, with the number after which its events begin. It reports whether it
// came to the end of the chain.
func (w *walk) blocks(ctx context.Context, compare func(ctx context.Context, b *mintage.Seal, after int64) error) (whole bool, err error) {
	limit := page
	for after := int64(math.MinInt64); ; {
		list, err := w.read(ctx, after, limit)
		if err != nil {
			if ctx.Err() != nil || ofThePlace(err) {
				return false, err
			}
			if limit > 1 {
				limit = 1 // to come as far as the one that cannot be read
				continue
			}
			if _, probe := w.read(ctx, math.MaxInt64, 1); probe != nil {
				return false, probe // it is not the row
			}
			w.chain.block(BlockUnreadable, w.last.Number+1,
				"block %d cannot be read: a column holds what it cannot hold; nothing after it could be checked", w.last.Number+1)
			return false, nil
		}
		for _, b := range list {
			if malformed(b) == "" {
				w.events.top = max(w.events.top, b.LastEvent)
			}
		}
		for _, b := range list {
			after = b.Number
			if err := w.block(ctx, b, compare); err != nil {
				return false, err
			}
		}
		if len(list) == 0 {
			return true, nil
		}
	}
}

func (w *walk) read(ctx context.Context, after int64, limit int) (list []*mintage.Seal, err error) {
	err = w.events.store.Read(ctx, func(r store.Reader) (err error) {
		list, err = r.Seals(ctx, w.events.brand, after, limit)
		return err
	})
	return list, err
}

// block checks a block against the one before it.
func (w *walk) block(ctx context.Context, b *mintage.Seal, compare func(context.Context, *mintage.Seal, int64) error) error {
	c, expected := w.chain, w.last.Number+1
	if b.Number < expected {
		c.block(BlockInserted, b.Number, "block %d is not the sealer's: its number stands twice, or is none", b.Number)
		return nil
	}
	missing := b.Number > expected
	switch {
	case b.Number == expected+1:
		c.block(BlockRemoved, expected, "block %d is missing; which events it covered is not known", expected)
	case missing:
		c.block(BlockRemoved, expected, "blocks %d to %d are missing; which events they covered is not known", expected, b.Number-1)
	}
	w.compareSaved(b)
	previous, covered, unsure := w.last.Hash, w.covered, w.unsure
	w.last = *b
	w.last.Digests = nil
	c.Blocks++
	if reason := malformed(b); reason != "" {
		c.block(BlockDamaged, b.Number, "block %d is damaged: %s; its events could not be checked", b.Number, reason)
		w.unsure = true
		return nil
	}
	w.unsure = false
	w.covered = max(w.covered, b.LastEvent)
	c.Events += entries(b.Digests).count()

	// Where something is wrong, the block itself says where it begins.
	after := entries(b.Digests).number() - 1
	switch {
	case after < covered:
		c.block(BlockReordered, b.Number, "block %d covers events before those of the block before it", b.Number)
	case missing:
	case !bytes.Equal(blockHash(previous, b), b.Hash):
		if b.Number == 1 {
			c.block(BlockChanged, b.Number, "block 1, with the events %d to %d, is not what was sealed", after+1, b.LastEvent)
		} else {
			c.block(BlockChanged, b.Number, "block %d, with the events %d to %d, does not follow from block %d: one of the two is not what was sealed",
				b.Number, after+1, b.LastEvent, b.Number-1)
		}
	case !unsure:
		after = covered
	}
	return compare(ctx, b, after)
}

// maxSuspects is how many events of a block are compared with each other.
const maxSuspects = 64

// compare holds the events after a number, up to the block's last one, against
// its digests.
func (w *walk) compare(ctx context.Context, b *mintage.Seal, after int64) error {
	var suspects []*suspect
	note := func(s *suspect) {
		if suspects = append(suspects, s); len(suspects) == maxSuspects {
			w.settle(b.Number, suspects)
			suspects = nil
		}
	}
	sealed := entries(b.Digests)
	passUntil := func(number int64) { // the sealed events before a number that are not there
		for ; len(sealed) > 0 && sealed.number() < number; sealed = sealed.next() {
			note(&suspect{number: sealed.number(), digest: sealed.digest()})
		}
	}
	err := w.events.each(ctx, after, b.LastEvent, func(number int64, e *mintage.Event) {
		passUntil(number)
		s := &suspect{number: number, present: true, event: e}
		if len(sealed) > 0 && sealed.number() == number {
			s.digest, sealed = sealed.digest(), sealed.next()
		}
		if e != nil && s.digest != nil {
			if digest := w.digest(e); bytes.Equal(digest[:], s.digest) {
				return
			}
		}
		note(s)
	})
	passUntil(math.MaxInt64)
	if len(sealed) > 0 { // the highest number there is
		note(&suspect{number: sealed.number(), digest: sealed.digest()})
	}
	w.settle(b.Number, suspects)
	return err
}

// settle tells of the suspects of a block. Those that have only changed places are
// recognised by what was sealed under the other's number.
func (w *walk) settle(block int64, suspects []*suspect) {
	moved := make(map[*suspect]bool)
	for _, s := range suspects {
		if s.event == nil {
			continue
		}
		under := *s.event
		for _, other := range suspects {
			if other.digest == nil || other == s {
				continue
			}
			under.Number = other.number
			if digest := w.digest(&under); bytes.Equal(digest[:], other.digest) {
				s.sealedAs = other.number
				moved[other] = !other.present
				break
			}
		}
	}
	for _, s := range suspects {
		if !moved[s] {
			w.chain.event(block, s)
		}
	}
}

// compareSaved compares a block with the saved head, if it is that one.
func (w *walk) compareSaved(b *mintage.Seal) {
	if w.saved == nil || b.Number != w.saved.Block {
		return
	}
	w.metSaved = true
	if hex.EncodeToString(b.Hash) != w.saved.Hash || b.LastEvent != w.saved.LastEvent {
		w.chain.block(HeadDiffers, b.Number, "block %d is not the one that was saved: it, or one before it, was made anew since", b.Number)
	}
}

// checkSaved sees to a saved head whose block has not come.
func (w *walk) checkSaved() {
	switch {
	case w.saved == nil || w.metSaved:
	case w.last.Number < w.saved.Block:
		w.chain.block(RolledBack, w.saved.Block, "the chain ends with block %d, and was at block %d, with event %d, when its head was saved",
			w.last.Number, w.saved.Block, w.saved.LastEvent)
	default:
		w.chain.block(HeadDiffers, w.saved.Block, "block %d, the saved head, is missing", w.saved.Block)
	}
}

// head is the last block as a head; nil before the first one.
func (w *walk) head() *Head {
	if w.last.Number == 0 {
		return nil
	}
	return &Head{
		BrandID: w.chain.BrandID, Block: w.last.Number, LastEvent: w.last.LastEvent, Hash: hex.EncodeToString(w.last.Hash),
		SealedAt: w.last.SealedAt, Events: w.chain.Events,
	}
}

// countUnsealed counts the events that no block covers yet.
func (w *walk) countUnsealed(ctx context.Context) error {
	w.events.top = math.MaxInt64
	w.events.forget()
	return w.events.each(ctx, w.covered, math.MaxInt64, func(number int64, e *mintage.Event) {
		if w.chain.UnsealedEvents++; e == nil {
			w.chain.event(0, &suspect{number: number, present: true})
		} else if w.chain.UnsealedSince.IsZero() || e.At.Before(w.chain.UnsealedSince) {
			w.chain.UnsealedSince, w.oldest = e.At, number
		}
	})
}

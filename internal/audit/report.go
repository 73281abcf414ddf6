package audit

import (
	"fmt"
	"time"

	"mintage"
)

// MaxExamples is how many findings of a brand are told; all are counted.
const MaxExamples = 100

// Report is what [Verify] found.
type Report struct {
	OK     bool     `json:"ok"`
	Brands []*Chain `json:"brands"`
}

// Chain is what was found of one brand.
type Chain struct {
	BrandID string `json:"brand_id"`
	// BrandNumber stands for a brand that does not exist, and so has no ID.
	BrandNumber int64 `json:"brand_number,omitempty"`

	OK     bool  `json:"ok"`
	Blocks int64 `json:"blocks"`
	Events int64 `json:"events"`         // sealed in them
	Head   *Head `json:"head,omitempty"` // nil before the first block

	// Events above the last block. That there are some is no fault, unless they are old.
	UnsealedEvents int64     `json:"unsealed_events"`
	UnsealedSince  time.Time `json:"unsealed_since,omitzero"` // the time of the oldest one

	Findings int64     `json:"findings"`
	Examples []Finding `json:"examples"` // the first ones
}

// Finding is one thing that is wrong.
type Finding struct {
	Problem Problem           `json:"problem"`
	Block   int64             `json:"block,omitempty"` // its number, where one is concerned
	Event   int64             `json:"event,omitempty"` // its number, where one is concerned
	Kind    mintage.EventKind `json:"kind,omitempty"`  // of the event, where it can be read
	Message string            `json:"message"`         // for people
}

// Problem says what is wrong, for programs.
type Problem string

// Problems.
const (
	EventEdited     Problem = "event_edited"     // not what was sealed under its number
	EventRemoved    Problem = "event_removed"    // sealed, and gone
	EventInserted   Problem = "event_inserted"   // was not there when its neighbours were sealed
	EventReordered  Problem = "event_reordered"  // sealed under another number of the same block
	EventUnreadable Problem = "event_unreadable" // a column holds what it cannot hold

	BlockDamaged    Problem = "block_damaged"    // no sealer wrote that
	BlockChanged    Problem = "block_changed"    // it, or the block before, is not what was sealed
	BlockRemoved    Problem = "block_removed"    // the next number stands after a gap
	BlockInserted   Problem = "block_inserted"   // a number that stands twice, or is none
	BlockReordered  Problem = "block_reordered"  // covers events before those of the block before
	BlockUnreadable Problem = "block_unreadable" // a column holds what it cannot hold

	HeadDiffers  Problem = "head_differs"      // the saved head's block is another one
	RolledBack   Problem = "chain_rolled_back" // the chain is shorter than when its head was saved
	BrandMissing Problem = "brand_missing"     // a brand with a saved head, with events or with blocks is gone

	UnsealedTailOld Problem = "unsealed_tail_old" // events wait to be sealed for too long
)

func (c *Chain) find(f Finding) {
	c.Findings++
	if len(c.Examples) < MaxExamples {
		c.Examples = append(c.Examples, f)
	}
}

// block notes what is wrong with a block.
func (c *Chain) block(p Problem, number int64, format string, args ...any) {
	c.find(Finding{Problem: p, Block: number, Message: fmt.Sprintf(format, args...)})
}

// suspect is an event that is not as its block says.
type suspect struct {
	number   int64
	present  bool
	event    *mintage.Event // nil where it cannot be read, or is not present
	digest   []byte         // what was sealed under the number; nil if nothing was
	sealedAs int64          // the number that the event was sealed under; 0 if unknown
}

// event notes what is wrong with an event that belongs, or should, to a block.
func (c *Chain) event(block int64, s *suspect) {
	f := Finding{Block: block, Event: s.number}
	name := fmt.Sprintf("event %d", s.number)
	if s.event != nil {
		f.Kind = s.event.Kind
		name += fmt.Sprintf(" (%q)", string(f.Kind))
	}
	switch {
	case !s.present:
		f.Problem, f.Message = EventRemoved, name+" was sealed and is gone"
	case s.event == nil:
		f.Problem, f.Message = EventUnreadable, name+" cannot be read: a column holds what it cannot hold"
	case s.sealedAs != 0:
		f.Problem, f.Message = EventReordered, fmt.Sprintf("%s is what was sealed as event %d", name, s.sealedAs)
	case s.digest != nil:
		f.Problem, f.Message = EventEdited, name+" is not what was sealed under this number"
	default:
		f.Problem, f.Message = EventInserted, name+" was not there when its neighbours were sealed"
	}
	c.find(f)
}

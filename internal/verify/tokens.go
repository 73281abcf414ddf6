package verify

import (
	"math"
	"slices"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"

	"mintage"
	"mintage/internal/serial"
)

// tokens is what the events of a batch say of its units, to be held against the
// units' states: each of these takes its unit out, so that in the end nothing is left.
type tokens struct {
	activated, revoked roaring.Bitmap // by ordinal, counted from the batch's first
	lots               []lotTally
	countable          bool // batch, lots and recalls are sound enough to be counted anew
}

// lotTally counts the states of the units of a lot.
type lotTally struct {
	first, quantity       int64
	recalled              bool
	active, revoked, both int64 // units with a row that says so; with two
}

// unitMoves takes a transition of one unit. After one that does not follow, the tale
// goes on from where that one ends.
func (l *life) unitMoves(e *mintage.Event) {
	b, find := l.batch, l.a.events.find
	i := e.FirstOrdinal - b.FirstOrdinal
	if e.ProductNumber != b.ProductNumber || e.Quantity != 1 || i < 0 || i >= b.MintedQuantity || i > math.MaxUint32 {
		find("event number %d is about %d units from ordinal %d of product number %d, which batch %s does not have minted",
			e.Number, e.Quantity, e.FirstOrdinal, e.ProductNumber, b.ID)
		return
	}
	if name, err := serial.ParseUnit(e.SubjectID); err != nil || name.ProductCode != b.ProductCode {
		find("event number %d, %s, of batch %s has the subject %q", e.Number, e.Kind, b.ID, e.SubjectID)
	}
	was := b.ActivationMode.Born()
	switch {
	case l.tokens.revoked.Contains(uint32(i)):
		was = mintage.TokenRevoked
	case l.tokens.activated.Contains(uint32(i)):
		was = mintage.TokenActive
	}
	to := mintage.TokenStatus(e.To)
	if e.From != string(was) || was.To(to) != nil {
		find("ordinal %d of batch %s was %s and goes from %s to %s", e.FirstOrdinal, b.ID, was, state(e.From), state(e.To))
	}
	switch to {
	case mintage.TokenActive:
		l.tokens.activated.Add(uint32(i))
	case mintage.TokenRevoked:
		l.tokens.revoked.Add(uint32(i))
	case mintage.TokenMinted: // which no unit becomes
	}
}

// readStates holds each state of a unit against its batch and events, and then the
// counts against a recount.
func (a *audit) readStates() error {
	var last mintage.UnitState
	var s *span
	for u, err := range a.r.AllUnitStates(a.ctx) {
		if !a.readable(err, a.tokens, a.tokenCounts, a.orphans) {
			return nil
		}
		a.tokens.Examined++
		a.orphans.Examined++
		if u.ProductNumber == last.ProductNumber && u.Ordinal == last.Ordinal && u.Status == last.Status && a.tokens.Examined > 1 {
			a.duplicates.find("ordinal %d of product number %d is %s twice", u.Ordinal, u.ProductNumber, u.Status)
			continue
		}
		if s == nil || s.product != u.ProductNumber || u.Ordinal < s.first || u.Ordinal >= s.end() {
			s = a.spanOf(u.ProductNumber, u.Ordinal)
		}
		if s == nil || u.Ordinal >= after(s.first, s.minted) {
			a.orphans.find("ordinal %d of product number %d is %s, and was never minted", u.Ordinal, u.ProductNumber, state(u.Status))
		} else {
			both := u.ProductNumber == last.ProductNumber && u.Ordinal == last.Ordinal
			a.checkToken(s, &u, both)
		}
		last = u
	}
	for i := range a.spans {
		a.checkUntold(&a.spans[i])
		a.checkTokenCounts(&a.spans[i])
		if a.fault != nil {
			return nil
		}
	}
	return nil
}

// spanOf finds the range of the batch that an ordinal is in, nil if there is none.
func (a *audit) spanOf(product, ordinal int64) *span {
	i := sort.Search(len(a.spans), func(i int) bool {
		s := &a.spans[i]
		return s.product > product || s.product == product && s.first > ordinal
	})
	if i == 0 || a.spans[i-1].product != product || ordinal >= a.spans[i-1].end() {
		return nil
	}
	return &a.spans[i-1]
}

// checkToken holds one state of a unit against its batch and events; both says that it is
// the unit's second one.
func (a *audit) checkToken(s *span, u *mintage.UnitState, both bool) {
	find := a.tokens.find
	lot := s.tokens.lot(u.Ordinal)
	var told bool
	switch i := uint32(u.Ordinal - s.first); u.Status {
	case mintage.TokenActive:
		lot.active++
		told = s.tokens.activated.CheckedRemove(i)
		if s.bornActive {
			find("ordinal %d of batch %s was born active, and has a row that says so", u.Ordinal, s.id)
		}
	case mintage.TokenRevoked:
		lot.revoked++
		told = s.tokens.revoked.CheckedRemove(i)
		if mintage.ValidateReason(u.Reason) != nil {
			find("ordinal %d of batch %s is revoked with the reason %q", u.Ordinal, s.id, u.Reason)
		}
	default:
		find("ordinal %d of batch %s has the state %q", u.Ordinal, s.id, u.Status)
		return
	}
	if both {
		lot.both++
	}
	if !told {
		find("ordinal %d of batch %s is %s, and no event tells of it", u.Ordinal, s.id, u.Status)
	}
	if u.At.IsZero() {
		find("ordinal %d of batch %s does not say since when it is %s", u.Ordinal, s.id, u.Status)
	}
}

// lot returns the tally of the lot that an ordinal is in; where the lots are damaged,
// one that nobody reads.
func (t *tokens) lot(ordinal int64) *lotTally {
	for i := range t.lots {
		if l := &t.lots[i]; l.first <= ordinal && ordinal < after(l.first, l.quantity) {
			return l
		}
	}
	t.countable = false
	return &lotTally{}
}

// checkUntold tells of events whose states are missing.
func (a *audit) checkUntold(s *span) {
	tell := func(left *roaring.Bitmap, status mintage.TokenStatus) {
		for i := left.Iterator(); i.HasNext(); {
			a.tokens.find("an event tells that ordinal %d of batch %s became %s, and no row says so", s.first+int64(i.Next()), s.id, status)
		}
	}
	tell(&s.tokens.activated, mintage.TokenActive)
	tell(&s.tokens.revoked, mintage.TokenRevoked)
}

// checkTokenCounts holds the counts that are answered against the states that were seen.
func (a *audit) checkTokenCounts(s *span) {
	if !s.tokens.countable {
		return // the reason has been told
	}
	got, err := a.r.LotCounts(a.ctx, s.brand, s.number)
	if !a.readable(err, a.tokenCounts) {
		return
	}
	want := make([]mintage.Counts, len(s.tokens.lots))
	for i, l := range s.tokens.lots {
		a.tokenCounts.Examined++
		total := max(0, min(l.quantity, s.first+s.minted-l.first))
		c := mintage.Counts{Active: l.active - l.both, Revoked: l.revoked}
		if s.bornActive {
			c.Active = total - l.revoked
		}
		if l.recalled {
			c = mintage.Counts{Revoked: total}
		}
		c.Minted = total - c.Active - c.Revoked
		want[i] = c
	}
	if !slices.Equal(got, want) {
		a.tokenCounts.find("the units of batch %s are counted by lot as %v (minted, active, revoked); they are %v", s.id, got, want)
	}
}

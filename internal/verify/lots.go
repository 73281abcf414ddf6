package verify

import (
	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/store"
)

// layout follows the lots of one batch through its range.
type layout struct {
	a     *audit
	batch *mintage.Batch // nil where there is none
	next  int64          // the ordinal that the next lot has to begin with
	count int
	codes map[string]struct{}
	lots  []mintage.Lot // the first ones, code and range
	sound bool          // nothing was found
}

func newLayout(a *audit, b *mintage.Batch) *layout {
	l := &layout{a: a, batch: b, codes: make(map[string]struct{}), sound: true}
	if b != nil {
		l.next = b.FirstOrdinal
	}
	return l
}

func (l *layout) see(row *store.LotRow) {
	l.count++
	l.a.lots.Examined++
	l.a.orphans.Examined++
	b, find := l.batch, l.find
	if b == nil {
		l.a.orphans.find("a lot is of batch number %d, which does not exist", row.BatchNumber)
		return
	}
	if row.ProductNumber != b.ProductNumber {
		find("lot %q of batch %s is of another product", row.Code, b.ID)
	}
	if row.FirstOrdinal != l.next {
		find("lot %q of batch %s begins with ordinal %d; it has to be %d", row.Code, b.ID, row.FirstOrdinal, l.next)
	}
	if row.Quantity < 1 {
		find("lot %q of batch %s has the quantity %d", row.Code, b.ID, row.Quantity)
	}
	l.next = after(row.FirstOrdinal, row.Quantity)
	if row.Code != "" && gs1.ValidateLot(row.Code) != nil {
		find("batch %s has the lot code %q, which is none", b.ID, row.Code)
	}
	if _, twice := l.codes[row.Code]; twice {
		find("batch %s has the lot %q twice", b.ID, row.Code)
	}
	if len(l.codes) <= mintage.MaxLots { // more are a finding anyway
		l.codes[row.Code] = struct{}{}
		l.lots = append(l.lots, mintage.Lot{Code: row.Code, FirstOrdinal: row.FirstOrdinal, Quantity: row.Quantity})
	}
	prefix, suffix := gs1.Identity{
		Base: gs1.Base(b.ResolverBase), GTIN: gs1.GTIN(b.GTIN), ProductCode: b.ProductCode,
		Lot: row.Code, Serialised: b.IdentityMode == mintage.IdentitySerial,
	}.URLAffixes()
	if row.URLPrefix != prefix || row.URLSuffix != suffix {
		find("lot %q of batch %s has URLs of the form %q, not %q", row.Code, b.ID, row.URLPrefix+"…"+row.URLSuffix, prefix+"…"+suffix)
	}
}

// find tells of a damaged lot, so that nothing is counted by it.
func (l *layout) find(format string, args ...any) {
	l.sound = false
	l.a.lots.find(format, args...)
}

func (l *layout) finish() {
	b := l.batch
	if b == nil {
		return
	}
	if end := after(b.FirstOrdinal, b.RequestedQuantity); l.next != end {
		l.find("the lots of batch %s end before ordinal %d; it has to be %d", b.ID, l.next, end)
	}
	if _, unnamed := l.codes[""]; unnamed && l.count > 1 {
		l.find("one of the %d lots of batch %s has no code", l.count, b.ID)
	}
	if l.count > mintage.MaxLots {
		l.find("batch %s has %d lots; %d are allowed", b.ID, l.count, mintage.MaxLots)
	}
}

package verify

import (
	"cmp"
	"math"
	"slices"

	"mintage"
)

// span is what the units are held against: the range of a batch, and how much of
// it is minted.
type span struct {
	product, first, requested, minted int64
	number, brand                     int64
	id                                string
	bornActive                        bool
	tokens                            *tokens
}

func (s *span) end() int64 { return after(s.first, s.requested) }

// after is the ordinal after a run of units. In a damaged database the figures
// may be anything, so that it neither runs backwards nor overflows.
func after(first, quantity int64) int64 {
	switch {
	case quantity < 0:
		return first
	case first > math.MaxInt64-quantity:
		return math.MaxInt64
	default:
		return first + quantity
	}
}

// checkRanges walks through the ordinals of each product. Ordinals are reserved
// in the transaction that creates the batch, so that the batches' ranges lie one
// after the other from 0 to the next ordinal of the product, without a hole.
func (a *audit) checkRanges() {
	slices.SortFunc(a.spans, func(x, y span) int {
		return cmp.Or(cmp.Compare(x.product, y.product), cmp.Compare(x.first, y.first), cmp.Compare(x.number, y.number))
	})
	ends := make(map[int64]int64) // of products
	for i := range a.spans {
		s := &a.spans[i]
		end := ends[s.product]
		switch {
		case s.first < 0:
			a.ranges.find("batch %s begins with ordinal %d", s.id, s.first)
		case s.first < end:
			a.ranges.find("batch %s begins with ordinal %d, which belongs to the batch before it, up to %d", s.id, s.first, end-1)
		case s.first > end:
			a.ranges.find("ordinals %d to %d of product number %d, before batch %s, belong to no batch", end, s.first-1, s.product, s.id)
		}
		if s.end() > mintage.MaxProductUnits {
			a.ranges.find("batch %s ends with ordinal %d, beyond all that a product may have", s.id, s.end()-1)
		}
		ends[s.product] = max(end, s.end())
	}
	for _, number := range sorted(a.products) {
		p, end := a.products[number], ends[number]
		switch {
		case p.next < end:
			a.ranges.find("product %s would reserve ordinal %d next, but batches have those up to %d", p.id, p.next, end-1)
		case p.next > end:
			a.ranges.find("ordinals %d to %d of product %s are reserved, but belong to no batch", end, p.next-1, p.id)
		}
	}
}

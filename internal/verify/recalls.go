package verify

import (
	"slices"

	"mintage"
)

// checkRecalls holds the recalls of one batch, which may be missing, against its
// lots and the events that tell of recalls.
func (a *audit) checkRecalls(number int64, b *mintage.Batch, lots []mintage.Lot, recalls []mintage.Recall, events []mintage.Event) (sound bool) {
	found := a.recalls.Findings
	for _, r := range recalls {
		a.recalls.Examined++
		a.orphans.Examined++
		if b == nil {
			a.orphans.find("a recall is of batch number %d, which does not exist", number)
			continue
		}
		if r.BrandNumber != b.BrandNumber || r.ProductNumber != b.ProductNumber {
			a.recalls.find("a recall of batch %s is of another brand or product", b.ID)
		}
		whole := r.Lot == "" && r.FirstOrdinal == b.FirstOrdinal && r.Quantity == b.RequestedQuantity
		isLot := func(l mintage.Lot) bool {
			return l.Code == r.Lot && l.FirstOrdinal == r.FirstOrdinal && l.Quantity == r.Quantity
		}
		if !whole && !slices.ContainsFunc(lots, isLot) {
			a.recalls.find("a recall of batch %s covers ordinals %d to %d, which are neither the batch nor its lot %q",
				b.ID, r.FirstOrdinal, after(r.FirstOrdinal, r.Quantity)-1, r.Lot)
		}
		if mintage.ValidateReason(r.Reason) != nil || r.At.IsZero() {
			a.recalls.find("a recall of batch %s does not say when or why", b.ID)
		}
		i := slices.IndexFunc(events, func(e mintage.Event) bool {
			return e.ProductNumber == r.ProductNumber && e.FirstOrdinal == r.FirstOrdinal && e.Quantity == r.Quantity && e.Message == r.Reason
		})
		if i < 0 {
			a.recalls.find("no event tells of the recall of ordinals %d to %d of batch %s", r.FirstOrdinal, after(r.FirstOrdinal, r.Quantity)-1, b.ID)
			continue
		}
		events = slices.Delete(events, i, i+1)
	}
	for _, e := range events {
		a.recalls.find("event number %d tells of a recall of ordinals %d to %d of batch %s, which is not there",
			e.Number, e.FirstOrdinal, after(e.FirstOrdinal, e.Quantity)-1, b.ID)
	}
	return a.recalls.Findings == found
}

package verify

import (
	"strconv"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// readCatalogue reads what batches are held against: products, claims of GTINs,
// production batches.
func (a *audit) readCatalogue() error {
	numbers := make(map[string]int64) // of products, by code
	for p, err := range a.r.AllProducts(a.ctx) {
		if !a.readable(err, a.orphans, a.ranges, a.duplicates, a.codes) {
			break
		}
		a.orphans.Examined++
		if a.brands[p.BrandNumber] == nil {
			a.orphans.find("product %s belongs to brand number %d, which does not exist", p.ID, p.BrandNumber)
		}
		if other, ok := numbers[p.Code]; ok {
			a.duplicates.find("products number %d and %d have the same code %s", other, p.Number, p.Code)
		}
		if serial.ParseProductCode(p.Code) != nil {
			a.codes.find("product %s has the code %q, which is none", p.ID, p.Code)
		}
		if a.products[p.Number] != nil {
			a.duplicates.find("product number %d stands twice", p.Number)
		}
		numbers[p.Code] = p.Number
		a.products[p.Number] = &product{brand: p.BrandNumber, id: p.ID, code: p.Code, next: p.NextOrdinal}
	}
	for g, err := range a.r.AllGTINs(a.ctx) {
		if !a.readable(err, a.gtins) {
			break
		}
		a.orphans.Examined++
		if !a.owns(g.BrandNumber, g.ProductNumber) {
			a.orphans.find("the GTIN %s belongs to product number %d, which the brand does not have", g.GTIN, g.ProductNumber)
		}
		a.claims[gtinKey{g.BrandNumber, g.GTIN}] = g.ProductNumber
	}
	for pb, err := range a.r.AllProductionBatches(a.ctx) {
		if !a.readable(err, a.production) {
			break
		}
		a.orphans.Examined++
		a.production.Examined++
		if !a.owns(pb.BrandNumber, pb.ProductNumber) {
			a.orphans.find("production batch %s is of product number %d, which its brand does not have", pb.ID, pb.ProductNumber)
		}
		if err := pb.Validate(); err != nil {
			a.production.find("production batch %s: %s", pb.ID, mintage.ErrorMessage(err))
		}
		a.runs[pb.Number] = &pb
	}
	for k, err := range a.r.AllKeys(a.ctx) {
		if !a.readable(err, a.orphans) {
			break
		}
		a.orphans.Examined++
		if k.JobNumber == 0 {
			a.orphans.find("the idempotency key %q is that of job %s, which its brand does not have", k.Key, k.JobID)
		}
	}
	return nil
}

// owns tells whether a product exists and is the brand's.
func (a *audit) owns(brand, number int64) bool {
	p := a.products[number]
	return p != nil && p.brand == brand
}

// checkBase holds a resolver base against the brand that uses it.
func (a *audit) checkBase(base string, brand int64, user string) {
	a.bases.Examined++
	if parsed, err := gs1.ParseBase(base); err != nil || string(parsed) != base {
		a.bases.find("%s has the resolver base %q, which is none", user, base)
		return
	}
	switch owner, ok := a.owners[base]; {
	case !ok:
		a.bases.find("%s uses the resolver base %s, which belongs to nobody", user, base)
	case owner != brand:
		a.bases.find("%s uses the resolver base %s, which belongs to another brand", user, base)
	}
}

// checkGTIN holds a batch against the claim of its GTIN. A batch that ended
// without a unit has none.
func (a *audit) checkGTIN(j *mintage.Job, b *mintage.Batch) {
	if b.GTIN == "" {
		return
	}
	a.gtins.Examined++
	if parsed, err := gs1.ParseGTIN(b.GTIN); err != nil || string(parsed) != b.GTIN {
		a.gtins.find("batch %s has the GTIN %q, which is none", b.ID, b.GTIN)
		return
	}
	if b.MintedQuantity == 0 && (j == nil || j.Status.Final()) {
		return
	}
	switch owner, ok := a.claims[gtinKey{b.BrandNumber, b.GTIN}]; {
	case !ok:
		a.gtins.find("batch %s is minted with the GTIN %s, which belongs to no product", b.ID, b.GTIN)
	case owner != b.ProductNumber:
		a.gtins.find("batch %s is minted with the GTIN %s, which belongs to another product", b.ID, b.GTIN)
	}
}

// commit adds up what a batch holds of its production batch: what it requested
// or, where its job failed, what it minted.
func (a *audit) commit(j *mintage.Job, b *mintage.Batch) {
	if b.ProductionBatchNumber == 0 {
		return
	}
	r := a.runs[b.ProductionBatchNumber]
	if r == nil || r.BrandNumber != b.BrandNumber {
		a.orphans.find("batch %s is of production batch number %d, which its brand does not have", b.ID, b.ProductionBatchNumber)
		return
	}
	if r.ProductNumber != b.ProductNumber {
		a.production.find("batch %s is of production batch %s, which is of another product", b.ID, r.ID)
	}
	if j != nil && j.Status == mintage.JobFailed {
		r.Committed += b.MintedQuantity
	} else {
		r.Committed += b.RequestedQuantity
	}
}

// checkLedger looks at what has been added up over all batches.
func (a *audit) checkLedger() error {
	for _, number := range sorted(a.runs) {
		r, brand := a.runs[number], a.brands[a.runs[number].BrandNumber]
		if brand == nil {
			continue // an orphan, which has been said
		}
		if r.Committed <= r.Capacity(brand.overIssue) {
			continue
		}
		highest, err := a.highestOverIssue(r.BrandNumber, brand)
		if !a.readable(err, a.production) {
			break
		}
		if capacity := r.Capacity(highest); r.Committed > capacity {
			a.production.find("production batch %s has %d units committed, but may have %d", r.ID, r.Committed, capacity)
		}
	}
	a.checkRanges()
	return nil
}

// highestOverIssue is the highest percentage that a brand ever allowed, as its events
// tell. What was committed under it stays where the percentage falls.
func (a *audit) highestOverIssue(number int64, b *brand) (int, error) {
	if b.highestKnown {
		return b.highest, nil
	}
	highest := b.overIssue
	for page := (store.Page{Limit: 1000}); ; {
		events, err := a.r.Events(a.ctx, number, store.EventFilter{Kind: mintage.EventBrandUpdated}, page)
		if err != nil {
			return 0, err
		}
		for _, e := range events {
			for _, text := range []string{e.From, e.To} {
				// Whatever is no percentage allowed nothing.
				if percent, err := strconv.Atoi(text); err == nil && percent <= mintage.MaxOverIssuePercent {
					highest = max(highest, percent)
				}
			}
			page.After = e.Number
		}
		if len(events) < page.Limit {
			b.highest, b.highestKnown = highest, true
			return highest, nil
		}
	}
}

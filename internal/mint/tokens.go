package mint

import (
	"context"
	"slices"

	"mintage"
	"mintage/internal/store"
)

// TokenFilter narrows a list of tokens; zero fields do not.
type TokenFilter struct {
	Product string // its ID, SKU or GTIN
	BatchID string
	Lot     string
	Status  mintage.TokenStatus
}

// Token is a unit with its product.
type Token struct {
	*mintage.Unit

	Product *mintage.Product
}

// TokenPart is part of a list of tokens.
type TokenPart struct {
	Tokens []*Token
	// Next is the page's After for the part that follows; 0 at the end of the list.
	Next int64
	// Searching says that the part ended because a lot was looked through, not because it
	// is full: there may be more, or nothing.
	Searching bool
}

// A part of a list may cost so much. The unit is about what one row costs that an index
// finds.
const (
	tokenBudget  = 50_000
	costOfQuery  = 50
	costOfCounts = 500
	// exceptionsPerQuery are the units that are not as their batch's rule has them, of
	// which so many are read at once.
	exceptionsPerQuery = 10_000
)

// batchesPerQuery are read at once by a list of tokens.
const batchesPerQuery = 20

// Tokens lists the minted units of the brand: those of its newest batch first, and of
// one batch by their ordinals. What a part costs does not depend on how far down the
// list it is, nor on how many units there are: only such batches and lots are looked
// into that have units of the wanted status, units are found there by their exceptions
// or by their rule, and a part ends early where that does not find enough of them.
//
// NOT_FOUND where the filter names a product or batch that the brand does not have.
func (s *Service) Tokens(ctx context.Context, p mintage.Principal, f TokenFilter, page store.Page) (*TokenPart, error) {
	return s.tokens(ctx, p, f, page, tokenBudget)
}

func (s *Service) tokens(ctx context.Context, p mintage.Principal, f TokenFilter, page store.Page, budget int) (part *TokenPart, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		part, err = newTokenList(r, p.BrandNumber, f, page, budget).run(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return part, nil
}

// place is where a list of tokens stands: so many units of a batch have been looked at,
// and all batches that are newer. It is written as one number, which a cursor can hold.
type place struct{ batch, units int64 }

// placeBits have room for the units of a batch, mintage.MaxRequestQuantity.
const placeBits = 20

func placeOf(number int64) place { return place{number >> placeBits, number & (1<<placeBits - 1)} }

func (p place) number() int64 { return p.batch<<placeBits | p.units }

// tokenList is one part of a list in the making.
type tokenList struct {
	r      store.Reader
	brand  int64
	filter TokenFilter
	limit  int
	at     place // where the list goes on
	budget int   // what is left of it
	moved  bool  // whether it has come on at all

	found    []foundUnit
	products map[string]*mintage.Product
	recalls  map[int64][]*mintage.Recall // of products
}

type foundUnit struct {
	work    *store.Work
	ordinal int64
}

func newTokenList(r store.Reader, brand int64, f TokenFilter, page store.Page, budget int) *tokenList {
	return &tokenList{
		r: r, brand: brand, filter: f, limit: max(page.Limit, 1), at: placeOf(page.After), budget: budget,
		products: make(map[string]*mintage.Product), recalls: make(map[int64][]*mintage.Recall),
	}
}

func (l *tokenList) run(ctx context.Context) (*TokenPart, error) {
	ended, err := l.search(ctx)
	if err != nil {
		return nil, err
	}
	part := &TokenPart{Searching: !ended && len(l.found) <= l.limit}
	switch {
	case len(l.found) > l.limit:
		l.found = l.found[:l.limit]
		last := l.found[l.limit-1]
		part.Next = place{last.work.Batch.Number, last.ordinal - last.work.Batch.FirstOrdinal + 1}.number()
	case !ended:
		part.Next = l.at.number()
	}
	part.Tokens, err = l.tokens(ctx)
	return part, err
}

// search looks for one unit more than the part may have, which tells that there is a
// next part. It reports whether it came to the end of the list.
func (l *tokenList) search(ctx context.Context) (ended bool, err error) {
	filter := store.JobFilter{Lot: l.filter.Lot}
	if l.filter.Product != "" {
		product, err := productNamed(ctx, l.r, l.brand, l.filter.Product)
		if err != nil {
			return false, err
		}
		filter.Product = product.Number
	}
	if l.filter.BatchID != "" {
		w, err := l.r.WorkByBatchID(ctx, l.brand, mintage.CanonicalID(l.filter.BatchID))
		if err != nil {
			return false, err
		}
		if filter.Product != 0 && w.Batch.ProductNumber != filter.Product {
			return true, nil
		}
		return l.batch(ctx, w)
	}
	after := int64(0)
	if l.at.batch > 0 {
		after = l.at.batch + 1 // it is not done
	}
	for {
		works, err := l.r.Works(ctx, l.brand, filter, store.Page{After: after, Limit: batchesPerQuery})
		if err != nil {
			return false, err
		}
		for _, w := range works {
			if done, err := l.batch(ctx, w); err != nil || !done {
				return false, err
			}
			after = w.Batch.Number
		}
		if len(works) < batchesPerQuery {
			return true, nil
		}
	}
}

// batch looks through what is left of a batch. It reports whether it came to its end.
func (l *tokenList) batch(ctx context.Context, w *store.Work) (done bool, err error) {
	b := &w.Batch
	if l.at.batch != b.Number {
		l.at = place{batch: b.Number}
	}
	if l.spent() {
		return false, nil
	}
	l.budget -= costOfQuery
	from := b.FirstOrdinal + l.at.units
	if from >= b.NextOrdinal() {
		l.moved = true
		return true, nil
	}
	var counts []mintage.Counts
	if l.filter.Status != "" {
		l.budget -= costOfCounts
		if counts, err = l.r.LotCounts(ctx, l.brand, b.Number); err != nil {
			return false, err
		}
	}
	for i, lot := range b.Lots {
		to := min(lot.FirstOrdinal+lot.Quantity, b.NextOrdinal())
		if from >= to || l.filter.Lot != "" && lot.Code != l.filter.Lot || counts != nil && countOf(counts[i], l.filter.Status) == 0 {
			continue
		}
		if done, err := l.lot(ctx, w, max(from, lot.FirstOrdinal), to); err != nil || !done {
			return false, err
		}
	}
	l.at.units, l.moved = b.MintedQuantity, true
	return true, nil
}

func countOf(c mintage.Counts, status mintage.TokenStatus) int64 {
	switch status {
	case mintage.TokenMinted:
		return c.Minted
	case mintage.TokenActive:
		return c.Active
	case mintage.TokenRevoked:
		return c.Revoked
	}
	return 0
}

// lot looks through the units from <= ordinal < to of one lot. It reports whether it came
// to its end.
func (l *tokenList) lot(ctx context.Context, w *store.Work, from, to int64) (done bool, err error) {
	recalls, err := l.recallsOf(ctx, w.Batch.ProductNumber)
	if err != nil {
		return false, err
	}
	recalled := covering(recalls, from) != nil // a recall covers all of a lot
	for from < to {
		room := l.limit + 1 - len(l.found)
		if room == 0 || l.spent() {
			l.at.units = from - w.Batch.FirstOrdinal
			return false, nil
		}
		ordinals, upTo, err := l.candidates(ctx, w, recalled, from, to, room)
		if err != nil {
			return false, err
		}
		for _, ordinal := range ordinals {
			l.found = append(l.found, foundUnit{w, ordinal})
		}
		from, l.moved = upTo, true
	}
	return true, nil
}

// spent reports whether the part has to end. It always comes on a little, so that
// whoever asks for the next part, and so on, comes to the end.
func (l *tokenList) spent() bool { return l.moved && l.budget < 0 }

// candidates returns the first units of a lot from an ordinal on that have the wanted
// status, at most room, and the ordinal up to which it has looked.
func (l *tokenList) candidates(ctx context.Context, w *store.Work, recalled bool, from, to int64, room int) (ordinals []int64, upTo int64, err error) {
	product, born, status := w.Batch.ProductNumber, w.Batch.ActivationMode.Born(), l.filter.Status
	switch {
	case status == "", recalled && status == mintage.TokenRevoked:
		return l.without(ctx, product, from, to, room, noExceptions)
	case recalled:
		return nil, to, nil
	case status == mintage.TokenRevoked:
		return l.with(ctx, product, from, to, room, mintage.TokenRevoked)
	case status == mintage.TokenActive && born == mintage.TokenActive:
		return l.without(ctx, product, from, to, room, mintage.TokenRevoked)
	case status == mintage.TokenActive:
		if ordinals, upTo, err = l.with(ctx, product, from, to, room, mintage.TokenActive); err != nil || len(ordinals) == 0 {
			return nil, upTo, err
		}
		last := ordinals[len(ordinals)-1]
		revoked, _, err := l.with(ctx, product, ordinals[0], last+1, int(last-ordinals[0])+1, mintage.TokenRevoked)
		return slices.DeleteFunc(ordinals, func(ordinal int64) bool {
			_, is := slices.BinarySearch(revoked, ordinal)
			return is
		}), upTo, err
	case status == mintage.TokenMinted && born == mintage.TokenMinted:
		return l.without(ctx, product, from, to, room, anyException)
	}
	return nil, to, nil
}

const (
	// anyException is what StateOrdinals takes for a row of whatever status.
	anyException mintage.TokenStatus = ""
	// noExceptions is for units whose own rows do not matter; they are not read.
	noExceptions = mintage.TokenMinted
)

// with returns units that have a row of a status.
func (l *tokenList) with(ctx context.Context, product, from, to int64, room int, status mintage.TokenStatus) (ordinals []int64, upTo int64, err error) {
	ordinals, err = l.r.StateOrdinals(ctx, product, from, to, status, room)
	l.budget -= costOfQuery + len(ordinals)
	if err == nil && len(ordinals) == room {
		to = ordinals[room-1] + 1
	}
	return ordinals, to, err
}

// without returns units that have no row of a status: all the others, since a batch's
// units leave no gap.
func (l *tokenList) without(ctx context.Context, product, from, to int64, room int, status mintage.TokenStatus) (ordinals []int64, upTo int64, err error) {
	var exceptions []int64
	if status != noExceptions {
		if exceptions, to, err = l.with(ctx, product, from, to, exceptionsPerQuery, status); err != nil {
			return nil, 0, err
		}
	}
	for ; from < to && len(ordinals) < room; from++ {
		if len(exceptions) > 0 && exceptions[0] == from {
			exceptions = exceptions[1:]
			continue
		}
		ordinals = append(ordinals, from)
	}
	l.budget -= len(ordinals)
	return ordinals, from, nil
}

func (l *tokenList) recallsOf(ctx context.Context, product int64) ([]*mintage.Recall, error) {
	recalls, ok := l.recalls[product]
	if !ok {
		var err error
		if recalls, err = l.r.Recalls(ctx, l.brand, product); err != nil {
			return nil, err
		}
		l.recalls[product] = recalls
	}
	return recalls, nil
}

// nearUnits are so close that reading all between them costs less than asking twice.
const nearUnits = 64

// tokens reads the units that were found.
func (l *tokenList) tokens(ctx context.Context) ([]*Token, error) {
	tokens := make([]*Token, 0, len(l.found))
	for rest := l.found; len(rest) > 0; {
		first, n := rest[0], 1
		for n < len(rest) && rest[n].work == first.work && rest[n].ordinal <= rest[n-1].ordinal+nearUnits {
			n++
		}
		product, err := l.product(ctx, first.work.Batch.ProductID)
		if err != nil {
			return nil, err
		}
		units, err := unitsOf(ctx, l.r, first.work, first.ordinal, rest[n-1].ordinal+1)
		if err != nil {
			return nil, err
		}
		wanted := rest[:n]
		for _, u := range units {
			if len(wanted) > 0 && u.Ordinal == wanted[0].ordinal {
				tokens, wanted = append(tokens, &Token{u, product}), wanted[1:]
			}
		}
		rest = rest[n:]
	}
	return tokens, nil
}

func (l *tokenList) product(ctx context.Context, id string) (*mintage.Product, error) {
	p, ok := l.products[id]
	if !ok {
		var err error
		if p, err = l.r.ProductByID(ctx, l.brand, id); err != nil {
			return nil, err
		}
		l.products[id] = p
	}
	return p, nil
}

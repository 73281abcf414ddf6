package verify

import (
	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// tally counts the units in the range of one batch.
type tally struct {
	*span
	units int64 // rows
	next  int64 // the ordinal that should come next
}

// walk goes through the units in the order of products and ordinals, and through
// the batches' ranges beside them.
type walk struct {
	*audit
	ahead  []span   // ranges still to come
	inside []*tally // ranges that the ordinal is in: one, where nothing is wrong

	started bool
	product int64
	ordinal int64 // the last unit's
	units   int64 // of the product
	key     codebook
}

// readUnits checks counts, gaps, orphans, duplicates and codes, all in one pass.
func (a *audit) readUnits() error {
	w := &walk{audit: a, ahead: a.spans}
	for u, err := range a.r.AllUnits(a.ctx) {
		if !a.readable(err, a.counts, a.gaps, a.orphans, a.duplicates, a.codes) {
			break
		}
		if err == nil {
			w.see(&u)
		}
	}
	if a.fault != nil {
		return nil
	}
	w.endProduct()
	for len(w.ahead) > 0 {
		w.finish(w.take())
	}
	a.gaps.Examined, a.duplicates.Examined = a.counts.Examined, a.counts.Examined
	a.orphans.Examined += a.counts.Examined
	return nil
}

func (w *walk) see(u *store.UnitRow) {
	if !w.started || u.ProductNumber != w.product {
		w.endProduct()
		w.beginProduct(u.ProductNumber)
	} else if u.Ordinal <= w.ordinal {
		w.duplicates.find("ordinal %d of product number %d comes again after ordinal %d", u.Ordinal, w.product, w.ordinal)
	}
	w.ordinal = u.Ordinal
	w.units++
	w.counts.Examined++
	w.enter(u.Ordinal)
	if len(w.inside) == 0 {
		w.orphans.find("ordinal %d of product number %d is in the range of no batch", u.Ordinal, w.product)
	}
	limit := after(u.Ordinal, 1)
	for _, t := range w.inside {
		t.see(w.audit, u.Ordinal)
		limit = max(limit, after(t.first, t.minted))
	}
	w.checkCode(u, limit)
}

func (t *tally) see(a *audit, ordinal int64) {
	t.units++
	switch {
	case ordinal >= after(t.first, t.minted):
		a.gaps.find("batch %s has ordinal %d, but counts only those before %d", t.id, ordinal, after(t.first, t.minted))
	case ordinal > t.next:
		a.gaps.find("batch %s lacks ordinals %d to %d", t.id, t.next, ordinal-1)
		t.next = ordinal + 1
	case ordinal == t.next:
		t.next++
	}
}

// finish judges a range that all units have been seen of.
func (w *walk) finish(t *tally) {
	if t.units != t.minted {
		w.counts.find("batch %s counts %d units and has %d", t.id, t.minted, t.units)
	}
	if end := after(t.first, t.minted); t.next < end {
		w.gaps.find("batch %s lacks ordinals %d to %d", t.id, t.next, end-1)
	}
}

// enter keeps the ranges that an ordinal of the product is in.
func (w *walk) enter(ordinal int64) {
	for i := 0; i < len(w.inside); {
		if w.inside[i].end() > ordinal {
			i++
			continue
		}
		w.finish(w.inside[i])
		w.inside = append(w.inside[:i], w.inside[i+1:]...)
	}
	for len(w.ahead) > 0 && w.ahead[0].product == w.product && w.ahead[0].first <= ordinal {
		if t := w.take(); t.end() > ordinal {
			w.inside = append(w.inside, t)
		} else {
			w.finish(t) // it has no units at all
		}
	}
}

// take takes the next range from those ahead.
func (w *walk) take() *tally {
	t := &tally{span: &w.ahead[0], next: w.ahead[0].first}
	w.ahead = w.ahead[1:]
	return t
}

func (w *walk) beginProduct(number int64) {
	for len(w.ahead) > 0 && w.ahead[0].product < number {
		w.finish(w.take()) // no more units of that product will come
	}
	w.started, w.product, w.units = true, number, 0
	w.key = w.codebook(number)
}

func (w *walk) endProduct() {
	if !w.started {
		return
	}
	for _, t := range w.inside {
		w.finish(t)
	}
	w.inside = w.inside[:0]
	if w.products[w.product] == nil {
		w.orphans.find("product number %d does not exist, and has %d units", w.product, w.units)
	}
}

// page is how many codes are made at once.
const page = 4096

// codebook has the codes of one product.
type codebook struct {
	cipher *serial.Cipher // nil where there is no key
	buffer []serial.Code  // its capacity serves all products
	first  int64          // the ordinal of the first
	wrong  map[serial.Code]int64
}

// codebook opens the codes of a product. Why it cannot is said once.
func (w *walk) codebook(number int64) codebook {
	book := codebook{buffer: w.key.buffer[:0]}
	p := w.products[number]
	if p == nil {
		w.codes.find("the codes of product number %d cannot be checked: it does not exist", number)
		return book
	}
	if w.brands[p.brand] != nil && !w.opened[p.brand] {
		return book // which has been said of the brand
	}
	cipher, err := w.keys.Cipher(w.ctx, w.r, p.brand, p.code)
	if err != nil {
		w.codes.find("the codes of product %s cannot be checked: %s", p.id, mintage.ErrorMessage(err))
		return book
	}
	book.cipher = cipher
	return book
}

// checkCode compares a unit's code with the one that its ordinal enciphers to.
// Codes are made a page at a time: many at once take half as long, and none is
// deciphered. limit is where the batch's units end, so that no more are made.
func (w *walk) checkCode(u *store.UnitRow, limit int64) {
	book := &w.key
	if book.cipher == nil {
		return
	}
	w.codes.Examined++
	if u.Ordinal < 0 || u.Ordinal >= serial.MaxOrdinal {
		w.codes.find("ordinal %d of product number %d can have no code", u.Ordinal, u.ProductNumber)
		return
	}
	if u.Ordinal < book.first || u.Ordinal >= book.first+int64(len(book.buffer)) {
		if book.buffer == nil {
			book.buffer = make([]serial.Code, page)
		}
		n := min(page, limit-u.Ordinal, serial.MaxOrdinal-u.Ordinal)
		book.first, book.buffer = u.Ordinal, book.buffer[:n]
		book.cipher.Fill(book.buffer, uint64(u.Ordinal))
	}
	if want := book.buffer[u.Ordinal-book.first]; u.Code != want {
		w.codes.find("ordinal %d of product number %d has the code %v; it has to be %v", u.Ordinal, u.ProductNumber, u.Code, want)
		w.checkTwin(u)
	}
}

// maxWrong bounds the wrong codes whose twins are looked for: each takes a
// statement and memory.
const maxWrong = 10_000

// checkTwin looks for another unit with the same code. Only a wrong code can have
// one: the right ones are a permutation of the ordinals.
func (w *walk) checkTwin(u *store.UnitRow) {
	if w.codes.Findings > maxWrong {
		return
	}
	book := &w.key
	twin, ok := book.wrong[u.Code]
	if !ok {
		if book.wrong == nil {
			book.wrong = make(map[serial.Code]int64)
		}
		book.wrong[u.Code] = u.Ordinal
		owner := book.cipher.Decrypt(u.Code)
		if owner >= serial.MaxOrdinal {
			return // not issued
		}
		twin = int64(owner)
		code, err := w.r.UnitCode(w.ctx, u.ProductNumber, twin)
		if mintage.ErrorCode(err) == mintage.CodeNotFound || err == nil && code != u.Code {
			return
		}
		if !w.readable(err, w.duplicates) {
			return
		}
	}
	w.duplicates.find("ordinals %d and %d of product number %d have the same code %v", twin, u.Ordinal, u.ProductNumber, u.Code)
}

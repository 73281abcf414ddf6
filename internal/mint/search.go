package mint

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Hits is what a search found.
type Hits struct {
	// UnitID is set where the search names a unit that was issued.
	UnitID string
	// Address is the host and path of a URL that is at none of the brand's resolver
	// bases: the brand has not printed it, whatever it names.
	Address string
	// Batch is set where the search is the ID of a batch or of its job.
	Batch *store.Work

	Products []*mintage.Product
	Lot      string   // the lot code of Lots
	Lots     []LotHit // newest batches first, at most MaxHits

	// Miss says more where nothing else is set.
	Miss Miss
}

// LotHit is a batch with a lot that was searched for.
type LotHit struct {
	*store.Work

	Product *mintage.Product
}

// Miss is why a search found nothing, where that is known.
type Miss string

// Reasons for finding nothing.
const (
	// MissNotIssued is a unit that the search names, and that was never issued to the brand.
	MissNotIssued Miss = "not_issued"
	// MissURL is a URL that mintage does not print.
	MissURL Miss = "url"
	// MissCheckDigit is a GTIN whose check digit is wrong.
	MissCheckDigit Miss = "check_digit"
)

// MaxHits is how many batches a search lists.
const MaxHits = 20

// maxSearch is how many characters a search may have: a URL's.
const maxSearch = gs1.MaxLinkLength

// Search finds what people paste, scan or read off a label: a resolver URL, a GS1 element
// string, a unit_id, a code or serial number with or without its GTIN, a batch's or
// job's ID, a lot code, a SKU or a GTIN. All of it is the brand's own.
func (s *Service) Search(ctx context.Context, p mintage.Principal, text string) (*Hits, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxSearch || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
		return &Hits{}, nil
	}
	var hits *Hits
	err := s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		q := &search{finder: s.newFinder(r, p.BrandNumber)}
		err = q.run(ctx, text)
		hits = &q.hits
		return err
	})
	if err != nil {
		return nil, err
	}
	return hits, nil
}

// search is one search under way.
type search struct {
	*finder

	hits Hits
}

func (q *search) run(ctx context.Context, text string) error {
	link, address, isURL := readLink(text)
	if isURL {
		if link == nil {
			q.hits.Miss = MissURL
			return nil
		}
		return q.link(ctx, link, address)
	}
	if link != nil { // an element string
		return q.link(ctx, link, "")
	}
	for _, ask := range []func(context.Context, string) (bool, error){q.unitID, q.ids, q.pair, q.code} {
		if done, err := ask(ctx, text); done || err != nil {
			return err
		}
	}
	if err := q.names(ctx, text); err != nil {
		return err
	}
	if q.hits.Products == nil && q.hits.Lots == nil && q.hits.Miss == "" && wrongCheckDigit(text) {
		q.hits.Miss = MissCheckDigit
	}
	return nil
}

// elementString is a GS1 element string as it is printed for people: "(01)…(21)…".
var elementString = regexp.MustCompile(`^\((01|8006)\)[^()]+(\([0-9]{2,4}\)[^()]+)*$`)

var element = regexp.MustCompile(`\(([0-9]{2,4})\)([^()]+)`)

// readLink reads a URL, with or without its scheme, or an element string. link is nil where
// it is none that mintage prints; a text that may be something else is no URL then.
func readLink(text string) (link *gs1.Link, address string, isURL bool) {
	if elementString.MatchString(text) {
		var path strings.Builder
		for _, m := range element.FindAllStringSubmatch(text, -1) {
			path.WriteString("/" + m[1] + "/" + gs1.EscapeSegment(strings.ReplaceAll(m[2], " ", "")))
		}
		if link, err := gs1.ParseTarget(path.String(), ""); err == nil {
			return &link, "", false
		}
		return nil, "", false
	}
	hasScheme := strings.Contains(text, "://")
	if !hasScheme {
		if !strings.Contains(text, "/") {
			return nil, "", false
		}
		text = "https://" + text // a lot code may have a slash too
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, "", hasScheme
	}
	read, err := gs1.ParseLink(text)
	if err != nil || read.ProductCode == "" && read.GTIN == "" {
		return nil, "", hasScheme
	}
	host := strings.TrimSuffix(strings.ToLower(parsed.Host), ".")
	for _, port := range []string{":443", ":80"} {
		host = strings.TrimSuffix(host, port)
	}
	return &read, host + read.Prefix, true
}

// link finds what a scan of a link leads to. address is host and path before it, "" for
// an element string, which has none.
func (q *search) link(ctx context.Context, link *gs1.Link, address string) error {
	bases, err := q.r.BasesOf(ctx, q.brand)
	if err != nil {
		return err
	}
	own := slices.ContainsFunc(bases, func(base string) bool {
		_, base, _ = strings.Cut(base, "://")
		return base == address
	})
	if !own {
		q.hits.Address = address
	}
	product, err := q.linkedProduct(ctx, link)
	if err != nil {
		return err
	}
	code := link.UnitCode()
	switch {
	case product == nil:
		if code != "" {
			q.hits.Miss = MissNotIssued
		}
		return nil
	case code != "":
		return q.linkedUnit(ctx, link, product, code, address == "")
	case link.Lot != "":
		return q.lots(ctx, store.JobFilter{Product: product.Number, Lot: link.Lot})
	}
	q.hits.Products = []*mintage.Product{product}
	return nil
}

func (q *search) linkedProduct(ctx context.Context, link *gs1.Link) (*mintage.Product, error) {
	if link.ProductCode != "" {
		return optional(q.r.ProductByCode(ctx, q.brand, link.ProductCode))
	}
	return optional(q.r.ProductByGTIN(ctx, q.brand, string(link.GTIN)))
}

// linkedUnit finds the unit of a link, if that is one which it carries: in its mode, and with
// its lot if one is named. bare links, of element strings, may name a code as a serial.
func (q *search) linkedUnit(ctx context.Context, link *gs1.Link, product *mintage.Product, text string, bare bool) error {
	q.hits.Miss = MissNotIssued
	code, err := serial.ParseCode(text)
	if err != nil {
		return nil // it cannot be one of ours
	}
	u, err := q.ofProduct(ctx, product, code)
	if err != nil || u == nil {
		return err
	}
	b := &u.work.Batch
	if !bare && link.ProductCode == "" && (b.IdentityMode == mintage.IdentitySerial) != (link.Serial != "") ||
		link.Lot != "" && link.Lot != b.Lot(u.ordinal).Code {
		return nil
	}
	q.hits.UnitID, q.hits.Miss = u.id(), ""
	return nil
}

// unitID looks for a unit by its public identifier.
func (q *search) unitID(ctx context.Context, text string) (done bool, err error) {
	name, err := serial.ParseUnit(strings.ToUpper(text))
	if err != nil {
		return false, nil
	}
	u, err := q.byCode(ctx, name.ProductCode, name.Code)
	if err != nil {
		return true, err
	}
	if u == nil { // a SKU may look like this
		q.hits.Miss = MissNotIssued
		return false, nil
	}
	q.hits.UnitID = u.id()
	return true, nil
}

// ids looks for a batch, a job and a product by their IDs.
func (q *search) ids(ctx context.Context, text string) (done bool, err error) {
	id := mintage.CanonicalID(text)
	for _, read := range []func(context.Context, int64, string) (*store.Work, error){q.r.WorkByBatchID, q.r.WorkByJobID} {
		if q.hits.Batch, err = optional(read(ctx, q.brand, id)); err != nil || q.hits.Batch != nil {
			return true, err
		}
	}
	product, err := optional(q.r.ProductByID(ctx, q.brand, id))
	if err != nil || product == nil {
		return false, err
	}
	q.hits.Products = []*mintage.Product{product}
	return true, nil
}

// pair looks for a unit by its GTIN and its serial or code, with a blank between them.
func (q *search) pair(ctx context.Context, text string) (done bool, err error) {
	words := strings.Fields(text)
	if len(words) != 2 {
		return false, nil
	}
	gtin, err := gs1.ParseGTIN(words[0])
	if err != nil {
		return false, nil
	}
	code, ok := typedCode(words[1])
	if !ok {
		return false, nil
	}
	u, err := q.byGTIN(ctx, string(gtin), code.String())
	switch {
	case err != nil:
		return true, err
	case u == nil:
		q.hits.Miss = MissNotIssued
	default:
		q.hits.UnitID = u.id()
	}
	return true, nil
}

// typedCode reads a code as people type it. No code has an O, I or L, so that whoever
// types one means the digit.
func typedCode(text string) (serial.Code, bool) {
	text = strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(text))
	code, err := serial.ParseCode(text)
	return code, err == nil
}

// productsPerQuery are deciphered for at once.
const productsPerQuery = 1000

// code looks for a unit by its code alone. It does not say of which product it is, and
// no index has codes: each product's cipher tells which of its units would have it, which
// is hardly ever one that exists.
func (q *search) code(ctx context.Context, text string) (done bool, err error) {
	code, ok := typedCode(text)
	if !ok {
		return false, nil
	}
	page := store.Page{Limit: productsPerQuery}
	for {
		products, err := q.r.MintedProducts(ctx, q.brand, page)
		if err != nil {
			return true, err
		}
		for _, p := range products {
			cipher, err := q.service.keys.Cipher(ctx, q.r, q.brand, p.Code)
			if err != nil {
				return true, err
			}
			if cipher.Decrypt(code) >= uint64(p.NextOrdinal) {
				continue
			}
			u, err := q.byCode(ctx, p.Code, code)
			if err != nil {
				return true, err
			}
			if u != nil {
				q.hits.UnitID, q.hits.Miss = u.id(), ""
				return true, nil
			}
		}
		if len(products) < productsPerQuery {
			q.hits.Miss = MissNotIssued // unless it is the name of something else
			return false, nil
		}
		page.After = products[len(products)-1].Number
	}
}

// names looks for a product and for lots.
func (q *search) names(ctx context.Context, text string) error {
	product, err := optional(productNamed(ctx, q.r, q.brand, text))
	if err != nil {
		return err
	}
	if product != nil {
		q.hits.Products, q.hits.Miss = []*mintage.Product{product}, ""
	}
	if len(text) > gs1.MaxValueLength {
		return nil
	}
	return q.lots(ctx, store.JobFilter{Lot: text})
}

func (q *search) lots(ctx context.Context, filter store.JobFilter) error {
	works, err := q.r.Works(ctx, q.brand, filter, store.Page{Limit: MaxHits})
	if err != nil || len(works) == 0 {
		return err
	}
	q.hits.Lot, q.hits.Miss = filter.Lot, ""
	for _, w := range works {
		id := w.Batch.ProductID
		product, err := q.product("id "+id, func() (*mintage.Product, error) { return q.r.ProductByID(ctx, q.brand, id) })
		if err != nil {
			return err
		}
		q.hits.Lots = append(q.hits.Lots, LotHit{w, product})
	}
	return nil
}

// productNamed finds a product by its ID, its SKU or a GTIN that it has or was minted with.
func productNamed(ctx context.Context, r store.Reader, brand int64, name string) (*mintage.Product, error) {
	for _, read := range []func() (*mintage.Product, error){
		func() (*mintage.Product, error) { return r.ProductByID(ctx, brand, mintage.CanonicalID(name)) },
		func() (*mintage.Product, error) { return r.ProductBySKU(ctx, brand, name) },
	} {
		if p, err := optional(read()); err != nil || p != nil {
			return p, err
		}
	}
	gtin, err := gs1.ParseGTIN(name)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeNotFound, "There is no such product; check its SKU or GTIN.")
	}
	return r.ProductByGTIN(ctx, brand, string(gtin))
}

// wrongCheckDigit reports whether a text would be a GTIN but for its last digit.
func wrongCheckDigit(text string) bool {
	switch len(text) {
	case 8, 12, 13, 14:
	default:
		return false
	}
	want, err := gs1.CheckDigit(text[:len(text)-1])
	last := text[len(text)-1]
	return err == nil && '0' <= last && last <= '9' && last != want
}

package mint

import (
	"context"
	"net/url"
	"strings"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// found is a minted unit, with what its state follows from.
type found struct {
	product *mintage.Product
	work    *store.Work
	ordinal int64
	code    serial.Code
}

func (f *found) id() string {
	return serial.Unit{ProductCode: f.product.Code, Code: f.code}.String()
}

// finder finds units of one brand within one transaction. It remembers products
// and the batch that it found last, so that each further unit of a batch costs one read.
type finder struct {
	service  *Service
	r        store.Reader
	brand    int64
	products map[string]*mintage.Product // by "code ", "gtin " or "id " and that
	recalls  map[int64][]*mintage.Recall // of products
	last     *store.Work
}

func (s *Service) newFinder(r store.Reader, brand int64) *finder {
	return &finder{
		service: s, r: r, brand: brand,
		products: make(map[string]*mintage.Product), recalls: make(map[int64][]*mintage.Recall),
	}
}

// noSuchUnit is the answer for an identifier that is none, one that was never issued
// and one of another brand: they look the same.
func noSuchUnit() *mintage.Error {
	return mintage.Errorf(mintage.CodeNotFound, "There is no such unit; check the unit_id.").WithField("unit_id")
}

// byID finds a unit by its public identifier.
func (f *finder) byID(ctx context.Context, id string) (*found, error) {
	name, err := serial.ParseUnit(id)
	if err != nil {
		return nil, noSuchUnit()
	}
	u, err := f.byCode(ctx, name.ProductCode, name.Code)
	if err == nil && u == nil {
		return nil, noSuchUnit()
	}
	return u, err
}

// bySerial finds a unit in serial mode by a GTIN of its product and its serial.
func (f *finder) bySerial(ctx context.Context, gtin, text string) (*found, error) {
	refused := mintage.Errorf(mintage.CodeNotFound, "There is no unit with this GTIN and serial; check both.").WithField("serial")
	parsed, err := gs1.ParseGTIN(gtin)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "%s", mintage.ErrorMessage(err)).WithField("gtin")
	}
	u, err := f.byGTIN(ctx, string(parsed), text)
	switch {
	case err != nil:
		return nil, err
	case u == nil || u.work.Batch.IdentityMode != mintage.IdentitySerial:
		return nil, refused
	}
	return u, nil
}

// byURL finds a unit by what is printed on it, as tolerantly as a scan does, but
// at the address that it was printed with only.
func (f *finder) byURL(ctx context.Context, text string) (*found, error) {
	refused := mintage.Errorf(mintage.CodeNotFound, "There is no unit with this resolver URL; check it.").WithField("resolver_url")
	link, err := gs1.ParseLink(text)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "%s", mintage.ErrorMessage(err)).WithField("resolver_url")
	}
	printed, err := url.Parse(text)
	if err != nil {
		return nil, refused
	}
	var u *found
	mode := mintage.IdentityBatch
	switch {
	case link.ProductCode != "":
		code, parseErr := serial.ParseCode(link.Code)
		if parseErr != nil {
			return nil, refused
		}
		u, err = f.byCode(ctx, link.ProductCode, code)
	case link.GTIN == "":
		return nil, refused
	case link.Serial != "":
		mode = mintage.IdentitySerial
		u, err = f.byGTIN(ctx, string(link.GTIN), link.Serial)
	default:
		u, err = f.byGTIN(ctx, string(link.GTIN), printed.Query().Get("u"))
	}
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, refused
	}
	b := &u.work.Batch
	_, base, _ := strings.Cut(b.ResolverBase, "://")
	switch {
	case strings.ToLower(printed.Host)+link.Prefix != base,
		link.ProductCode == "" && b.IdentityMode != mode,
		link.Lot != "" && link.Lot != b.Lot(u.ordinal).Code:
		return nil, refused
	}
	return u, nil
}

// byGTIN finds a unit by a GTIN that its product has or was minted with, and its
// serial or code; nil where there is none.
func (f *finder) byGTIN(ctx context.Context, gtin, text string) (*found, error) {
	code, err := serial.ParseCode(text)
	if err != nil {
		return nil, nil
	}
	product, err := f.product("gtin "+gtin, func() (*mintage.Product, error) { return f.r.ProductByGTIN(ctx, f.brand, gtin) })
	if err != nil || product == nil {
		return nil, err
	}
	return f.ofProduct(ctx, product, code)
}

// byCode finds a unit by its product's code and its own; nil where there is none.
func (f *finder) byCode(ctx context.Context, productCode string, code serial.Code) (*found, error) {
	product, err := f.product("code "+productCode, func() (*mintage.Product, error) { return f.r.ProductByCode(ctx, f.brand, productCode) })
	if err != nil || product == nil {
		return nil, err
	}
	return f.ofProduct(ctx, product, code)
}

// product remembers what read finds, also that there is none.
func (f *finder) product(key string, read func() (*mintage.Product, error)) (*mintage.Product, error) {
	if p, ok := f.products[key]; ok {
		return p, nil
	}
	p, err := optional(read())
	if err == nil {
		f.products[key] = p
	}
	return p, err
}

func (f *finder) ofProduct(ctx context.Context, product *mintage.Product, code serial.Code) (*found, error) {
	cipher, err := f.service.keys.Cipher(ctx, f.r, f.brand, product.Code)
	if err != nil {
		return nil, err
	}
	enciphered := cipher.Decrypt(code)
	if enciphered >= serial.MaxOrdinal {
		return nil, nil
	}
	ordinal := int64(enciphered)
	w := f.last
	if w == nil || w.Batch.ProductNumber != product.Number || ordinal < w.Batch.FirstOrdinal || ordinal >= w.Batch.FirstOrdinal+w.Batch.RequestedQuantity {
		if w, err = optional(f.r.WorkByOrdinal(ctx, f.brand, product.Number, ordinal)); err != nil || w == nil {
			return nil, err
		}
		f.last = w
	}
	stored, err := f.r.UnitCode(ctx, product.Number, ordinal)
	if mintage.ErrorCode(err) == mintage.CodeNotFound || err == nil && stored != code {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &found{product: product, work: w, ordinal: ordinal, code: code}, nil
}

// recallOf returns the oldest recall that covers a unit, nil if none does.
func (f *finder) recallOf(ctx context.Context, u *found) (*mintage.Recall, error) {
	recalls, ok := f.recalls[u.product.Number]
	if !ok {
		var err error
		if recalls, err = f.r.Recalls(ctx, f.brand, u.product.Number); err != nil {
			return nil, err
		}
		f.recalls[u.product.Number] = recalls
	}
	return covering(recalls, u.ordinal), nil
}

// covering returns the first recall that covers an ordinal, nil if none does.
func covering(recalls []*mintage.Recall, ordinal int64) *mintage.Recall {
	for _, r := range recalls {
		if r.Covers(ordinal) {
			return r
		}
	}
	return nil
}

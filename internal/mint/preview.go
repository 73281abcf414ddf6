package mint

import (
	"context"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Preview is what the first unit of a request would have printed on it.
type Preview struct {
	Lot string // its lot code, or ""
	// Prefix and Suffix stand around the unit's code in its resolver URL, as a
	// submission at this moment would fix them.
	Prefix, Suffix string
	// Example stands where the code will. It is like every code, and no unit's.
	Example string
}

// URL is the whole, with the example for a code.
func (p *Preview) URL() string { return p.Prefix + p.Example + p.Suffix }

// Preview says what the resolver URL of a request's first unit will look like, and
// reserves nothing. Of the request only the product, the production batch, the
// identity mode and the first lot's code matter; INVALID_INPUT where that is no AI
// (10). NOT_FOUND where the product or production batch does not exist or is another
// brand's.
func (s *Service) Preview(ctx context.Context, p mintage.Principal, req *mintage.MintRequest) (*Preview, error) {
	first := *req
	if len(req.Lots) > 0 {
		first.Lots = req.Lots[:1]
		if err := gs1.ValidateLot(req.Lots[0].LotCode); err != nil {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "%s", mintage.ErrorMessage(err)).WithField("/lots/0/lot_code")
		}
	}
	var preview *Preview
	err := s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		f := facts{}
		var err error
		if f.brand, err = r.BrandByNumber(ctx, p.BrandNumber); err != nil {
			return err
		}
		if f.product, err = r.ProductByID(ctx, p.BrandNumber, mintage.CanonicalID(req.ProductID)); err != nil {
			return err
		}
		if req.ProductionBatchID != "" {
			if f.production, err = r.ProductionBatchByID(ctx, p.BrandNumber, mintage.CanonicalID(req.ProductionBatchID)); err != nil {
				return err
			}
		}
		cipher, err := s.keys.Cipher(ctx, r, p.BrandNumber, f.product.Code)
		if err != nil {
			return err
		}
		lot := layOut(&first, f, &mintage.Batch{
			IdentityMode: req.IdentityMode, ResolverBase: f.brand.ResolverBase, GTIN: f.product.GTIN, ProductCode: f.product.Code,
		})[0]
		preview = &Preview{Lot: lot.Code, Prefix: lot.URLPrefix, Suffix: lot.URLSuffix, Example: cipher.Encrypt(exampleOrdinal).String()}
		return nil
	})
	return preview, err
}

// exampleOrdinal is beyond all that are ever given out.
const exampleOrdinal = serial.MaxOrdinal + 1

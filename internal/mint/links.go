package mint

import (
	"context"
	"slices"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/store"
)

// Links returns the links of a product, in their order.
func (s *Service) Links(ctx context.Context, p mintage.Principal, productID string) (links []mintage.Link, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		product, err := r.ProductByID(ctx, p.BrandNumber, mintage.CanonicalID(productID))
		if err != nil {
			return err
		}
		links, err = r.Links(ctx, p.BrandNumber, product.Number)
		return err
	})
	return links, err
}

// PutLinks replaces the links of a product; none takes them all away, so that its
// codes lead to the built-in passport page. What cannot be is a
// [mintage.InvalidError] with all faults. It returns the links as they are stored.
func (s *Service) PutLinks(ctx context.Context, p mintage.Principal, productID string, links []mintage.Link) ([]mintage.Link, error) {
	links = slices.Clone(links)
	for i := range links {
		if short, err := gs1.ParseLinkType(links[i].Type); err == nil {
			links[i].Type = short // one spelling, so that the same link is seen to be the same
		}
	}
	validType := func(linkType string) error {
		_, err := gs1.ParseLinkType(linkType)
		return err
	}
	if faults := mintage.ValidateLinks(links, validType); len(faults) > 0 {
		return nil, &mintage.InvalidError{Faults: faults}
	}
	err := s.store.For(p.BrandNumber).InTx(ctx, func(tx store.Tx) error {
		product, err := tx.LockProduct(ctx, p.BrandNumber, mintage.CanonicalID(productID))
		if err != nil {
			return err
		}
		before, err := tx.Links(ctx, p.BrandNumber, product.Number)
		if err != nil || slices.Equal(before, links) {
			return err
		}
		if err := tx.PutLinks(ctx, p.BrandNumber, product.Number, links); err != nil {
			return err
		}
		e := p.Event(mintage.EventLinksChanged, s.now())
		e.SubjectID = product.ID
		return tx.AppendEvent(ctx, e)
	})
	if err != nil {
		return nil, err
	}
	return links, nil
}

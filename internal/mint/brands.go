package mint

import (
	"context"

	"mintage"
	"mintage/internal/store"
)

// CreateBrand stores a new brand with a key of its own for its serials. ID, key
// and time are set here, and what the brand leaves open of its defaults. CONFLICT where the resolver base is another brand's.
func (s *Service) CreateBrand(ctx context.Context, b *mintage.Brand, actor string) error {
	base, err := parseBase(b.ResolverBase)
	if err != nil {
		return err
	}
	b.ResolverBase = base
	b.SetDefaults()
	if err := b.Validate(); err != nil {
		return err
	}
	if b.ID, err = newID(); err != nil {
		return err
	}
	b.SealedKey, b.CreatedAt = s.keys.NewBrandKey(b.ID), s.now()
	return s.store.InTx(ctx, func(tx store.Tx) error {
		// All brands of an installation are under one master key.
		if err := s.keys.settle(ctx, tx); err != nil {
			return err
		}
		if err := tx.CreateBrand(ctx, b); err != nil {
			return baseTaken(err)
		}
		return tx.AppendEvent(ctx, &mintage.Event{
			BrandNumber: b.Number, At: b.CreatedAt, Kind: mintage.EventBrandCreated, Actor: actor, SubjectID: b.ID,
		})
	})
}

// Brand returns a brand by its ID: for the operator of the installation.
func (s *Service) Brand(ctx context.Context, id string) (b *mintage.Brand, err error) {
	err = s.store.Read(ctx, func(r store.Reader) (err error) {
		b, err = r.BrandByID(ctx, id)
		return err
	})
	return b, err
}

// Brands lists all brands, oldest first: for the operator of the installation.
func (s *Service) Brands(ctx context.Context) (list []*mintage.Brand, err error) {
	err = s.store.Read(ctx, func(r store.Reader) (err error) {
		list, err = r.Brands(ctx)
		return err
	})
	return list, err
}

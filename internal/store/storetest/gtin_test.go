package storetest_test

import (
	"context"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func gtinOwner(brand int64, gtin string) func(context.Context, store.Reader) (int64, error) {
	return func(ctx context.Context, r store.Reader) (int64, error) { return r.GTINOwner(ctx, brand, gtin) }
}

func TestGTINOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b)
		same(t, read(t, db, gtinOwner(b.Number, p.GTIN)), 0) // no unit is being minted with it
		f.Submit(p, 1)
		same(t, read(t, db, gtinOwner(b.Number, p.GTIN)), p.Number)
		same(t, read(t, db, gtinOwner(other.Number, p.GTIN)), 0)
		same(t, read(t, db, gtinOwner(b.Number, "")), 0)
	})
}

func TestClaimGTIN(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		first, second, foreign := f.NewProduct(b), f.NewProduct(b), f.NewProduct(other)
		claim := func(p *mintage.Product, gtin string, owner *int64) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) (err error) {
				*owner, err = tx.ClaimGTIN(ctx, p.BrandNumber, gtin, p.Number)
				return err
			}
		}
		gtin := f.NewGTIN()
		var owner int64
		write(t, db, claim(first, gtin, &owner))
		same(t, owner, first.Number)
		for _, p := range []*mintage.Product{first, second} {
			unchanged(t, db, func() { write(t, db, claim(p, gtin, &owner)) })
			same(t, owner, first.Number)
		}
		write(t, db, claim(foreign, gtin, &owner)) // GTINs are claimed within a brand
		same(t, owner, foreign.Number)

		races := map[string]struct {
			end  func(*held, testing.TB)
			want int64
		}{
			"the first commits":    {(*held).commit, first.Number},
			"the first rolls back": {(*held).rollback, second.Number},
		}
		for name, race := range races {
			t.Run("two at once, "+name, func(t *testing.T) {
				ctx := t.Context()
				gtin := f.NewGTIN()
				var mine, theirs int64
				h := hold(t, db, claim(first, gtin, &mine))
				done := started(func() error {
					return db.InTx(ctx, func(tx store.Tx) error { return claim(second, gtin, &theirs)(ctx, tx) })
				})
				db.AwaitBlocked(t, 1)
				empty(t, done, "the second has not waited")
				race.end(h, t)
				if err := receive(t, done, "the second"); err != nil {
					t.Fatal(err)
				}
				same(t, [2]int64{mine, theirs}, [2]int64{first.Number, race.want})
				same(t, read(t, db, gtinOwner(b.Number, gtin)), race.want)
			})
		}
	})
}

func TestReleaseGTIN(t *testing.T) {
	tests := map[string]struct {
		// prepare brings about the case; p has a GTIN.
		prepare  func(f *storetest.Fixture, p *mintage.Product)
		released bool
	}{
		"never claimed":       {func(*storetest.Fixture, *mintage.Product) {}, true},
		"job QUEUED":          {func(f *storetest.Fixture, p *mintage.Product) { f.Submit(p, 2) }, false},
		"job RESERVED":        {func(f *storetest.Fixture, p *mintage.Product) { f.Submit(p, 2); f.Claim() }, false},
		"job PROCESSING":      {func(f *storetest.Fixture, p *mintage.Product) { f.Submit(p, 2); f.Mint(1) }, false},
		"job COMPLETED":       {func(f *storetest.Fixture, p *mintage.Product) { f.Submit(p, 2); f.Mint(2) }, false},
		"job FAILED, units":   {func(f *storetest.Fixture, p *mintage.Product) { f.Submit(p, 2); f.Mint(1); f.Fail() }, false},
		"job FAILED, none":    {func(f *storetest.Fixture, p *mintage.Product) { f.Submit(p, 2); f.Fail() }, true},
		"two jobs, both none": {func(f *storetest.Fixture, p *mintage.Product) { f.Submit(p, 2); f.Fail(); f.Submit(p, 2); f.Fail() }, true},
		"two jobs, one QUEUED": {func(f *storetest.Fixture, p *mintage.Product) {
			f.Submit(p, 2)
			f.Submit(p, 2)
			f.Fail()
		}, false},
		"two jobs, one with units": {func(f *storetest.Fixture, p *mintage.Product) {
			f.Submit(p, 2)
			f.Mint(2)
			f.Submit(p, 2)
			f.Fail()
		}, false},
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		release := func(brand *mintage.Brand, gtin string, p *mintage.Product) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.ReleaseGTIN(ctx, brand.Number, gtin, p.Number) }
		}
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				defer drain(t, db, f) // the next case wants to have the oldest job
				p := f.NewProduct(b)
				test.prepare(f, p)
				want := p.Number
				if test.released {
					want = 0
				}
				write(t, db, release(b, p.GTIN, p))
				same(t, read(t, db, gtinOwner(b.Number, p.GTIN)), want)
			})
		}
		t.Run("claimed, no job yet", func(t *testing.T) {
			p := f.NewProduct(b)
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				if _, err := tx.ClaimGTIN(ctx, b.Number, p.GTIN, p.Number); err != nil {
					return err
				}
				return release(b, p.GTIN, p)(ctx, tx)
			})
			same(t, read(t, db, gtinOwner(b.Number, p.GTIN)), 0)
		})
		t.Run("another product's or brand's", func(t *testing.T) {
			p, foreign := f.NewProduct(b), f.NewProduct(other)
			foreign.GTIN = p.GTIN
			var owner int64
			write(t, db, func(ctx context.Context, tx store.Tx) (err error) {
				if owner, err = tx.ClaimGTIN(ctx, b.Number, p.GTIN, p.Number); err != nil {
					return err
				}
				owner, err = tx.ClaimGTIN(ctx, other.Number, p.GTIN, foreign.Number)
				return err
			})
			same(t, owner, foreign.Number)
			third := f.NewProduct(b)
			unchanged(t, db, func() { write(t, db, release(b, p.GTIN, third)) })
			write(t, db, release(b, p.GTIN, p))
			same(t, read(t, db, gtinOwner(other.Number, p.GTIN)), foreign.Number)
		})
		t.Run("after the product's GTIN was corrected", func(t *testing.T) {
			p := f.NewProduct(b)
			minted := p.GTIN
			f.Submit(p, 1)
			f.Mint(1)
			p.GTIN = f.NewGTIN()
			write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateProduct(ctx, p) })
			f.Submit(p, 1)
			f.Fail()
			for _, gtin := range []string{minted, p.GTIN} {
				write(t, db, release(b, gtin, p))
			}
			same(t, read(t, db, gtinOwner(b.Number, minted)), p.Number) // for ever
			same(t, read(t, db, gtinOwner(b.Number, p.GTIN)), 0)
		})
		t.Run("in the transaction that fails the job", func(t *testing.T) {
			p := f.NewProduct(b)
			f.Submit(p, 1)
			f.Strike("one")
			f.Strike("two")
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				w, err := tx.ClaimJob(ctx)
				if err != nil {
					return err
				}
				if err := release(b, p.GTIN, p)(ctx, tx); err != nil { // too early
					return err
				}
				if owner, err := tx.GTINOwner(ctx, b.Number, p.GTIN); err != nil || owner != p.Number {
					t.Errorf("a live job's GTIN was released: %d, %v", owner, err)
				}
				if err := f.Move(ctx, tx, w, w.Job.Strike("three")); err != nil {
					return err
				}
				return release(b, p.GTIN, p)(ctx, tx)
			})
			same(t, read(t, db, gtinOwner(b.Number, p.GTIN)), 0)
		})
	})
}

package storetest_test

import (
	"bytes"
	"context"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

type logo struct {
	Image     []byte
	MediaType string
}

func logoOf(b *mintage.Brand) func(context.Context, store.Reader) (logo, error) {
	return func(ctx context.Context, r store.Reader) (l logo, err error) {
		l.Image, l.MediaType, err = r.Logo(ctx, b.Number)
		return l, err
	}
}

func putLogo(b *mintage.Brand, l logo) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.PutLogo(ctx, b.Number, l.Image, l.MediaType) }
}

func TestLogo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		notFound(t, db, logoOf(b))
		want := logo{bytes.Repeat([]byte{0, 255, '\'', 10}, 100_000), "image/png"}
		write(t, db, putLogo(b, want))
		for name, s := range map[string]store.Store{
			"owner": db, "app": planes(t, db), "resolver": as(t, db, "mintage_resolver"),
		} {
			t.Run(name, func(t *testing.T) {
				same(t, read(t, s.For(b.Number), logoOf(b)), want)
				notFound(t, s.For(other.Number), logoOf(other))
				if db.Engine() == "postgres" && name != "owner" {
					notFound(t, s.For(other.Number), logoOf(b))
				}
			})
		}
	})
}

func TestPutLogo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		app := planes(t, db).For(b.Number)
		has := func(want bool) {
			t.Helper()
			for _, r := range []store.Transactions{db, app, as(t, db, "mintage_resolver").For(b.Number)} {
				got := read(t, r, func(ctx context.Context, r store.Reader) (*mintage.Brand, error) {
					return r.BrandByNumber(ctx, b.Number)
				})
				same(t, got.HasLogo, want)
			}
			for _, got := range read(t, db, func(ctx context.Context, r store.Reader) ([]*mintage.Brand, error) { return r.Brands(ctx) }) {
				same(t, got.HasLogo, want && got.Number == b.Number)
			}
		}
		has(false)
		unchanged(t, db, func() { write(t, app, putLogo(b, logo{})) }) // there is none to remove
		for _, want := range []logo{{[]byte("first"), "image/png"}, {[]byte("second"), "image/webp"}} {
			write(t, app, putLogo(b, want))
			same(t, read(t, db, logoOf(b)), want)
			has(true)
			notFound(t, db, logoOf(other))
		}
		write(t, app, putLogo(b, logo{}))
		notFound(t, db, logoOf(b))
		has(false)
	})
}

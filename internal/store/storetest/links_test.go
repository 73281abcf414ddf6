package storetest_test

import (
	"context"
	"fmt"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func linksOf(p *mintage.Product) func(context.Context, store.Reader) ([]mintage.Link, error) {
	return func(ctx context.Context, r store.Reader) ([]mintage.Link, error) {
		return r.Links(ctx, p.BrandNumber, p.Number)
	}
}

func putLinks(p *mintage.Product, links ...mintage.Link) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error {
		return tx.PutLinks(ctx, p.BrandNumber, p.Number, links)
	}
}

var fullLink = mintage.Link{
	Type: "gs1:pip", Href: `https://brand.example/{gtin}?a=1&b='"\%`, Title: `Über "alles" 日本`, Language: "de-CH",
	MediaType: "text/html", Context: "eu", Default: true,
}

func TestLinks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		p, other, theirs := f.NewProduct(b), f.NewProduct(b), f.NewProduct(foreign)
		want := []mintage.Link{{Type: "gs1:faqs", Href: "z"}, fullLink, {Type: "gs1:faqs", Href: "a", Language: "en"}}
		write(t, db, putLinks(p, want...))
		write(t, db, putLinks(theirs, fullLink))
		for name, s := range map[string]store.Store{
			"owner": db, "app": planes(t, db), "resolver": as(t, db, "mintage_resolver"),
		} {
			t.Run(name, func(t *testing.T) {
				mine := s.For(b.Number)
				same(t, read(t, mine, linksOf(p)), want)
				same(t, len(read(t, mine, linksOf(other))), 0)
				disguised := copyOf(theirs)
				disguised.BrandNumber = b.Number
				same(t, len(read(t, mine, linksOf(disguised))), 0)
				if db.Engine() == "postgres" && name != "owner" {
					same(t, len(read(t, mine, linksOf(theirs))), 0)
				}
			})
		}
	})
}

func TestPutLinks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		p, theirs := f.NewProduct(b), f.NewProduct(foreign)
		app := planes(t, db).For(b.Number)
		var many []mintage.Link
		for i := range 300 {
			many = append(many, mintage.Link{Type: "gs1:epil", Href: fmt.Sprint(300 - i), Default: i == 7})
		}
		for _, want := range [][]mintage.Link{{fullLink}, many, {{Type: "gs1:pip", Href: "x"}, fullLink}, nil} {
			write(t, app, putLinks(p, want...))
			got := read(t, db, linksOf(p))
			same(t, len(got), len(want))
			if len(want) > 0 {
				same(t, got, want)
			}
		}
		write(t, db, putLinks(theirs, fullLink))
		refused(t, db, mintage.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
			return tx.PutLinks(ctx, b.Number, theirs.Number, nil)
		})
		refused(t, db, mintage.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
			return tx.PutLinks(ctx, b.Number, 999_999, []mintage.Link{fullLink})
		})
		if db.Engine() == "postgres" {
			unchanged(t, db, func() {
				wantCode(t, app.InTx(t.Context(), func(tx store.Tx) error { return putLinks(theirs)(t.Context(), tx) }), mintage.CodeNotFound)
			})
		}
	})
}

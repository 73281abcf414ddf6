package storetest_test

import (
	"context"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// planes opens a database for the role of the API and the web.
func planes(t *testing.T, db *storetest.DB) store.Store {
	t.Helper()
	return as(t, db, "mintage_app")
}

func TestFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p, foreign := f.NewProduct(b), f.NewProduct(other)
		for name, s := range map[string]store.Store{"owner": db, "app": planes(t, db)} {
			t.Run(name, func(t *testing.T) {
				mine := s.For(b.Number)
				byID := func(r store.Reader, p *mintage.Product) (*mintage.Product, error) {
					return r.ProductByID(t.Context(), p.BrandNumber, p.ID)
				}
				err := mine.Read(t.Context(), func(r store.Reader) error {
					got, err := byID(r, p)
					if err != nil {
						return err
					}
					same(t, got, p)
					_, err = r.ProductByID(t.Context(), b.Number, foreign.ID)
					wantCode(t, err, mintage.CodeNotFound)
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				err = mine.InTx(t.Context(), func(tx store.Tx) error {
					return putSchema(b, "of "+name)(t.Context(), tx)
				})
				if err != nil {
					t.Fatal(err)
				}
				unchanged(t, db, func() {
					err := mine.InTx(t.Context(), func(tx store.Tx) error {
						if err := putSchema(b, "rolled back")(t.Context(), tx); err != nil {
							t.Error(err)
						}
						return errRollback
					})
					if err != errRollback { //nolint:errorlint // the very same one
						t.Errorf("got %v", err)
					}
				})
				// The scope ends with the transaction: the next one, of whatever brand
				// and maybe in the same connection, has its own.
				for range 20 {
					for _, pair := range [][2]*mintage.Product{{p, foreign}, {foreign, p}} {
						err := s.For(pair[0].BrandNumber).Read(t.Context(), func(r store.Reader) error {
							_, err := byID(r, pair[0])
							return err
						})
						if err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		}
	})
	t.Run("another brand's rows do not exist", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		foreign := f.NewProduct(other)
		app := db.As(t, "mintage_app")
		f.NewMember(other, f.NewUser(), mintage.RoleOwner)
		f.NewInvitation(other)
		f.NewKey(other)
		newEvent(t, db, f, other)
		// Asked for with the other brand's own number, as a faulty use case would.
		reads := map[string]func(context.Context, store.Reader) (int, error){
			"ProductByID": func(ctx context.Context, r store.Reader) (int, error) {
				_, err := r.ProductByID(ctx, other.Number, foreign.ID)
				if mintage.ErrorCode(err) == mintage.CodeNotFound {
					return 0, nil
				}
				return 1, err
			},
			"Products": func(ctx context.Context, r store.Reader) (int, error) {
				list, err := r.Products(ctx, other.Number, store.ProductFilter{}, store.Page{Limit: 10})
				return len(list), err
			},
			"Products by words": func(ctx context.Context, r store.Reader) (int, error) {
				list, err := r.Products(ctx, other.Number, store.ProductFilter{Search: foreign.SKU}, store.Page{Limit: 10})
				return len(list), err
			},
			"Members": func(ctx context.Context, r store.Reader) (int, error) {
				list, err := r.Members(ctx, other.Number)
				return len(list), err
			},
			"Invitations": func(ctx context.Context, r store.Reader) (int, error) {
				list, err := r.Invitations(ctx, other.Number)
				return len(list), err
			},
			"APIKeys": func(ctx context.Context, r store.Reader) (int, error) {
				list, err := r.APIKeys(ctx, other.Number)
				return len(list), err
			},
			"Events": func(ctx context.Context, r store.Reader) (int, error) {
				list, err := r.Events(ctx, other.Number, store.EventFilter{}, store.Page{Limit: 10})
				return len(list), err
			},
		}
		for name, fn := range reads {
			t.Run(name, func(t *testing.T) {
				for scope, want := range map[int64]int{b.Number: 0, other.Number: 1} {
					var got int
					err := app.For(scope).Read(t.Context(), func(r store.Reader) (err error) {
						got, err = fn(t.Context(), r)
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					same(t, got, want)
				}
				same(t, read(t, app, fn), 0) // without a brand hardly any rows do
			})
		}
		t.Run("nor can they be written", func(t *testing.T) {
			unchanged(t, db, func() {
				for name, s := range map[string]store.Transactions{"another brand": app.For(b.Number), "no brand": app} {
					for what, fn := range map[string]func(context.Context, store.Tx) error{
						"a schema": putSchema(other, "x"),
						"an event": appendEvent(&mintage.Event{BrandNumber: other.Number, At: f.Now(), Kind: mintage.EventBrandUpdated, Actor: "cli", SubjectID: other.ID}),
						"a product": func(ctx context.Context, tx store.Tx) error {
							changed := copyOf(foreign)
							changed.Name = "stolen"
							return tx.UpdateProduct(ctx, changed)
						},
					} {
						if err := s.InTx(t.Context(), func(tx store.Tx) error { return fn(t.Context(), tx) }); err == nil {
							t.Errorf("%s was stored for %s", what, name)
						}
					}
				}
			})
		})
	})
}

func TestRestricted(t *testing.T) {
	restricted := func(t *testing.T, s store.Store) bool {
		t.Helper()
		is, err := s.Restricted(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		same(t, restricted(t, db), false) // the tests' own role is the owner
	})
	t.Run("roles", func(t *testing.T) {
		db := storetest.Open(t, "postgres")
		for group, want := range map[string]bool{"mintage_app": true, "mintage_resolver": true, "mintage_worker": false} {
			same(t, restricted(t, db.As(t, group)), want)
		}
	})
}

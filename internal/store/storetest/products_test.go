package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// fullProduct gives each optional field a value. The attributes must be kept to
// the digit.
func fullProduct(p *mintage.Product) {
	p.Name = `Jacke "O'Neil" 日本 \ %`
	p.SchemaID = "textile"
	p.Attributes = []byte(`{ "weight":1.50, "big":1e400, "b":12345678901234567890, "a":"\u00e9é", "a":{} }`)
}

func TestProductByID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		for _, want := range []*mintage.Product{
			f.NewProduct(b, fullProduct),
			f.NewProduct(b, func(p *mintage.Product) { p.GTIN, p.Status = "", mintage.ProductDraft }),
		} {
			got := read(t, db, func(ctx context.Context, r store.Reader) (*mintage.Product, error) {
				return r.ProductByID(ctx, b.Number, want.ID)
			})
			if string(got.Attributes) != string(want.Attributes) {
				t.Errorf("got the attributes %s, want %s", got.Attributes, want.Attributes)
			}
			same(t, got, want)
		}
		for _, id := range append(malformedIDs(f.NewProduct(b).ID), storetest.NewID(), f.NewProduct(other).ID) {
			notFound(t, db, func(ctx context.Context, r store.Reader) (*mintage.Product, error) {
				return r.ProductByID(ctx, b.Number, id)
			})
		}
	})
}

func TestProductBySKU(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		sku := func(p *mintage.Product) { p.SKU = "Ä 1/'2'" }
		want := f.NewProduct(b, fullProduct, sku)
		f.NewProduct(other, sku)
		bySKU := func(sku string) func(ctx context.Context, r store.Reader) (*mintage.Product, error) {
			return func(ctx context.Context, r store.Reader) (*mintage.Product, error) {
				return r.ProductBySKU(ctx, b.Number, sku)
			}
		}
		same(t, read(t, db, bySKU(want.SKU)), want)
		for _, sku := range append(oddTexts, "ä 1/'2'", want.SKU+" ", f.NewProduct(other).SKU) {
			notFound(t, db, bySKU(sku))
		}
		for _, sku := range unstorable {
			missing(t, db, bySKU(sku))
		}
	})
}

func TestProductByCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		want := f.NewProduct(b, fullProduct, func(p *mintage.Product) { p.Code = "0123ABCD" })
		byCode := func(code string) func(context.Context, store.Reader) (*mintage.Product, error) {
			return func(ctx context.Context, r store.Reader) (*mintage.Product, error) {
				return r.ProductByCode(ctx, b.Number, code)
			}
		}
		same(t, read(t, db, byCode(want.Code)), want)
		for _, code := range append(oddTexts, "0123abcd", "O123ABCD", "0123ABC", f.NewProduct(other).Code) {
			notFound(t, db, byCode(code))
		}
		for _, code := range unstorable {
			missing(t, db, byCode(code))
		}
	})
}

func TestProducts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		var created []*mintage.Product
		for i := range 7 {
			created = append(created, f.NewProduct(b, fullProduct, func(p *mintage.Product) {
				p.Status = mintage.CommercialStatuses[i%3]
				if i%2 == 0 {
					p.GTIN = "09506000134352"
				}
			}))
			f.NewProduct(other, func(p *mintage.Product) { p.GTIN = "09506000134352" })
		}
		list := func(filter store.ProductFilter) func(store.Page) []*mintage.Product {
			return func(page store.Page) []*mintage.Product {
				return read(t, db, func(ctx context.Context, r store.Reader) ([]*mintage.Product, error) {
					return r.Products(ctx, b.Number, filter, page)
				})
			}
		}
		number := func(p *mintage.Product) int64 { return p.Number }
		for limit := 1; limit <= 8; limit++ {
			same(t, mapped(pages(t, limit, number, list(store.ProductFilter{})), number), newestFirst(created, number))
		}
		same(t, list(store.ProductFilter{})(store.Page{Limit: 1})[0], created[6])

		filters := map[string]struct {
			filter store.ProductFilter
			want   []int
		}{
			"SKU":          {store.ProductFilter{SKU: created[3].SKU}, []int{3}},
			"unknown SKU":  {store.ProductFilter{SKU: "none"}, []int{}},
			"GTIN":         {store.ProductFilter{GTIN: "09506000134352"}, []int{6, 4, 2, 0}},
			"status":       {store.ProductFilter{Status: mintage.ProductActive}, []int{4, 1}},
			"all three":    {store.ProductFilter{SKU: created[4].SKU, GTIN: created[4].GTIN, Status: mintage.ProductActive}, []int{4}},
			"contradicted": {store.ProductFilter{SKU: created[4].SKU, Status: mintage.ProductDraft}, []int{}},
		}
		for name, test := range filters {
			t.Run(name, func(t *testing.T) {
				got := mapped(pages(t, 3, number, list(test.filter)), number)
				same(t, got, mapped(test.want, func(i int) int64 { return created[i].Number }))
			})
		}
		t.Run("stable while rows are added", func(t *testing.T) {
			got := pages(t, 2, number, func(page store.Page) []*mintage.Product {
				rows := list(store.ProductFilter{})(page)
				f.NewProduct(b)
				return rows
			})
			same(t, mapped(got, number), newestFirst(created, number))
		})
	})
}

// TestProductsByWords is TestProducts for a search.
func TestProductsByWords(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		named := func(brand *mintage.Brand, sku, name, gtin string) *mintage.Product {
			return f.NewProduct(brand, func(p *mintage.Product) { p.SKU, p.Name, p.GTIN = sku, name, gtin })
		}
		jackets := []*mintage.Product{
			named(b, "JKT-RAIN-S", "Regenjacke für Größe S", "09520124100130"),
			named(b, "JKT-RAIN-M", "Rain jacket, M", "00012345678905"),
			named(b, "JKT-WIND-M", "Wind jacket, M", ""),
		}
		named(other, "JKT-RAIN-M", "Rain jacket, M", "00012345678905")
		search := func(filter store.ProductFilter, page store.Page) string {
			found := read(t, db, func(ctx context.Context, r store.Reader) ([]*mintage.Product, error) {
				return r.Products(ctx, b.Number, filter, page)
			})
			return strings.Join(mapped(found, func(p *mintage.Product) string { return p.SKU }), " ")
		}
		for words, want := range map[string]string{
			"":               "JKT-WIND-M JKT-RAIN-M JKT-RAIN-S",
			" - ":            "JKT-WIND-M JKT-RAIN-M JKT-RAIN-S",
			"jkt":            "JKT-WIND-M JKT-RAIN-M JKT-RAIN-S",
			"ja":             "JKT-WIND-M JKT-RAIN-M",
			"RAIN, jacket":   "JKT-RAIN-M",
			"jacket rain":    "JKT-RAIN-M",
			"jkt-rain":       "JKT-RAIN-M JKT-RAIN-S",
			"grosse":         "JKT-RAIN-S",
			"FÜR":            "JKT-RAIN-S",
			"ain":            "",
			"rain wind":      "",
			"01234":          "JKT-RAIN-M",
			"012345678905":   "JKT-RAIN-M",
			"12345678905":    "JKT-RAIN-M",
			"00012345678905": "JKT-RAIN-M",
			"9520124":        "JKT-RAIN-S",
			"2345":           "",
			"%":              "JKT-WIND-M JKT-RAIN-M JKT-RAIN-S",
			"jkt_rain%' --":  "JKT-RAIN-M JKT-RAIN-S",
			"j\x00kt":        "",
			"\xff wind":      "JKT-WIND-M",
		} {
			if got := search(store.ProductFilter{Search: words}, store.Page{Limit: 10}); got != want {
				t.Errorf("%q finds %q instead of %q", words, got, want)
			}
		}
		same(t, search(store.ProductFilter{Search: "jkt", Status: jackets[0].Status, SKU: "JKT-RAIN-S"}, store.Page{Limit: 10}), "JKT-RAIN-S")
		same(t, search(store.ProductFilter{Search: "m", GTIN: "00012345678905"}, store.Page{Limit: 10}), "JKT-RAIN-M")
		same(t, search(store.ProductFilter{Search: "m"}, store.Page{Limit: 1}), "JKT-WIND-M")
		same(t, search(store.ProductFilter{Search: "m"}, store.Page{Limit: 1, After: jackets[2].Number}), "JKT-RAIN-M")
		same(t, search(store.ProductFilter{Search: "m"}, store.Page{Limit: 1, After: jackets[1].Number}), "")

		// A product is found by what it is called now.
		jackets[1].SKU, jackets[1].Name, jackets[1].GTIN = "COAT-1", "Rain coat", "09520124100130"
		write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateProduct(ctx, jackets[1]) })
		for words, want := range map[string]string{"jkt rain": "JKT-RAIN-S", "coat": "COAT-1", "rain": "COAT-1 JKT-RAIN-S", "123": "", "952": "COAT-1 JKT-RAIN-S"} {
			if got := search(store.ProductFilter{Search: words}, store.Page{Limit: 10}); got != want {
				t.Errorf("%q finds %q instead of %q after a change", words, got, want)
			}
		}
		// As much as a product can have.
		long := named(b, strings.Repeat("é", 100), strings.Repeat("x1 y2 ", 50), "")
		same(t, search(store.ProductFilter{Search: strings.Repeat("E", 90)}, store.Page{Limit: 10}), long.SKU)
	})
}

func TestCreateProduct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		first := f.NewProduct(b)
		if second := f.NewProduct(b); first.Number < 1 || second.Number <= first.Number {
			t.Fatalf("the numbers %d and %d do not ascend", first.Number, second.Number)
		}
		f.NewProduct(other, func(p *mintage.Product) { p.SKU, p.GTIN = first.SKU, first.GTIN }) // another brand's SKU is free
		f.NewProduct(b, func(p *mintage.Product) { p.GTIN = first.GTIN })                       // a GTIN is claimed by minting only
		tests := map[string]func(*mintage.Product){
			"SKU":  func(p *mintage.Product) { p.SKU = first.SKU },
			"ID":   func(p *mintage.Product) { p.ID = first.ID },
			"code": func(p *mintage.Product) { p.Code = first.Code },
			"code of another brand's product": func(p *mintage.Product) {
				p.BrandNumber, p.Code = other.Number, first.Code
			},
		}
		for name, edit := range tests {
			t.Run(name+" taken", func(t *testing.T) {
				p := copyOf(first)
				p.Number, p.ID, p.Code, p.SKU = 0, storetest.NewID(), serial.NewProductCode(), "free"
				edit(p)
				refused(t, db, mintage.CodeConflict, func(ctx context.Context, tx store.Tx) error { return tx.CreateProduct(ctx, p) })
			})
		}
	})
}

func TestUpdateProduct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p, second := f.NewProduct(b), f.NewProduct(b)
		update := func(p *mintage.Product) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.UpdateProduct(ctx, p) }
		}
		for _, edit := range []func(*mintage.Product){
			func(p *mintage.Product) {
				fullProduct(p)
				p.SKU, p.GTIN, p.Status, p.UpdatedAt = "renamed", f.NewGTIN(), mintage.ProductDiscontinued, p.UpdatedAt.Add(time.Second)
			},
			func(p *mintage.Product) { p.GTIN, p.SchemaID, p.Attributes = "", "", []byte(`{}`) },
		} {
			edit(p)
			write(t, db, update(p))
			got := read(t, db, func(ctx context.Context, r store.Reader) (*mintage.Product, error) {
				return r.ProductByID(ctx, b.Number, p.ID)
			})
			same(t, got, p)
		}
		t.Run("what never changes", func(t *testing.T) {
			changed := copyOf(p)
			changed.Code, changed.CreatedAt = "00000000", f.Now().Add(time.Hour)
			unchanged(t, db, func() { write(t, db, update(changed)) })
		})
		t.Run("SKU taken", func(t *testing.T) {
			thief := copyOf(p)
			thief.SKU = second.SKU
			refused(t, db, mintage.CodeConflict, update(thief))
		})
		t.Run("unknown", func(t *testing.T) {
			unknown := copyOf(p)
			unknown.Number, unknown.ID = 999, storetest.NewID()
			refused(t, db, mintage.CodeNotFound, update(unknown))
		})
		t.Run("of another brand", func(t *testing.T) {
			foreign := copyOf(p)
			foreign.BrandNumber, foreign.Name = other.Number, "Stolen"
			refused(t, db, mintage.CodeNotFound, update(foreign))
		})
	})
}

func TestLockProduct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p := f.NewProduct(b, fullProduct)
		lock := func(ctx context.Context, tx store.Tx) error {
			got, err := tx.LockProduct(ctx, b.Number, p.ID)
			if err == nil {
				same(t, got, p)
			}
			return err
		}
		write(t, db, lock)
		for _, id := range append(malformedIDs(p.ID), storetest.NewID(), f.NewProduct(other).ID) {
			refused(t, db, mintage.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				_, err := tx.LockProduct(ctx, b.Number, id)
				return err
			})
		}
		blocked := map[string]func(ctx context.Context, tx store.Tx) error{
			"lock":   lock,
			"update": func(ctx context.Context, tx store.Tx) error { return tx.UpdateProduct(ctx, p) },
			"reserve": func(ctx context.Context, tx store.Tx) error {
				_, err := tx.ReserveOrdinals(ctx, p.Number, 1)
				return err
			},
		}
		for name, second := range blocked {
			t.Run("keeps from "+name, func(t *testing.T) {
				ctx := t.Context()
				first := hold(t, db, lock)
				done := started(func() error { return db.InTx(ctx, func(tx store.Tx) error { return second(ctx, tx) }) })
				db.AwaitBlocked(t, 1)
				empty(t, done, "the second transaction has passed the lock")
				first.commit(t)
				if err := receive(t, done, "the second transaction"); err != nil {
					t.Fatal(err)
				}
			})
		}
		t.Run("sees what the one before it has written", func(t *testing.T) {
			ctx := t.Context()
			changed := copyOf(p)
			changed.Name = "Changed"
			first := hold(t, db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateProduct(ctx, changed) })
			var got *mintage.Product
			done := started(func() error {
				return db.InTx(ctx, func(tx store.Tx) (err error) {
					got, err = tx.LockProduct(ctx, b.Number, p.ID)
					return err
				})
			})
			db.AwaitBlocked(t, 1)
			first.commit(t)
			if err := receive(t, done, "the lock"); err != nil {
				t.Fatal(err)
			}
			same(t, got, changed)
		})
	})
}

func TestPutSchema(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		for _, document := range []string{`{"$id":"v1", "n":1.50}`, `{ "$id":"v2" }`} {
			for _, brand := range []*mintage.Brand{b, other} {
				s := &store.Schema{ID: "textile", Document: fmt.Appendf(nil, "%s %d", document, brand.Number)}
				write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.PutSchema(ctx, brand.Number, s) })
				got := read(t, db, func(ctx context.Context, r store.Reader) (*store.Schema, error) {
					return r.SchemaByID(ctx, brand.Number, "textile")
				})
				same(t, got, s)
			}
		}
	})
}

func TestSchemaByID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		want := &store.Schema{ID: "a/ß 'x'", Document: []byte(`{ "b": 1.0, "a": "é" }`)}
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			if err := tx.PutSchema(ctx, other.Number, &store.Schema{ID: "foreign", Document: []byte(`{}`)}); err != nil {
				return err
			}
			return tx.PutSchema(ctx, b.Number, want)
		})
		byID := func(id string) func(ctx context.Context, r store.Reader) (*store.Schema, error) {
			return func(ctx context.Context, r store.Reader) (*store.Schema, error) {
				return r.SchemaByID(ctx, b.Number, id)
			}
		}
		same(t, read(t, db, byID(want.ID)), want)
		for _, id := range append(oddTexts, "A/ß 'x'", "foreign") {
			notFound(t, db, byID(id))
		}
		for _, id := range unstorable {
			missing(t, db, byID(id))
		}
	})
}

func TestSchemas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		list := func() []string {
			schemas := read(t, db, func(ctx context.Context, r store.Reader) ([]*store.Schema, error) { return r.Schemas(ctx, b.Number) })
			return mapped(schemas, func(s *store.Schema) string { return s.ID + " " + string(s.Document) })
		}
		same(t, list(), []string{})
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			for _, id := range []string{"b", "a", "B", "é", "10", "9"} {
				if err := tx.PutSchema(ctx, b.Number, &store.Schema{ID: id, Document: []byte("{}")}); err != nil {
					return err
				}
			}
			return tx.PutSchema(ctx, other.Number, &store.Schema{ID: "c", Document: []byte("{}")})
		})
		// The contract names no order; it is the same on both engines: bytewise.
		same(t, list(), []string{"10 {}", "9 {}", "B {}", "a {}", "b {}", "é {}"})
	})
}

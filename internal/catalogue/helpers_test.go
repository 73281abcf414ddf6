package catalogue

import (
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// world is a database with one brand that asks.
type world struct {
	*storetest.Fixture
	db      *storetest.DB
	service *Service
	brand   *mintage.Brand
	p       mintage.Principal
	clock   *storetest.Clock
}

func newWorld(t testing.TB, db *storetest.DB) *world {
	t.Helper()
	clock := storetest.NewClock(time.Date(2027, time.March, 1, 8, 0, 0, 123_456_789, time.UTC))
	w := &world{Fixture: storetest.NewFixture(t, db), db: db, service: New(db, clock.Now), clock: clock}
	w.brand = w.NewBrand()
	w.p = principal(w.brand)
	return w
}

func principal(b *mintage.Brand) mintage.Principal {
	return mintage.Principal{BrandNumber: b.Number, Role: mintage.RoleOperator, Actor: "key:test"}
}

// each runs fn on both databases.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *storetest.DB) { fn(t, newWorld(t, db)) })
}

// events returns the brand's events, oldest first.
func (w *world) events(t testing.TB) []*mintage.Event {
	t.Helper()
	var events []*mintage.Event
	err := w.db.Read(t.Context(), func(r store.Reader) error {
		for after := int64(0); ; {
			page, err := r.Events(t.Context(), w.brand.Number, store.EventFilter{}, store.Page{After: after, Limit: 1000})
			if err != nil || len(page) == 0 {
				return err
			}
			events = append(events, page...)
			after = page[len(page)-1].Number
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events
}

// unchanged fails where fn changes anything in the database.
func (w *world) unchanged(t testing.TB, fn func()) {
	t.Helper()
	before := storetest.Snapshot(t, w.db)
	fn()
	if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
		t.Errorf("the database changed:\n%s", changes)
	}
}

func (w *world) importProducts(t testing.TB, file string) (Summary, []Row) {
	t.Helper()
	var rows []Row
	summary, err := w.service.ImportProducts(t.Context(), w.p, strings.NewReader(file), collect(&rows))
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return summary, rows
}

func (w *world) importProductionBatches(t testing.TB, file string) (Summary, []Row) {
	t.Helper()
	var rows []Row
	summary, err := w.service.ImportProductionBatches(t.Context(), w.p, strings.NewReader(file), collect(&rows))
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return summary, rows
}

func collect(rows *[]Row) func(Row) error {
	return func(r Row) error {
		*rows = append(*rows, r)
		return nil
	}
}

func (w *world) productBySKU(t testing.TB, sku string) *mintage.Product {
	t.Helper()
	products, err := w.service.Products(t.Context(), w.p, store.ProductFilter{SKU: sku}, store.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(products) != 1 {
		t.Fatalf("%d products have the SKU %q, want 1", len(products), sku)
	}
	return products[0]
}

// allProducts lists the catalogue without what differs from import to import.
func (w *world) allProducts(t testing.TB, p mintage.Principal) map[string]mintage.Product {
	t.Helper()
	all := map[string]mintage.Product{}
	for after := int64(0); ; {
		page, err := w.service.Products(t.Context(), p, store.ProductFilter{}, store.Page{After: after, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		for _, product := range page {
			after = product.Number
			all[product.SKU] = mintage.Product{
				SKU: product.SKU, Name: product.Name, GTIN: product.GTIN, Status: product.Status,
				SchemaID: product.SchemaID, Attributes: product.Attributes,
			}
		}
	}
}

func wantError(t testing.TB, err error, code mintage.Code, field string) {
	t.Helper()
	if mintage.ErrorCode(err) != code {
		t.Fatalf("error is %v, want %s", err, code)
	}
	e, ok := err.(*mintage.Error) //nolint:errorlint // the service returns it unwrapped
	if !ok {
		t.Fatalf("error is a %T, want a *mintage.Error", err)
	}
	if e.Field != field {
		t.Errorf("field is %q, want %q", e.Field, field)
	}
}

// wantEvents compares the brand's events, written as
// "kind subject from→to message", and checks what all of them share.
func wantEvents(t testing.TB, w *world, want ...string) {
	t.Helper()
	var got []string
	for _, e := range w.events(t) {
		text := string(e.Kind) + " " + e.SubjectID
		if e.From != "" || e.To != "" {
			text += " " + e.From + "→" + e.To
		}
		if e.Message != "" {
			text += " " + e.Message
		}
		got = append(got, text)
		if e.Actor != w.p.Actor || !e.At.Equal(w.service.time()) {
			t.Errorf("%s is by %s at %s", text, e.Actor, e.At)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the events are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func submission(pb *mintage.ProductionBatch, product *mintage.Product, quantity int64) storetest.Submission {
	return storetest.Submission{Product: product, Quantity: quantity, Production: pb}
}

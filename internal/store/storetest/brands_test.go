package storetest_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestBrandByNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		f.NewBrand()
		want := f.NewBrand(fullBrand)
		got := read(t, db, func(ctx context.Context, r store.Reader) (*mintage.Brand, error) {
			return r.BrandByNumber(ctx, want.Number)
		})
		same(t, got, want)
		for _, number := range []int64{0, -1, want.Number + 1} {
			notFound(t, db, func(ctx context.Context, r store.Reader) (*mintage.Brand, error) {
				return r.BrandByNumber(ctx, number)
			})
		}
	})
}

func TestBrandByID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		want := f.NewBrand(fullBrand)
		f.NewBrand()
		got := read(t, db, func(ctx context.Context, r store.Reader) (*mintage.Brand, error) {
			return r.BrandByID(ctx, want.ID)
		})
		same(t, got, want)
		for _, id := range append(malformedIDs(want.ID), storetest.NewID()) {
			notFound(t, db, func(ctx context.Context, r store.Reader) (*mintage.Brand, error) {
				return r.BrandByID(ctx, id)
			})
		}
	})
}

func TestBrands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		list := func() []*mintage.Brand {
			return read(t, db, func(ctx context.Context, r store.Reader) ([]*mintage.Brand, error) { return r.Brands(ctx) })
		}
		if got := list(); len(got) != 0 {
			t.Fatalf("a new database has %d brands", len(got))
		}
		f := storetest.NewFixture(t, db)
		want := []*mintage.Brand{f.NewBrand(), f.NewBrand(fullBrand), f.NewBrand()}
		same(t, list(), want)
	})
}

func TestCreateBrand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		first := f.NewBrand(fullBrand)
		second := f.NewBrand()
		if first.Number < 1 || second.Number <= first.Number {
			t.Fatalf("the numbers %d and %d do not ascend", first.Number, second.Number)
		}
		tests := map[string]func(*mintage.Brand){
			"ID taken":            func(b *mintage.Brand) { b.ID = first.ID },
			"base of another":     func(b *mintage.Brand) { b.ResolverBase = first.ResolverBase },
			"everything of other": func(b *mintage.Brand) { *b = *first },
		}
		for name, edit := range tests {
			t.Run(name, func(t *testing.T) {
				b := &mintage.Brand{ID: storetest.NewID(), Name: "B", ResolverBase: "https://free.example", SealedKey: []byte("k"), CreatedAt: f.Now()}
				b.SetDefaults()
				edit(b)
				refused(t, db, mintage.CodeConflict, func(ctx context.Context, tx store.Tx) error { return tx.CreateBrand(ctx, b) })
			})
		}
		t.Run("base once used by another", func(t *testing.T) {
			old := first.ResolverBase
			first.ResolverBase = "https://new.example"
			write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateBrand(ctx, first) })
			b := &mintage.Brand{ID: storetest.NewID(), Name: "B", ResolverBase: old, SealedKey: []byte("k"), CreatedAt: f.Now()}
			b.SetDefaults()
			refused(t, db, mintage.CodeConflict, func(ctx context.Context, tx store.Tx) error { return tx.CreateBrand(ctx, b) })
		})
	})
}

func TestUpdateBrand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		original := copyOf(b)
		current := func(t *testing.T) *mintage.Brand {
			t.Helper()
			return read(t, db, func(ctx context.Context, r store.Reader) (*mintage.Brand, error) {
				return r.BrandByNumber(ctx, b.Number)
			})
		}
		update := func(b *mintage.Brand) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { return tx.UpdateBrand(ctx, b) }
		}

		fullBrand(b)
		b.ResolverBase = "https://second.example/p"
		write(t, planes(t, db).For(b.Number), update(b))
		same(t, current(t), b)

		t.Run("what never changes", func(t *testing.T) {
			changed := copyOf(b)
			changed.SealedKey, changed.CreatedAt = []byte("another"), f.Now().Add(time.Hour)
			changed.HasLogo = true
			unchanged(t, db, func() { write(t, db, update(changed)) })
		})
		t.Run("unknown", func(t *testing.T) {
			unknown := copyOf(b)
			unknown.Number, unknown.ID = 999, storetest.NewID()
			unknown.ResolverBase = "https://unknown.example"
			refused(t, db, mintage.CodeNotFound, update(unknown))
		})
		t.Run("base of another brand, present or former", func(t *testing.T) {
			former := other.ResolverBase
			other.ResolverBase = "https://other.example"
			write(t, db, update(other))
			for _, base := range []string{former, other.ResolverBase} {
				thief := copyOf(b)
				thief.Name, thief.ResolverBase = "Thief", base
				refused(t, db, mintage.CodeConflict, update(thief))
			}
		})
		t.Run("back to a base of its own", func(t *testing.T) {
			b.ResolverBase = original.ResolverBase
			write(t, db, update(b))
			same(t, current(t), b)
		})
		t.Run("two brands at once for one base", func(t *testing.T) {
			b, other := copyOf(b), copyOf(other)
			b.ResolverBase, other.ResolverBase = "https://contested.example", "https://contested.example"
			first := hold(t, db, update(b))
			second := started(func() error {
				return db.InTx(t.Context(), func(tx store.Tx) error { return tx.UpdateBrand(t.Context(), other) })
			})
			db.AwaitBlocked(t, 1)
			first.commit(t)
			wantCode(t, receive(t, second, "the second brand's turn"), mintage.CodeConflict)
		})
	})
}

// fullBrand gives each field a value that is not its zero.
func fullBrand(b *mintage.Brand) {
	b.Name = `Åse "O'Neil" 日本 \ %`
	b.GS1Required = true
	b.OverIssuePercent = 100
	b.LotFromProductionBatch = !b.LotFromProductionBatch
	b.AdminsSubmit = true
	b.TapToActivate = true
	b.DefaultIdentityMode = mintage.IdentityBatch
	b.DefaultActivationMode = mintage.FirstScan
	b.CycleSize = 1
	b.AccentColour = "#00ff7F"
}

func TestBasesOf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(func(b *mintage.Brand) { b.ResolverBase = "https://b.example" }), f.NewBrand()
		bases := func(brand int64) []string {
			return append([]string{}, read(t, db, func(ctx context.Context, r store.Reader) ([]string, error) { return r.BasesOf(ctx, brand) })...)
		}
		for _, base := range []string{"https://a.example", "https://B.example", "https://b.example"} { // no order of a language
			b.ResolverBase = base
			write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateBrand(ctx, b) })
		}
		same(t, bases(b.Number), []string{"https://B.example", "https://a.example", "https://b.example"})
		same(t, bases(other.Number), []string{other.ResolverBase})
		same(t, bases(999_999), []string{})
	})
}

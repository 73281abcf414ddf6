package storetest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestBases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		numbers := make(map[string]int64)
		for _, base := range []string{
			"https://id.example", "https://id.example/a", "https://id.example/b/c", "https://id.example:8443", "https://id.example.evil",
			"https://id-example", "https://id.exampl", "https://x.id.example", "https://[2001:db8::1]:1/p", "http://localhost:8080/p", "https://localhost:8080",
		} {
			numbers[base] = f.NewBrand(func(b *mintage.Brand) { b.ResolverBase = base }).Number
		}
		b := f.NewBrand(func(b *mintage.Brand) { b.ResolverBase = "https://id.example/old" })
		numbers["https://id.example/old"] = b.Number
		b.ResolverBase = "https://new.example"
		write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateBrand(ctx, b) })
		tests := map[string][]string{
			"id.example":         {"https://id.example", "https://id.example/a", "https://id.example/b/c", "https://id.example/old"},
			"id.example:8443":    {"https://id.example:8443"},
			"id.example.evil":    {"https://id.example.evil"},
			"[2001:db8::1]:1":    {"https://[2001:db8::1]:1/p"},
			"localhost:8080":     {"http://localhost:8080/p", "https://localhost:8080"},
			"new.example":        {"https://new.example"},
			"":                   nil,
			"%":                  nil,
			"id_example":         nil,
			"unknown.example":    nil,
			"https://id.example": nil,
		}
		for name, s := range map[string]store.Store{"owner": db, "resolver": as(t, db, "mintage_resolver")} {
			for host, want := range tests {
				t.Run(name+" "+host, func(t *testing.T) {
					got := read(t, s, func(ctx context.Context, r store.Reader) ([]store.BaseRow, error) { return r.Bases(ctx, host) })
					slices.SortFunc(got, func(a, b store.BaseRow) int { return strings.Compare(a.Base, b.Base) })
					same(t, mapped(got, func(r store.BaseRow) string { return r.Base }), append([]string{}, want...))
					for _, row := range got {
						if n, known := numbers[row.Base]; known {
							same(t, row.BrandNumber, n)
						} else {
							same(t, row.BrandNumber, b.Number)
						}
					}
				})
			}
		}
	})
}

func TestProductByGTIN(t *testing.T) {
	byGTIN := func(brand int64, gtin string) func(context.Context, store.Reader) (*mintage.Product, error) {
		return func(ctx context.Context, r store.Reader) (*mintage.Product, error) {
			return r.ProductByGTIN(ctx, brand, gtin)
		}
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		gtin := f.NewGTIN()
		with := func(gtin string) func(*mintage.Product) { return func(p *mintage.Product) { p.GTIN = gtin } }
		first := f.NewProduct(b, with(gtin))
		second := f.NewProduct(b, with(gtin))
		theirs := f.NewProduct(other, with(gtin))
		resolver := as(t, db, "mintage_resolver")
		find := func(b *mintage.Brand, gtin string) *mintage.Product {
			t.Helper()
			p := read(t, db, byGTIN(b.Number, gtin))
			same(t, read(t, resolver.For(b.Number), byGTIN(b.Number, gtin)), p)
			return p
		}
		same(t, find(b, gtin), first) // nobody's yet: the oldest that has it
		same(t, find(other, gtin), theirs)
		f.Submit(second, 5)
		same(t, find(b, gtin), second)

		// It keeps resolving after it is corrected, and also where another product has it then.
		second.GTIN = f.NewGTIN()
		write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.UpdateProduct(ctx, second) })
		same(t, find(b, gtin), second)
		same(t, find(b, second.GTIN), second)
		if db.Engine() == "postgres" {
			notFound(t, resolver.For(b.Number), byGTIN(other.Number, gtin))
		}

		notFound(t, db, byGTIN(b.Number, f.NewGTIN()))
		notFound(t, db, byGTIN(999_999, gtin))
		for _, odd := range append(oddTexts, unstorable...) {
			missing(t, db, byGTIN(b.Number, odd))
		}
	})
}

func TestLotsByCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		p, other, theirs := f.NewProduct(b), f.NewProduct(b), f.NewProduct(foreign)
		lot := func(code string) mintage.LotRequest { return mintage.LotRequest{LotCode: code, Quantity: 3} }
		works := []*store.Work{ // newest last
			f.Submit(p, 6, lot("A"), lot(`B/1"%`)),
			f.Submit(p, 3),
			f.Submit(p, 6, lot("C"), lot("A")),
			f.Submit(p, 3, lot("A")),
		}
		f.Submit(other, 3, lot("A"))
		f.Submit(theirs, 3, lot("A"))
		for name, s := range map[string]store.Store{
			"owner": db, "app": planes(t, db), "resolver": as(t, db, "mintage_resolver"),
		} {
			t.Run(name, func(t *testing.T) {
				find := func(brand, product int64, code string, limit int) []*mintage.Batch {
					t.Helper()
					return read(t, s.For(b.Number), func(ctx context.Context, r store.Reader) ([]*mintage.Batch, error) {
						return r.LotsByCode(ctx, brand, product, code, limit)
					})
				}
				batches := func(works ...*store.Work) []*mintage.Batch { return mapped(works, batchAlone) }
				all := []*store.Work{works[3], works[2], works[0]}
				same(t, find(b.Number, p.Number, "A", 10), batches(all...))
				same(t, find(b.Number, p.Number, "A", 3), batches(all...))
				same(t, find(b.Number, p.Number, "A", 2), batches(all[:2]...))
				same(t, find(b.Number, p.Number, `B/1"%`, 10), batches(works[0]))
				for _, code := range []string{"", "a", "%", "D"} {
					same(t, len(find(b.Number, p.Number, code, 10)), 0)
				}
				same(t, len(find(b.Number, theirs.Number, "A", 10)), 0)
				if db.Engine() == "postgres" && name != "owner" {
					same(t, len(find(foreign.Number, theirs.Number, "A", 10)), 0)
				}
			})
		}
	})
}

// batchAlone is a work's batch as a resolver reads it: without what its job says.
func batchAlone(w *store.Work) *mintage.Batch {
	b := w.Batch
	b.JobID, b.Status = "", ""
	return &b
}

func TestBatchByOrdinal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, foreign := f.NewBrand(), f.NewBrand()
		full := workOf(t, db, fullWork(f, b))
		p := &mintage.Product{Number: full.Batch.ProductNumber}
		theirs := f.Submit(f.NewProduct(foreign), 5)
		next := full.Batch.FirstOrdinal + full.Batch.RequestedQuantity
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.ReserveOrdinals(ctx, p.Number, 10) // a hole before the next batch
			return err
		})
		second := f.NewWork(b, &mintage.Product{Number: p.Number, ID: full.Batch.ProductID, Code: full.Batch.ProductCode}, storetest.Submission{Quantity: 3}, next+10)
		write(t, db, func(ctx context.Context, tx store.Tx) error { return tx.CreateJob(ctx, &second.Job, &second.Batch) })
		for name, s := range map[string]store.Store{
			"owner": db, "app": planes(t, db), "resolver": as(t, db, "mintage_resolver"),
		} {
			t.Run(name, func(t *testing.T) {
				find := func(product, ordinal int64) func(context.Context, store.Reader) (*mintage.Batch, error) {
					return func(ctx context.Context, r store.Reader) (*mintage.Batch, error) {
						return r.BatchByOrdinal(ctx, b.Number, product, ordinal)
					}
				}
				mine := s.For(b.Number)
				for _, w := range []*store.Work{full, second} {
					for _, ordinal := range []int64{w.Batch.FirstOrdinal, w.Batch.FirstOrdinal + w.Batch.RequestedQuantity - 1} {
						same(t, read(t, mine, find(p.Number, ordinal)), batchAlone(w))
					}
				}
				for _, ordinal := range []int64{-1, next, next + 9, next + 13, mintage.MaxProductUnits - 1} {
					notFound(t, mine, find(p.Number, ordinal))
				}
				notFound(t, mine, find(theirs.Batch.ProductNumber, 0))
				notFound(t, mine, find(999_999, 0))
			})
		}
	})
}

// changesAfter lists them without a brand, as a resolver does.
func changesAfter(t testing.TB, s store.Store, after int64, limit int) []store.Change {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) ([]store.Change, error) { return r.Changes(ctx, after, limit) })
}

func TestChanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b, other := f.NewBrand(), f.NewBrand()
		p, theirs := f.NewProduct(b), f.NewProduct(other)
		f.Submit(p, 10)
		f.Submit(theirs, 10)
		batch, second := f.Mint(10).Batch, f.Mint(10).Batch
		f.Activate(&batch, 1, 2)
		resolver := as(t, db, "mintage_resolver")
		if all := changesAfter(t, resolver, 0, 100); len(all) != 0 {
			t.Fatalf("minting and activating are changes: %v", all)
		}
		var want []store.Change
		event := func(kind mintage.EventKind, subject string, brand, product int64) {
			e := &mintage.Event{BrandNumber: brand, At: f.Now(), Kind: kind, Actor: "cli", SubjectID: subject}
			write(t, db, appendEvent(e))
			want = append(want, store.Change{Number: e.Number, BrandNumber: brand, ProductNumber: product, Ordinal: -1})
		}
		event(mintage.EventBrandCreated, b.ID, b.Number, 0)
		event(mintage.EventProductCreated, p.ID, b.Number, p.Number)
		f.Revoke(&batch, "r", 2)
		want = append(want, store.Change{BrandNumber: b.Number, ProductNumber: p.Number, Ordinal: 2})
		event(mintage.EventProductUpdated, theirs.ID, other.Number, theirs.Number)
		event(mintage.EventLinksChanged, p.ID, b.Number, p.Number)
		f.Revoke(&second, "r", 0, 9)
		want = append(want,
			store.Change{BrandNumber: other.Number, ProductNumber: theirs.Number, Ordinal: 0},
			store.Change{BrandNumber: other.Number, ProductNumber: theirs.Number, Ordinal: 9})
		f.Recall(&batch, nil, "r")
		want = append(want, store.Change{BrandNumber: b.Number, ProductNumber: p.Number, Ordinal: -1})
		event(mintage.EventBrandUpdated, other.ID, other.Number, 0)
		event(mintage.EventLogoChanged, b.ID, b.Number, 0)
		event(mintage.EventSchemaStored, p.ID, b.Number, 0) // a schema may be called anything
		f.Activate(&batch, 3)
		write(t, db, appendEvent(&mintage.Event{BrandNumber: b.Number, At: f.Now(), Kind: mintage.EventKeyCreated, Actor: "cli", SubjectID: "k"}))

		all := changesAfter(t, db, 0, 100)
		same(t, len(all), len(want))
		for i := range want {
			if want[i].Number == 0 {
				want[i].Number = all[i].Number
			}
			if i > 0 && all[i].Number <= all[i-1].Number {
				t.Fatalf("change %d follows %d", all[i].Number, all[i-1].Number)
			}
		}
		same(t, all, want)
		for _, s := range []store.Store{db, resolver} {
			for limit := 1; limit <= len(want)+1; limit++ {
				var got []store.Change
				for after := int64(0); ; {
					some := changesAfter(t, s, after, limit)
					if len(some) > limit {
						t.Fatalf("%d changes, asked for %d", len(some), limit)
					}
					if len(some) == 0 {
						break
					}
					got, after = append(got, some...), some[len(some)-1].Number
				}
				same(t, got, want)
			}
		}

		t.Run("a late commit is seen from the horizon on", func(t *testing.T) {
			reaches(t, resolver, newEvent(t, db, f, other))
			before := horizon(t, resolver)
			late := hold(t, db, func(ctx context.Context, tx store.Tx) error {
				_, err := f.RevokeIn(ctx, tx, &batch, "late", batch.FirstOrdinal+4)
				return err
			})
			if db.Engine() == "postgres" { // on SQLite, where all writers are one, nobody overtakes
				for i := range int64(3) { // of another product: those of one may wait for each other
					f.Revoke(&second, "r", second.FirstOrdinal+5+i)
				}
				some := changesAfter(t, resolver, before, 100)
				same(t, mapped(some, func(c store.Change) int64 { return c.Ordinal }), []int64{5, 6, 7})
				if n := horizon(t, resolver); n < before || n >= some[0].Number {
					t.Fatalf("the horizon went from %d to %d, while an event below %d is yet to come", before, n, some[0].Number)
				}
			}
			from := horizon(t, resolver)
			late.commit(t)
			some := changesAfter(t, resolver, from, 100)
			if !slices.ContainsFunc(some, func(c store.Change) bool { return c.Ordinal == 4 }) {
				t.Fatalf("the late change is not in %v", some)
			}
		})
		t.Run("read again and again, none is missed", func(t *testing.T) {
			const writers, each = 4, 12
			batch := minted(f, b, writers*each)
			seen := make(map[int64]bool)
			reaches(t, resolver, newEvent(t, db, f, other))
			from := horizon(t, resolver)
			// Each time from the horizon that was known before the last time it was read.
			poll := func() {
				next := horizon(t, resolver)
				for _, c := range changesAfter(t, resolver, from, 10_000) {
					if c.ProductNumber == batch.ProductNumber {
						seen[c.Ordinal] = true
					}
				}
				from = next
			}
			done := started(func() error {
				return together(writers, func(w int) error {
					for i := range each {
						err := db.InTx(t.Context(), func(tx store.Tx) error {
							_, err := f.RevokeIn(t.Context(), tx, batch, fmt.Sprint(w), batch.FirstOrdinal+int64(w*each+i))
							return err
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
			})
			for running := true; running; {
				poll()
				select {
				case err := <-done:
					if running = false; err != nil {
						t.Fatal(err)
					}
				default:
				}
			}
			poll()
			same(t, len(seen), writers*each)
		})
	})
}

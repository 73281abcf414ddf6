package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/audit"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// trail is a database with the events of a few brands.
type trail struct {
	t      testing.TB
	db     *storetest.DB
	raw    *sql.DB
	brands []*mintage.Brand
	events [][]int64 // of each brand
	sealer *audit.Sealer
}

func newTrail(t testing.TB, db *storetest.DB, brands int) *trail {
	t.Helper()
	tr := &trail{t: t, db: db, raw: db.Raw(t), sealer: newSealer(db, nil)}
	tr.newBrands(brands)
	return tr
}

// newBrands lets the trail be about brands that have no events yet.
func (tr *trail) newBrands(n int) {
	tr.t.Helper()
	tr.brands, tr.events = nil, make([][]int64, n)
	f := storetest.NewFixture(tr.t, tr.db)
	for range n {
		tr.brands = append(tr.brands, f.NewBrand(func(b *mintage.Brand) { b.ResolverBase = "https://" + b.ID + ".example" }))
	}
}

// newSealer returns a sealer that logs into log, if it is not nil.
func newSealer(s store.Store, log *bytes.Buffer) *audit.Sealer {
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	return audit.NewSealer(s, time.Now, logger)
}

// newEvent is one that has something in every column.
func newEvent(brand int64) *mintage.Event {
	return &mintage.Event{
		BrandNumber: brand, At: time.Now().UTC().Truncate(time.Microsecond), Kind: mintage.EventProductUpdated, Actor: "key:k",
		Origin:    mintage.Origin{AddressClass: mintage.AddressPublic, RequestID: "request"},
		SubjectID: "subject", BatchNumber: 3, ProductNumber: 4, FirstOrdinal: 0, Quantity: 5, From: "a", To: "b", Message: "message",
	}
}

// add commits n events of a brand, in one transaction.
func (tr *trail) add(brand, n int) {
	tr.t.Helper()
	err := tr.db.InTx(tr.t.Context(), func(tx store.Tx) error {
		for range n {
			e := newEvent(tr.brands[brand].Number)
			if err := tx.AppendEvent(tr.t.Context(), e); err != nil {
				return err
			}
			tr.events[brand] = append(tr.events[brand], e.Number)
		}
		return nil
	})
	if err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *trail) seal() {
	tr.t.Helper()
	if err := tr.sealer.RunOnce(tr.t.Context()); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *trail) execute(statement string, args ...any) {
	tr.t.Helper()
	if _, err := tr.raw.ExecContext(tr.t.Context(), statement, args...); err != nil {
		tr.t.Fatalf("%s: %v", statement, err)
	}
}

// numbers runs a query for a column of numbers.
func (tr *trail) numbers(query string) (numbers []int64) {
	tr.t.Helper()
	rows, err := tr.raw.QueryContext(tr.t.Context(), query)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			tr.t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	if err := rows.Err(); err != nil {
		tr.t.Fatal(err)
	}
	return numbers
}

// seals reads a brand's whole chain.
func (tr *trail) seals(brand int) (seals []*mintage.Seal) {
	tr.t.Helper()
	err := tr.db.Read(tr.t.Context(), func(r store.Reader) (err error) {
		seals, err = r.Seals(tr.t.Context(), tr.brands[brand].Number, 0, 10_000)
		return err
	})
	if err != nil {
		tr.t.Fatal(err)
	}
	return seals
}

// sizes are how many events each block of a brand has, such as "3 2".
func (tr *trail) sizes(brand int) string {
	tr.t.Helper()
	var sizes []string
	for _, s := range tr.seals(brand) {
		sizes = append(sizes, fmt.Sprint(len(s.Digests)/audit.EntrySize))
	}
	return strings.Join(sizes, " ")
}

// mustBeSealed fails unless each event of a brand stands in its blocks exactly
// once, by itself and as the verifier sees it.
func (tr *trail) mustBeSealed(brand int) {
	tr.t.Helper()
	number := tr.brands[brand].Number
	want := tr.numbers(fmt.Sprintf("SELECT number FROM events WHERE brand_number = %d ORDER BY number", number))
	var got []int64
	for _, s := range tr.seals(brand) {
		for d := s.Digests; len(d) > 0; d = d[audit.EntrySize:] {
			got = append(got, int64(binary.BigEndian.Uint64(d)))
		}
	}
	if !slices.Equal(got, want) {
		tr.t.Fatalf("sealed are %d events, there are %d:\n%v\n%v", len(got), len(want), got, want)
	}
	c := tr.verify(tr.brands[brand].ID, nil).Brands[0]
	if !c.OK || c.Events != int64(len(want)) || c.UnsealedEvents != 0 || !c.UnsealedSince.IsZero() {
		tr.t.Fatalf("%+v", c)
	}
}

func (tr *trail) verify(brandID string, saved *audit.Heads) *audit.Report {
	tr.t.Helper()
	report, err := audit.Verify(tr.t.Context(), tr.db, brandID, saved, tail())
	if err != nil {
		tr.t.Fatal(err)
	}
	return report
}

func (tr *trail) export() *audit.Heads {
	tr.t.Helper()
	heads, err := audit.Export(tr.t.Context(), tr.db, "", tail())
	if err != nil {
		tr.t.Fatal(err)
	}
	return heads
}

// faulty is a store whose sealing can be made to fail.
type faulty struct {
	store.Store
	before func() error // a block is appended
	after  func() error // the commit
}

func (f *faulty) InTx(ctx context.Context, fn func(store.Tx) error) error {
	err := f.Store.InTx(ctx, func(tx store.Tx) error { return fn(&faultyTx{tx, f}) })
	if err == nil && f.after != nil {
		return f.after()
	}
	return err
}

type faultyTx struct {
	store.Tx
	f *faulty
}

func (tx *faultyTx) AppendSeal(ctx context.Context, s *mintage.Seal) error {
	if tx.f.before != nil {
		if err := tx.f.before(); err != nil {
			return err
		}
	}
	return tx.Tx.AppendSeal(ctx, s)
}

// tail bears what a slow machine leaves unsealed for a while.
func tail() audit.Tail { return audit.Tail{Now: time.Now().UTC(), Max: time.Hour} }

package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// open opens a database with further parameters in its URL.
func open(t testing.TB, base string, opts postgres.Options, parameters ...string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), with(t, base, parameters...), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// with adds parameters, as names and values, to a URL.
func with(t testing.TB, base string, parameters ...string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for pair := range slices.Chunk(parameters, 2) {
		query.Set(pair[0], pair[1])
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// connect opens a plain connection.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func value[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code mintage.Code) {
	t.Helper()
	if got := mintage.ErrorCode(err); got != code {
		t.Errorf("the error is %v, want code %q", err, code)
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// PgBouncer decides which of these a user may have.
func TestEveryExecMode(t *testing.T) {
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			db := storetest.Open(t, "postgres")
			s := open(t, db.URL, postgres.Options{}, "default_query_exec_mode", mode)
			testMode(t, s)
		})
	}
}

// testMode sends every statement once, with the values that are hard to send.
func testMode(t *testing.T, s *postgres.Store) {
	ctx := t.Context()
	f := storetest.NewFixture(t, s)
	brand := f.NewBrand(func(b *mintage.Brand) { b.Name = `it's "a" \ {brand}, 名` })
	plain := f.NewProduct(brand, func(p *mintage.Product) { p.GTIN, p.SchemaID, p.Attributes = "", "s", []byte(`{"a": 1.50}`) })
	product := f.NewProduct(brand)
	production := f.NewProductionBatch(product, 100)
	key := &mintage.APIKey{ID: "k", BrandNumber: brand.Number, Role: mintage.RoleAdmin, Hash: []byte{0, 1, 255}, CreatedAt: f.Now(), ExpiresAt: f.Now()}
	schema := &store.Schema{ID: "s", Document: []byte(`{"type": "object"}`)}
	must(t, s.InTx(ctx, func(tx store.Tx) error {
		plain.Name, brand.OverIssuePercent, production.Quantity = `\'`, 7, 1000
		brand.ResolverBase += "/new"
		return errors.Join(tx.UpdateProduct(ctx, plain), tx.UpdateBrand(ctx, brand), tx.UpdateProductionBatch(ctx, production),
			tx.CreateAPIKey(ctx, key), tx.PutSchema(ctx, brand.Number, schema), tx.PutSchema(ctx, brand.Number, schema))
	}))
	submission := storetest.Submission{
		Product: product, Quantity: 50, Production: production, Key: `key's "1"\`,
		Lots: []mintage.LotRequest{{LotCode: `L,"1"`, Quantity: 20}, {LotCode: `%'\}`, Quantity: 30}},
	}
	first := f.SubmitRequest(submission)
	if again := f.SubmitRequest(submission); again.Job.ID != first.Job.ID {
		t.Error("the key was not recognised")
	}
	f.Mint(30)
	f.Strike("it's \\ broken")
	f.Mint(10)
	second := f.Submit(plain, 5)

	must(t, s.Read(ctx, func(r store.Reader) error {
		if now, err := r.Now(ctx); err != nil || now.Location() != time.UTC || time.Since(now).Abs() > time.Minute {
			t.Errorf("Now: %v, %v", now, err)
		}
		check(t, "BrandByID", brand)(r.BrandByID(ctx, brand.ID))
		check(t, "BrandByNumber", brand)(r.BrandByNumber(ctx, brand.Number))
		check(t, "Brands", []*mintage.Brand{brand})(r.Brands(ctx))
		check(t, "APIKey", key)(r.APIKey(ctx, "k"))
		check(t, "ProductByID", plain)(r.ProductByID(ctx, brand.Number, plain.ID))
		check(t, "ProductBySKU", plain)(r.ProductBySKU(ctx, brand.Number, plain.SKU))
		check(t, "ProductByCode", product)(r.ProductByCode(ctx, brand.Number, product.Code))
		check(t, "Products", []*mintage.Product{product})(r.Products(ctx, brand.Number,
			store.ProductFilter{SKU: product.SKU, GTIN: product.GTIN, Status: product.Status}, store.Page{Limit: 2}))
		check(t, "GTINOwner", product.Number)(r.GTINOwner(ctx, brand.Number, product.GTIN))
		check(t, "GTINOwner", int64(0))(r.GTINOwner(ctx, brand.Number, "nobody's"))
		check(t, "SchemaByID", schema)(r.SchemaByID(ctx, brand.Number, "s"))
		check(t, "Schemas", []*store.Schema{schema})(r.Schemas(ctx, brand.Number))

		production.Committed = 50
		check(t, "ProductionBatchByID", production)(r.ProductionBatchByID(ctx, brand.Number, production.ID))
		check(t, "ProductionBatchByCode", production)(r.ProductionBatchByCode(ctx, brand.Number, production.Code))
		check(t, "ProductionBatches", []*mintage.ProductionBatch{production})(
			r.ProductionBatches(ctx, brand.Number, product.Number, store.Page{Limit: 1}))

		first, err := r.WorkByJobID(ctx, brand.Number, first.Job.ID)
		if err != nil {
			return err
		}
		if first.Batch.MintedQuantity != 40 || len(first.Batch.Lots) != 2 || first.Batch.Lots[1].Code != `%'\}` ||
			first.Job.LastError != "it's \\ broken" || first.Job.ConsecutiveErrors != 0 || first.Job.StartedAt.IsZero() {
			t.Errorf("WorkByJobID: %+v", first)
		}
		check(t, "WorkByBatchID", first)(r.WorkByBatchID(ctx, brand.Number, first.Batch.ID))
		check(t, "WorkByOrdinal", first)(r.WorkByOrdinal(ctx, brand.Number, product.Number, 49))
		check(t, "WorkByBatchID", second)(r.WorkByBatchID(ctx, brand.Number, second.Batch.ID))
		check(t, "Works", []*store.Work{second, first})(r.Works(ctx, brand.Number, store.JobFilter{}, store.Page{Limit: 9}))
		check(t, "Works", []*store.Work{first})(r.Works(ctx, brand.Number, store.JobFilter{
			Statuses: []mintage.JobStatus{mintage.JobProcessing, mintage.JobFailed}, Product: product.Number, ProductionBatch: production.Number,
		}, store.Page{After: second.Job.Number, Limit: 9}))
		check(t, "NextDue", time.Duration(-1000))(r.NextDue(ctx))

		units := 0
		err = r.EachUnit(ctx, product.Number, 5, 39, func(ordinal int64, code serial.Code) error {
			units++
			check(t, "UnitCode", code)(r.UnitCode(ctx, product.Number, ordinal))
			return nil
		})
		if units != 34 {
			t.Errorf("EachUnit: %d units", units)
		}
		cycles, err2 := r.Cycles(ctx, product.Number, 29, 31)
		if len(cycles) != 2 || cycles[0].Quantity != 30 || cycles[1].First != 30 || cycles[1].At.IsZero() {
			t.Errorf("Cycles: %+v", cycles)
		}
		events, err3 := r.Events(ctx, brand.Number, store.EventFilter{Batch: first.Batch.Number, Kind: mintage.EventBatchCycle, Actor: storetest.Actor}, store.Page{Limit: 1})
		if len(events) != 1 || events[0].FirstOrdinal != 30 || events[0].Quantity != 10 || events[0].JobID != first.Job.ID {
			t.Errorf("Events: %+v", events)
		}
		return errors.Join(err, err2, err3)
	}))

	// What leads to the end of a job, and what is refused on the way.
	must(t, s.InTx(ctx, func(tx store.Tx) error {
		w, err := tx.ClaimJob(ctx)
		if err != nil {
			return err
		}
		w.Job.Strike("once")
		return tx.RecordStrike(ctx, &w.Job, time.Hour)
	}))
	must(t, s.Read(ctx, func(r store.Reader) error {
		due, err := r.NextDue(ctx)
		if due < 59*time.Minute || due > time.Hour {
			t.Errorf("NextDue: %v", due)
		}
		return err
	}))
	if w := f.Fail(); w.Job.ID != second.Job.ID || w.Job.Status != mintage.JobFailed {
		t.Errorf("failed: %+v", w.Job)
	}
	must(t, s.InTx(ctx, func(tx store.Tx) error {
		if w, err := tx.ClaimJob(ctx); w != nil || err != nil {
			t.Errorf("claimed %+v, %v", w, err)
		}
		if _, err := tx.LockProductionBatch(ctx, brand.Number, production.ID); err != nil {
			return err
		}
		err := tx.Savepoint(ctx, func() error {
			return tx.InsertUnits(ctx, first.Batch.Number, 40, store.Slice{Product: product.Number, First: 39, Codes: make([]serial.Code, 2)})
		})
		wantCode(t, err, mintage.CodeConflict)
		return tx.ReleaseGTIN(ctx, brand.Number, product.GTIN, product.Number)
	}))
	must(t, s.Read(ctx, func(r store.Reader) error {
		check(t, "GTINOwner after a release in vain", product.Number)(r.GTINOwner(ctx, brand.Number, product.GTIN))
		return nil
	}))
	ended, err := s.EndHungWorkers(ctx, time.Hour)
	if len(ended) != 0 || err != nil {
		t.Errorf("EndHungWorkers: %v, %v", ended, err)
	}
	testModeOfPeople(t, s, f, brand)
	must(t, s.Ping(ctx))
}

// check compares the results of a call.
func check[T any](t testing.TB, what string, want T) func(T, error) {
	t.Helper()
	return func(got T, err error) {
		t.Helper()
		must(t, err)
		equal(t, what, got, want)
	}
}

func TestURLIsNeverShown(t *testing.T) {
	base := pgtest.URL(t)
	for name, u := range map[string]string{
		"malformed":         "postgres://me:s3cret@host:port with spaces/db",
		"not a URL":         "user=me password='s3cret",
		"unknown parameter": "postgres://me:s3cret@/db?sslmode=perhaps",
		"nobody listens":    "postgres://me:s3cret@/db?sslmode=disable&port=1&host=" + t.TempDir(),
		"no such database":  strings.Replace(with(t, base, "password", "s3cret"), "/postgres?", "/nowhere?", 1),
	} {
		_, err := postgres.Open(t.Context(), u, postgres.Options{})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
		_, err = postgres.Open(t.Context(), base, postgres.Options{DirectURL: u})
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// newProduct creates a product of a new brand.
func newProduct(t testing.TB, s store.Store) *mintage.Product {
	t.Helper()
	f := storetest.NewFixture(t, s)
	return f.NewProduct(f.NewBrand())
}

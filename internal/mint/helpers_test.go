package mint_test

import (
	"context"
	"database/sql"
	"log/slog"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// world is a database with one brand, and the use cases on it.
type world struct {
	*storetest.Fixture
	t       testing.TB
	db      *storetest.DB
	keys    *mint.Keyring
	service *mint.Service
	brand   *mintage.Brand
	p       mintage.Principal
}

func newWorld(t testing.TB, db *storetest.DB, edit ...func(*mintage.Brand)) *world {
	t.Helper()
	f := storetest.NewFixture(t, db)
	keys := mint.NewKeyring(f.MasterKey)
	w := &world{Fixture: f, t: t, db: db, keys: keys, service: mint.New(db, keys, f.Now), brand: f.NewBrand(edit...)}
	w.p = mintage.Principal{BrandNumber: w.brand.Number, Role: mintage.RoleOwner, Actor: "key:test"}
	return w
}

// each runs a test once per engine, in a world of its own.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *storetest.DB) { fn(t, newWorld(t, db)) })
}

// eachWithClock is each with a clock of the database that the test moves.
func eachWithClock(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	storetest.EachWithClock(t, func(t *testing.T, db *storetest.DB) { fn(t, newWorld(t, db)) })
}

func request(p *mintage.Product, quantity int64) *mintage.MintRequest {
	return &mintage.MintRequest{
		ProductID: p.ID, RequestedQuantity: quantity,
		IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
	}
}

// submit submits a request that must be accepted.
func (w *world) submit(req *mintage.MintRequest) *mint.Submission {
	w.t.Helper()
	sub, err := w.service.Submit(w.t.Context(), w.p, req, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return sub
}

func (w *world) work(s *mint.Submission) *store.Work {
	w.t.Helper()
	got, err := w.service.Job(w.t.Context(), w.p, s.JobID)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// engine returns an engine on s that polls and waits so briefly that tests need
// no clock for it.
func (w *world) engine(s store.Store, edit ...func(*mint.Options)) *mint.Engine {
	o := mint.Options{
		Poll: 5 * time.Millisecond, Pause: time.Millisecond,
		Waits: [2]time.Duration{time.Millisecond, time.Millisecond}, Now: w.Now, Actor: "worker:test",
	}
	for _, e := range edit {
		e(&o)
	}
	return mint.NewEngine(s, w.keys, o)
}

// run runs engines until the jobs are final, and stops them.
func (w *world) run(jobs []*mint.Submission, engines ...*mint.Engine) {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan struct{}, len(engines))
	for _, e := range engines {
		go func() { e.Run(ctx); done <- struct{}{} }()
	}
	for _, s := range jobs {
		storetest.Eventually(w.t, "the job ends", func() bool { return w.work(s).Job.Status.Final() })
	}
	stop()
	for range engines {
		<-done
	}
}

// query reads one number past the store.
func (w *world) query(query string, args ...any) int64 {
	w.t.Helper()
	raw := w.db.Raw(w.t)
	defer raw.Close()
	var n sql.NullInt64
	if err := raw.QueryRowContext(w.t.Context(), query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n.Int64
}

// units counts the rows of a batch's range.
func (w *world) units(b *mintage.Batch) int64 {
	w.t.Helper()
	return w.query("SELECT count(*) FROM units WHERE product_number = $1 AND ordinal >= $2 AND ordinal < $3",
		b.ProductNumber, b.FirstOrdinal, b.FirstOrdinal+b.RequestedQuantity)
}

// exact asserts what must hold of every batch at every commit.
func (w *world) exact() {
	w.t.Helper()
	list, err := w.service.List(w.t.Context(), w.p, mint.Filter{}, store.Page{Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	total := int64(0)
	for _, each := range list {
		if n := w.units(&each.Batch); n != each.Batch.MintedQuantity {
			w.t.Errorf("batch %s counts %d units and has %d", each.Batch.ID, each.Batch.MintedQuantity, n)
		}
		total += each.Batch.MintedQuantity
	}
	if n := w.query("SELECT count(*) FROM units"); n != total {
		w.t.Errorf("%d units exist, the batches count %d", n, total)
	}
	if n := w.query("SELECT count(DISTINCT resolver_url) FROM units_v"); n != total {
		w.t.Errorf("%d different URLs, %d units", n, total)
	}
}

// discard is a log that nobody reads.
var discard = slog.New(slog.DiscardHandler)

func code(t testing.TB, err error, want mintage.Code) {
	t.Helper()
	if mintage.ErrorCode(err) != want {
		t.Fatalf("got %v, want the code %q", err, want)
	}
}

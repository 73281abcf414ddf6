package resolver_test

import (
	"context"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"mintage"
	"mintage/internal/edge"
	"mintage/internal/gs1"
	"mintage/internal/mint"
	"mintage/internal/resolver"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// beside starts another resolver for the same site, as another process would, and
// returns the site as that one shows it.
func (s *site) beside(t *testing.T, db store.Store, edit ...func(*resolver.Options)) *site {
	t.Helper()
	o := resolver.Options{Store: db, Keys: s.keys, Misses: 1e6}
	for _, e := range edit {
		e(&o)
	}
	r := resolver.New(o)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	t.Cleanup(func() { // after the server is closed
		cancel()
		<-ended
	})
	return s.serving(t, r)
}

// serving returns the site as a resolver shows it.
func (s *site) serving(t *testing.T, r *resolver.Resolver) *site {
	t.Helper()
	server := httptest.NewServer(edge.New(edge.Options{Public: true})(r))
	t.Cleanup(server.Close)
	other := *s
	other.address = server.Listener.Addr().String()
	return &other
}

// unitID is the public identifier of the unit that a target names.
func unitID(p *mintage.Product, target string) string {
	return p.Code + "-" + codeIn(target)
}

func codeIn(target string) string { return target[len(target)-serial.Length:] }

// submit asks for units without minting them, and returns where they will be.
func (s *site) submit(t *testing.T, req *mintage.MintRequest) *mint.Submission {
	t.Helper()
	submitted, err := s.mint.Submit(t.Context(), s.p, req, "")
	if err != nil {
		t.Fatal(err)
	}
	return submitted
}

// targets are the URLs of the first n ordinals of a product, without the base, minted or
// not.
func (s *site) targets(t *testing.T, p *mintage.Product, lot string, n uint64) (targets []string) {
	t.Helper()
	var cipher *serial.Cipher
	err := s.db.Read(t.Context(), func(r store.Reader) (err error) {
		cipher, err = s.keys.Cipher(t.Context(), r, s.p.BrandNumber, p.Code)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	id := gs1.Identity{GTIN: gs1.GTIN(p.GTIN), ProductCode: p.Code, Lot: lot, Serialised: true}
	for ordinal := range n {
		targets = append(targets, id.URL(cipher.Encrypt(ordinal).String()))
	}
	return targets
}

// faulty is a store with faults that a test switches on.
type faulty struct {
	store.Store

	noHorizon atomic.Bool  // polls fail
	noReads   atomic.Bool  // and everything else that reads
	reads     atomic.Int64 // of a brand
	large     atomic.Bool  // transactions of more than one activation fail
}

func down() error { return mintage.Errorf(mintage.CodeUnavailable, "The database is away.") }

func (f *faulty) EventHorizon(ctx context.Context) (int64, error) {
	if f.noHorizon.Load() || f.noReads.Load() {
		return 0, down()
	}
	return f.Store.EventHorizon(ctx)
}

func (f *faulty) Read(ctx context.Context, fn func(store.Reader) error) error {
	if f.noReads.Load() {
		return down()
	}
	return f.Store.Read(ctx, fn)
}

func (f *faulty) Watch(ctx context.Context, fn func(store.Reader) error) error {
	if f.noReads.Load() {
		return down()
	}
	return f.Store.Watch(ctx, fn)
}

func (f *faulty) For(brand int64) store.Transactions { return &faultyOf{f.Store.For(brand), f} }

type faultyOf struct {
	store.Transactions

	f *faulty
}

func (f *faultyOf) Read(ctx context.Context, fn func(store.Reader) error) error {
	if f.f.noReads.Load() {
		return down()
	}
	f.f.reads.Add(1)
	return f.Transactions.Read(ctx, fn)
}

func (f *faultyOf) InTx(ctx context.Context, fn func(store.Tx) error) error {
	if f.f.noReads.Load() {
		return down()
	}
	return f.Transactions.InTx(ctx, func(tx store.Tx) error {
		return fn(&faultyTx{tx, f.f})
	})
}

type faultyTx struct {
	store.Tx

	f *faulty
}

func (f *faultyTx) ActivateUnits(ctx context.Context, units []mintage.UnitState) ([]bool, error) {
	if f.f.large.Load() && len(units) > 1 {
		return nil, mintage.Errorf(mintage.CodeConflict, "One of the units spoils the transaction.")
	}
	return f.Tx.ActivateUnits(ctx, units)
}

// firstScan asks for units that wait for their first scan.
func firstScan(p *mintage.Product, n int64, lots ...mintage.LotRequest) *mintage.MintRequest {
	return &mintage.MintRequest{
		ProductID: p.ID, RequestedQuantity: n, IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.FirstScan, Lots: lots,
	}
}

// engine works as another process does.
func (s *site) engine(db store.Store, cycle int) *mint.Engine {
	return mint.NewEngine(db, s.keys, mint.Options{Actor: "worker:elsewhere", CycleSize: cycle})
}

// rows counts rows, past the store.
func (s *site) rows(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	raw := s.db.Raw(t)
	defer raw.Close()
	if err := raw.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// activations counts what was written when units of a product became active.
func (s *site) activations(t *testing.T, p *mintage.Product) (states, events int64) {
	t.Helper()
	return s.rows(t, `SELECT count(*) FROM unit_states WHERE product_number = $1 AND status = 'active'`, p.Number),
		s.rows(t, `SELECT count(*) FROM events WHERE product_number = $1 AND kind = 'unit.transition' AND to_state = 'active'`, p.Number)
}

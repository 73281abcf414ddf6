package postgres_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

// world is a database with two brands that have the same of everything, and a store
// and a URL for each login role.
type world struct {
	*storetest.DB
	pgtest.Logins
	app, worker, resolver *postgres.Store
	brands                [2]place
	minting               *storetest.Fixture // with the worker's role
}

// place is what a brand has.
type place struct {
	brand      *mintage.Brand
	product    *mintage.Product
	production *mintage.ProductionBatch
	work       *store.Work
	key        *mintage.APIKey
	invitation *mintage.Invitation
	user       *mintage.User
}

// brandStore is a store whose transactions are one brand's, once there is one.
type brandStore struct {
	store.Store
	brand int64
}

func (s *brandStore) InTx(ctx context.Context, fn func(store.Tx) error) error {
	if s.brand == 0 {
		return s.Store.InTx(ctx, fn)
	}
	return s.For(s.brand).InTx(ctx, fn)
}

// newWorld fills a database as the planes would: what the app writes is written by
// the app's role, and so on.
func newWorld(t *testing.T) *world {
	t.Helper()
	db := storetest.Open(t, "postgres")
	w := &world{DB: db, Logins: pgtest.Roles(t, db.URL)}
	w.app = open(t, w.App, postgres.Options{})
	w.worker = open(t, w.Worker, postgres.Options{EveryBrand: true})
	w.resolver = open(t, w.Resolver, postgres.Options{})
	must(t, w.worker.Ping(t.Context()))
	w.minting = storetest.NewFixture(t, w.worker)
	var brands []*mintage.Brand // before anybody can sign in: the app may create them
	for i := range w.brands {
		f := storetest.NewFixture(t, w.app)
		f.MasterKey = w.minting.MasterKey
		brands = append(brands, f.NewBrand(func(b *mintage.Brand) { b.ResolverBase = "https://id.example/" + string(rune('a'+i)) }))
	}
	for i := range w.brands {
		s := &brandStore{Store: w.app}
		f := storetest.NewFixture(t, s)
		f.MasterKey = w.minting.MasterKey
		w.brands[i] = newPlace(t, s, f, brands[i])
		w.minting.Mint(30)
		w.minting.Mint(20)
		w.live(t, w.brands[i])
	}
	must(t, storetest.RollUp(t.Context(), w.worker, 1000))
	sealAll(t, w.worker)
	return w
}

// live scans, activates, revokes and recalls units of a place, with the roles that do.
func (w *world) live(t *testing.T, p place) {
	t.Helper()
	ctx, n, b := t.Context(), p.brand.Number, &p.work.Batch
	public := storetest.NewFixture(t, &brandStore{w.resolver, n})
	people := storetest.NewFixture(t, &brandStore{w.app, n})
	equal(t, "activated", public.Activate(b, 0, 1, 0), []bool{true, true, false})
	equal(t, "revoked", people.Revoke(b, "stolen", 1, 2), []bool{true, true})
	equal(t, "activated after that", public.Activate(b, 2, 3), []bool{false, true})
	people.Recall(b, nil, "burns")
	must(t, w.resolver.For(n).InTx(ctx, func(tx store.Tx) error {
		return tx.AppendScans(ctx, []mintage.Scan{
			{ProductNumber: p.product.Number, Ordinal: 1, At: public.Now(), Network: "203.0.113.0/24", Agent: mintage.AgentPhone, Outcome: mintage.ScanActivated},
			{ProductNumber: p.product.Number, Ordinal: -1, At: public.Now(), Network: "203.0.113.0/24", Agent: mintage.AgentRobot, Outcome: mintage.ScanLot},
		})
	}))
	must(t, w.app.For(n).InTx(ctx, func(tx store.Tx) error {
		must(t, tx.PutLogo(ctx, n, []byte{1}, "image/png"))
		p.brand.HasLogo = true
		return tx.PutLinks(ctx, n, p.product.Number, []mintage.Link{{Type: "gs1:pip", Href: "https://example.com/", Default: true}})
	}))
}

func newPlace(t *testing.T, s *brandStore, f *storetest.Fixture, b *mintage.Brand) place {
	t.Helper()
	ctx, at := t.Context(), f.Now()
	s.brand = b.Number
	p := place{brand: b}
	p.product = f.NewProduct(b)
	p.production = f.NewProductionBatch(p.product, 100)
	p.key = &mintage.APIKey{ID: "key" + b.ID, BrandNumber: b.Number, Role: mintage.RoleAdmin, Hash: []byte{1}, CreatedAt: at, Label: "l"}
	p.user = &mintage.User{ID: storetest.NewID(), Email: b.ID + "@example.com", Name: "N", PasswordHash: "h", CreatedAt: at}
	must(t, s.InTx(ctx, func(tx store.Tx) error {
		must(t, tx.CreateAPIKey(ctx, p.key))
		must(t, tx.PutSchema(ctx, b.Number, &store.Schema{ID: "s", Document: []byte(`{}`)}))
		must(t, tx.CreateUser(ctx, p.user))
		return tx.PutMember(ctx, &mintage.Member{BrandNumber: b.Number, UserID: p.user.ID, Role: mintage.RoleOwner, CreatedAt: at})
	}))
	p.work = f.SubmitRequest(storetest.Submission{
		Product: p.product, Quantity: 50, Production: p.production, Key: "same",
		Lots: []mintage.LotRequest{{LotCode: "L", Quantity: 50}},
	})
	p.invitation = f.NewInvitation(b)
	return p
}

// sealAll seals what there is, one block a brand.
func sealAll(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	upTo, err := s.EventHorizon(ctx)
	must(t, err)
	must(t, s.InTx(ctx, func(tx store.Tx) error {
		if got, err := tx.LockSeals(ctx); err != nil || !got {
			t.Fatalf("the lock of seals: %v, %v", got, err)
		}
		brands, err := tx.UnsealedBrands(ctx, upTo, 10)
		if err != nil {
			return err
		}
		for _, b := range brands {
			events, err := tx.EventsBetween(ctx, b, 0, upTo, 1000)
			if err != nil {
				return err
			}
			last := slices.MaxFunc(events, func(a, b *mintage.Event) int { return int(a.Number - b.Number) })
			err = tx.AppendSeal(ctx, &mintage.Seal{BrandNumber: b, Number: 1, LastEvent: last.Number, Digests: []byte{1}, Hash: []byte{2}, SealedAt: time.Now()})
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// relation is a table or view that a role may read, and its column with the brand,
// "" where it has none.
type relation struct{ name, brand string }

// readable lists what a role may read, in whole or in part, from the catalogue.
func readable(t *testing.T, url string) (all []relation) {
	t.Helper()
	rows, err := connect(t, url).Query(t.Context(), `
		SELECT c.relname, coalesce((
			SELECT attname FROM pg_attribute a
			WHERE a.attrelid = c.oid AND (attname = 'brand_number' OR attname = 'number' AND c.relname = 'brands')
		), '')
		FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
			AND has_any_column_privilege(c.oid, 'SELECT')
		ORDER BY c.relname`)
	must(t, err)
	for rows.Next() {
		var r relation
		must(t, rows.Scan(&r.name, &r.brand))
		if !slices.Contains([]string{"goose_db_version", "installation", "roll_up"}, r.name) { // no brand's
			all = append(all, r)
		}
	}
	must(t, rows.Err())
	if len(all) < 5 {
		t.Fatalf("the role may read %v only", all)
	}
	return all
}

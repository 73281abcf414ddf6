package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
)

// Every statement of a plane once, with its own role. What newWorld does is left
// out.
func TestAppPlane(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p, other := w.brands[0], w.brands[1]
	n, b := p.brand.Number, &p.work.Batch
	must(t, w.app.Ping(ctx))
	check(t, "restricted", true)(w.app.Restricted(ctx))

	must(t, w.app.For(n).Read(ctx, func(r store.Reader) error {
		check(t, "BrandByNumber", p.brand)(r.BrandByNumber(ctx, n))
		check(t, "BrandByID", p.brand)(r.BrandByID(ctx, p.brand.ID))
		check(t, "ProductBySKU", p.product)(r.ProductBySKU(ctx, n, p.product.SKU))
		check(t, "GTINOwner", p.product.Number)(r.GTINOwner(ctx, n, p.product.GTIN))
		members, err := r.Members(ctx, n)
		if err != nil || len(members) != 1 || members[0].Email != p.user.Email || members[0].BrandID != p.brand.ID {
			t.Errorf("Members: %+v, %v", members, err)
		}
		keys, err := r.APIKeys(ctx, n)
		if err != nil || len(keys) != 1 || keys[0].Label != "l" {
			t.Errorf("APIKeys: %+v, %v", keys, err)
		}
		works, err := r.Works(ctx, n, store.JobFilter{Product: p.product.Number}, store.Page{Limit: 10})
		if err != nil || len(works) != 1 || len(works[0].Batch.Lots) != 1 || works[0].Batch.MintedQuantity != 50 {
			t.Errorf("Works: %+v, %v", works, err)
		}
		production, err := r.ProductionBatchByID(ctx, n, p.production.ID)
		if err != nil || production.Committed != 50 {
			t.Errorf("ProductionBatchByID: %+v, %v", production, err)
		}
		units := 0
		must(t, r.EachUnit(ctx, b.ProductNumber, 5, 100, func(ordinal int64, code serial.Code) error {
			units++
			check(t, "UnitCode", code)(r.UnitCode(ctx, b.ProductNumber, ordinal))
			return nil
		}))
		cycles, err := r.Cycles(ctx, b.ProductNumber, 0, 100)
		if units != 45 || len(cycles) != 2 || err != nil {
			t.Errorf("%d units, %d cycles, %v", units, len(cycles), err)
		}
		events, err := r.Events(ctx, n, store.EventFilter{Batch: b.Number, Kind: mintage.EventBatchCycle, From: p.brand.CreatedAt}, store.Page{Limit: 10})
		if err != nil || len(events) != 2 || events[0].JobID != p.work.Job.ID {
			t.Errorf("Events: %+v, %v", events, err)
		}
		counts, err := r.LotCounts(ctx, n, b.Number)
		if err != nil || len(counts) != 1 || counts[0].Revoked != 50 {
			t.Errorf("LotCounts: %+v, %v", counts, err)
		}
		days, err := r.DailyCounts(ctx, n, p.brand.CreatedAt)
		if err != nil || len(days) == 0 {
			t.Errorf("DailyCounts: %+v, %v", days, err)
		}
		totals, err := r.Totals(ctx, n)
		if err != nil || totals.Revoked != 50 {
			t.Errorf("Totals: %+v, %v", totals, err)
		}
		steps, err := r.JobSteps(ctx, n, b.Number)
		if err != nil || len(steps) == 0 {
			t.Errorf("JobSteps: %+v, %v", steps, err)
		}
		notable, err := r.Events(ctx, n, store.EventFilter{Notable: true}, store.Page{Limit: 10})
		if err != nil || len(notable) == 0 {
			t.Errorf("notable events: %+v, %v", notable, err)
		}
		states, err := r.UnitStates(ctx, b.ProductNumber, 1, 2)
		if err != nil || len(states) != 2 || states[1].Reason != "stolen" {
			t.Errorf("UnitStates: %+v, %v", states, err)
		}
		recalls, err := r.Recalls(ctx, n, b.ProductNumber)
		if err != nil || len(recalls) != 1 {
			t.Errorf("Recalls: %+v, %v", recalls, err)
		}
		scans, err := r.Scans(ctx, b.ProductNumber, 1, 10)
		if err != nil || len(scans) != 1 {
			t.Errorf("Scans: %+v, %v", scans, err)
		}
		check(t, "ScanNetworks", int64(1))(r.ScanNetworks(ctx, b.ProductNumber, 1, p.brand.CreatedAt))
		seal, err := r.LastSeal(ctx, n)
		if err != nil || seal.BrandNumber != n {
			t.Errorf("LastSeal: %+v, %v", seal, err)
		}
		return nil
	}))

	now := time.Now().UTC().Truncate(time.Microsecond)
	must(t, w.app.For(n).InTx(ctx, func(tx store.Tx) error {
		p.product.Name, p.production.Quantity, p.brand.Name, p.key.RevokedAt = "new", 500, "new", now
		must(t, errors.Join(tx.UpdateProduct(ctx, p.product), tx.UpdateProductionBatch(ctx, p.production), tx.UpdateBrand(ctx, p.brand),
			tx.UpdateAPIKey(ctx, p.key), tx.TouchAPIKey(ctx, n, p.key.ID, now)))
		must(t, tx.PutSchema(ctx, n, &store.Schema{ID: "s", Document: []byte(`{"type": "object"}`)}))
		must(t, second(tx.LockMembers(ctx, n)))
		must(t, tx.PutMember(ctx, &mintage.Member{BrandNumber: n, UserID: other.user.ID, Role: mintage.RoleViewer, CreatedAt: now}))
		must(t, tx.PutMember(ctx, &mintage.Member{BrandNumber: n, UserID: other.user.ID, Role: mintage.RoleAdmin, CreatedAt: now}))
		must(t, tx.RemoveMember(ctx, n, other.user.ID))
		check(t, "Invitations", []*mintage.Invitation{p.invitation})(tx.Invitations(ctx, n))
		invitation := *p.invitation
		invitation.ID, invitation.Hash = storetest.NewID(), []byte{9}
		must(t, tx.DeleteInvitationTo(ctx, n, invitation.Email))
		must(t, tx.CreateInvitation(ctx, &invitation))
		must(t, tx.DeleteInvitation(ctx, n, invitation.ID))
		must(t, second(tx.ClaimGTIN(ctx, n, "09501101530003", p.product.Number)))
		must(t, tx.ReleaseGTIN(ctx, n, "09501101530003", p.product.Number))
		check(t, "GTINOwner", int64(0))(tx.GTINOwner(ctx, n, "09501101530003"))
		check(t, "BasesOf", []string{p.brand.ResolverBase})(tx.BasesOf(ctx, n))
		must(t, tx.PutLinks(ctx, n, p.product.Number, []mintage.Link{{Type: "gs1:pip"}, {Type: "gs1:faqs"}}))
		must(t, tx.PutLogo(ctx, n, []byte{2}, "image/webp"))
		must(t, tx.PutLogo(ctx, n, nil, ""))
		return nil
	}))
	// Somebody can sign in, so that it is set up: the app gives no brand a base, free
	// or not, and makes no brand.
	for _, base := range []string{other.brand.ResolverBase, "https://free.example"} {
		b := *p.brand
		b.ResolverBase = base
		wantCode(t, w.app.For(n).InTx(ctx, func(tx store.Tx) error { return tx.UpdateBrand(ctx, &b) }), mintage.CodeUnavailable)
		b.ID = storetest.NewID()
		wantCode(t, w.app.For(n).InTx(ctx, func(tx store.Tx) error { return tx.CreateBrand(ctx, &b) }), mintage.CodeUnavailable)
		wantCode(t, w.app.InTx(ctx, func(tx store.Tx) error { return tx.CreateBrand(ctx, &b) }), mintage.CodeUnavailable)
	}
	check(t, "restricted", true)(w.resolver.Restricted(ctx))
}

// What an app process needs before it knows the brand, or for none in particular.
func TestAppDoors(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.brands[0]
	now := time.Now().UTC().Truncate(time.Microsecond)
	later := now.Add(time.Hour)
	must(t, w.app.Read(ctx, func(r store.Reader) error {
		check(t, "APIKey", p.key)(r.APIKey(ctx, p.key.ID))
		check(t, "HasUsers", true)(r.HasUsers(ctx))
		check(t, "UserByID", p.user)(r.UserByID(ctx, p.user.ID))
		check(t, "UserByEmail", p.user)(r.UserByEmail(ctx, strings.ToUpper(p.user.Email)))
		return nil
	}))
	session := &mintage.Session{TokenHash: []byte{1}, UserID: p.user.ID, Data: []byte{2}, ExpiresAt: later}
	must(t, w.app.InTx(ctx, func(tx store.Tx) error {
		p.user.Name = "new"
		must(t, tx.UpdateUser(ctx, p.user))
		must(t, tx.LinkIdentity(ctx, p.user.ID, "i", "s"))
		must(t, tx.LinkIdentity(ctx, p.user.ID, "i", "s"))
		wantCode(t, tx.LinkIdentity(ctx, w.brands[1].user.ID, "i", "s"), mintage.CodeConflict)
		check(t, "UserByIdentity", p.user)(tx.UserByIdentity(ctx, "i", "s"))
		check(t, "Identities", []string{"i"})(tx.Identities(ctx, p.user.ID))
		memberships, err := tx.Memberships(ctx, p.user.ID)
		if err != nil || len(memberships) != 1 || memberships[0].BrandNumber != p.brand.Number || memberships[0].Role != mintage.RoleOwner {
			t.Errorf("Memberships: %+v, %v", memberships, err)
		}
		must(t, tx.CreateSession(ctx, &mintage.Session{TokenHash: []byte{2}, Data: []byte{1}, ExpiresAt: later}, 0))
		must(t, tx.CreateSession(ctx, &mintage.Session{TokenHash: []byte{1}, UserID: p.user.ID, Data: []byte{1}, ExpiresAt: later}, 0))
		must(t, tx.UpdateSession(ctx, session))
		check(t, "Session", session)(tx.Session(ctx, []byte{1}, now))
		must(t, tx.CreateSession(ctx, &mintage.Session{TokenHash: []byte{3}, UserID: p.user.ID, Data: []byte{1}, ExpiresAt: later}, 0))
		must(t, tx.DeleteSession(ctx, []byte{1}))
		must(t, tx.DeleteSessions(ctx, p.user.ID))
		wantCode(t, second(tx.Session(ctx, []byte{3}, now)), mintage.CodeNotFound)
		p.user.Generation = 1
		check(t, "LockUser", p.user)(tx.LockUser(ctx, p.user.ID))
		wantCode(t, tx.CreateSession(ctx, session, 0), mintage.CodeNotFound)
		must(t, tx.CreateSetUpLink(ctx, &mintage.SetUpLink{Hash: []byte{1}, ExpiresAt: later}))
		must(t, tx.UseSetUpLink(ctx, []byte{1}, now))
		wantCode(t, tx.UseSetUpLink(ctx, []byte{1}, now), mintage.CodeNotFound)
		check(t, "Invitation", p.invitation)(tx.Invitation(ctx, p.invitation.Hash))
		must(t, tx.DeleteExpired(ctx, later))
		must(t, tx.SetKeyCheck(ctx, []byte{9}))
		check(t, "KeyCheck", []byte{9})(tx.KeyCheck(ctx))
		return nil
	}))
	// Listing brands is for the first owner, and over with the first account.
	must(t, w.app.Read(ctx, func(r store.Reader) error {
		brands, err := r.Brands(ctx)
		if len(brands) != 0 {
			t.Errorf("%d brands", len(brands))
		}
		return err
	}))
	exec(t, connect(t, w.URL), `TRUNCATE members, identities, sessions, users`)
	must(t, w.app.Read(ctx, func(r store.Reader) error {
		brands, err := r.Brands(ctx)
		if len(brands) != len(w.brands) {
			t.Errorf("%d brands for the first owner", len(brands))
		}
		return err
	}))
	must(t, w.worker.Read(ctx, func(r store.Reader) error {
		brands, err := r.Brands(ctx)
		if len(brands) != len(w.brands) {
			t.Errorf("%d brands for a worker", len(brands))
		}
		return err
	}))
}

func readOf[T any](t *testing.T, s store.Transactions, fn func(store.Reader) (T, error)) (v T, err error) {
	t.Helper()
	err = s.Read(t.Context(), func(r store.Reader) (err error) {
		v, err = fn(r)
		return err
	})
	return v, err
}

// A worker to the end of a job, one way and the other.
func TestWorkerPlane(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	check(t, "restricted", false)(w.worker.Restricted(ctx))
	wake := w.worker.Submissions(ctx)
	<-wake // it listens
	f := w.minting
	submitting := &brandStore{w.app, w.brands[1].brand.Number}
	g := storetest.NewFixture(t, submitting)
	product := g.NewProduct(w.brands[1].brand, func(p *mintage.Product) { p.GTIN, p.SKU = "09501101530003", "SKU-new" })
	job := g.Submit(product, 5)
	<-wake

	must(t, w.worker.InTx(ctx, func(tx store.Tx) error {
		w, err := tx.ClaimJob(ctx)
		if err != nil || w.Job.ID != job.Job.ID {
			t.Fatalf("claimed %+v, %v", w, err)
		}
		w.Job.Strike("once")
		return tx.RecordStrike(ctx, &w.Job, time.Nanosecond)
	}))
	must(t, w.worker.Read(ctx, func(r store.Reader) error { return second(r.NextDue(ctx)) }))
	failed := f.Fail()
	equal(t, "failed", failed.Job.ID, job.Job.ID)
	must(t, w.worker.InTx(ctx, func(tx store.Tx) error {
		must(t, second(tx.LockProduct(ctx, product.BrandNumber, product.ID)))
		must(t, tx.ReleaseGTIN(ctx, product.BrandNumber, product.GTIN, product.Number))
		check(t, "GTINOwner", int64(0))(tx.GTINOwner(ctx, product.BrandNumber, product.GTIN))
		units := 0
		for _, err := range tx.AllUnits(ctx) {
			must(t, err)
			units++
		}
		equal(t, "units", units, 100)
		return nil
	}))

	// Hung workers are ended by others with the same role.
	g.Submit(product, 5)
	hung := connect(t, w.Worker)
	exec(t, hung, `BEGIN`)
	rows, err := hung.Query(ctx, postgres.ClaimJobSQL, pgx.QueryExecModeExec, (*time.Time)(nil))
	must(t, err)
	rows.Close()
	must(t, rows.Err())
	ended, err := w.worker.EndHungWorkers(ctx, 0)
	if err != nil || len(ended) != 1 {
		t.Errorf("ended %v, %v", ended, err)
	}
}

// What one scanned identity needs, and a record of it.
func TestResolverPlane(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	p := w.brands[1]
	n := p.brand.Number
	must(t, w.resolver.Ping(ctx))
	check(t, "bases of a host", []store.BaseRow{
		{Base: w.brands[0].brand.ResolverBase, BrandNumber: w.brands[0].brand.Number}, {Base: p.brand.ResolverBase, BrandNumber: n},
	})(readOf(t, w.resolver, func(r store.Reader) ([]store.BaseRow, error) { return r.Bases(ctx, "id.example") }))
	changes, err := readOf(t, w.resolver, func(r store.Reader) ([]store.Change, error) { return r.Changes(ctx, 0, 1000) })
	if err != nil || len(changes) < 6 {
		t.Errorf("Changes: %+v, %v", changes, err)
	}
	if horizon, err := w.resolver.EventHorizon(ctx); err != nil || horizon == 0 {
		t.Errorf("horizon: %d, %v", horizon, err)
	}
	conn := connect(t, w.Resolver)
	equal(t, "brand of a base", value[int64](t, conn, `SELECT mintage_brand_of_base($1)`, p.brand.ResolverBase), n)
	equal(t, "brand of nobody's base", value[*int64](t, conn, `SELECT mintage_brand_of_base('https://nobody.example')`), (*int64)(nil))
	must(t, w.resolver.For(n).InTx(ctx, func(tx store.Tx) error {
		check(t, "BrandByNumber", p.brand)(tx.BrandByNumber(ctx, n))
		check(t, "GTINOwner", p.product.Number)(tx.GTINOwner(ctx, n, p.product.GTIN))
		check(t, "ProductByCode", p.product)(tx.ProductByCode(ctx, n, p.product.Code))
		must(t, second(tx.UnitCode(ctx, p.product.Number, 39)))
		wantCode(t, second(tx.UnitCode(ctx, w.brands[0].product.Number, 0)), mintage.CodeNotFound)
		check(t, "ProductByGTIN", p.product)(tx.ProductByGTIN(ctx, n, p.product.GTIN))
		must(t, second(tx.SchemaByID(ctx, n, "s")))
		batch, err := tx.BatchByOrdinal(ctx, n, p.product.Number, 49)
		if err != nil || batch.ID != p.work.Batch.ID || len(batch.Lots) != 1 || batch.ProductionBatchID != p.production.ID || batch.JobID != "" {
			t.Errorf("BatchByOrdinal: %+v, %v", batch, err)
		}
		batches, err := tx.LotsByCode(ctx, n, p.product.Number, "L", 5)
		if err != nil || len(batches) != 1 || batches[0].ID != batch.ID {
			t.Errorf("LotsByCode: %+v, %v", batches, err)
		}
		links, err := tx.Links(ctx, n, p.product.Number)
		if err != nil || len(links) != 1 {
			t.Errorf("Links: %+v, %v", links, err)
		}
		recalls, err := tx.Recalls(ctx, n, p.product.Number)
		if err != nil || len(recalls) != 1 {
			t.Errorf("Recalls: %+v, %v", recalls, err)
		}
		states, err := tx.UnitStates(ctx, p.product.Number, 0, 65536)
		if err != nil || len(states) != 5 {
			t.Errorf("UnitStates: %+v, %v", states, err)
		}
		must(t, logo(tx.Logo(ctx, n)))
		check(t, "ScanNetworks", int64(1))(tx.ScanNetworks(ctx, p.product.Number, 1, p.brand.CreatedAt))
		return tx.AppendEvent(ctx, &mintage.Event{BrandNumber: n, At: time.Now(), Kind: "scan"})
	}))
	for name, forbidden := range map[string]func(context.Context, store.Tx) error{
		"mint": func(ctx context.Context, tx store.Tx) error {
			return second(tx.ReserveOrdinals(ctx, p.product.Number, 1))
		},
		"list jobs": func(ctx context.Context, tx store.Tx) error {
			return second(tx.Works(ctx, n, store.JobFilter{}, store.Page{Limit: 1}))
		},
		"revoke": func(ctx context.Context, tx store.Tx) error {
			return second(tx.RevokeUnits(ctx, []mintage.UnitState{{ProductNumber: p.product.Number, Ordinal: 9, At: time.Now()}}))
		},
		"recall": func(ctx context.Context, tx store.Tx) error {
			return tx.CreateRecall(ctx, &mintage.Recall{BrandNumber: n, ProductNumber: p.product.Number, BatchNumber: p.work.Batch.Number, FirstOrdinal: 1, Quantity: 1})
		},
		"link":       func(ctx context.Context, tx store.Tx) error { return tx.PutLinks(ctx, n, p.product.Number, nil) },
		"roll up":    func(ctx context.Context, tx store.Tx) error { return second(tx.RollUp(ctx, 1e6, 10)) },
		"list keys":  func(ctx context.Context, tx store.Tx) error { return second(tx.APIKeys(ctx, n)) },
		"use a key":  func(ctx context.Context, tx store.Tx) error { return second(tx.APIKey(ctx, p.key.ID)) },
		"find users": func(ctx context.Context, tx store.Tx) error { return second(tx.UserByID(ctx, p.user.ID)) },
		"members":    func(ctx context.Context, tx store.Tx) error { return second(tx.Members(ctx, n)) },
		"events": func(ctx context.Context, tx store.Tx) error {
			return second(tx.Events(ctx, n, store.EventFilter{}, store.Page{Limit: 1}))
		},
	} {
		err := w.resolver.For(n).InTx(ctx, func(tx store.Tx) error { return forbidden(ctx, tx) })
		if mintage.ErrorCode(err) != mintage.CodeUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package verify_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
	"mintage/internal/verify"
)

// history is a database with a job of each kind that may be in one, made by the
// real use cases and the real engine.
type history struct {
	*storetest.Fixture
	t       testing.TB
	db      *storetest.DB
	keys    *mint.Keyring
	service *mint.Service
	brand   *mintage.Brand
	other   *mintage.Brand

	batches map[string]*mintage.Batch // as they are at the end, by what became of them
}

func newHistory(t testing.TB, db *storetest.DB) *history {
	t.Helper()
	f := storetest.NewFixture(t, db)
	h := &history{Fixture: f, t: t, db: db, keys: mint.NewKeyring(f.MasterKey)}
	h.service = mint.New(db, h.keys, f.Now)
	h.brand = f.NewBrand(func(b *mintage.Brand) { b.OverIssuePercent = 10; b.LotFromProductionBatch = true })
	h.other = f.NewBrand(func(b *mintage.Brand) { b.ResolverBase = "https://other.example/dpp" })

	bare := func(p *mintage.Product) { p.GTIN = "" }
	product := f.NewProduct(h.brand)
	plain, run := f.NewProduct(h.brand, bare), f.NewProduct(h.brand)
	failing, hopeless := f.NewProduct(h.brand), f.NewProduct(h.brand)
	f.NewProduct(h.brand) // never minted
	planned := f.NewProductionBatch(run, 100)
	lots := []mintage.LotRequest{{LotCode: "L/1", Quantity: 12}, {LotCode: "B", Quantity: 3}, {LotCode: "A", Quantity: 5}}

	completed := h.submit(h.brand, product, 50, func(r *mintage.MintRequest) { r.ActivationMode = mintage.ActiveAtMint })
	withLots := h.submit(h.brand, product, 20, func(r *mintage.MintRequest) { r.IdentityMode, r.Lots = mintage.IdentityBatch, lots })
	without := h.submit(h.brand, plain, 20, func(r *mintage.MintRequest) { r.Lots = lots })
	production := h.submit(h.brand, run, 80, func(r *mintage.MintRequest) { r.ProductionBatchID = planned.ID })
	foreign := h.submit(h.other, f.NewProduct(h.other), 9)
	h.work(nil)

	// Three strikes in a row: after two cycles, and before the first, which gives
	// the GTIN back to whoever comes next.
	failed := h.submit(h.brand, failing, 30, func(r *mintage.MintRequest) {
		r.ProductionBatchID = f.NewProductionBatch(failing, 30).ID
	})
	never := h.submit(h.brand, hopeless, 10)
	h.work(func(s store.Slice) bool {
		return s.Product == failing.Number && s.First >= 14 || s.Product == hopeless.Number
	})
	reborn := h.submit(h.brand, f.NewProduct(h.brand, func(p *mintage.Product) { p.GTIN = hopeless.GTIN }), 5)
	struck := h.submit(h.brand, product, 21)
	strikes := 0
	h.work(func(s store.Slice) bool { // once, then twice in a row
		strikes++
		return s.Product == product.Number && slices.Contains([]int{3, 5, 6}, strikes)
	})

	h.change(func(tx store.Tx) error {
		product.GTIN = f.NewGTIN()
		return tx.UpdateProduct(t.Context(), product)
	})
	corrected := h.submit(h.brand, product, 8)
	h.change(func(tx store.Tx) error {
		h.brand.ResolverBase = "https://new.example"
		return tx.UpdateBrand(t.Context(), h.brand)
	})
	rebased := h.submit(h.brand, product, 8)
	h.submit(h.brand, run, 30, func(r *mintage.MintRequest) { r.ProductionBatchID = planned.ID })
	h.work(nil)

	scanned := h.submit(h.brand, f.NewProduct(h.brand), 24, func(r *mintage.MintRequest) {
		r.Lots = []mintage.LotRequest{{LotCode: "X", Quantity: 10}, {LotCode: "Y", Quantity: 14}}
	})
	born := h.submit(h.brand, f.NewProduct(h.brand), 12, func(r *mintage.MintRequest) { r.ActivationMode, r.Lots = mintage.ActiveAtMint, lots[:1] })
	h.work(nil)
	h.live(h.batch(h.brand, scanned), h.batch(h.brand, born))

	// The rest waits: after a strike, or for its first worker.
	waiting, partly := f.NewProduct(h.brand), f.NewProduct(h.brand)
	reserved := h.submit(h.brand, waiting, 15)
	half := h.submit(h.brand, partly, 25)
	h.wait(func(s store.Slice) bool { return s.Product == waiting.Number || s.First >= 14 })
	queued := h.submit(h.brand, f.NewProduct(h.brand), 40)

	h.batches = make(map[string]*mintage.Batch)
	for name, sub := range map[string]*mint.Submission{
		"completed": completed, "lots": withLots, "plain": without, "production": production,
		"failed": failed, "never": never, "reborn": reborn, "struck": struck,
		"scanned": scanned, "born": born, "corrected": corrected, "rebased": rebased, "reserved": reserved, "half": half, "queued": queued,
	} {
		h.batches[name] = h.batch(h.brand, sub)
	}
	h.batches["foreign"] = h.batch(h.other, foreign)
	return h
}

// live has units activated and revoked, alone and in lots, some of it counted and some not.
func (h *history) live(scanned, born *mintage.Batch) {
	h.t.Helper()
	p := mintage.Principal{BrandNumber: h.brand.Number, Role: mintage.RoleOwner, Actor: "key:test"}
	revoke := func(b *mintage.Batch, ordinals ...int64) {
		for _, i := range ordinals {
			units, err := h.service.Units(h.t.Context(), p, b.ID, b.FirstOrdinal+i-1, 1)
			if err != nil {
				h.t.Fatal(err)
			}
			if _, already, err := h.service.RevokeUnit(h.t.Context(), p, units[0].ID, "Stolen."); err != nil || already {
				h.t.Fatal(already, err)
			}
		}
	}
	h.Activate(scanned, 0, 1, 2, 11, 12)
	revoke(scanned, 2, 3, 12, 13)
	revoke(born, 5)
	if err := storetest.RollUp(h.t.Context(), h.db, 7); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.service.RecallLot(h.t.Context(), p, scanned.ID, "Y", "Overheats."); err != nil {
		h.t.Fatal(err)
	}
	h.Activate(scanned, 4, 5)
	revoke(scanned, 4, 6)
	revoke(born, 7)
}

// batch returns the batch of a submission.
func (h *history) batch(b *mintage.Brand, s *mint.Submission) *mintage.Batch {
	h.t.Helper()
	w, err := h.service.Job(h.t.Context(), mintage.Principal{BrandNumber: b.Number}, s.JobID)
	if err != nil {
		h.t.Fatal(err)
	}
	return &w.Batch
}

// submit submits a request that must be accepted, with a key of its own.
func (h *history) submit(b *mintage.Brand, p *mintage.Product, quantity int64, edit ...func(*mintage.MintRequest)) *mint.Submission {
	h.t.Helper()
	req := &mintage.MintRequest{
		ProductID: p.ID, RequestedQuantity: quantity,
		IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.FirstScan,
	}
	for _, e := range edit {
		e(req)
	}
	principal := mintage.Principal{BrandNumber: b.Number, Role: mintage.RoleOwner, Actor: "key:test"}
	sub, err := h.service.Submit(h.t.Context(), principal, req, storetest.NewID())
	if err != nil {
		h.t.Fatal(err)
	}
	return sub
}

// work lets an engine mint until all jobs are final, in cycles of 7 units.
func (h *history) work(fails func(store.Slice) bool) {
	h.t.Helper()
	final := func() bool {
		for _, b := range []*mintage.Brand{h.brand, h.other} {
			list, err := h.service.List(h.t.Context(), mintage.Principal{BrandNumber: b.Number}, mint.Filter{}, store.Page{Limit: 100})
			if err != nil {
				h.t.Fatal(err)
			}
			for _, w := range list {
				if !w.Job.Status.Final() {
					return false
				}
			}
		}
		return true
	}
	ctx, stop := context.WithCancel(h.t.Context())
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.engine(fails, time.Millisecond).Run(ctx)
	}()
	storetest.Eventually(h.t, "all jobs end", final)
	stop()
	<-done
}

// wait is work that leaves jobs waiting after their first strike.
func (h *history) wait(fails func(store.Slice) bool) {
	h.t.Helper()
	if err := h.engine(fails, time.Hour).RunOnce(h.t.Context(), 0); err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) engine(fails func(store.Slice) bool, wait time.Duration) *mint.Engine {
	s := store.Store(h.db)
	if fails != nil {
		s = storetest.FailInserts(h.db, func(_ context.Context, s store.Slice) error {
			if fails(s) {
				return mintage.Errorf(mintage.CodeInternal, "the slice is poisoned")
			}
			return nil
		})
	}
	return mint.NewEngine(s, h.keys, mint.Options{
		CycleSize: 7, Poll: 5 * time.Millisecond, Waits: [2]time.Duration{wait, wait}, Now: h.Now, Actor: "worker:test",
	})
}

func (h *history) change(fn func(store.Tx) error) {
	h.t.Helper()
	if err := h.db.InTx(h.t.Context(), fn); err != nil {
		h.t.Fatal(err)
	}
}

// audit returns the report of an audit, which opens the brands' keys anew.
func (h *history) audit() *verify.Report {
	h.t.Helper()
	report, err := verify.Run(h.t.Context(), h.db, mint.NewKeyring(h.MasterKey))
	if err != nil {
		h.t.Fatal(err)
	}
	return report
}

// healthy requires that an audit finds nothing.
func (h *history) healthy() {
	h.t.Helper()
	for _, c := range h.audit().Checks {
		if !c.OK || c.Findings != 0 || len(c.Examples) != 0 || c.Examined == 0 {
			h.t.Errorf("%s: %d examined, %d findings: %q", c.Name, c.Examined, c.Findings, c.Examples)
		}
	}
}

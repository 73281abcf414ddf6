package mint_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// minted returns a batch with all its units.
func (w *world) minted(s storetest.Submission) *mintage.Batch {
	w.t.Helper()
	work := w.SubmitRequest(s)
	w.Mint(s.Quantity)
	got, err := w.service.Job(w.t.Context(), w.p, work.Job.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return &got.Batch
}

func (w *world) list(b *mintage.Batch) []*mintage.Unit {
	w.t.Helper()
	units, err := w.service.Units(w.t.Context(), w.p, b.ID, -1, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return units
}

// states is a letter for each unit: m, a or r; what Unit says of each is the same.
func (w *world) states(b *mintage.Batch) string {
	w.t.Helper()
	var all strings.Builder
	for _, u := range w.list(b) {
		all.WriteString(string(u.Status[:1]))
		one, err := w.service.Unit(w.t.Context(), w.p, u.ID)
		if err != nil || *one != *u {
			w.t.Errorf("alone %+v, in the list %+v, %v", one, u, err)
		}
	}
	return all.String()
}

// counted requires the counts of a batch's lots as "minted/active/revoked", whether
// they were rolled up or not.
func (w *world) counted(b *mintage.Batch, want ...mintage.Counts) {
	w.t.Helper()
	total := mintage.Counts{}
	for _, c := range want {
		total = mintage.Counts{Minted: total.Minted + c.Minted, Active: total.Active + c.Active, Revoked: total.Revoked + c.Revoked}
	}
	for range 2 {
		got, err := w.service.Counts(w.t.Context(), w.p, b.ID)
		if err != nil || got.Total != total || len(got.Lots) != len(want) {
			w.t.Fatalf("counts %+v, %v; want %+v", got, err, want)
		}
		for i := range want {
			if got.Lots[i] != want[i] {
				w.t.Errorf("lot %d: %+v, want %+v", i, got.Lots[i], want[i])
			}
		}
		if err := mint.NewRollUp(w.db, discard).RunOnce(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestRevokeUnit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.minted(storetest.Submission{Product: w.NewProduct(w.brand), Quantity: 5})
		units := w.list(b)
		w.Activate(b, units[1].Ordinal, units[2].Ordinal)
		w.counted(b, mintage.Counts{Minted: 3, Active: 2})

		for i, from := range map[int]mintage.TokenStatus{0: mintage.TokenMinted, 1: mintage.TokenActive} {
			u, already, err := w.service.RevokeUnit(t.Context(), w.p, units[i].ID, "Stolen.")
			if err != nil || already || u.Status != mintage.TokenRevoked || u.RevocationReason != "Stolen." || u.RevokedAt.IsZero() || u.ActivatedAt.IsZero() != (from == mintage.TokenMinted) {
				t.Fatalf("%+v, %t, %v", u, already, err)
			}
			again, already, err := w.service.RevokeUnit(t.Context(), w.p, units[i].ID, "Another reason.")
			if err != nil || !already || *again != *u {
				t.Errorf("again: %+v, %t, %v", again, already, err)
			}
			list, err := w.service.Events(t.Context(), w.p, mint.EventFilter{Kind: mintage.EventUnitTransition, Actor: "key:test"}, store.Page{Limit: 10})
			if err != nil || len(list) == 0 {
				t.Fatal(list, err)
			}
			found := 0
			for _, e := range list {
				if e.SubjectID == u.ID {
					found++
					if e.From != string(from) || e.To != "revoked" || e.Message != "Stolen." || e.FirstOrdinal != u.Ordinal || e.Quantity != 1 || e.BatchNumber != b.Number || e.ProductNumber != b.ProductNumber {
						t.Errorf("event %+v", e)
					}
				}
			}
			if found != 1 {
				t.Errorf("%d events of one revocation", found)
			}
		}
		if got := w.states(b); got != "rramm" {
			t.Errorf("the units are %s", got)
		}
		w.counted(b, mintage.Counts{Minted: 2, Active: 1, Revoked: 2})
		history := w.list(b)[1].History()
		if len(history) != 3 || history[0].Status != mintage.TokenMinted || history[1].Status != mintage.TokenActive || history[2].Reason != "Stolen." {
			t.Errorf("history %+v", history)
		}

		for _, id := range []string{"", "x", units[0].ID + "0", strings.ToLower(units[0].ID), units[0].ID[:9] + "000000000000", "00000000" + units[0].ID[8:]} {
			_, _, err := w.service.RevokeUnit(t.Context(), w.p, id, "x")
			code(t, err, mintage.CodeNotFound)
		}
		other := mintage.Principal{BrandNumber: w.NewBrand().Number, Role: mintage.RoleOwner, Actor: "key:other"}
		before := storetest.Snapshot(t, w.db)
		_, _, err := w.service.RevokeUnit(t.Context(), other, units[3].ID, "x")
		code(t, err, mintage.CodeNotFound)
		for _, reason := range []string{"", " x", "a\nb", strings.Repeat("x", 501)} {
			_, _, err := w.service.RevokeUnit(t.Context(), w.p, units[3].ID, reason)
			code(t, err, mintage.CodeInvalidInput)
		}
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("refused, and yet:\n%s", changes)
		}
	})
}

func TestUnitsBornActive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.minted(storetest.Submission{Product: w.NewProduct(w.brand), Quantity: 3, ActivationMode: mintage.ActiveAtMint})
		w.counted(b, mintage.Counts{Active: 3})
		if _, _, err := w.service.RevokeUnit(t.Context(), w.p, w.list(b)[2].ID, "x"); err != nil {
			t.Fatal(err)
		}
		w.counted(b, mintage.Counts{Active: 2, Revoked: 1})
		if n := w.query("SELECT count(*) FROM events WHERE kind = 'unit.transition' AND from_state = 'active'"); n != 1 {
			t.Errorf("%d events from active", n)
		}
		if got := w.states(b); got != "aar" {
			t.Errorf("the units are %s", got)
		}
	})
}

func TestRecall(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		lots := []mintage.LotRequest{{LotCode: "A/1", Quantity: 2}, {LotCode: "B", Quantity: 3}}
		same := w.minted(storetest.Submission{Product: p, Quantity: 5, Lots: lots})
		b := w.minted(storetest.Submission{Product: p, Quantity: 5, Lots: lots})
		units := w.list(b)
		w.Activate(b, units[0].Ordinal, units[4].Ordinal)
		if _, _, err := w.service.RevokeUnit(t.Context(), w.p, units[1].ID, "Alone."); err != nil {
			t.Fatal(err)
		}
		_, err := w.service.RecallLot(t.Context(), w.p, b.ID, "", "x")
		code(t, err, mintage.CodeNotFound)
		_, err = w.service.RecallLot(t.Context(), w.p, b.ID, "a/1", "x")
		code(t, err, mintage.CodeNotFound)
		_, err = w.service.RecallBatch(t.Context(), w.p, storetest.NewID(), "x")
		code(t, err, mintage.CodeNotFound)
		_, err = w.service.RecallBatch(t.Context(), w.p, b.ID, "")
		code(t, err, mintage.CodeInvalidInput)

		r, err := w.service.RecallLot(t.Context(), w.p, b.ID, "A/1", "Overheats.")
		if err != nil || r.Already || r.StillMinting || r.FirstOrdinal != b.FirstOrdinal || r.Quantity != 2 || r.Lot != "A/1" {
			t.Fatalf("%+v, %v", r, err)
		}
		if got := w.states(b) + " " + w.states(same); got != "rrmma mmmmm" {
			t.Errorf("the units are %s", got)
		}
		w.counted(b, mintage.Counts{Revoked: 2}, mintage.Counts{Minted: 2, Active: 1})
		w.counted(same, mintage.Counts{Minted: 2}, mintage.Counts{Minted: 3})
		for i, reason := range []string{"Overheats.", "Alone."} {
			if u := w.list(b)[i]; u.RevocationReason != reason {
				t.Errorf("unit %d: %q", i, u.RevocationReason)
			}
		}
		again, err := w.service.RecallLot(t.Context(), w.p, b.ID, "A/1", "Again.")
		if err != nil || !again.Already || again.Reason != "Overheats." {
			t.Errorf("again %+v, %v", again, err)
		}
		if _, already, err := w.service.RevokeUnit(t.Context(), w.p, units[0].ID, "x"); err != nil || !already {
			t.Errorf("a unit of a recalled lot: %t, %v", already, err)
		}
		whole, err := w.service.RecallBatch(t.Context(), w.p, b.ID, "All of it.")
		if err != nil || whole.Already || whole.Quantity != 5 || whole.Lot != "" {
			t.Errorf("the whole batch %+v, %v", whole, err)
		}
		within, err := w.service.RecallLot(t.Context(), w.p, b.ID, "B", "x")
		if err != nil || !within.Already || within.Reason != "All of it." {
			t.Errorf("a lot within %+v, %v", within, err)
		}
		w.counted(b, mintage.Counts{Revoked: 2}, mintage.Counts{Revoked: 3})
		if got := w.states(b); got != "rrrrr" {
			t.Errorf("the units are %s", got)
		}
		if n := w.query("SELECT count(*) FROM events WHERE kind = 'mint_batch.recalled' AND batch_number = $1", b.Number); n != 2 {
			t.Errorf("%d events of two recalls", n)
		}
	})
}

// A recall covers the units still to come; the job goes on, and the answer says so.
func TestRecallWhileMinting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		work := w.SubmitRequest(storetest.Submission{
			Product: w.NewProduct(w.brand), Quantity: 10, Lots: []mintage.LotRequest{{LotCode: "A", Quantity: 4}, {LotCode: "B", Quantity: 6}},
		})
		w.Mint(5)
		done, err := w.service.RecallLot(t.Context(), w.p, work.Batch.ID, "A", "x")
		if err != nil || done.StillMinting {
			t.Errorf("the lot that is minted: %+v, %v", done, err)
		}
		r, err := w.service.RecallBatch(t.Context(), w.p, work.Batch.ID, "x")
		if err != nil || !r.StillMinting || r.Quantity != 10 {
			t.Fatalf("%+v, %v", r, err)
		}
		w.counted(&work.Batch, mintage.Counts{Revoked: 4}, mintage.Counts{Revoked: 1})
		w.Mint(5)
		w.counted(&work.Batch, mintage.Counts{Revoked: 4}, mintage.Counts{Revoked: 6})
		if got := w.states(&work.Batch); got != "rrrrrrrrrr" {
			t.Errorf("the units are %s", got)
		}
		again, err := w.service.RecallBatch(t.Context(), w.p, work.Batch.ID, "x")
		if err != nil || !again.Already || again.StillMinting {
			t.Errorf("again %+v, %v", again, err)
		}
		queued := w.SubmitRequest(storetest.Submission{Product: w.NewProduct(w.brand), Quantity: 3})
		if r, err := w.service.RecallBatch(t.Context(), w.p, queued.Batch.ID, "x"); err != nil || !r.StillMinting {
			t.Errorf("a batch that waits: %+v, %v", r, err)
		}
	})
}

// Of many who revoke and recall the same at one moment, one does it.
func TestRevokedTogether(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.minted(storetest.Submission{Product: w.NewProduct(w.brand), Quantity: 4})
		u := w.list(b)[0]
		together := func(do func(context.Context) (already bool, err error)) {
			t.Helper()
			var wg sync.WaitGroup
			var mu sync.Mutex
			first := 0
			for range 8 {
				wg.Go(func() {
					already, err := do(context.WithoutCancel(t.Context()))
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					} else if !already {
						first++
					}
				})
			}
			wg.Wait()
			if first != 1 {
				t.Errorf("%d were first", first)
			}
		}
		together(func(ctx context.Context) (bool, error) {
			_, already, err := w.service.RevokeUnit(ctx, w.p, u.ID, "x")
			return already, err
		})
		together(func(ctx context.Context) (bool, error) {
			r, err := w.service.RecallBatch(ctx, w.p, b.ID, "x")
			return err == nil && r.Already, err
		})
		if n := w.query("SELECT count(*) FROM events WHERE kind IN ('unit.transition', 'mint_batch.recalled')"); n != 2 {
			t.Errorf("%d events of a revocation and a recall", n)
		}
	})
}

// Activations and revocations of the same units at one moment leave counts and
// events that agree with the states.
func TestRevokedWhileActivated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.minted(storetest.Submission{Product: w.NewProduct(w.brand), Quantity: 40})
		units := w.list(b)
		var wg sync.WaitGroup
		wg.Go(func() {
			for _, u := range units {
				w.Activate(b, u.Ordinal)
			}
		})
		wg.Go(func() {
			for _, u := range units {
				if _, _, err := w.service.RevokeUnit(context.WithoutCancel(t.Context()), w.p, u.ID, "x"); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		if got := w.states(b); got != strings.Repeat("r", 40) {
			t.Errorf("the units are %s", got)
		}
		w.counted(b, mintage.Counts{Revoked: 40})
		activated := w.query("SELECT count(*) FROM unit_states WHERE status = 'active'")
		if n := w.query("SELECT count(*) FROM events WHERE kind = 'unit.transition' AND from_state = 'active' AND to_state = 'revoked'"); n != activated {
			t.Errorf("%d units were active, %d events say so", activated, n)
		}
	})
}

func TestUnitScans(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.minted(storetest.Submission{Product: w.NewProduct(w.brand), Quantity: 2})
		u := w.list(b)[0]
		scan := func(i int, at time.Time, agent mintage.AgentClass) {
			err := w.db.For(w.brand.Number).InTx(t.Context(), func(tx store.Tx) error {
				return tx.AppendScans(t.Context(), []mintage.Scan{{
					ProductNumber: b.ProductNumber, Ordinal: u.Ordinal, At: at, Network: "10.0." + string(rune('0'+i/10)) + string(rune('0'+i%10)) + ".0/24",
					Agent: agent, Language: "de", Outcome: mintage.ScanActive,
				}})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		now := w.Now()
		for i := range mintage.SignalNetworks {
			scan(i, now.Add(-time.Duration(i)*time.Hour), mintage.AgentPhone)
		}
		scan(90, now, mintage.AgentRobot)
		scan(91, now.Add(-mintage.SignalWindow-24*time.Hour), mintage.AgentPhone)
		got, err := w.service.UnitScans(t.Context(), w.p, u.ID, 3)
		if err != nil || len(got.Scans) != 3 || got.Networks != mintage.SignalNetworks || got.Suspicious || got.Why() != "" {
			t.Fatalf("%+v, %v", got, err)
		}
		scan(92, now, mintage.AgentMachine)
		got, err = w.service.UnitScans(t.Context(), w.p, u.ID, 100)
		if err != nil || len(got.Scans) != mintage.SignalNetworks+3 || !got.Suspicious || !strings.Contains(got.Why(), "26 different networks") {
			t.Errorf("%+v, %q, %v", got, got.Why(), err)
		}
		_, err = w.service.UnitScans(t.Context(), mintage.Principal{BrandNumber: w.NewBrand().Number}, u.ID, 3)
		code(t, err, mintage.CodeNotFound)
	})
}

// A roll-up that runs brings the stored counts up to date, and ends when it is told to.
func TestRollUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.minted(storetest.Submission{Product: w.NewProduct(w.brand), Quantity: 5})
		w.Activate(b, 0, 3)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			mint.NewRollUp(w.db, discard).Run(ctx)
		}()
		stored := func() int64 { return w.query("SELECT sum(activated) FROM lot_counts") }
		storetest.Eventually(t, "what happened before is counted", func() bool { return stored() == 2 })
		w.Activate(b, 4)
		storetest.Eventually(t, "what happens then is counted", func() bool { return stored() == 3 })
		stop()
		<-done
		w.counted(b, mintage.Counts{Minted: 2, Active: 3})
	})
}

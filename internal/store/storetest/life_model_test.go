package storetest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// lifeModel is the life of a batch's units as a few lines say what it is.
type lifeModel struct {
	bornActive bool
	lots       []int64 // their quantities
	minted     int64
	active     map[int64]bool // by position in the batch: there is a row
	revoked    map[int64]bool
	recalls    map[int]bool // by lot; -1 is the whole batch
}

func (m *lifeModel) quantity() (n int64) {
	for _, q := range m.lots {
		n += q
	}
	return n
}

func (m *lifeModel) activate(list []int64) (done []bool) {
	for _, unit := range list {
		did := !m.active[unit] && !m.revoked[unit]
		if did {
			m.active[unit] = true
		}
		done = append(done, did)
	}
	return done
}

func (m *lifeModel) revoke(list []int64) (done []bool) {
	for _, unit := range list {
		done = append(done, !m.revoked[unit])
		m.revoked[unit] = true
	}
	return done
}

func (m *lifeModel) counts() []mintage.Counts {
	counts := make([]mintage.Counts, len(m.lots))
	unit := int64(0)
	for i, q := range m.lots {
		for end := unit + q; unit < end; unit++ {
			switch {
			case unit >= m.minted:
			case m.recalls[-1] || m.recalls[i] || m.revoked[unit]:
				counts[i].Revoked++
			case m.bornActive || m.active[unit]:
				counts[i].Active++
			default:
				counts[i].Minted++
			}
		}
	}
	return counts
}

// rows are the rows of unit_states, as differs spells them.
func (m *lifeModel) rows() (rows []string) {
	for unit := range m.minted {
		if m.active[unit] {
			rows = append(rows, fmt.Sprint(unit, mintage.TokenActive))
		}
		if m.revoked[unit] {
			rows = append(rows, fmt.Sprint(unit, mintage.TokenRevoked))
		}
	}
	return rows
}

// TestLifeModel plays random lives of a batch's units on both engines at once, and
// after each step compares both with the model.
func TestLifeModel(t *testing.T) {
	var sides []*side
	for _, engine := range storetest.Engines {
		db := storetest.Open(t, engine)
		s := &side{Fixture: storetest.NewFixture(t, db), t: t, db: db}
		s.brand = s.NewBrand()
		s.product = s.NewProduct(s.brand)
		sides = append(sides, s)
	}
	rapid.Check(t, func(r *rapid.T) {
		m := &lifeModel{
			bornActive: rapid.Bool().Draw(r, "born active"),
			lots:       rapid.SliceOfN(rapid.Int64Range(1, 12), 1, 3).Draw(r, "lots"),
			active:     make(map[int64]bool), revoked: make(map[int64]bool), recalls: make(map[int]bool),
		}
		for _, s := range sides {
			drain(t, s.db, s.Fixture) // what the game before has left
			request := storetest.Submission{Product: s.product, Quantity: m.quantity(), ActivationMode: mintage.FirstScan}
			if m.bornActive {
				request.ActivationMode = mintage.ActiveAtMint
			}
			for i, q := range m.lots {
				request.Lots = append(request.Lots, mintage.LotRequest{LotCode: fmt.Sprint("L", i), Quantity: q})
			}
			s.works = []*store.Work{s.SubmitRequest(request)}
		}
		steps := []string{"mint", "activate", "activate", "revoke", "recall", "roll up"}
		for _, step := range rapid.SliceOfN(rapid.SampledFrom(steps), 1, 14).Draw(r, "steps") {
			play := m.draw(r, step)
			for _, s := range sides {
				err := play(s)
				if err == nil {
					err = s.livesDiffer(m)
				}
				if err != nil {
					r.Fatalf("after %s, %s: %v", step, s.db.Engine(), err)
				}
			}
		}
	})
}

// draw takes the model one step on, and returns what the engines have to do.
func (m *lifeModel) draw(r *rapid.T, step string) (play func(*side) error) {
	nothing := func(*side) error { return nil }
	switch step {
	case "mint":
		n := rapid.Int64Range(1, 10).Draw(r, "units")
		if m.minted == m.quantity() {
			return nothing
		}
		m.minted = min(m.minted+n, m.quantity())
		return func(s *side) error {
			s.Mint(n)
			return nil
		}
	case "recall":
		lot := rapid.IntRange(-1, len(m.lots)-1).Draw(r, "lot")
		again := m.recalls[lot] || len(m.lots) == 1 && len(m.recalls) > 0 // the lot is the batch
		m.recalls[lot] = true
		return func(s *side) error { return s.recall(lot, again) }
	case "roll up":
		limit := rapid.IntRange(1, 30).Draw(r, "limit")
		return func(s *side) error {
			horizon, err := s.db.EventHorizon(s.t.Context())
			if err != nil {
				return err
			}
			return s.db.InTx(s.t.Context(), func(tx store.Tx) error {
				_, err := tx.RollUp(s.t.Context(), horizon, limit)
				return err
			})
		}
	default:
		if m.minted == 0 || step == "activate" && m.bornActive {
			return nothing
		}
		list := rapid.SliceOfN(rapid.Int64Range(0, m.minted-1), 1, 12).Draw(r, "units")
		rollback := rapid.IntRange(0, 4).Draw(r, "rolled back") == 0
		before := lifeModel{active: maps.Clone(m.active), revoked: maps.Clone(m.revoked)}
		want := m.revoke
		if step == "activate" {
			want = m.activate
		}
		done := want(list)
		if rollback {
			m.active, m.revoked = before.active, before.revoked
		}
		return func(s *side) error { return s.change(step, list, done, rollback) }
	}
}

// change activates or revokes units, by their positions in the batch.
func (s *side) change(step string, units []int64, want []bool, rollback bool) error {
	batch := &s.works[0].Batch
	var list []int64
	for _, unit := range units {
		list = append(list, batch.FirstOrdinal+unit)
	}
	err := s.db.InTx(s.t.Context(), func(tx store.Tx) error {
		var done []bool
		var err error
		if step == "activate" {
			done, err = s.ActivateIn(s.t.Context(), tx, batch, list...)
		} else {
			done, err = s.RevokeIn(s.t.Context(), tx, batch, "model", list...)
		}
		switch {
		case err != nil:
			return err
		case !slices.Equal(done, want):
			return fmt.Errorf("%v of %v were done, want %v", done, units, want)
		case rollback:
			return errRollback
		default:
			return nil
		}
	})
	if err == errRollback { //nolint:errorlint // itself, not one that wraps it
		return nil
	}
	return err
}

func (s *side) recall(lot int, again bool) error {
	batch := &s.works[0].Batch
	var l *mintage.Lot
	if lot >= 0 {
		l = &batch.Lots[lot]
	}
	recall := s.NewRecall(batch, l, "model")
	err := s.db.InTx(s.t.Context(), func(tx store.Tx) error { return s.RecallIn(s.t.Context(), tx, batch, recall) })
	if again && mintage.ErrorCode(err) == mintage.CodeConflict {
		return nil
	}
	if again && err == nil {
		return fmt.Errorf("lot %d was recalled twice", lot)
	}
	return err
}

// livesDiffer compares an engine with the model.
func (s *side) livesDiffer(m *lifeModel) error {
	batch := &s.works[0].Batch
	return s.db.Read(s.t.Context(), func(r store.Reader) error {
		return s.compareLives(s.t.Context(), r, batch, m)
	})
}

func (s *side) compareLives(ctx context.Context, r store.Reader, batch *mintage.Batch, m *lifeModel) error {
	counts, err := r.LotCounts(ctx, batch.BrandNumber, batch.Number)
	if err != nil {
		return err
	}
	if got, want := fmt.Sprint(counts), fmt.Sprint(m.counts()); got != want {
		return fmt.Errorf("the counts are %s, want %s", got, want)
	}
	states, err := r.UnitStates(ctx, batch.ProductNumber, batch.FirstOrdinal, batch.FirstOrdinal+batch.RequestedQuantity)
	if err != nil {
		return err
	}
	rows := mapped(states, func(u mintage.UnitState) string { return fmt.Sprint(u.Ordinal-batch.FirstOrdinal, u.Status) })
	if want := m.rows(); !slices.Equal(rows, want) {
		return fmt.Errorf("the rows are %v, want %v", rows, want)
	}
	return nil
}

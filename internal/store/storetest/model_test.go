package storetest_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// model is the mint as a few lines say what it is: a queue of jobs, in which
// only the first live one is worked on.
type model struct {
	jobs []*modelJob
	next int64 // ordinal
}

type modelJob struct {
	status   mintage.JobStatus
	minted   int64
	strikes  int
	quantity int64
	first    int64
}

func (m *model) head() int {
	for i, j := range m.jobs {
		if !j.status.Final() {
			return i
		}
	}
	return -1
}

func (j *modelJob) mint(n int64) {
	j.minted, j.strikes, j.status = min(j.quantity, j.minted+n), 0, mintage.JobProcessing
	if j.minted == j.quantity {
		j.status = mintage.JobCompleted
	}
}

func (j *modelJob) strike() {
	j.strikes++
	switch {
	case j.strikes == mintage.MaxStrikes:
		j.status = mintage.JobFailed
	case j.status == mintage.JobQueued:
		j.status = mintage.JobReserved
	}
}

// side is one engine's part in a game.
type side struct {
	*storetest.Fixture
	t       *testing.T
	db      *storetest.DB
	brand   *mintage.Brand
	product *mintage.Product
	works   []*store.Work // in the order of the model's jobs
}

// TestModel plays random lives of the mint on both engines at once, and after
// each step compares both with the model.
func TestModel(t *testing.T) {
	var sides []*side
	for _, engine := range storetest.Engines {
		db := storetest.Open(t, engine)
		s := &side{Fixture: storetest.NewFixture(t, db), t: t, db: db}
		s.brand = s.NewBrand()
		sides = append(sides, s)
	}
	rapid.Check(t, func(r *rapid.T) {
		m := &model{}
		for _, s := range sides {
			drain(t, s.db, s.Fixture) // what the game before has left
			s.product, s.works = s.NewProduct(s.brand), nil
		}
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"submit", "mint", "strike", "error", "crash", "claim"}), 1, 12).Draw(r, "steps") {
			play := draw(r, m, step)
			for _, s := range sides {
				play(s)
				if err := s.differs(m); err != nil {
					r.Fatalf("after %s, %s: %v", step, s.db.Engine(), err)
				}
			}
		}
	})
}

// draw takes the model one step on, and returns what the engines have to do.
func draw(r *rapid.T, m *model, step string) (play func(*side)) {
	if step == "submit" {
		quantity := rapid.Int64Range(1, 250).Draw(r, "quantity")
		first := rapid.Int64Range(1, quantity).Draw(r, "first lot")
		lots := []mintage.LotRequest{{LotCode: "A", Quantity: first}, {LotCode: "B", Quantity: quantity - first}}
		if first == quantity {
			lots = lots[:1]
		}
		m.jobs = append(m.jobs, &modelJob{status: mintage.JobQueued, quantity: quantity, first: m.next})
		m.next += quantity
		return func(s *side) { s.works = append(s.works, s.Submit(s.product, quantity, lots...)) }
	}
	head := m.head()
	if head < 0 {
		return func(s *side) { claimedIs(s.t, s.db, nil) }
	}
	j, n := m.jobs[head], rapid.Int64Range(1, 150).Draw(r, "slice")
	switch step {
	case "mint":
		j.mint(n)
		return func(s *side) { s.Mint(n) }
	case "strike":
		j.strike()
		return func(s *side) { s.Strike("model") }
	case "error":
		j.strike()
		return func(s *side) { s.fail(n) }
	case "crash":
		far := rapid.IntRange(0, 2).Draw(r, "how far")
		return func(s *side) { s.crash(n, far) }
	default:
		return func(s *side) { claimedIs(s.t, s.db, s.works[head]) }
	}
}

// fail has a cycle fail after it wrote, and records the strike in its transaction.
func (s *side) fail(n int64) {
	s.Claim()
	write(s.t, s.db, func(ctx context.Context, tx store.Tx) error {
		w, err := tx.ClaimJob(ctx)
		if err != nil {
			return err
		}
		before := *w
		err = tx.Savepoint(ctx, func() error {
			slice, err := s.Slice(ctx, tx, &w.Batch, n)
			if err != nil {
				return err
			}
			if err := tx.InsertUnits(ctx, w.Batch.Number, w.Batch.MintedQuantity, slice); err != nil {
				return err
			}
			return tx.InsertUnits(ctx, w.Batch.Number, w.Batch.MintedQuantity, slice) // again
		})
		if mintage.ErrorCode(err) != mintage.CodeConflict {
			return fmt.Errorf("a slice was inserted twice: %w", err)
		}
		return s.StrikeIn(ctx, tx, &before, "model")
	})
}

// crash has a worker die before the commit: with nothing done, with units
// written, or with all that belongs to a cycle, the job's end included.
func (s *side) crash(n int64, far int) {
	err := s.db.InTx(s.t.Context(), func(tx store.Tx) error {
		ctx := s.t.Context()
		w, err := tx.ClaimJob(ctx)
		switch {
		case err != nil:
			return err
		case far == 1:
			slice, err := s.Slice(ctx, tx, &w.Batch, n)
			if err != nil {
				return err
			}
			if err := tx.InsertUnits(ctx, w.Batch.Number, w.Batch.MintedQuantity, slice); err != nil {
				return err
			}
		case far == 2:
			if err := s.Cycle(ctx, tx, w, w.Batch.Remaining()); err != nil {
				return err
			}
		}
		return errRollback
	})
	if err != errRollback { //nolint:errorlint // itself, not one that wraps it
		s.t.Fatal(err)
	}
}

// differs compares an engine with the model: its jobs, and its units, which are
// the first ones of each job's range.
func (s *side) differs(m *model) error {
	ctx := s.t.Context()
	expected := make(map[int64]bool)
	seen := make(map[serial.Code]bool)
	err := s.db.Read(ctx, func(r store.Reader) error {
		for i, j := range m.jobs {
			w, err := r.WorkByJobID(ctx, s.brand.Number, s.works[i].Job.ID)
			if err != nil {
				return err
			}
			got := fmt.Sprint(w.Job.Status, w.Batch.Status, w.Batch.MintedQuantity, w.Job.ConsecutiveErrors, w.Batch.FirstOrdinal)
			want := fmt.Sprint(j.status, j.status.Batch(), j.minted, j.strikes, j.first)
			if got != want {
				return fmt.Errorf("job %d: got %s, want %s", i, got, want)
			}
			for n := range j.minted {
				expected[j.first+n] = true
			}
		}
		return r.EachUnit(ctx, s.product.Number, 0, serial.MaxOrdinal, func(ordinal int64, code serial.Code) error {
			if !expected[ordinal] || seen[code] {
				return fmt.Errorf("the unit %d should not be, or its code is another's", ordinal)
			}
			seen[code] = true
			return nil
		})
	})
	if err == nil && len(seen) != len(expected) {
		err = fmt.Errorf("%d units, want %d", len(seen), len(expected))
	}
	return err
}

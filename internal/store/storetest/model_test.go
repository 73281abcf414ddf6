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
	work     *store.Work
	status   mintage.JobStatus
	minted   int64
	strikes  int
	quantity int64
	first    int64
}

func (m *model) head() *modelJob {
	for _, j := range m.jobs {
		if !j.status.Final() {
			return j
		}
	}
	return nil
}

// TestModel plays random lives of the mint on both engines and compares each
// step with the model.
func TestModel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		b := f.NewBrand()
		rapid.Check(t, func(r *rapid.T) {
			drain(t, db, f) // what the game before has left
			p := f.NewProduct(b)
			m := &model{}
			for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"submit", "mint", "strike", "crash", "claim"}), 1, 10).Draw(r, "steps") {
				play(r, t, db, f, p, m, step)
			}
			compare(r, t, db, p, m)
		})
	})
}

func play(r *rapid.T, t *testing.T, db *storetest.DB, f *storetest.Fixture, p *mintage.Product, m *model, step string) {
	j := m.head()
	if step == "submit" {
		quantity := rapid.Int64Range(1, 250).Draw(r, "quantity")
		first := rapid.Int64Range(1, quantity).Draw(r, "first lot")
		lots := []mintage.LotRequest{{LotCode: "A", Quantity: first}, {LotCode: "B", Quantity: quantity - first}}
		if first == quantity {
			lots = lots[:1]
		}
		m.jobs = append(m.jobs, &modelJob{work: f.Submit(p, quantity, lots...), status: mintage.JobQueued, quantity: quantity, first: m.next})
		m.next += quantity
		return
	}
	if j == nil {
		claimedIs(t, db, nil)
		return
	}
	switch step {
	case "claim":
		claimedIs(t, db, j.work)
	case "mint":
		n := rapid.Int64Range(1, 150).Draw(r, "slice")
		f.Mint(n)
		j.minted, j.strikes, j.status = min(j.quantity, j.minted+n), 0, mintage.JobProcessing
		if j.minted == j.quantity {
			j.status = mintage.JobCompleted
		}
	case "strike":
		f.Strike("model")
		j.strikes++
		switch {
		case j.strikes == mintage.MaxStrikes:
			j.status = mintage.JobFailed
		case j.status == mintage.JobQueued:
			j.status = mintage.JobReserved
		}
	case "crash": // a worker dies after its writes, before the commit
		_ = db.InTx(t.Context(), func(tx store.Tx) error {
			w, err := tx.ClaimJob(t.Context())
			if err == nil {
				err = f.Cycle(t.Context(), tx, w, w.Batch.Remaining())
			}
			if err != nil {
				r.Fatal(err)
			}
			return errRollback
		})
	}
}

func compare(r *rapid.T, t *testing.T, db *storetest.DB, p *mintage.Product, m *model) {
	var units int64
	for _, j := range m.jobs {
		w := workOf(t, db, j.work)
		got := fmt.Sprint(w.Job.Status, w.Batch.Status, w.Batch.MintedQuantity, w.Job.ConsecutiveErrors, w.Batch.FirstOrdinal)
		want := fmt.Sprint(j.status, j.status.Batch(), j.minted, j.strikes, j.first)
		if got != want {
			r.Fatalf("job %d: got %s, want %s", w.Job.Number, got, want)
		}
		if n := len(codesOf(t, db, p.Number, j.first, j.first+j.quantity)); int64(n) != j.minted { // without gaps, too
			r.Fatalf("job %d: %d units, want %d", w.Job.Number, n, j.minted)
		}
		units += j.minted
	}
	all := int64(0)
	seen := make(map[serial.Code]bool)
	read(t, db, func(ctx context.Context, rd store.Reader) (any, error) {
		return nil, rd.EachUnit(ctx, p.Number, 0, serial.MaxOrdinal, func(_ int64, code serial.Code) error {
			all++
			seen[code] = true
			return nil
		})
	})
	if all != units || int64(len(seen)) != units {
		r.Fatalf("%d units with %d codes, want %d", all, len(seen), units)
	}
}

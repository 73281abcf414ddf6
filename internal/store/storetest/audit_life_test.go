package storetest_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestAllRecalls(t *testing.T) {
	eachAudited(t, func(t *testing.T, a *audited) {
		var want []mintage.Recall
		for _, w := range slices.Backward(a.works) { // in another order than the batches'
			b := &w.Batch
			for j := range b.Lots {
				a.Recall(b, &b.Lots[j], fmt.Sprintf("lot %d", j))
			}
		}
		for _, w := range a.works {
			for i := range w.Batch.Lots {
				r := *a.NewRecall(&w.Batch, &w.Batch.Lots[i], fmt.Sprintf("lot %d", i))
				r.At = time.Time{}
				want = append(want, r)
			}
		}
		got := allOf(t, a.db, store.Reader.AllRecalls)
		for i := range got {
			if got[i].At.IsZero() {
				t.Error("a recall has no time")
			}
			got[i].At = time.Time{}
		}
		same(t, got, want)
	})
}

func TestAllUnitStates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		one, other := f.NewProduct(f.NewBrand()), f.NewProduct(f.NewBrand())
		states := func(p *mintage.Product, ordinals ...int64) {
			b := &mintage.Batch{ProductNumber: p.Number}
			write(t, db, func(ctx context.Context, tx store.Tx) error {
				if _, err := tx.ActivateUnits(ctx, f.States(b, "", ordinals...)); err != nil {
					return err
				}
				_, err := tx.RevokeUnits(ctx, f.States(b, `"why" \`, ordinals[1:]...))
				return err
			})
		}
		states(other, 7, 3)
		states(one, 0, mintage.MaxProductUnits-1)
		var got []string
		for _, u := range allOf(t, db, store.Reader.AllUnitStates) {
			if u.At.IsZero() {
				t.Error("a state has no time")
			}
			got = append(got, fmt.Sprintf("%d %d %s %s", u.ProductNumber, u.Ordinal, u.Status, u.Reason))
		}
		same(t, got, []string{
			fmt.Sprintf("%d 0 active ", one.Number),
			fmt.Sprintf("%d %d active ", one.Number, int64(math.MaxInt32)), fmt.Sprintf(`%d %d revoked "why" \`, one.Number, int64(math.MaxInt32)),
			fmt.Sprintf("%d 3 active ", other.Number), fmt.Sprintf(`%d 3 revoked "why" \`, other.Number),
			fmt.Sprintf("%d 7 active ", other.Number),
		})
	})
}

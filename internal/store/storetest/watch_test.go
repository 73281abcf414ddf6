package storetest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// Watch reads, and waits for none of those who read, however many they are.
func TestWatch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		f.NewProduct(f.NewBrand())
		watched := func() (int, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if _, err := db.EventHorizon(ctx); err != nil {
				return 0, err
			}
			products := 0
			err := db.Watch(ctx, func(r store.Reader) error {
				for _, err := range r.AllProducts(ctx) {
					if err != nil {
						return err
					}
					products++
				}
				return nil
			})
			return products, err
		}
		const many = 64 // more than any pool has
		var inside atomic.Int64
		leave := make(chan struct{})
		readers := started(func() error {
			return together(many, func(int) error {
				return db.Read(t.Context(), func(store.Reader) error {
					inside.Add(1)
					<-leave
					return nil
				})
			})
		})
		storetest.Eventually(t, "all connections are taken", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			return inside.Load() > 0 && db.Read(ctx, func(store.Reader) error { return nil }) != nil
		})
		products, err := watched()
		close(leave)
		if err != nil || products != 1 {
			t.Errorf("%d products, %v", products, err)
		}
		succeeds(t, <-readers)
		wantCode(t, db.Watch(t.Context(), func(store.Reader) error { return errRollback }), mintage.ErrorCode(errRollback))
	})
}

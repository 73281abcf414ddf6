package postgres_test

import (
	"context"
	"testing"

	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
)

// awaitListeners waits until n sessions of a database listen.
func awaitListeners(t *testing.T, url string, n int) {
	t.Helper()
	watcher := connect(t, url)
	storetest.Eventually(t, "sessions listen", func() bool {
		return value[int](t, watcher, `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'`) == n
	})
}

func TestSubmissionsOfAnotherProcess(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	product := f.NewProduct(f.NewBrand())

	listener := open(t, db.URL, postgres.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wake := listener.Submissions(ctx)
	<-wake // now it listens
	f.Submit(product, 5)
	<-wake

	// A subscription survives its connection, and tells what it may have missed.
	exec(t, connect(t, db.URL), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`)
	<-wake
	f.Submit(product, 5)
	<-wake

	// Nobody reads, and nobody waits for that.
	for range 5 {
		f.Submit(product, 5)
	}
	cancel()
	awaitListeners(t, db.URL, 0)
}

func TestSubmissionsNeedTheDirectURL(t *testing.T) {
	db := storetest.Open(t, "postgres")
	s := open(t, db.URL, postgres.Options{DirectURL: "postgres://me@/db?sslmode=disable&port=1&host=" + t.TempDir()})
	s.Submissions(t.Context())
	must(t, s.InTx(t.Context(), func(tx store.Tx) error {
		_, err := tx.ClaimJob(t.Context())
		return err
	}))
	must(t, s.Close()) // does not wait for the next attempt

	s = open(t, db.URL, postgres.Options{})
	<-s.Submissions(t.Context())
	awaitListeners(t, db.URL, 1)
	must(t, s.Close())
	awaitListeners(t, db.URL, 0)
}

package postgres_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/storetest"
	"mintage/internal/store/storetest/pgtest"
)

func TestWaitsAreBounded(t *testing.T) {
	db := storetest.Open(t, "postgres")
	product := newProduct(t, db.Store)
	lock := connect(t, db.URL)
	exec(t, lock, `BEGIN`)
	exec(t, lock, `SELECT FROM products FOR UPDATE`)

	update := func(tx store.Tx) error { return tx.UpdateProduct(t.Context(), product) }
	s := open(t, db.URL, postgres.Options{LockTimeout: 20 * time.Millisecond})
	wantState(t, s.InTx(t.Context(), update), mintage.CodeUnavailable, "55P03")

	// The statement's timeout leaves the transaction usable.
	s = open(t, db.URL, postgres.Options{StatementTimeout: 20 * time.Millisecond})
	must(t, s.InTx(t.Context(), func(tx store.Tx) error {
		wantState(t, tx.Savepoint(t.Context(), func() error { return update(tx) }), mintage.CodeInternal, "57014")
		_, err := tx.Now(t.Context())
		return err
	}))

	s = open(t, db.URL, postgres.Options{IdleTimeout: 20 * time.Millisecond})
	err := s.InTx(t.Context(), func(tx store.Tx) error {
		awaitSessions(t, db.URL, 0)
		return update(tx)
	})
	wantCode(t, err, mintage.CodeUnavailable)
}

// awaitSessions waits until n sessions are in an idle transaction that has our
// application's name.
func awaitSessions(t *testing.T, url string, n int) {
	t.Helper()
	watcher := connect(t, url)
	storetest.Eventually(t, "sessions end", func() bool {
		return value[int](t, watcher, `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'mintage' AND state = 'idle in transaction'`) == n
	})
}

func wantState(t testing.TB, err error, code mintage.Code, state string) {
	t.Helper()
	wantCode(t, err, code)
	if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != state {
		t.Errorf("the error is %v, want SQLSTATE %s", err, state)
	}
}

func TestLostConnection(t *testing.T) {
	db := storetest.Open(t, "postgres")
	product := newProduct(t, db.Store)
	killer := connect(t, db.URL)
	kill := func() {
		exec(t, killer, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'mintage'`)
	}

	// A savepoint does not bring the transaction back.
	err := db.InTx(t.Context(), func(tx store.Tx) error {
		if _, err := tx.LockProduct(t.Context(), product.BrandNumber, product.ID); err != nil {
			return err
		}
		err := tx.Savepoint(t.Context(), func() error {
			kill()
			return tx.UpdateProduct(t.Context(), product)
		})
		wantCode(t, err, mintage.CodeUnavailable)
		_, err = tx.Now(t.Context())
		wantCode(t, err, mintage.CodeUnavailable)
		return nil
	})
	wantCode(t, err, mintage.CodeUnavailable)

	err = db.InTx(t.Context(), func(tx store.Tx) error {
		err := tx.UpdateProduct(t.Context(), product)
		kill() // the commit meets a dead connection
		return err
	})
	// Whether the commit got onto the wire is a matter of a moment.
	if code := mintage.ErrorCode(err); code != mintage.CodeUnavailable && code != mintage.CodeUnknown {
		t.Errorf("the commit on a dead connection: %v", err)
	}
	must(t, db.Ping(t.Context()))
}

func TestServerDownAndUpAgain(t *testing.T) {
	server := pgtest.StartServer(t)
	s := open(t, server.URL(""), postgres.Options{})
	must(t, s.Migrate(t.Context()))
	must(t, s.Ping(t.Context()))
	server.Stop("fast")
	wantCode(t, s.Ping(t.Context()), mintage.CodeUnavailable)
	wantCode(t, s.InTx(t.Context(), func(store.Tx) error { return nil }), mintage.CodeUnavailable)
	wantCode(t, s.Migrate(t.Context()), mintage.CodeUnavailable)
	_, err := s.EndHungWorkers(t.Context(), time.Second)
	wantCode(t, err, mintage.CodeUnavailable)
	_, err = postgres.Open(t.Context(), server.URL(""), postgres.Options{})
	wantCode(t, err, mintage.CodeUnavailable)
	server.Start()
	must(t, s.Ping(t.Context()))
	must(t, s.Close())
	wantCode(t, s.Ping(t.Context()), mintage.CodeUnavailable)
}

func TestSilentServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = postgres.Open(ctx, "postgres://me@"+listener.Addr().String()+"/db", postgres.Options{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline: %v", err)
	}
	_, err = postgres.Open(t.Context(), "postgres://me@"+listener.Addr().String()+"/db?connect_timeout=1", postgres.Options{})
	wantCode(t, err, mintage.CodeUnavailable)
}

func TestReadOnlyServer(t *testing.T) {
	db := storetest.Open(t, "postgres")
	product := newProduct(t, db.Store)
	s := open(t, db.URL, postgres.Options{}, "default_transaction_read_only", "on")
	wantCode(t, s.Ping(t.Context()), mintage.CodeUnavailable)
	err := s.InTx(t.Context(), func(tx store.Tx) error { return tx.UpdateProduct(t.Context(), product) })
	wantState(t, err, mintage.CodeUnavailable, "25006")
	must(t, s.Read(t.Context(), func(r store.Reader) error {
		_, err := r.ProductByID(t.Context(), product.BrandNumber, product.ID)
		return err
	}))
}

func TestDeadlockIsRunAgain(t *testing.T) {
	db := storetest.Open(t, "postgres")
	f := storetest.NewFixture(t, db.Store)
	brand := f.NewBrand()
	first, second := f.NewProduct(brand), f.NewProduct(brand)

	runs := make(chan int, 2)
	meet := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	cross := func(i int, order ...*mintage.Product) {
		count := 0
		err := db.InTx(t.Context(), func(tx store.Tx) error {
			count++
			if _, err := tx.LockProduct(t.Context(), brand.Number, order[0].ID); err != nil {
				return err
			}
			if count == 1 { // each waits for the other to have its first lock
				close(meet[i])
				<-meet[1-i]
			}
			return tx.Savepoint(t.Context(), func() error {
				_, err := tx.LockProduct(t.Context(), brand.Number, order[1].ID)
				return err
			})
		})
		if err != nil {
			t.Error(err)
		}
		runs <- count
	}
	go cross(0, first, second)
	go cross(1, second, first)
	// At least: who runs again at once may be quick enough to meet the other again.
	if total := <-runs + <-runs; total < 3 {
		t.Errorf("both ran %d times together, want 3 or more", total)
	}
}

func TestCancelledContext(t *testing.T) {
	db := storetest.Open(t, "postgres")
	product := newProduct(t, db.Store)
	lock := connect(t, db.URL)
	exec(t, lock, `BEGIN`)
	exec(t, lock, `SELECT FROM products FOR UPDATE`)

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		db.AwaitBlocked(t, 1)
		cancel()
	}()
	err := db.InTx(ctx, func(tx store.Tx) error {
		err := tx.Savepoint(ctx, func() error { return tx.UpdateProduct(ctx, product) })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("in the middle of a statement: %v", err)
		}
		_, err = tx.Now(t.Context())
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("afterwards: %v", err)
	}
	exec(t, lock, `ROLLBACK`)

	// Cancelled at the very end, the work is undone and the connection kept.
	ctx, cancel = context.WithCancel(t.Context())
	product.Name = "not kept"
	err = db.InTx(ctx, func(tx store.Tx) error {
		defer cancel()
		return tx.UpdateProduct(ctx, product)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("before the commit: %v", err)
	}
	if name := value[string](t, lock, `SELECT name FROM products`); name == "not kept" {
		t.Error("a cancelled transaction was committed")
	}
}

func TestSwallowedError(t *testing.T) {
	db := storetest.Open(t, "postgres")
	product := newProduct(t, db.Store)
	err := db.InTx(t.Context(), func(tx store.Tx) error {
		wantCode(t, tx.CreateProduct(t.Context(), product), mintage.CodeConflict)
		return nil
	})
	wantCode(t, err, mintage.CodeInternal) // never a commit of nothing that looks like success
}

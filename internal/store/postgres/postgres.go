package postgres

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"mintage"
	"mintage/internal/store"
)

// Options are what a URL does not say. The zero value is ready for use.
type Options struct {
	// DirectURL leads past PgBouncer, for LISTEN and migrations; "" where the
	// URL itself does.
	DirectURL string
	// Now replaces the database's clock, in tests.
	Now func() time.Time
	// MaxConns bounds the connections of the pool; 0 means 10. Watch, each subscription
	// and a migration have one more of their own.
	MaxConns int32
	// EveryBrand says that the store works for all brands, as workers and the
	// operator's commands do. Ping then refuses a role that policies apply to,
	// which would find no work and say nothing.
	EveryBrand bool

	// Bounds within a read-write transaction: of one statement (0 means 12 s),
	// of the wait for one lock (10 s), and of the time between two statements
	// (12 s). The first one bounds the statements of read-only ones too.
	StatementTimeout, LockTimeout, IdleTimeout time.Duration
}

const (
	// reruns is how often InTx runs a function again that lost a race.
	reruns = 5
	// Commit and rollback do not end with the context, but they do end.
	commitTimeout   = 15 * time.Second
	rollbackTimeout = 5 * time.Second
	// oldest is the first version that has what the migrations use.
	oldest = 150_000
)

// Store is a PostgreSQL database. It is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	watch  *pgxpool.Pool // one connection, opened when Watch wants it first
	direct *pgx.ConnConfig
	now    func() time.Time // nil for the database's clock

	beginWrite, beginRead []string
	everyBrand            bool
	horizon               horizon

	lifetime      context.Context //nolint:containedctx // ends with Close, not with any call
	end           context.CancelFunc
	subscriptions sync.WaitGroup
}

var _ store.Store = (*Store)(nil)

// Open connects to a database. It fails with UNAVAILABLE where the server cannot
// be reached now; later interruptions are survived. No error shows the URL.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	direct, err := parse(cmp.Or(opts.DirectURL, url))
	if err != nil {
		return nil, err
	}
	config.MaxConns = cmp.Or(opts.MaxConns, 10)
	config.PingTimeout = 5 * time.Second
	// Behind PgBouncer others' notifications may come in; pgx would keep them.
	config.ConnConfig.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, failure(ctx, err)
	}
	if err := checkServer(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	alone := config.Copy()
	alone.MaxConns, alone.MinConns, alone.MinIdleConns = 1, 0, 0
	watch, err := pgxpool.NewWithConfig(ctx, alone)
	if err != nil {
		pool.Close()
		return nil, failure(ctx, err)
	}
	statement := setting("statement_timeout", cmp.Or(opts.StatementTimeout, 12*time.Second))
	s := &Store{
		pool:   pool,
		watch:  watch,
		direct: direct.ConnConfig,
		now:    opts.Now,

		everyBrand: opts.EveryBrand,
		// Not READ WRITE: a server that was set to read-only shall say so.
		beginWrite: []string{`BEGIN ISOLATION LEVEL READ COMMITTED`, `SELECT ` + statement + `, ` +
			setting("lock_timeout", cmp.Or(opts.LockTimeout, 10*time.Second)) + `, ` +
			setting("idle_in_transaction_session_timeout", cmp.Or(opts.IdleTimeout, 12*time.Second))},
		// Whoever reads may take its time between two statements: nobody waits for it.
		beginRead: []string{`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`, `SELECT ` + statement},
	}
	s.lifetime, s.end = context.WithCancel(context.Background())
	return s, nil
}

func parse(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error quotes the URL, and may not find the password in it.
		return nil, mintage.Errorf(mintage.CodeInvalidInput,
			"The database's URL cannot be read. It looks like postgres://user:password@host:5432/database.")
	}
	c := config.ConnConfig
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.DialFunc = (&net.Dialer{Control: control, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}).DialContext
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "mintage"
	}
	return config, nil
}

func checkServer(ctx context.Context, pool *pgxpool.Pool) error {
	var version int
	var encoding string
	err := pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::integer, current_setting('server_encoding')`).
		Scan(&version, &encoding)
	switch {
	case err != nil:
		return failure(ctx, err)
	case version < oldest:
		return mintage.Errorf(mintage.CodeNotSupported, "This PostgreSQL is too old; mintage needs version %d or later.", oldest/10_000)
	case encoding != "UTF8":
		return mintage.Errorf(mintage.CodeNotSupported, "The database's encoding is not UTF8; create it with ENCODING 'UTF8'.")
	}
	return nil
}

// setting is SET LOCAL as an expression, so that several take one statement.
func setting(parameter string, d time.Duration) string {
	return fmt.Sprintf(`set_config('%s', '%d', true)`, parameter, d.Milliseconds())
}

// Engine returns "postgres".
func (s *Store) Engine() string { return "postgres" }

// Close ends the subscriptions and waits for what runs in the pool's
// connections.
func (s *Store) Close() error {
	s.end()
	s.subscriptions.Wait()
	s.pool.Close()
	s.watch.Close()
	return nil
}

// InTx runs fn in a transaction; see [store.Transactions].
func (s *Store) InTx(ctx context.Context, fn func(store.Tx) error) error {
	return s.inTx(ctx, s.beginWrite, fn)
}

// Read runs fn in a read-only transaction; see [store.Transactions].
func (s *Store) Read(ctx context.Context, fn func(store.Reader) error) error {
	return s.read(ctx, s.beginRead, fn)
}

// Watch runs fn as Read does, on a connection of its own; see [store.Store].
func (s *Store) Watch(ctx context.Context, fn func(store.Reader) error) error {
	return s.run(ctx, s.watch, s.beginRead, func(t *tx) error { return fn(t) })
}

func (s *Store) inTx(ctx context.Context, begin []string, fn func(store.Tx) error) error {
	for attempt := 0; ; attempt++ {
		err := s.run(ctx, s.pool, begin, func(t *tx) error { return fn(t) })
		if mintage.ErrorCode(err) != mintage.CodeRetry || attempt == reruns || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Store) read(ctx context.Context, begin []string, fn func(store.Reader) error) error {
	return s.run(ctx, s.pool, begin, func(t *tx) error { return fn(t) })
}

func (s *Store) run(ctx context.Context, pool *pgxpool.Pool, begin []string, fn func(*tx) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return failure(ctx, err)
	}
	t := &tx{conn: conn, now: s.now}
	for _, sql := range begin {
		t.goAhead(sql)
	}
	defer func() { // also on a panic
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		t.release(ctx)
	}()
	if err := fn(t); err != nil {
		return err
	}
	if t.lost != nil {
		return t.lost
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	commit, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if err := t.commit(commit); err != nil {
		unsent := pgconn.SafeToRetry(err)
		err = failure(context.WithoutCancel(ctx), err)
		if !unsent && (mintage.ErrorCode(err) == mintage.CodeUnavailable || commit.Err() != nil) {
			// The server may have committed and could not say so.
			err = mintage.Errorf(mintage.CodeUnknown, "The database went away while it stored this; it may or may not have been stored. Look before you ask again, or ask again under the same Idempotency-Key.").WithCause(err)
		}
		return err
	}
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite" // registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"mintage"
	"mintage/internal/store"
)

// Options change how a file is opened; the zero value is what production wants.
type Options struct {
	// Now replaces the database's clock, for tests.
	Now func() time.Time
	// BusyTimeout is how long to wait for another process that writes; 0 means
	// ten seconds.
	BusyTimeout time.Duration
}

const (
	defaultBusyTimeout = 10 * time.Second
	// maxReaders bounds the read transactions that run at once; others wait.
	maxReaders = 8
	// maxTries is how often InTx runs a function that lost a race.
	maxTries = 5
)

// Store is a database in one SQLite file.
type Store struct {
	path   string
	now    func() time.Time
	writer *sql.DB // one connection: its owner is the only writer of this process
	reader *sql.DB // read-only connections
	watch  *sql.DB // a read-only connection for Watch
	turn   turnstile
	wal    walKeeper

	known   int64       // the version of the schema that this program knows
	current atomic.Bool // the file was found to have it
	closed  atomic.Bool

	mu          sync.Mutex
	subscribers map[chan struct{}]struct{}
}

var _ store.Store = (*Store)(nil)

// Open opens the file at path and creates it where there is none, readable by
// its owner only. A file that has to be migrated first opens too; one that a
// newer program migrated does not.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if path == "" {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "The path of the database file is empty.")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	if err := create(absolute); err != nil {
		return nil, cannotOpen(path, err)
	}
	s := &Store{path: absolute, now: opts.Now, subscribers: make(map[chan struct{}]struct{})}
	if s.now == nil {
		// SQLite has no clock of its own: it asks the operating system, as this does.
		s.now = time.Now
	}
	if opts.BusyTimeout <= 0 {
		opts.BusyTimeout = defaultBusyTimeout
	}
	s.wal.path, s.wal.large, s.wal.busyTimeout = absolute+"-wal", walLarge, opts.BusyTimeout
	if err := s.connect(ctx, opts.BusyTimeout); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.turn, err = newTurnstile(absolute); err != nil {
		return nil, errors.Join(cannotOpen(path, err), s.Close())
	}
	return s, nil
}

// create makes an empty file where there is none. It never opens an existing
// one: closing that again would drop the locks that other connections of this
// process hold on it (as POSIX wants it).
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func cannotOpen(path string, err error) error {
	return mintage.Errorf(mintage.CodeUnavailable,
		"The database file %s cannot be opened or created; check that its folder exists and may be written to.", path).WithCause(err)
}

func (s *Store) connect(ctx context.Context, busyTimeout time.Duration) (err error) {
	if s.writer, err = sql.Open("sqlite", writerDSN(s.path, busyTimeout)); err != nil {
		return s.fail(err)
	}
	s.writer.SetMaxOpenConns(1)
	if s.reader, err = sql.Open("sqlite", readerDSN(s.path, busyTimeout)); err != nil {
		return s.fail(err)
	}
	s.reader.SetMaxOpenConns(maxReaders)
	s.reader.SetMaxIdleConns(maxReaders)
	if s.watch, err = sql.Open("sqlite", readerDSN(s.path, busyTimeout)); err != nil {
		return s.fail(err)
	}
	s.watch.SetMaxOpenConns(1)

	var mode string
	var version int64
	err = whileBusy(ctx, busyTimeout, func() error {
		if err := s.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
			return s.fail(err)
		}
		version, err = s.version(ctx) // by a reader, so that both ways in are known to work
		return err
	})
	if err != nil {
		return err
	}
	if mode != "wal" {
		return mintage.Errorf(mintage.CodeNotSupported,
			"The file system that %s is on cannot keep a write-ahead log; put the file on a local disk.", s.path)
	}
	if s.known, err = s.knownVersion(); err != nil {
		return err
	}
	if version > s.known {
		return s.newerSchema(version)
	}
	return nil
}

// whileBusy runs fn again while another process keeps the file locked, until
// patience ends. Where the file's first connection sets the journal up, or its last
// one clears it away, SQLite does not wait by its own busy timeout.
func whileBusy(ctx context.Context, patience time.Duration, fn func() error) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		err := fn()
		if e, ok := errors.AsType[*sqlite.Error](err); !ok || e.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-deadline.C:
			return err
		case <-poll.C:
		}
	}
}

// writerDSN and readerDSN name the file and the settings of a connection to it;
// the package's documentation has the reasons.
func writerDSN(path string, busyTimeout time.Duration) string {
	return dsn(path, url.Values{
		"_txlock":       {"immediate"},
		"_busy_timeout": {milliseconds(busyTimeout)},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"1"},
		"_pragma": {
			"cache_size(-16384)",
			"journal_size_limit(" + strconv.Itoa(walKept) + ")",
			"temp_store(memory)",
		},
	})
}

func readerDSN(path string, busyTimeout time.Duration) string {
	return dsn(path, url.Values{
		"mode":          {"ro"},
		"_query_only":   {"1"},
		"_busy_timeout": {milliseconds(busyTimeout)},
		"_pragma":       {"temp_store(memory)"},
	})
}

// dsn makes a URI of an absolute path, so that "?", "#" and "%" in it are part
// of the name.
func dsn(path string, settings url.Values) string {
	settings.Set("_dqs", "0")      // a misspelt column is an error, not a string
	settings.Set("_error_rc", "1") // messages belong to their codes
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: settings.Encode()}
	return u.String()
}

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(d.Milliseconds(), 10)
}

// Engine returns "sqlite".
func (s *Store) Engine() string { return "sqlite" }

// InTx implements [store.Store].
func (s *Store) InTx(ctx context.Context, fn func(store.Tx) error) error {
	for try := 1; ; try++ {
		err := s.inTx(ctx, fn)
		if mintage.ErrorCode(err) != mintage.CodeRetry || try == maxTries {
			return err
		}
	}
}

func (s *Store) inTx(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.requireSchema(ctx); err != nil {
		return err
	}
	if err := s.transact(ctx, fn); err != nil {
		return err
	}
	s.wal.keep(ctx, s.writer)
	return nil
}

func (s *Store) transact(ctx context.Context, fn func(store.Tx) error) error {
	// It waits for the process's other writers first, then, at the turnstile and in
	// BEGIN IMMEDIATE, for those of other processes; all of it ends with ctx.
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return s.fail(err)
	}
	defer func() { _ = conn.Close() }() // returns it to the pool
	leave := s.turn.enter(ctx)
	raw, err := conn.BeginTx(ctx, nil)
	leave()
	if err != nil {
		return s.fail(err)
	}
	defer func() { _ = raw.Rollback() }() // nothing after a commit; also on a panic
	t := &tx{reader: reader{&session{ctx: ctx, raw: raw, store: s}}}
	if err := fn(t); err != nil {
		return err
	}
	if t.broken != nil {
		return t.broken
	}
	if err := raw.Commit(); err != nil {
		return t.fail(err)
	}
	if t.submitted {
		s.announce()
	}
	return nil
}

// Read implements [store.Store].
func (s *Store) Read(ctx context.Context, fn func(store.Reader) error) error {
	if err := s.requireSchema(ctx); err != nil {
		return err
	}
	return s.read(ctx, s.reader, func(session *session) error { return fn(reader{session}) })
}

// Watch implements [store.Store].
func (s *Store) Watch(ctx context.Context, fn func(store.Reader) error) error {
	if err := s.requireSchema(ctx); err != nil {
		return err
	}
	return s.read(ctx, s.watch, func(session *session) error { return fn(reader{session}) })
}

func (s *Store) read(ctx context.Context, db *sql.DB, fn func(*session) error) error {
	raw, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.fail(err)
	}
	defer func() { _ = raw.Rollback() }() // it only read
	return fn(&session{ctx: ctx, raw: raw, store: s})
}

// pingWait is how long Ping waits for its turn to write.
const pingWait = time.Second

// Ping implements [store.Store]. It commits a write of one page, the cheapest
// that still meets a full disk or a file that became read-only. Where this
// process is writing anyway it does not wait: that is busy, not broken.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.checkSchema(ctx); err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, pingWait)
	defer cancel()
	conn, err := s.writer.Conn(short)
	if err != nil {
		if short.Err() != nil && ctx.Err() == nil {
			return nil
		}
		return s.fail(err)
	}
	defer func() { _ = conn.Close() }() // returns it to the pool

	leave := s.turn.enter(short)
	raw, err := conn.BeginTx(short, nil)
	leave()
	if err == nil {
		defer func() { _ = raw.Rollback() }()
		// The number is free for our use; setting it to what it is writes all the same.
		if _, err = raw.ExecContext(short, "PRAGMA user_version = 0"); err == nil {
			err = raw.Commit()
		}
	}
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return unavailable("Another process has been writing to the database file for long.", err)
	}
	return s.fail(err)
}

// Submissions implements [store.Store]: it tells of those of this process.
func (s *Store) Submissions(ctx context.Context) <-chan struct{} {
	signal := make(chan struct{}, 1)
	s.mu.Lock()
	s.subscribers[signal] = struct{}{}
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		delete(s.subscribers, signal)
		s.mu.Unlock()
	})
	return signal
}

func (s *Store) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for signal := range s.subscribers {
		select {
		case signal <- struct{}{}:
		default: // one is waiting there already
		}
	}
}

// EndHungWorkers implements [store.Store]. There is nothing to end: the lock is
// the write transaction of this process, its statements run in this process and
// not over a link that can hang, and it ends with the process.
func (s *Store) EndHungWorkers(context.Context, time.Duration) ([]int64, error) {
	return nil, nil
}

// Close implements [store.Store]. The writer goes last, so that it moves the
// journal into the file and removes it.
func (s *Store) Close() error {
	s.closed.Store(true)
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.watch, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	errs = append(errs, s.turn.close())
	return errors.Join(errs...)
}

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // for [DB.Raw]

	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/sqlite"
	"mintage/internal/store/storetest/pgtest"
)

// Engines are the databases that every test of the contract runs on.
var Engines = []string{"sqlite", "postgres"}

// DB is a test's own database, and the store that is open on it.
type DB struct {
	store.Store

	// Clock is the database's clock, where the test asked for one that it can
	// set; else nil, and the clock is the real one.
	Clock *Clock

	URL     string // PostgreSQL only
	DataDir string // SQLite only: the folder that the file is in
	Path    string // SQLite only: the file
}

// Each runs fn as one subtest per engine, each with a database of its own.
func Each(t *testing.T, fn func(t *testing.T, db *DB)) {
	t.Helper()
	each(t, Open, fn)
}

// EachWithClock is [Each] with a clock of the database that the test sets.
func EachWithClock(t *testing.T, fn func(t *testing.T, db *DB)) {
	t.Helper()
	each(t, OpenWithClock, fn)
}

func each(t *testing.T, open func(testing.TB, string) *DB, fn func(*testing.T, *DB)) {
	t.Helper()
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) { fn(t, open(t, engine)) })
	}
}

// Open makes a migrated database for one test and opens it.
func Open(t testing.TB, engine string) *DB {
	t.Helper()
	return create(t, engine, true, nil)
}

// OpenWithClock is [Open] with a clock of the database that the test sets.
func OpenWithClock(t testing.TB, engine string) *DB {
	t.Helper()
	return create(t, engine, true, NewClock(time.Date(2026, time.March, 29, 1, 59, 59, 999_999_000, time.UTC)))
}

// OpenEmpty makes a database that has not been migrated.
func OpenEmpty(t testing.TB, engine string) *DB {
	t.Helper()
	return create(t, engine, false, nil)
}

// Reopen opens the same database a second time: on PostgreSQL what a second
// process would do, on SQLite a second handle to the same file.
func (db *DB) Reopen(t testing.TB) store.Store {
	t.Helper()
	s, err := open(db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Raw opens a connection pool that does not go through the contract, to look at
// what it stored, or to bring about what it would not.
func (db *DB) Raw(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "pgx", db.URL
	if db.Path != "" {
		driver, source = "sqlite", "file:"+db.Path+"?_pragma=busy_timeout(10000)"
	}
	raw, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return raw
}

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// AwaitBlocked waits until n of the database's transactions wait for a lock. On
// SQLite it returns at once, see the package's documentation.
func (db *DB) AwaitBlocked(t testing.TB, n int) {
	t.Helper()
	if db.Path != "" {
		return
	}
	raw := db.Raw(t)
	defer raw.Close()
	Eventually(t, fmt.Sprintf("%d transactions wait for a lock", n), func() bool {
		var waiting int
		err := raw.QueryRowContext(t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		return waiting >= n
	})
}

// Eventually waits until something that can only be polled holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it has not come true: %s", what)
		}
	}
}

// Clock is a clock that stands until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at now.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now returns where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock, back too.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func create(t testing.TB, engine string, migrated bool, clock *Clock) *DB {
	t.Helper()
	db := &DB{Clock: clock}
	switch engine {
	case "sqlite":
		db.DataDir = t.TempDir()
		db.Path = filepath.Join(db.DataDir, "mintage.db")
		if migrated {
			copySQLite(t, db.Path)
		}
	case "postgres":
		template := ""
		if migrated {
			template = pgtest.Template(t, "storetest", func(url string) error { return migrate(&DB{URL: url}) })
		}
		db.URL = pgtest.NewDatabase(t, template)
	default:
		t.Fatalf("there is no engine %q", engine)
	}
	s, err := open(db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	db.Store = s
	return db
}

func open(db *DB) (store.Store, error) {
	var now func() time.Time
	if db.Clock != nil {
		now = db.Clock.Now
	}
	if db.Path != "" {
		return sqlite.Open(context.Background(), db.Path, sqlite.Options{Now: now})
	}
	return postgres.Open(context.Background(), db.URL, postgres.Options{Now: now})
}

func migrate(db *DB) error {
	s, err := open(db)
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(context.Background()), s.Close())
}

// copySQLite makes a migrated file.
func copySQLite(t testing.TB, path string) {
	t.Helper()
	file, err := migratedFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// migratedFile is a migrated SQLite file, made once in this process.
var migratedFile = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "mintage-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "mintage.db")
	if err := migrate(&DB{Path: path}); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return nil, errors.New("the closed SQLite file left a journal behind")
	}
	return os.ReadFile(path)
})

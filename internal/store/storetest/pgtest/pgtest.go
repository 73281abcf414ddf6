//go:build unix

// Package pgtest gives tests a PostgreSQL.
//
// Where MINTAGE_TEST_POSTGRES_URL is set, that server is used; it must let its
// user create databases. Elsewhere the first test that asks starts a throw-away
// server from the installed binaries, one for each test process. Without any,
// the test fails and says what to install: a test of the product's promises
// that was not run must never look like one that passed.
//
// A test takes a database of its own with [NewDatabase], usually a copy of a
// migrated [Template]. Tests that stop or kill the server take one of their own
// with [StartServer].
//
// A throw-away server cannot outlive the tests, however these end. It belongs
// to a keeper, a shell that takes one command a line from a pipe; the end of
// the pipe, which the kernel brings about even after SIGKILL, makes it stop the
// server and remove the folder. So packages need no TestMain.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// EnvURL names the environment variable with the URL of a server to use
// instead of a throw-away one.
const EnvURL = "MINTAGE_TEST_POSTGRES_URL"

// Databases of tests are named so that whoever owns a server of their own can
// tell them from others, and drop what a killed test left there. There the
// templates stay too: nothing runs after a process's last test.
const namePrefix = "mintage_test_"

// A database is made in well under a second, but the machine may be busy.
const patience = time.Minute

// server is this process's server. The keeper is nil for one of somebody else;
// it is held here because with the last reference to its pipe the pipe would be
// closed, and the server ended in the middle of the tests.
type server struct {
	url    string
	keeper *keeper
}

var shared = sync.OnceValues(func() (server, error) {
	if external := os.Getenv(EnvURL); external != "" {
		u, err := url.Parse(external)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return server{}, errors.New(EnvURL + " is not a URL that starts with postgres://")
		}
		return server{url: external}, nil
	}
	// Nothing here has to survive a crash. Tests that crash a server use StartServer.
	k, err := launch("full_page_writes=off")
	if err != nil {
		return server{}, err
	}
	return server{url: k.url(""), keeper: k}, nil
})

// URL returns the URL of the server that all tests of this process share, with
// its maintenance database. Tests that write take a database of their own.
func URL(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s.url
}

// NewDatabase creates a database for one test, empty or as a copy of a
// template, and returns its URL. It is dropped after the test, with whatever
// connections are still open.
func NewDatabase(t testing.TB, template string) string {
	t.Helper()
	u := URL(t)
	name, err := create(u, template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Dropping matters even on a throw-away server: an empty database takes
		// 7 MB, and a suite makes thousands.
		if err := execute(u, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("drop a test's database: %v", err)
		}
	})
	return inDatabase(u, name)
}

// templates holds, by name, what makes each template once.
var templates sync.Map // string -> func() (string, error)

// Template returns the name of a template for [NewDatabase], made by migrate
// the first time that a test of this process asks for it by this name. Migrate
// must leave no connection open.
func Template(t testing.TB, name string, migrate func(url string) error) string {
	t.Helper()
	u := URL(t)
	once, _ := templates.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		database, err := create(u, "")
		if err != nil {
			return "", err
		}
		if err := migrate(inDatabase(u, database)); err != nil {
			return "", fmt.Errorf("migrate the template %s: %w", name, err)
		}
		return database, nil
	}))
	database, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return database
}

// create makes a database of a name that no other process can have.
func create(serverURL, template string) (name string, err error) {
	name = namePrefix + strings.ToLower(rand.Text())
	sql := "CREATE DATABASE " + quote(name)
	if template != "" {
		sql += " TEMPLATE " + quote(template)
	}
	if err := execute(serverURL, sql); err != nil {
		return "", fmt.Errorf("create a test's database: %w", err)
	}
	return name, nil
}

// execute runs one statement in a connection of its own. It does not use the
// test's context, which is cancelled before the test's cleanups run.
func execute(databaseURL, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// inDatabase returns the server's URL with another database.
func inDatabase(serverURL, database string) string {
	u, err := url.Parse(serverURL)
	if err != nil {
		panic(err) // parsed once already
	}
	u.Path = "/" + database
	u.RawPath = ""
	return u.String()
}

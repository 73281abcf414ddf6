//go:build unix

package pgtest

import (
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
)

// Logins are URLs of one database, each with a login role that has the rights of
// one plane.
type Logins struct{ App, Worker, Resolver string }

// Roles makes login roles for one test, members of the group roles that migrating
// the database has made, and removes them after the test. The worker's has
// BYPASSRLS. The server's user must be a superuser.
func Roles(t testing.TB, databaseURL string) Logins {
	t.Helper()
	return Logins{
		App:      Login(t, databaseURL, "IN ROLE mintage_app"),
		Worker:   Login(t, databaseURL, "BYPASSRLS IN ROLE mintage_worker"),
		Resolver: Login(t, databaseURL, "IN ROLE mintage_resolver"),
	}
}

// Login makes a login role for one test, with further options of CREATE ROLE, and
// returns the URL of the database with it. The role is removed after the test; it
// must not own anything by then, nor have been granted anything itself.
func Login(t testing.TB, databaseURL, options string) string {
	t.Helper()
	name, password := namePrefix+strings.ToLower(rand.Text()), rand.Text()
	if err := execute(databaseURL, "CREATE ROLE "+quote(name)+" LOGIN PASSWORD '"+password+"' "+options); err != nil {
		t.Fatalf("create a test's role: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(databaseURL, "DROP ROLE "+quote(name)); err != nil {
			t.Errorf("drop a test's role: %v", err)
		}
	})
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(name, password)
	return u.String()
}

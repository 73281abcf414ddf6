package access_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// world is a database with two brands, and the service on it.
type world struct {
	*access.Service
	*storetest.Fixture
	t          testing.TB
	db         *storetest.DB
	clock      *storetest.Clock
	mine, your *mintage.Brand
	// An owner's principals.
	p, foreign mintage.Principal
}

// each runs a test on each engine, and on PostgreSQL also in the role that sees one
// brand at a time.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	for name, as := range map[string]func(testing.TB, *storetest.DB) store.Store{
		"sqlite":       func(_ testing.TB, db *storetest.DB) store.Store { return db },
		"postgres":     func(_ testing.TB, db *storetest.DB) store.Store { return db },
		"postgres app": func(t testing.TB, db *storetest.DB) store.Store { return db.As(t, "mintage_app") },
	} {
		t.Run(name, func(t *testing.T) {
			engine := "postgres"
			if name == "sqlite" {
				engine = name
			}
			db := storetest.Open(t, engine)
			fn(t, newWorld(t, db, as(t, db)))
		})
	}
}

func newWorld(t testing.TB, db *storetest.DB, s store.Store) *world {
	t.Helper()
	w := &world{
		t: t, db: db, Fixture: storetest.NewFixture(t, db),
		clock: storetest.NewClock(time.Date(2027, 2, 18, 9, 0, 0, 0, time.UTC)),
	}
	w.Now = w.clock.Now
	w.mine, w.your = w.NewBrand(), w.NewBrand()
	w.p, w.foreign = owner(w.mine), owner(w.your)
	w.Service = access.New(s, w.clock.Now)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("what was left for later failed: %v", err)
		}
	})
	return w
}

// origin is where requests of the tests come from.
var origin = mintage.Origin{AddressClass: mintage.AddressPrivate, RequestID: "r-1"}

func owner(b *mintage.Brand) mintage.Principal {
	return mintage.Principal{BrandNumber: b.Number, Role: mintage.RoleOwner, Actor: "key:test", Origin: origin}
}

func as(p mintage.Principal, role mintage.Role) mintage.Principal {
	p.Role = role
	return p
}

// goodPassword is one that nobody minds.
const goodPassword = "seven lanterns over Ghent"

// joined makes a user with a password who is a member of a brand.
func (w *world) joined(p mintage.Principal, email string, role mintage.Role) *mintage.User {
	w.t.Helper()
	u := w.used(w.invite(p, email, role))
	if err := w.SetPassword(w.t.Context(), u.ID, "", goodPassword, origin); err != nil {
		w.t.Fatal(err)
	}
	return u
}

// invite invites somebody, and returns the link's secret.
func (w *world) invite(p mintage.Principal, email string, role mintage.Role) string {
	w.t.Helper()
	_, secret, err := w.Invite(w.t.Context(), p, email, "Somebody", role)
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

// used uses a link of which that is expected.
func (w *world) used(secret string) *mintage.User {
	w.t.Helper()
	u, err := w.UseLink(w.t.Context(), secret, origin)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// signIn signs in from an address.
func (w *world) signIn(email, password, address string) (*mintage.User, error) {
	w.t.Helper()
	return w.SignIn(w.t.Context(), email, password, origin, netip.MustParseAddr(address))
}

// open commits a session of a user.
func (w *world) open(token, userID string) {
	w.t.Helper()
	ctx := access.WithUser(w.t.Context(), userID)
	if err := w.Sessions().CommitCtx(ctx, token, []byte("data of "+token), w.clock.Now().Add(time.Hour)); err != nil {
		w.t.Fatal(err)
	}
}

// isOpen reports whether there is such a session.
func (w *world) isOpen(token string) bool {
	w.t.Helper()
	data, found, err := w.Sessions().FindCtx(w.t.Context(), token)
	if err != nil || found != (string(data) == "data of "+token) {
		w.t.Fatalf("session %s: %q, %v, %v", token, data, found, err)
	}
	return found
}

// member is a user's place in a brand; nil where there is none.
func (w *world) member(b *mintage.Brand, userID string) *mintage.Member {
	w.t.Helper()
	list, err := w.Members(w.t.Context(), owner(b))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range list {
		if m.UserID == userID {
			return m
		}
	}
	return nil
}

// events lists a brand's events, oldest first, without what the fixture left.
func (w *world) events(b *mintage.Brand) []*mintage.Event {
	w.t.Helper()
	w.Wait()
	var list []*mintage.Event
	err := w.db.Read(w.t.Context(), func(r store.Reader) (err error) {
		list, err = r.Events(w.t.Context(), b.Number, store.EventFilter{}, store.Page{Limit: 1000})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// wantEvents compares the events of a brand since so many ("kind subject from→to").
func (w *world) wantEvents(b *mintage.Brand, since int, want ...mintage.Event) {
	w.t.Helper()
	got := w.events(b)[since:]
	if len(got) != len(want) {
		w.t.Fatalf("%d events, not %d: %s", len(got), len(want), describe(got))
	}
	for i, e := range got {
		wanted := want[i]
		if e.Kind != wanted.Kind || e.SubjectID != wanted.SubjectID || e.From != wanted.From || e.To != wanted.To || e.Actor != wanted.Actor {
			w.t.Errorf("event %d is %s, not %s", i, describe(got[i:i+1]), describe([]*mintage.Event{&wanted}))
		}
		if e.Origin != origin || !e.At.Equal(w.clock.Now()) || e.BrandNumber != b.Number {
			w.t.Errorf("event %d: %+v", i, e)
		}
	}
}

func describe(events []*mintage.Event) (text string) {
	for _, e := range events {
		text += string(e.Kind) + " of " + e.SubjectID + " by " + e.Actor + " " + e.From + "→" + e.To + "; "
	}
	return text
}

// refused expects a code, and that nothing was stored.
func (w *world) refused(code mintage.Code, what string, fn func(ctx context.Context) error) {
	w.t.Helper()
	w.allRefused(func(refused refusal) { refused(code, what, fn) })
}

// refusal expects a code.
type refusal func(code mintage.Code, what string, fn func(ctx context.Context) error)

// allRefused expects that nothing was stored by many calls together.
func (w *world) allRefused(calls func(refused refusal)) {
	w.t.Helper()
	w.Wait()
	before := storetest.Snapshot(w.t, w.db)
	calls(func(code mintage.Code, what string, fn func(ctx context.Context) error) {
		w.t.Helper()
		if err := fn(w.t.Context()); mintage.ErrorCode(err) != code || mintage.ErrorMessage(err) == "" {
			w.t.Errorf("%s: %v", what, err)
		}
	})
	w.Wait()
	if changes := storetest.Changes(before, storetest.Snapshot(w.t, w.db)); changes != "" {
		w.t.Errorf("what was refused left\n%s", changes)
	}
}

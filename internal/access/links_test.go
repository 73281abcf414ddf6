package access_test

import (
	"context"
	"testing"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// firstOwner is who sets an installation up.
var firstOwner = access.SetUp{Email: "owner@acme.example", Name: "Olga Owner", Password: goodPassword}

func TestSetUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		secret, err := w.FirstLink(t.Context())
		if err != nil || secret == "" {
			t.Fatalf("%q, %v", secret, err)
		}
		if u, err := w.UseLink(t.Context(), secret, origin); u != nil || err != nil {
			t.Fatalf("%+v, %v", u, err)
		}
		w.refused(mintage.CodeUnauthorized, "a used link", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, secret, origin)
			return err
		})
		w.allRefused(func(refused refusal) {
			for field, in := range map[string]access.SetUp{
				"email":    {Email: "owner", Name: "O", Password: goodPassword},
				"name":     {Email: "owner@acme.example", Password: goodPassword},
				"password": {Email: "owner@acme.example", Name: "O", Password: "short"},
			} {
				refused(mintage.CodeInvalidInput, field, func(ctx context.Context) error {
					if err := in.Validate(); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
						t.Errorf("%s: %v", field, err)
					}
					_, err := w.SetUp(ctx, in, origin)
					return err
				})
			}
		})
		u, err := w.SetUp(t.Context(), firstOwner, origin)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []*mintage.Brand{w.mine, w.your} {
			if m := w.member(b, u.ID); m == nil || m.Role != mintage.RoleOwner {
				t.Errorf("%s: %+v", b.Name, m)
			}
			w.wantEvents(b, 0, mintage.Event{Kind: mintage.EventMemberAdded, SubjectID: u.ID, To: "owner", Actor: "user:" + u.ID})
		}
		if got, err := w.signIn(firstOwner.Email, goodPassword, "192.0.2.1"); err != nil || got.ID != u.ID {
			t.Errorf("%+v, %v", got, err)
		}

		if secret, err := w.FirstLink(t.Context()); secret != "" || err != nil {
			t.Errorf("a second owner's link: %q, %v", secret, err)
		}
		w.refused(mintage.CodeForbidden, "a second set-up", func(ctx context.Context) error {
			_, err := w.SetUp(ctx, access.SetUp{Email: "second@acme.example", Name: "S", Password: goodPassword}, origin)
			return err
		})
	})
}

func TestFirstLinks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		late := must(w.FirstLink(t.Context()))
		w.clock.Advance(30 * time.Minute)
		w.refused(mintage.CodeUnauthorized, "an expired link", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, late, origin)
			return err
		})
		// A link that nobody has used is worth nothing once there is an owner.
		kept := must(w.FirstLink(t.Context()))
		must(w.SetUp(t.Context(), firstOwner, origin))
		w.refused(mintage.CodeUnauthorized, "a link from before", func(ctx context.Context) error {
			_, err := w.UseLink(ctx, kept, origin)
			return err
		})
	})
}

func TestSetUpWithoutABrand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := access.New(db, time.Now)
		u, err := s.SetUp(t.Context(), firstOwner, origin)
		if err != nil {
			t.Fatal(err)
		}
		if list, err := s.Memberships(t.Context(), u.ID); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
		if _, err := s.PrincipalOf(t.Context(), u.ID, storetest.NewID(), origin); mintage.ErrorCode(err) != mintage.CodeNotFound {
			t.Error(err)
		}
	})
}

// Of many who open a link at the same moment, one gets in.
func TestALinkIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		race(t, w, must(w.FirstLink(t.Context()))) // while there is nobody
		race(t, w, w.invite(w.p, "eva@acme.example", mintage.RoleViewer))
	})
}

func race(t *testing.T, w *world, secret string) {
	t.Helper()
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			_, err := w.UseLink(t.Context(), secret, origin)
			done <- err
		}()
	}
	in := 0
	for range cap(done) {
		switch err := <-done; mintage.ErrorCode(err) {
		case "":
			in++
		case mintage.CodeUnauthorized:
		default:
			t.Error(err)
		}
	}
	if in != 1 {
		t.Errorf("%d got in", in)
	}
}

// A set-up that fails leaves no account behind, so that it can be done again.
func TestSetUpIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, failingEvents{db})
		before := storetest.Snapshot(t, db)
		if _, err := w.SetUp(t.Context(), firstOwner, origin); mintage.ErrorCode(err) != mintage.CodeUnavailable {
			t.Fatal(err)
		}
		if changes := storetest.Changes(before, storetest.Snapshot(t, db)); changes != "" {
			t.Error(changes)
		}
	})
}

// failingEvents is a store that can append no event.
type failingEvents struct{ store.Store }

func (f failingEvents) For(brand int64) store.Transactions {
	return failingTransactions{f.Store.For(brand)}
}

type failingTransactions struct{ store.Transactions }

func (f failingTransactions) InTx(ctx context.Context, fn func(store.Tx) error) error {
	return f.Transactions.InTx(ctx, func(tx store.Tx) error { return fn(failingTx{tx}) })
}

type failingTx struct{ store.Tx }

func (failingTx) AppendEvent(context.Context, *mintage.Event) error {
	return mintage.Errorf(mintage.CodeUnavailable, "The disk is full.")
}

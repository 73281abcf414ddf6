package access_test

import (
	"slices"
	"testing"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store/storetest"
)

func TestActors(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kim := w.joined(w.p, "kim@example.com", mintage.RoleViewer)
		ada := w.joined(w.p, "ada@example.com", mintage.RoleOperator)
		former := w.joined(w.p, "former@example.com", mintage.RoleViewer)
		yours := w.joined(w.foreign, "yours@example.com", mintage.RoleOwner)
		if err := w.RemoveMember(t.Context(), w.p, former.ID); err != nil {
			t.Fatal(err)
		}
		erp, _, err := w.CreateKey(t.Context(), w.p, mintage.RoleOperator, "ERP", w.clock.Now().AddDate(0, 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		others := []string{"user:" + former.ID, "user:" + former.ID, "user:" + kim.ID, "user:" + storetest.NewID(), "user:x", "cli", "worker:1", ""}
		actors, err := w.Actors(t.Context(), as(w.p, mintage.RoleViewer), others)
		if err != nil {
			t.Fatal(err)
		}
		count := func(a access.Actor) (n int) {
			for _, one := range actors {
				if one == a {
					n++
				}
			}
			return n
		}
		for _, want := range []access.Actor{
			{ID: "user:" + kim.ID, Name: "Somebody"}, {ID: "user:" + ada.ID, Name: "Somebody"},
			{ID: "user:" + former.ID, Name: "Somebody"}, {ID: "key:" + erp.ID, Name: "ERP"}, {ID: w.p.Actor, Name: ""},
		} {
			if count(want) != 1 {
				t.Errorf("%d times %+v in %+v", count(want), want, actors)
			}
		}
		if slices.ContainsFunc(actors, func(a access.Actor) bool { return a.ID == "user:"+yours.ID || a.ID == w.foreign.Actor }) {
			t.Errorf("another brand's are among %+v", actors)
		}
		if id, isKey := (access.Actor{ID: "key:abc"}).KeyID(); id != "abc" || !isKey {
			t.Errorf("a key is %q, %v", id, isKey)
		}
		if _, isKey := (access.Actor{ID: "user:abc"}).KeyID(); isKey {
			t.Error("a user is a key")
		}
	})
}

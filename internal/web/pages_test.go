package web

import (
	"net/http"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/store/storetest"
)

func TestDashboard(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleViewer)
		w.as(kim).get("/mint").wants(http.StatusOK, "Nothing has been minted yet", brand.Name)

		jacket := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.Name = "Trail jacket, <M>" })
		w.fixture.Submit(jacket, 10)
		w.fixture.Mint(10)
		w.fixture.Submit(jacket, 40_000)
		w.fixture.Mint(25_600)
		foreign := w.fixture.Submit(w.fixture.NewProduct(other, func(p *mintage.Product) { p.Name = "Secret thing" }), 1)
		queued := w.fixture.Submit(w.fixture.NewProduct(brand), 3)
		page := w.as(kim).get("/mint").wants(http.StatusOK, "Trail jacket, <M>", "COMPLETED", "PROCESSING 64 %", "25,600", "of 40,000", "QUEUED", queued.Batch.ID, jacket.SKU)
		page.lacks("Secret thing", foreign.Batch.ID, foreign.Job.ID, other.Name)
		if strings.Contains(page.body, "<M>") {
			t.Error("a product's name is not escaped")
		}
		german := w.as(kim)
		german.accept = "de"
		page = german.get("/mint").wants(http.StatusOK, `<html lang="de">`, "LÄUFT 64 %", "25.600", "von 40.000", "Betrachter")
		if page.header.Get("Content-Language") != "de" || !strings.Contains(strings.Join(page.header.Values("Vary"), ","), "Accept-Language") {
			t.Errorf("the language is not said: %v", page.header)
		}
	})
}

func TestTwoBrands(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, second, foreign := w.fixture.NewBrand(), w.fixture.NewBrand(), w.fixture.NewBrand()
		kim := w.invite(first, "kim@example.com", mintage.RoleViewer)
		w.join(kim, second, mintage.RoleAdmin)
		of := map[*mintage.Brand]string{}
		for _, b := range []*mintage.Brand{first, second, foreign} {
			of[b] = w.fixture.Submit(w.fixture.NewProduct(b), 1).Batch.ID
		}
		b, elsewhere := w.as(kim), w.as(kim)
		b.get("/mint").wants(http.StatusOK, of[first], "Viewer").lacks(of[second], of[foreign], foreign.Name)
		b.post("/account/brand", "brand_id", second.ID).goesTo("/mint")
		b.get("/mint").wants(http.StatusOK, of[second], "Admin").lacks(of[first], of[foreign], foreign.Name)
		elsewhere.get("/mint").wants(http.StatusOK, of[first])

		theirs := b.post("/account/brand", "brand_id", foreign.ID).wants(http.StatusNotFound)
		nobodys := b.post("/account/brand", "brand_id", storetest.NewID()).wants(http.StatusNotFound)
		if theirs.body != nobodys.body {
			t.Error("another's brand does not look like one that does not exist")
		}

		// A role that changes, and a membership that ends, hold from the next click on.
		owner := w.invite(second, "owner@example.com", mintage.RoleOwner)
		p, err := w.server.Access.PrincipalOf(t.Context(), owner.id, second.ID, mintage.Origin{})
		w.must(err)
		w.must(w.server.Access.ChangeMember(t.Context(), p, kim.id, mintage.RoleOperator))
		b.get("/mint").wants(http.StatusOK, of[second], "Operator")
		w.must(w.server.Access.RemoveMember(t.Context(), p, kim.id))
		b.get("/mint").wants(http.StatusOK, of[first]).lacks(of[second], second.Name)
		b.post("/account/brand", "brand_id", second.ID).wants(http.StatusNotFound)
	})
}

func TestPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, second := w.fixture.NewBrand(), w.fixture.NewBrand()
		kim := w.invite(first, "kim@example.com", mintage.RoleViewer)
		w.join(kim, second, mintage.RoleViewer)
		here, there := w.as(kim), w.as(kim)
		here.post("/account/brand", "brand_id", second.ID).goesTo("/mint")
		here.get("/account").wants(http.StatusOK, "Change password", "Current password", "Kim Example", first.Name, second.Name)

		const better = "seven green foxes knit"
		here.post("/account/password").wants(http.StatusUnprocessableEntity, "Enter your current password", "Enter a new password")
		here.post("/account/password", "current_password", "wrong", "new_password", better).wants(http.StatusUnprocessableEntity,
			`<a href="#current_password">This is not your current password</a>`).lacks(`value="wrong"`, better)
		here.post("/account/password", "current_password", password, "new_password", "short").wants(http.StatusUnprocessableEntity,
			`<a href="#new_password">Choose a password`)
		token := here.token()
		here.post("/account/password", "current_password", password, "new_password", better).goesTo("/account?done=password")
		if here.token() == token {
			t.Error("the token is the same as before")
		}
		here.get("/account?done=password").wants(http.StatusOK, "Your password has been changed.")
		here.get("/mint").wants(http.StatusOK, second.Name) // the brand stays chosen
		there.get("/mint").goesTo("/sign-in?next=%2Fmint")
		there.post("/sign-in", "email", kim.email, "password", password).wants(http.StatusUnprocessableEntity)
		there.post("/sign-in", "email", kim.email, "password", better).goesTo("/mint")
	})
}

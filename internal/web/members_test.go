package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"mintage"
)

var linkSecret = regexp.MustCompile(`/link/([0-9a-z]{52})`)

func TestMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		owner, admin := w.invite(brand, "owner@example.com", mintage.RoleOwner), w.invite(brand, "admin@example.com", mintage.RoleAdmin)
		viewer := w.invite(brand, "viewer@example.com", mintage.RoleViewer)
		stranger := w.invite(other, "stranger@example.com", mintage.RoleOwner)
		b, asAdmin := w.as(owner), w.as(admin)
		path := func(p person) string { return "/settings/members/" + p.id }

		b.get("/settings/members").wants(http.StatusOK, owner.email, admin.email, viewer.email, path(owner), path(admin)).lacks(stranger.email, "Invited")
		asAdmin.get("/settings/members").wants(http.StatusOK, path(viewer)).lacks(path(owner), path(admin))
		w.as(viewer).get("/settings/members").wants(http.StatusForbidden, "This needs the role Admin")
		asAdmin.get(path(owner)).wants(http.StatusOK, "which only owners may change").lacks("Save", "Remove")
		asAdmin.get(path(viewer)).wants(http.StatusOK, `value="viewer" id="member_role" checked`).lacks(`value="owner"`, `value="admin"`)
		b.get(path(owner)).wants(http.StatusOK, "This is you.")

		w.untouched(func() {
			for _, id := range []string{stranger.id, "nothing"} {
				b.get("/settings/members/" + id).wants(http.StatusNotFound)
				b.post("/settings/members/"+id, "member_role", "viewer").wants(http.StatusNotFound)
				b.post("/settings/members/"+id+"/remove", "remove_member", "yes").wants(http.StatusNotFound)
				b.post("/settings/members/" + id + "/withdraw").wants(http.StatusNotFound)
			}
			b.post(path(viewer) + "/withdraw").wants(http.StatusNotFound) // a member is removed, and asked for
			b.post(path(viewer)).wants(http.StatusUnprocessableEntity, `<a href="#member_role">Choose a role`)
			b.post(path(owner), "member_role", "admin").wants(http.StatusUnprocessableEntity, `<a href="#member_role">This is the brand’s last owner`)
			b.post(path(owner)+"/remove", "remove_member", "yes").wants(http.StatusUnprocessableEntity, `<a href="#remove_member">This is the brand’s last owner`)
			b.post(path(viewer)+"/remove").wants(http.StatusUnprocessableEntity, `<a href="#remove_member">Confirm`, `id="remove_member-fault"`, `value="viewer" id="member_role" checked`)
			asAdmin.post(path(viewer), "member_role", "admin").wants(http.StatusForbidden)
			asAdmin.post(path(owner), "member_role", "viewer").wants(http.StatusForbidden)
			asAdmin.post(path(owner)+"/remove", "remove_member", "yes").wants(http.StatusForbidden)
			w.as(viewer).post(path(viewer), "member_role", "owner").wants(http.StatusForbidden)
		})
		asAdmin.post(path(viewer), "member_role", "operator").goesTo("/settings/members?done=member_changed")
		asAdmin.get("/settings/members?done=member_changed").wants(http.StatusOK, "The role has been changed.")
		w.as(viewer).get("/mint").wants(http.StatusOK, "Operator")
		asAdmin.post(path(viewer)+"/remove", "remove_member", "yes").goesTo("/settings/members?done=member_removed")
		w.as(viewer).get("/mint").wants(http.StatusForbidden, "You are in no brand")
		// Whoever takes the own role away may not see the list any more.
		b.post(path(admin), "member_role", "owner").goesTo("/settings/members?done=member_changed")
		b.post(path(owner), "member_role", "viewer").goesTo("/mint")
		b.get("/settings/members").wants(http.StatusForbidden)
	})
}

func TestInvitations(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		owner, admin := w.invite(brand, "owner@example.com", mintage.RoleOwner), w.invite(brand, "admin@example.com", mintage.RoleAdmin)
		stranger := w.invite(other, "stranger@example.com", mintage.RoleOwner)
		b, asAdmin := w.as(owner), w.as(admin)
		const path = "/settings/members/invite"
		invite := func(b *browser, name, email, role string) *page {
			return b.post(path, "invited_name", name, "invited_email", email, "invited_role", role)
		}
		asAdmin.get(path).wants(http.StatusOK, `value="operator"`).lacks(`value="admin"`, `value="owner"`)
		w.untouched(func() {
			b.post(path).wants(http.StatusUnprocessableEntity, `<a href="#invited_name">Enter the person’s name`, `<a href="#invited_email">Enter the person’s e-mail`, `<a href="#invited_role">Choose a role`)
			invite(b, "Kim", "kim", "viewer").wants(http.StatusUnprocessableEntity, `<a href="#invited_email">Enter an e-mail address`, `value="Kim"`)
			invite(b, strings.Repeat("K", 101), "kim@example.com", "viewer").wants(http.StatusUnprocessableEntity, `<a href="#invited_name">Enter a name of 1 to 100`)
			invite(b, "Kim", "kim@example.com", "king").wants(http.StatusUnprocessableEntity, `<a href="#invited_role">Choose a role`)
			invite(b, "Kim", admin.email, "viewer").wants(http.StatusUnprocessableEntity, `<a href="#invited_email">This person is a member already`)
			invite(asAdmin, "Kim", "kim@example.com", "owner").wants(http.StatusUnprocessableEntity, `<a href="#invited_role">Your role does not let you give this one`)
			invite(asAdmin, "Kim", owner.email, "viewer").wants(http.StatusUnprocessableEntity, `<a href="#invited_email">This person has, or is invited with, a role`)
		})
		made := invite(b, "Kim <i>", "kim@example.com", "viewer").wants(http.StatusOK, "Invitation made", "Kim <i>", "kim@example.com", w.http.URL+"/link/", `data-once="/settings/members"`)
		secret := linkSecret.FindStringSubmatch(made.body)[1]
		list := b.get("/settings/members").wants(http.StatusOK, "Invited", "kim@example.com", "Valid until").lacks(secret)
		id := regexp.MustCompile(`/settings/members/([0-9a-f-]+)/withdraw`).FindStringSubmatch(list.body)[1]
		if strings.Contains(w.logged.String(), secret) {
			t.Error("the link is in the log")
		}
		w.untouched(func() { w.as(stranger).post("/settings/members/" + id + "/withdraw").wants(http.StatusNotFound) })

		// A new invitation ends the one before; a withdrawn one ends too.
		again := linkSecret.FindStringSubmatch(invite(asAdmin, "Kim", "KIM@example.com", "operator").wants(http.StatusOK).body)[1]
		w.browser().post("/link", "secret", secret).wants(http.StatusGone)
		list = b.get("/settings/members").wants(http.StatusOK, "KIM@example.com").lacks("Kim <i>")
		id = regexp.MustCompile(`/settings/members/([0-9a-f-]+)/withdraw`).FindStringSubmatch(list.body)[1]
		asAdmin.post("/settings/members/" + id + "/withdraw").goesTo("/settings/members?done=invitation_withdrawn")
		b.get("/settings/members?done=invitation_withdrawn").wants(http.StatusOK, "its link works no more").lacks("Invited")
		w.browser().post("/link", "secret", again).wants(http.StatusGone)

		third := linkSecret.FindStringSubmatch(invite(b, "Kim", "kim@example.com", "admin").wants(http.StatusOK).body)[1]
		w.untouched(func() {
			invite(asAdmin, "Kim", "kim@example.com", "viewer").wants(http.StatusUnprocessableEntity, "This person has, or is invited with, a role")
		})
		asAdmin.get("/settings/members").wants(http.StatusOK, "kim@example.com").lacks("/withdraw")
		w.browser().post("/link", "secret", third).goesTo("/account?done=welcome")
		b.get("/settings/members").wants(http.StatusOK, "kim@example.com").lacks("Invited")
	})
}

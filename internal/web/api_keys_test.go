package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"mintage"
)

var keyText = regexp.MustCompile(`mk_([0-9a-z]{12})[0-9a-z]{52}`)

func TestAPIKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		owner, admin := w.invite(brand, "owner@example.com", mintage.RoleOwner), w.invite(brand, "admin@example.com", mintage.RoleAdmin)
		operator := w.invite(brand, "operator@example.com", mintage.RoleOperator)
		stranger := w.invite(other, "stranger@example.com", mintage.RoleOwner)
		b, asAdmin := w.as(owner), w.as(admin)
		const path = "/settings/api-keys"
		create := func(b *browser, label, role, life string) *page {
			return b.post(path+"/new", "key_label", label, "key_role", role, "key_life", life)
		}
		asAdmin.get(path+"/new").wants(http.StatusOK, `value="operator"`, "In 90 days").lacks(`value="admin"`)
		w.untouched(func() {
			b.post(path+"/new").wants(http.StatusUnprocessableEntity, `<a href="#key_label">Enter a name`, `<a href="#key_role">Choose a role`)
			create(b, strings.Repeat("a", 101), "viewer", "never").wants(http.StatusUnprocessableEntity, `<a href="#key_label">Enter a name of at most 100`)
			create(b, "SAP", "king", "never").wants(http.StatusUnprocessableEntity, `<a href="#key_role">Choose a role`, `value="SAP"`)
			for _, life := range []string{"", "0", "-1", "soon", "99999999"} {
				create(b, "SAP", "viewer", life).wants(http.StatusUnprocessableEntity, `<a href="#key_life">Choose when the key ends`)
			}
			create(asAdmin, "SAP", "owner", "never").wants(http.StatusUnprocessableEntity, `<a href="#key_role">Your role does not let you give this one`)
			create(w.as(operator), "SAP", "viewer", "never").wants(http.StatusForbidden)
			w.as(operator).get(path).wants(http.StatusForbidden)
		})

		made := create(b, "SAP <b>", "operator", "never").wants(http.StatusOK, "Key created", "SAP <b>", `data-once="/settings/api-keys"`)
		text := keyText.FindStringSubmatch(made.body)
		key := path + "/" + text[1]
		hidden := func(text string) {
			t.Helper()
			b.get(path).wants(http.StatusOK).lacks(text)
			b.get(path + "/" + text[3:15]).wants(http.StatusOK).lacks(text)
			if strings.Contains(w.logged.String(), text[15:]) {
				t.Error("the secret is in the log")
			}
		}
		hidden(text[0])
		b.get(path).wants(http.StatusOK, key, "SAP <b>", "Operator", "Active")
		asAdmin.get(key).wants(http.StatusOK, "Replace the key", "Revoke the key", "For one day")

		foreign := w.fixture.NewKey(other).ID
		w.untouched(func() {
			for _, elsewhere := range []string{"/nothing", "/" + foreign} {
				for _, p := range []*page{b.get(path + elsewhere), b.post(path+elsewhere+"/rotate", "key_overlap", "1"), b.post(path+elsewhere+"/revoke", "revoke_key", "yes")} {
					p.wants(http.StatusNotFound)
				}
			}
		})
		w.untouched(func() {
			w.as(stranger).get(key).wants(http.StatusNotFound)
			w.as(stranger).post(key+"/revoke", "revoke_key", "yes").wants(http.StatusNotFound)
			for _, days := range []string{"", "-1", "91", "long"} {
				b.post(key+"/rotate", "key_overlap", days).wants(http.StatusUnprocessableEntity, `<a href="#key_overlap">Choose how long the old key works`)
			}
			b.post(key+"/revoke").wants(http.StatusUnprocessableEntity, `<a href="#revoke_key">Confirm`)
		})

		// An admin leaves an owner's key alone.
		high := keyText.FindStringSubmatch(create(b, "High", "owner", "365").wants(http.StatusOK).body)
		asAdmin.get(path).wants(http.StatusOK, "High").lacks(path + "/" + high[1] + `"`)
		w.untouched(func() {
			asAdmin.post(path+"/"+high[1]+"/revoke", "revoke_key", "yes").wants(http.StatusForbidden)
			asAdmin.post(path+"/"+high[1]+"/rotate", "key_overlap", "0").wants(http.StatusForbidden)
		})

		next := b.post(key+"/rotate", "key_overlap", "7").wants(http.StatusOK, "Key created", "Takes the place of", text[1])
		successor := keyText.FindStringSubmatch(next.body)
		hidden(successor[0])
		b.get(key).wants(http.StatusOK, "Being replaced", path+"/"+successor[1]).lacks("/rotate")
		w.untouched(func() {
			b.post(key+"/rotate", "key_overlap", "7").wants(http.StatusUnprocessableEntity, `<a href="#key_overlap">This key was replaced or has ended meanwhile`)
		})
		for _, key := range []string{text[0], successor[0]} { // both work meanwhile
			if p, err := w.server.Access.Authenticate(t.Context(), key, mintage.Origin{}); err != nil || p.Role != mintage.RoleOperator || p.BrandNumber != brand.Number {
				t.Errorf("the key gives %+v, %v", p, err)
			}
		}
		b.post(path+"/"+successor[1]+"/revoke", "revoke_key", "yes").goesTo(path + "?done=key_revoked")
		b.get(path+"?done=key_revoked").wants(http.StatusOK, "The key has been revoked.", "Revoked")
		b.get(path+"/"+successor[1]).wants(http.StatusOK, "Nothing can be changed here").lacks("/rotate", "/revoke")
		if _, err := w.server.Access.Authenticate(t.Context(), successor[0], mintage.Origin{}); mintage.ErrorCode(err) != mintage.CodeUnauthorized {
			t.Errorf("the revoked key: %v", err)
		}
	})
}

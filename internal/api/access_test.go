package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/access"
)

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner := w.brand.keys[mintage.RoleOwner]
		_, expired, err := w.server.Access.CreateKey(t.Context(), w.brand.principal(), mintage.RoleOwner, "", w.clock.Now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Second)
		var words string
		for _, header := range []string{"", "Bearer", "Bearer ", "Basic " + owner, owner, "Bearer x" + owner, "Bearer " + owner + "x",
			"Bearer " + strings.ToUpper(owner), "Bearer mk_" + strings.Repeat("0", 64), "Bearer " + owner[:len(owner)-1] + "!", "Bearer " + expired} {
			a := w.do(call{key: "-", path: "/v1/products", header: map[string]string{"Authorization": header}})
			p := a.refuses(http.StatusUnauthorized, mintage.CodeUnauthorized)
			if words == "" {
				words = p.Detail
			}
			if p.Detail != words || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%q: %q, WWW-Authenticate %q", header, p.Detail, a.header.Get("WWW-Authenticate"))
			}
		}
		r := w.request(call{path: "/v1/products"})
		r.Header.Add("Authorization", "Bearer "+owner)
		response, err := w.http.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		equal(t, "status with two keys", response.StatusCode, http.StatusUnauthorized)
		w.do(call{key: "-", path: "/v1/products", header: map[string]string{"Authorization": "bearer " + owner}}).is(http.StatusOK)
	})
}

// TestRoles calls each operation of the document as everybody: whoever may not is
// refused before anything of the request is looked at, in the same words.
func TestRoles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, id := range unruled(w.server) {
			t.Errorf("%s has no rule", id)
		}
		create := func(expires time.Time) (id, text string) {
			k, text, err := w.server.Access.CreateKey(t.Context(), w.brand.principal(), mintage.RoleOwner, "", expires)
			if err != nil {
				t.Fatal(err)
			}
			return k.ID, text
		}
		revokedID, revoked := create(time.Time{})
		w.do(call{method: http.MethodDelete, path: "/v1/api-keys/" + revokedID}).is(http.StatusNoContent)
		_, expired := create(w.clock.Now().Add(time.Minute))
		w.clock.Advance(time.Minute)

		strangers := map[string]string{"nobody": "-", "an unknown key": "mk_" + strings.Repeat("0", 64), "a revoked key": revoked, "an expired key": expired}
		words := w.do(call{key: "-", path: "/v1/products"}).refuses(http.StatusUnauthorized, mintage.CodeUnauthorized).Detail
		for id, o := range operations(w.server) {
			c := call{method: o.Method, path: o.Path}
			for strings.Contains(c.path, "{") {
				c.path = fill(c.path, "none")
			}
			methods := []string{o.Method}
			if o.Method == http.MethodGet && o.Metadata[metaStream] == nil {
				methods = append(methods, http.MethodHead)
			}
			for _, c.method = range methods {
				w.unchanged(func() {
					for who, key := range strangers {
						c.key = key
						a := w.do(c)
						if o.Metadata[metaPublic] != nil {
							a.is(http.StatusOK)
						} else if a.is(http.StatusUnauthorized); c.method != http.MethodHead && a.refuses(http.StatusUnauthorized, mintage.CodeUnauthorized).Detail != words {
							t.Errorf("%s as %s: %s", id, who, a.body)
						}
					}
				})
				if o.Metadata[metaPublic] != nil {
					continue
				}
				for _, role := range mintage.Roles {
					c.key = w.brand.keys[role]
					a := w.do(c)
					allowed := access.Allow(mintage.Principal{Role: role}, access.Operation(id)) == nil
					if (a.status != http.StatusForbidden) != allowed || a.status == http.StatusUnauthorized || a.status >= 500 {
						t.Errorf("%s %s as %s: %d", c.method, id, role, a.status)
					}
					if !allowed && c.method != http.MethodHead {
						a.refuses(http.StatusForbidden, mintage.CodeForbidden)
					}
				}
			}
		}
	})
}

// unruled lists the operations of the document that need a key and have no rule.
func unruled(s *server) (ids []string) {
	for id, o := range operations(s) {
		if _, ok := access.LeastRole(access.Operation(id)); !ok && o.Metadata[metaPublic] == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestOperationWithoutRule adds one: the walk notices it, and nobody may perform it.
func TestOperationWithoutRule(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		register(w.server, op("test_forgotten", http.MethodGet, "/v1/test", "Test", "Test"),
			func(context.Context, *struct{}) (*struct{}, error) {
				t.Error("it was performed")
				return nil, nil
			})
		equal(t, "without a rule", unruled(w.server), []string{"test_forgotten"})
		for _, role := range mintage.Roles {
			w.do(call{key: w.brand.keys[role], path: "/v1/test"}).refuses(http.StatusForbidden, mintage.CodeForbidden)
		}
	})
}

// TestAdminsSubmit is the one right that is a brand's to restrict.
func TestAdminsSubmit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		body := encode(t, requestBody(w.newProduct("P").ID, 1))
		submit := func(role mintage.Role, status int) {
			t.Helper()
			w.do(call{key: w.brand.keys[role], path: "/v1/mint-requests", body: body}).is(status)
		}
		submit(mintage.RoleOperator, http.StatusCreated)
		w.do(call{method: http.MethodPatch, path: "/v1/brand", body: `{"admins_submit":true}`}).is(http.StatusOK)
		submit(mintage.RoleOperator, http.StatusForbidden)
		submit(mintage.RoleAdmin, http.StatusCreated)
		w.do(call{key: w.brand.keys[mintage.RoleOperator], path: "/v1/mint-requests/preflight", body: body}).is(http.StatusOK)
		w.do(call{method: http.MethodPatch, path: "/v1/brand", body: `{"admins_submit":false}`}).is(http.StatusOK)
		submit(mintage.RoleOperator, http.StatusCreated)
	})
}

package access_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/store/storetest"
)

var _ scs.CtxStore = (*access.SessionStore)(nil)

func TestSessions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.used(w.invite(w.p, "eva@acme.example", mintage.RoleViewer))
		token := "a-token-that-nobody-guesses"
		w.open(token, u.ID)
		w.open(token, u.ID) // replaces it
		if dump := storetest.Snapshot(t, w.db); strings.Contains(dump, token[2:]+" ") || strings.Count(dump, "data of") > 1 {
			t.Error("the token is stored as it is, or the session twice")
		}
		w.clock.Advance(time.Hour - time.Microsecond)
		if !w.isOpen(token) {
			t.Error("the session has ended early")
		}
		w.clock.Advance(time.Microsecond)
		for _, token := range []string{token, "", "unknown", "\x00", strings.Repeat("x", 10_000)} {
			if w.isOpen(token) {
				t.Errorf("%.20q is a session", token)
			}
		}
		// The next session removes what has expired.
		w.open("next", u.ID)
		w.Wait()
		if rows := storetest.Dump(t, w.db)["sessions"]; len(rows) != 1 {
			t.Errorf("%d sessions are stored", len(rows))
		}
		if err := w.Sessions().DeleteCtx(t.Context(), "next"); err != nil || w.isOpen("next") {
			t.Errorf("a deleted session: %v", err)
		}
		if err := w.Sessions().DeleteCtx(t.Context(), "next"); err != nil {
			t.Error(err)
		}
	})
}

// With scs around it, and the real clock, which is scs's.
func TestSessionsInAServer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := access.New(db, time.Now)
		manager := scs.New()
		manager.Store = s.Sessions()
		handler := manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			greeting := manager.GetString(r.Context(), "greeting")
			manager.Put(r.Context(), "greeting", "again")
			_, _ = w.Write([]byte(greeting))
		}))
		var cookies []*http.Cookie
		for _, want := range []string{"", "again"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			for _, c := range cookies {
				r.AddCookie(c)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, r)
			if answer.Body.String() != want {
				t.Errorf("%q, not %q", answer.Body, want)
			}
			cookies = answer.Result().Cookies()
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

package web

import (
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"mintage/internal/access"
)

// How long a session lasts; the package's documentation says why.
const (
	sessionIdle  = 24 * time.Hour
	sessionLife  = 7 * 24 * time.Hour
	sessionTouch = time.Hour // how often the idle limit is pushed on
	// errandLife is how long a session lasts in which nobody is signed in: it
	// leads to an OpenID provider and back, or from the first link to the owner's
	// account.
	errandLife = 30 * time.Minute
)

// What a session holds. All are texts.
const (
	sessionUser    = "user_id"
	sessionBrand   = "brand_id"   // the one chosen last
	sessionTouched = "touched_at" // RFC 3339
	sessionSetUp   = "set_up"     // "yes" after the first owner's link
	sessionLink    = "link"       // secret of a link that waits until somebody has signed in
	sessionOIDC    = "oidc"       // an attempt, see attempt
)

func newSessions(s scs.CtxStore, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = s
	m.IdleTimeout, m.Lifetime = sessionIdle, sessionLife
	m.Cookie.Name = cookieName(secure)
	m.Cookie.Secure = secure
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Path = "/"
	return m
}

// cookieName has the prefix with which browsers take the cookie from this very
// host over HTTPS only (RFC 6265bis, section 4.1.3.2).
func cookieName(secure bool) string {
	if secure {
		return "__Host-mintage"
	}
	return "mintage"
}

// session is the session of one request. scs would save at the first byte of an
// answer, and each time; here it is saved before the answer, so that a failure can
// still be shown, and where something changed.
type session struct {
	*visit

	loaded  string // the token under which it was found; "" if there was none
	changed bool
	ended   bool
}

func (v *visit) loadSession() (*session, error) {
	token := ""
	if cookie, err := v.r.Cookie(v.sessions.Cookie.Name); err == nil {
		token = cookie.Value
	}
	ctx, err := v.sessions.Load(v.ctx(), token)
	if err != nil {
		return nil, err
	}
	v.r = v.r.WithContext(ctx)
	s := &session{visit: v, loaded: v.sessions.Token(ctx)}
	if s.text(sessionUser) != "" {
		touched, err := time.Parse(time.RFC3339, s.text(sessionTouched))
		if err != nil || time.Since(touched) > sessionTouch {
			s.touch()
		}
	}
	return s, nil
}

func (s *session) text(key string) string { return s.sessions.GetString(s.ctx(), key) }

func (s *session) put(key, value string) {
	s.sessions.Put(s.ctx(), key, value)
	s.changed = true
}

func (s *session) drop(key string) {
	if s.sessions.Exists(s.ctx(), key) {
		s.sessions.Remove(s.ctx(), key)
		s.changed = true
	}
}

// putErrand is put for somebody who need not be signed in, and only for a while.
func (s *session) putErrand(key, value string) {
	s.put(key, value)
	if s.text(sessionUser) == "" {
		s.sessions.SetDeadline(s.ctx(), time.Now().Add(errandLife))
	}
}

func (s *session) touch() { s.put(sessionTouched, time.Now().UTC().Format(time.RFC3339)) }

// begin makes it the session of a user, with a new token and a new life. Of what
// was in it before only a link that waits is kept, for as long as its use needs.
func (s *session) begin(userID string) error {
	if err := s.sessions.RenewToken(s.ctx()); err != nil {
		return err
	}
	link := s.text(sessionLink)
	if err := s.sessions.Clear(s.ctx()); err != nil {
		return err
	}
	s.loaded = ""
	if link != "" {
		s.put(sessionLink, link)
	}
	s.put(sessionUser, userID)
	s.touch()
	return nil
}

// end removes the session and its cookie.
func (s *session) end() error {
	if err := s.sessions.Destroy(s.ctx()); err != nil {
		return err
	}
	s.ended = true
	return nil
}

// saveSession saves the session where that is needed, and sets its cookie.
func (v *visit) saveSession() error {
	s := v.session
	switch {
	case s == nil:
	case s.ended:
		v.sessions.WriteSessionCookie(v.ctx(), v.w, "", time.Time{})
	case s.changed:
		gone, err := v.endedMeanwhile()
		if err != nil {
			return err
		}
		if gone {
			v.sessions.WriteSessionCookie(v.ctx(), v.w, "", time.Time{})
			break
		}
		token, expires, err := v.sessions.Commit(access.WithUser(v.ctx(), s.text(sessionUser)))
		if err != nil {
			return err
		}
		v.sessions.WriteSessionCookie(v.ctx(), v.w, token, expires)
	}
	v.session = nil // once is enough
	return nil
}

// endedMeanwhile reports whether the session was there when the request came and
// is not any more: its user has signed out, everywhere perhaps. It stays gone.
func (v *visit) endedMeanwhile() (bool, error) {
	s := v.session
	if s.loaded == "" || s.sessions.Token(v.ctx()) != s.loaded {
		return false, nil
	}
	_, found, err := v.Access.Sessions().FindCtx(v.ctx(), s.loaded)
	return !found, err
}

package web

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/alexedwards/scs/v2"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/catalogue"
	"mintage/internal/export"
	"mintage/internal/mint"
)

// Deps is what the pages need.
type Deps struct {
	Access    *access.Service
	Mint      *mint.Service
	Catalogue *catalogue.Service
	Export    *export.Service

	// OIDC is the OpenID provider to sign in with; nil for none.
	OIDC *OIDCConfig
	// CursorKey is what the keys of cursors are derived from, the same in every process
	// of an installation. Without it they hold until the process ends.
	CursorKey []byte
	// BaseURL is how people reach mintage, such as https://mintage.example.com,
	// without a path. It may be "" where there is no OpenID provider.
	BaseURL string
	// Secure marks cookies for HTTPS only: the server has TLS of its own, or stands
	// behind a proxy that has.
	Secure bool
	// Stopping is closed when the server is about to stop: streams end, so that they do
	// not hold it up. It may be nil.
	Stopping <-chan struct{}
	// Log may be nil.
	Log *slog.Logger
	// Version is the program's.
	Version string
}

// server is the pages in service.
type server struct {
	Deps

	mux       *http.ServeMux
	sessions  *scs.SessionManager
	crossSite *http.CrossOriginProtection
	provider  *provider // nil without OpenID Connect
	languages *languages
	pages     *pages
	static    *static
	streams   streams
}

// New returns the handler of all routes. It fails with INVALID_INPUT where the
// configuration cannot work.
func New(d Deps) (http.Handler, error) {
	s, err := newServer(d)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func newServer(d Deps) (*server, error) {
	s := &server{Deps: d, mux: http.NewServeMux(), crossSite: http.NewCrossOriginProtection(), streams: streams{progressInterval, progressBeat, recheckAfter}}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if len(s.CursorKey) == 0 {
		s.CursorKey = []byte(rand.Text())
	}
	if d.BaseURL != "" {
		u, err := url.Parse(d.BaseURL)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "The base URL must be http or https with a host and nothing after it, such as https://mintage.example.com.")
		}
		s.BaseURL = u.Scheme + "://" + u.Host
		// For browsers that send no Sec-Fetch-Site, behind a proxy that changes Host.
		if err := s.crossSite.AddTrustedOrigin(s.BaseURL); err != nil {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "The base URL is not an origin.").WithCause(err)
		}
	}
	var err error
	if s.provider, err = newProvider(d.OIDC, s.BaseURL); err != nil {
		return nil, err
	}
	if s.languages, err = loadLanguages(); err != nil {
		return nil, err
	}
	if s.static, err = loadStatic(); err != nil {
		return nil, err
	}
	if s.pages, err = loadPages(); err != nil {
		return nil, err
	}
	s.sessions = newSessions(s.Access.Sessions(), s.Secure)
	for _, route := range routes() {
		s.mux.HandleFunc(route.Pattern(), func(w http.ResponseWriter, r *http.Request) { s.serve(route, w, r) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.serve(noSuchPage(), w, r) })
	return s, nil
}

// contentSecurityPolicy allows what is ours and nothing inline.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// ServeHTTP serves one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	// Not no-referrer: a form would then send Origin: null, and without HTTPS
	// browsers send nothing else by which to tell our own forms from foreign ones.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if err := s.crossSite.Check(r); err != nil {
		s.bare(w, r).fail(mintage.Errorf(codeForeignForm, "The form was sent from another site.").WithCause(err))
		return
	}
	s.mux.ServeHTTP(w, r)
}

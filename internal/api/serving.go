package api

import (
	"context"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/edge"
)

// serving is what the API knows of one request while it is served; the edge
// knows its id and its client's address.
type serving struct {
	path      string // in lower case
	key       string // the API key that was sent; "" for none
	principal mintage.Principal
	operation *huma.Operation // nil before a route was found
}

type servingKey struct{}

// servingOf returns the serving that a context belongs to.
func servingOf(ctx context.Context) *serving {
	if x, ok := ctx.Value(servingKey{}).(*serving); ok {
		return x
	}
	return &serving{}
}

// principal is who makes the request; guard has put it there.
func principal(ctx context.Context) mintage.Principal { return servingOf(ctx).principal }

// ServeHTTP serves one request that the edge has let through.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &serving{path: strings.ToLower(r.URL.Path)}
	ctx := context.WithValue(r.Context(), servingKey{}, x)
	r = r.WithContext(ctx)
	r.Header.Del("Accept") // there is one format, whatever is asked for
	s.extend(w, s.limits.whole+s.limits.chunk)
	defer func() { edge.SetRoute(ctx, r.Pattern) }()

	// ServeMux would redirect to the clean form of a path.
	if p := r.URL.EscapedPath(); path.Clean(p) != p {
		s.write(w, s.problem(ctx, noSuchPath()))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// extend gives the answer so much more time to be taken. Not every writer has
// deadlines: those of tests do not.
func (s *server) extend(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}

// noSuchRoute answers what no operation does: 405 where the path has other
// methods, else 404.
func (s *server) noSuchRoute(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); strings.HasPrefix(pattern, "GET /") || strings.HasPrefix(pattern, method+" /") {
			allowed = append(allowed, method)
		}
	}
	p := noSuchPath()
	if len(allowed) > 0 {
		p = newProblem(codeMethod, "This path does not have this method; see the header Allow.")
		p.headers.Set("Allow", strings.Join(allowed, ", "))
	}
	s.write(w, s.problem(r.Context(), p))
}

func noSuchPath() *problem {
	return newProblem(mintage.CodeNotFound, "There is no such path; /openapi.json lists those there are.")
}

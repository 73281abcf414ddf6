package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"path"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
)

// exchange is what is known of one request while it is served.
type exchange struct {
	id        string
	principal mintage.Principal
	operation *huma.Operation // nil before a route was found
}

type exchangeKey struct{}

// exchangeOf returns the exchange that a context belongs to.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// principal is who makes the request; guard has put it there.
func principal(ctx context.Context) mintage.Principal { return exchangeOf(ctx).principal }

// requestID is what a caller may name its request: what is safe in any log.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ServeHTTP serves one request: it gives it an id, sees that whatever happens is
// answered, and logs it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	x := &exchange{id: r.Header.Get("X-Request-Id")}
	if !requestID.MatchString(x.id) {
		x.id = rand.Text()
	}
	answer := &recorder{ResponseWriter: w}
	ctx := context.WithValue(r.Context(), exchangeKey{}, x)
	r = r.WithContext(ctx)
	r.Header.Del("Accept") // there is one format, whatever is asked for

	header := w.Header()
	header.Set("X-Request-Id", x.id)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	s.extend(answer, s.limits.whole+s.limits.chunk)

	defer func() {
		fault := recover()
		if fault != nil && !isAbort(fault) {
			s.Log.Error("a request met a fault of the program", "request_id", x.id, "fault", fault, "stack", string(debug.Stack()))
			if !answer.begun() {
				s.write(answer, s.problem(ctx, mintage.Errorf(mintage.CodeInternal, "the program met a fault")))
				fault = nil
			}
		}
		s.Log.Info("request", "request_id", x.id, "method", r.Method, "route", r.Pattern, "status", answer.status,
			"duration", time.Since(begin), "actor", x.principal.Actor, "broken_off", fault != nil)
		if fault != nil {
			panic(http.ErrAbortHandler) // the answer cannot be completed: break it off
		}
	}()
	// ServeMux would redirect to the clean form of a path.
	if p := r.URL.EscapedPath(); path.Clean(p) != p {
		s.write(answer, s.problem(ctx, noSuchPath()))
		return
	}
	s.mux.ServeHTTP(answer, r)
}

func isAbort(fault any) bool {
	err, ok := fault.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
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

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter

	status int // 0: nothing yet
}

func (w *recorder) begun() bool { return w.status != 0 }

// WriteHeader passes on the first final status; huma sends a second one where a
// client left.
func (w *recorder) WriteHeader(status int) {
	if w.begun() {
		return
	}
	if status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if !w.begun() {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/edge"
)

// Marks of an operation, in its metadata.
const (
	metaPublic = "public" // needs no key
	metaStream = "stream" // lasts as long as somebody reads or writes
	metaBody   = "body"   // a bodySpec
)

// guard lets a request through to its operation if its key may perform it.
func (s *server) guard(ctx huma.Context, next func(huma.Context)) {
	o := ctx.Operation()
	r, w := humago.Unwrap(ctx)
	x := servingOf(r.Context())
	x.operation = o
	if o.Metadata[metaStream] == nil {
		bounded, cancel := context.WithTimeout(ctx.Context(), s.limits.whole)
		defer cancel()
		ctx = huma.WithContext(ctx, bounded)
	} else if r.Method == http.MethodHead {
		// ServeMux takes HEAD for GET; a stream that nobody sees is of no use.
		p := newProblem(codeMethod, "This path does not have this method; see the header Allow.")
		p.headers.Set("Allow", o.Method)
		s.write(w, s.problem(r.Context(), p))
		return
	}
	if o.Metadata[metaPublic] == nil {
		x.key = edge.Credential(r.Header)
		if err := s.admit(ctx.Context(), x); err != nil {
			s.write(w, s.problem(ctx.Context(), err))
			return
		}
	}
	if err := checkText(r); err != nil {
		s.write(w, s.problem(ctx.Context(), err))
		return
	}
	next(ctx)
}

// admit makes the key's principal the request's, if it may perform the operation.
func (s *server) admit(ctx context.Context, x *serving) error {
	p, err := s.Access.Authenticate(ctx, x.key, edge.Origin(ctx))
	if err != nil {
		return err
	}
	x.principal = p
	edge.SetActor(ctx, p.Actor)
	return access.Allow(p, access.Operation(x.operation.OperationID))
}

// stillAdmitted returns what a stream asks before each of its steps: whether the
// key may go on. A key that was revoked, has expired or lost its role ends the stream
// within seconds, though the request was let through long ago.
func (s *server) stillAdmitted(ctx context.Context) func() error {
	x, asked := servingOf(ctx), time.Now()
	return func() error {
		if time.Since(asked) < s.recheck {
			return nil
		}
		asked = time.Now()
		return s.admit(ctx, x)
	}
}

// checkText refuses what no text of ours can be, in the path and the query, and
// a parameter that is given twice, of which huma would drop one.
func checkText(r *http.Request) error {
	invalid := func(format string, args ...any) error {
		return mintage.Errorf(mintage.CodeInvalidInput, format, args...)
	}
	if !cleanText(r.URL.Path) {
		return invalid("The path is not valid UTF-8, or contains a control character.")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("The query is not valid; percent-encode its values.")
	}
	for name, values := range query {
		if len(values) > 1 {
			return invalid("A query parameter is given twice.")
		}
		if !cleanText(name) || !cleanText(values[0]) {
			return invalid("The query is not valid UTF-8, or contains a control character.")
		}
	}
	return nil
}

func cleanText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

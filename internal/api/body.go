package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mintage"
)

type bodyKind int

const (
	bodyNone bodyKind = iota
	bodyJSON          // read whole and checked before huma sees it
	bodyCSV           // handed to the operation as a stream
)

// bodySpec says what an operation takes.
type bodySpec struct {
	kind  bodyKind
	types []string // media types
}

var (
	takesJSON  = bodySpec{bodyJSON, []string{"application/json"}}
	takesPatch = bodySpec{bodyJSON, []string{"application/merge-patch+json", "application/json"}}
	takesCSV   = bodySpec{bodyCSV, []string{"text/csv"}}
)

func bodyOf(o *huma.Operation) bodySpec {
	spec, _ := o.Metadata[metaBody].(bodySpec)
	return spec
}

// readBody is the one reader of all bodies.
func (s *server) readBody(ctx huma.Context, next func(huma.Context)) {
	spec := bodyOf(ctx.Operation())
	if spec.kind == bodyNone {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	limit := s.limits.json
	if spec.kind == bodyCSV {
		limit = s.limits.csv
	}
	err := checkType(r.Header, spec.types)
	if err == nil && r.ContentLength > limit {
		err = tooLarge(limit)
	}
	var content *bodyReader
	if err == nil {
		content = &bodyReader{body: http.MaxBytesReader(w, r.Body, limit), limit: limit}
		r.Body = content
		if spec.kind == bodyJSON {
			var data []byte
			if data, err = content.readJSON(); err == nil {
				r.Body = io.NopCloser(bytes.NewReader(data))
				r.Header.Set("Content-Type", "application/json")
			}
		}
	}
	if err != nil {
		s.write(w, s.problem(ctx.Context(), err))
		return
	}
	next(ctx)
}

// checkType refuses a body of another type, encoding or character set.
func checkType(h http.Header, types []string) error {
	refuse := newProblem(codeMediaType,
		"Send the body as "+strings.Join(types, " or ")+", in UTF-8 and not compressed.")
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refuse
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || !slices.Contains(types, media) {
		return refuse
	}
	if c, ok := params["charset"]; ok && !strings.EqualFold(c, "utf-8") {
		return refuse
	}
	return nil
}

func tooLarge(limit int64) error {
	p := newProblem(codeTooLarge, "The body is larger than "+sizeText(limit)+".")
	p.headers.Set("Connection", "close") // the rest is not worth reading
	return p
}

// bodyReader reads a body within its limit; the edge sees that it moves. It keeps
// the error that ended it, since what reads from it may wrap or lose it.
type bodyReader struct {
	body  io.ReadCloser
	limit int64
	err   error
}

func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = b.translate(err)
		err = b.err
	}
	return n, err
}

func (b *bodyReader) Close() error { return b.body.Close() }

func (b *bodyReader) translate(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(b.limit)
	}
	if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, os.ErrDeadlineExceeded) || ok && timeout.Timeout() {
		return newProblem(codeTooSlow, "The body did not arrive in time.")
	}
	return newProblem(mintage.CodeInvalidInput, "The body could not be read to its end.")
}

func (b *bodyReader) readJSON() ([]byte, error) {
	data, err := io.ReadAll(b)
	if err != nil {
		return nil, err
	}
	return data, checkJSON(data)
}

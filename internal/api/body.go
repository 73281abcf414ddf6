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
	bodyNone  bodyKind = iota
	bodyJSON           // read whole and checked before huma sees it
	bodyCSV            // handed to the operation as a stream
	bodyImage          // read whole
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
	takesImage = bodySpec{bodyImage, logoTypes}
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
	limit := map[bodyKind]int64{bodyJSON: s.limits.json, bodyCSV: s.limits.csv, bodyImage: maxImage}[spec.kind]
	err := checkType(r.Header, spec)
	if err == nil && r.ContentLength > limit {
		err = tooLarge(limit)
	}
	var content *bodyReader
	if err == nil {
		content = &bodyReader{body: http.MaxBytesReader(w, r.Body, limit), limit: limit}
		r.Body = content
		if spec.kind != bodyCSV {
			var data []byte
			data, err = io.ReadAll(content)
			if err == nil && spec.kind == bodyJSON {
				err = checkJSON(data)
				r.Header.Set("Content-Type", "application/json")
			}
			if err == nil && len(data) == 0 {
				err = mintage.Errorf(mintage.CodeInvalidInput, "The body is missing; send the image.")
			}
			r.Body = io.NopCloser(bytes.NewReader(data))
		}
	}
	if err != nil {
		s.write(w, s.problem(ctx.Context(), err))
		return
	}
	next(ctx)
}

// checkType refuses a body of another type, encoding or character set.
func checkType(h http.Header, spec bodySpec) error {
	form := ", in UTF-8 and not compressed."
	if spec.kind == bodyImage {
		form = "."
	}
	refuse := newProblem(codeMediaType, "Send the body as "+strings.Join(spec.types, " or ")+form)
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refuse
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || !slices.Contains(spec.types, media) {
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

	admitted func() error // nil: the body is short, and its sender was asked
}

func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = b.translate(err)
		err = b.err
	}
	if b.admitted == nil {
		return n, err
	}
	if refused := b.admitted(); refused != nil { // what came meanwhile is not taken
		b.err = refused
		return 0, refused
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

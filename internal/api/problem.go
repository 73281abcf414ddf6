package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/edge"
)

// problemType is the media type of every refusal (RFC 9457).
const problemType = "application/problem+json"

// Codes of faults that only HTTP can have.
const (
	codeMalformed mintage.Code = "MALFORMED_JSON"         // not the JSON object that was to be sent
	codeMethod    mintage.Code = "METHOD_NOT_ALLOWED"     // the path has other methods
	codeTooLarge  mintage.Code = "BODY_TOO_LARGE"         // the body exceeds its limit
	codeMediaType mintage.Code = "UNSUPPORTED_MEDIA_TYPE" // the body is not of the type that was to be sent
	codeTooSlow   mintage.Code = "BODY_TOO_SLOW"          // the body did not arrive in time
)

// statuses maps codes to HTTP statuses, and nothing else does; a code that is not
// here is a fault of ours, whose message is for the log.
var statuses = map[mintage.Code]int{
	mintage.CodeInvalidInput: http.StatusUnprocessableEntity,
	mintage.CodeNotSupported: http.StatusUnprocessableEntity,
	mintage.CodeBlocked:      http.StatusUnprocessableEntity,
	mintage.CodeKeyReused:    http.StatusUnprocessableEntity,
	mintage.CodeUnauthorized: http.StatusUnauthorized,
	mintage.CodeForbidden:    http.StatusForbidden,
	mintage.CodeNotFound:     http.StatusNotFound,
	mintage.CodeConflict:     http.StatusConflict,
	mintage.CodeCommitted:    http.StatusConflict,
	mintage.CodeTooMany:      http.StatusTooManyRequests,
	mintage.CodeUnavailable:  http.StatusServiceUnavailable,
	mintage.CodeRetry:        http.StatusServiceUnavailable,
	mintage.CodeOldSchema:    http.StatusServiceUnavailable,
	mintage.CodeInternal:     http.StatusInternalServerError,
	mintage.CodeUnknown:      http.StatusInternalServerError, // not 503: what asks again by itself might do it twice
	codeMalformed:            http.StatusBadRequest,
	codeMethod:               http.StatusMethodNotAllowed,
	codeTooLarge:             http.StatusRequestEntityTooLarge,
	codeMediaType:            http.StatusUnsupportedMediaType,
	codeTooSlow:              http.StatusRequestTimeout,
}

// problem is a refusal as it is sent.
type problem struct {
	Type      string       `json:"type" doc:"Always about:blank: the code tells problems apart."`
	Title     string       `json:"title" doc:"The status in words."`
	Status    int          `json:"status" doc:"The HTTP status."`
	Detail    string       `json:"detail" doc:"What is wrong and what to do, for people."`
	Code      mintage.Code `json:"code" doc:"What is wrong, for programs. Codes are never renamed; new ones may come."`
	RequestID string       `json:"request_id" doc:"As in the header X-Request-Id; the server's log knows it."`

	Errors          []fault  `json:"errors,omitempty" nullable:"false" doc:"The faults of the input, all that were found."`
	BlockingReasons []reason `json:"blocking_reasons,omitempty" nullable:"false" doc:"With MINT_BLOCKED: everything that stands in the way."`

	CommittedQuantity *int64 `json:"committed_quantity,omitempty" doc:"With BELOW_COMMITTED."`

	headers http.Header
}

// fault is one thing that is wrong with the input.
type fault struct {
	Code    mintage.Code `json:"code,omitempty"`
	Field   string       `json:"field,omitempty" doc:"JSON pointer into the body, or the name of a parameter or header."`
	Message string       `json:"message"`
}

// reason is one blocking reason.
type reason struct {
	Code    mintage.Code `json:"code" doc:"What stands in the way, for programs. Codes are never renamed; new ones may come."`
	Message string       `json:"message"`
	Field   string       `json:"field,omitempty" doc:"JSON pointer into the request or, for DPP fields, into the product."`

	ProductionBatchQuantity *int64 `json:"production_batch_quantity,omitempty" doc:"With QUANTITY_EXCEEDS_PRODUCTION_BATCH, as the two below."`
	CommittedQuantity       *int64 `json:"committed_quantity,omitempty" doc:"What live and finished mint requests hold of it."`
	RemainingQuantity       *int64 `json:"remaining_quantity,omitempty" doc:"What may still be requested, over-issue included."`
}

// internalDetail is all that anybody is told of a fault of ours.
const internalDetail = "An internal error has occurred; its cause is in the log, under the request_id."

// newProblem makes the refusal that a code stands for.
func newProblem(code mintage.Code, detail string) *problem {
	status, known := statuses[code]
	if !known {
		status, code = http.StatusInternalServerError, mintage.CodeInternal
	}
	if code == mintage.CodeInternal {
		detail = internalDetail
	}
	p := &problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: detail, Code: code, headers: http.Header{},
	}
	switch {
	case code == mintage.CodeUnauthorized:
		p.headers.Set("WWW-Authenticate", `Bearer realm="mintage"`)
	case code == mintage.CodeRetry, code == mintage.CodeTooMany:
		p.headers.Set("Retry-After", "1")
	case status == http.StatusServiceUnavailable:
		p.headers.Set("Retry-After", "5")
	}
	return p
}

// Error makes a problem an error that handlers can return.
func (p *problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus, GetHeaders and ContentType tell huma how to send it.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders is part of huma.HeadersError.
func (p *problem) GetHeaders() http.Header { return p.headers }

// ContentType is part of huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return problemType }

// problem turns any error into what may be shown of it, and logs what may not.
func (s *server) problem(ctx context.Context, err error) *problem {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		p = s.translate(ctx, err)
	}
	p.RequestID = edge.RequestID(ctx)
	return p
}

func (s *server) translate(ctx context.Context, err error) *problem {
	code, message := mintage.ErrorCode(err), mintage.ErrorMessage(err)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		// Nobody is left to read it.
		return newProblem(mintage.CodeUnavailable, "The request was given up.")
	case errors.Is(err, context.DeadlineExceeded):
		code, message = mintage.CodeUnavailable, "The request took too long; try again later."
	}
	p := newProblem(code, message)
	if p.Status >= http.StatusInternalServerError {
		s.Log.Error("a request failed", "request_id", edge.RequestID(ctx), "code", mintage.ErrorCode(err), "error", err)
	}
	if p.Code == mintage.CodeBlocked {
		p.BlockingReasons = reasonsOf(err)
	}
	if p.Code != mintage.CodeInternal {
		p.Errors = faultsOf(servingOf(ctx).operation, err)
	}
	return p
}

func faultsOf(o *huma.Operation, err error) []fault {
	var found []*mintage.Error
	if invalid, ok := errors.AsType[*mintage.InvalidError](err); ok {
		found = invalid.Faults
	} else if e, ok := errors.AsType[*mintage.Error](err); ok && e.Field != "" {
		found = []*mintage.Error{e}
	}
	var faults []fault
	for _, e := range found {
		faults = append(faults, fault{Code: e.Code, Field: locate(o, e.Field), Message: e.Message})
	}
	return faults
}

// locate makes a JSON pointer of a field's name where the field stands in the
// body: use cases name fields and do not know where they came from.
func locate(o *huma.Operation, field string) string {
	inBody := o != nil && bodyOf(o).kind == bodyJSON &&
		field != "" && field[0] >= 'a' && field[0] <= 'z' && // headers begin in upper case
		!strings.Contains(o.Path, "{"+field+"}")
	if inBody {
		return "/" + field
	}
	return field
}

func reasonsOf(err error) []reason {
	blocked, ok := errors.AsType[*mintage.BlockedError](err)
	if !ok {
		return nil
	}
	var reasons []reason
	for _, r := range blocked.Reasons {
		out := reason{Code: r.Code, Message: r.Message, Field: r.Field}
		if q := r.Quantities; q != nil {
			out.ProductionBatchQuantity, out.CommittedQuantity, out.RemainingQuantity = &q.ProductionBatch, &q.Committed, &q.Remaining
		}
		reasons = append(reasons, out)
	}
	return reasons
}

// write sends a problem from outside a handler.
func (s *server) write(w http.ResponseWriter, p *problem) {
	maps.Copy(w.Header(), p.headers)
	w.Header().Set("Content-Type", problemType)
	// net/http reads on through what was not read of the body before it answers; a
	// client that announced one and sends nothing must not hold the connection.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(refusedBody)) // a recorder in a test has none
	s.extend(w, s.limits.chunk)                                                    // a long import may be refused at its end
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // nobody to tell
}

// refusedBody is how long the rest of a refused request's body may take.
const refusedBody = 5 * time.Second

// transform replaces the errors that huma itself finds by ours, without the
// values that huma repeats.
func (s *server) transform(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	id := edge.RequestID(ctx.Context())
	var p *problem
	switch model.Status {
	case statuses[codeMalformed]:
		p = newProblem(codeMalformed, "The body is missing or is not valid JSON.")
	case statuses[mintage.CodeInvalidInput]:
		p = newProblem(mintage.CodeInvalidInput, "The input is not valid; each entry of errors says where and why.")
	default: // huma goes on to send the status that it has chosen
		p = newProblem(mintage.CodeInternal, internalDetail)
		p.Status, p.Title = model.Status, http.StatusText(model.Status)
		s.Log.Error("a request failed", "request_id", id, "status", model.Status, "detail", model.Detail)
	}
	p.RequestID = id
	if p.Code == mintage.CodeInternal {
		return p, nil
	}
	for _, e := range model.Errors {
		if e != nil {
			p.Errors = append(p.Errors, fault{Code: p.Code, Field: pointer(e.Location), Message: e.Message})
		}
	}
	slices.SortFunc(p.Errors, func(a, b fault) int { return strings.Compare(a.Field, b.Field) }) // huma ranges over maps
	return p, nil
}

// plainPath is a location that huma gives: names that look like ours. One that
// does not is an unknown field, and its name is not repeated.
var plainPath = regexp.MustCompile(`^(body|path|query|header)((\.[A-Za-z0-9_-]{1,64}|\[[0-9]+\])*)$`)

// pointer makes "/lots/0/quantity" of "body.lots[0].quantity" and "limit" of
// "query.limit".
func pointer(location string) string {
	m := plainPath.FindStringSubmatch(location)
	if m == nil {
		return ""
	}
	if m[1] != "body" {
		return strings.TrimPrefix(m[2], ".")
	}
	return strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(m[2])
}

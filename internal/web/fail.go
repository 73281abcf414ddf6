package web

import (
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/edge"
)

// Codes of faults that only pages can have.
const (
	codeForeignForm mintage.Code = "FOREIGN_FORM" // sent from another site
	codeBadForm     mintage.Code = "BAD_FORM"     // no form of ours sends this
	codeNoBrand     mintage.Code = "NO_BRAND"     // signed in, but a member of no brand
	// The OpenID provider does not answer.
	codeProviderAway mintage.Code = "PROVIDER_UNAVAILABLE"
)

// refusal is how the pages show a code: its status, and the key of its texts,
// which are error.KEY.title and error.KEY.body.
type refusal struct {
	status int
	key    string
}

// refusalOf is the one place that maps codes to statuses. A code that is not here is
// a fault of ours, whose message is for the log.
func refusalOf(code mintage.Code) refusal {
	switch code {
	case mintage.CodeNotFound:
		return refusal{http.StatusNotFound, "not_found"}
	case mintage.CodeForbidden, mintage.CodeUnauthorized:
		return refusal{http.StatusForbidden, "forbidden"}
	case codeNoBrand:
		return refusal{http.StatusForbidden, "no_brand"}
	case codeForeignForm:
		return refusal{http.StatusForbidden, "foreign_form"}
	case codeBadForm, mintage.CodeInvalidInput, mintage.CodeNotSupported:
		return refusal{http.StatusBadRequest, "bad_form"}
	case codeProviderAway:
		return refusal{http.StatusBadGateway, "provider_away"}
	case mintage.CodeConflict:
		return refusal{http.StatusConflict, "conflict"}
	case mintage.CodeTooMany:
		return refusal{http.StatusTooManyRequests, "too_many"}
	case mintage.CodeUnavailable, mintage.CodeRetry, mintage.CodeOldSchema:
		return refusal{http.StatusServiceUnavailable, "unavailable"}
	default:
		return refusal{http.StatusInternalServerError, "internal"}
	}
}

// retryAfter is how many seconds whoever asks too often is told to wait.
const retryAfter = 60

// failure is what an error page shows.
type failure struct {
	Status    int
	Title     string
	Body      string
	RequestID string // "" where it would help nobody
}

// fail answers with the page of an error.
func (v *visit) fail(err error) {
	v.failWith(err, refusalOf(mintage.ErrorCode(err)))
}

// failFor answers with the page of an error that kept somebody from an operation.
// Where a role is too low it says which one is needed.
func (v *visit) failFor(op access.Operation, err error) {
	least, known := access.LeastRole(op)
	if mintage.ErrorCode(err) != mintage.CodeForbidden || !known || v.principal.Role.Includes(least) {
		v.fail(err)
		return
	}
	v.failWith(err, refusal{http.StatusForbidden, "role"}, v.language.text("role."+string(least)), v.language.text("role."+string(v.principal.Role)), v.member.BrandName)
}

func (v *visit) failWith(err error, r refusal, args ...any) {
	page := failure{Status: r.status, Title: v.language.text("error." + r.key + ".title"), Body: v.language.text("error."+r.key+".body", args...)}
	switch {
	case r.status >= http.StatusInternalServerError:
		page.RequestID = edge.RequestID(v.ctx())
		v.Log.Error("a page failed", "request_id", page.RequestID, "route", v.r.Pattern, "error", err)
	case errors.Unwrap(err) != nil:
		v.Log.Info("a page was refused", "request_id", edge.RequestID(v.ctx()), "route", v.r.Pattern, "error", err)
	}
	if r.status == http.StatusTooManyRequests {
		v.w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if r.status == http.StatusServiceUnavailable {
		v.w.Header().Set("Retry-After", "5")
		v.session = nil // it could not be saved either
	}
	if err := v.render(r.status, "error", page); err != nil && !v.answered {
		v.Log.Error("the page of an error failed", "request_id", edge.RequestID(v.ctx()), "error", err)
		v.answered = true
		http.Error(v.w, v.language.text("error.internal.title"), http.StatusInternalServerError)
	}
}

// recover answers with a page where a handler panics; what has begun to be answered
// is the edge's to break off.
func (v *visit) recover() {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); v.answered || (ok && errors.Is(err, http.ErrAbortHandler)) {
		panic(fault)
	}
	v.Log.Error("a page met a fault of the program", "request_id", edge.RequestID(v.ctx()), "fault", fault, "stack", string(debug.Stack()))
	v.session = nil
	v.fail(mintage.Errorf(mintage.CodeInternal, "The program met a fault."))
}

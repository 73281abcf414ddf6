package resolver

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"mintage"
	"mintage/internal/edge"
	"mintage/internal/gs1"
	"mintage/internal/resolver/passport"
)

// codeRevoked is the code of an answer about a token that was revoked.
const codeRevoked mintage.Code = "TOKEN_REVOKED"

// codeMethod is the code of an answer to a method that the resource does not have.
const codeMethod mintage.Code = "METHOD_NOT_ALLOWED"

var errMethod = mintage.Errorf(codeMethod, "This resource does not have the method; the header Allow lists those that it has.")

func isNotLink(err error) bool { return errors.Is(err, gs1.ErrNotLink) }

const htmlType = "text/html; charset=utf-8"

// Headers of what is shown. A page may be shown in no frame, loads nothing from
// elsewhere, and tells other sites nothing of where its reader comes from.
var (
	pagePolicy    = []string{passport.ContentSecurityPolicy}
	dataPolicy    = []string{"default-src 'none'; frame-ancestors 'none'"}
	noSniffing    = []string{"nosniff"}
	noFrames      = []string{"DENY"}
	noReferrer    = []string{"same-origin"} // not no-referrer, with which browsers post forms from the origin "null"
	noPermissions = []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=()"}
	sameOpener    = []string{"same-origin"}
)

// body answers with a status and a body.
func (v *visit) body(status int, contentType string, content []byte) error {
	h := v.w.Header()
	h["Content-Security-Policy"] = dataPolicy
	if contentType == htmlType {
		h["Content-Security-Policy"], h["X-Frame-Options"] = pagePolicy, noFrames
		h["Referrer-Policy"], h["Permissions-Policy"], h["Cross-Origin-Opener-Policy"] = noReferrer, noPermissions, sameOpener
	}
	h["X-Content-Type-Options"] = noSniffing
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(content))}
	v.w.WriteHeader(status)
	if v.req.Method != http.MethodHead {
		_, _ = v.w.Write(content) // nobody to tell
	}
	return nil
}

// cached is body for what is public and true for a minute, with an entity tag.
func (v *visit) cached(contentType string, content []byte) error {
	hash := sha256.Sum256(content)
	return v.tagged(base64.RawURLEncoding.EncodeToString(hash[:12]), contentType, content, forAMinute)
}

// static answers with what a name by content hash stands for; the name is its tag.
func (v *visit) static(name string, content []byte, contentType string, cacheControl []string) error {
	if err := v.allow(readMethods); err != nil {
		return err
	}
	delete(v.w.Header(), "Vary")
	return v.tagged(name, contentType, content, cacheControl)
}

// tagged answers with a body and its entity tag, or that it is what the client has.
func (v *visit) tagged(tag, contentType string, content []byte, cacheControl []string) error {
	tag = `"` + tag + `"`
	h := v.w.Header()
	h["Etag"], h["Cache-Control"] = []string{tag}, cacheControl
	if matches(header(v.req.Header, "If-None-Match", maxTags), tag) {
		v.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return v.body(http.StatusOK, contentType, content)
}

// matches reports whether an If-None-Match header has a tag (RFC 9110, section
// 13.1.2: the weak comparison).
func matches(list, tag string) bool {
	for candidate := range strings.SplitSeq(list, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}

// redirect answers with a place to go. The Location is all there is to it.
func (v *visit) redirect(status int, location string) {
	h := v.w.Header()
	h["Location"], h["Content-Length"] = []string{location}, empty
	v.w.WriteHeader(status)
}

// statuses are those of the codes that are no fault of ours.
var statuses = map[mintage.Code]int{
	mintage.CodeInvalidInput: http.StatusBadRequest,
	mintage.CodeForbidden:    http.StatusForbidden,
	mintage.CodeNotFound:     http.StatusNotFound,
	codeMethod:               http.StatusMethodNotAllowed,
	codeRevoked:              http.StatusGone,
	mintage.CodeTooMany:      http.StatusTooManyRequests,
	mintage.CodeUnavailable:  http.StatusServiceUnavailable,
	mintage.CodeUnknown:      http.StatusServiceUnavailable,
	mintage.CodeRetry:        http.StatusServiceUnavailable,
	mintage.CodeOldSchema:    http.StatusServiceUnavailable,
}

// fail answers with an error: a page for people, a problem (RFC 9457) for machines.
func (v *visit) fail(err error) {
	code := mintage.ErrorCode(err)
	status, known := statuses[code]
	if !known {
		status, code = http.StatusInternalServerError, mintage.CodeInternal
	}
	if status >= http.StatusInternalServerError && v.ctx().Err() == nil {
		v.r.log.Warn("a scan was not answered", "request_id", edge.RequestID(v.ctx()), "error", err)
	}
	h := v.w.Header()
	h["Cache-Control"] = notStored
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		h["Retry-After"] = []string{"1"}
	}
	detail := mintage.ErrorMessage(err)
	if v.form == formPage && status != http.StatusMethodNotAllowed && status != http.StatusForbidden { // of which there are no pages
		if page, err := v.faultPage(status); err == nil {
			_ = v.body(status, htmlType, page) // it has no error to return
			return
		} else if v.ctx().Err() == nil {
			v.r.log.Warn("an error page could not be made", "error", err)
		}
	}
	v.problem(status, code, detail)
}

// faultPage is an error page in the look of the brand whose address it is; in
// mintage's own where that cannot be read.
func (v *visit) faultPage(status int) ([]byte, error) {
	b := v.r.nobody
	if v.base.brand != 0 {
		if own, err := v.r.brand(v.ctx(), v.base.brand); err == nil {
			b = own
		}
	}
	return v.r.fault(b, faultKey{status, v.language(), v.base.path})
}

func (v *visit) problem(status int, code mintage.Code, detail string) {
	content, err := json.Marshal(struct {
		Type      string       `json:"type"`
		Title     string       `json:"title"`
		Status    int          `json:"status"`
		Detail    string       `json:"detail"`
		Code      mintage.Code `json:"code"`
		RequestID string       `json:"request_id,omitempty"`
	}{"about:blank", http.StatusText(status), status, detail, code, edge.RequestID(v.ctx())})
	if err != nil {
		panic(err) // text and numbers
	}
	_ = v.body(status, "application/problem+json", append(content, '\n')) // it has no error to return
}

// revoked answers 410 with the page of what was revoked.
func (v *visit) revoked(p *passport.Page) error {
	if v.form != formPage {
		return mintage.Errorf(codeRevoked, "This token was revoked: do not trust the item that carries it.")
	}
	var out bytes.Buffer
	if err := v.r.pages.Fault(&out, http.StatusGone, p.Site, v.language(), p); err != nil {
		return err
	}
	return v.body(http.StatusGone, htmlType, out.Bytes())
}

// show answers with a passport. Only a product's may be cached: a scan, a revocation or
// a recall may change the others.
func (v *visit) show(p *passport.Page) error {
	var content []byte
	var err error
	contentType := htmlType
	switch v.form {
	case formJSONLD:
		contentType = "application/ld+json"
		content, err = v.r.pages.JSONLD(p, v.language())
	case formJSON, formLinkset:
		contentType = "application/json"
		content, err = v.r.pages.JSON(p, v.language())
	case formPage:
		var out bytes.Buffer
		err = v.r.pages.HTML(&out, p, v.language())
		content = out.Bytes()
	}
	if err != nil {
		return err
	}
	if p.Kind == passport.KindProduct {
		return v.cached(contentType, content)
	}
	return v.body(http.StatusOK, contentType, content)
}

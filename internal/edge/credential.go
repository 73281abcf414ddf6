package edge

import (
	"net/http"
	"strings"
)

// Credential returns what a request shows in Authorization: the token of one
// header "Bearer TOKEN" (RFC 6750), the scheme in any case, with one space before
// the token and none in it. "" for anything else, which is no credential to
// anybody: rates are counted by it and keys are looked up by it, so that one
// credential cannot be written in two ways.
func Credential(h http.Header) string {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.ContainsAny(token, " \t") {
		return ""
	}
	return token
}

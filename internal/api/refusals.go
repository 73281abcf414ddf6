package api

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
)

// metaRefuses marks an operation with statuses that do not follow from its form.
const metaRefuses = "refuses" // []int

// refusals names and describes each refusal that the OpenAPI document lists.
var refusals = map[int]struct{ name, text string }{
	http.StatusBadRequest:            {"MalformedBody", "The body is not one JSON object that every reader understands in the same way."},
	http.StatusUnauthorized:          {"Unauthorized", "There is no API key, or it is not valid."},
	http.StatusForbidden:             {"Forbidden", "The API key's role may not do this."},
	http.StatusNotFound:              {"NotFound", "What the request names does not exist, or is another brand's."},
	http.StatusRequestTimeout:        {"BodyTooSlow", "The body did not arrive in time."},
	http.StatusConflict:              {"Conflict", "The request contradicts what is stored."},
	http.StatusRequestEntityTooLarge: {"BodyTooLarge", "The body is larger than it may be."},
	http.StatusUnsupportedMediaType:  {"UnsupportedMediaType", "The body is not of a type that the operation takes."},
	http.StatusUnprocessableEntity:   {"Unprocessable", "The input can never work as it is; each entry of errors says where and why."},
	http.StatusTooManyRequests:       {"TooManyRequests", "The key or the address makes more requests than it may; wait for as many seconds as Retry-After says."},
	http.StatusServiceUnavailable:    {"Unavailable", "The request cannot be served at the moment; try again later."},
}

// failure is the name of the refusal that stands for all others.
const failure = "Failure"

// refusalsOf returns the statuses with which an operation refuses, in order.
func refusalsOf(o *huma.Operation) []int {
	all, _ := o.Metadata[metaRefuses].([]int)
	all = append(slices.Clone(all), http.StatusUnprocessableEntity, http.StatusTooManyRequests)
	if o.Metadata[metaPublic] == nil {
		all = append(all, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable)
	}
	if slices.Contains([]string{http.MethodGet, http.MethodPatch, http.MethodDelete}, o.Method) && strings.Contains(o.Path, "{") {
		all = append(all, http.StatusNotFound)
	}
	switch bodyOf(o).kind {
	case bodyJSON:
		all = append(all, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	case bodyCSV, bodyImage:
		all = append(all, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	case bodyNone:
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// addRefusals lists an operation's refusals among its answers. One that is there
// already says more than the common one.
func addRefusals(o *huma.Operation) {
	if o.Responses == nil {
		o.Responses = map[string]*huma.Response{}
	}
	refer := func(name string) *huma.Response { return &huma.Response{Ref: "#/components/responses/" + name} }
	for _, status := range refusalsOf(o) {
		if key := strconv.Itoa(status); o.Responses[key] == nil {
			o.Responses[key] = refer(refusals[status].name)
		}
	}
	o.Responses["default"] = refer(failure)
}

// refusalResponses are the refusals that operations refer to.
func refusalResponses(r huma.Registry) map[string]*huma.Response {
	responses := map[string]*huma.Response{
		failure: refusalResponse(r, "Anything else, most of all a fault of the program (500).", nil),
	}
	for status, refusal := range refusals {
		response := refusalResponse(r, refusal.text+" "+strings.Join(codesOf(status), ", ")+".", nil)
		switch status {
		case http.StatusUnauthorized:
			response.Headers = map[string]*huma.Header{"WWW-Authenticate": {Schema: &huma.Schema{Type: huma.TypeString}}}
		case http.StatusServiceUnavailable, http.StatusTooManyRequests:
			response.Headers = map[string]*huma.Header{"Retry-After": {Description: "In seconds.", Schema: &huma.Schema{Type: huma.TypeInteger}}}
		}
		responses[refusal.name] = response
	}
	return responses
}

func refusalResponse(r huma.Registry, description string, examples map[string]*huma.Example) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
		problemType: {Schema: r.Schema(reflect.TypeFor[problem](), true, ""), Examples: examples},
	}}
}

// codesOf returns the codes that a status stands for.
func codesOf(status int) (codes []string) {
	for code, s := range statuses {
		if s == status {
			codes = append(codes, string(code))
		}
	}
	slices.Sort(codes)
	return codes
}

// problemCodes are all codes that a problem may have.
func problemCodes() []mintage.Code { return slices.Sorted(maps.Keys(statuses)) }

// reasonCodes are the codes of blocking reasons, in the order in which they are
// listed.
var reasonCodes = []mintage.Code{
	mintage.ReasonProductNotFound, mintage.ReasonStatusNotActive, mintage.ReasonFieldMissing, mintage.ReasonFieldInvalid,
	mintage.ReasonGTINRequired, mintage.ReasonGTINTaken, mintage.ReasonProductionNotFound, mintage.ReasonProductionMismatch,
	mintage.ReasonProductionNotReady, mintage.ReasonQuantityExceeds,
}

// eventKinds are all kinds of events.
var eventKinds = []mintage.EventKind{
	mintage.EventBrandCreated, mintage.EventBrandUpdated, mintage.EventSchemaStored, mintage.EventKeyCreated, mintage.EventKeyRotated, mintage.EventKeyRevoked,
	mintage.EventMemberAdded, mintage.EventMemberChanged, mintage.EventMemberRemoved, mintage.EventMemberInvited,
	mintage.EventSignedIn, mintage.EventSignInRefused, mintage.EventSignedOut, mintage.EventPasswordChanged, mintage.EventNameChanged,
	mintage.EventProductCreated, mintage.EventProductUpdated, mintage.EventProductionCreated, mintage.EventProductionUpdated,
	mintage.EventJobTransition, mintage.EventJobStrike, mintage.EventBatchTransition, mintage.EventBatchCycle, mintage.EventBatchExported,
	mintage.EventUnitTransition, mintage.EventRecalled, mintage.EventLinksChanged, mintage.EventLogoChanged,
}

// TransformSchema is part of huma.SchemaTransformer.
func (problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"code": enum(problemCodes())})
}

// TransformSchema is part of huma.SchemaTransformer.
func (fault) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"code": enum(problemCodes())})
}

// TransformSchema is part of huma.SchemaTransformer.
func (reason) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"code": enum(reasonCodes)})
}

// TransformSchema is part of huma.SchemaTransformer.
func (event) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"kind": enum(eventKinds)})
}

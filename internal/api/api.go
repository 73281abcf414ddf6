package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/catalogue"
	"mintage/internal/export"
	"mintage/internal/mint"
)

// Deps is what the API needs.
type Deps struct {
	Mint      *mint.Service
	Catalogue *catalogue.Service
	Access    *access.Service
	Export    *export.Service

	// Ready returns why requests cannot be served at the moment, or nil. Its
	// message is shown to whoever asks.
	Ready func(context.Context) error
	// Unsealed returns since when events wait to be sealed into the audit trail,
	// where that is longer than it should be; else zero. It may be nil.
	Unsealed func() time.Time
	// APIVersion is that of the interface, Version that of the program.
	APIVersion, Version string
	// Log may be nil.
	Log *slog.Logger
	// Stopping is closed when the server is about to stop: watches end, so that
	// they do not hold it up. It may be nil.
	Stopping <-chan struct{}
	// CursorKey is what the keys of cursors are derived from, the same in every
	// process of an installation; without one, cursors end with the process.
	CursorKey []byte
	// LinkURL makes the address of a one-time sign-in link of its secret; without
	// it, the address has no host.
	LinkURL func(secret string) string
	// WatchInterval is how often a watch looks at its job. Default 250 ms.
	WatchInterval time.Duration
}

// server is the API in the making and in service.
type server struct {
	Deps

	api       huma.API
	mux       *http.ServeMux
	heartbeat time.Duration // of a watch
	recheck   time.Duration // how often a stream asks whether its key is still valid
	limits    limits
}

// limits of what one request may send and take.
type limits struct {
	json, csv int64         // bytes of a body
	whole     time.Duration // for a request that is not a stream
	chunk     time.Duration // for the next bytes of a stream to be taken
}

// New returns the API's handler, for paths from the root. It goes behind an edge.
func New(d Deps) http.Handler { return newServer(d) }

// Document returns the OpenAPI 3.1 description of the API as YAML. It depends on
// nothing but the code and the interface's version.
func Document(apiVersion string) ([]byte, error) {
	return newServer(Deps{APIVersion: apiVersion}).api.OpenAPI().YAML()
}

// huma has this setting for the whole process only. Without it a field may be
// written in any case, and two spellings of one field may stand in a body.
func init() { huma.ValidateStrictCasing = true }

func newServer(d Deps) *server {
	s := &server{
		Deps:      d,
		mux:       http.NewServeMux(),
		heartbeat: 15 * time.Second,
		recheck:   3 * time.Second,
		limits:    limits{json: 1 << 20, csv: 64 << 20, whole: 30 * time.Second, chunk: 30 * time.Second},
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.WatchInterval <= 0 {
		s.WatchInterval = 250 * time.Millisecond
	}
	if len(s.CursorKey) == 0 {
		s.CursorKey = []byte(rand.Text())
	}
	if s.LinkURL == nil {
		s.LinkURL = func(secret string) string { return "/link/" + secret }
	}
	s.api = humago.New(s.mux, s.config())
	s.api.UseMiddleware(s.guard, s.readBody)

	s.registerHealth()
	s.registerProducts()
	s.registerLinks()
	s.registerProductionBatches()
	s.registerImports()
	s.registerMintRequests()
	s.registerJobs()
	s.registerWatch()
	s.registerBatches()
	s.registerExport()
	s.registerUnits()
	s.registerLife()
	s.registerRevocations()
	s.registerEvents()
	s.registerSchemas()
	s.registerBrand()
	s.registerLogo()
	s.registerAPIKeys()
	s.registerMembers()
	openAnswers(s.api.OpenAPI())
	addExamples(s.api.OpenAPI())
	s.serveDocument()
	s.mux.HandleFunc("/", s.noSuchRoute)
	return s
}

// securityScheme is the name of the API key in the OpenAPI document.
const securityScheme = "api_key"

func (s *server) config() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	// Errors that huma finds are turned into ours (see transform).
	registry.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[problem]())
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	version := s.APIVersion
	if version == "" {
		version = "0"
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "mintage",
				Version:     version,
				Description: "Mints digital product passport identities: asks what stands in the way of a request, accepts it, and shows what came of it.",
				License:     &huma.License{Name: "Apache License 2.0", Identifier: "Apache-2.0"},
			},
			Tags: tags,
			Components: &huma.Components{
				Schemas:   registry,
				Responses: refusalResponses(registry),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					securityScheme: {Type: "http", Scheme: "bearer", BearerFormat: "mk_…", Description: "An API key of one brand. Its role is viewer, operator, admin or owner, each including those before it."},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{s.transform},
	}
}

// unmarshal keeps numbers as they were written. huma checks the first decoding,
// into an any; there a number that is not plainly an integer stays a json.Number,
// which no schema of ours takes.
func unmarshal(data []byte, v any) error {
	if target, ok := v.(*any); ok {
		value, err := decodeAny(data)
		*target = value
		return err
	}
	return json.Unmarshal(data, v)
}

// op begins the description of an operation.
func op(id, method, path, tag, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Tags: []string{tag}, Summary: summary,
		Security:        []map[string][]string{{securityScheme: {}}},
		MaxBodyBytes:    -1, // readBody sees to both
		BodyReadTimeout: -1,
		Metadata:        map[string]any{},
	}
}

// register adds an operation. An error of its handler becomes a problem.
func register[I, O any](s *server, o huma.Operation, handle func(context.Context, *I) (*O, error)) {
	if role, ok := access.LeastRole(access.Operation(o.OperationID)); ok {
		o.Description = strings.TrimSpace(o.Description + " Needs the role " + string(role) + orHigher(role) + ".")
	}
	addRefusals(&o)
	huma.Register(s.api, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

// orHigher says that higher roles will do, where there are any.
func orHigher(role mintage.Role) string {
	if role == mintage.Roles[len(mintage.Roles)-1] {
		return ""
	}
	return " or a higher one"
}

// body is the answer of an operation that has nothing but a body.
type body[T any] struct{ Body T }

// serveDocument serves the description of the API, which is complete by now.
func (s *server) serveDocument() {
	asJSON, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		panic(err) // the tests make it
	}
	asYAML, err := s.api.OpenAPI().YAML()
	if err != nil {
		panic(err)
	}
	serve := func(path, contentType string, document []byte) {
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(document) // nobody to tell
		})
	}
	serve("/openapi.json", "application/json", asJSON)
	serve("/openapi.yaml", "application/yaml", asYAML)
}

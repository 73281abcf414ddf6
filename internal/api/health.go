package api

import (
	"context"
	"errors"
	"net/http"

	"mintage"
	"mintage/internal/edge"
)

// health is the answer of a server that runs, or is ready.
type health struct {
	Status  string `json:"status" enum:"ok"`
	Version string `json:"version" doc:"The program's; info.version of the API's description is the interface's."`
}

func (s *server) registerHealth() {
	o := op("get_health", http.MethodGet, "/healthz", "Health", "Tell whether the process runs")
	o.Security, o.Metadata[metaPublic] = []map[string][]string{}, true
	register(s, o, func(context.Context, *struct{}) (*body[health], error) {
		return &body[health]{health{Status: "ok", Version: s.Version}}, nil
	})

	o = op("get_readiness", http.MethodGet, "/readyz", "Health", "Tell whether requests can be served")
	o.Security, o.Metadata[metaPublic] = []map[string][]string{}, true
	o.Metadata[metaRefuses] = []int{http.StatusServiceUnavailable}
	register(s, o, s.readiness)
}

// readiness shows the message of whatever stands in the way, whatever its code:
// who runs the server has to know.
func (s *server) readiness(ctx context.Context, _ *struct{}) (*body[health], error) {
	if s.Ready != nil {
		if err := s.Ready(ctx); err != nil {
			s.Log.Warn("not ready", "request_id", edge.RequestID(ctx), "error", err)
			code, message := mintage.ErrorCode(err), mintage.ErrorMessage(err)
			if _, ok := errors.AsType[*mintage.Error](err); !ok { // most of all, ctx has ended
				code, message = mintage.CodeUnavailable, "It could not be told in time whether requests can be served."
			}
			if statuses[code] != http.StatusServiceUnavailable {
				code = mintage.CodeUnavailable
			}
			return nil, newProblem(code, message)
		}
	}
	return &body[health]{health{Status: "ok", Version: s.Version}}, nil
}

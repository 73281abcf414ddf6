package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"mintage"
	"mintage/internal/edge"
)

// readiness is the answer of a server that is ready.
type readiness struct {
	Status        string     `json:"status" enum:"ok"`
	Version       string     `json:"version" doc:"The program's; info.version of the API's description is the interface's."`
	UnsealedSince *time.Time `json:"unsealed_since,omitempty" doc:"Only where events wait for too long to be sealed into the audit trail: since when. Look for a database transaction that stays open."`
}

// health is the answer of a server that runs.
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
	register(s, o, s.isReady)
}

// isReady shows the message of whatever stands in the way, whatever its code:
// who runs the server has to know.
func (s *server) isReady(ctx context.Context, _ *struct{}) (*body[readiness], error) {
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
	r := readiness{Status: "ok", Version: s.Version}
	if s.Unsealed != nil {
		if since := s.Unsealed(); !since.IsZero() {
			r.UnsealedSince = &since
		}
	}
	return &body[readiness]{r}, nil
}

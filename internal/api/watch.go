package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mintage/internal/edge"
	"mintage/internal/mint"
)

// reconnect is how long a client waits before it resumes a watch that broke off.
const reconnect = 2 * time.Second

type watchInput struct {
	ByID

	LastEventID string `header:"Last-Event-ID" doc:"Resumes a watch: a state that the client has is not sent again."`
}

func (s *server) registerWatch() {
	o := op("watch_mint_job", http.MethodGet, "/v1/mint-jobs/{id}/watch", "Mint jobs", "Watch a mint job until it is done")
	o.Description = "Server-Sent Events: an event \"progress\" with the job as get_mint_job shows it, at once and with each change; " +
		"a heartbeat as a comment. The stream ends after COMPLETED or FAILED; resumed after that, it answers 204."
	o.Metadata[metaStream] = true
	o.Responses = map[string]*huma.Response{
		"200": {Description: "The stream.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}},
		"204": {Description: "The job is done, and the client knows it."},
	}
	register(s, o, s.watch)
}

func (s *server) watch(ctx context.Context, in *watchInput) (*huma.StreamResponse, error) {
	work, err := s.Mint.Job(ctx, principal(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	seen, err := strconv.ParseInt(in.LastEventID, 10, 64)
	if err != nil {
		seen = -1 // never seen, or not an id of ours: begin anew
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		_, w := humago.Unwrap(h)
		if work.Job.Status.Final() && mint.ProgressID(work) == seen {
			w.WriteHeader(http.StatusNoContent) // a browser's EventSource stops asking
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
		s.stream(ctx, edge.NewPaced(w, s.limits.chunk), work, seen)
	}}, nil
}

// stream writes the job's states until it is done, the client leaves, the key is
// not valid any more or the server stops. Where it breaks off, the client resumes.
func (s *server) stream(ctx context.Context, out *edge.Paced, work *mint.Work, seen int64) {
	send := func(format string, args ...any) error {
		if _, err := fmt.Fprintf(out, format, args...); err != nil {
			return err
		}
		return out.Flush()
	}
	err := send("retry: %d\n\n", reconnect.Milliseconds())
	if err == nil {
		err = s.Mint.Follow(ctx, principal(ctx), work, seen, mint.Following{
			Interval: s.WatchInterval, Heartbeat: s.heartbeat, Stopping: s.Stopping, Admitted: s.stillAdmitted(ctx),
			Changed: func(work *mint.Work) error {
				data, err := json.Marshal(showJob(work))
				if err != nil {
					return err
				}
				return send("id: %d\nevent: progress\ndata: %s\n\n", mint.ProgressID(work), data)
			},
			Beat: func(*mint.Work) error { return send(": heartbeat\n\n") },
		})
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Warn("a watch broke off", "request_id", edge.RequestID(ctx), "error", err)
	}
}

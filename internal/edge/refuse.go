package edge

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mintage"
)

// refusedBody is how long what a handler has left of a body may take.
const refusedBody = 5 * time.Second

// Refuse answers with a problem (RFC 9457); to a browser that navigates, with the
// detail as plain text. The detail must hold nothing of what the caller sent.
func Refuse(w http.ResponseWriter, r *http.Request, status int, code mintage.Code, detail string) {
	// net/http reads on through what was not read of the body before it answers; a
	// client that announced one and sends nothing must not hold the connection.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(refusedBody)) // tests' writers have none
	if strings.HasPrefix(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(detail + "\n")) // nobody to tell
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // nobody to tell
		Type      string       `json:"type"`
		Title     string       `json:"title"`
		Status    int          `json:"status"`
		Detail    string       `json:"detail"`
		Code      mintage.Code `json:"code"`
		RequestID string       `json:"request_id"`
	}{"about:blank", http.StatusText(status), status, detail, code, RequestID(r.Context())})
}

// refuseRate answers a request that came too soon, with how long to wait.
func refuseRate(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	Refuse(w, r, http.StatusTooManyRequests, mintage.CodeTooMany, "Too many requests; wait for as many seconds as the header Retry-After says.")
}

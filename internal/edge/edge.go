package edge

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"time"

	"mintage"
)

// Options of an edge. The zero value trusts no proxy and limits no rates.
type Options struct {
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// HSTS tells browsers to use nothing but TLS for a year: only where TLS is on.
	HSTS bool
	// Public is for a plane that answers everybody, very often, and mostly shows nothing.
	// It sets the headers about what is shown itself, where something is; and what was
	// answered without a fault of ours is logged at level debug.
	Public bool
	// PerKey and PerAddress are requests a second for each credential and for each
	// address; twice as many may come at once. 0 means without limit.
	PerKey, PerAddress float64
	// Log may be nil.
	Log *slog.Logger
}

// Default rates, in requests a second: far above what a busy ERP needs, and below
// what one client can use to keep others waiting.
const (
	DefaultPerKey     = 500
	DefaultPerAddress = 1000
)

// exchange is what is known of one request while it is served. Its handler runs
// in one goroutine, which alone writes it.
type exchange struct {
	id      string
	address netip.Addr
	actor   string
	route   string
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// RequestID returns the id of the request that a context belongs to, "" where
// there is none.
func RequestID(ctx context.Context) string { return exchangeOf(ctx).id }

// Address returns the client's address, the zero Addr where there is no request.
func Address(ctx context.Context) netip.Addr { return exchangeOf(ctx).address }

// Origin returns what the audit trail keeps of where a request came from.
func Origin(ctx context.Context) mintage.Origin {
	x := exchangeOf(ctx)
	return mintage.Origin{AddressClass: mintage.ClassOf(x.address), RequestID: x.id}
}

// SetActor names who makes the request, for its log line: a principal's Actor.
func SetActor(ctx context.Context, actor string) { exchangeOf(ctx).actor = actor }

// SetRoute names the route for the log line, where the handler's mux has seen
// another *http.Request than the edge passed on. It must not hold what the caller
// sent.
func SetRoute(ctx context.Context, route string) { exchangeOf(ctx).route = route }

// safeID is what a caller may name its request: what is safe in any log.
var safeID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// answerTime is how long an answer may take whose handler does not move the
// deadline.
const answerTime = time.Minute

// New returns what puts an edge before a handler. All handlers that one New is
// used for share its counts of requests.
func New(o Options) func(http.Handler) http.Handler {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	rates := newRates(o.PerKey, o.PerAddress)
	return func(next http.Handler) http.Handler {
		return &edge{next: next, log: log, rates: rates, trusted: o.TrustedProxies, hsts: o.HSTS, public: o.Public}
	}
}

type edge struct {
	next    http.Handler
	log     *slog.Logger
	rates   *rates
	trusted []netip.Prefix
	hsts    bool
	public  bool
}

// ServeHTTP serves one request, sees that whatever happens is answered, and logs
// it.
func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	x := &exchange{id: r.Header.Get("X-Request-Id"), address: clientAddress(r, e.trusted)}
	if !safeID.MatchString(x.id) {
		x.id = rand.Text()
	}
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	answer := &recorder{ResponseWriter: w}
	e.head(w.Header(), x)
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(begin.Add(answerTime)) // tests' writers have none
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &pacedBody{ReadCloser: r.Body, control: control}
		// net/http reads on through what the handler leaves of it, before it answers
		// or before the next request: also that must not last.
		_ = control.SetReadDeadline(begin.Add(bodyPause))
		defer func() { _ = control.SetReadDeadline(time.Now().Add(refusedBody)) }()
	}

	defer func() {
		fault := recover()
		if fault != nil && !isAbort(fault) {
			e.log.Error("a request met a fault of the program", "request_id", x.id, "fault", fault, "stack", string(debug.Stack()))
			if !answer.begun() {
				Refuse(answer, r, http.StatusInternalServerError, mintage.CodeInternal,
					"An internal error has occurred; its cause is in the log, under the request_id.")
				fault = nil
			}
		}
		e.note(r, x, answer.status, time.Since(begin), fault != nil)
		if fault != nil {
			panic(http.ErrAbortHandler) // the answer cannot be completed: break it off
		}
	}()
	if wait := e.rates.take(Credential(r.Header), x.address, begin); wait > 0 {
		refuseRate(answer, r, wait)
		return
	}
	e.next.ServeHTTP(answer, r)
}

var notStored = []string{"no-store"} // never changed

// note leaves the request's line in the log.
func (e *edge) note(r *http.Request, x *exchange, status int, duration time.Duration, brokenOff bool) {
	level := slog.LevelInfo
	if e.public && status < http.StatusInternalServerError && !brokenOff {
		level = slog.LevelDebug
	}
	route := x.route
	if route == "" {
		route = r.Pattern
	}
	e.log.LogAttrs(r.Context(), level, "request", slog.String("request_id", x.id), slog.String("method", r.Method),
		slog.String("route", route), slog.Int("status", status), slog.Duration("duration", duration),
		slog.String("actor", x.actor), slog.Bool("broken_off", brokenOff))
}

// head sets the headers of every answer. A plane overrides what does not suit it.
func (e *edge) head(h http.Header, x *exchange) {
	h["X-Request-Id"] = []string{x.id}
	if e.hsts {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	h["Cache-Control"] = notStored
	if e.public {
		return
	}
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	// Not no-referrer, with which browsers post forms from the origin "null".
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

func isAbort(fault any) bool {
	err, ok := fault.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter

	status int // 0: nothing yet
}

func (w *recorder) begun() bool { return w.status != 0 }

// WriteHeader passes on the first final status; huma sends a second one where a
// client left.
func (w *recorder) WriteHeader(status int) {
	if w.begun() {
		return
	}
	if status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if !w.begun() {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

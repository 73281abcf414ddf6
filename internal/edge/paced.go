package edge

import (
	"net/http"
	"time"
)

// Paced is the answer of a stream: it gives each chunk a time limit of its own.
type Paced struct {
	w     http.ResponseWriter
	chunk time.Duration
	begun bool
}

// ChunkTime is how long a client may take for the next bytes of a stream.
const ChunkTime = 30 * time.Second

// NewPaced returns w with a limit for each chunk. Not every writer has deadlines: those
// of tests do not.
func NewPaced(w http.ResponseWriter, chunk time.Duration) *Paced {
	return &Paced{w: w, chunk: chunk}
}

// Write implements [io.Writer].
func (p *Paced) Write(b []byte) (int, error) {
	p.extend()
	return p.w.Write(b)
}

// Flush sends what was written, the status at least.
func (p *Paced) Flush() error {
	p.extend()
	return http.NewResponseController(p.w).Flush()
}

// Begun reports whether something was sent.
func (p *Paced) Begun() bool { return p.begun }

func (p *Paced) extend() {
	p.begun = true
	_ = http.NewResponseController(p.w).SetWriteDeadline(time.Now().Add(p.chunk))
}

package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// generator sends HTTP/1.1 requests over a number of connections that stay open,
// each waiting for its answer before it sends the next.
//
// It writes and reads the sockets itself: an http.Client spends more processor time
// on a request than the server that is measured, on the same processors, and hides
// in its cost the differences that are looked for. A request here is one append and
// one write, an answer a walk over its header's lines; bodies are skipped.
type generator struct {
	connections []*connection
}

// connection has one request under way at most.
type connection struct {
	net.Conn

	in      *bufio.Reader
	request []byte
	// took holds how long each answer of the phase in hand took to come.
	took []time.Duration
}

// dial opens n connections to a server.
func dial(ctx context.Context, address string, n int) (_ *generator, err error) {
	g := &generator{}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	var d net.Dialer
	for range n {
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		g.connections = append(g.connections, &connection{Conn: conn, in: bufio.NewReaderSize(conn, 16<<10)})
	}
	return g, nil
}

func (g *generator) close() error {
	var errs []error
	for _, c := range g.connections {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// workload is what one phase asks for.
type workload struct {
	status int // that every answer must have
	// next appends the next request; nothing where there is no further one. It is
	// called from all connections at once.
	next func(b []byte) []byte
}

// figures are what a phase measured.
type figures struct {
	requests int
	rate     float64 // requests a second
	p99      time.Duration
}

// answerTime is how long an answer may take.
const answerTime = 30 * time.Second

// run sends requests on all connections for so long, or until there are no more, and
// waits for their answers.
func (g *generator) run(ctx context.Context, w workload, d time.Duration) (figures, error) {
	stop := context.AfterFunc(ctx, func() { _ = g.close() }) // whoever waits in a read gets an error
	defer stop()
	started := time.Now()
	end := started.Add(d)
	errs := make([]error, len(g.connections))
	var phase sync.WaitGroup
	for i, c := range g.connections {
		phase.Go(func() { errs[i] = c.phase(w, end) })
	}
	phase.Wait()
	elapsed := time.Since(started)
	if err := errors.Join(errs...); err != nil {
		return figures{}, errors.Join(ctx.Err(), err)
	}
	var all []time.Duration
	for _, c := range g.connections {
		all = append(all, c.took...)
	}
	if len(all) == 0 {
		return figures{}, errors.New("there was nothing left to ask for")
	}
	slices.Sort(all)
	return figures{requests: len(all), rate: rate(int64(len(all)), elapsed), p99: all[(len(all)-1)*99/100]}, nil
}

func (c *connection) phase(w workload, end time.Time) error {
	c.took = c.took[:0]
	if err := c.SetDeadline(end.Add(answerTime)); err != nil {
		return err
	}
	for last := time.Now(); last.Before(end); {
		if c.request = w.next(c.request[:0]); len(c.request) == 0 {
			return nil
		}
		if _, err := c.Write(c.request); err != nil {
			return err
		}
		status, err := c.answer(io.Discard)
		if err != nil {
			return err
		}
		if status != w.status {
			return fmt.Errorf("an answer has status %d instead of %d to %q", status, w.status, c.request)
		}
		now := time.Now()
		c.took = append(c.took, now.Sub(last))
		last = now
	}
	return nil
}

// What a server of net/http writes into a header, spelt as it does.
var (
	contentLength = []byte("Content-Length: ")
	chunked       = []byte("Transfer-Encoding: chunked")
)

// answer reads an answer, its header and its body (RFC 9112), and passes the header
// on, with the empty line at its end.
func (c *connection) answer(header io.Writer) (status int, err error) {
	length := -1
	inChunks := false
	for first := true; ; first = false {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if header != io.Discard {
			_, _ = header.Write(line) // a buffer
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if len(line) < len("HTTP/1.1 200") {
				return 0, errors.New("the answer has no status line")
			}
			if status, err = strconv.Atoi(string(line[len("HTTP/1.1 "):len("HTTP/1.1 200")])); err != nil {
				return 0, err
			}
		case len(line) == 0:
			switch {
			case inChunks:
				return status, c.skipChunks()
			case length >= 0:
				_, err := c.in.Discard(length)
				return status, err
			}
			return 0, errors.New("the answer does not say how long it is")
		case bytes.HasPrefix(line, contentLength):
			if length, err = strconv.Atoi(string(line[len(contentLength):])); err != nil {
				return 0, err
			}
		case bytes.Equal(line, chunked):
			inChunks = true
		}
	}
}

func (c *connection) skipChunks() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(bytes.TrimRight(line, "\r\n")), 16, 31)
		if err != nil {
			return err
		}
		if _, err := c.in.Discard(int(size) + len("\r\n")); err != nil || size == 0 {
			return err
		}
	}
}

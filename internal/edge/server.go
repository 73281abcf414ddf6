package edge

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Limits of a connection.
const (
	headerTime  = 10 * time.Second // for all headers of a request to arrive
	idleTime    = 2 * time.Minute  // between requests
	headerBytes = 16 << 10

	// DefaultConnections is how many may be open at once.
	DefaultConnections = 4096
)

// Server returns a server for a handler that has an edge, with the limits that
// only a server can set.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		// What net/http itself has to say is about what clients do wrong.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Limits of a body.
const (
	bodyPause = 30 * time.Second // for its next bytes to arrive; also what it may take at first
	bodyRate  = 1 << 10          // bytes a second, on average, after that
)

// pacedBody breaks off a body that arrives too slowly. What the server does
// between two reads takes nothing from the client's time.
type pacedBody struct {
	io.ReadCloser

	control *http.ResponseController
	waited  time.Duration
	read    int64
}

func (b *pacedBody) Read(p []byte) (int, error) {
	begin := time.Now()
	left := bodyPause + time.Duration(b.read)*time.Second/bodyRate - b.waited
	_ = b.control.SetReadDeadline(begin.Add(min(left, bodyPause))) // tests' writers have none
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	b.waited += time.Since(begin)
	if errors.Is(err, io.EOF) {
		// Or the server, which goes on reading to notice that the client leaves,
		// would take the deadline for that.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Limit returns a listener with at most n connections open at once; more wait in
// the system's queue until one is closed.
func Limit(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

type limited struct {
	net.Listener

	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Accept waits for a connection and for its place.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close also ends an Accept that waits for a place.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn

	release func()
}

// Close gives the place back.
func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// TLS returns the configuration of a server with the certificate (with its chain)
// and the key in two PEM files: TLS 1.2 and later. Where a file has changed, the next
// connection gets the new certificate, so that renewing one needs no restart.
func TLS(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	c.stamp = c.stamps()
	loaded, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c.current = &loaded
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	stamp   [2]time.Time // when the files were changed last
	current *tls.Certificate
}

// stamps returns when the files were changed, zero for one that is not there.
func (c *certificate) stamps() (s [2]time.Time) {
	for i, path := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(path); err == nil {
			s[i] = info.ModTime()
		}
	}
	return s
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.stamps(); now != c.stamp {
		// Also where it fails, as between the writes of the two files: the next
		// change is another stamp.
		c.stamp = now
		loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
		if err != nil {
			c.log.Warn("the changed TLS certificate cannot be used; the one before is kept", "error", err)
			return c.current, nil
		}
		c.current = &loaded
		c.log.Info("took the changed TLS certificate")
	}
	return c.current, nil
}

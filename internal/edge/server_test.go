package edge

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, so that its connections keep the bubble's time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// within runs a test in a bubble against a server over pipes, with at most two
// connections at once. The handler may report one error to the test.
func within(t *testing.T, handle func(http.ResponseWriter, *http.Request, chan<- error), run func(t *testing.T, p *pipes, reported <-chan error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		reported := make(chan error, 1)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, reported) })
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := Server(New(Options{})(h), slog.New(slog.DiscardHandler))
		ended := make(chan error)
		go func() { ended <- server.Serve(Limit(p, 2)) }()
		run(t, p, reported)
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's time, for connections that linger
	})
}

func nothing(http.ResponseWriter, *http.Request, chan<- error) {}

// Headers that drip in are cut off, whatever drips.
func TestSlowHeadersAreCut(t *testing.T) {
	within(t, nothing, func(t *testing.T, p *pipes, _ <-chan error) {
		conn := p.dial()
		defer conn.Close()
		begin := time.Now()
		write := func(text string) error { _, err := io.WriteString(conn, text); return err }
		err := write("GET / HTTP/1.1\r\nHost: x\r\n")
		for err == nil && time.Since(begin) < time.Hour {
			time.Sleep(time.Second) //nolint:forbidigo // the bubble's time
			err = write("X-A: b\r\n")
		}
		if d := time.Since(begin); err == nil || d > headerTime+time.Second {
			t.Errorf("cut off after %s: %v", d, err)
		}
	})
}

// A body that drips in is cut off; one that comes slowly but steadily is not,
// and what the server does meanwhile costs the client nothing.
func TestSlowBodies(t *testing.T) {
	for _, tc := range []struct {
		name  string
		chunk int
		pause time.Duration
		busy  time.Duration // of the server, for each chunk
		total int
		whole bool
	}{
		{"a byte each 20 s", 1, 20 * time.Second, 0, 1000, false},
		{"nothing any more", 1, time.Hour, 0, 2, false},
		{"2 KiB a second", 2 << 10, time.Second, 0, 1 << 20, true},
		{"a slow server", 2 << 10, time.Second, time.Minute, 64 << 10, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			within(t, func(_ http.ResponseWriter, r *http.Request, report chan<- error) {
				buffer := make([]byte, 2<<10)
				for {
					if _, err := io.ReadFull(r.Body, buffer); err != nil {
						if errors.Is(err, io.EOF) {
							err = nil
						}
						report <- err
						return
					}
					time.Sleep(tc.busy) //nolint:forbidigo // the bubble's time
				}
			}, func(t *testing.T, p *pipes, reported <-chan error) {
				conn := p.dial()
				defer conn.Close()
				go func() { _, _ = io.Copy(io.Discard, conn) }()
				begin := time.Now()
				request := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
				_, err := io.WriteString(conn, request+big.NewInt(int64(tc.total)).String()+"\r\n\r\n")
				for sent := 0; err == nil && sent < tc.total; sent += tc.chunk {
					if sent > 0 {
						time.Sleep(tc.pause) //nolint:forbidigo // the bubble's time
					}
					_, err = io.WriteString(conn, strings.Repeat("x", tc.chunk))
				}
				got := <-reported
				if (got == nil) != tc.whole {
					t.Errorf("the server has read: %v", got)
				}
				if !tc.whole && (!errors.Is(got, os.ErrDeadlineExceeded) || time.Since(begin) > time.Hour) {
					t.Errorf("after %s: %v", time.Since(begin), got)
				}
			})
		})
	}
}

// A body that no handler asked for is not waited for either.
func TestIgnoredBodies(t *testing.T) {
	for _, size := range []int{0, 1 << 20} { // of the answer
		within(t, func(w http.ResponseWriter, _ *http.Request, _ chan<- error) {
			_, _ = w.Write(make([]byte, size)) // cut off
		}, func(t *testing.T, p *pipes, _ <-chan error) {
			conn := p.dial()
			defer conn.Close()
			begin := time.Now()
			if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			_, err := io.Copy(io.Discard, conn)
			if d := time.Since(begin); err != nil || d > answerTime {
				t.Errorf("an answer of %d: ended after %s: %v", size, d, err)
			}
		})
	}
}

// An answer that nobody reads is given up.
func TestSlowReadersAreCut(t *testing.T) {
	within(t, func(w http.ResponseWriter, _ *http.Request, report chan<- error) {
		_, err := w.Write(make([]byte, 1<<20))
		report <- err
	}, func(t *testing.T, p *pipes, reported <-chan error) {
		conn := p.dial()
		defer conn.Close()
		begin := time.Now()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := <-reported; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) > answerTime {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
	})
}

func TestHeadersAreBounded(t *testing.T) {
	within(t, func(http.ResponseWriter, *http.Request, chan<- error) {
		t.Error("a request with 32 KiB of headers was served")
	}, func(t *testing.T, p *pipes, _ <-chan error) {
		conn := p.dial()
		defer conn.Close()
		go func() {
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-A: "+strings.Repeat("a", 32<<10)+"\r\n\r\n") // cut off
		}()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("the answer is %s", response.Status)
		}
	})
}

// The third connection of two is served when one of them goes.
func TestConnectionsAreBounded(t *testing.T) {
	within(t, nothing, func(t *testing.T, p *pipes, _ <-chan error) {
		first, second := p.dial(), p.dial()
		defer second.Close()
		third := make(chan net.Conn)
		go func() { third <- p.dial() }()
		synctest.Wait()
		select {
		case <-third:
			t.Fatal("a third connection was accepted")
		default:
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		conn := <-third
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	})
}

// certify writes a new certificate for 127.0.0.1, under a name to know it by.
func certify(t *testing.T, dir, name string, changed time.Time) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := errors.Join(os.WriteFile(path, pem.EncodeToMemory(block), 0o600), os.Chtimes(path, changed, changed)); err != nil {
			t.Fatal(err)
		}
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(leaf)
	return certFile, keyFile, roots
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	changed := time.Now().Add(-time.Minute)
	certFile, keyFile, roots := certify(t, dir, "first", changed)
	config, err := TLS(certFile, keyFile, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := Server(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), slog.New(slog.DiscardHandler))
	server.TLSConfig = config
	go func() { _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = server.Close() })

	// dial returns the protocol and the name in the certificate.
	dial := func(client *tls.Config) (string, string, error) {
		d := tls.Dialer{Config: client}
		conn, err := d.DialContext(context.Background(), "tcp", listener.Addr().String())
		if err != nil {
			return "", "", err
		}
		defer conn.Close()
		state := conn.(*tls.Conn).ConnectionState()
		return state.NegotiatedProtocol, state.PeerCertificates[0].Subject.CommonName, nil
	}
	protocol, name, err := dial(&tls.Config{RootCAs: roots, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil || protocol != "h2" || name != "first" {
		t.Errorf("%q with the certificate %q: %v", protocol, name, err)
	}
	if _, _, err := dial(&tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 is accepted")
	}

	// A file that is half written changes nothing; the whole one does.
	if err := errors.Join(os.WriteFile(certFile, []byte("half"), 0o600), os.Chtimes(certFile, changed.Add(time.Second), changed.Add(time.Second))); err != nil {
		t.Fatal(err)
	}
	if _, name, err := dial(&tls.Config{RootCAs: roots}); err != nil || name != "first" {
		t.Errorf("while the files change: %q, %v", name, err)
	}
	_, _, renewed := certify(t, dir, "second", changed.Add(2*time.Second))
	if _, name, err := dial(&tls.Config{RootCAs: renewed}); err != nil || name != "second" {
		t.Errorf("after the files have changed: %q, %v", name, err)
	}
	if _, err := TLS(certFile, filepath.Join(dir, "none"), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a key that is not there is taken")
	}
}

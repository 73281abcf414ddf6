package e2e_test

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"
)

// link is a network between mintage and PostgreSQL that can be made worse.
type link struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
	url   string // of the database, through the link
}

// newLink leads to the database at a URL; connections through it have a name of
// their own on the server.
func newLink(t *testing.T, databaseURL, name string) *link {
	t.Helper()
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &link{t: t, proxy: toxiproxy.NewProxy(server, name, "127.0.0.1:0", bridge(t, network, address))}
	if err := l.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Stop)
	u := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: l.proxy.Listen, Path: "/" + config.Database}
	u.RawQuery = url.Values{"sslmode": {"disable"}, "application_name": {name}}.Encode()
	l.url = u.String()
	return l
}

// bridge listens on TCP, which is all that toxiproxy speaks, and passes on to
// where the server listens: in tests a Unix socket.
func bridge(t *testing.T, network, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	done := make(chan struct{})
	t.Cleanup(func() { close(done); _ = listener.Close(); open.Wait() })
	open.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			ended := make(chan struct{}, 2)
			for _, ends := range [][2]net.Conn{{client, server}, {server, client}} {
				open.Go(func() { _, _ = io.Copy(ends[0], ends[1]); ended <- struct{}{} }) // either end may break it
			}
			open.Go(func() {
				select {
				case <-ended:
				case <-done:
				}
				_ = client.Close()
				_ = server.Close()
			})
		}
	})
	return listener.Addr().String()
}

// worsen does something to both directions of all connections, present and to
// come: a toxic of toxiproxy with its attributes in JSON.
func (l *link) worsen(toxic, attributes string) {
	l.t.Helper()
	for _, direction := range []string{"upstream", "downstream"} {
		_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(
			`{"type":"` + toxic + `","stream":"` + direction + `","attributes":` + attributes + `}`))
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// heal makes the link good again. What vanished on it meanwhile is gone, and so
// are its connections. It takes toxiproxy ten seconds where data is under way.
func (l *link) heal() { l.proxy.Toxics.ResetToxics(l.t.Context()) }

// cut breaks all connections and refuses new ones, until join.
func (l *link) cut() { l.proxy.Stop() }

func (l *link) join() {
	l.t.Helper()
	if err := l.proxy.Start(); err != nil {
		l.t.Fatal(err)
	}
}

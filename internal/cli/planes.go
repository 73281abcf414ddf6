package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"mintage"
	"mintage/internal/api"
	"mintage/internal/audit"
	"mintage/internal/edge"
	"mintage/internal/mint"
	"mintage/internal/resolver"
	"mintage/internal/web"
)

// planeFlags configure what is served and how it is reached.
type planeFlags struct {
	Listen         string         `help:"Address to serve on." default:"127.0.0.1:8080" env:"MINTAGE_LISTEN" placeholder:"HOST:PORT"`
	ResolverListen string         `help:"Address of the resolver, which never shares one with api or web." default:"127.0.0.1:8081" env:"MINTAGE_RESOLVER_LISTEN" placeholder:"HOST:PORT"`
	BaseURL        string         `help:"How people reach mintage, such as https://mintage.example.com. Default: the address to serve on." env:"MINTAGE_BASE_URL" placeholder:"URL"`
	TLSCert        string         `help:"PEM file with the certificate and its chain; read anew when it changes." env:"MINTAGE_TLS_CERT" name:"tls-cert" type:"path" placeholder:"FILE"`
	TLSKey         string         `help:"PEM file with the certificate's key." env:"MINTAGE_TLS_KEY" name:"tls-key" type:"path" placeholder:"FILE"`
	TrustedProxies []netip.Prefix `help:"Networks of proxies whose X-Forwarded-For is believed." env:"MINTAGE_TRUSTED_PROXIES" placeholder:"CIDR"`
	InsecureHTTP   bool           `help:"Serve without TLS on an address that other machines can reach." env:"MINTAGE_INSECURE_HTTP" name:"insecure-http"`
	MaxConnections int            `help:"Connections that one address to serve on may have at once; one client address has a sixteenth of them, but always 64. Default: ${default}." default:"${connections}" env:"MINTAGE_MAX_CONNECTIONS" placeholder:"N"`
	RatePerKey     float64        `help:"Requests a second for each API key; twice as many may come at once. 0: without limit. Default: ${default}." default:"${per_key}" env:"MINTAGE_RATE_PER_KEY" placeholder:"N"`
	RatePerAddress float64        `help:"The same for each client address. Default: ${default}." default:"${per_address}" env:"MINTAGE_RATE_PER_ADDRESS" placeholder:"N"`
	oidcFlags
}

// Validate refuses what cannot be.
func (f planeFlags) Validate() error {
	switch {
	case (f.TLSCert == "") != (f.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key belong together")
	case f.MaxConnections < 1:
		return errors.New("--max-connections must be 1 or more")
	case f.RatePerKey < 0 || f.RatePerAddress < 0:
		return errors.New("--rate-per-key and --rate-per-address must be 0 or more")
	}
	return f.oidcFlags.Validate()
}

// mayGuessBaseURL refuses to guess how people reach mintage behind a proxy: what has
// TLS there would get cookies that are sent without it, and links that do not work.
func (f planeFlags) mayGuessBaseURL() error {
	if len(f.TrustedProxies) == 0 || f.TLSCert != "" || f.InsecureHTTP || strings.HasPrefix(f.BaseURL, "https://") {
		return nil
	}
	return mintage.Errorf(mintage.CodeInvalidInput,
		"With --trusted-proxies, people reach mintage through a proxy; say how with --base-url https://…, so that cookies are sent with TLS only.")
}

// serving is a process's planes, each behind its listener, and its worker.
type serving struct {
	app      *app
	engine   *mint.Engine       // nil without the worker's role
	sealer   *audit.Sealer      // likewise
	resolver *resolver.Resolver // nil without its role
	planes   []*plane
	baseURL  string
	stopping chan struct{} // closed when watches shall end
	web      bool
	tls      bool // this process has it, and no proxy
}

// plane is one listener with its server.
type plane struct {
	name     string // of the log
	listener net.Listener
	server   *http.Server
}

// newServing takes the addresses and builds what is served there. The caller runs
// or closes it.
func (a *app) newServing(e *env, f planeFlags, roles []role, engine *mint.Engine) (_ *serving, err error) {
	s := &serving{app: a, engine: engine, stopping: make(chan struct{}), web: slices.Contains(roles, roleWeb)}
	if engine != nil {
		s.sealer = a.sealer(e)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	var secure *tls.Config
	if f.TLSCert != "" {
		if secure, err = edge.TLS(f.TLSCert, f.TLSKey, e.log); err != nil {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "The files of --tls-cert and --tls-key cannot be used; they must be a PEM certificate and its key.").WithCause(err)
		}
	}
	options := edge.Options{
		TrustedProxies: f.TrustedProxies, HSTS: secure != nil, PerKey: f.RatePerKey, PerAddress: f.RatePerAddress, Log: e.log,
	}
	add := func(name, address string, build func() (http.Handler, error)) error {
		listener, err := e.listen(f, address)
		if err != nil {
			return err
		}
		p := &plane{name: name, listener: listener}
		s.planes = append(s.planes, p)
		if name == "serving" {
			scheme := "http://"
			if secure != nil {
				scheme = "https://"
			}
			s.baseURL = strings.TrimSuffix(cmp.Or(f.BaseURL, scheme+listener.Addr().String()), "/")
		}
		handler, err := build()
		if err != nil {
			return err
		}
		o := options
		o.Public = name != "serving"
		p.server = edge.Server(edge.New(o)(handler), e.log)
		p.server.TLSConfig = secure.Clone()
		p.listener = edge.Limit(listener, f.MaxConnections, f.TrustedProxies)
		return nil
	}
	s.tls = secure != nil
	if s.web || slices.Contains(roles, roleAPI) {
		if err := f.mayGuessBaseURL(); err != nil {
			return nil, err
		}
		if err := add("serving", f.Listen, func() (http.Handler, error) { return s.inner(e, f, roles) }); err != nil {
			return nil, err
		}
	}
	if slices.Contains(roles, roleResolver) {
		if f.ResolverListen == "" {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "The resolver is the public plane and has an address of its own; name it with --resolver-listen.")
		}
		db := cmp.Or(a.stores[roleResolver], a.store)
		s.resolver = resolver.New(resolver.Options{Store: db, Keys: a.keys, Now: now, Log: e.log, Writers: e.activationWriters()})
		if err := add("serving the resolver", f.ResolverListen, func() (http.Handler, error) {
			return withHealth(s.resolver, healthOnly(db.Ping, s.unsealed, s.resolver.DroppedScans)), nil
		}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// inner is what is served to those who work with mintage: api and web.
func (s *serving) inner(e *env, f planeFlags, roles []role) (http.Handler, error) {
	var pages, programs http.Handler
	if s.web {
		oidc, err := f.config()
		if err != nil {
			return nil, err
		}
		pages, err = web.New(web.Deps{
			Access: s.app.access, Mint: s.app.mint, Catalogue: s.app.catalogue, Export: s.app.export, OIDC: oidc, BaseURL: s.baseURL,
			CursorKey: s.app.master.Derive("cursors"), Stopping: s.stopping,
			Secure: s.tls || strings.HasPrefix(s.baseURL, "https://"), Log: e.log, Version: e.version,
		})
		if err != nil {
			return nil, err
		}
	}
	programs = healthOnly(s.ready, s.unsealed, nil)
	if slices.Contains(roles, roleAPI) {
		programs = api.New(api.Deps{
			Mint: s.app.mint, Catalogue: s.app.catalogue, Access: s.app.access, Export: s.app.export,
			Ready: s.ready, Unsealed: s.unsealed, APIVersion: apiVersion, Version: e.version, Log: e.log, Stopping: s.stopping,
			CursorKey: s.app.master.Derive("cursors"), LinkURL: s.linkURL,
		})
	}
	if pages == nil {
		return programs, nil
	}
	withAPI := slices.Contains(roles, roleAPI)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/healthz", path == "/readyz",
			withAPI && (strings.HasPrefix(path, "/v1/") || path == "/openapi.json" || path == "/openapi.yaml"):
			programs.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	}), nil
}

// ready returns why this process cannot do its work at the moment, or nil.
func (s *serving) ready(ctx context.Context) error {
	err := s.app.store.Ping(ctx)
	if s.engine != nil {
		err = errors.Join(s.engine.Fault(), err)
	}
	return err
}

// unsealed returns since when events wait to be sealed, where that is long ago; zero
// without the worker's role too. Requests can be served all the same, so that this
// makes no process unready: it would let whoever holds sealing up stop the service.
func (s *serving) unsealed() time.Time {
	if s.sealer == nil {
		return time.Time{}
	}
	return s.sealer.OldTail()
}

// readiness is what /readyz says beside the status of the answer.
type readiness struct {
	Status        string    `json:"status"`
	UnsealedSince time.Time `json:"unsealed_since,omitzero"`
	// DroppedScans is how many scans were not noted since the process began; absent without
	// the resolver's role.
	DroppedScans *int64 `json:"dropped_scans,omitempty"`
}

// healthOnly answers as the API does when it is asked how it is, and nothing else.
// dropped, where it is not nil, counts the scans that were not noted.
func healthOnly(ready func(context.Context) error, unsealed func() time.Time, dropped func() int64) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, r readiness) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r) // nobody to tell
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, readiness{Status: "ok"}) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := ready(r.Context()); err != nil {
			edge.Refuse(w, r, http.StatusServiceUnavailable, mintage.CodeUnavailable, "Not ready; the log says why.")
			return
		}
		is := readiness{Status: "ok", UnsealedSince: unsealed()}
		if dropped != nil {
			n := dropped()
			is.DroppedScans = &n
		}
		answer(w, is)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		edge.Refuse(w, r, http.StatusNotFound, mintage.CodeNotFound, "There is no such path.")
	})
	return mux
}

// withHealth answers for the resolver how it is; all other paths may be identities.
func withHealth(public, health http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz", "/readyz":
			health.ServeHTTP(w, r)
		default:
			public.ServeHTTP(w, r)
		}
	})
}

// activationWriters is how many transactions of first scans may run at once: SQLite
// has one writer.
func (c *Config) activationWriters() int {
	if c.postgres() {
		return 2
	}
	return 1
}

// listen takes an address to serve on. What other machines can reach needs TLS,
// here or in a proxy before it.
func (e *env) listen(f planeFlags, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(e, "tcp", address)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeUnavailable, "Cannot listen on %s; choose another address with --listen or --resolver-listen.", address).WithCause(err)
	}
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if f.TLSCert == "" && !f.InsecureHTTP && len(f.TrustedProxies) == 0 && (!ok || !tcp.IP.IsLoopback()) {
		return nil, errors.Join(mintage.Errorf(mintage.CodeInvalidInput,
			"Keys and passwords would travel in clear: other machines can reach %s. Give --tls-cert and --tls-key, or name the proxy that has TLS with --trusted-proxies and --base-url, or say --insecure-http.", address), listener.Close())
	}
	return listener, nil
}

// firstLink returns the link by which the first owner signs in; "" where somebody
// can sign in already, or not here.
func (s *serving) firstLink(ctx context.Context) (string, error) {
	if !s.web {
		return "", nil
	}
	secret, err := s.app.access.FirstLink(ctx)
	if err != nil || secret == "" {
		return "", err
	}
	return s.linkURL(secret), nil
}

// linkURL is where the secret of a one-time sign-in link is used.
func (s *serving) linkURL(secret string) string { return s.baseURL + "/link/" + secret }

// describe is what --json prints when it begins to serve.
func (s *serving) describe(link string) map[string]string {
	d := map[string]string{"database": s.app.store.Engine()}
	for _, p := range s.planes {
		if p.name == "serving" {
			d["address"] = p.listener.Addr().String()
		} else {
			d["resolver_address"] = p.listener.Addr().String()
		}
	}
	if link != "" {
		d["first_owner_link"] = link
	}
	return d
}

// close gives back the addresses of what never ran.
func (s *serving) close() error {
	var errs []error
	for _, p := range s.planes {
		errs = append(errs, p.listener.Close())
	}
	return errors.Join(errs...)
}

// run serves and works until e is done, or until a plane fails.
func (s *serving) run(e *env) error {
	ctx, cancel := context.WithCancel(e)
	defer cancel()
	var wg, closing sync.WaitGroup
	if s.engine != nil {
		wg.Go(func() { s.app.work(ctx, e, s.engine, s.sealer) })
	}
	// The resolver ends after the last request that it may be needed for.
	resolving, stopResolving := context.WithCancel(context.WithoutCancel(e))
	defer stopResolving()
	if s.resolver != nil {
		wg.Go(func() { s.resolver.Run(resolving) })
	}
	ended := make(chan error, len(s.planes))
	for _, p := range s.planes {
		go func() { ended <- p.serve() }()
		e.log.Info(p.name, "address", p.listener.Addr().String(), "database", s.app.store.Engine(), "version", e.version, "tls", p.server.TLSConfig != nil)
	}
	if len(s.planes) == 0 {
		e.log.Info("working", "database", s.app.store.Engine(), "version", e.version)
	}
	var err error
	select {
	case err = <-ended:
	case <-e.Done():
		e.log.Info("stopping")
	}
	close(s.stopping)
	grace, stop := context.WithTimeout(context.WithoutCancel(e), shutdownTimeout)
	defer stop()
	for _, p := range s.planes {
		closing.Go(func() {
			if err := p.server.Shutdown(grace); err != nil {
				e.log.Warn("requests were cut off after the grace period")
				_ = p.server.Close() // what could not be closed ends with the process
			}
		})
	}
	cancel()
	closing.Wait()
	stopResolving()
	wg.Wait()
	return err
}

func (p *plane) serve() error {
	if p.server.TLSConfig != nil {
		return p.server.ServeTLS(p.listener, "", "")
	}
	return p.server.Serve(p.listener)
}

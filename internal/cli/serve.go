package cli

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"mintage"
	"mintage/internal/api"
	"mintage/internal/mint"
)

// shutdownTimeout is how long requests and the cycle in hand may take after
// SIGTERM; the whole stop stays within 5 s.
const shutdownTimeout = 4 * time.Second

// engineFlags configure the engine of serve, worker and demo.
type engineFlags struct {
	CycleSize int `help:"Largest number of units minted in one transaction, 1 to 20000." default:"20000" env:"MINTAGE_CYCLE_SIZE" placeholder:"N"`

	// Hidden: the database's own timeouts are tuned to the default.
	HungAfter time.Duration `help:"How long one transaction may hold a job before its worker is ended." default:"15s" env:"MINTAGE_HUNG_AFTER" placeholder:"DURATION" hidden:""`
}

// Validate is called by kong.
func (f engineFlags) Validate() error {
	if f.CycleSize < 1 || f.CycleSize > mintage.MaxCycle {
		return errors.New("--cycle-size must be 1 to " + strconv.Itoa(mintage.MaxCycle))
	}
	if f.HungAfter <= 0 {
		return errors.New("--hung-after must be more than 0")
	}
	return nil
}

func (f engineFlags) engine(e *env, a *app) *mint.Engine {
	return mint.NewEngine(a.store, a.keys, mint.Options{
		CycleSize: f.CycleSize, HungAfter: f.HungAfter, Actor: actor(), Now: now, Log: e.log, Grace: shutdownTimeout,
	})
}

// stopInTime ends the process 5 s after it was told to stop, whatever still waits
// for a database that does not answer: nothing that was committed needs us, and a
// supervisor's patience may end sooner than ours.
func (e *env) stopInTime() {
	context.AfterFunc(e, func() {
		time.AfterFunc(shutdownTimeout+800*time.Millisecond, func() {
			e.log.Warn("stopped without waiting any longer")
			os.Exit(0)
		})
	})
}

// actor names this worker in the audit trail.
func actor() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return "worker:" + host + ":" + strconv.Itoa(os.Getpid())
}

type serveCmd struct {
	engineFlags
	Listen string `help:"Address to serve on." default:"127.0.0.1:8080" env:"MINTAGE_LISTEN" placeholder:"HOST:PORT"`
}

func (c *serveCmd) Run(e *env) error {
	a, err := e.open(serve)
	if err != nil {
		return err
	}
	defer a.close(e)
	e.stopInTime()
	listener, err := e.listen(c.Listen)
	if err != nil {
		return err
	}
	if e.JSON {
		if err := e.printJSON(map[string]string{"address": listener.Addr().String(), "database": a.store.Engine()}); err != nil {
			return err
		}
	}
	return a.serve(e, c.engine(e, a), listener)
}

// listen takes an address to serve on.
func (e *env) listen(address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(e, "tcp", address)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeUnavailable, "Cannot listen on %s; choose another address with --listen.", address).WithCause(err)
	}
	return listener, nil
}

// serve runs the API and the engine until e is done.
func (a *app) serve(e *env, engine *mint.Engine, listener net.Listener) (err error) {
	stopping := make(chan struct{})
	server := &http.Server{
		Handler: api.New(api.Deps{
			Mint: a.mint, Catalogue: a.catalogue, Access: a.access, Export: a.export,
			Ready:      func(ctx context.Context) error { return errors.Join(engine.Fault(), a.store.Ping(ctx)) },
			APIVersion: apiVersion, Version: e.version, Log: e.log, Stopping: stopping,
		}),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	ctx, cancel := context.WithCancel(e)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { engine.Run(ctx) })
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	e.log.Info("serving", "address", listener.Addr().String(), "database", a.store.Engine(), "version", e.version)

	select {
	case err = <-served:
	case <-e.Done():
		e.log.Info("stopping")
		close(stopping)
		grace, stop := context.WithTimeout(context.WithoutCancel(e), shutdownTimeout)
		defer stop()
		if err = server.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
			e.log.Warn("requests were cut off after the grace period")
			err = server.Close()
		}
	}
	cancel()
	wg.Wait()
	return err
}

type workerCmd struct {
	engineFlags
	Once        bool          `help:"Run one invocation: until no job is runnable, or for --max-duration."`
	MaxDuration time.Duration `help:"With --once: begin no cycle after so long; the rest is left to the next invocation." default:"0s" placeholder:"30s"`
}

func (c *workerCmd) Run(e *env) error {
	a, err := e.open(serve)
	if err != nil {
		return err
	}
	defer a.close(e)
	e.stopInTime()
	engine := c.engine(e, a)
	if !c.Once {
		e.log.Info("working", "database", a.store.Engine(), "version", e.version)
		engine.Run(e)
		return nil
	}
	if err := engine.RunOnce(e, c.MaxDuration); err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]any{"minted_quantity": engine.Minted()})
	}
	e.printf("Minted %d units.\n", engine.Minted())
	return nil
}

type migrateCmd struct {
	Distribute bool `help:"Distribute the tables that grow with units over the nodes of a Citus cluster; see docs/scale.md."`
}

func (c *migrateCmd) Run(e *env) error {
	a := &app{}
	defer a.close(e)
	if err := a.openStore(e, serve); err != nil {
		return err
	}
	if c.Distribute {
		s, ok := a.store.(interface{ Distribute(context.Context) error })
		if !ok {
			return mintage.Errorf(mintage.CodeNotSupported, "Only PostgreSQL with the Citus extension can be distributed; name it with --database-url.")
		}
		if err := s.Distribute(e); err != nil {
			return err
		}
	}
	if e.JSON {
		return e.printJSON(map[string]any{"database": a.store.Engine(), "up_to_date": true, "distributed": c.Distribute})
	}
	e.printf("The schema is up to date.\n")
	if c.Distribute {
		e.printf("The tables that grow with units are distributed.\n")
	}
	return nil
}

// apiVersion is that of the interface, not of the program: the committed
// document does not change with each build.
const apiVersion = "0.1.0"

type openapiCmd struct{}

func (openapiCmd) Run(e *env) error {
	document, err := api.Document(apiVersion)
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(document)
	return err
}

package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"mintage"
	"mintage/internal/api"
	"mintage/internal/audit"
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

// Validate refuses what cannot be.
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
	return mint.NewEngine(a.stores[roleWorker], a.keys, mint.Options{
		CycleSize: f.CycleSize, HungAfter: f.HungAfter, Actor: actor(), Now: now, Log: e.log, Grace: shutdownTimeout,
	})
}

// stopInTime ends the process 5 s after it was told to stop, whatever still waits
// for a database that does not answer: nothing that was committed needs us, and a
// supervisor's patience may end sooner than ours. The command calls done last.
func (e *env) stopInTime() (done func()) {
	ended := make(chan struct{})
	stop := context.AfterFunc(e, func() {
		select {
		case <-ended:
		case <-time.After(shutdownTimeout + 800*time.Millisecond):
			e.log.Warn("stopped without waiting any longer")
			os.Exit(0)
		}
	})
	return func() {
		stop()
		close(ended)
	}
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
	planeFlags
	Roles []role `help:"What this process does: api, web, resolver, worker. Default: ${default}." enum:"api,web,resolver,worker" default:"api,web,resolver,worker" env:"MINTAGE_ROLES" placeholder:"ROLE"`
}

// Validate is called by kong, which knows nothing of what is embedded.
func (c *serveCmd) Validate() error {
	return errors.Join(c.engineFlags.Validate(), c.planeFlags.Validate())
}

func (c *serveCmd) Run(e *env) error {
	defer e.stopInTime()()
	slices.Sort(c.Roles)
	roles := slices.Compact(c.Roles)
	a, err := e.open(roles...)
	if err != nil {
		return err
	}
	defer a.close(e)
	var engine *mint.Engine
	if slices.Contains(roles, roleWorker) {
		engine = c.engine(e, a)
	}
	s, err := a.newServing(e, c.planeFlags, roles, engine)
	if err != nil {
		return err
	}
	link, err := s.firstLink(e)
	if err != nil {
		return errors.Join(err, s.close())
	}
	if e.JSON {
		if err := e.printJSON(s.describe(link)); err != nil {
			return errors.Join(err, s.close())
		}
	}
	e.printLink(link)
	return s.run(e)
}

// printLink shows the first owner's link: to whoever started the process, and
// not through the log, which others read and keep.
func (e *env) printLink(link string) {
	if link != "" {
		e.printf("\nNobody can sign in yet. Whoever opens this link first becomes the owner; it works once, for 30 minutes:\n\n  %s\n\n", link)
	}
}

// sealer returns what seals the audit trail; it is run beside an engine.
func (a *app) sealer(e *env) *audit.Sealer { return audit.NewSealer(a.stores[roleWorker], now, e.log) }

// work mints, seals and counts until ctx is done.
func (a *app) work(ctx context.Context, e *env, engine *mint.Engine, sealer *audit.Sealer) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { sealer.Run(ctx) })
	wg.Go(func() { mint.NewRollUp(a.stores[roleWorker], e.log).Run(ctx) })
	engine.Run(ctx)
}

type workerCmd struct {
	engineFlags
	Once        bool          `help:"Run one invocation: until no job is runnable, or for --max-duration."`
	MaxDuration time.Duration `help:"With --once: begin no cycle after so long; the rest is left to the next invocation." default:"0s" placeholder:"30s"`
}

func (c *workerCmd) Run(e *env) error {
	defer e.stopInTime()()
	a, err := e.open(roleWorker)
	if err != nil {
		return err
	}
	defer a.close(e)
	engine := c.engine(e, a)
	if !c.Once {
		e.log.Info("working", "database", a.store.Engine(), "version", e.version)
		a.work(e, e, engine, a.sealer(e))
		return nil
	}
	if err := engine.RunOnce(e, c.MaxDuration); err != nil {
		return err
	}
	if err := a.sealer(e).RunOnce(e); err != nil {
		return err
	}
	if err := mint.NewRollUp(a.stores[roleWorker], e.log).RunOnce(e); err != nil {
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
	if err := a.openStores(e, []role{roleOwner}); err != nil {
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

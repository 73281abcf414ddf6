package cli

import (
	"cmp"
	"context"
	"log/slog"

	"mintage"
)

// Config is what all commands share.
type Config struct {
	Data                string `help:"Folder of the embedded database and the master key." default:"./mintage-data" env:"MINTAGE_DATA" type:"path" placeholder:"DIR"`
	DatabaseURL         string `help:"PostgreSQL to use; without it, SQLite in the data folder." env:"MINTAGE_DATABASE_URL" placeholder:"URL"`
	WorkerDatabaseURL   string `help:"The same database as the worker's role; default: the database URL." env:"MINTAGE_WORKER_DATABASE_URL" placeholder:"URL"`
	ResolverDatabaseURL string `help:"The same database as the resolver's role; default: the database URL." env:"MINTAGE_RESOLVER_DATABASE_URL" placeholder:"URL"`
	DirectURL           string `help:"The same PostgreSQL past a pooler, for notifications and migrations." env:"MINTAGE_DIRECT_DATABASE_URL" placeholder:"URL"`
	MasterKeyFile       string `help:"File with the master key. The variable MINTAGE_MASTER_KEY may hold the key itself. Default: master.key in the data folder." env:"MINTAGE_MASTER_KEY_FILE" type:"path" placeholder:"FILE"`
	JSON                bool   `help:"Print one JSON object instead of text." env:"MINTAGE_JSON" name:"json"`
	LogLevel            string `help:"Least level to log: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"MINTAGE_LOG_LEVEL"`
	LogFormat           string `help:"Form of the log on standard error: text or json." enum:"text,json" default:"text" env:"MINTAGE_LOG_FORMAT"`
}

// role is a part of mintage that a process plays; each may have a database role
// of its own.
type role string

const (
	roleAPI      role = "api"      // serves programs
	roleWeb      role = "web"      // serves people
	roleResolver role = "resolver" // serves whoever scans a unit
	roleWorker   role = "worker"   // mints and seals, and serves nothing
	roleOperator role = "operator" // a short command of whoever runs the installation
	roleOwner    role = "owner"    // mintage migrate
)

// postgres reports whether the installation is on PostgreSQL.
func (c *Config) postgres() bool {
	return c.DatabaseURL != "" || c.WorkerDatabaseURL != "" || c.ResolverDatabaseURL != ""
}

// url returns the URL of the database for a role; "" where it is not given.
func (c *Config) url(r role) string {
	switch r {
	case roleWorker:
		return cmp.Or(c.WorkerDatabaseURL, c.DatabaseURL)
	case roleResolver:
		return cmp.Or(c.ResolverDatabaseURL, c.DatabaseURL)
	default:
		return c.DatabaseURL
	}
}

// everyBrand reports whether a role works for all brands, so that the database's
// policies must not apply to it.
func (r role) everyBrand() bool { return r == roleWorker || r == roleOperator }

func (e *env) newLog() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(e.LogLevel)); err != nil {
		panic(err) // kong lets only known levels through
	}
	options := &slog.HandlerOptions{Level: level}
	if e.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(e.stderr, options))
	}
	return slog.New(slog.NewTextHandler(e.stderr, options))
}

// brandFlag chooses the brand that a command acts for.
type brandFlag struct {
	Brand string `help:"ID of the brand; needed where there are several." placeholder:"ID"`
}

// asBrand opens the installation for a short command and runs it for the brand.
func (e *env) asBrand(f brandFlag, run func(*app, mintage.Principal) error) error {
	a, err := e.open(roleOperator)
	if err != nil {
		return err
	}
	defer a.close(e)
	p, err := a.principal(e, f.Brand)
	if err != nil {
		return err
	}
	return run(a, p)
}

// principal acts for a brand as the operator of the installation.
func (a *app) principal(ctx context.Context, brandID string) (mintage.Principal, error) {
	b, err := a.brand(ctx, brandID)
	if err != nil {
		return mintage.Principal{}, err
	}
	return mintage.Principal{BrandNumber: b.Number, Role: mintage.RoleOwner, Actor: "cli"}, nil
}

// brand finds the brand that a command is about. Without an ID there has to be
// just one.
func (a *app) brand(ctx context.Context, id string) (*mintage.Brand, error) {
	if id != "" {
		return a.mint.Brand(ctx, id)
	}
	brands, err := a.mint.Brands(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(brands) == 0:
		return nil, mintage.Errorf(mintage.CodeNotFound, "There is no brand yet; create one with mintage brand create.")
	case len(brands) > 1:
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "There are several brands; say which one with --brand.")
	}
	return brands[0], nil
}

package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/catalogue"
	"mintage/internal/export"
	"mintage/internal/mint"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
	"mintage/internal/store/sqlite"
)

// Config is what all commands share.
type Config struct {
	Data          string `help:"Folder of the embedded database and the master key." default:"./mintage-data" env:"MINTAGE_DATA" type:"path" placeholder:"DIR"`
	DatabaseURL   string `help:"PostgreSQL to use; without it, SQLite in the data folder." env:"MINTAGE_DATABASE_URL" placeholder:"URL"`
	DirectURL     string `help:"The same PostgreSQL past a pooler, for notifications and migrations." env:"MINTAGE_DIRECT_DATABASE_URL" placeholder:"URL"`
	MasterKeyFile string `help:"File with the master key. The variable MINTAGE_MASTER_KEY may hold the key itself. Default: master.key in the data folder." env:"MINTAGE_MASTER_KEY_FILE" type:"path" placeholder:"FILE"`
	JSON          bool   `help:"Print one JSON object instead of text." env:"MINTAGE_JSON" name:"json"`
	LogLevel      string `help:"Least level to log: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"MINTAGE_LOG_LEVEL"`
	LogFormat     string `help:"Form of the log on standard error: text or json." enum:"text,json" default:"text" env:"MINTAGE_LOG_FORMAT"`
}

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

// app is an opened installation with its use cases.
type app struct {
	store     store.Store
	keys      *mint.Keyring
	mint      *mint.Service
	catalogue *catalogue.Service
	access    *access.Service
	export    *export.Service
	closers   []func() error
}

// use says what a command opens the installation for.
type use int

const (
	administer use = iota // a short command, beside whatever else runs
	serve                 // serve or work: alone on an SQLite file, migrates where it may
)

// open opens the installation. The caller closes it.
func (e *env) open(u use) (_ *app, err error) {
	a := &app{}
	defer func() {
		if err != nil {
			a.close(e)
		}
	}()
	if err := a.openStore(e, u); err != nil {
		return nil, err
	}
	master, err := e.masterKey(a.store)
	if err != nil {
		return nil, err
	}
	a.keys = mint.NewKeyring(master)
	if err := a.keys.Check(e, a.store); err != nil {
		return nil, err
	}
	a.mint = mint.New(a.store, a.keys, now)
	a.catalogue = catalogue.New(a.store, now)
	a.access = access.New(a.store, now)
	a.export = export.New(a.store, now)
	return a, nil
}

// now is the clock of times shown to people; databases keep microseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (a *app) close(e *env) {
	for _, closer := range slices.Backward(a.closers) {
		if err := closer(); err != nil {
			e.log.Warn("closing", "error", err)
		}
	}
}

// openStore opens the database and sees to its schema.
func (a *app) openStore(e *env, u use) error {
	migrate := u == serve
	if e.DatabaseURL != "" {
		s, err := postgres.Open(e, e.DatabaseURL, postgres.Options{DirectURL: e.DirectURL})
		if err != nil {
			return err
		}
		a.store = s
		a.closers = append(a.closers, s.Close)
	} else {
		if err := os.MkdirAll(e.Data, 0o700); err != nil {
			return mintage.Errorf(mintage.CodeUnavailable, "The data folder %s cannot be made; check its path and permissions.", e.Data).WithCause(err)
		}
		path := filepath.Join(e.Data, "mintage.db")
		if u == serve {
			release, err := sqlite.Lock(path)
			if err != nil {
				return err
			}
			a.closers = append(a.closers, release)
		}
		s, err := sqlite.Open(e, path, sqlite.Options{})
		if err != nil {
			return err
		}
		a.store = s
		a.closers = append(a.closers, s.Close)
		migrate = true
	}
	err := a.store.Ping(e)
	if mintage.ErrorCode(err) != mintage.CodeOldSchema || !migrate {
		return err
	}
	if e.DatabaseURL == "" && u != serve {
		// Nobody may be at work on a file whose schema changes.
		release, err := sqlite.Lock(filepath.Join(e.Data, "mintage.db"))
		if err != nil {
			return err
		}
		err = a.store.Migrate(e)
		if releaseErr := release(); err == nil {
			err = releaseErr
		}
		return err
	}
	return a.store.Migrate(e)
}

// masterKey finds the master key: in the environment, in the named file, or in
// the data folder, where a new installation gets one.
func (e *env) masterKey(s store.Store) (serial.MasterKey, error) {
	if text := os.Getenv("MINTAGE_MASTER_KEY"); text != "" {
		if e.MasterKeyFile != "" {
			return serial.MasterKey{}, mintage.Errorf(mintage.CodeInvalidInput, "Both MINTAGE_MASTER_KEY and a master key file are given; keep one.")
		}
		return serial.ParseMasterKey(strings.TrimSpace(text))
	}
	path := e.MasterKeyFile
	if path == "" {
		path = filepath.Join(e.Data, "master.key")
	}
	if _, err := os.Stat(path); os.IsNotExist(err) {
		if err := e.mayMakeKey(s, path); err != nil {
			return serial.MasterKey{}, err
		}
	}
	key, created, err := serial.LoadMasterKey(path)
	if created {
		fmt.Fprintf(e.stderr, "mintage: made the master key %s. Back it up with the data: without it the keys of the serials cannot be read.\n", path)
	}
	return key, err
}

// mayMakeKey refuses to make a master key for a database that already has one,
// and prepares the folder of the file.
func (e *env) mayMakeKey(s store.Store, path string) error {
	var brands int
	err := s.Read(e, func(r store.Reader) error {
		list, err := r.Brands(e)
		brands = len(list)
		return err
	})
	if err != nil {
		return err
	}
	if brands > 0 {
		return mintage.Errorf(mintage.CodeUnavailable, "The master key is missing: %s does not exist. Put back the one that this database was made with, or set MINTAGE_MASTER_KEY.", path)
	}
	return os.MkdirAll(filepath.Dir(path), 0o700)
}

// brandFlag chooses the brand that a command acts for.
type brandFlag struct {
	Brand string `help:"ID of the brand; needed where there are several." placeholder:"ID"`
}

// asBrand opens the installation for a short command and runs it for the brand.
func (e *env) asBrand(f brandFlag, run func(*app, mintage.Principal) error) error {
	a, err := e.open(administer)
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

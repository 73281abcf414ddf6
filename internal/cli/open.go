package cli

import (
	"fmt"
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

// app is an opened installation with its use cases.
type app struct {
	store     store.Store // of the use cases: one of those below
	stores    map[role]store.Store
	master    serial.MasterKey
	keys      *mint.Keyring
	mint      *mint.Service
	catalogue *catalogue.Service
	access    *access.Service
	export    *export.Service
	warned    bool // that one database role does everything
	closers   []func() error
}

// open opens the installation for the roles of the process. The caller closes it.
func (e *env) open(roles ...role) (_ *app, err error) {
	a := &app{}
	defer func() {
		if err != nil {
			a.close(e)
		}
	}()
	if err := a.openStores(e, roles); err != nil {
		return nil, err
	}
	if a.master, err = e.masterKey(a.store); err != nil {
		return nil, err
	}
	a.keys = mint.NewKeyring(a.master)
	if err := a.keys.Check(e, a.store); err != nil {
		return nil, err
	}
	a.mint = mint.New(a.store, a.keys, now)
	a.catalogue = catalogue.New(a.store, now)
	a.access = access.New(a.store, now)
	a.closers = append(a.closers, a.access.Close)
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

// openStores opens the database for each role, and sees to its schema.
func (a *app) openStores(e *env, roles []role) error {
	a.stores = make(map[role]store.Store)
	if e.postgres() {
		if err := a.openPostgres(e, roles); err != nil {
			return err
		}
	} else {
		s, err := a.openSQLite(e, roles)
		if err != nil {
			return err
		}
		for _, r := range roles {
			a.stores[r] = s
		}
	}
	// Requests come first: their use cases run under policies where there are any.
	for _, r := range []role{roleAPI, roleWeb, roleWorker, roleOperator, roleOwner, roleResolver} {
		if s := a.stores[r]; s != nil {
			a.store = s
			break
		}
	}
	return nil
}

// openPostgres opens one pool for each URL.
func (a *app) openPostgres(e *env, roles []role) error {
	byURL := make(map[string]store.Store)
	for _, r := range roles {
		url := e.url(r)
		if url == "" {
			return mintage.Errorf(mintage.CodeInvalidInput, "Name the database with --database-url; the URLs of single roles stand beside it.")
		}
		s := byURL[url]
		if s == nil {
			every := slices.ContainsFunc(roles, func(other role) bool { return other.everyBrand() && e.url(other) == url })
			opened, err := postgres.Open(e, url, postgres.Options{DirectURL: e.DirectURL, EveryBrand: every})
			if err != nil {
				return err
			}
			a.closers = append(a.closers, opened.Close)
			s, byURL[url] = opened, opened
		}
		a.stores[r] = s
		if err := a.prepare(e, r, s); err != nil {
			return err
		}
	}
	return nil
}

// prepare sees to the schema, and says once where the database itself does not
// keep brands apart.
func (a *app) prepare(e *env, r role, s store.Store) error {
	err := s.Ping(e)
	if mintage.ErrorCode(err) == mintage.CodeOldSchema && e.mayMigrate(r) {
		err = s.Migrate(e)
	}
	if err != nil || a.warned || r.everyBrand() || r == roleOwner {
		return err
	}
	restricted, err := s.Restricted(e)
	if err == nil && !restricted {
		a.warned = true
		e.log.Warn("one database role does everything, so that the database itself does not keep brands apart (docs/security.md says how it would)")
	}
	return err
}

// mayMigrate reports whether a role may change the schema of a PostgreSQL: only
// where there is one database role for all, which then owns the tables.
func (c *Config) mayMigrate(r role) bool {
	if r == roleOwner {
		return true
	}
	return r != roleOperator && c.url(roleWorker) == c.DatabaseURL && c.url(roleResolver) == c.DatabaseURL
}

// openSQLite opens the file. Whoever serves or works has it alone; short commands
// run beside.
func (a *app) openSQLite(e *env, roles []role) (store.Store, error) {
	if err := os.MkdirAll(e.Data, 0o700); err != nil {
		return nil, mintage.Errorf(mintage.CodeUnavailable, "The data folder %s cannot be made; check its path and permissions.", e.Data).WithCause(err)
	}
	path := filepath.Join(e.Data, "mintage.db")
	brief := slices.Equal(roles, []role{roleOperator})
	if !brief {
		release, err := sqlite.Lock(path)
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, release)
	}
	s, err := sqlite.Open(e, path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, s.Close)
	err = s.Ping(e)
	if mintage.ErrorCode(err) != mintage.CodeOldSchema {
		return s, err
	}
	if !brief {
		return s, s.Migrate(e)
	}
	// Nobody may be at work on a file whose schema changes.
	release, err := sqlite.Lock(path)
	if err != nil {
		return nil, err
	}
	err = s.Migrate(e)
	if releaseErr := release(); err == nil {
		err = releaseErr
	}
	return s, err
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

// mayMakeKey refuses to make a master key for a database that has had one, and
// prepares the folder of the file.
func (e *env) mayMakeKey(s store.Store, path string) error {
	err := s.Read(e, func(r store.Reader) error {
		_, err := r.KeyCheck(e)
		return err
	})
	switch mintage.ErrorCode(err) {
	case mintage.CodeNotFound:
		return os.MkdirAll(filepath.Dir(path), 0o700)
	case "":
		return mintage.Errorf(mintage.CodeUnavailable, "The master key is missing: %s does not exist. Put back the one that this database was made with, or set MINTAGE_MASTER_KEY.", path)
	default:
		return err
	}
}

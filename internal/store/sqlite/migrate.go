package sqlite

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/pressly/goose/v3"

	"mintage"
	"mintage/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate implements [store.Store]. Two processes may migrate at once: each
// migration is an immediate transaction, so one of them succeeds; the other
// fails for finding the migration done, and looks again.
func (s *Store) Migrate(ctx context.Context) error {
	provider, err := s.provider()
	if err != nil {
		return err
	}
	for {
		before, err := s.version(ctx)
		if err != nil {
			return err
		}
		if before > s.known {
			return s.newerSchema(before)
		}
		if _, err = provider.Up(ctx); err == nil {
			s.current.Store(true)
			return nil
		}
		after, versionErr := s.version(ctx)
		if versionErr != nil || after == before {
			return s.fail(errors.Join(err, versionErr))
		}
	}
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, s.fail(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writer, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	return provider, s.fail(err)
}

func (s *Store) knownVersion() (int64, error) {
	provider, err := s.provider()
	if err != nil {
		return 0, err
	}
	sources := provider.ListSources() // in order, never empty
	return sources[len(sources)-1].Version, nil
}

// noVersion is the version of a file that goose has not seen.
const noVersion = -1

// version returns the version of the file's schema.
func (s *Store) version(ctx context.Context) (version int64, err error) {
	err = s.read(ctx, s.reader, func(r *session) error {
		tables, err := one(ctx, r, integer, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", goose.DefaultTablename)
		if err != nil || tables == 0 {
			version = noVersion
			return err
		}
		version, err = one(ctx, r, integer, "SELECT coalesce(max(version_id), 0) FROM "+goose.DefaultTablename+" WHERE is_applied")
		if err != nil || version == 0 {
			return err
		}
		// From before the first release, when migrations were still edited, a file has the
		// version of ours and lacks what came last.
		last, err := one(ctx, r, integer, "SELECT count(*) FROM pragma_table_info('api_keys') WHERE name = 'successor'")
		if err == nil && last == 0 {
			err = store.Unreleased()
		}
		return err
	})
	return version, err
}

// checkSchema compares the file's schema with the one this program knows.
func (s *Store) checkSchema(ctx context.Context) error {
	version, err := s.version(ctx)
	if err != nil {
		return err
	}
	switch {
	case version > s.known:
		return s.newerSchema(version)
	case version < s.known:
		return mintage.Errorf(mintage.CodeOldSchema,
			"The database has to be migrated first: its schema has version %d, this program needs %d.", max(version, 0), s.known)
	}
	s.current.Store(true)
	return nil
}

// requireSchema is checkSchema for each transaction: it looks until it has seen
// the right schema once.
func (s *Store) requireSchema(ctx context.Context) error {
	if s.current.Load() {
		return nil
	}
	return s.checkSchema(ctx)
}

func (s *Store) newerSchema(version int64) error {
	return mintage.Errorf(mintage.CodeOldSchema,
		"The database belongs to a newer mintage: its schema has version %d, this program knows %d. Run the newer program.", version, s.known)
}

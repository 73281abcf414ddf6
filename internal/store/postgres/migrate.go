package postgres

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"mintage"
	"mintage/internal/store"
)

//go:embed migrations/*.sql
var embedded embed.FS

// migrationLock is the advisory lock of migrations; jobs have the keys from 1 on.
const migrationLock = -1

// Migrate brings the schema up to date. Two processes may do so at once: the
// second one waits and then finds nothing to do. It fails with FORBIDDEN where
// the role may not create tables. Run by the owner, it also gives the group roles
// their rights, see grants.go.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.migrate(ctx)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == statePrivilege {
		return mintage.Errorf(mintage.CodeForbidden,
			"The database's role may not change the schema. Run mintage migrate with the database URL of the role that owns it.").WithCause(e)
	}
	if err != nil {
		return failure(ctx, err)
	}
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	if err := s.refuseUnreleased(ctx); err != nil {
		return err
	}
	db := stdlib.OpenDB(*s.direct)
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrationLock),
		lock.WithLockTimeout(1, 600), lock.WithUnlockTimeout(1, 5)) // each second, for ten minutes
	if err != nil {
		return err
	}
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	if err := s.checkVersion(ctx); err != nil {
		return err
	}
	return s.grant(ctx)
}

// Ping checks that the database can be written to, and has our schema. With
// [Options.EveryBrand] it fails with FORBIDDEN where policies apply to the role.
func (s *Store) Ping(ctx context.Context) error {
	var refuses bool // by setting, or because the server is a replica
	err := s.pool.QueryRow(ctx, `SELECT current_setting('transaction_read_only') = 'on'`).Scan(&refuses)
	if err != nil {
		return failure(ctx, err)
	}
	if refuses {
		return readOnly()
	}
	if err := s.checkVersion(ctx); err != nil || !s.everyBrand {
		return err
	}
	restricted, err := s.Restricted(ctx)
	if err == nil && restricted {
		return mintage.Errorf(mintage.CodeForbidden,
			"Row-level security applies to this database role, so that it would find no work. A worker's login role needs BYPASSRLS of its own (ALTER ROLE … BYPASSRLS), as it does not come with membership of mintage_worker; commands for the operator need the owner's.")
	}
	return err
}

// checkVersion compares the schema with what this program was made for.
func (s *Store) checkVersion(ctx context.Context) error {
	if err := s.refuseUnreleased(ctx); err != nil {
		return err
	}
	var version int64
	err := s.pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	if err != nil {
		return failure(ctx, err)
	}
	latest, err := latestMigration()
	switch {
	case err != nil:
		return internal(err)
	case version < latest:
		return outOfDate()
	case version > latest:
		return mintage.Errorf(mintage.CodeOldSchema, "The database was migrated by a later version of mintage; run that one.")
	}
	return nil
}

// refuseUnreleased refuses a database from before the first release, when migrations
// were still edited: it has the version of ours and lacks what came last.
func (s *Store) refuseUnreleased(ctx context.Context) error {
	var unreleased bool
	err := s.pool.QueryRow(ctx, `
		SELECT to_regclass('api_keys') IS NOT NULL
			AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('api_keys') AND attname = 'successor')`).Scan(&unreleased)
	if err == nil && unreleased {
		return store.Unreleased()
	}
	if err != nil {
		return failure(ctx, err)
	}
	return nil
}

// latestMigration is the highest version among the embedded files.
func latestMigration() (latest int64, err error) {
	files, err := fs.Glob(embedded, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return 0, err
		}
		latest = max(latest, version)
	}
	return latest, nil
}

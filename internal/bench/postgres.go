package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/postgres"
)

// postgresBench is a database of its own on a PostgreSQL server.
type postgresBench struct {
	url, name     string
	admin, inside *pgx.Conn // in the server's own database; in the scratch one
	opened        *postgres.Store
}

func newPostgres(ctx context.Context, server string) (_ *postgresBench, err error) {
	p := &postgresBench{name: "mintage_bench_" + strings.ToLower(rand.Text())}
	if p.admin, err = pgx.Connect(ctx, server); err != nil {
		// Not shown: the error quotes the URL.
		return nil, mintage.Errorf(mintage.CodeUnavailable, "The PostgreSQL of --database-url cannot be reached; check the URL and that the server runs.")
	}
	if _, err := p.admin.Exec(ctx, "CREATE DATABASE "+p.name); err != nil {
		err = mintage.Errorf(mintage.CodeUnavailable,
			"The benchmark cannot create a database of its own; connect as a role with CREATEDB, directly and not through a pooler.").WithCause(err)
		return nil, errors.Join(err, p.admin.Close(ctx))
	}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
			defer cancel()
			err = errors.Join(err, p.remove(ctx))
		}
	}()
	if p.url, err = inDatabase(server, p.name); err != nil {
		return nil, err
	}
	if p.opened, err = postgres.Open(ctx, p.url, postgres.Options{}); err != nil {
		return nil, err
	}
	if err := p.opened.Migrate(ctx); err != nil {
		return nil, err
	}
	if p.inside, err = pgx.Connect(ctx, p.url); err != nil {
		return nil, err
	}
	_, err = p.inside.Exec(ctx, `ALTER TABLE units SET (autovacuum_enabled = false)`)
	return p, err
}

// inDatabase changes the database of a URL, or of a list of keywords and values.
func inDatabase(server, name string) (string, error) {
	if !strings.Contains(server, "://") {
		return server + " dbname=" + name, nil // the last one counts
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", mintage.Errorf(mintage.CodeInvalidInput, "The database's URL cannot be read.")
	}
	u.Path, u.RawPath = "/"+name, ""
	return u.String(), nil
}

func (p *postgresBench) store() store.Store { return p.opened }

func (p *postgresBench) facts(ctx context.Context) (version string, durable bool, err error) {
	err = p.inside.QueryRow(ctx, `
		SELECT current_setting('server_version'), current_setting('synchronous_commit') <> 'off'
			AND current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'`).Scan(&version, &durable)
	return version, durable, err
}

// fillNaive makes the rows in the server and the indexes afterwards, which is
// many times faster. Their pages are left as full as random inserts leave them.
func (p *postgresBench) fillNaive(ctx context.Context, n int64) error {
	if _, err := p.inside.Exec(ctx, `
		DROP TABLE IF EXISTS units_naive;
		CREATE TABLE units_naive (
			id uuid NOT NULL,
			batch_id uuid NOT NULL,
			serial text NOT NULL,
			resolver_url text NOT NULL,
			status text NOT NULL,
			created_at timestamptz NOT NULL
		) WITH (autovacuum_enabled = false)`); err != nil {
		return err
	}
	if _, err := p.inside.Exec(ctx, `
		INSERT INTO units_naive
		SELECT gen_random_uuid(), $2::uuid, serial, $3::text || serial, $4::text, now()
		FROM (
			SELECT mintage_code(('x' || substr(md5(gen_random_uuid()::text), 1, 15))::bit(60)::bigint) AS serial
			FROM generate_series(1, $1::bigint) OFFSET 0
		) AS drawn`, n, uuid.New(), naiveURL, naiveStatus); err != nil {
		return err
	}
	_, err := p.inside.Exec(ctx, `
		ALTER TABLE units_naive ADD PRIMARY KEY (id) WITH (fillfactor = 70), ADD UNIQUE (serial) WITH (fillfactor = 70)`)
	return err
}

// settle needs a right that not everybody has; without it, phases may pay for
// each other.
func (p *postgresBench) settle(ctx context.Context) error {
	_, err := p.inside.Exec(ctx, `CHECKPOINT`)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42501" { // insufficient privilege
		return nil
	}
	return err
}

// floor copies rows that are encoded to the last byte.
func (p *postgresBench) floor(ctx context.Context, product, first int64, codes []serial.Code) (time.Duration, error) {
	const row = 2 + (4 + 4) + (4 + 4) + (4 + 8) // the number of fields; of each, its length and its bytes
	b := make([]byte, 0, 32+row*len(codes))
	b = append(b, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	for i, code := range codes {
		b = binary.BigEndian.AppendUint16(b, 3)
		for _, field := range [...]uint32{uint32(product), uint32(first) + uint32(i)} {
			b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 4), field)
		}
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(code))
	}
	b = binary.BigEndian.AppendUint16(b, 0xffff)
	started := time.Now()
	_, err := p.inside.PgConn().CopyFrom(ctx, bytes.NewReader(b), `COPY units (product_number, ordinal, code) FROM STDIN BINARY`)
	return time.Since(started), err
}

// naive draws and encodes its rows as it goes, as such a program would.
func (p *postgresBench) naive(ctx context.Context, n int64) (time.Duration, error) {
	columns := []string{"id", "batch_id", "serial", "resolver_url", "status", "created_at"}
	started, batch := time.Now(), uuid.New()
	for done := int64(0); done < n; done += mintage.MaxCycle {
		rows := pgx.CopyFromSlice(int(min(mintage.MaxCycle, n-done)), func(int) ([]any, error) {
			r := newNaiveRow()
			return []any{r.id, batch, r.serial, r.url, naiveStatus, started}, nil
		})
		if _, err := p.inside.CopyFrom(ctx, pgx.Identifier{"units_naive"}, columns, rows); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

func (p *postgresBench) size(ctx context.Context) (bytes int64, err error) {
	err = p.inside.QueryRow(ctx, `SELECT pg_relation_size('units') + pg_indexes_size('units')`).Scan(&bytes)
	return bytes, err
}

func (p *postgresBench) wal(ctx context.Context) (bytes int64, err error) {
	err = p.inside.QueryRow(ctx, `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint`).Scan(&bytes)
	return bytes, err
}

// progressQuery serves both engines.
const progressQuery = `
	SELECT coalesce(sum(b.minted_quantity), 0), count(j.finished_at)
	FROM mint_jobs j JOIN mint_batches b ON b.number = j.number`

func (p *postgresBench) progress(ctx context.Context) (minted, ended int64, err error) {
	err = p.inside.QueryRow(ctx, progressQuery).Scan(&minted, &ended)
	return minted, ended, err
}

func (p *postgresBench) remove(ctx context.Context) error {
	var errs []error
	if p.opened != nil {
		errs = append(errs, p.opened.Close())
	}
	if p.inside != nil {
		errs = append(errs, p.inside.Close(ctx))
	}
	// FORCE ends what a worker that was killed has left on the server.
	_, err := p.admin.Exec(ctx, "DROP DATABASE "+p.name+" WITH (FORCE)")
	return errors.Join(append(errs, err, p.admin.Close(ctx))...)
}

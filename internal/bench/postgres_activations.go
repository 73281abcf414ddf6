package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mintage"
)

// activateAlone activates one unit and writes its event, in one statement that is one
// transaction: one round trip and a commit, the least that this can take. Its
// parameters are, in this order, the product, the ordinal, the brand and the batch.
const activateAlone = `
WITH activated AS (
	INSERT INTO unit_states (product_number, ordinal, status, at, reason) VALUES (%s, %s, 'active', now(), '') RETURNING ordinal
)
INSERT INTO events (brand_number, at, kind, actor, address_class, request_id, subject_id, batch_number, product_number, first_ordinal, quantity, from_state, to_state)
SELECT %s, now(), 'unit.transition', 'scan', 'loopback', 'AAAAAAAAAAAAAAAAAAAAAAAAAA', '00000000-000000000000', %s, %[1]s, ordinal, 1, 'minted', 'active'
FROM activated`

// activations asks pgbench, PostgreSQL's own, where it is installed.
func (p *postgresBench) activations(ctx context.Context, a activations) (perSecond float64, by string, err error) {
	program, err := exec.LookPath("pgbench")
	if errors.Is(err, exec.ErrNotFound) {
		perSecond, err = p.loop(ctx, a)
		return perSecond, "loop", err
	}
	if err != nil {
		return 0, "", err
	}
	perSecond, err = p.pgbench(ctx, program, a)
	return perSecond, "pgbench", err
}

var pgbenchRate = regexp.MustCompile(`(?m)^tps = ([0-9.]+) \(`)

func (p *postgresBench) pgbench(ctx context.Context, program string, a activations) (float64, error) {
	folder, err := os.MkdirTemp("", "mintage-bench-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	script := filepath.Join(folder, "activate.sql")
	text := "\\set ordinal :first + :client_id * :slice + :n\n\\set n :n + 1\n" +
		fmt.Sprintf(activateAlone, ":product", ":ordinal", ":brand", ":batch") + ";\n"
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return 0, err
	}
	seconds := max(1, int(math.Round(a.duration.Seconds())))
	cmd := exec.CommandContext(ctx, program, "--no-vacuum", "--protocol=prepared", //nolint:gosec // PostgreSQL's program
		"--client="+strconv.Itoa(a.connections), "--jobs="+strconv.Itoa(min(2, a.connections)), "--time="+strconv.Itoa(seconds), "--file="+script,
		fmt.Sprintf("--define=product=%d", a.product), fmt.Sprintf("--define=brand=%d", a.brand), fmt.Sprintf("--define=batch=%d", a.batch),
		fmt.Sprintf("--define=first=%d", a.first), fmt.Sprintf("--define=slice=%d", a.slice), "--define=n=0")
	if cmd.Env, err = p.environment(); err != nil {
		return 0, err
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return 0, mintage.Errorf(mintage.CodeInternal, "pgbench has failed.").WithCause(fmt.Errorf("%w: %s", err, said.String()))
	}
	found := pgbenchRate.FindSubmatch(out)
	if found == nil {
		return 0, mintage.Errorf(mintage.CodeInternal, "pgbench has not said how fast it was.").WithCause(errors.New(string(out)))
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// environment tells PostgreSQL's programs where the scratch database is; what is
// secret is then in no list of processes.
func (p *postgresBench) environment() ([]string, error) {
	c, err := pgx.ParseConfig(p.url)
	if err != nil {
		return nil, err
	}
	mode := "require"
	switch {
	case c.TLSConfig == nil:
		mode = "disable"
	case slices.ContainsFunc(c.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.TLSConfig == nil }):
		mode = "prefer"
	}
	return append(os.Environ(), "PGHOST="+c.Host, "PGPORT="+strconv.Itoa(int(c.Port)), "PGUSER="+c.User, "PGPASSWORD="+c.Password,
		"PGDATABASE="+c.Database, "PGSSLMODE="+mode), nil
}

// loop does the same from here.
func (p *postgresBench) loop(ctx context.Context, a activations) (float64, error) {
	statement := fmt.Sprintf(activateAlone, "$1::integer", "$2", "$3", "$4")
	errs, done := make([]error, a.connections), make([]int64, a.connections)
	var ready, all sync.WaitGroup
	ready.Add(a.connections)
	begin := make(chan time.Time)
	for i := range a.connections {
		all.Go(func() {
			conn, err := pgx.Connect(ctx, p.url)
			if err == nil {
				_, err = conn.Prepare(ctx, "activate", statement)
			}
			ready.Done()
			started := <-begin
			first := a.first + int64(i)*a.slice
			for err == nil && time.Since(started) < a.duration {
				if _, err = conn.Exec(ctx, "activate", a.product, first+done[i], a.brand, a.batch); err == nil {
					done[i]++
				}
			}
			if conn != nil {
				err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
			}
			errs[i] = err
		})
	}
	ready.Wait()
	started := time.Now()
	for range a.connections {
		begin <- started
	}
	all.Wait()
	took := time.Since(started)
	var total int64
	for _, n := range done {
		total += n
	}
	return rate(total, took), errors.Join(errs...)
}

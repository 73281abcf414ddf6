package postgres

import (
	"context"
	"errors"
	"time"
)

// holders are the processes that hold a job's advisory lock in this database,
// and since when their transaction runs. A key of one bigint is shown in two
// halves, with objsubid 1.
const holders = `
	SELECT l.pid, (l.classid::bigint << 32) | l.objid::bigint AS job_number, a.xact_start
	FROM pg_locks l
	JOIN pg_stat_activity a ON a.pid = l.pid
	WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND l.pid <> pg_backend_pid()`

// endWait bounds the wait for a process to end after it was told to.
const endWait = 5 * time.Second

// EndHungWorkers ends transactions that hold a job's lock for too long; see
// [store.Store]. Time is the server's real one, on which transactions begin.
// Of several callers at once, one returns the job.
func (s *Store) EndHungWorkers(ctx context.Context, limit time.Duration) ([]int64, error) {
	var hung []int64
	err := s.run(ctx, s.pool, s.beginRead, func(t *tx) error {
		numbers, err := many(ctx, t, scanNumber, `
			SELECT h.job_number
			FROM (`+holders+`) h
			JOIN mint_jobs j ON j.number = h.job_number AND j.status IN ('QUEUED', 'RESERVED', 'PROCESSING')
			WHERE clock_timestamp() - h.xact_start > $1::bigint * interval '1 microsecond'
			ORDER BY h.job_number`, limit.Microseconds())
		for _, n := range numbers {
			hung = append(hung, *n)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	// Each in a transaction of its own: a process that does not end keeps only
	// its own job.
	var ended []int64
	var failed []error
	for _, job := range hung {
		switch done, err := s.endHolder(ctx, job, limit); {
		case err != nil:
			failed = append(failed, err)
		case done:
			ended = append(ended, job)
		}
	}
	return ended, errors.Join(failed...)
}

// endHolder ends the process that holds a job and halves the job's limit, or what is
// left to mint, where that is less: a slice is no larger than either. Both is one
// statement: so the update stands in the queue for the row before the
// process is gone, and a worker can hardly come in between with the old limit.
// If one does, it is waited for, and the limit is halved for the next cycle.
func (s *Store) endHolder(ctx context.Context, job int64, limit time.Duration) (done bool, err error) {
	err = s.run(ctx, s.pool, s.beginWrite, func(t *tx) error {
		if _, err := t.exec(ctx, `SELECT `+setting("lock_timeout", endWait)); err != nil {
			return err
		}
		n, err := t.exec(ctx, `
			WITH hung AS MATERIALIZED (
				SELECT h.pid, j.number, j.cycle_limit
				FROM (`+holders+`) h
				JOIN mint_jobs j ON j.number = h.job_number
				WHERE h.job_number = $1
					AND clock_timestamp() - h.xact_start > $2::bigint * interval '1 microsecond'
			), ended AS MATERIALIZED (
				SELECT number, cycle_limit FROM hung WHERE pg_terminate_backend(pid)
			)
			UPDATE mint_jobs j
			SET cycle_limit = greatest(1, least(j.cycle_limit, b.requested_quantity - b.minted_quantity) / 2)
			FROM ended e
			JOIN mint_batches b ON b.number = e.number
			WHERE j.number = e.number AND j.cycle_limit = e.cycle_limit`,
			job, limit.Microseconds())
		done = n > 0
		return err
	})
	return done && err == nil, err
}

package storetest

import (
	"database/sql"
	"testing"
)

// Overtaken returns how many unfinished older jobs stood behind a cycle at most.
// Where jobs are taken oldest first, other workers were busy with all of these:
// there are fewer than there are workers. All jobs were submitted before the
// first cycle, and none of them failed.
func Overtaken(t testing.TB, raw *sql.DB) (most int64) {
	t.Helper()
	err := raw.QueryRowContext(t.Context(), `
		SELECT coalesce(max(overtaken), 0) FROM (
			SELECT (
				SELECT count(*) FROM mint_jobs j
				WHERE j.number < e.batch_number AND NOT EXISTS (
					SELECT 1 FROM events done
					WHERE done.batch_number = j.number AND done.to_state = 'COMPLETED' AND done.number < e.number
				)
			) AS overtaken
			FROM events e
			WHERE e.kind = 'mint_batch.cycle'
		) AS cycles`).Scan(&most)
	if err != nil {
		t.Fatal(err)
	}
	return most
}

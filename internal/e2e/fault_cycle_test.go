package e2e_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"mintage/internal/store/storetest"
)

// poison makes the database refuse one unit of product A; cure lifts it.
func (in *installation) poison(ordinal string) (cure []string) {
	in.t.Helper()
	if in.engine == "sqlite" {
		in.do(`CREATE TRIGGER poison BEFORE INSERT ON units WHEN NEW.ordinal = ` + ordinal + `
			AND NEW.product_number = (SELECT number FROM products WHERE sku = 'A')
			BEGIN SELECT RAISE(ABORT, 'a poisoned row'); END`)
		return []string{`DROP TRIGGER poison`}
	}
	in.refuse("poison", "NEW.ordinal = "+ordinal+" AND NEW.product_number = (SELECT number FROM products WHERE sku = 'A')",
		"RAISE EXCEPTION 'a poisoned row' USING ERRCODE = 'P0001'", "ROW")
	return []string{`DROP TRIGGER poison ON units`}
}

// refuse makes PostgreSQL do something on each row or statement that inserts
// units, under a condition.
func (in *installation) refuse(name, condition, action, each string) {
	in.t.Helper()
	in.do(`CREATE FUNCTION `+name+`() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN IF `+condition+` THEN `+action+`; END IF; RETURN NEW; END $$`,
		`CREATE TRIGGER `+name+` BEFORE INSERT ON units FOR EACH `+each+` EXECUTE FUNCTION `+name+`()`)
}

// A row that the database refuses, and on PostgreSQL a statement that takes too
// long, are held against their jobs: these have FAILED after the third time, with
// their message and with what was minted before. Others are not affected.
func TestFaultPoisonedCycle(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		t.Parallel()
		in.prepare()
		cure := in.poison("25000")
		if in.engine == "postgres" {
			// The long form waits for the real timeout of 12 s, three times.
			in.refuse("slow", "NEW.product_number = (SELECT number FROM products WHERE sku = 'B')",
				scale("RAISE EXCEPTION USING ERRCODE = '57014'", "PERFORM pg_sleep(60)"), "ROW")
			cure = append(cure, `DROP TRIGGER slow ON units`)
		}
		poisoned, other := in.submit("--sku=A", "--quantity=50000"), in.submit("--sku=B", "--quantity=10000")
		worker := in.start("worker")
		within(t, scale(20*time.Second, 2*time.Minute), "the jobs are done", in.allDone)

		// The units before the poisoned cycle stay.
		failed := func(job string, units int) {
			t.Helper()
			if n := in.number(`SELECT count(*) FROM mint_jobs j JOIN mint_batches b ON b.number = j.number
				WHERE j.id = '` + job + `' AND j.status = 'FAILED' AND j.consecutive_errors = 3 AND j.last_error <> ''
				AND b.minted_quantity = ` + strconv.Itoa(units)); n != 1 {
				t.Errorf("the job is not FAILED with %d units and a message: %v", units, in.run("jobs"))
			}
		}
		failed(poisoned, 20_000)
		if items, _ := in.run("jobs", "--status=FAILED")["items"].([]any); !strings.Contains(text(items[len(items)-1].(map[string]any), "last_error"), "poisoned") {
			t.Errorf("the message of the failed job is lost: %v", items)
		}
		faults, units := 3, int64(20_000)
		if in.engine == "postgres" {
			failed(other, 0)
			faults = 6
		} else {
			units += 10_000
		}
		if n := in.strikes(); n != int64(faults) {
			t.Errorf("%d strikes, want %d", n, faults)
		}
		in.do(cure...)
		in.submit("--sku=A", "--quantity=50000")
		in.submit("--sku=B", "--quantity=10000")
		storetest.Eventually(t, "the next jobs complete", in.allDone)
		worker.stopped()
		in.survived("poisoned row, statement timeout", faults, units+60_000)
	})
}

// Deadlocks and serialization failures are lost races: the cycle is run again at
// once, as often as it takes, and nothing is held against the job.
func TestFaultLostRaces(t *testing.T) {
	in := shared(t)
	in.prepare()
	races := scale(30, 300)
	in.do(`CREATE SEQUENCE races`)
	// More in a row than the driver tries by itself.
	in.refuse("race", `nextval('races') <= `+strconv.Itoa(races),
		`IF currval('races') % 2 = 0 THEN RAISE EXCEPTION USING ERRCODE = '40P01'; ELSE RAISE EXCEPTION USING ERRCODE = '40001'; END IF`, "STATEMENT")
	in.submit("--sku=A", "--quantity=40000")
	worker := in.start("worker")
	storetest.Eventually(t, "the job completes", in.allDone)
	worker.stopped()
	if tries := in.number(`SELECT last_value FROM races`); tries < int64(races)+2 {
		t.Errorf("%d tries", tries)
	}
	if n := in.strikes(); n != 0 || strings.Contains(worker.said(), "pauses") {
		t.Errorf("%d strikes\n%s", n, worker.said())
	}
	in.do(`DROP TRIGGER race ON units`)
	in.survived("deadlock, serialization failure (made up)", races, 40_000)
}

// A real deadlock, with somebody who does in the database what they should not.
func TestFaultDeadlock(t *testing.T) {
	t.Parallel()
	in := shared(t)
	in.prepare()
	in.do(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''2s''', current_database()); END $$`)
	in.submit("--sku=A", "--quantity=40000")
	db := &storetest.DB{URL: in.url}
	raw := in.raw()
	defer raw.Close()
	other, err := raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	exec := func(statement string) {
		t.Helper()
		if _, err := other.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s\n%v", statement, err)
		}
	}
	// The worker looks for the deadlock first, and so is the one to give way.
	exec(`SET LOCAL deadlock_timeout = '1min'`)
	exec(`INSERT INTO units (product_number, ordinal, code) SELECT number, 30000, 1 FROM products WHERE sku = 'A'`)
	worker := in.start("worker")
	db.AwaitBlocked(t, 1)
	exec(`UPDATE mint_batches SET minted_quantity = minted_quantity`)
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	storetest.Eventually(t, "the job completes", in.allDone)
	worker.stopped()
	if n := in.strikes(); n != 0 || strings.Contains(worker.said(), "pauses") {
		t.Errorf("%d strikes\n%s", n, worker.said())
	}
	in.survived("deadlock (real)", 1, 40_000)
}

package verify_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
	"mintage/internal/verify"
)

func TestAHealthyDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		h := newHistory(t, db)
		for name, want := range map[string]struct {
			status mintage.BatchStatus
			minted int64
		}{
			"completed": {mintage.BatchMinted, 50}, "lots": {mintage.BatchMinted, 20}, "foreign": {mintage.BatchMinted, 9},
			"failed": {mintage.BatchFailed, 14}, "never": {mintage.BatchFailed, 0}, "reborn": {mintage.BatchMinted, 5},
			"struck": {mintage.BatchMinted, 21}, "corrected": {mintage.BatchMinted, 8}, "rebased": {mintage.BatchMinted, 8},
			"reserved": {mintage.BatchQueued, 0}, "half": {mintage.BatchProcessing, 14}, "queued": {mintage.BatchQueued, 0},
		} {
			if b := h.batches[name]; b.Status != want.status || b.MintedQuantity != want.minted {
				t.Errorf("%s is %s with %d units, want %v", name, b.Status, b.MintedQuantity, want)
			}
		}
		if n := h.query("SELECT count(*) FROM events WHERE kind = 'mint_job.strike' AND {struck.events}"); n != 3 {
			t.Errorf("%d strikes of the job that went on, want 3", n)
		}
		h.healthy()
		counts := h.audit().Checks[0]
		if want := h.query("SELECT count(*) FROM units"); counts.Name != "counts" || counts.Examined != want ||
			counts.Subject() != fmt.Sprintf("%d units in 17 batches", want) {
			t.Errorf("%+v, %s", counts, counts.Subject())
		}
	})
}

func TestAnEmptyDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		report, err := verify.Run(t.Context(), db, mint.NewKeyring(serial.NewMasterKey()))
		if err != nil || !report.OK || report.Failed() != 0 || len(report.Checks) != 15 {
			t.Fatalf("%+v, %v", report, err)
		}
	})
}

// With the wrong master key nothing can be said about codes; that is an error and
// not as many findings as there are units.
func TestTheWrongMasterKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		f.Submit(f.NewProduct(f.NewBrand()), 100)
		f.Mint(100)
		report, err := verify.Run(t.Context(), db, mint.NewKeyring(serial.NewMasterKey()))
		if report != nil || mintage.ErrorCode(err) != mintage.CodeUnavailable || !strings.Contains(mintage.ErrorMessage(err), "master key") {
			t.Fatalf("%+v, %v", report, err)
		}
	})
}

// Only a lost primary key lets a unit stand twice.
func TestAUnitThatStandsTwice(t *testing.T) {
	h := newHistory(t, storetest.Open(t, "postgres"))
	undo := h.damage(
		"ALTER TABLE units DROP CONSTRAINT units_pkey",
		"INSERT INTO units SELECT * FROM units WHERE {completed.unit 20}",
	)
	report := h.audit()
	undo()
	h.execute("ALTER TABLE units ADD PRIMARY KEY (product_number, ordinal)")
	expect(t, report, "counts duplicates", 2)
	h.healthy()
}

func TestAStateThatStandsTwice(t *testing.T) {
	h := newHistory(t, storetest.Open(t, "postgres"))
	undo := h.damage(
		"ALTER TABLE unit_states DROP CONSTRAINT unit_states_pkey",
		"INSERT INTO unit_states SELECT * FROM unit_states WHERE {scanned.unit 0}",
	)
	report := h.audit()
	undo()
	h.execute("ALTER TABLE unit_states ADD PRIMARY KEY (product_number, ordinal, status)")
	expect(t, report, "duplicates", 1)
	h.healthy()
}

// The other keys of the schema, and its checks, may be lost as well.
func TestWithoutConstraints(t *testing.T) {
	h := newHistory(t, storetest.Open(t, "sqlite"))
	for _, d := range []damage{
		{"too many", "UPDATE mint_batches SET minted_quantity = 51 WHERE number = {completed.number}", "counts gaps states events", 5},
		{"negative", "UPDATE mint_batches SET minted_quantity = -1 WHERE number = {queued.number}", "counts states events", 0},
		{"huge", "UPDATE mint_batches SET first_ordinal = 9223372036854775807 WHERE number = {rebased.number}", "ranges lots events orphans counts", 0},
		{"unknown status", "UPDATE mint_jobs SET status = 'DONE' WHERE number = {half.number}", "states events", 0},
		{"unknown modes", "UPDATE mint_batches SET identity_mode = 'x', activation_mode = 'y' WHERE number = {plain.number}", "states", 2},
		{"cycle limit", "UPDATE mint_jobs SET cycle_limit = 0 WHERE number = {half.number}", "states", 1},
		{"no end", "UPDATE mint_jobs SET finished_at = NULL WHERE number = {failed.number}", "states", 1},
		{"two strikes", "UPDATE mint_jobs SET consecutive_errors = 2 WHERE number = {failed.number}", "states events", 2},
		{"no lot", "UPDATE lots SET quantity = 0 WHERE batch_number = {completed.number}", "lots", 2},
		{"no time", "UPDATE mint_jobs SET created_at = 'yesterday' WHERE number = {completed.number}", "states", 1},
		{"no time of an event", "UPDATE events SET at = '' WHERE {completed.events} AND to_state = 'minted'", "events", 2},
		{"a state that is none", "UPDATE unit_states SET status = 'x' WHERE {scanned.unit 0}", "tokens token_counts", 3},
		{"no time of a state", "UPDATE unit_states SET at = '' WHERE {scanned.unit 0}", "tokens", 2},
		{"no time of a recall", "UPDATE recalls SET at = ''", "recalls", 2},
		{"a recall of nothing", "UPDATE recalls SET quantity = -1", "recalls", 3},
		{"no GTIN", "UPDATE mint_batches SET gtin = '1' WHERE number = {foreign.number}", "gtins lots", 2},
	} {
		t.Run(d.name, func(t *testing.T) {
			h.t = t
			undo := h.damage("PRAGMA ignore_check_constraints = ON", d.sql)
			report := h.audit()
			undo()
			expect(t, report, d.want, d.findings)
			h.healthy()
		})
	}
}

// A table that is damaged below SQL fails the checks that need it, not the audit.
func TestADamagedFile(t *testing.T) {
	db := storetest.Open(t, "sqlite")
	h := newHistory(t, db)
	page := h.query("SELECT rootpage FROM sqlite_schema WHERE name = 'units'")
	if err := db.Close(); err != nil { // moves the journal into the file
		t.Fatal(err)
	}
	file, err := os.OpenFile(db.Path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte(strings.Repeat("\xff", 4096)), (page-1)*4096); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	db.Store = db.Reopen(t)
	expect(t, h.audit(), "counts gaps orphans duplicates codes", 0)
}

// What was committed while more over-issue was allowed stays true when less is; the
// events tell what was allowed.
func TestOverIssueIsLowered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		h := newHistory(t, db) // has committed 110 of 100
		set := func(percent int) {
			p := mintage.Principal{BrandNumber: h.brand.Number, Role: mintage.RoleOwner, Actor: "key:test"}
			if _, err := h.service.UpdateBrand(t.Context(), p, mint.SettingsPatch{OverIssuePercent: &percent}); err != nil {
				t.Fatal(err)
			}
		}
		for _, percent := range []int{5, 9, 0} {
			set(percent)
			h.healthy()
		}
		storetest.Unguard(t, db.Raw(t))
		h.execute("UPDATE production_batches SET quantity = 99 WHERE quantity = 100")
		expect(t, h.audit(), "production batches", 1)
		h.execute("UPDATE production_batches SET quantity = 100 WHERE quantity = 99")
		h.healthy()
		h.execute("UPDATE events SET from_state = '9' WHERE from_state = '10'")
		expect(t, h.audit(), "production batches", 1)
	})
}

// Whoever audits beside workers sees one moment, in which everything agrees.
func TestBesideWorkers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		f := storetest.NewFixture(t, db)
		h := &history{Fixture: f, t: t, db: db, keys: mint.NewKeyring(f.MasterKey), brand: f.NewBrand(), other: f.NewBrand()}
		h.service = mint.New(db, h.keys, f.Now)
		p := f.NewProduct(h.brand)
		for range 3 {
			h.submit(h.brand, p, 400)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		done := make(chan struct{}, 2)
		for _, s := range []store.Store{db, db.Reopen(t)} {
			go func() {
				mint.NewEngine(s, h.keys, mint.Options{CycleSize: 7, Poll: time.Millisecond, Pause: time.Millisecond, Now: f.Now}).Run(ctx)
				done <- struct{}{}
			}()
		}
		for h.query("SELECT count(*) FROM units") < 1200 {
			h.healthyOrEmpty()
		}
		stop()
		<-done
		<-done
		h.healthyOrEmpty()
	})
}

// healthyOrEmpty requires that an audit finds nothing, whatever it examined.
func (h *history) healthyOrEmpty() {
	h.t.Helper()
	for _, c := range h.audit().Checks {
		if !c.OK {
			h.t.Fatalf("%s: %q", c.Name, c.Examples)
		}
	}
}

// query reads one number past the store.
func (h *history) query(query string) (n int64) {
	h.t.Helper()
	raw := h.db.Raw(h.t)
	defer raw.Close()
	if err := raw.QueryRowContext(h.t.Context(), h.named(query)).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// execute runs a statement past the store.
func (h *history) execute(statement string) {
	h.t.Helper()
	raw := h.db.Raw(h.t)
	defer raw.Close()
	if _, err := raw.ExecContext(h.t.Context(), statement); err != nil {
		h.t.Fatal(err)
	}
}

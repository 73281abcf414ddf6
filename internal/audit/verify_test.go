package audit_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/audit"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// damage is what somebody with the owner's rights does to the history of
// newHistory. In sql, {A3} is the number of brand A's third event, {A} the
// brand's; statements for one engine only begin with its name.
type damage struct {
	name string
	sql  []string
	do   func(*trail) // instead of sql
	// saved says that the heads were saved before.
	saved bool
	// want lists what is found: brand, problem, block, event. 0 stands for none.
	want string
}

var damages = []damage{
	{"nothing", nil, nil, true, ""},

	// Events.
	{"each column edited", everyColumn(), nil, false, everyColumnFound()},
	{"all edited", []string{"UPDATE events SET actor = 'cli' WHERE brand_number = {B}"}, nil, false,
		"B event_edited 1 B1; B event_edited 1 B2; B event_edited 2 B3; B event_edited 2 B4; B event_edited 3 B5; B event_edited 3 B6"},
	{"removed", []string{"DELETE FROM events WHERE number = {A6}"}, nil, false, "A event_removed 2 A6"},
	{"the first removed", []string{"DELETE FROM events WHERE number = {A1}"}, nil, false, "A event_removed 1 A1"},
	{"the last sealed one removed", []string{"DELETE FROM events WHERE number = {A12}"}, nil, false, "A event_removed 3 A12"},
	{"all removed", []string{"DELETE FROM events WHERE brand_number = {B}"}, nil, false,
		"B event_removed 1 B1; B event_removed 1 B2; B event_removed 2 B3; B event_removed 2 B4; B event_removed 3 B5; B event_removed 3 B6"},
	{"inserted before the first", []string{copyOf("{A1}", "{A}", "0")}, nil, false, "A event_inserted 1 0"},
	{"inserted where there is no number", []string{copyOf("{A1}", "{A}", "-5")}, nil, false, "A event_inserted 1 -5"},
	{"inserted in a gap", []string{"DELETE FROM events WHERE number = {B4}", copyOf("{A1}", "{A}", "{B4}")}, nil, false,
		"A event_inserted 2 B4; B event_removed 2 B4"},
	{"given to another brand", []string{"UPDATE events SET brand_number = {B} WHERE number = {A6}"}, nil, false,
		"A event_removed 2 A6; B event_inserted 2 A6"},
	{"given to a brand that does not exist", []string{"UPDATE events SET brand_number = 999999 WHERE number = {A6}"}, nil, false,
		"A event_removed 2 A6; ? brand_missing 0 0"},
	{"a block of no brand", []string{"UPDATE event_seals SET brand_number = 999999 WHERE brand_number = {A} AND number = 3"}, nil, false,
		"? brand_missing 0 0"},
	{"two have changed places", swap("{A5}", "{A7}"), nil, false, "A event_reordered 2 A5; A event_reordered 2 A7"},
	{"two have changed places over blocks", swap("{A5}", "{A1}"), nil, false, "A event_edited 1 A1; A event_edited 2 A5"},
	{"moved", number("{A3}", "0"), nil, false, "A event_reordered 1 0"},
	{"moved over blocks", number("{A7}", "0"), nil, false, "A event_inserted 1 0; A event_removed 2 A7"},
	{"the same number twice", []string{"postgres ALTER TABLE events DROP CONSTRAINT events_pkey", "postgres " + copyOf("{A6}", "{A}", "{A6}")}, nil, false,
		"postgres A event_inserted 2 A6"},
	{"unreadable", []string{"sqlite UPDATE events SET at = 'yesterday' WHERE number = {A6}",
		"postgres ALTER TABLE events ALTER actor DROP NOT NULL", "postgres UPDATE events SET actor = NULL WHERE number = {A6}"}, nil, false,
		"A event_unreadable 2 A6"},
	{"unreadable, not sealed", []string{"sqlite UPDATE events SET at = 'yesterday' WHERE number = {A13}",
		"postgres ALTER TABLE events ALTER actor DROP NOT NULL", "postgres UPDATE events SET actor = NULL WHERE number = {A13}"}, nil, false,
		"A event_unreadable 0 A13"},

	// Blocks.
	{"a block's digests cut", []string{"UPDATE event_seals SET digests = substr(digests, 1, 25) WHERE " + block2}, nil, false, "A block_damaged 2 0"},
	{"a block's last digest gone", []string{"UPDATE event_seals SET digests = substr(digests, 1, 72) WHERE " + block2}, nil, false, "A block_damaged 2 0"},
	{"a block's digests gone", []string{"UPDATE event_seals SET digests = substr(digests, 1, 0) WHERE " + block2}, nil, false, "A block_damaged 2 0"},
	{"a block ends later", []string{"UPDATE event_seals SET last_event = 9000000000000000000 WHERE " + block2}, nil, false, "A block_damaged 2 0"},
	{"a block's hash cut", []string{"UPDATE event_seals SET hash = substr(hash, 1, 31) WHERE " + block2}, nil, false, "A block_damaged 2 0; A block_changed 3 0"},
	{"a block's hash is another", []string{"UPDATE event_seals SET hash = (SELECT hash FROM event_seals WHERE number = 1 AND brand_number = {A}) WHERE " + block2}, nil, false,
		"A block_changed 2 0; A block_changed 3 0"},
	{"a block's time is another", []string{"UPDATE event_seals SET sealed_at = '2020-01-01T00:00:00.000001Z' WHERE " + block2}, nil, false, "A block_changed 2 0"},
	{"a block is gone", []string{"DELETE FROM event_seals WHERE " + block2}, nil, false, "A block_removed 2 0"},
	{"the first block is gone", []string{"DELETE FROM event_seals WHERE brand_number = {A} AND number = 1"}, nil, false, "A block_removed 1 0"},
	{"two blocks are gone", []string{"DELETE FROM event_seals WHERE brand_number = {A} AND number < 3"}, nil, false, "A block_removed 1 0"},
	{"two blocks have changed places", []string{
		"UPDATE event_seals SET number = 99 WHERE " + block2,
		"UPDATE event_seals SET number = 2 WHERE brand_number = {A} AND number = 3",
		"UPDATE event_seals SET number = 3 WHERE brand_number = {A} AND number = 99"}, nil, false, "A block_changed 2 0; A block_reordered 3 0"},
	{"a block of another brand", []string{
		"DELETE FROM event_seals WHERE " + block2,
		"UPDATE event_seals SET brand_number = {A} WHERE brand_number = {B} AND number = 2"}, nil, false,
		"A block_changed 2 0; A event_removed 2 B3; A event_inserted 2 A6; A event_inserted 2 A7; A event_removed 2 B4; A block_changed 3 0; B block_removed 2 0"},
	{"a block without a number", []string{"postgres ALTER TABLE event_seals DROP CONSTRAINT event_seals_number_check",
		"sqlite PRAGMA ignore_check_constraints = 1; UPDATE event_seals SET number = 0 WHERE " + block2,
		"postgres UPDATE event_seals SET number = 0 WHERE " + block2}, nil, false, "A block_inserted 0 0; A block_removed 2 0"},
	{"an unreadable block", []string{"sqlite UPDATE event_seals SET sealed_at = 'yesterday' WHERE " + block2,
		"postgres ALTER TABLE event_seals ALTER last_event DROP NOT NULL", "postgres UPDATE event_seals SET last_event = NULL WHERE " + block2}, nil, false,
		"A block_unreadable 2 0"},
	{"an event and its block made anew", nil, func(tr *trail) {
		tr.substitute("UPDATE events SET actor = 'cli' WHERE number = {A6}")
		tr.remake(2, 2)
	}, false, "A block_changed 3 0"},

	// The saved head.
	{"all made anew from an event on", nil, func(tr *trail) {
		tr.substitute("UPDATE events SET actor = 'cli' WHERE number = {A6}")
		tr.remake(2, 3)
	}, true, "A head_differs 3 0"},
	{"the end is gone", []string{"DELETE FROM event_seals WHERE brand_number = {A} AND number = 3"}, nil, true, "A chain_rolled_back 3 0"},
	{"all is gone", []string{"DELETE FROM event_seals", "DELETE FROM events"}, nil, true, "A chain_rolled_back 3 0; B chain_rolled_back 3 0"},
	{"the end is gone and sealed again", nil, func(tr *trail) {
		tr.substitute("DELETE FROM event_seals WHERE number = 3 AND brand_number = {A}")
		tr.substitute("DELETE FROM events WHERE number = {A12}")
		tr.sealer = newSealer(tr.db, nil)
		tr.seal()
	}, true, "A head_differs 3 0"},
	{"the saved block is gone", nil, func(tr *trail) {
		tr.sealer = newSealer(tr.db, nil)
		tr.seal()
		tr.substitute("DELETE FROM event_seals WHERE number = 3 AND brand_number = {A}")
	}, true, "A block_removed 3 0; A head_differs 3 0"},
}

const block2 = "brand_number = {A} AND number = 2"

// columns are edits of one column each, and one of two that moves text.
var columns = []string{
	"at = '2020-01-01T00:00:00.000001Z'", "kind = 'brand.updated'", "actor = 'key:other'", "address_class = ''",
	"request_id = 'other'", "subject_id = 'other'", "batch_number = NULL", "product_number = 5",
	"first_ordinal = 1", "quantity = NULL", "from_state = ''", "to_state = ''",
	"message = message || ' '", "from_state = 'ab', to_state = ''",
}

// everyColumn edits another event for each of columns.
func everyColumn() (statements []string) {
	for i, set := range columns {
		statements = append(statements, "UPDATE events SET "+set+" WHERE number = {"+columnEvent(i)+"}")
	}
	return statements
}

func everyColumnFound() string {
	var found []string
	for i := range columns {
		found = append(found, fmt.Sprintf("%.1s event_edited %d %s", columnEvent(i), 1+i%12/4, columnEvent(i)))
	}
	return strings.Join(found, "; ")
}

func columnEvent(i int) string { return fmt.Sprintf("%c%d", "AB"[i/12], 1+i%12) }

func number(from, to string) []string {
	return []string{"UPDATE events SET number = " + to + " WHERE number = " + from}
}

func swap(a, b string) []string {
	return slices.Concat(number(a, "-1"), number(b, a), number("-1", b))
}

func copyOf(event, brand, number string) string {
	const rest = "at, kind, actor, address_class, request_id, subject_id, batch_number, product_number, first_ordinal, quantity, from_state, to_state, message"
	return "INSERT INTO events (number, brand_number, " + rest + ") SELECT " + number + ", " + brand + ", " + rest + " FROM events WHERE number = " + event
}

// newHistory has two brands. Three blocks of A have four events each and those of
// B two; a fourth is to come, of two and one.
func newHistory(t testing.TB, db *storetest.DB) *trail {
	t.Helper()
	tr := newTrail(t, db, 2)
	for range 3 {
		for range 2 {
			tr.add(0, 1)
			tr.add(1, 1)
			tr.add(0, 1)
		}
		tr.seal()
	}
	tr.add(0, 2)
	tr.add(1, 1)
	return tr
}

// substitute runs a statement with the numbers of the history in it.
func (tr *trail) substitute(statement string) {
	tr.t.Helper()
	for engine, other := range map[string]string{"sqlite": "postgres", "postgres": "sqlite"} {
		if rest, ok := strings.CutPrefix(statement, engine+" "); ok {
			if tr.db.Engine() == other {
				return
			}
			statement = rest
		}
	}
	tr.execute(tr.names(statement))
}

func (tr *trail) names(text string) string {
	for i, letter := range []string{"A", "B"} {
		for j, e := range tr.events[i] {
			text = strings.ReplaceAll(text, fmt.Sprintf("{%s%d}", letter, j+1), fmt.Sprint(e))
		}
		text = strings.ReplaceAll(text, "{"+letter+"}", fmt.Sprint(tr.brands[i].Number))
	}
	return text
}

// remake computes blocks of brand A anew over the events as they are.
func (tr *trail) remake(from, to int64) {
	tr.t.Helper()
	seals, ctx := tr.seals(0), tr.t.Context()
	for i := from; i <= to; i++ {
		b, before := seals[i-1], seals[i-2]
		var events []*mintage.Event
		err := tr.db.Read(ctx, func(r store.Reader) (err error) {
			events, err = r.EventsBetween(ctx, b.BrandNumber, before.LastEvent, b.LastEvent, 100)
			return err
		})
		if err != nil {
			tr.t.Fatal(err)
		}
		audit.Remake(before.Hash, b, events)
		tr.execute("UPDATE event_seals SET digests = $1, hash = $2 WHERE brand_number = $3 AND number = $4", b.Digests, b.Hash, b.BrandNumber, b.Number)
	}
}

// found tells of a report in the words of damage.want.
func (tr *trail) found(r *audit.Report) string {
	var all []string
	for _, c := range r.Brands {
		for _, f := range c.Examples {
			event := fmt.Sprint(f.Event)
			brand := "?"
			for i, letter := range []string{"A", "B"} {
				if tr.brands[i].ID == c.BrandID {
					brand = letter
				}
				if j := slices.Index(tr.events[i], f.Event); j >= 0 {
					event = fmt.Sprintf("%s%d", letter, j+1)
				}
			}
			all = append(all, fmt.Sprintf("%s %s %d %s", brand, f.Problem, f.Block, event))
		}
	}
	return strings.Join(all, "; ")
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newHistory(t, db)
		heads := tr.export()
		storetest.Unguard(t, tr.raw)
		if db.Engine() == "postgres" {
			tr.execute("ALTER TABLE events ALTER number SET GENERATED BY DEFAULT")
		}
		for _, table := range []string{"events", "event_seals"} {
			tr.execute("CREATE TABLE whole_" + table + " AS SELECT * FROM " + table)
		}
		for _, d := range damages {
			t.Run(d.name, func(t *testing.T) {
				tr.t = t
				for _, statement := range d.sql {
					tr.substitute(statement)
				}
				if d.do != nil {
					d.do(tr)
				}
				saved := heads
				if !d.saved {
					saved = nil
				}
				tr.mustFind(d.want, saved)
			})
			tr.t = t
			for _, table := range []string{"events", "event_seals"} {
				tr.execute("DELETE FROM " + table)
				tr.execute("INSERT INTO " + table + " SELECT * FROM whole_" + table)
			}
		}
	})
}

// mustFind verifies and compares what is found with damage.want.
func (tr *trail) mustFind(want string, saved *audit.Heads) {
	tr.t.Helper()
	if rest, ok := strings.CutPrefix(want, "postgres "); ok {
		if want = rest; tr.db.Engine() != "postgres" {
			want = ""
		}
	}
	report := tr.verify("", saved)
	if got := tr.found(report); got != want || report.OK != (want == "") {
		tr.t.Errorf("ok %t, found %q, want %q", report.OK, got, want)
	}
	for _, c := range report.Brands {
		for _, f := range c.Examples {
			message := strings.ReplaceAll(f.Message, "blocks ", "block ")
			if f.Problem == audit.BrandMissing {
				continue // no event and no block
			}
			if !strings.Contains(message, fmt.Sprintf("event %d ", f.Event)) && !strings.Contains(message, fmt.Sprintf("block %d", f.Block)) {
				tr.t.Errorf("%+v", f)
			}
			readable := f.Problem == audit.EventEdited || f.Problem == audit.EventInserted || f.Problem == audit.EventReordered
			if readable != (f.Kind != "") {
				tr.t.Errorf("%+v", f)
			}
		}
	}
}

// Without a saved head, a chain that was made anew to its end looks sound: this is
// what the head is for.
func TestWhatOnlyTheHeadShows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newHistory(t, db)
		heads := tr.export()
		storetest.Unguard(t, tr.raw)
		tr.substitute("UPDATE events SET actor = 'cli' WHERE number = {A6}")
		tr.remake(2, 3)
		if r := tr.verify("", nil); !r.OK {
			t.Errorf("%s", tr.found(r))
		}
		if r := tr.verify("", heads); r.OK {
			t.Error("the saved head shows nothing")
		}
	})
}

func TestBrandWithASavedHeadIsGone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newHistory(t, db)
		heads := tr.export()
		storetest.Unguard(t, tr.raw)
		tr.substitute("DELETE FROM resolver_bases WHERE brand_number = {A}")
		tr.substitute("DELETE FROM brands WHERE number = {A}")
		report := tr.verify("", heads)
		if got := tr.found(report); got != "? brand_missing 0 0; A brand_missing 0 0" || report.OK {
			t.Errorf("%q", got)
		}
	})
}

// Many findings are counted, and some told.
func TestFindingsAreBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 1)
		tr.add(0, 500)
		tr.seal()
		storetest.Unguard(t, tr.raw)
		tr.execute("UPDATE events SET actor = 'cli'")
		if c := tr.verify("", nil).Brands[0]; c.Findings != 500 || len(c.Examples) != audit.MaxExamples || c.OK {
			t.Errorf("%+v", c)
		}
	})
}

// An event whose number stands twice where one read ends and the next begins.
func TestSameNumberTwiceBetweenReads(t *testing.T) {
	db := storetest.Open(t, "postgres") // SQLite cannot lose this key
	tr := newTrail(t, db, 1)
	tr.add(0, audit.Window+10)
	tr.seal()
	storetest.Unguard(t, tr.raw)
	tr.execute("ALTER TABLE events ALTER number SET GENERATED BY DEFAULT")
	tr.execute("ALTER TABLE events DROP CONSTRAINT events_pkey")
	for i := audit.Window - 2; i < audit.Window+2; i++ {
		tr.execute(copyOf(fmt.Sprint(tr.events[0][i]), fmt.Sprint(tr.brands[0].Number), fmt.Sprint(tr.events[0][i])))
	}
	if c := tr.verify("", nil).Brands[0]; c.Findings != 4 || c.Examples[0].Problem != audit.EventInserted || c.Events != audit.Window+10 {
		t.Errorf("%+v", c)
	}
}

func TestUnsealedTail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 2)
		c := tr.verify(tr.brands[0].ID, nil).Brands[0]
		if !c.OK || c.Events != 0 || c.Blocks != 0 || c.UnsealedEvents != 0 || c.Head != nil {
			t.Errorf("nothing: %+v", c)
		}
		tr.add(0, 3)
		c = tr.verify(tr.brands[0].ID, nil).Brands[0]
		if !c.OK || c.Blocks != 0 || c.UnsealedEvents != 3 || time.Since(c.UnsealedSince) > time.Hour {
			t.Errorf("before the first block: %+v", c)
		}
		tr.seal()
		first := time.Now().UTC().Truncate(time.Microsecond)
		tr.add(0, 2)
		c = tr.verify("", nil).Brands[0]
		if !c.OK || c.Blocks != 1 || c.Events != 3 || c.UnsealedEvents != 2 || c.UnsealedSince.Before(first) ||
			c.Head == nil || c.Head.Block != 1 || c.Head.LastEvent != tr.events[0][2] || c.Head.Events != 3 {
			t.Errorf("after it: %+v", c)
		}
	})
}

// A tail that is older than it may be fails both: whoever waits with it can edit it.
func TestOldTailFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 2)
		tr.add(0, 2)
		tr.add(1, 1)
		tr.seal()
		tr.add(0, 2)
		since := tr.verify("", nil).Brands[0].UnsealedSince
		at := func(age time.Duration) audit.Tail { return audit.Tail{Now: since.Add(age), Max: 5 * time.Minute} }
		for age, want := range map[time.Duration]string{5 * time.Minute: "", 5*time.Minute + time.Microsecond: "A unsealed_tail_old 0 A3"} {
			report, err := audit.Verify(t.Context(), db, "", nil, at(age))
			if err != nil {
				t.Fatal(err)
			}
			if got := tr.found(report); got != want || report.OK != (want == "") {
				t.Errorf("after %s: %q, want %q", age, got, want)
			}
			_, err = audit.Export(t.Context(), db, "", at(age))
			if (err == nil) != (want == "") || err != nil && mintage.ErrorCode(err) != mintage.CodeConflict {
				t.Errorf("after %s the export says %v", age, err)
			}
			if _, err := audit.Export(t.Context(), db, tr.brands[1].ID, at(age)); err != nil {
				t.Errorf("of the other brand: %v", err)
			}
		}
	})
}

// A table that cannot be read is an error and not a trail full of findings.
func TestVerifyFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 1)
		tr.add(0, 3)
		if _, err := audit.Verify(t.Context(), db, storetest.NewID(), nil, tail()); mintage.ErrorCode(err) != mintage.CodeNotFound {
			t.Errorf("an unknown brand: %v", err)
		}
		saved := &audit.Heads{Heads: []audit.Head{{BrandID: storetest.NewID()}}}
		if _, err := audit.Verify(t.Context(), db, tr.brands[0].ID, saved, tail()); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("a file without the brand: %v", err)
		}
		storetest.Unguard(t, tr.raw)
		for _, table := range []string{"events", "event_seals"} {
			tr.execute("ALTER TABLE " + table + " RENAME TO other")
			if report, err := audit.Verify(t.Context(), db, "", nil, tail()); err == nil {
				t.Errorf("without %s: %+v", table, report.Brands[0])
			}
			tr.execute("ALTER TABLE other RENAME TO " + table)
		}
		if r := tr.verify("", nil); !r.OK {
			t.Errorf("%+v", r.Brands[0])
		}
	})
}

// Under the role of the API, a policy would hide other brands' trails.
func TestRestrictedRoleCannotAudit(t *testing.T) {
	db := storetest.Open(t, "postgres")
	newTrail(t, db, 1)
	s := db.As(t, "mintage_app")
	if _, err := audit.Verify(t.Context(), s, "", nil, tail()); mintage.ErrorCode(err) != mintage.CodeForbidden {
		t.Errorf("verify: %v", err)
	}
	if _, err := audit.Export(t.Context(), s, "", tail()); mintage.ErrorCode(err) != mintage.CodeForbidden {
		t.Errorf("export: %v", err)
	}
}

// The reader ahead never reads what may not be sealed yet.
func TestVerifyBesideWritersAndSealer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 1)
		done := make(chan error, 1)
		verifier := db.Reopen(t)
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				report, err := audit.Verify(t.Context(), verifier, "", nil, tail())
				if err == nil && !report.OK {
					err = fmt.Errorf("%+v", report.Brands[0].Examples)
				}
				if err != nil {
					done <- err
					return
				}
			}
		}()
		for i := range 60 {
			tr.add(0, 1+i%7)
			tr.seal()
		}
		close(stop)
		if err := <-done; err != nil {
			t.Error(err)
		}
		tr.mustBeSealed(0)
	})
}

// The highest number there is overflows nothing.
func TestHighestNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newHistory(t, db)
		storetest.Unguard(t, tr.raw)
		if db.Engine() == "postgres" {
			tr.execute("ALTER TABLE events ALTER number SET GENERATED BY DEFAULT")
		}
		tr.substitute(copyOf("{A1}", "{A}", fmt.Sprint(int64(math.MaxInt64))))
		if c := tr.verify(tr.brands[0].ID, nil).Brands[0]; !c.OK || c.UnsealedEvents != 3 {
			t.Errorf("%+v", c)
		}
	})
}

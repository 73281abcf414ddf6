package resolver_test

import (
	"net/http"
	"sync"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// Promise 10: however many scans race, by whichever process, one activates.
func TestActivatedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		var other store.Store = db
		if db.Path == "" { // on SQLite one process has the file
			other = db.Reopen(t)
		}
		planes := []*site{s, s.beside(t, other)}
		p := s.product(t)
		unit := s.units(t, p, 3, "L1")
		for i, wave := range []struct{ known bool }{{false}, {true}} {
			if wave.known { // the resolvers remember the product and what happened to its units
				for _, plane := range planes {
					plane.get(t, unit[2]).is(t, "warming up", 307)
					plane.get(t, unit[2]).is(t, "warming up", 307)
				}
			}
			const scans = 1000
			statuses := make(chan int, scans)
			var wg sync.WaitGroup
			start := make(chan struct{})
			for n := range scans {
				wg.Go(func() {
					<-start
					statuses <- planes[n%2].get(t, unit[i]).StatusCode
				})
			}
			close(start)
			wg.Wait()
			close(statuses)
			for status := range statuses {
				if status != http.StatusTemporaryRedirect {
					t.Fatalf("a scan got %d", status)
				}
			}
			states := s.rows(t, `SELECT count(*) FROM unit_states WHERE product_number = $1 AND ordinal = $2`, p.Number, i)
			events := s.rows(t, `SELECT count(*) FROM events WHERE product_number = $1 AND first_ordinal = $2 AND kind = 'unit.transition'`, p.Number, i)
			if states != 1 || events != 1 {
				t.Errorf("known %t: %d states and %d events of one unit", wave.known, states, events)
			}
		}
		u, err := s.mint.Unit(t.Context(), s.p, unitID(p, unit[0]))
		if err != nil || u.Status != mintage.TokenActive || u.ActivatedAt.IsZero() {
			t.Errorf("the unit is %+v, %v", u, err)
		}
		found, err := s.mint.Events(t.Context(), s.p, mint.EventFilter{Kind: mintage.EventUnitTransition}, store.Page{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		e := found[len(found)-1]
		if e.Actor != "scan" || e.SubjectID != u.ID || e.From != "minted" || e.To != "active" || e.ProductNumber != p.Number ||
			e.FirstOrdinal != 0 || e.Quantity != 1 || e.BatchNumber == 0 || e.Origin.AddressClass != mintage.AddressLoopback || e.Origin.RequestID == "" {
			t.Errorf("the event is %+v", e)
		}
	})
}

// Many units at once go into few transactions; each is activated by its own scan, and
// one that spoils the transaction of others does so alone.
func TestManyFirstScans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		f := &faulty{Store: db}
		plane := s.beside(t, f)
		p := s.product(t)
		units := s.units(t, p, 400, "")
		for i, large := range []bool{false, true} {
			f.large.Store(large)
			var wg sync.WaitGroup
			for n := range 20 {
				wg.Go(func() {
					for o := range 10 {
						plane.get(t, units[200*i+10*n+o]).is(t, "a first scan", 307)
					}
				})
			}
			wg.Wait()
			want := int64(200 * (i + 1))
			if states, events := s.activations(t, p); states != want || events != want {
				t.Errorf("%d states and %d events of %d units", states, events, want)
			}
		}
		f.noReads.Store(true)
		a := plane.get(t, s.units(t, p, 1, "")[0]).is(t, "without a database", 503)
		if a.Header.Get("Retry-After") == "" {
			t.Error("the answer does not say when to try again")
		}
	})
}

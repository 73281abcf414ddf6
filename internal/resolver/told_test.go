package resolver_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mintage"
	"mintage/internal/resolver"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// The page of a unit that is known to be active or revoked asks the database nothing,
// and counts the unit's scans once a minute; what becomes of the unit it shows all the
// same.
func TestPagesAskLittle(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		f := &faulty{Store: db}
		var later atomic.Int64
		plane := s.beside(t, f, func(o *resolver.Options) {
			o.Now = func() time.Time { return time.Now().UTC().Add(time.Duration(later.Load())) }
		})
		p := s.product(t)
		units := s.minted(t, p, &mintage.MintRequest{
			ProductID: p.ID, RequestedQuantity: 2, IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
		})
		page := "/p/" + p.Code + "/" + codeIn(units[0])
		reads := func(status int) int64 {
			before := f.reads.Load()
			plane.get(t, page).is(t, "the page", status)
			return f.reads.Load() - before
		}
		storetest.Eventually(t, "the page is known", func() bool { return reads(http.StatusOK) == 0 })

		var scans []mintage.Scan
		for n := range mintage.SignalNetworks + 1 {
			scans = append(scans, mintage.Scan{
				ProductNumber: p.Number, Ordinal: 0, At: time.Now().UTC(), Network: "198.51." + strconv.Itoa(n) + ".0/24", Agent: mintage.AgentPhone, Outcome: mintage.ScanActive,
			})
		}
		if err := db.InTx(t.Context(), func(tx store.Tx) error { return tx.AppendScans(t.Context(), scans) }); err != nil {
			t.Fatal(err)
		}
		suspicious := func() bool {
			return strings.Contains(plane.get(t, page, "Accept", "application/json").body, `"suspicious":true`)
		}
		if suspicious() {
			t.Error("the scans were counted again at once")
		}
		later.Store(int64(time.Minute + time.Second))
		if !suspicious() {
			t.Error("the scans were not counted again after a minute")
		}
		storetest.Eventually(t, "the page is known again", func() bool { return reads(http.StatusOK) == 0 })

		if _, _, err := s.mint.RevokeUnit(t.Context(), s.p, unitID(p, units[0]), "stolen"); err != nil {
			t.Fatal(err)
		}
		plane.await(t, page, http.StatusGone)
		storetest.Eventually(t, "the revoked one's page is known", func() bool { return reads(http.StatusGone) == 0 })
		if a := plane.get(t, page); !strings.Contains(a.body, "stolen") {
			t.Errorf("the page does not say why:\n%s", a.body)
		}
	})
}

// What is named by its content's hash has that name as its tag.
func TestTagOfFiles(t *testing.T) {
	s := newSite(t, storetest.Open(t, "sqlite"))
	p := s.product(t)
	_, rest, _ := strings.Cut(s.get(t, "/p/"+p.Code).body, "/p/_/")
	name, _, _ := strings.Cut(rest, `"`)
	a := s.get(t, "/p/_/"+name).is(t, name, http.StatusOK)
	if tag := a.Header.Get("Etag"); tag != `"`+name+`"` {
		t.Errorf("the tag of %s is %s", name, tag)
	}
	s.get(t, "/p/_/"+name, "If-None-Match", `"`+name+`"`).is(t, "what the client has", http.StatusNotModified)
	// An old name is answered with what there is, under the tag of that.
	if tag := s.get(t, "/p/_/old.css").Header.Get("Etag"); tag != `"`+name+`"` {
		t.Errorf("under an old name it is %s", tag)
	}
}

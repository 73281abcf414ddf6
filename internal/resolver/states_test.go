package resolver_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/resolver/passport"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestStates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		p := s.product(t)
		page := func(target string) string { return siteBase + "/p/" + p.Code + "/" + codeIn(target) }
		born := s.minted(t, p, &mintage.MintRequest{
			ProductID: p.ID, RequestedQuantity: 4, IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
			Lots: []mintage.LotRequest{{LotCode: "A", Quantity: 2}, {LotCode: "B", Quantity: 2}},
		})
		waiting := s.units(t, p, 3, "C")
		for _, target := range append(append([]string{}, born...), waiting[0], waiting[0]) {
			s.get(t, target).leads(t, target, page(target))
		}
		if states, events := s.activations(t, p); states != 1 || events != 1 {
			t.Errorf("%d states, %d events", states, events)
		}

		// Revoked: one active, one that waits, and a lot.
		for _, target := range []string{born[0], waiting[1]} {
			if _, _, err := s.mint.RevokeUnit(t.Context(), s.p, unitID(p, target), "stolen from <the> truck"); err != nil {
				t.Fatal(err)
			}
		}
		u, err := s.mint.Unit(t.Context(), s.p, unitID(p, born[2]))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.mint.RecallLot(t.Context(), s.p, u.BatchID, "B", "the hinge breaks"); err != nil {
			t.Fatal(err)
		}
		s.await(t, "/01/"+p.GTIN+"/10/B", http.StatusGone)
		for target, reason := range map[string]string{
			born[0]: "stolen from &lt;the&gt; truck", waiting[1]: "stolen from &lt;the&gt; truck", born[2]: "the hinge breaks", born[3]: "the hinge breaks",
		} {
			s.await(t, target, http.StatusGone)
			for _, path := range []string{target, strings.TrimPrefix(page(target), siteBase)} {
				a := s.get(t, path).is(t, path, http.StatusGone)
				if !strings.Contains(a.body, reason) || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
					t.Errorf("%s does not say why: %s\n%s", path, a.Header.Get("Content-Type"), a.body)
				}
				a = s.get(t, path, "Accept", "application/json").is(t, path, http.StatusGone)
				var problem struct{ Code string }
				if err := json.Unmarshal([]byte(a.body), &problem); err != nil || problem.Code != "TOKEN_REVOKED" {
					t.Errorf("%s: %s, %v", path, a.body, err)
				}
				s.get(t, path+"?linkType=linkset").is(t, path, http.StatusGone)
			}
		}
		s.get(t, born[1]).leads(t, "its neighbour", page(born[1]))
		s.get(t, "/01/"+p.GTIN+"/10/A").leads(t, "another lot", siteBase+"/p/"+p.Code+"/lot/A")
		s.get(t, "/p/"+p.Code+"/lot/B").is(t, "the recalled lot's page", http.StatusGone)
		s.get(t, "/p/"+p.Code+"/lot/A").is(t, "another lot's page", http.StatusOK)
		s.get(t, "/p/"+p.Code+"/lot/Z").is(t, "a page of no lot", http.StatusNotFound)
		s.get(t, "/p/"+p.Code+"/0123456789AB").is(t, "a page of no unit", http.StatusNotFound)
		// What was revoked while it waited stays so, whoever scans it.
		if states, _ := s.activations(t, p); states != 1 {
			t.Errorf("%d units are active", states)
		}
	})
}

// await waits until a target is answered with a status: for what a poll has to bring.
func (s *site) await(t *testing.T, target string, status int) {
	t.Helper()
	storetest.Eventually(t, target+" gets "+http.StatusText(status), func() bool { return s.get(t, target).StatusCode == status })
}

// Data of a unit, lot and product, by both addresses.
func TestData(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		p := s.product(t, mintage.Link{Type: "gs1:pip", Href: "https://acme.example/x", Title: "Elsewhere", Default: true})
		unit := s.units(t, p, 1, "L1")[0]
		s.get(t, unit, "Accept", "application/json", "User-Agent", "").is(t, "a robot", 200)
		if states, _ := s.activations(t, p); states != 0 {
			t.Error("a robot's request for data activated")
		}
		// That it was this scan is told to nobody but it.
		for _, now := range []string{"true", "false"} {
			a := s.get(t, unit, "Accept", "application/json").is(t, "a machine", 200)
			if !strings.Contains(a.body, `"activated_now":`+now) {
				t.Errorf("activated now, %s: %s", now, a.body)
			}
		}
		if a := s.get(t, "/p/"+p.Code+"/"+codeIn(unit)); !strings.Contains(a.body, "activated a moment ago") || strings.Contains(a.body, "this scan") {
			t.Errorf("the page says\n%s", a.body)
		}
		for _, target := range []string{unit, "/01/" + p.GTIN, lotOf(unit)} {
			path := "/p/" + p.Code
			switch target {
			case unit:
				path += "/" + codeIn(unit)
			case lotOf(unit):
				path += "/lot/L1"
			}
			for accept, format := range map[string]string{"application/json": "json", "application/ld+json": "jsonld"} {
				data := s.get(t, target, "Accept", accept).is(t, target, 200)
				if got := data.Header.Get("Content-Type"); got != accept || !json.Valid([]byte(data.body)) {
					t.Errorf("%s for %s is %s: %s", target, accept, got, data.body)
				}
				data.has(t, "Vary", "Accept")
				for _, header := range []string{accept, phoneAccept} {
					query := ""
					if header == phoneAccept {
						query = "?format=" + format
					}
					if a := s.get(t, path+query, "Accept", header).is(t, path, 200); a.body != data.body {
						t.Errorf("%s%s differs from %s:\n%s\n%s", path, query, target, a.body, data.body)
					}
				}
			}
		}
		if states, events := s.activations(t, p); states != 1 || events != 1 {
			t.Errorf("a machine's scan: %d states, %d events", states, events)
		}
	})
}

// Where a brand asks for a tap, scans lead to the page with the button, and only the
// button activates.
func TestTapToActivate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		p := s.product(t, mintage.Link{Type: "gs1:pip", Href: "https://acme.example/{serial}", Title: "Elsewhere", Default: true})
		on := true
		if _, err := s.mint.UpdateBrand(t.Context(), s.p, mint.SettingsPatch{TapToActivate: &on}); err != nil {
			t.Fatal(err)
		}
		units := s.units(t, p, 2, "")
		page := "/p/" + p.Code + "/" + codeIn(units[0])
		storetest.Eventually(t, "the setting is known", func() bool {
			return s.get(t, units[0], "User-Agent", "").location(t) == siteBase+page
		})
		s.get(t, units[0]).leads(t, "a scan", siteBase+page)
		a := s.get(t, page).is(t, "the page", 200)
		if !strings.Contains(a.body, `method="post"`) || !strings.Contains(a.body, page+"/activate") {
			t.Errorf("the page has no button:\n%s", a.body)
		}
		s.do(t, http.MethodPost, page+"/activate", "Sec-Fetch-Site", "cross-site").is(t, "another site's form", 403)
		s.do(t, http.MethodPost, page+"/activate", "User-Agent", "").is(t, "a robot", 303)
		s.get(t, page+"/activate").is(t, "GET", 405).has(t, "Allow", "POST")
		if states, _ := s.activations(t, p); states != 0 {
			t.Fatalf("%d units are active without a tap", states)
		}
		for range 2 {
			a = s.do(t, http.MethodPost, page+"/activate", "Sec-Fetch-Site", "same-origin").is(t, "the tap", 303)
			if a.location(t) != siteBase+page {
				t.Errorf("the tap leads to %s", a.location(t))
			}
		}
		if states, events := s.activations(t, p); states != 1 || events != 1 {
			t.Errorf("%d states, %d events", states, events)
		}
		if a = s.get(t, page).is(t, "the page", 200); strings.Contains(a.body, `method="post"`) {
			t.Error("the page still has the button")
		}
		s.get(t, units[0]).leads(t, "a scan afterwards", "https://acme.example/"+codeIn(units[0]))

		if _, _, err := s.mint.RevokeUnit(t.Context(), s.p, unitID(p, units[1]), "lost"); err != nil {
			t.Fatal(err)
		}
		s.do(t, http.MethodPost, "/p/"+p.Code+"/"+codeIn(units[1])+"/activate").is(t, "a tap on a revoked one", 410)
		s.do(t, http.MethodPost, "/p/"+p.Code+"/0123456789AB/activate").is(t, "a tap on none", 404)
	})
}

// lotOf is the target of a unit's lot.
func lotOf(target string) string {
	lot, _, _ := strings.Cut(target, "/21/")
	return lot
}

// A code that was scanned in very many places is shown as what it may be.
func TestSuspicious(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		p := s.product(t)
		unit := s.units(t, p, 2, "")
		suspicious := func(target string) bool {
			a := s.get(t, target, "Accept", "application/json").is(t, target, http.StatusOK)
			var data struct {
				Token struct{ Suspicious bool }
			}
			if err := json.Unmarshal([]byte(a.body), &data); err != nil {
				t.Fatal(err)
			}
			return data.Token.Suspicious
		}
		var scans []mintage.Scan
		const robots = 220 // the latest
		for n := range mintage.SignalNetworks + 1 + robots {
			agent := mintage.AgentPhone
			if n > mintage.SignalNetworks {
				agent = mintage.AgentRobot
			}
			scans = append(scans, mintage.Scan{
				ProductNumber: p.Number, Ordinal: 1, At: time.Now().UTC(), Network: "198.51." + strconv.Itoa(n%250) + ".0/24", Agent: agent, Outcome: mintage.ScanActive,
			})
		}
		err := db.InTx(t.Context(), func(tx store.Tx) error { return tx.AppendScans(t.Context(), scans) })
		if err != nil {
			t.Fatal(err)
		}
		if suspicious(unit[0]) || !suspicious(unit[1]) {
			t.Error("the signal is at the wrong unit")
		}
	})
}

// What shows something has the headers of what is shown; a redirect has not.
func TestHeadersOfPages(t *testing.T) {
	s := newSite(t, storetest.Open(t, "sqlite"))
	p := s.product(t)
	for _, target := range []string{"/p/" + p.Code, "/nothing"} {
		a := s.get(t, target)
		for name, want := range map[string]string{
			"Content-Security-Policy": passport.ContentSecurityPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", target, name, got)
			}
		}
	}
	a := s.get(t, "/p/"+p.Code, "Accept", "application/json")
	if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("data has the headers %v", a.Header)
	}
	a = s.get(t, "/01/"+p.GTIN).is(t, "a redirect", http.StatusTemporaryRedirect)
	if a.Header.Get("Content-Security-Policy") != "" || a.Header.Get("X-Frame-Options") != "" {
		t.Errorf("a redirect has the headers %v", a.Header)
	}
}

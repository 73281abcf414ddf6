package web

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// stock is a brand with members of every role and minted tokens, and another brand's.
type stock struct {
	*world

	brand         *mintage.Brand
	browsers      map[mintage.Role]*browser
	product       *mintage.Product
	scanned, born *store.Work // two lots, at first scan; no lots, active at mint
	units         []*mintage.Unit
	foreign       *store.Work
	theirs        *mintage.Unit
}

func newStock(w *world) *stock {
	w.t.Helper()
	s := &stock{world: w, brand: w.fixture.NewBrand(), browsers: map[mintage.Role]*browser{}}
	for _, role := range mintage.Roles {
		s.browsers[role] = w.as(w.invite(s.brand, string(role)+"@example.com", role))
	}
	s.product = w.fixture.NewProduct(s.brand)
	s.scanned = w.fixture.Submit(s.product, 60, mintage.LotRequest{LotCode: "PB-1", Quantity: 20}, mintage.LotRequest{LotCode: "PB-2", Quantity: 40})
	w.fixture.Mint(60)
	w.fixture.Activate(&s.scanned.Batch, s.scanned.Batch.FirstOrdinal, s.scanned.Batch.FirstOrdinal+30)
	s.born = w.fixture.SubmitRequest(storetest.Submission{Product: w.fixture.NewProduct(s.brand), Quantity: 60, IdentityMode: mintage.IdentityBatch, ActivationMode: mintage.ActiveAtMint})
	w.fixture.Mint(60)
	s.foreign = w.fixture.Submit(w.fixture.NewProduct(w.fixture.NewBrand()), 2, mintage.LotRequest{LotCode: "THEIRS", Quantity: 2})
	w.fixture.Mint(2)
	s.units = s.unitsOf(s.scanned)
	s.theirs = s.unitsOf(s.foreign)[0]
	return s
}

func (s *stock) unitsOf(w *store.Work) []*mintage.Unit {
	s.t.Helper()
	units, err := s.server.Mint.Units(s.t.Context(), mintage.Principal{BrandNumber: w.Batch.BrandNumber}, w.Batch.ID, -1, 1000)
	s.must(err)
	return units
}

// by is the browser of the member with a role.
func (s *stock) by(role mintage.Role) *browser { return s.browsers[role] }

var (
	tokenLink = regexp.MustCompile(`href="/mint/tokens/([0-9A-Z-]+)" data-panel`)
	moreLink  = regexp.MustCompile(`<a class="button" href="([^"]+)" data-more>`)
)

// listed follows a list of tokens to its end.
func (b *browser) listed(path string) (ids []string) {
	b.w.t.Helper()
	for path != "" {
		p := b.get(path).wants(http.StatusOK)
		for _, m := range tokenLink.FindAllStringSubmatch(p.body, -1) {
			ids = append(ids, m[1])
		}
		path = ""
		if more := moreLink.FindStringSubmatch(p.body); more != nil {
			path = html.UnescapeString(more[1])
		}
	}
	return ids
}

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newStock(w)
		b := s.by(mintage.RoleOperator)
		born := s.unitsOf(s.born)
		all := append(append([]*mintage.Unit{}, born...), s.units...)
		pick := func(units []*mintage.Unit, keep func(*mintage.Unit) bool) (ids []string) {
			for _, u := range units {
				if keep(u) {
					ids = append(ids, u.ID)
				}
			}
			return ids
		}
		for path, want := range map[string][]string{
			"/mint/tokens":                                         pick(all, func(*mintage.Unit) bool { return true }),
			"/mint/tokens?status=nonsense":                         pick(all, func(*mintage.Unit) bool { return true }),
			"/mint/tokens?status=active":                           pick(all, func(u *mintage.Unit) bool { return u.Status == mintage.TokenActive }),
			"/mint/tokens?status=minted":                           pick(s.units, func(u *mintage.Unit) bool { return u.Status == mintage.TokenMinted }),
			"/mint/tokens?status=revoked":                          nil,
			"/mint/tokens?lot=PB-2":                                pick(s.units[20:], func(*mintage.Unit) bool { return true }),
			"/mint/tokens?lot=PB-2&status=active":                  {s.units[30].ID},
			"/mint/tokens?batch=" + s.born.Batch.ID:                pick(born, func(*mintage.Unit) bool { return true }),
			"/mint/tokens?product=" + s.product.SKU + "&lot=PB-1":  pick(s.units[:20], func(*mintage.Unit) bool { return true }),
			"/mint/tokens?product=" + s.product.GTIN + "&lot=PB-1": pick(s.units[:20], func(*mintage.Unit) bool { return true }),
			"/mint/tokens?lot=THEIRS":                              nil,
		} {
			if got := b.listed(path); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%s lists %d tokens instead of %d:\n%q\n%q", path, len(got), len(want), got, want)
			}
		}
		b.get("/mint/tokens?status=revoked").wants(http.StatusOK, "No token matches", "Clear filters")
		b.get("/mint/tokens?cursor=nonsense").wants(http.StatusBadRequest)
		// Another brand's product or batch looks like one that does not exist.
		same := func(path, theirs, nobodys string) {
			t.Helper()
			one, other := b.get(path+theirs), b.get(path+nobodys)
			one.wants(http.StatusOK, "There is no such product or batch")
			if one.body = strings.ReplaceAll(one.body, theirs, nobodys); one.body != other.body {
				t.Errorf("%s%s does not look like what does not exist", path, theirs)
			}
		}
		same("/mint/tokens?batch=", s.foreign.Batch.ID, storetest.NewID())
		same("/mint/tokens?product=", s.foreign.Batch.ProductID, storetest.NewID())

		viewer := s.by(mintage.RoleViewer)
		viewer.get("/mint/tokens").wants(http.StatusOK, "not open to your role", "the role Operator; yours is Viewer").lacks(s.units[0].Code, born[0].Code)
		viewer.get("/mint/tokens?status=active&batch="+s.born.Batch.ID).wants(http.StatusOK, "not open to your role").lacks(born[0].Code)

		empty := w.fixture.NewBrand()
		w.as(w.invite(empty, "first@example.com", mintage.RoleOwner)).get("/mint/tokens").wants(http.StatusOK, "There are no tokens yet", "New mint request")
	})
}

func TestTokenPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newStock(w)
		u := s.units[0]
		scan := mintage.Scan{ProductNumber: s.product.Number, Ordinal: u.Ordinal, At: w.clock.Now(), Network: "203.0.113.0/24", Agent: mintage.AgentPhone, Language: "de", Outcome: mintage.ScanActivated}
		w.must(w.db.InTx(t.Context(), func(tx store.Tx) error { return tx.AppendScans(t.Context(), []mintage.Scan{scan}) }))
		b := s.by(mintage.RoleViewer)
		p := b.get("/mint/tokens/"+u.ID).wants(http.StatusOK,
			s.brand.Name, s.product.SKU, s.product.Name, u.GTIN, "PB-1", u.ID, u.ResolverURL, "active", "At first scan", "The batch was submitted", "Activated by its first scan",
			"(01)", "Global Trade Item Number", "(10)", "Batch or lot number", "(21)", "Serial number", "203.0.113.0/24", "Activated it", "<svg", "Opening it counts as a scan",
		).lacks("Revoke this token", "may have been copied", "u=")
		if !strings.Contains(p.body, `fill="#fff"`) {
			t.Error("the QR code has no ground of its own")
		}
		b.get("/mint/tokens/"+s.units[1].ID).wants(http.StatusOK, "minted", "waits for its first scan", "this token’s first scan and activates it", "has not been scanned yet")
		born := s.unitsOf(s.born)[0]
		b.get("/mint/tokens/"+born.ID).wants(http.StatusOK, born.ResolverURL, "Code (u)", "and active at once", "Active at mint").lacks("(10)", "(21)")
		s.by(mintage.RoleAdmin).get("/mint/tokens/"+u.ID).wants(http.StatusOK, "Revoke this token", "/revoke", "/recall?lot=PB-1")

		b.accept = "de"
		b.get("/mint/tokens/"+u.ID).wants(http.StatusOK, "Durch den ersten Scan aktiviert", "Was die URL sagt", "aktiv")
		b.accept = ""

		scans := []mintage.Scan{}
		for i := range mintage.SignalNetworks {
			scan.Network = "198.51." + strings.Repeat("1", i%3) + string(rune('a'+i)) + ".0/24"
			scans = append(scans, scan)
		}
		w.must(w.db.InTx(t.Context(), func(tx store.Tx) error { return tx.AppendScans(t.Context(), scans) }))
		b.get("/mint/tokens/"+u.ID).wants(http.StatusOK, "The code may have been copied", "from 26 different networks")

		w.fixture.Recall(&s.scanned.Batch, &s.scanned.Batch.Lots[0], "The glue does not hold")
		b.get("/mint/tokens/"+u.ID).wants(http.StatusOK, "revoked", "The lot PB-1 was recalled", "The glue does not hold", "told not to trust the item")

		theirs := b.get("/mint/tokens/" + s.theirs.ID).wants(http.StatusNotFound)
		for _, id := range []string{s.units[0].ID[:9] + "0000000000AB", "none"} {
			if nobodys := b.get("/mint/tokens/" + id).wants(http.StatusNotFound); nobodys.body != theirs.body {
				t.Errorf("another brand's token does not look like %s", id)
			}
		}
	})
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newStock(w)
		b := s.by(mintage.RoleViewer)
		find := func(text string) *page { return b.do("GET", "/mint/search?"+query("q", text), nil, nil) }
		for _, text := range []string{s.units[3].ResolverURL, s.units[3].Code, s.units[3].ID, s.units[3].GTIN + " " + s.units[3].Serial} {
			find(text).goesTo("/mint/tokens/" + s.units[3].ID)
		}
		find(s.born.Batch.ID).goesTo("/mint/batches/" + s.born.Batch.ID)
		find("PB-2").wants(http.StatusOK, "Batches with the lot PB-2", "/mint/batches/"+s.scanned.Batch.ID, "lot=PB-2", `value="PB-2"`)
		find(s.product.SKU).wants(http.StatusOK, s.product.Name, "/products/"+s.product.ID, "/mint/tokens?product="+s.product.ID)
		find(s.product.GTIN).wants(http.StatusOK, s.product.Name)
		find("0000000000AB").wants(http.StatusOK, "This token was never issued", "may be counterfeit")
		find("https://www.example.com/x").wants(http.StatusOK, "not the URL of a token")
		find("9520123456780").wants(http.StatusOK, "not a valid GTIN")
		find("<b>none</b>").wants(http.StatusOK, "Nothing matches", "GS1 element string").lacks(`value="<b>` + "\n")
		find("").wants(http.StatusOK, "What are you looking for?")
		find("a\x00b").wants(http.StatusOK, "What are you looking for?")
		b.get("/mint/search").wants(http.StatusOK, "What are you looking for?")
		find(strings.Replace(s.units[3].ResolverURL, "https://id", "https://fake", 1)).wants(http.StatusOK, "This address is not yours", "/mint/tokens/"+s.units[3].ID)

		for text, nobodys := range map[string]string{
			s.theirs.ID: s.theirs.ID[:9] + "0000000000AB", s.theirs.Code: "0000000000AB", "THEIRS": "NOBODY", s.foreign.Batch.ID: storetest.NewID(), s.foreign.Batch.GTIN: w.fixture.NewGTIN(),
		} {
			one, other := find(text).wants(http.StatusOK), find(nobodys).wants(http.StatusOK)
			if strings.ReplaceAll(one.body, text, nobodys) != other.body {
				t.Errorf("%q does not look like %q", text, nobodys)
			}
		}
	})
}

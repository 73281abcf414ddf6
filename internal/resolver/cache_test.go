package resolver_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/mint"
	"mintage/internal/resolver"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// elsewhere is the database as another process sees it; on SQLite, where one process
// has the file, another handle to it.
func elsewhere(t *testing.T, s *site) *site {
	t.Helper()
	db := s.db.Reopen(t)
	other := *s
	other.mint = mint.New(db, s.keys, time.Now)
	other.catalogue = catalogue.New(db, time.Now)
	return &other
}

// A second after a revocation or recall was committed by another process, no resolver
// takes the unit for a good one; and each unit's neighbours stay what they are.
func TestRevokedElsewhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		other := elsewhere(t, s)
		p := s.product(t)
		units := s.minted(t, p, &mintage.MintRequest{
			ProductID: p.ID, RequestedQuantity: 30, IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
			Lots: []mintage.LotRequest{{LotCode: "A", Quantity: 20}, {LotCode: "B", Quantity: 10}},
		})
		s.remembers(t, units[0])
		revoke := map[string]func() error{
			units[3]: func() error {
				_, _, err := other.mint.RevokeUnit(t.Context(), s.p, unitID(p, units[3]), "lost")
				return err
			},
			units[25]: func() error {
				u, err := other.mint.Unit(t.Context(), s.p, unitID(p, units[25]))
				if err == nil {
					_, err = other.mint.RecallLot(t.Context(), s.p, u.BatchID, "B", "brittle")
				}
				return err
			},
		}
		for target, do := range revoke {
			s.get(t, target).is(t, "before", http.StatusTemporaryRedirect)
			if err := do(); err != nil {
				t.Fatal(err)
			}
			committed := time.Now()
			for {
				began := time.Now()
				status := s.get(t, target).StatusCode
				if status == http.StatusGone {
					break
				}
				if since := began.Sub(committed); since >= time.Second {
					t.Fatalf("%v after it was revoked, a unit is answered with %d", since, status)
				}
			}
		}
		for _, target := range []string{units[2], units[4], units[19]} {
			s.get(t, target).is(t, "a neighbour", http.StatusTemporaryRedirect)
		}
	})
}

// remembers scans a unit until the resolver reads nothing more for it.
func (s *site) remembers(t *testing.T, target string) {
	t.Helper()
	for range 3 {
		s.get(t, target).is(t, target, http.StatusTemporaryRedirect)
	}
}

// While polls fail, nothing remembered is believed: what was revoked is revoked at
// once. When they work again, so does the memory.
func TestStaleMemory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		f := &faulty{Store: db}
		plane := s.beside(t, f)
		p := s.product(t)
		units := s.minted(t, p, &mintage.MintRequest{
			ProductID: p.ID, RequestedQuantity: 3, IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.ActiveAtMint,
		})
		reads := f.reads.Load
		asks := func() bool {
			before := reads()
			plane.get(t, units[2]).is(t, "a scan", http.StatusTemporaryRedirect)
			return reads() != before
		}
		storetest.Eventually(t, "the unit is known", func() bool { return !asks() })
		f.noHorizon.Store(true)
		storetest.Eventually(t, "the memory is not believed", asks)
		for _, target := range units[:2] {
			if _, _, err := s.mint.RevokeUnit(t.Context(), s.p, unitID(p, target), "lost"); err != nil {
				t.Fatal(err)
			}
			plane.get(t, target).is(t, "a revoked unit", http.StatusGone)
		}
		name := "Renamed"
		if _, err := s.catalogue.UpdateProduct(t.Context(), s.p, p.ID, catalogue.ProductPatch{Name: &name}); err != nil {
			t.Fatal(err)
		}
		if a := plane.get(t, "/01/"+p.GTIN, "Accept", "application/json"); !strings.Contains(a.body, name) {
			t.Errorf("the product is %s", a.body)
		}
		f.noHorizon.Store(false)
		storetest.Eventually(t, "the memory is believed again", func() bool { return !asks() })
		plane.get(t, units[0]).is(t, "a revoked unit", http.StatusGone)
		if a := plane.get(t, "/01/"+p.GTIN, "Accept", "application/json"); !strings.Contains(a.body, name) {
			t.Errorf("the product is %s", a.body)
		}

		f.noReads.Store(true)
		storetest.Eventually(t, "nothing can be told", func() bool {
			return plane.get(t, units[2]).StatusCode == http.StatusServiceUnavailable
		})
	})
}

// A scan right after another process has committed the unit finds it, also of a batch
// and product that the resolver knows well.
func TestScanRightAfterCommit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		there := s.db.Reopen(t)
		p := s.product(t)
		s.units(t, p, 1, "L1")
		const quantity, cycle = 400, 10
		submitted := s.submit(t, firstScan(p, quantity, mintage.LotRequest{LotCode: "L1", Quantity: quantity}))
		targets := s.targets(t, p, "L1", quantity+1)
		s.get(t, targets[0]).is(t, "the first", http.StatusTemporaryRedirect)
		s.get(t, targets[1]).is(t, "one that is not minted yet", http.StatusNotFound)

		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.engine(there, cycle).RunOnce(t.Context(), 0); err != nil {
				t.Error(err)
			}
		})
		for minted := int64(0); minted < quantity; {
			err := s.db.For(s.p.BrandNumber).Read(t.Context(), func(r store.Reader) error {
				w, err := r.WorkByJobID(t.Context(), s.p.BrandNumber, submitted.JobID)
				if err == nil {
					minted = w.Batch.MintedQuantity
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			s.get(t, targets[minted]).is(t, "the last that was committed", http.StatusTemporaryRedirect)
		}
		wg.Wait()
		// The same for jobs, products and brands that are as new as the unit.
		for range 10 {
			q := s.product(t)
			s.get(t, "/01/"+q.GTIN+"/21/0123456789AB").is(t, "before", http.StatusNotFound)
			job := s.submit(t, firstScan(q, 1))
			s.get(t, s.targets(t, q, "", 1)[0]).is(t, "before it is minted", http.StatusNotFound)
			if err := s.engine(there, 0).RunOnce(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			s.get(t, s.targets(t, q, "", 1)[0]).is(t, "job "+job.JobID, http.StatusTemporaryRedirect)
		}
	})
}

// A GTIN that several products have is the one's that was minted with it, from that
// moment on; and stays so when it is corrected.
func TestGTINOfSeveralProducts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		gtin := s.gtin(t, 14)
		older := s.productWith(t, gtin)
		newer, err := s.catalogue.CreateProduct(t.Context(), s.p, catalogue.ProductInput{SKU: "newer", Name: "Newer", GTIN: gtin})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.get(t, "/01/"+gtin).leads(t, "before any was minted", siteBase+"/p/"+older.Code)
			s.get(t, "/01/"+gtin+"/21/0123456789AB").is(t, "an invented serial", http.StatusNotFound)
		}
		unit := s.units(t, newer, 1, "")[0]
		page := siteBase + "/p/" + newer.Code
		s.get(t, unit).leads(t, "the unit", page+"/"+codeIn(unit))
		s.get(t, "/01/"+gtin).leads(t, "the product", page)

		corrected := s.gtin(t, 14)
		if _, err := s.catalogue.UpdateProduct(t.Context(), s.p, newer.ID, catalogue.ProductPatch{GTIN: &corrected}); err != nil {
			t.Fatal(err)
		}
		s.await(t, "/01/"+corrected, http.StatusTemporaryRedirect)
		s.get(t, "/01/"+gtin).leads(t, "the old GTIN", page)
		s.get(t, unit).leads(t, "the unit", page+"/"+codeIn(unit))
		second := s.units(t, newer, 1, "")[0]
		s.get(t, second).leads(t, "a unit with the new GTIN", page+"/"+codeIn(second))
		s.get(t, "/01/"+corrected+"/21/"+codeIn(unit)).leads(t, "an old unit under the new GTIN", page+"/"+codeIn(unit))
	})
}

// Products, links and brands that change are shown as they are within a second.
func TestChangesElsewhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		other := elsewhere(t, s)
		p := s.product(t)
		unit := s.units(t, p, 1, "")[0]
		s.remembers(t, unit)
		s.get(t, "/p/"+p.Code).is(t, "the page", http.StatusOK)

		to := "https://acme.example/" + codeIn(unit)
		if _, err := other.mint.PutLinks(t.Context(), s.p, p.ID, []mintage.Link{{Type: "gs1:pip", Href: "https://acme.example/{serial}", Title: "Elsewhere", Default: true}}); err != nil {
			t.Fatal(err)
		}
		storetest.Eventually(t, "the link is used", func() bool { return s.get(t, unit).Header.Get("Location") == to })
		name, brand := "Winter jacket", "Acme & Co"
		if _, err := other.catalogue.UpdateProduct(t.Context(), s.p, p.ID, catalogue.ProductPatch{Name: &name}); err != nil {
			t.Fatal(err)
		}
		if _, err := other.mint.UpdateBrand(t.Context(), s.p, mint.SettingsPatch{Name: &brand}); err != nil {
			t.Fatal(err)
		}
		storetest.Eventually(t, "the page shows both", func() bool {
			body := s.get(t, "/p/"+p.Code).body
			return strings.Contains(body, name) && strings.Contains(body, "Acme &amp; Co")
		})
	})
}

// Hosts and path prefixes choose the brand, and nothing of another brand resolves
// there.
func TestHosts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		p := s.product(t)
		unit := s.units(t, p, 1, "")[0]
		brand := &mintage.Brand{Name: "Bolt", ResolverBase: "https://id.bolt.example/eu/west"}
		if err := s.mint.CreateBrand(t.Context(), brand, "test"); err != nil {
			t.Fatal(err)
		}
		bolt := *s
		bolt.p.BrandNumber = brand.Number
		q := bolt.productWith(t, s.gtin(t, 14))
		prefix := "/eu/west"
		host := []string{"Host", "id.bolt.example"}
		s.get(t, prefix+"/01/"+q.GTIN, host...).leads(t, "its product", "https://id.bolt.example"+prefix+"/p/"+q.Code)
		for target, header := range map[string][]string{
			"/01/" + q.GTIN: host, "/eu/01/" + q.GTIN: host, "/eu/west/x/01/" + q.GTIN: host, // another prefix
			prefix + "/01/" + p.GTIN: host, prefix + unit: host, prefix + "/u/" + p.Code: host, prefix + "/p/" + p.Code: host,
			prefix + "/p/" + p.Code + "/" + codeIn(unit): host, // another brand's
			"/01/" + q.GTIN + "?":                        nil, "/u/" + q.Code: nil, "/p/" + q.Code: nil,
		} {
			s.get(t, target, header...).is(t, target, http.StatusNotFound)
		}
		for _, name := range []string{"id.bolt.example:443", "id.bolt.example:80", "id.bolt.example.", "ID.bolt.example.:443"} {
			s.get(t, prefix+"/01/"+q.GTIN, "Host", name).is(t, name, http.StatusTemporaryRedirect)
		}
		for _, name := range []string{"id.bolt.example:8443", "bolt.example", "x.id.bolt.example", "[::1]:443", "id.bolt.example.example"} {
			s.get(t, prefix+"/01/"+q.GTIN, "Host", name).is(t, name, http.StatusNotFound)
		}
		s.get(t, prefix+"/.well-known/gs1resolver", host...).is(t, "the description", http.StatusOK)
		s.get(t, "/.well-known/gs1resolver", host...).is(t, "the description at the root", http.StatusOK)
		s.get(t, prefix+"/p/"+q.Code, host...).is(t, "the page", http.StatusOK)

		// A base that takes another one's place, and both go on.
		base := "https://go.bolt.example"
		if _, err := s.mint.OperateBrand(t.Context(), bolt.p, mint.SettingsPatch{ResolverBase: &base}); err != nil {
			t.Fatal(err)
		}
		s.get(t, "/01/"+q.GTIN, "Host", "go.bolt.example").is(t, "the new base", http.StatusTemporaryRedirect)
		s.get(t, prefix+"/01/"+q.GTIN, host...).is(t, "the old base", http.StatusTemporaryRedirect)
	})
}

// A draft is not for the public before it was minted.
func TestDraft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		p, err := s.catalogue.CreateProduct(t.Context(), s.p, catalogue.ProductInput{SKU: "draft", Name: "Secret", GTIN: s.gtin(t, 14), Status: mintage.ProductDraft})
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range []string{"/01/" + p.GTIN, "/01/" + p.GTIN + "/10/L1", "/01/" + p.GTIN + "?linkType=linkset", "/u/" + p.Code, "/p/" + p.Code} {
			if a := s.get(t, target).is(t, target, http.StatusNotFound); strings.Contains(a.body, "Secret") {
				t.Errorf("%s shows it", target)
			}
		}
	})
}

// Who asks for many codes that there are not is held up; who scans what there is, is not.
func TestMissesAreLimited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		plane := s.beside(t, db, func(o *resolver.Options) { o.Misses = 0.001 }) // one, and the next in a quarter of an hour
		p := s.product(t)
		unit := s.units(t, p, 300, "")
		invented := "/01/" + s.gtin(t, 14)
		plane.get(t, unit[0]).is(t, "a unit", http.StatusTemporaryRedirect)
		plane.get(t, invented).is(t, "the first", http.StatusNotFound)
		a := plane.get(t, invented).is(t, "the second", http.StatusTooManyRequests)
		if a.Header.Get("Retry-After") == "" {
			t.Error("the answer does not say when to try again")
		}
		for _, target := range unit {
			plane.get(t, target).is(t, "a unit", http.StatusTemporaryRedirect)
		}
		// What deciphers to nothing is not issued, without asking.
		for range 50 {
			plane.get(t, "/01/"+p.GTIN+"/21/0123456789AB").is(t, "an invented serial", http.StatusNotFound)
		}
	})
}

// Activations and scans that were handed over are completed when the resolver stops.
func TestStop(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		p := s.product(t)
		units := s.units(t, p, 2, "")
		r := resolver.New(resolver.Options{Store: db, Keys: s.keys})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.Run(ctx)
		}()
		plane := s.serving(t, r)
		plane.get(t, units[0]).is(t, "a scan", http.StatusTemporaryRedirect)
		cancel()
		<-ended
		plane.get(t, units[1]).is(t, "a scan after the end", http.StatusServiceUnavailable)
		if states, events := s.activations(t, p); states != 1 || events != 1 {
			t.Errorf("%d states, %d events", states, events)
		}
		if n := s.rows(t, `SELECT count(*) FROM scans WHERE product_number = $1 AND outcome = 'activated'`, p.Number); n != 1 {
			t.Errorf("%d scans were noted", n)
		}
	})
}

// The resolver's own role in the database has all the rights that it needs.
func TestUnderItsOwnRole(t *testing.T) {
	db := storetest.Open(t, "postgres")
	s := newSite(t, db)
	plane := s.beside(t, db.As(t, "mintage_resolver"))
	p := s.product(t, mintage.Link{Type: "gs1:pip", Href: "https://acme.example/{gtin}", Title: "Elsewhere", Default: true})
	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	if err := s.mint.PutLogo(t.Context(), s.p, logo.Bytes()); err != nil {
		t.Fatal(err)
	}
	units := s.units(t, p, 3, "L1")
	page := "/p/" + p.Code + "/" + codeIn(units[0])
	for range 3 {
		plane.get(t, units[0]).leads(t, "a scan", "https://acme.example/"+p.GTIN)
	}
	a := plane.get(t, page).is(t, "the page", 200)
	for _, file := range regexp.MustCompile(`/p/_/[A-Za-z0-9_.-]+`).FindAllString(a.body, -1) {
		f := plane.get(t, file).is(t, file, 200)
		if got := f.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %s", file, got)
		}
		if strings.HasSuffix(file, ".png") && f.body != logo.String() {
			t.Errorf("%s is another picture", file)
		}
	}
	if n := len(regexp.MustCompile(`/p/_/[^"]+\.(png|css)`).FindAllString(a.body, -1)); n < 2 {
		t.Errorf("the page has %d files:\n%s", n, a.body)
	}
	for target, status := range map[string]int{
		page: 200, page + "?format=json": 200, "/p/" + p.Code: 200, "/p/" + p.Code + "/lot/L1": 200, lotOf(units[0]): 307, "/01/" + p.GTIN: 307,
		units[1] + "?linkType=linkset": 200, "/.well-known/gs1resolver": 200, "/01/" + p.GTIN + "/21/0123456789AB": 404, "/01/" + s.gtin(t, 14): 404,
	} {
		plane.get(t, target).is(t, target, status)
	}
	if _, _, err := s.mint.RevokeUnit(t.Context(), s.p, unitID(p, units[0]), "lost"); err != nil {
		t.Fatal(err)
	}
	plane.await(t, units[0], http.StatusGone)
	plane.await(t, page, http.StatusGone)
	if states, events := s.activations(t, p); states != 1 || events != 1 {
		t.Errorf("%d states, %d events", states, events)
	}
}

package resolver_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/store/storetest"
)

// requirement is one sentence that a resolver has to keep.
type requirement struct {
	name  string
	check func(t *testing.T, s *site)
}

// TestConformance asserts, one subtest each, what GS1's Conformant Resolver standard
// 1.2.0 demands in its statements on conformance (those that GS1's own test suite
// quotes and tries are in the words used there), and what GS1 Digital Link: URI
// Syntax, RFC 9264 (linksets) and RFC 9110 (HTTP) say of the same. Over HTTP, on both
// databases.
func TestConformance(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		for _, r := range slices.Concat(identifiers, linkChoice, linksets, overHTTP) {
			t.Run(r.name, func(t *testing.T) { r.check(t, s) })
		}
	})
}

// identifiers: the resolver SHALL extract and syntactically validate the URI.
var identifiers = []requirement{
	{"a GTIN of 8, 12, 13 or 14 digits is the same product with its zeros and without", func(t *testing.T, s *site) {
		for _, digits := range []int{8, 12, 13, 14} {
			gtin := s.gtin(t, digits)
			p := s.productWith(t, gtin)
			want := siteBase + "/p/" + p.Code
			for _, n := range []int{8, 12, 13, 14} {
				if n >= digits {
					s.get(t, "/01/"+strings.Repeat("0", n-digits)+gtin).leads(t, gtin, want)
				}
			}
		}
	}},
	{"scheme and host may be in upper case", func(t *testing.T, s *site) {
		p := s.product(t)
		want := siteBase + "/p/" + p.Code
		s.get(t, "/01/"+p.GTIN, "Host", "ID.Acme.EXAMPLE").leads(t, "the host", want)
		s.raw(t, "other.example", "HTTPS://ID.ACME.EXAMPLE/01/"+p.GTIN).leads(t, "a whole URI, as to a proxy", want)
	}},
	{"percent-encoding is decoded once", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "A/B%-1")[0]
		if !strings.Contains(unit, "/10/A%2FB%25-1/21/") {
			t.Fatalf("the unit is %s", unit)
		}
		page := s.get(t, unit).is(t, "as printed", 307).location(t)
		s.get(t, strings.Replace(unit, "A%2FB%25-1", "%41%2fB%25%2D1", 1)).leads(t, "encoded otherwise", page)
		// Decoded twice it would be the lot A/B%-1 again: of this lot is no unit.
		s.get(t, strings.Replace(unit, "A%2FB%25-1", "A%252FB%2525-1", 1)).is(t, "encoded twice", 404)
		lot, _, _ := strings.Cut(unit, "/21/")
		s.get(t, lot).leads(t, "the lot", siteBase+"/p/"+p.Code+"/lot/A%2FB%25-1")
	}},
	{"the path before the key chooses the base", func(t *testing.T, s *site) {
		p := s.product(t)
		other := &mintage.Brand{Name: "Acme Kids", ResolverBase: siteBase + "/kids"}
		if err := s.mint.CreateBrand(t.Context(), other, "test"); err != nil {
			t.Fatal(err)
		}
		adults := *s
		kids := adults
		kids.brand, kids.p.BrandNumber = other, other.Number
		q := kids.productWith(t, p.GTIN)
		s.get(t, "/01/"+p.GTIN).leads(t, "without prefix", siteBase+"/p/"+p.Code)
		s.get(t, "/kids/01/"+p.GTIN).leads(t, "with prefix", siteBase+"/kids/p/"+q.Code)
		s.get(t, "/teens/01/"+p.GTIN).is(t, "a prefix of nobody's", 404)
		s.get(t, "/01/"+p.GTIN, "Host", "id.nobody.example").is(t, "a host of nobody's", 404)
	}},
	{"for each supported primary key all its key qualifiers are supported", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		code := unit[strings.LastIndex(unit, "/")+1:]
		gtin := "/01/" + p.GTIN
		page := s.get(t, unit).is(t, "the unit", 307).location(t)
		s.get(t, gtin+"/22/2A"+strings.TrimPrefix(unit, gtin)).leads(t, "with a consumer product variant", page)
		s.get(t, gtin+"/21/"+code).leads(t, "without its lot", page)
		product := siteBase + "/p/" + p.Code
		s.get(t, gtin+"/22/2A").leads(t, "22", product)
		s.get(t, gtin+"/10/L1").leads(t, "10", product+"/lot/L1")
		s.get(t, gtin+"/235/third-party").leads(t, "235, of which mintage knows none", product)
	}},
	{"qualifiers stand in their order only", func(t *testing.T, s *site) {
		p := s.product(t)
		for _, path := range []string{"/21/S1/10/L1", "/10/L1/22/2A", "/21/S1/22/2A", "/10/L1/10/L1", "/235/T/21/S1"} {
			s.get(t, "/01/"+p.GTIN+path).is(t, path, 400)
		}
	}},
	{"data attributes are checked", func(t *testing.T, s *site) {
		p := s.product(t)
		page := siteBase + "/p/" + p.Code
		for query, status := range map[string]int{
			"11=270301": 307, "17=281200&3103=000195": 307, "99=a%2Fb%2Bc": 307,
			"17=271301": 400, "3103=19": 400, "17=281231&17=281231": 400, "9999=1": 400, "10=L1": 400, "01=" + p.GTIN: 400, "99=a+b": 400, // a space, which no AI has
		} {
			a := s.get(t, "/01/"+p.GTIN+"?"+query).is(t, query, status)
			if status == 307 && a.location(t) != page+"?"+query {
				t.Errorf("%s leads to %s", query, a.location(t))
			}
		}
	}},
	{"parameters whose names are no numbers are ignored", func(t *testing.T, s *site) {
		p := s.product(t)
		for _, query := range []string{"utm_source=pack", "a=1&a=2&b", "x=%FF", "u", "u="} {
			s.get(t, "/01/"+p.GTIN+"?"+query).leads(t, query, siteBase+"/p/"+p.Code+"?"+query)
		}
	}},
	{"a trailing slash changes nothing", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		for _, target := range []string{unit, strings.Split(unit, "/21/")[0], "/01/" + p.GTIN, "/u/" + p.Code} {
			with, without := s.get(t, target+"/"), s.get(t, target)
			if with.StatusCode != without.StatusCode || with.Header.Get("Location") != without.Header.Get("Location") || with.StatusCode != http.StatusTemporaryRedirect {
				t.Errorf("%s: %s to %s with and %s to %s without a slash", target, with.Status, with.Header.Get("Location"), without.Status, without.Header.Get("Location"))
			}
		}
	}},
	{"errors in the URI are reported with 400", func(t *testing.T, s *site) {
		p := s.product(t)
		gtin := "/01/" + p.GTIN
		wrongDigit := gtin[:len(gtin)-1] + string('0'+(gtin[len(gtin)-1]-'0'+1)%10)
		for _, target := range []string{
			gtin + "/foo", gtin + "/foo/bar", gtin + "/10/L1/foo", gtin + "/10/L1/21/S1/foo", gtin + "/17/281231", // a foreign path
			wrongDigit, "/01/123", "/01/1952012345000A", gtin + "/10/" + strings.Repeat("L", 21), gtin + "/21/%C3%A4",
			gtin + "/21/%00", gtin + "/10/%", gtin + "//21/S1",
		} {
			s.raw(t, siteHost, target).is(t, target, 400)
		}
	}},
	{"what is no Digital Link, or of a key that is not resolved here, is 404", func(t *testing.T, s *site) {
		for _, target := range []string{"/", "/index.html", "/wp-login.php", "/01", "/414/9520123456788", "/00/006141411234567890", "/.well-known/security.txt"} {
			s.get(t, target).is(t, target, 404)
		}
	}},
	{"an unknown GTIN is 404", func(t *testing.T, s *site) {
		s.get(t, "/01/"+s.gtin(t, 14)).is(t, "the GTIN", 404)
		s.get(t, "/01/"+s.gtin(t, 14)+"/10/L1/21/S1").is(t, "a unit of it", 404)
		s.get(t, "/u/00000000").is(t, "a product code", 404)
	}},
	{"an unknown lot is answered one level up, an invented serial is not issued", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		s.get(t, "/01/"+p.GTIN+"/10/unknown").leads(t, "a lot", siteBase+"/p/"+p.Code)
		for _, serial := range []string{"0123456789AB", "7KQ2MXV0PT4C", "1", "customer-brought"} {
			s.get(t, "/01/"+p.GTIN+"/21/"+serial).is(t, serial, 404)
		}
		s.get(t, strings.ToLower(unit)).is(t, "a code in lower case", 404)
		s.get(t, strings.Replace(unit, "/10/L1/", "/10/L2/", 1)).is(t, "a unit with another lot", 404)
	}},
	{"URLs without GTIN and those of batch mode", func(t *testing.T, s *site) {
		p := s.product(t)
		req := &mintage.MintRequest{
			ProductID: p.ID, RequestedQuantity: 1, IdentityMode: mintage.IdentityBatch, ActivationMode: mintage.ActiveAtMint,
			Lots: []mintage.LotRequest{{LotCode: "B1", Quantity: 1}},
		}
		unit := s.minted(t, p, req)[0]
		path, query, _ := strings.Cut(unit, "?")
		page := siteBase + "/p/" + p.Code + "/" + strings.TrimPrefix(query, "u=")
		if got := s.get(t, unit).is(t, "batch mode", 307).location(t); strings.Split(got, "?")[0] != page {
			t.Errorf("batch mode leads to %s, want %s", got, page)
		}
		s.get(t, path).leads(t, "the lot itself", siteBase+"/p/"+p.Code+"/lot/B1")
		s.get(t, path+"?u=0123456789AB").is(t, "an invented code", 404)

		q, err := s.catalogue.CreateProduct(t.Context(), s.p, catalogueInput("no-gtin"))
		if err != nil {
			t.Fatal(err)
		}
		s.get(t, "/u/"+q.Code).leads(t, "a product without GTIN", siteBase+"/p/"+q.Code)
		own := s.units(t, q, 1, "")[0]
		s.get(t, own).leads(t, "its unit", siteBase+strings.Replace(own, "/u/", "/p/", 1))
	}},
	{"an old GTIN keeps resolving after the product was corrected", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "")[0]
		page := s.get(t, unit).is(t, "before", 307).location(t)
		gtin := s.gtin(t, 14)
		if _, err := s.catalogue.UpdateProduct(t.Context(), s.p, p.ID, productChange(gtin)); err != nil {
			t.Fatal(err)
		}
		storetest.Eventually(t, "the new GTIN resolves", func() bool { return s.get(t, "/01/"+gtin).StatusCode == http.StatusTemporaryRedirect })
		s.get(t, unit).leads(t, "the unit", page)
		s.get(t, "/01/"+p.GTIN).leads(t, "the product by its old GTIN", siteBase+"/p/"+p.Code)
	}},
	{"a compressed link is answered like the uncompressed one", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		for _, target := range []string{unit, "/01/" + p.GTIN, strings.Split(unit, "/21/")[0]} {
			link, err := gs1.ParseTarget(target, "")
			if err != nil {
				t.Fatal(err)
			}
			a := s.get(t, link.CompressedPath())
			a.leads(t, link.CompressedPath(), s.get(t, target).location(t))
			// SHOULD NOT redirect to the equivalent uncompressed URI; SHALL expose it.
			if to, _ := a.link("owl:sameAs"); to != siteBase+target {
				t.Errorf("%s: owl:sameAs is %q, want %s", link.CompressedPath(), to, siteBase+target)
			}
		}
	}},
	{"a resource that indicates an error is never a 200", func(t *testing.T, s *site) {
		p := s.product(t)
		gtin := "/01/" + p.GTIN
		for _, target := range []string{gtin + "/foo", gtin + "/21/0123456789AB", "/nothing", "/01/" + s.gtin(t, 14), gtin + "?linkType=gs1:nosuchlt", "/p/" + p.Code + "/0123456789AB", "/p/00000000"} {
			for _, accept := range []string{phoneAccept, "", "application/json", "application/ld+json", "application/linkset+json", "image/png"} {
				a := s.get(t, target, "Accept", accept)
				if a.StatusCode < 400 || a.StatusCode > 499 {
					t.Errorf("%s for %q is %s", target, accept, a.Status)
				}
				want := "application/problem+json"
				if accept == phoneAccept {
					want = "text/html"
				}
				if got := a.Header.Get("Content-Type"); (accept == phoneAccept || strings.HasPrefix(accept, "application/")) && !strings.HasPrefix(got, want) {
					t.Errorf("%s for %q is %s", target, accept, got)
				}
				if strings.Contains(a.body, "0123456789AB") || strings.Contains(a.body, "nosuchlt") {
					t.Errorf("%s for %q echoes what was asked for:\n%s", target, accept, a.body)
				}
			}
		}
	}},
}

// vectors is GS1's own engine's judgement of Digital Link URIs.
type vectors struct {
	Cases []struct{ URI, Strict, Tolerant string }
}

// The whole table goes through the resolver: what the engine takes leads to the
// product, or is a serial that was not issued or a key of another kind; what it
// refuses is an error, and 400 wherever the path has a key of the kind resolved here.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../../../shared/data/digital-link-vectors.json")
	if errors.Is(err, fs.ErrNotExist) {
		return // third parties' data, not part of the project
	}
	if err != nil {
		t.Fatal(err)
	}
	var table vectors
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		s := newSite(t, db)
		products := make(map[gs1.GTIN]*mintage.Product)
		counts := make(map[int]int)
		for _, v := range table.Cases {
			host, target := siteHost, "/"
			_, rest, _ := strings.Cut(v.URI, "://")
			if slash := strings.IndexByte(rest, '/'); slash >= 0 {
				target, _, _ = strings.Cut(rest[slash:], "#") // no client sends it
				if strings.Trim(strings.ToLower(rest[:slash]), "abcdefghijklmnopqrstuvwxyz0123456789.-:") != "" {
					host = rest[:slash] // refused for its sake
				}
			}
			accepted := v.Strict != "reject" || v.Tolerant != ""
			if !accepted {
				a := s.raw(t, host, target)
				counts[a.StatusCode]++
				if a.StatusCode != http.StatusBadRequest && a.StatusCode != http.StatusNotFound {
					t.Errorf("%s: %s", v.URI, a.Status)
				}
				continue
			}
			link, err := gs1.ParseLink(v.URI)
			if err != nil {
				t.Errorf("%s: %v", v.URI, err)
				continue
			}
			if link.GTIN != "" && products[link.GTIN] == nil {
				products[link.GTIN] = s.productWith(t, string(link.GTIN))
			}
			want := 307
			if link.GTIN == "" || link.Prefix != "" || link.Serial != "" {
				want = 404
			}
			a := s.raw(t, host, target).is(t, v.URI, want)
			counts[a.StatusCode]++
			if want == 307 {
				if to := a.location(t); !strings.HasPrefix(to, siteBase+"/p/"+products[link.GTIN].Code) {
					t.Errorf("%s leads to %s", v.URI, to)
				}
			}
		}
		t.Logf("%d cases: %v", len(table.Cases), counts)
		if len(table.Cases) < 30 || counts[307] == 0 || counts[400] == 0 {
			t.Errorf("%d cases, answered with %v", len(table.Cases), slices.Sorted(maps.Keys(counts)))
		}
		if n := len(products); n == 0 {
			t.Error("no product was met")
		}
	})
}

// overHTTP: what holds for every answer.
var overHTTP = []requirement{
	{"HTTP/1.1 GET, HEAD and OPTIONS are supported", func(t *testing.T, s *site) {
		p := s.product(t)
		for _, target := range []string{"/01/" + p.GTIN, "/01/" + p.GTIN + "?linkType=linkset", "/p/" + p.Code, "/.well-known/gs1resolver", "/nothing"} {
			get, head := s.get(t, target), s.do(t, http.MethodHead, target)
			if !get.ProtoAtLeast(1, 1) {
				t.Errorf("%s: %s", target, get.Proto)
			}
			if head.StatusCode != get.StatusCode || head.body != "" {
				t.Errorf("HEAD %s: %s with %d bytes, GET %s", target, head.Status, len(head.body), get.Status)
			}
			for _, name := range []string{"Location", "Content-Type", "Link", "Vary", "Cache-Control", "Etag", "Access-Control-Allow-Origin"} {
				if !slices.Equal(head.Header.Values(name), get.Header.Values(name)) {
					t.Errorf("HEAD %s: %s is %q, with GET %q", target, name, head.Header.Values(name), get.Header.Values(name))
				}
			}
			options := s.do(t, http.MethodOptions, target, "Origin", "https://shop.example", "Access-Control-Request-Method", "GET")
			if options.StatusCode/100 != 2 || options.body != "" {
				t.Errorf("OPTIONS %s: %s", target, options.Status)
			}
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				options.has(t, "Access-Control-Allow-Methods", method)
				options.has(t, "Allow", method)
			}
		}
	}},
	{"other methods are refused with 405", func(t *testing.T, s *site) {
		p := s.product(t)
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPost, http.MethodPatch} {
			s.do(t, method, "/01/"+p.GTIN).is(t, method, 405).has(t, "Allow", "GET")
		}
	}},
	{"CORS is supported", func(t *testing.T, s *site) {
		p := s.product(t)
		for _, target := range []string{"/01/" + p.GTIN, "/01/" + p.GTIN + "?linkType=linkset", "/p/" + p.Code, "/.well-known/gs1resolver", "/nothing", "/01/1"} {
			a := s.get(t, target, "Origin", "https://shop.example")
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != "*" {
				t.Errorf("%s allows %q", target, got)
			}
			if a.Header.Get("Access-Control-Allow-Credentials") != "" || a.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s has to do with cookies", target)
			}
			if got := a.Header.Get("Cross-Origin-Resource-Policy"); got == "same-origin" || got == "same-site" {
				t.Errorf("%s is for %s", target, got)
			}
			a.has(t, "Access-Control-Expose-Headers", "Link")
		}
	}},
	{"an answer says by Vary what chose it", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "")[0]
		for _, target := range []string{"/01/" + p.GTIN, unit, "/p/" + p.Code, "/01/" + p.GTIN + "?linkType=gs1:pip", "/01/" + p.GTIN + "/foo"} {
			a := s.get(t, target)
			a.has(t, "Vary", "Accept")
			a.has(t, "Vary", "Accept-Language")
		}
	}},
	{"what a scan may change is not cached, the rest for a minute", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		page := strings.TrimPrefix(s.get(t, unit).location(t), siteBase)
		for _, target := range []string{unit, page, strings.Replace(unit, "/21/", "/21/0", 1)[:len(unit)]} {
			if got := s.get(t, target).Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: Cache-Control is %q", target, got)
			}
		}
		for _, target := range []string{"/01/" + p.GTIN + "?linkType=linkset", "/p/" + p.Code, "/.well-known/gs1resolver"} {
			a := s.get(t, target)
			etag := a.Header.Get("Etag")
			if got := a.Header.Get("Cache-Control"); got != "public, max-age=60" || etag == "" {
				t.Errorf("%s: Cache-Control is %q, the entity tag %q", target, got, etag)
			}
			s.get(t, target, "If-None-Match", etag).is(t, "with its entity tag", 304)
		}
	}},
	{"GET of a page, HEAD, prefetches and robots activate nothing", func(t *testing.T, s *site) {
		p := s.product(t)
		unit := s.units(t, p, 1, "L1")[0]
		page := siteBase + "/p/" + p.Code + unit[strings.LastIndex(unit, "/"):]
		s.do(t, http.MethodHead, unit).leads(t, "HEAD", page)
		s.do(t, http.MethodOptions, unit)
		for name, value := range map[string]string{"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "User-Agent": "WhatsApp/2.23.20.0"} {
			s.get(t, unit, name, value).leads(t, name, page)
		}
		s.get(t, unit, "User-Agent", "").leads(t, "without User-Agent", page)
		s.get(t, unit+"?linkType=linkset").is(t, "the linkset", 200)
		s.get(t, strings.TrimPrefix(page, siteBase)).is(t, "the page", 200)
		if n := s.number(t, `SELECT count(*) FROM unit_states`, p); n != 0 {
			t.Fatalf("%d units are active", n)
		}
		s.get(t, unit).leads(t, "a scan", page)
		if n := s.number(t, `SELECT count(*) FROM unit_states`, p); n != 1 {
			t.Errorf("%d units are active after a scan", n)
		}
	}},
}

// number counts rows of a product, past the store.
func (s *site) number(t *testing.T, query string, p *mintage.Product) (n int64) {
	t.Helper()
	raw := s.db.Raw(t)
	defer raw.Close()
	if err := raw.QueryRowContext(t.Context(), query+` WHERE product_number = $1`, p.Number).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

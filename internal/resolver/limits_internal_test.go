package resolver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/bucket"
	"mintage/internal/dpp"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// However long headers are, little of them is read, once, and no half element.
func TestHeadersAreCut(t *testing.T) {
	long := strings.Repeat("de-CH;q=0.5,", 1300)
	for _, values := range [][]string{{long}, strings.Split(long, ",")} {
		got := header(http.Header{"Accept": values}, "Accept", maxAccept)
		if len(got) > maxAccept || len(got) < maxAccept-20 || !strings.HasSuffix(got, "de-CH;q=0.5") {
			t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-20):])
		}
	}
	for _, tc := range []struct {
		values []string
		want   string
	}{
		{nil, ""}, {[]string{"a"}, "a"}, {[]string{"a", "b;q=0"}, "a,b;q=0"}, {[]string{strings.Repeat("a", 15<<10)}, ""},
		{[]string{strings.Repeat("a", maxAccept)}, strings.Repeat("a", maxAccept)},
	} {
		if got := header(http.Header{"Accept": tc.values}, "Accept", maxAccept); got != tc.want {
			t.Errorf("%d values are %q", len(tc.values), got)
		}
	}
}

// One request with the longest headers and the most links is no work worth mention.
func BenchmarkLongHeaders(b *testing.B) {
	var c card
	var links []mintage.Link
	for n := range mintage.MaxLinks {
		links = append(links, mintage.Link{Type: "gs1:pip", Href: fmt.Sprint("https://a.example/", n), Language: "fr", MediaType: "text/html", Default: n == 0})
	}
	c.setLinks(links)
	h := http.Header{"Accept": {strings.Repeat("a/b,", 3800)}, "Accept-Language": {strings.Repeat("de,", 5000)}}
	for b.Loop() {
		accept := headerList{text: header(h, "Accept", maxAccept)}
		speech := headerList{text: header(h, "Accept-Language", maxAcceptLanguage)}
		negotiate(&accept)
		choose(c.targets, preferences{accept: accept.ranges(), language: speech.ranges()})
	}
}

// Neighbours have budgets of their own, and so has each kind of lookup.
func TestMissesOfNeighbours(t *testing.T) {
	m := newMisses(0.001)
	of := func(address string) bucket.ID { return bucket.OfAddress(netip.MustParseAddr(address)) }
	busy := of("203.0.113.7")
	m.products.miss(busy)
	if m.products.check(busy) == nil {
		t.Error("a second miss passes")
	}
	for what, err := range map[string]error{
		"a neighbour":    m.products.check(of("203.0.113.8")),
		"another kind":   m.units.check(busy),
		"the third kind": m.hosts.check(busy),
	} {
		if err != nil {
			t.Errorf("%s is held up: %v", what, err)
		}
	}
	m.units.miss(of("2001:db8::1"))
	if m.units.check(of("2001:db8::2")) == nil || m.units.check(of("2001:db8:0:1::1")) != nil {
		t.Error("of IPv6, one client is a /64")
	}
}

// Requests that would have to wait for the database behind too many others are told
// to come again, and neither they nor those that wait are kept from leaving.
func TestTurns(t *testing.T) {
	turns := &turns{asking: make(chan struct{}, 1), most: 1}
	done, err := turns.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan error)
	go func() {
		_, err := turns.take(ctx)
		waits <- err
	}()
	storetest.Eventually(t, "one waits", func() bool { return turns.waiting.Load() == 1 })
	if _, err := turns.take(t.Context()); mintage.ErrorCode(err) != mintage.CodeUnavailable {
		t.Errorf("a third one gets %v", err)
	}
	cancel()
	if err := <-waits; mintage.ErrorCode(err) != mintage.CodeUnavailable {
		t.Errorf("one that went away gets %v", err)
	}
	done()
	if done, err = turns.take(t.Context()); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	done()
	if n := turns.waiting.Load(); n != 0 {
		t.Errorf("%d wait", n)
	}

	db := storetest.Open(t, "sqlite")
	r := New(Options{Store: db, Keys: mint.NewKeyring(storetest.NewFixture(t, db).MasterKey)})
	r.turns.most = 0
	for range maxAsking {
		if _, err := r.turns.take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://id.acme.example/01/09520123456788", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("a scan gets %d, %v", w.Code, w.Header())
	}
}

// A card that is being read anew is waited for as long as the request goes on.
func TestReadingACardEnds(t *testing.T) {
	db := storetest.Open(t, "sqlite")
	f := storetest.NewFixture(t, db)
	brand := f.NewBrand()
	p := f.NewProduct(brand)
	r := New(Options{Store: db, Keys: mint.NewKeyring(f.MasterKey)})
	r.polled.Store(1 << 40)
	s, err := r.byCode(t.Context(), brand.Number, p.Code, bucket.ID{})
	if err != nil {
		t.Fatal(err)
	}
	s.item.card.Store(nil)
	leave := r.asking.enter(t.Context(), s.item) // somebody else, whose read hangs
	defer leave()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.remembered(ctx, s.item); err == nil {
		t.Error("it was read for nobody")
	}
}

// largeSchema is a DPP schema of about so many bytes.
func largeSchema(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"type":"object","properties":{"a0":{"type":"string"}`)
	for n := 1; b.Len() < size; n++ {
		fmt.Fprintf(&b, `,"a%d":{"type":"string","title":"Attribute %d","maxLength":100}`, n, n)
	}
	b.WriteString(`}}`)
	return []byte(b.String())
}

// All products of a schema share one, which is known again after changes of others; and
// what is charged for schemas and logos is what they take at least.
func TestMemoryOfSchemasAndLogos(t *testing.T) {
	db := storetest.Open(t, "sqlite")
	f := storetest.NewFixture(t, db)
	r := New(Options{Store: db, Keys: mint.NewKeyring(f.MasterKey), Memory: 2 << 20})
	r.polled.Store(1 << 40)
	document := largeSchema(15 << 10)
	newBrand := func() (*mintage.Brand, *mintage.Product) {
		b := f.NewBrand()
		err := db.InTx(t.Context(), func(tx store.Tx) error {
			s := &store.Schema{ID: "shoes", Document: document}
			if err := tx.PutSchema(t.Context(), b.Number, s); err != nil {
				return err
			}
			return tx.PutLogo(t.Context(), b.Number, make([]byte, 256<<10), "image/png")
		})
		if err != nil {
			t.Fatal(err)
		}
		return b, f.NewProduct(b, func(p *mintage.Product) { p.SchemaID = "shoes" })
	}
	b, p := newBrand()
	q := f.NewProduct(b, func(p *mintage.Product) { p.SchemaID = "shoes" })
	schema := func(p *mintage.Product) *dpp.Schema {
		t.Helper()
		s, err := r.schema(t.Context(), p)
		if err != nil || s == nil {
			t.Fatalf("%v, %v", s, err)
		}
		return s
	}
	first := schema(p)
	if schema(q) != first {
		t.Error("two products of a schema have one each")
	}
	r.cache.apply([]store.Change{{Number: 1, BrandNumber: b.Number, Ordinal: -1}})
	if schema(p) != first {
		t.Error("it was parsed anew, and is the same")
	}
	document = largeSchema(14 << 10)
	if err := db.InTx(t.Context(), func(tx store.Tx) error {
		return tx.PutSchema(t.Context(), b.Number, &store.Schema{ID: "shoes", Document: document})
	}); err != nil {
		t.Fatal(err)
	}
	r.cache.apply([]store.Change{{Number: 2, BrandNumber: b.Number, Ordinal: -1}})
	if schema(p) == first {
		t.Error("another document is the same schema")
	}

	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for range 40 {
		b, p := newBrand()
		if _, err := r.brand(t.Context(), b.Number); err != nil {
			t.Fatal(err)
		}
		if _, err := r.byCode(t.Context(), b.Number, p.Code, bucket.ID{}); err != nil {
			t.Fatal(err)
		}
		schema(p)
		if n := size(&r.cache.budget); n > 2<<20 {
			t.Fatalf("%d bytes are remembered", n)
		}
	}
	if grown := heap() - before; grown > 3<<20 { // 17 MB where nothing is forgotten
		t.Errorf("what is remembered takes %d bytes", grown)
	}
	if len(r.cache.brands) == 0 || len(r.cache.brands) > 8 || len(r.cache.schemas) > 10 {
		t.Errorf("%d brands and %d schemas are remembered", len(r.cache.brands), len(r.cache.schemas))
	}
	runtime.KeepAlive(r)
}

// What pages tell is bounded, however many units are looked at.
func TestTellingsAreBounded(t *testing.T) {
	l := newTellings()
	busy := unitKey{1, -1}
	l.keep(busy, told{status: mintage.TokenRevoked})
	for n := range int64(5 * toldKept) {
		l.keep(unitKey{1, n}, told{until: time.Now()})
		if n%(toldKept/2) == 0 {
			if is, ok := l.of(busy); !ok || is.status != mintage.TokenRevoked {
				t.Fatalf("after %d others the busy one is forgotten", n)
			}
		}
		if all := len(l.young) + len(l.old); all > 2*toldKept {
			t.Fatalf("%d are kept", all)
		}
	}
}

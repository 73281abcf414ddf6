package passport_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/dpp"
	"mintage/internal/resolver/passport"
)

var issued = time.Date(2027, 3, 3, 23, 30, 0, 0, time.UTC)

// unitPage is a page of a unit with the attributes of a battery.
func unitPage(t testing.TB, edit ...func(*passport.Page)) *passport.Page {
	t.Helper()
	schema, _ := dpp.BuiltinByID("battery")
	p := &passport.Page{
		Kind: passport.KindUnit,
		Site: passport.Site{Brand: &mintage.Brand{Name: "Acme"}, Prefix: "/eu"},
		Product: &mintage.Product{Code: "K7QM2X9T", Name: "Touring pack", SKU: "SECRET-SKU", Attributes: json.RawMessage(
			`{"manufacturer_name":"Acme AB","weight_kg":3.7,"expected_lifetime_cycles":12500,"detailed_composition":{"cathode":"SECRET"}}`)},
		Schema: schema,
		GTIN:   "09520123456788", Lot: "PB-7731-A", Serial: "K7Q2X9M4ZA31", Code: "K7Q2X9M4ZA31", UnitID: "K7QM2X9T-K7Q2X9M4ZA31",
		URL:     "https://id.acme.example/eu/01/09520123456788/10/PB-7731-A/21/K7Q2X9M4ZA31",
		PageURL: "https://id.acme.example/eu/p/K7QM2X9T/K7Q2X9M4ZA31",
		Token:   &passport.Token{Status: mintage.TokenActive, IssuedAt: issued, ActivatedAt: issued.AddDate(0, 1, 0)},
	}
	for _, e := range edit {
		e(p)
	}
	return p
}

func html(t testing.TB, r *passport.Renderer, p *passport.Page, language string) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.HTML(&b, p, language); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTruth(t *testing.T) {
	r := passport.New()
	token := func(edit func(*passport.Token)) func(*passport.Page) {
		return func(p *passport.Page) { edit(p.Token) }
	}
	for name, test := range map[string]struct {
		edit    func(*passport.Page)
		en, de  string
		without string
	}{
		"activated by this scan": {
			token(func(k *passport.Token) { k.ActivatedNow = true }),
			"Genuine: issued by Acme on 3 March 2027, activated today by this scan.",
			"Echt: ausgegeben von Acme am 3. März 2027, heute durch diesen Scan aktiviert.", "<form",
		},
		"activated a moment ago": {
			token(func(k *passport.Token) { k.ActivatedLately = true }),
			"Genuine: issued by Acme on 3 March 2027, activated a moment ago.",
			"Echt: ausgegeben von Acme am 3. März 2027, gerade eben aktiviert.", "this scan",
		},
		"activated before": {
			token(func(*passport.Token) {}),
			"Genuine: issued by Acme on 3 March 2027, activated on 3 April 2027.",
			"Echt: ausgegeben von Acme am 3. März 2027, aktiviert am 3. April 2027.", "<form",
		},
		"born active": {
			token(func(k *passport.Token) { k.ActivatedAt = k.IssuedAt }),
			"Genuine: issued by Acme on 3 March 2027, active since then.",
			"Echt: ausgegeben von Acme am 3. März 2027, seitdem aktiv.", "<form",
		},
		"minted": {
			token(func(k *passport.Token) { k.Status, k.ActivatedAt = mintage.TokenMinted, time.Time{} }),
			"Genuine: issued by Acme on 3 March 2027, not activated yet.",
			"Echt: ausgegeben von Acme am 3. März 2027, noch nicht aktiviert.", "<form",
		},
		"waits for a tap": {
			token(func(k *passport.Token) { k.Status, k.ActivatedAt, k.MayTap = mintage.TokenMinted, time.Time{}, true }),
			`<form method="post" action="/eu/p/K7QM2X9T/K7Q2X9M4ZA31/activate">`,
			"<button>Diesen Artikel aktivieren</button>", "Suspicious",
		},
		"scanned too often": {
			token(func(k *passport.Token) { k.Suspicious = true }),
			"Take care: issued by Acme on 3 March 2027, but scanned in more places than one item can be.",
			"fragen Sie vorher bei Acme nach", "Genuine",
		},
		"revoked": {
			token(func(k *passport.Token) {
				k.Status, k.RevokedAt, k.Reason, k.Suspicious = mintage.TokenRevoked, issued.AddDate(0, 2, 0), "Stolen <lorry>", true
			}),
			"Revoked on 3 May 2027: do not trust this item.",
			"Dieses Token wurde widerrufen", "Genuine",
		},
		"a lot": {
			func(p *passport.Page) {
				p.Kind, p.Token, p.Code, p.Serial, p.UnitID = passport.KindLot, nil, "", "", ""
			},
			"Lot PB-7731-A, as issued by Acme.",
			"Dieser Code steht für eine ganze Charge.", "Genuine",
		},
		"a revoked lot": {
			func(p *passport.Page) {
				p.Kind, p.Code, p.Serial, p.UnitID = passport.KindLot, "", "", ""
				p.Token = &passport.Token{Status: mintage.TokenRevoked, RevokedAt: issued}
			},
			"Lot PB-7731-A was revoked on 3 March 2027: do not trust its items.",
			"Charge PB-7731-A wurde am 3. März 2027 widerrufen", "Genuine",
		},
		"a product": {
			func(p *passport.Page) {
				p.Kind, p.Token, p.Lot, p.Code, p.Serial, p.UnitID = passport.KindProduct, nil, "", "", "", ""
			},
			"A product of Acme.",
			"Dieser Code steht für das Produkt.", "Genuine",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := unitPage(t, test.edit)
			en, de := html(t, r, p, "en"), html(t, r, p, "de")
			if !strings.Contains(en, test.en) {
				t.Errorf("the English page does not say %q:\n%s", test.en, en)
			}
			if !strings.Contains(de, test.de) {
				t.Errorf("the German page does not say %q:\n%s", test.de, de)
			}
			if test.without != "" && strings.Contains(en, test.without) {
				t.Errorf("the page has %q", test.without)
			}
		})
	}
}

// TestRevoked: the page warns, tells why it matters, and describes nothing.
func TestRevoked(t *testing.T) {
	r := passport.New()
	p := unitPage(t, func(p *passport.Page) {
		p.Token.Status, p.Token.RevokedAt, p.Token.Reason = mintage.TokenRevoked, issued, "Stolen <lorry>"
	})
	var fault bytes.Buffer
	if err := r.Fault(&fault, http.StatusGone, p.Site, "en", p); err != nil {
		t.Fatal(err)
	}
	page := html(t, r, p, "en")
	if fault.String() != page {
		t.Error("HTML and Fault differ")
	}
	for _, want := range []string{"This token was revoked", "no longer vouches", "Stolen &lt;lorry&gt;", "never becomes valid again", "K7Q2"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	data, _ := r.JSON(p, "en")
	linked, _ := r.JSONLD(p, "en")
	for _, text := range []string{page, string(data), string(linked)} {
		if strings.Contains(text, "Acme AB") || strings.Contains(text, "weight") {
			t.Errorf("what is revoked is described:\n%s", text)
		}
	}
	if !strings.Contains(string(data), `"attributes":[]`) {
		t.Errorf("attributes are not an empty list: %s", data)
	}
}

var (
	inline   = regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:|data:`)
	attrURLs = regexp.MustCompile(`(?:src|href|action)="([^"]*)"`)
)

// TestPages holds every page to what the Content-Security-Policy needs, to its size
// and to what makes it accessible.
func TestPages(t *testing.T) {
	r := passport.New()
	pages := map[string]string{}
	for _, l := range r.Languages() {
		pages["unit "+l] = html(t, r, unitPage(t, func(p *passport.Page) { p.Logo = "0123456789abcdef.png" }), l)
		pages["tap "+l] = html(t, r, unitPage(t, func(p *passport.Page) {
			p.Token.Status, p.Token.ActivatedAt, p.Token.MayTap = mintage.TokenMinted, time.Time{}, true
		}), l)
		pages["revoked "+l] = html(t, r, unitPage(t, func(p *passport.Page) { p.Token.Status, p.Token.RevokedAt = mintage.TokenRevoked, issued }), l)
		for _, status := range []int{400, 404, 410, 429, 500, 503, 418} {
			var b bytes.Buffer
			if err := r.Fault(&b, status, passport.Site{}, l, nil); err != nil {
				t.Fatal(err)
			}
			pages[http.StatusText(status)+" "+l] = b.String()
		}
	}
	css, _ := r.Stylesheet(nil)
	for name, page := range pages {
		if found := inline.FindString(page); found != "" {
			t.Errorf("%s: there is something inline: %q", name, found)
		}
		for _, m := range attrURLs.FindAllStringSubmatch(page, -1) {
			if !strings.HasPrefix(m[1], "/") && m[1] != "#main" {
				t.Errorf("%s leads to %s", name, m[1])
			}
		}
		if n := len(page) + len(css); n > 30_000 {
			t.Errorf("%s has %d bytes with its style sheet", name, n)
		}
		for _, want := range []string{"<!DOCTYPE html>", `<html lang="`, "<title>", `name="viewport"`, "<h1", `id="main"`, `class="skip"`} {
			if strings.Count(page, want) != 1 {
				t.Errorf("%s has %d × %s", name, strings.Count(page, want), want)
			}
		}
		if strings.Contains(page, "%!") || strings.Contains(page, "[1]") {
			t.Errorf("%s has a message with wrong verbs:\n%s", name, page)
		}
	}
}

// TestHidden: search engines may keep products, not units, lots and errors.
func TestHidden(t *testing.T) {
	r := passport.New()
	for kind, want := range map[passport.Kind]bool{passport.KindUnit: true, passport.KindLot: true, passport.KindProduct: false} {
		page := html(t, r, unitPage(t, func(p *passport.Page) { p.Kind = kind }), "en")
		if got := strings.Contains(page, `name="robots" content="noindex"`); got != want {
			t.Errorf("%s: noindex is %t", kind, got)
		}
	}
}

// TestEscaped: what brands have typed is text, whatever it looks like.
func TestEscaped(t *testing.T) {
	r := passport.New()
	const evil = `</title><script>alert(1)</script>"'&`
	schema, err := dpp.Parse("evil", []byte(`{"type":"object","properties":{"a":{"x-mintage-access":"public","x-mintage-group":"<b>","x-mintage-unit":"<u>","x-mintage-label":{"en":"<i>"}},
		"b":{"x-mintage-access":"public"},"c":{"x-mintage-access":"public"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	p := unitPage(t, func(p *passport.Page) {
		p.Brand = &mintage.Brand{Name: evil}
		p.Product = &mintage.Product{Code: "K7QM2X9T", Name: evil, Attributes: json.RawMessage(
			`{"a":"</dd><script>","b":["javascript:alert(1)","https://u:p@x.example/","https:///x","https://x.example/\"onclick=\"x"],"c":{"<script>":"<script>"}}`)}
		p.Schema, p.Lot, p.Token.Reason = schema, evil, evil
	})
	page := html(t, r, p, "en")
	if found := inline.FindString(strings.ReplaceAll(page, "javascript:alert(1)</li>", "")); found != "" {
		t.Errorf("there is %q in:\n%s", found, page)
	}
	if strings.Count(page, "<i>")+strings.Count(page, "<b>")+strings.Count(page, "<u>") > 0 {
		t.Errorf("the schema's words are markup:\n%s", page)
	}
	for _, m := range attrURLs.FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "/") && m[1] != "#main" && !strings.HasPrefix(m[1], "https://x.example/%22onclick") {
			t.Errorf("there is a link to %s", m[1])
		}
	}
	for _, format := range []func(*passport.Page, string) ([]byte, error){r.JSON, r.JSONLD} {
		data, err := format(p, "en")
		if err != nil || !json.Valid(data) || bytes.ContainsRune(data, '<') {
			t.Errorf("%v: %s", err, data)
		}
	}
}

// TestChangedProduct: another product is another page, also with the same number.
func TestChangedProduct(t *testing.T) {
	r := passport.New()
	p := unitPage(t)
	before := html(t, r, p, "en")
	changed := *p.Product
	changed.Attributes = json.RawMessage(`{"manufacturer_name":"Other AB"}`)
	p.Product = &changed
	if after := html(t, r, p, "en"); !strings.Contains(before, "Acme AB") || !strings.Contains(after, "Other AB") || strings.Contains(after, "Acme AB") {
		t.Error("the page is still the old product's")
	}
}

// TestManyProducts keeps what is remembered bounded, and right.
func TestManyProducts(t *testing.T) {
	r := passport.New()
	schema, _ := dpp.BuiltinByID("battery")
	for i := range 200 {
		name := strings.Repeat("x", i+1)
		attributes, _ := json.Marshal(map[string]string{"manufacturer_name": name + strings.Repeat(" y", 100_000)})
		p := unitPage(t, func(p *passport.Page) {
			p.Product, p.Schema = &mintage.Product{Name: "P", Attributes: attributes}, schema
		})
		if !strings.Contains(html(t, r, p, "en"), "<dd>"+name+" y") {
			t.Fatalf("product %d has another one's page", i)
		}
	}
	if n := r.Remembered(); n > passport.MaxRemembered {
		t.Errorf("%d bytes are remembered", n)
	}
}

func TestAccept(t *testing.T) {
	r := passport.New()
	for accept, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "fr, de;q=0.5": "de", "fr": "en", "en-GB, de": "en", "*": "en", ";;;": "en",
		strings.Repeat("de,", 100): "en",
	} {
		if got := r.Choose(accept); got != want {
			t.Errorf("%q: %s instead of %s", accept, got, want)
		}
	}
	if got := html(t, r, unitPage(t), "tlh"); !strings.Contains(got, `lang="en"`) {
		t.Error("a language that is not there is not answered in English")
	}
}

func BenchmarkHTML(b *testing.B) {
	r := passport.New()
	p := unitPage(b)
	var out bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		if err := r.HTML(&out, p, "en"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	r := passport.New()
	p := unitPage(b)
	for b.Loop() {
		if _, err := r.JSON(p, "en"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSONLD(b *testing.B) {
	r := passport.New()
	p := unitPage(b)
	for b.Loop() {
		if _, err := r.JSONLD(p, "en"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewProduct(b *testing.B) {
	r := passport.New()
	p := unitPage(b)
	var out bytes.Buffer
	for b.Loop() {
		product := *p.Product
		p.Product = &product
		out.Reset()
		if err := r.HTML(&out, p, "en"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChoose(b *testing.B) {
	r := passport.New()
	for b.Loop() {
		r.Choose("de-AT,de;q=0.9,en;q=0.8")
	}
}

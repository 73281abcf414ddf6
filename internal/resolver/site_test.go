package resolver_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/edge"
	"mintage/internal/gs1"
	"mintage/internal/mint"
	"mintage/internal/resolver"
	"mintage/internal/serial"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

const (
	siteHost = "id.acme.example"
	siteBase = "https://" + siteHost
	// What a phone's browser sends.
	phoneAgent  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
	phoneAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
)

// site is a brand's resolver as the public reaches it, over HTTP, with units that the
// engine has minted.
type site struct {
	db        *storetest.DB
	keys      *mint.Keyring
	mint      *mint.Service
	catalogue *catalogue.Service
	brand     *mintage.Brand
	p         mintage.Principal
	address   string // that the server listens on
	count     int    // makes GTINs differ
}

func newSite(t *testing.T, db *storetest.DB) *site {
	t.Helper()
	keys := mint.NewKeyring(serial.NewMasterKey())
	now := func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	s := &site{db: db, keys: keys, mint: mint.New(db, keys, now), catalogue: catalogue.New(db, now)}
	s.brand = &mintage.Brand{Name: "Acme", ResolverBase: siteBase}
	if err := s.mint.CreateBrand(t.Context(), s.brand, "test"); err != nil {
		t.Fatal(err)
	}
	s.p = mintage.Principal{BrandNumber: s.brand.Number, Role: mintage.RoleOwner, Actor: "key:test"}

	r := resolver.New(resolver.Options{Store: db, Keys: keys, Now: now, Misses: 1e6})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	server := httptest.NewServer(edge.New(edge.Options{Public: true})(r))
	t.Cleanup(func() {
		server.Close()
		cancel()
		<-ended
	})
	s.address = server.Listener.Addr().String()
	return s
}

// gtin returns one that no product of the site has yet, with 8, 12, 13 or 14 digits.
func (s *site) gtin(t *testing.T, digits int) string {
	t.Helper()
	s.count++
	prefix := map[int]string{8: "9521", 12: "195201234", 13: "952012345", 14: "1952012345"}[digits]
	n := strconv.Itoa(s.count)
	body := prefix + strings.Repeat("0", digits-1-len(prefix)-len(n)) + n
	check, err := gs1.CheckDigit(body)
	if err != nil {
		t.Fatal(err)
	}
	return body + string(check)
}

// product makes one with a GTIN of 14 digits and these links.
func (s *site) product(t *testing.T, links ...mintage.Link) *mintage.Product {
	t.Helper()
	return s.productWith(t, s.gtin(t, 14), links...)
}

func (s *site) productWith(t *testing.T, gtin string, links ...mintage.Link) *mintage.Product {
	t.Helper()
	p, err := s.catalogue.CreateProduct(t.Context(), s.p, catalogue.ProductInput{SKU: "SKU-" + gtin, Name: "Trail jacket", GTIN: gtin})
	if err != nil {
		t.Fatal(err)
	}
	if len(links) > 0 {
		if _, err := s.mint.PutLinks(t.Context(), s.p, p.ID, links); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// units mints n units for their first scan in one lot and returns their resolver
// URLs without the base.
func (s *site) units(t *testing.T, p *mintage.Product, n int, lot string) (targets []string) {
	t.Helper()
	req := &mintage.MintRequest{
		ProductID: p.ID, RequestedQuantity: int64(n), IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.FirstScan,
	}
	if lot != "" {
		req.Lots = []mintage.LotRequest{{LotCode: lot, Quantity: int64(n)}}
	}
	return s.minted(t, p, req)
}

func (s *site) minted(t *testing.T, p *mintage.Product, req *mintage.MintRequest) (targets []string) {
	t.Helper()
	submitted, err := s.mint.Submit(t.Context(), s.p, req, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := mint.NewEngine(s.db, s.keys, mint.Options{Actor: "worker:test"}).RunOnce(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	w, err := s.mint.Job(t.Context(), s.p, submitted.JobID)
	if err != nil {
		t.Fatal(err)
	}
	var cipher *serial.Cipher
	err = s.db.Read(t.Context(), func(r store.Reader) (err error) {
		cipher, err = s.keys.Cipher(t.Context(), r, s.p.BrandNumber, p.Code)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for ordinal := w.Batch.FirstOrdinal; ordinal < w.Batch.FirstOrdinal+req.RequestedQuantity; ordinal++ {
		lot := w.Batch.Lot(ordinal)
		url := lot.URLPrefix + cipher.Encrypt(uint64(ordinal)).String() + lot.URLSuffix
		targets = append(targets, strings.TrimPrefix(url, siteBase))
	}
	return targets
}

// answer is what a request got.
type answer struct {
	*http.Response

	body string
}

// do sends a request as a phone would, but for the headers given (name, value, …),
// and follows nothing. "" takes a header away.
func (s *site) do(t *testing.T, method, target string, header ...string) *answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = siteHost
	request.Header.Set("User-Agent", phoneAgent)
	request.Header.Set("Accept", phoneAccept)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
			continue
		}
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

// get is do with GET.
func (s *site) get(t *testing.T, target string, header ...string) *answer {
	t.Helper()
	return s.do(t, http.MethodGet, target, header...)
}

// raw sends a request line that no client of net/http would.
func (s *site) raw(t *testing.T, host, requestTarget string) *answer {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "GET "+requestTarget+" HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: "+phoneAgent+"\r\nAccept: "+phoneAccept+"\r\nConnection: close\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v", requestTarget, err)
	}
	return read(t, response)
}

func read(t *testing.T, response *http.Response) *answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &answer{response, string(body)}
}

// is asserts the status.
func (a *answer) is(t *testing.T, what string, status int) *answer {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s: %s, want %d\n%.300s", what, a.Status, status, a.body)
	}
	return a
}

// location is where a redirect leads to, as an absolute URL of the public.
func (a *answer) location(t *testing.T) string {
	t.Helper()
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.Header.Get("Location") == "" {
		t.Errorf("%s leads to %q: %v", a.Status, a.Header.Get("Location"), err)
		return ""
	}
	return (&url.URL{Scheme: "https", Host: siteHost, Path: "/"}).ResolveReference(to).String()
}

// leads asserts a redirect to a URL.
func (a *answer) leads(t *testing.T, what, to string) {
	t.Helper()
	a.is(t, what, http.StatusTemporaryRedirect)
	if got := a.location(t); got != to {
		t.Errorf("%s leads to %s, want %s", what, got, to)
	}
}

// has asserts that a header that is a list has an element.
func (a *answer) has(t *testing.T, name, element string) {
	t.Helper()
	for _, value := range a.Header.Values(name) {
		for e := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(e), element) {
				return
			}
		}
	}
	t.Errorf("%s has no %s: %q", name, element, a.Header.Values(name))
}

// link returns the target of the Link header (RFC 8288) with a relation type, and
// its media type; "" where there is none.
func (a *answer) link(rel string) (target, mediaType string) {
	for _, value := range a.Header.Values("Link") {
		for part := range strings.SplitSeq(value, ", <") {
			part = strings.TrimPrefix(part, "<")
			to, attributes, _ := strings.Cut(part, ">")
			if !strings.Contains(attributes, `rel="`+rel+`"`) {
				continue
			}
			_, mediaType, _ = strings.Cut(attributes, `type="`)
			mediaType, _, _ = strings.Cut(mediaType, `"`)
			return to, mediaType
		}
	}
	return "", ""
}

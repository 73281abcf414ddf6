package api

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store/storetest"
)

// word returns a name that nothing has.
func word() string { return strings.ToLower(rand.Text()[:12]) }

// isolation asks on behalf of ours with identifiers of theirs.
type isolation struct {
	*world
	t            *testing.T
	ours, theirs *tenant
	fixture      *storetest.Fixture // for GTINs
	new          string             // what stood for NEW in the latest call
}

// as makes the calls of fn those of a brand.
func (x *isolation) as(b *tenant, fn func()) {
	before := x.brand
	x.brand = b.brandOf
	fn()
	x.brand = before
}

// pair returns an identifier of theirs, and one of the same form that is nobody's.
// Names that a brand gives to new things are new ones of theirs each time.
func (x *isolation) pair(o *huma.Operation, s slot) (theirs, nobodys string) {
	x.t.Helper()
	b := x.theirs
	theirs, nobodys = b.own[s.kind], word()
	create := func(method, path, body string) {
		x.t.Helper()
		x.as(b, func() {
			if a := x.do(call{method: method, path: path, body: body}); a.status >= 300 {
				x.t.Fatalf("theirs: %s %s: %s", method, path, a.body)
			}
		})
	}
	switch s.kind {
	case aProduct, aRunID, aJob, aBatch, aMember:
		nobodys = storetest.NewID()
	case anSKU:
		theirs = word()
		create("POST", "/v1/products", `{"sku":"`+theirs+`","name":"Theirs"}`)
	case aGTIN:
		theirs, nobodys = x.fixture.NewGTIN(), x.fixture.NewGTIN()
		create("POST", "/v1/products", `{"sku":"`+word()+`","name":"Theirs","gtin":"`+theirs+`"}`)
	case aRun:
		theirs = word()
		create("PUT", "/v1/production-batches/"+theirs, `{"sku":"SAME","quantity":9,"status":"READY"}`)
	case aUnit:
		u, err := serial.ParseUnit(theirs)
		if err != nil {
			x.t.Fatal(err)
		}
		nobodys = serial.Unit{ProductCode: serial.NewProductCode(), Code: u.Code}.String()
	case aURL:
		nobodys = b.ResolverBase + "/01/09521234543213/21/" + serial.Code(0).String()
	case aLot:
		theirs = word()
		create("POST", "/v1/mint-requests", encode(x.t, requestBody(b.own[aProduct], 1, func(m map[string]any) {
			m["lots"] = []any{map[string]any{"lot_code": theirs, "quantity": 1}}
		})))
	case aSchema:
		theirs = word()
		create("PUT", "/v1/dpp-schemas/"+theirs, `{"type":"object"}`)
	case aKey:
	case aPerson:
		nobodys = word() + "@people.example"
	case anActor:
		nobodys = "key:" + nobodys
	case aRequestKey:
		theirs = word()
		x.as(b, func() {
			x.do(call{path: "/v1/mint-requests", body: encode(x.t, requestBody(b.own[aProduct], 1)), header: map[string]string{"Idempotency-Key": theirs}}).is(http.StatusCreated)
		})
	case aCursor:
		x.as(b, func() {
			next := page[any](x.world, x.path(o, b, slot{}, ""), "", 1).NextCursor
			if next == nil {
				x.t.Fatalf("%s has one part", o.OperationID)
			}
			theirs = *next
		})
		block := make([]byte, 16)
		rand.Read(block)
		nobodys = base64.RawURLEncoding.EncodeToString(block)
	default:
		x.t.Fatalf("no identifiers for a %s", s.kind)
	}
	return theirs, nobodys
}

// path fills an operation's path with a brand's own identifiers, and the slot with
// value.
func (x *isolation) path(o *huma.Operation, b *tenant, s slot, value string) string {
	path := o.Path
	for _, p := range slotsOf(x.t, x.server, o) {
		if p.in != "path" {
			continue
		}
		v := b.own[p.kind]
		if p == s {
			v = value
		}
		path = strings.Replace(path, "{"+p.name+"}", url.PathEscape(v), 1)
	}
	return path
}

// call makes ours' call of an operation, with value in the slot.
func (x *isolation) call(o *huma.Operation, fields map[string]any, s slot, value string) call {
	c := call{method: o.Method, path: x.path(o, x.ours, s, value), header: map[string]string{"X-Request-Id": "same"}}
	fields = maps.Clone(fields)
	switch s.in {
	case "query":
		c.path += "?" + s.name + "=" + url.QueryEscape(value)
	case "header":
		c.header[s.name] = value
	case "body", "csv":
		if list, field, nested := strings.Cut(s.name, "/*/"); nested {
			fields[list] = []any{map[string]any{field: value, "quantity": 1}}
		} else {
			fields[s.name] = value
		}
	}
	switch bodyOf(o).kind {
	case bodyJSON:
		c.body = encode(x.t, fields)
	case bodyCSV:
		names := slices.Sorted(maps.Keys(fields))
		var cells []string
		for _, name := range names {
			cells = append(cells, fmt.Sprint(fields[name]))
		}
		c.body, c.contentType = strings.Join(names, ",")+"\n"+strings.Join(cells, ",")+"\n", "text/csv"
	case bodyImage:
		c.body, c.contentType = tinyPNG, "image/png"
	case bodyNone:
	}
	x.new = word()
	c.body = strings.ReplaceAll(c.body, "NEW", x.new)
	return c
}

// fresh matches what two answers to the same request cannot have in common: ids,
// times, product codes and secrets of what came to be. An id that was there before is
// none of it.
var fresh = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[0-9:.]+Z|"product_code":"[^"]+"|"sign_in_url":"[^"]+"`)

// shown is an answer as it can be compared: without the value that was asked for,
// the new name that went with it and, where something came to be, what is new since the
// snapshot before.
func (x *isolation) shown(a *answer, value, before string) string {
	header := a.header.Clone()
	header.Del("Date")
	if header.Get("Content-Length") == strconv.Itoa(len(a.body)) { // times have more digits or less
		header.Set("Content-Length", "that of the body")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", a.status)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		fmt.Fprintf(&b, "%s: %q\n", name, header[name])
	}
	fmt.Fprintf(&b, "%s", a.body)
	text := b.String()
	text = strings.ReplaceAll(text, x.new, "NEW")
	if value != "" {
		text = strings.ReplaceAll(text, value, "{}")
	}
	if a.status < 300 {
		text = fresh.ReplaceAllStringFunc(text, func(s string) string {
			if strings.Contains(before, s) {
				return s
			}
			return "…"
		})
	}
	return text
}

// view is everything that a brand sees of itself.
func (x *isolation) view(b *tenant) string {
	var all strings.Builder
	x.as(b, func() {
		for _, id := range slices.Sorted(maps.Keys(operations(x.server))) {
			o := operations(x.server)[id]
			if o.Method != http.MethodGet || o.Metadata[metaPublic] != nil || o.Metadata[metaStream] != nil {
				continue
			}
			fmt.Fprintf(&all, "%s\n%s\n", id, x.do(call{path: x.path(o, b, slot{}, "")}).is(http.StatusOK).body)
		}
	})
	return all.String()
}

// TestIsolation performs every operation of one brand with every identifier of
// another that has the same SKUs, lots, production batch codes and idempotency
// keys. Each answer must be the one that an identifier of nobody's gets, in status,
// body and headers; none shows or changes anything of the other brand's. Operations
// and their inputs come from the document: a new one fails until the tables above
// know it.
func TestIsolation(t *testing.T) {
	eachWall(t, func(t *testing.T, w *world) {
		x := &isolation{world: w, t: t, theirs: newTenant(w, "theirs"), fixture: storetest.NewFixture(t, w.db)}
		x.ours = newTenant(w, "ours")
		for _, b := range []*tenant{x.theirs, x.ours} {
			x.as(b, w.settle)
		}
		all := operations(w.server)
		for _, id := range slices.Sorted(maps.Keys(all)) {
			o := all[id]
			bodies := x.ours.bodies()[id]
			if bodies == nil && o.RequestBody != nil {
				t.Errorf("%s takes a body, and the test has none for it", id)
				continue
			}
			if o.RequestBody == nil {
				bodies = []map[string]any{{}}
			}
			for _, s := range slotsOf(t, w.server, o) {
				if s.kind == aBase {
					continue // taken for ever, and said so: see TestBrand
				}
				for _, fields := range bodies {
					x.ask(o, fields, s)
				}
			}
		}
		x.mixed()
		// What has no identifier to mistake shows nothing of theirs either.
		mine := strings.ReplaceAll(x.view(x.ours), x.theirs.own[aPerson], "") // whom ours has invited
		for _, mark := range x.theirs.marks {
			if strings.Contains(mine, mark) {
				t.Errorf("ours sees %q", mark)
			}
		}
	})
}

// ask performs an operation with an identifier of theirs and with one of nobody's.
func (x *isolation) ask(o *huma.Operation, fields map[string]any, s slot) {
	x.t.Helper()
	theirs, nobodys := x.pair(o, s)
	what := fmt.Sprintf("%s with a %s of theirs in %s %s", o.OperationID, s.kind, s.in, s.name)
	snapshot, view := storetest.Snapshot(x.t, x.db), ""
	if o.Method != http.MethodGet {
		view = x.view(x.theirs)
	}
	got := x.do(x.call(o, fields, s, theirs))
	gotShown := x.shown(got, theirs, snapshot)
	if got.status >= 300 || o.Method == http.MethodGet {
		if changes := storetest.Changes(snapshot, storetest.Snapshot(x.t, x.db)); changes != "" {
			x.t.Errorf("%s changes something:\n%s", what, changes)
		}
	} else if after := x.view(x.theirs); after != view {
		x.t.Errorf("%s changes what they see:\n%s", what, storetest.Changes(view, after))
	}
	snapshot = storetest.Snapshot(x.t, x.db)
	want := x.do(x.call(o, fields, s, nobodys))
	if wantShown := x.shown(want, nobodys, snapshot); gotShown != wantShown {
		x.t.Errorf("%s is answered with\n%s\nbut one of nobody's with\n%s", what, gotShown, wantShown)
	}
	if s.in == "path" && o.Method != http.MethodPut && got.status != http.StatusNotFound {
		x.t.Errorf("%s: %d", what, got.status)
	}
	for _, mark := range x.theirs.marks {
		if mark != theirs && strings.Contains(strings.ReplaceAll(string(got.body), theirs, ""), mark) {
			x.t.Errorf("%s shows %q: %s", what, mark, got.body)
		}
	}
}

// mixed asks for each thing by the ids of all other things of theirs.
func (x *isolation) mixed() {
	x.t.Helper()
	ids := []kind{aProduct, aRunID, aJob, aBatch, aMember}
	x.unchanged(func() {
		for id, o := range operations(x.server) {
			for _, s := range slotsOf(x.t, x.server, o) {
				if !slices.Contains(ids, s.kind) || s.in == "csv" || s.in == "body" {
					continue
				}
				fields := map[string]any{}
				if bodies := x.ours.bodies()[id]; bodies != nil {
					fields = bodies[0]
				}
				want := x.shown(x.do(x.call(o, fields, s, storetest.NewID())), "", "")
				for _, k := range ids {
					if got := x.shown(x.do(x.call(o, fields, s, x.theirs.own[k])), "", ""); got != want {
						x.t.Errorf("%s with a %s of theirs for a %s: %s\nwant %s", id, k, s.kind, got, want)
					}
				}
			}
		}
	})
}

// TestSameNames: what both brands call by the same name is to each its own.
func TestSameNames(t *testing.T) {
	eachWall(t, func(t *testing.T, w *world) {
		tenants := []*tenant{newTenant(w, "theirs"), newTenant(w, "ours")}
		for i, b := range tenants {
			w.brand = b.brandOf
			other := tenants[1-i]
			for _, path := range []string{
				"/v1/products?sku=SAME", "/v1/products?gtin=9521234543213", "/v1/production-batches/SAME", "/v1/dpp-schemas/same",
				"/v1/mint-batches", "/v1/mint-batches/" + b.own[aBatch] + "/units", "/v1/mint-batches/" + b.own[aBatch] + "/export",
			} {
				a := w.do(call{path: path}).is(http.StatusOK)
				shows := slices.ContainsFunc(b.marks, func(mark string) bool { return strings.Contains(string(a.body), mark) })
				leaks := slices.ContainsFunc(other.marks, func(mark string) bool { return strings.Contains(string(a.body), mark) })
				if !shows || leaks {
					t.Errorf("%s shows the brand's own: %t, the other's: %t: %s", path, shows, leaks, a.body)
				}
			}
			body := encode(t, requestBody(b.own[aProduct], 2))
			w.do(call{path: "/v1/mint-requests", body: body, header: map[string]string{"Idempotency-Key": "SAME"}}).
				refuses(http.StatusUnprocessableEntity, mintage.CodeKeyReused)
		}
	})
}

package resolver

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"mintage"
	"mintage/internal/bucket"
	"mintage/internal/edge"
	"mintage/internal/gs1"
	"mintage/internal/resolver/agent"
)

// visit is one request.
type visit struct {
	r   *Resolver
	w   http.ResponseWriter
	req *http.Request

	path    string    // escaped, as requested
	base    base      // zero where the address is nobody's
	client  bucket.ID // its address
	network string    // of the client, for its scan
	accept  headerList
	speech  headerList // Accept-Language
	form    form       // of the answer
	agent   agent.Agent
}

// Values of headers that many answers share. They are never changed.
var (
	anyOrigin     = []string{"*"}
	exposed       = []string{"Link, Location, ETag, Retry-After"}
	negotiated    = []string{"Accept, Accept-Language"}
	forAMinute    = []string{"public, max-age=60"}
	forGood       = []string{"public, max-age=31536000, immutable"}
	notStored     = []string{"no-store"}
	readMethods   = []string{"GET, HEAD, OPTIONS"}
	postMethods   = []string{"POST, OPTIONS"}
	allMethods    = []string{"GET, HEAD, POST, OPTIONS"}
	anyHeader     = []string{"*"}
	longPreflight = []string{"86400"}
	empty         = []string{"0"}
)

const (
	wellKnown = "/.well-known/gs1resolver"
	pagesPath = "/p/"
)

// ServeHTTP answers whoever asks.
func (r *Resolver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Access-Control-Expose-Headers"] = exposed
	delete(h, "Cross-Origin-Resource-Policy")
	h["Cache-Control"] = notStored
	h["Vary"] = negotiated
	if req.Method == http.MethodOptions {
		edge.SetRoute(req.Context(), "OPTIONS")
		h["Allow"], h["Access-Control-Allow-Methods"] = allMethods, allMethods
		h["Access-Control-Allow-Headers"], h["Access-Control-Max-Age"] = anyHeader, longPreflight
		w.WriteHeader(http.StatusNoContent)
		return
	}
	address := clientAddress(req)
	v := &visit{r: r, w: w, req: req, path: req.URL.EscapedPath(), client: bucket.OfAddress(address), network: agent.Network(address)}
	v.accept.text = header(req.Header, "Accept", maxAccept)
	v.speech.text = header(req.Header, "Accept-Language", maxAcceptLanguage)
	v.form = negotiate(&v.accept)
	if err := v.serve(); err != nil {
		v.fail(err)
	}
}

// clientAddress is what the edge has found out, or that of the connection.
func clientAddress(req *http.Request) netip.Addr {
	if a := edge.Address(req.Context()); a.IsValid() {
		return a
	}
	a, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr()
}

// serve answers, or returns why it did not.
func (v *visit) serve() error {
	bases, err := v.bases(false)
	if err != nil {
		return err
	}
	for _, b := range bases {
		rest, ok := b.within(v.path)
		switch {
		case !ok:
		case rest == wellKnown:
			v.base = b
			return v.describe()
		case strings.HasPrefix(rest, pagesPath):
			if p, ok := parsePage(rest[len(pagesPath):]); ok {
				v.base = b
				return v.page(p)
			}
		}
	}
	// RFC 8615 knows this path at the root of a host only, where a host's one base may
	// not begin.
	if v.path == wellKnown && len(bases) == 1 {
		v.base = bases[0]
		return v.describe()
	}
	if len(bases) == 0 {
		return v.stray()
	}
	link, err := gs1.ParseTarget(v.path, v.req.URL.RawQuery)
	if err != nil {
		// Whose it might have been: for the look of the page.
		if i := slices.IndexFunc(bases, func(b base) bool { _, ok := b.within(v.path); return ok }); i >= 0 {
			v.base = bases[i]
		}
		edge.SetRoute(v.ctx(), "no identity")
		return refusedLink(err)
	}
	if !v.choose(bases, link.Prefix) {
		// Another base on this host may be as new as the unit that is scanned.
		if bases, err = v.bases(true); err != nil {
			return err
		}
		if !v.choose(bases, link.Prefix) {
			v.r.misses.hosts.miss(v.client)
			edge.SetRoute(v.ctx(), "no base")
			return noSuchBase()
		}
	}
	if err := v.allow(readMethods); err != nil {
		return err
	}
	return v.resolve(&link)
}

// bases are those on the host that was asked.
func (v *visit) bases(anew bool) ([]base, error) {
	scheme := "http"
	if v.req.TLS != nil {
		scheme = "https"
	}
	return v.r.bases(v.ctx(), v.req.Host, scheme, v.client, anew)
}

// choose takes the base with this path, and reports whether there is one.
func (v *visit) choose(bases []base, path string) bool {
	i := slices.IndexFunc(bases, func(b base) bool { return b.path == path })
	if i >= 0 {
		v.base = bases[i]
	}
	return i >= 0
}

// stray answers at a host that is nobody's: its error page needs a style sheet.
func (v *visit) stray() error {
	edge.SetRoute(v.req.Context(), "no host")
	if name, ok := strings.CutPrefix(v.path, "/p/_/"); ok && name == v.r.nobody.cssName {
		return v.static(name, v.r.nobody.css, "text/css; charset=utf-8", forGood)
	}
	return noSuchBase()
}

// refusedLink tells a path that is no Digital Link from one that goes wrong.
func refusedLink(err error) error {
	if isNotLink(err) {
		return mintage.Errorf(mintage.CodeNotFound, "There is nothing at this path, and it is no GS1 Digital Link.")
	}
	return err
}

// allow refuses methods but these.
func (v *visit) allow(methods []string) error {
	for method := range strings.SplitSeq(methods[0], ", ") {
		if v.req.Method == method {
			return nil
		}
	}
	v.w.Header()["Allow"] = methods
	return errMethod
}

// ctx is the request's.
func (v *visit) ctx() context.Context { return v.req.Context() }

// maxLanguages bounds how many Accept-Language headers are remembered; there are a few
// hundred that browsers send.
const maxLanguages = 1000

// language is the one of our pages' languages that the client likes best.
func (v *visit) language() string {
	accept := v.speech.text
	if language, ok := v.r.languages.Load(accept); ok {
		return language.(string)
	}
	language := v.r.pages.Choose(accept)
	if len(accept) < 100 && v.r.languagesKept.Add(1) <= maxLanguages {
		v.r.languages.Store(accept, language)
	}
	return language
}

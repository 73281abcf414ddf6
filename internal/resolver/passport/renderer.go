package passport

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"sync"
	"weak"

	"mintage"
	"mintage/internal/dpp"
)

//go:embed templates/*.html
var templateFiles embed.FS

// Renderer makes pages. It may be used by any number of goroutines.
type Renderer struct {
	languages *languages
	templates *template.Template

	mu       sync.RWMutex
	subjects map[subjectKey]*subject
	size     int                    // of what subjects hold, in bytes
	styles   map[string]*stylesheet // by accent colour
}

// What a renderer remembers at most. Whatever is beyond is made anew; then all is
// forgotten, which is simpler than choosing and costs some milliseconds.
const (
	maxSubjectBytes = 32 << 20
	maxStyles       = 1000
)

// subjectKey says what the part of a page that is the same for all units of a
// product depends on. Weak pointers equal no other's, also after their target is gone
// and its address used again; so nothing is kept alive for them.
type subjectKey struct {
	product  weak.Pointer[mintage.Product]
	schema   weak.Pointer[dpp.Schema]
	language *language
}

// subject is that part.
type subject struct {
	html   template.HTML
	json   json.RawMessage   // a list of attributeDocument
	linked []json.RawMessage // schema:PropertyValue nodes
}

// New makes a renderer.
func New() *Renderer {
	all, err := loadLanguages()
	if err != nil {
		panic(err) // embedded, and the tests read it
	}
	return &Renderer{
		languages: all,
		templates: template.Must(template.ParseFS(templateFiles, "templates/*.html")),
		subjects:  map[subjectKey]*subject{},
		styles:    map[string]*stylesheet{},
	}
}

// Languages are those that there are messages in (BCP 47), the default first.
func (r *Renderer) Languages() []string {
	codes := make([]string, len(r.languages.list))
	for i, l := range r.languages.list {
		codes[i] = l.code
	}
	return codes
}

// Choose returns the one of Languages that fits an Accept-Language header best
// (RFC 9110, section 12.5.4), else the default.
func (r *Renderer) Choose(accept string) string { return r.languages.choose(accept).code }

// HTML writes the page of a unit, lot or product, in one of Languages (else the
// default). Where the token is revoked it is the page for the status 410. The
// error is that of w.
func (r *Renderer) HTML(w io.Writer, p *Page, language string) error {
	l := r.languages.of(language)
	v := newView(p, l, r.stylesheet(p.Brand).name)
	s, err := r.subject(p, l)
	if err != nil {
		return err
	}
	v.Attributes = s.html
	return r.execute(w, "passport", v)
}

// Fault writes the page of an answer that is an error: 400, 404, 410, 429 or 503;
// any other status gets the words of 500. revoked is the page of what was revoked,
// for a 410 that knows it, else nil.
func (r *Renderer) Fault(w io.Writer, status int, s Site, language string, revoked *Page) error {
	if revoked != nil {
		return r.HTML(w, revoked, language)
	}
	l := r.languages.of(language)
	return r.execute(w, "fault", newFault(status, s, l, r.stylesheet(s.Brand).name))
}

// JSON returns the page's data as application/json.
func (r *Renderer) JSON(p *Page, language string) ([]byte, error) {
	l := r.languages.of(language)
	s, err := r.subject(p, l)
	if err != nil {
		return nil, err
	}
	return encode(documentOf(p, l, s.json))
}

// JSONLD returns the page's data as application/ld+json.
func (r *Renderer) JSONLD(p *Page, language string) ([]byte, error) {
	s, err := r.subject(p, r.languages.of(language))
	if err != nil {
		return nil, err
	}
	return encode(linked(p, s.linked))
}

// execute renders before it writes: half a page is worse than an error.
func (r *Renderer) execute(w io.Writer, name string, v *view) error {
	b, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := r.templates.ExecuteTemplate(b, name, v); err != nil {
		return fmt.Errorf("the page %s: %w", name, err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("the page's data: %w", err)
	}
	return append(data, '\n'), nil
}

// nothing is the subject of what was revoked: what is not to be trusted is not
// described.
var nothing = &subject{json: json.RawMessage("[]")}

// subject returns what all pages of a product have in common.
func (r *Renderer) subject(p *Page, l *language) (*subject, error) {
	if p.revoked() {
		return nothing, nil
	}
	key := subjectKey{weak.Make(p.Product), weak.Make(p.Schema), l}
	r.mu.RLock()
	s, ok := r.subjects[key]
	r.mu.RUnlock()
	if ok {
		return s, nil
	}
	s, err := r.newSubject(p, l)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.subjects[key]; !ok {
		if r.size += s.bytes(); r.size > maxSubjectBytes {
			clear(r.subjects)
			r.size = s.bytes()
		}
		r.subjects[key] = s
	}
	return s, nil
}

func (r *Renderer) newSubject(p *Page, l *language) (*subject, error) {
	public := publicAttributes(p.Product, p.Schema)
	s := &subject{}
	var b bytes.Buffer
	shown := struct {
		Groups []*group
		None   string
	}{groups(public, l), l.text("attributes.none")}
	if err := r.templates.ExecuteTemplate(&b, "attributes", shown); err != nil {
		return nil, fmt.Errorf("the attributes of a page: %w", err)
	}
	s.html = template.HTML(b.String()) //nolint:gosec // G203: html/template has made it
	var err error
	if s.json, err = json.Marshal(attributeDocuments(public, l)); err != nil {
		return nil, fmt.Errorf("the attributes as JSON: %w", err)
	}
	for _, n := range linkedAttributes(public, l) {
		data, err := json.Marshal(n)
		if err != nil {
			return nil, fmt.Errorf("the attributes as JSON-LD: %w", err)
		}
		s.linked = append(s.linked, data)
	}
	return s, nil
}

// bytes is about what the subject takes.
func (s *subject) bytes() int {
	n := 4096 + len(s.html) + 2*len(s.json)
	for _, l := range s.linked {
		n += len(l)
	}
	return n
}

func (r *Renderer) stylesheet(b *mintage.Brand) *stylesheet {
	accent := ""
	if b != nil {
		accent = b.AccentColour
	}
	r.mu.RLock()
	s, ok := r.styles[accent]
	r.mu.RUnlock()
	if ok {
		return s
	}
	s = makeStylesheet(accent)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.styles) >= maxStyles {
		clear(r.styles)
	}
	r.styles[accent] = s
	return s
}

// faultKeys are the statuses that have words of their own.
var faultKeys = map[int]string{
	http.StatusBadRequest:         "fault.400",
	http.StatusNotFound:           "fault.404",
	http.StatusGone:               "fault.410",
	http.StatusTooManyRequests:    "fault.429",
	http.StatusServiceUnavailable: "fault.503",
}

package web

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"mintage"
	"mintage/internal/cursor"
	"mintage/internal/edge"
	"mintage/internal/mint"
)

// visit is one request of a person while it is served.
type visit struct {
	*server

	w        http.ResponseWriter
	r        *http.Request
	asked    *http.Request // r as it came, before its session was read
	language *language

	form        *form             // what was sent; nil for a GET
	session     *session          // nil where the route knows none
	user        *mintage.User     // nil where nobody is signed in
	memberships []*mintage.Member // the user's, oldest first
	member      *mintage.Member   // that of the brand which was chosen; nil where the user has none
	principal   mintage.Principal // valid where member is
	answered    bool
}

// bare begins a visit of nobody in particular.
func (s *server) bare(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{server: s, w: w, r: r, asked: r, language: s.languages.choose(r.Header.Get("Accept-Language"))}
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// identify finds out who is there and for which brand.
func (v *visit) identify() (err error) {
	if v.session, err = v.loadSession(); err != nil {
		return err
	}
	id := v.session.text(sessionUser)
	if id == "" {
		return nil
	}
	user, err := v.Access.User(v.ctx(), id)
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		return nil // the account is gone: nobody is signed in
	}
	if err != nil {
		return err
	}
	list, err := v.Access.Memberships(v.ctx(), id)
	if err != nil {
		return err
	}
	v.user, v.memberships = user, list
	if len(list) == 0 {
		return nil
	}
	member := list[0]
	for _, m := range list {
		if m.BrandID == v.session.text(sessionBrand) {
			member = m
		}
	}
	v.principal, err = v.Access.PrincipalOf(v.ctx(), id, member.BrandID, edge.Origin(v.ctx()))
	switch mintage.ErrorCode(err) {
	case "":
		v.member = member
		edge.SetActor(v.ctx(), v.principal.Actor)
		return nil
	case mintage.CodeNotFound, mintage.CodeForbidden: // taken out of the brand just now
		return nil
	default:
		return err
	}
}

// askToSignIn sends whoever is not signed in to the sign-in page, and from there
// back to the page that was asked for. A form that was sent is lost: to send it
// again by itself might do twice what was meant once.
func (v *visit) askToSignIn() {
	to := "/sign-in"
	if v.r.Method == http.MethodGet && v.r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(v.r.URL.RequestURI())
	}
	v.redirect(to)
}

// next is where to go after signing in: a page of ours, whatever was asked for.
func next(wanted string) string {
	u, err := url.Parse(wanted)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(wanted, "/") ||
		strings.HasPrefix(wanted, "//") || strings.ContainsAny(wanted, "\\\r\n\t") {
		return "/mint"
	}
	to := (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).RequestURI()
	if strings.HasPrefix(to, "//") {
		return "/mint"
	}
	return to
}

// redirect sends the browser to another page by GET.
func (v *visit) redirect(to string) {
	if err := v.saveSession(); err != nil {
		v.fail(err)
		return
	}
	v.answered = true
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
}

// render answers with a page. data is for the page's own template.
func (v *visit) render(status int, name string, data any) error {
	return v.renderForm(status, name, data, &form{})
}

// renderForm is render with what was typed into the page's form, and its faults.
func (v *visit) renderForm(status int, name string, data any, f *form) error {
	var b bytes.Buffer
	if err := v.pages.write(&b, name, &view{visit: v, name: name, Data: data, form: f}); err != nil {
		return err
	}
	if err := v.saveSession(); err != nil {
		return err
	}
	v.answered = true
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.language.code)
	h.Add("Vary", "Accept-Language, Cookie")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes()) // nobody to tell
	return nil
}

// page is the part of a list that the request asks for: limit rows after its cursor,
// and one more, which tells whether there is a next part.
func (v *visit) page(limit int) (mint.Page, error) {
	page := mint.Page{Limit: limit + 1}
	text := v.r.URL.Query().Get("cursor")
	if text == "" {
		return page, nil
	}
	var err error
	page.After, err = v.cursors().Decode(text)
	return page, err
}

// cursors are those of the list that the request's path names.
func (v *visit) cursors() cursor.Sealer {
	return cursor.New(v.CursorKey, v.principal.BrandNumber, "web "+v.r.URL.Path)
}

// part is one part of a list as a page shows it.
type part[R any] struct {
	Rows []R
	Next string // the URL of the next part, with the same filters; "" at the end
}

// partOf takes the row off again that page asked for beyond the limit. number is what
// orders the rows.
func partOf[R any](v *visit, rows []R, limit int, number func(R) int64) part[R] {
	if len(rows) <= limit {
		return part[R]{Rows: rows}
	}
	query := v.r.URL.Query()
	query.Set("cursor", v.cursors().Encode(number(rows[limit-1])))
	return part[R]{rows[:limit], v.r.URL.Path + "?" + query.Encode()}
}

// How many bytes a form may have, and one with texts of several lines.
const (
	maxForm     = 64 << 10
	maxLongForm = 512 << 10
)

// readForm reads the form of a POST request. That comes before anything else is found
// out, because whoever sends a form decides how long that takes: what was true at its
// beginning may not be at its end.
func (v *visit) readForm(long bool) (*form, error) {
	limit, clean := int64(maxForm), cleanText
	if long {
		limit, clean = maxLongForm, cleanLines
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, limit)
	if err := v.r.ParseForm(); err != nil {
		return nil, mintage.Errorf(codeBadForm, "The form cannot be read.").WithCause(err)
	}
	f := &form{values: map[string]string{}}
	for name, values := range v.r.PostForm {
		if len(values) != 1 || !cleanText(name) || !clean(values[0]) {
			return nil, mintage.Errorf(codeBadForm, "The form has a field twice, or text that is not valid.")
		}
		f.values[name] = strings.ReplaceAll(values[0], "\r\n", "\n")
	}
	return f, nil
}

var lineSigns = strings.NewReplacer("\r\n", "", "\n", "", "\t", "")

// cleanLines is cleanText for a text of several lines, which browsers end with CRLF.
func cleanLines(s string) bool {
	return cleanText(lineSigns.Replace(s))
}

// cleanText refuses what no line of text can be.
func cleanText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

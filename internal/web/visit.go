package web

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"mintage"
	"mintage/internal/edge"
)

// visit is one request of a person while it is served.
type visit struct {
	*server

	w        http.ResponseWriter
	r        *http.Request
	language *language

	session     *session          // nil where the route knows none
	user        *mintage.User     // nil where nobody is signed in
	memberships []*mintage.Member // the user's, oldest first
	member      *mintage.Member   // that of the brand which was chosen; nil where the user has none
	principal   mintage.Principal // valid where member is
	answered    bool
}

// bare begins a visit of nobody in particular.
func (s *server) bare(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{server: s, w: w, r: r, language: s.languages.choose(r.Header.Get("Accept-Language"))}
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

// userID is "" where nobody is signed in.
func (v *visit) userID() string {
	if v.user == nil {
		return ""
	}
	return v.user.ID
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

// maxForm is how many bytes a form may have.
const maxForm = 64 << 10

// readForm reads the form of a POST request.
func (v *visit) readForm() (*form, error) {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		return nil, mintage.Errorf(codeBadForm, "The form cannot be read.").WithCause(err)
	}
	f := &form{values: map[string]string{}}
	for name, values := range v.r.PostForm {
		if len(values) != 1 || !cleanText(name) || !cleanText(values[0]) {
			return nil, mintage.Errorf(codeBadForm, "The form has a field twice, or text that is not valid.")
		}
		f.values[name] = values[0]
	}
	return f, nil
}

// cleanText refuses what no line of text can be.
func cleanText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

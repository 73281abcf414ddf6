package web

import (
	"embed"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"mintage"
	"mintage/internal/access"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages are the templates: one for each page, all within the same layout.
type pages struct {
	byName map[string]*template.Template
}

// partials are the files that every page may use.
func partials() []string {
	return []string{"templates/layout.html", "templates/parts.html", "templates/icons.html", "templates/settings.html", "templates/start.html", "templates/catalogue.html", "templates/dashboard_head.html", "templates/token_parts.html"}
}

func loadPages() (*pages, error) {
	shared, err := template.New("").Option("missingkey=error").ParseFS(templateFiles, partials()...)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{byName: map[string]*template.Template{}}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		page, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if p.byName[name], err = page.ParseFS(templateFiles, file); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pages) write(w io.Writer, name string, v *view) error {
	return p.byName[name].ExecuteTemplate(w, "layout", v)
}

// view is what a template works with.
type view struct {
	visit *visit
	name  string // the page's
	form  *form

	Data any // the page's own
}

// T returns a message in the reader's language.
func (v *view) T(key string, args ...any) string { return v.visit.language.text(key, args...) }

// Language is the code of the reader's language (BCP 47).
func (v *view) Language() string { return v.visit.language.code }

// Page is the name of the page.
func (v *view) Page() string { return v.name }

// Static returns the path of a static file.
func (v *view) Static(name string) string { return "/static/" + v.visit.static.names[name] }

// User is who is signed in, nil for nobody.
func (v *view) User() *mintage.User { return v.visit.user }

// Member is the user's place in the brand that was chosen, or nil.
func (v *view) Member() *mintage.Member { return v.visit.member }

// Memberships are all brands of the user.
func (v *view) Memberships() []*mintage.Member { return v.visit.memberships }

// Version is the program's.
func (v *view) Version() string { return v.visit.Version }

// Faults are what is wrong with the page's form.
func (v *view) Faults() []fault { return v.form.faults }

// navItem is one entry of the navigation.
type navItem struct {
	Path, Key string
	Current   bool
}

// Nav is the part of the navigation that the member's role can use.
func (v *view) Nav() []navItem {
	if v.visit.member == nil {
		return nil
	}
	var items []navItem
	for _, one := range []struct {
		item navItem
		op   access.Operation
	}{
		{navItem{Path: "/mint", Key: "nav.mint"}, opViewDashboard},
		{navItem{Path: "/products", Key: "nav.products"}, "list_products"},
		{navItem{Path: "/production-batches", Key: "nav.production_batches"}, "list_production_batches"},
		{navItem{Path: "/settings", Key: "nav.settings"}, "get_brand"},
	} {
		if access.Allow(v.visit.principal, one.op) == nil {
			path := v.visit.r.URL.Path
			one.item.Current = path == one.item.Path || strings.HasPrefix(path, one.item.Path+"/")
			items = append(items, one.item)
		}
	}
	return items
}

// field is one input of a form.
type field struct {
	Name, Type, Autocomplete string
	Label, Hint, Value       string
	Fault                    string
	Options                  []option // of a select or a group of radio buttons
}

// option is one thing to choose.
type option struct{ Value, Label, Hint string }

// Select describes a choice among options: a list, or radio buttons, which show each
// option's hint. The first one is chosen where nothing was.
func (v *view) Select(name string, options []option) field {
	f := v.Field(name, "", "off")
	if f.Options = options; f.Value == "" && len(options) > 0 {
		f.Value = options[0].Value
	}
	return f
}

// DescribedBy lists the elements that say more about the input.
func (f field) DescribedBy() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	if f.Fault != "" {
		ids = append(ids, f.Name+"-fault")
	}
	return strings.Join(ids, " ")
}

// Field describes an input by its name, which its texts go by too. What was typed
// comes back, but for passwords.
func (v *view) Field(name, inputType, autocomplete string) field {
	f := field{Name: name, Type: inputType, Autocomplete: autocomplete, Label: v.T("field." + name), Fault: v.form.fault(name)}
	if _, ok := v.visit.language.texts["hint."+name]; ok {
		f.Hint = v.T("hint." + name)
	}
	if inputType != "password" {
		f.Value = v.form.values[name]
	}
	return f
}

// Number writes a number with its digits grouped.
func (v *view) Number(n int64) string { return v.visit.language.number(n) }

// Moment is a time as a page shows it: UTC, which the script turns into the
// reader's zone.
type moment struct{ Machine, Text string }

// Moment describes a time.
func (v *view) Moment(t time.Time) moment {
	t = t.UTC()
	return moment{t.Format(time.RFC3339), t.Format(v.T("format.time")) + " UTC"}
}

// copied is a text that one click copies.
type copied struct{ Text, Copied string }

// Copy describes a text that one click copies.
func (v *view) Copy(text string) copied { return copied{text, v.T("layout.copied")} }

// ShortID is the end of an ID, where those that were made close together differ.
func (v *view) ShortID(id string) string { return id[max(0, len(id)-8):] }

// Instant is Moment to the second.
func (v *view) Instant(t time.Time) moment {
	t = t.UTC()
	return moment{t.Format(time.RFC3339), t.Format(v.T("format.instant")) + " UTC"}
}

// State describes the chip of a job's state.
func (v *view) State(s mintage.JobStatus) chip {
	return chip{State: strings.ToLower(string(s)), Text: v.T("state." + string(s))}
}

// chip is a state with an icon and a word.
type chip struct {
	State string // names the icon and the colour
	Text  string
	Note  string // "64 %", or ""
}

// With adds a note to a chip.
func (c chip) With(note string) chip {
	c.Note = note
	return c
}

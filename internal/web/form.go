package web

import (
	"errors"
	"strings"

	"mintage"
)

// form is what was typed, and what is wrong with it.
type form struct {
	values map[string]string
	faults []fault
}

// fault is one thing that is wrong with a form: of one of its fields, or of the
// whole.
type fault struct {
	Field   string // "" for the whole form
	Message string
}

// text returns a field without the blanks around it.
func (f *form) text(name string) string { return strings.TrimSpace(f.values[name]) }

// secret returns a field as it was typed; blanks may belong to a password.
func (f *form) secret(name string) string { return f.values[name] }

// fault returns what is wrong with a field, "" for nothing.
func (f *form) fault(name string) string {
	for _, one := range f.faults {
		if one.Field == name {
			return one.Message
		}
	}
	return ""
}

// require notes each field that was left empty.
func (v *visit) require(f *form, names ...string) (ok bool) {
	for _, name := range names {
		if f.text(name) == "" {
			f.faults = append(f.faults, fault{name, v.language.text("missing." + name)})
		}
	}
	return len(f.faults) == 0
}

// blame turns a refusal of the input into faults of the form. It reports whether it
// could; any other error is none of the form's business. fields are the form's, by
// the names that the use case knows them by.
func (v *visit) blame(f *form, err error, fields map[string]string) bool {
	var faults []*mintage.Error
	if invalid, ok := errors.AsType[*mintage.InvalidError](err); ok {
		faults = invalid.Faults
	} else if e, ok := errors.AsType[*mintage.Error](err); ok {
		faults = append(faults, e)
	}
	for _, e := range faults {
		if e.Code != mintage.CodeInvalidInput && e.Code != mintage.CodeConflict {
			return false
		}
		name := fields[strings.TrimPrefix(e.Field, "/")]
		f.faults = append(f.faults, fault{name, v.explain(name, e)})
	}
	return len(faults) > 0
}

// explain says what is wrong with a field in the reader's language. Domain and use
// cases speak English; where there are no words for it here, theirs are shown.
func (v *visit) explain(name string, e *mintage.Error) string {
	for _, key := range []string{"fault." + name + "." + string(e.Code), "fault." + name} {
		if text, ok := v.language.texts[key]; ok {
			return text
		}
	}
	return e.Message
}

package dpp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Problem is one reason why a product's attributes do not allow minting.
type Problem struct {
	Pointer string // JSON pointer into the attributes; "" is the whole object
	Missing bool   // the field is absent or blank; otherwise it is invalid
	Message string // what is wrong and what to do; never contains the value
}

// Check compares a product's attributes with the schema's model-level fields.
// It returns nil if they allow minting.
func (s *Schema) Check(attributes json.RawMessage) []Problem {
	document := map[string]any{} // no attributes at all: every required field is missing
	if raw := bytes.TrimSpace(attributes); len(raw) > 0 && !bytes.Equal(raw, []byte("null")) {
		decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		object, ok := decoded.(map[string]any)
		if err != nil || !ok {
			return []Problem{{Message: "The DPP attributes must be a JSON object."}}
		}
		document = object
	}
	cleaner := cleaner{}
	cleaner.clean(document, "", 0)
	if most := maxWork / s.unfolded; cleaner.values > most {
		return []Problem{{Message: fmt.Sprintf("The DPP attributes have more than %d values; shorten the lists.", most)}}
	}

	var found []finding
	for _, problem := range cleaner.problems {
		if s.demands(problem.Pointer) {
			found = append(found, finding{Problem: problem})
		}
	}
	if failed, ok := errors.AsType[*jsonschema.ValidationError](s.compiled.Validate(document)); ok {
		for _, f := range s.findings(failed) {
			if !cleaner.replaced(f.Pointer) {
				found = append(found, f)
			}
		}
	}
	return tidyProblems(found, s.place)
}

// cleaner prepares attributes for the validator, in place.
type cleaner struct {
	values   int
	problems []Problem // at values that the validator must not see
}

// clean removes blank members and replaces what could tire the validator.
func (c *cleaner) clean(value any, at string, depth int) any {
	c.values++
	switch value := value.(type) {
	case map[string]any:
		if depth == maxDepth {
			return c.replace(at, fmt.Sprintf("Nests deeper than %d levels; flatten it.", maxDepth))
		}
		for name, member := range value {
			if blank(member) {
				delete(value, name)
			} else {
				value[name] = c.clean(member, at+pointer(name), depth+1)
			}
		}
	case []any:
		if depth == maxDepth {
			return c.replace(at, fmt.Sprintf("Nests deeper than %d levels; flatten it.", maxDepth))
		}
		for i, item := range value {
			value[i] = c.clean(item, at+pointer(strconv.Itoa(i)), depth+1)
		}
	case json.Number:
		if !exact(value) {
			return c.replace(at, "The number has too many digits or too large an exponent; round it.")
		}
	}
	return value
}

// replace records the problem and puts a harmless value in place of the old one.
func (c *cleaner) replace(at, message string) any {
	c.problems = append(c.problems, Problem{Pointer: at, Message: message})
	return json.Number("0")
}

// replaced reports whether what the validator says of the place is about our
// stand-in, not about the value that was there.
func (c *cleaner) replaced(at string) bool {
	return slices.ContainsFunc(c.problems, func(p Problem) bool { return p.Pointer == at })
}

func blank(value any) bool {
	text, ok := value.(string)
	return value == nil || ok && strings.TrimSpace(text) == ""
}

// finding is a problem on its way out of the validator's error tree.
type finding struct {
	Problem
	wrongType bool
}

// findings flattens the error tree, leaving out what no model-level field is to
// blame for.
func (s *Schema) findings(failed *jsonschema.ValidationError) []finding {
	at := pointer(failed.InstanceLocation...)
	switch k := failed.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.AllOf, *kind.Reference:
		var all []finding
		for _, cause := range failed.Causes {
			all = append(all, s.findings(cause)...)
		}
		return all
	case *kind.AnyOf:
		return s.alternatives(at, failed.Causes)
	case *kind.OneOf:
		if k.Subschemas == nil { // otherwise more than one fits
			return s.alternatives(at, failed.Causes)
		}
	case *kind.Required:
		return s.missing(at, k.Missing)
	case *kind.DependentRequired:
		return s.missing(at, k.Missing)
	case *kind.Dependency:
		return s.missing(at, k.Missing)
	case *kind.PropertyNames:
		// Only the metaschema still uses this keyword, and the library can get
		// the place of its failures wrong, so say it without one.
		return []finding{{Problem: Problem{Message: explain(k)}}}
	case *kind.AdditionalProperties:
		var all []finding
		for _, name := range k.Properties {
			all = append(all, s.finding(at+pointer(name), &kind.FalseSchema{})...)
		}
		return all
	}
	return s.finding(at, failed.ErrorKind)
}

func (s *Schema) finding(at string, k jsonschema.ErrorKind) []finding {
	if !s.demands(at) {
		return nil
	}
	_, wrongType := k.(*kind.Type)
	return []finding{{Problem: Problem{Pointer: at, Message: explain(k)}, wrongType: wrongType}}
}

func (s *Schema) missing(parent string, names []string) []finding {
	var all []finding
	for _, name := range names {
		at := parent + pointer(name)
		if !s.demands(at) {
			continue
		}
		message := fmt.Sprintf("Missing or empty: fill in %q.", name)
		if a, ok := s.Attribute(name); ok && parent == "" {
			message = fmt.Sprintf("Missing or empty: fill in %q%s.", a.Title("en"), expectation(a))
		}
		all = append(all, finding{Problem: Problem{Pointer: at, Missing: true, Message: message}})
	}
	return all
}

// alternatives decides what to say when none of several schemas fits. Where only
// one of them accepts this type of value, that one was meant and its complaints
// are the answer (an object or null, say). Otherwise nobody can tell which was.
func (s *Schema) alternatives(at string, causes []*jsonschema.ValidationError) []finding {
	var meant [][]finding
	var lacking []string
	for _, cause := range causes {
		found := s.findings(cause)
		if len(found) == 0 {
			return nil // all it lacks is not demanded when minting
		}
		if slices.ContainsFunc(found, func(f finding) bool { return f.wrongType && f.Pointer == at }) {
			continue
		}
		meant = append(meant, found)
		for _, f := range found {
			if f.Missing {
				lacking = append(lacking, f.Pointer)
			}
		}
	}
	if len(meant) == 1 {
		return meant[0]
	}
	message := "Fits none of the forms that the DPP schema allows."
	if len(lacking) > 0 {
		slices.Sort(lacking)
		message += " They ask for: " + strings.Join(slices.Compact(lacking), ", ") + "."
	}
	if !s.demands(at) {
		return nil
	}
	// A wrong type everywhere stays one, so that an outer choice can tell.
	return []finding{{Problem: Problem{Pointer: at, Message: message}, wrongType: len(meant) == 0}}
}

// demands reports whether minting depends on what stands at the pointer.
func (s *Schema) demands(at string) bool {
	a, ok := s.Attribute(topName(at))
	return at == "" || !ok || a.Level == LevelModel
}

// place is the order of problems: the object as a whole, the attributes as the
// document orders them, then whatever it does not list.
func (s *Schema) place(at string) int {
	if at == "" {
		return -1
	}
	if i, ok := s.index[topName(at)]; ok {
		return i
	}
	return len(s.Attributes)
}

// tidyProblems sorts and makes one problem of all that stand at one pointer.
// place may be nil.
func tidyProblems(found []finding, place func(pointer string) int) []Problem {
	if place == nil {
		place = func(string) int { return 0 }
	}
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(
			cmp.Compare(place(a.Pointer), place(b.Pointer)),
			cmp.Compare(a.Pointer, b.Pointer),
			missingFirst(a, b),
			cmp.Compare(a.Message, b.Message),
		)
	})
	var problems []Problem
	previous := ""
	for _, f := range found {
		last := len(problems) - 1
		switch {
		case last < 0 || problems[last].Pointer != f.Pointer:
			problems = append(problems, f.Problem)
		case problems[last].Missing || f.Message == previous:
		default:
			problems[last].Message += " " + f.Message
		}
		previous = f.Message
	}
	return problems
}

func missingFirst(a, b finding) int {
	if a.Missing == b.Missing {
		return 0
	}
	if a.Missing {
		return -1
	}
	return 1
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

// pointer makes a JSON pointer (RFC 6901).
func pointer(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteByte('/')
		_, _ = escaper.WriteString(&b, name)
	}
	return b.String()
}

// topName returns the first name of a JSON pointer.
func topName(pointer string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	return strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
}

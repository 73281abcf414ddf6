package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rules are what a text must keep to beyond the package's promise. A limit of 0
// is none.
type Rules struct {
	Bytes    int // of the whole text
	Depth    int // nested objects and lists, the outermost counted
	Values   int // objects, lists, strings that are no names, numbers, true, false, null
	Digits   int // characters of a number
	Exponent int // of a number, above or below 0

	// FoldNames takes names that differ in case only for the same, as decoders that
	// ignore case do.
	FoldNames bool
	// Lists takes a list for the whole as well.
	Lists bool
}

// Kind says what is wrong with a text.
type Kind int

// Kinds of faults.
const (
	TooLarge   Kind = iota + 1 // more bytes than the rules allow
	NotUTF8                    // not valid UTF-8
	Malformed                  // not JSON
	NotObject                  // JSON, but no object
	Trailing                   // something follows the value
	NameTwice                  // an object has a name twice
	TooDeep                    // more levels than the rules allow
	TooMany                    // more values than the rules allow
	LongNumber                 // a number has too many characters or too large an exponent
	HasNUL                     // a string has an escaped NUL, which databases do not store
	HalfPair                   // a string has half of a surrogate pair
)

// Fault is the first thing that is wrong with a text.
type Fault struct {
	Kind   Kind
	Offset int // the byte at which it was noticed, from 0

	at    []level
	limit int
}

// Pointer is the JSON pointer of the value concerned; "" where that is the whole.
func (f *Fault) Pointer() string {
	var b strings.Builder
	for _, l := range f.at {
		switch {
		case l.names == nil:
			b.WriteString("/" + strconv.Itoa(l.index))
		case l.named:
			b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(unquote(l.name)))
		}
	}
	return b.String()
}

// Text says what is wrong with the subject, such as "The body", in one sentence.
func (f *Fault) Text(subject string) string {
	near := fmt.Sprintf(" (near byte %d).", f.Offset)
	switch f.Kind {
	case TooLarge:
		return fmt.Sprintf("%s is larger than %d KiB; shorten it.", subject, f.limit>>10)
	case NotUTF8:
		return subject + " is not valid UTF-8" + near
	case NotObject:
		return subject + " must be a JSON object."
	case Trailing:
		return subject + " has something after its end; it must be one JSON object" + near
	case NameTwice:
		return subject + " has a name twice in one object, perhaps in another spelling; keep one" + near
	case TooDeep:
		return fmt.Sprintf("%s nests deeper than %d levels; flatten it%s", subject, f.limit, near)
	case TooMany:
		return fmt.Sprintf("%s has more than %d values; shorten it.", subject, f.limit)
	case LongNumber:
		return subject + " has a number that is too long or too large" + near
	case HasNUL:
		return subject + " has a NUL character in a string" + near
	case HalfPair:
		return subject + " has half of a surrogate pair in a string" + near
	case Malformed:
	}
	return subject + " is not valid JSON" + near
}

// Check returns nil where the text is as promised and keeps to the rules.
func (r Rules) Check(text []byte) *Fault {
	if r.Bytes > 0 && len(text) > r.Bytes {
		return &Fault{Kind: TooLarge, limit: r.Bytes}
	}
	if i := invalidUTF8(text); i >= 0 {
		return &Fault{Kind: NotUTF8, Offset: i}
	}
	well := len(text) // so much of it is well-formed as far as it goes
	malformed := json.Unmarshal(text, new(ignored))
	if syntax, ok := errors.AsType[*json.SyntaxError](malformed); ok {
		// The offset counts the byte at fault, except at the end of the text.
		well = max(0, min(int(syntax.Offset)-1, len(text)))
	}
	s := scan{Rules: r, text: text[:well]}
	if fault := s.run(); fault != nil {
		return fault
	}
	switch {
	case malformed == nil:
		return nil
	case s.values > 0 && len(s.open) == 0:
		return s.fault(Trailing, well, 0)
	}
	return s.fault(Malformed, well, 0)
}

// ignored is what a text is decoded into to see whether it is well-formed.
type ignored struct{}

// UnmarshalJSON is called with well-formed text only.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

// level is an object or a list that is being read.
type level struct {
	names map[string]bool // seen so far; nil for a list
	name  []byte          // of the value that is being read, in its quotes
	named bool
	index int // of a list
}

// scan goes once over the beginning of a well-formed text.
type scan struct {
	Rules

	text   []byte
	open   []level
	values int
}

func (s *scan) fault(k Kind, offset, limit int) *Fault {
	return &Fault{Kind: k, Offset: offset, at: s.open, limit: limit}
}

func (s *scan) run() *Fault {
	for i := 0; i < len(s.text); {
		next, fault := s.token(i)
		if fault != nil {
			return fault
		}
		i = next
	}
	return nil
}

// token reads what begins at i and returns where the next begins.
func (s *scan) token(i int) (next int, fault *Fault) {
	switch c := s.text[i]; c {
	case ' ', '\t', '\r', '\n', ':':
		return i + 1, nil
	case '}', ']':
		s.open = s.open[:len(s.open)-1]
		return i + 1, nil
	case ',':
		top := &s.open[len(s.open)-1]
		top.index++
		top.named = false
		return i + 1, nil
	case '"':
		end, closed := stringEnd(s.text, i)
		if fault := s.checkEscapes(i, end); fault != nil || !closed {
			return end, fault // without its end, the text is malformed
		}
		if len(s.open) > 0 {
			if top := &s.open[len(s.open)-1]; top.names != nil && !top.named {
				return end, s.readName(i, end)
			}
		}
		return end, s.value(i)
	case '{', '[':
		if fault := s.value(i); fault != nil {
			return 0, fault
		}
		if s.Depth > 0 && len(s.open) == s.Depth {
			return 0, s.fault(TooDeep, i, s.Depth)
		}
		l := level{}
		if c == '{' {
			l.names = map[string]bool{}
		}
		s.open = append(s.open, l)
		return i + 1, nil
	default: // a number, true, false or null
		end := i + 1
		for end < len(s.text) && !strings.ContainsRune(" \t\r\n,]}", rune(s.text[end])) {
			end++
		}
		if fault := s.value(i); fault != nil {
			return 0, fault
		}
		number := c == '-' || c >= '0' && c <= '9'
		if whole := end < len(s.text); number && whole && !s.Exact(string(s.text[i:end])) {
			return 0, s.fault(LongNumber, i, 0)
		}
		return end, nil
	}
}

// value counts a value that begins at i.
func (s *scan) value(i int) *Fault {
	if len(s.open) == 0 && s.text[i] != '{' && (s.text[i] != '[' || !s.Lists) {
		return s.fault(NotObject, i, 0)
	}
	if s.values++; s.Values > 0 && s.values > s.Values {
		return s.fault(TooMany, i, s.Values)
	}
	return nil
}

// readName reads the name of a member.
func (s *scan) readName(i, end int) *Fault {
	top := &s.open[len(s.open)-1]
	top.name, top.named = s.text[i:end], true
	name := unquote(top.name)
	if s.FoldNames {
		name = fold(name)
	}
	if top.names[name] {
		return s.fault(NameTwice, i, 0)
	}
	top.names[name] = true
	return nil
}

// Exact reports whether a well-formed number keeps to the rules.
func (r Rules) Exact(number string) bool {
	if r.Digits > 0 && len(number) > r.Digits {
		return false
	}
	i := strings.IndexAny(number, "eE")
	if i < 0 || r.Exponent == 0 {
		return true
	}
	exponent, err := strconv.Atoi(number[i+1:])
	return err == nil && -r.Exponent <= exponent && exponent <= r.Exponent
}

// stringEnd returns the place after the string that begins at i, and whether the
// text has its end.
func stringEnd(text []byte, i int) (end int, closed bool) {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1, true
		}
	}
	return len(text), false
}

// checkEscapes refuses what decoders replace in silence, and NUL, in the string
// from i to end. Another control character cannot stand in it unescaped.
func (s *scan) checkEscapes(i, end int) *Fault {
	text := s.text[i:end]
	for j := 0; j < len(text); j++ {
		if text[j] != '\\' {
			continue
		}
		unit, ok := codeUnit(text[j:])
		switch {
		case !ok:
			j++ // another escape
		case unit == 0:
			return s.fault(HasNUL, i+j, 0)
		case unit >= 0xD800 && unit < 0xE000:
			low, ok := codeUnit(text[min(j+6, len(text)):])
			if unit >= 0xDC00 || !ok || low < 0xDC00 || low >= 0xE000 {
				return s.fault(HalfPair, i+j, 0)
			}
			j += 11
		default:
			j += 5
		}
	}
	return nil
}

// codeUnit reads the \uXXXX at the beginning of a text, if there is one.
func codeUnit(text []byte) (unit uint64, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return unit, err == nil
}

// unquote returns what a well-formed string stands for.
func unquote(quoted []byte) (text string) {
	_ = json.Unmarshal(quoted, &text)
	return text
}

// fold returns one spelling for all names that a decoder which ignores case, as
// Go's does, takes for the same.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, name)
}

package passport

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	textlanguage "golang.org/x/text/language"
)

// A language is one file here, named by its BCP 47 tag; nothing else has to change.
//
//go:embed messages/*.json
var messageFiles embed.FS

// defaultLanguage is what whoever asks for none of the others gets.
const defaultLanguage = "en"

// language is one language of the pages.
type language struct {
	code           string
	texts          map[string]string // by key; %[n]-verbs as in package fmt
	group, decimal string            // of numbers
}

// languages are all of them, the default first.
type languages struct {
	list    []*language
	byCode  map[string]*language
	matcher textlanguage.Matcher
}

func loadLanguages() (*languages, error) {
	entries, err := messageFiles.ReadDir("messages")
	if err != nil {
		return nil, err
	}
	all := &languages{byCode: map[string]*language{}}
	for _, e := range entries {
		file, err := messageFiles.ReadFile("messages/" + e.Name())
		if err != nil {
			return nil, err
		}
		l := &language{code: strings.TrimSuffix(e.Name(), path.Ext(e.Name()))}
		if err := json.Unmarshal(file, &l.texts); err != nil {
			return nil, fmt.Errorf("messages/%s: %w", e.Name(), err)
		}
		l.group, l.decimal = l.texts["number.group"], l.texts["number.decimal"]
		all.list = append(all.list, l)
		all.byCode[l.code] = l
	}
	slices.SortStableFunc(all.list, func(a, b *language) int {
		rank := map[bool]int{true: 0, false: 1}
		return cmp.Or(rank[a.code == defaultLanguage]-rank[b.code == defaultLanguage], strings.Compare(a.code, b.code))
	})
	var tags []textlanguage.Tag
	for _, l := range all.list {
		tag, err := textlanguage.Parse(l.code)
		if err != nil {
			return nil, fmt.Errorf("messages/%s.json is not named by a language tag: %w", l.code, err)
		}
		tags = append(tags, tag)
	}
	all.matcher = textlanguage.NewMatcher(tags)
	return all, nil
}

// of returns the language of a code that choose gave, else the default.
func (all *languages) of(code string) *language {
	if l, ok := all.byCode[code]; ok {
		return l
	}
	return all.list[0]
}

// choose returns the language that fits an Accept-Language header best.
func (all *languages) choose(accept string) *language {
	if accept == "" || len(accept) > 200 {
		return all.list[0]
	}
	wanted, _, err := textlanguage.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) == 0 {
		return all.list[0]
	}
	_, index, _ := all.matcher.Match(wanted...)
	return all.list[index]
}

// text returns a message. A key that is missing, which the tests do not let
// happen, is shown as it is.
func (l *language) text(key string, args ...any) string {
	text, ok := l.texts[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// textOr returns a message that a schema's own words may have, else the other.
func (l *language) textOr(key, other string) string {
	if text, ok := l.texts[key]; ok {
		return text
	}
	return other
}

// date writes a day, in UTC: without script nobody knows the reader's zone.
func (l *language) date(t time.Time) string {
	t = t.UTC()
	return l.text("date", t.Day(), l.text(fmt.Sprintf("month.%d", int(t.Month()))), t.Year())
}

// groupFrom is how many digits before the decimal mark a number has at least to be
// grouped; years and article numbers stay whole.
const groupFrom = 5

// number writes a JSON number as the language does, digit by digit; one with an
// exponent stays as it is.
func (l *language) number(n string) string {
	if strings.ContainsAny(n, "eE") {
		return n
	}
	digits, sign := strings.CutPrefix(n, "-")
	whole, fraction, isFraction := strings.Cut(digits, ".")
	var b strings.Builder
	if sign {
		b.WriteString("−") // U+2212, as wide as a plus
	}
	for i := range len(whole) {
		if i > 0 && len(whole) >= groupFrom && (len(whole)-i)%3 == 0 {
			b.WriteString(l.group)
		}
		b.WriteByte(whole[i])
	}
	if isFraction {
		b.WriteString(l.decimal)
		b.WriteString(fraction)
	}
	return b.String()
}

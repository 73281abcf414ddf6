package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"

	textlanguage "golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed messages
var messageFiles embed.FS

// languageCodes are the languages there are, the default first.
func languageCodes() []string { return []string{"en", "de"} }

// language is one language of the pages.
type language struct {
	code    string
	texts   map[string]string // by key; %-verbs as in package fmt
	printer *message.Printer  // groups numbers
}

// languages are all of them.
type languages struct {
	list    []*language
	matcher textlanguage.Matcher
}

func loadLanguages() (*languages, error) {
	all := &languages{}
	var tags []textlanguage.Tag
	for _, code := range languageCodes() {
		tag, err := textlanguage.Parse(code)
		if err != nil {
			return nil, err
		}
		l := &language{code: code, texts: map[string]string{}, printer: message.NewPrinter(tag)}
		if err := l.load(); err != nil {
			return nil, err
		}
		all.list = append(all.list, l)
		tags = append(tags, tag)
	}
	all.matcher = textlanguage.NewMatcher(tags)
	return all, nil
}

// load reads the language's files: one for each part of the pages, and no key twice.
func (l *language) load() error {
	files, err := fs.Glob(messageFiles, "messages/"+l.code+"/*.json")
	if err != nil {
		return err
	}
	for _, name := range files {
		file, err := messageFiles.ReadFile(name)
		if err != nil {
			return err
		}
		var texts map[string]string
		if err := json.Unmarshal(file, &texts); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for key, text := range texts {
			if _, twice := l.texts[key]; twice {
				return fmt.Errorf("%s: %s is in another file too", name, key)
			}
			l.texts[key] = text
		}
	}
	return nil
}

// choose returns the language that fits a request's Accept-Language best
// (RFC 9110, section 12.5.4).
func (all *languages) choose(accept string) *language {
	if len(accept) > 200 {
		return all.list[0]
	}
	wanted, _, err := textlanguage.ParseAcceptLanguage(accept)
	if err != nil {
		return all.list[0]
	}
	_, index, _ := all.matcher.Match(wanted...)
	return all.list[index]
}

// text returns a message. args stand where it has verbs; numbers are grouped as
// the language does it. A key that is missing, which the tests do not let happen, is
// shown as it is.
func (l *language) text(key string, args ...any) string {
	text, ok := l.texts[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return l.printer.Sprintf(text, args...)
}

// number writes a number with its digits grouped.
func (l *language) number(n int64) string { return l.printer.Sprintf("%d", n) }

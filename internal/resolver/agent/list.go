package agent

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"mintage"
)

//go:embed agents.txt
var agentsFile string

// list is agents.txt, ready to look words up.
type list struct {
	words    map[string]mintage.AgentClass
	prefixes []affix
	suffixes []affix
}

type affix struct {
	text  string
	class mintage.AgentClass
}

var agents = func() *list {
	l, err := parseList(agentsFile)
	if err != nil {
		panic(err) // embedded, and the tests read it
	}
	return l
}()

// Classes of words that are no classes of a request; agents.txt says what they are.
const (
	app     mintage.AgentClass = "app"
	person  mintage.AgentClass = "person"
	library mintage.AgentClass = "library"
)

func parseList(file string) (*list, error) {
	l := &list{words: map[string]mintage.AgentClass{}}
	n := 0
	for line := range strings.Lines(file) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, word, ok := strings.Cut(line, " ")
		class := mintage.AgentClass(name)
		if !ok || !slices.Contains([]mintage.AgentClass{mintage.AgentRobot, mintage.AgentMachine, app, person, library}, class) {
			return nil, fmt.Errorf("line %d of the list of agents has no class or word", n)
		}
		prefix, isPrefix := strings.CutSuffix(word, "*")
		suffix, isSuffix := strings.CutPrefix(word, "*")
		switch bare := strings.Trim(word, "*"); {
		case isPrefix && isSuffix, bare == "", strings.Contains(bare, "*"), bare != strings.ToLower(bare), strings.ContainsFunc(bare, notOfWord):
			return nil, fmt.Errorf("line %d of the list of agents has a word that is never found", n)
		case isPrefix:
			l.prefixes = append(l.prefixes, affix{prefix, class})
		case isSuffix:
			l.suffixes = append(l.suffixes, affix{suffix, class})
		default:
			if _, ok := l.words[bare]; ok {
				return nil, fmt.Errorf("line %d of the list of agents is there twice", n)
			}
			l.words[bare] = class
		}
	}
	return l, nil
}

// listed is the class of the header's words: robot if one of them is, else app,
// machine or library if one is, else "".
func listed(userAgent string) mintage.AgentClass {
	found := mintage.AgentClass("")
	lower := strings.ToLower(userAgent)
	for lower != "" {
		var word string
		word, lower = nextWord(lower)
		found = stronger(found, agents.classOf(word))
		if found == mintage.AgentRobot {
			break
		}
	}
	return found
}

// onlyLibraries reports whether the header's products, which are its words outside of
// comments (RFC 9110, section 10.1.5), are all libraries.
func onlyLibraries(userAgent string) bool {
	rest := strings.ToLower(withoutComments(userAgent))
	found := false
	for rest != "" {
		var word string
		if word, rest = nextWord(rest); word == "" {
			continue
		}
		if agents.classOf(word) != library {
			return false
		}
		found = true
	}
	return found
}

// withoutComments cuts what is in parentheses, also in those of comments.
func withoutComments(userAgent string) string {
	var b strings.Builder
	depth := 0
	for i := range len(userAgent) {
		switch c := userAgent[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth = max(0, depth-1)
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// stronger is the class that counts of two; person counts for nothing.
func stronger(a, b mintage.AgentClass) mintage.AgentClass {
	for _, class := range []mintage.AgentClass{mintage.AgentRobot, app, mintage.AgentMachine, library} {
		if a == class || b == class {
			return class
		}
	}
	return ""
}

// nextWord cuts the first word off. What follows a "/" is a version and no word.
func nextWord(text string) (word, rest string) {
	start := 0
	for start < len(text) && notOfWord(rune(text[start])) {
		if text[start] == '/' {
			for start+1 < len(text) && !notOfWord(rune(text[start+1])) {
				start++
			}
		}
		start++
	}
	end := start
	for end < len(text) && !notOfWord(rune(text[end])) {
		end++
	}
	return text[start:end], text[end:]
}

func notOfWord(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !separator(r)
}

// separator is what joins the parts of a word.
func separator(r rune) bool { return r == '-' || r == '_' || r == '.' }

// classOf looks a word up as a whole, then its parts.
func (l *list) classOf(word string) mintage.AgentClass {
	if class := l.classOfPart(word); class != "" {
		return class
	}
	if !strings.ContainsFunc(word, separator) {
		return ""
	}
	found := mintage.AgentClass("")
	for part := range strings.FieldsFuncSeq(word, separator) {
		found = stronger(found, l.classOfPart(part))
	}
	return found
}

func (l *list) classOfPart(word string) mintage.AgentClass {
	if class, ok := l.words[word]; ok {
		return class
	}
	for _, a := range l.suffixes {
		if strings.HasSuffix(word, a.text) {
			return a.class
		}
	}
	for _, a := range l.prefixes {
		if strings.HasPrefix(word, a.text) {
			return a.class
		}
	}
	return ""
}

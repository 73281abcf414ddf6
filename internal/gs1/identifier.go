package gs1

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed identifiers.txt
var identifierTable string

// identifiers are all GS1 Application Identifiers (AIs) by their digits.
var identifiers, identifierLengths = mustReadIdentifiers(identifierTable)

// identifier says what the value of one AI may be and where a Digital Link may
// carry it.
type identifier struct {
	ai         string
	role       string // roleKey, roleAttribute, roleQualifier or roleNone
	parts      []part
	minLength  int        // of a value, in characters
	maxLength  int        // likewise
	qualifiers [][]string // of a primary key: alternatives, each in path order
	packed     []packedPart
}

// The roles that an AI may have in a Digital Link, as identifiers.txt names them.
const (
	roleKey       = "key"
	roleAttribute = "attr"
	roleQualifier = "qual"
	roleNone      = "none"
)

// part is one component of a value.
type part struct {
	set      byte // N, X, Y or Z
	min, max int  // length in characters
	optional bool // may be absent at the end of the value
	rules    []rule
}

// isKey reports whether the AI is a primary key.
func (id *identifier) isKey() bool { return id.role == roleKey }

// needsSeparator reports whether something must part a value from what follows.
// It must unless the AI's first two digits announce a predefined length (GS1
// General Specifications, figure 7.8.5-2).
func (id *identifier) needsSeparator() bool {
	switch id.ai[0] {
	case '0':
		return id.ai[1] > '4'
	case '1':
		return id.ai[1] == '0'
	case '2':
		return id.ai[1] != '0'
	case '3':
		return id.ai[1] < '1' || id.ai[1] > '6'
	case '4':
		return id.ai[1] != '1'
	}
	return true
}

// allows reports whether the qualifiers may follow this key in this order.
func (id *identifier) allows(qualifiers []string) bool {
	if len(qualifiers) == 0 {
		return true
	}
	for _, alternative := range id.qualifiers {
		next := 0
		for _, ai := range alternative {
			if next < len(qualifiers) && qualifiers[next] == ai {
				next++
			}
		}
		if next == len(qualifiers) {
			return true
		}
	}
	return false
}

// wouldAllow reports whether one more qualifier could have followed this key,
// wherever it is put among the others.
func (id *identifier) wouldAllow(qualifiers []string, ai string) bool {
	for _, alternative := range id.qualifiers {
		if !slices.Contains(alternative, ai) {
			continue
		}
		if !slices.ContainsFunc(qualifiers, func(q string) bool { return !slices.Contains(alternative, q) }) {
			return true
		}
	}
	return false
}

// validate checks a value against the AI's format and rules.
func (id *identifier) validate(value string) error {
	if len(value) < id.minLength || len(value) > id.maxLength {
		if id.minLength == id.maxLength {
			return invalid("The value of AI %s has %d characters; it must have %d.", id.ai, utf8.RuneCountInString(value), id.maxLength)
		}
		return invalid("The value of AI %s has %d characters; it may have %d to %d.", id.ai, utf8.RuneCountInString(value), id.minLength, id.maxLength)
	}
	start := 0
	for i := range id.parts {
		p := &id.parts[i]
		if p.optional && start == len(value) {
			break
		}
		end := min(start+p.max, len(value))
		if end-start < p.min {
			return invalid("The value of AI %s has %d characters; it ends in the middle of a component.", id.ai, len(value))
		}
		if err := id.validatePart(p, value, start, end); err != nil {
			return err
		}
		start = end
	}
	if start < len(value) {
		return invalid("The value of AI %s has %d characters, more than its components can hold.", id.ai, len(value))
	}
	return nil
}

// validatePart checks value[start:end].
func (id *identifier) validatePart(p *part, value string, start, end int) error {
	s := value[start:end]
	if p.set == 'Z' {
		unpadded := strings.TrimRight(s, "=")
		if padding := len(s) - len(unpadded); padding > 2 || padding > 0 && len(s)%3 != 0 {
			return invalid("The value of AI %s ends in %d padding characters that do not fit its length.", id.ai, padding)
		}
		s = unpadded
	}
	for i := range len(s) {
		if !inSet(p.set, s[i]) {
			char, pos := firstOutside(value[start:], func(c byte) bool { return inSet(p.set, c) })
			return invalid("The value of AI %s has %s at position %d, which is not %s.", id.ai, char, start+pos, setNames[p.set])
		}
	}
	for _, r := range p.rules {
		if fault := r(s); fault != "" {
			return invalid("The value of AI %s %s.", id.ai, fault)
		}
	}
	return nil
}

// setNames names the character sets for messages.
var setNames = map[byte]string{
	'N': "a digit",
	'X': "in GS1's character set 82",
	'Y': "in GS1's character set 39",
	'Z': "in GS1's character set 64",
}

func inSet(set, c byte) bool {
	switch set {
	case 'N':
		return isDigit(c)
	case 'X':
		return in82(c)
	case 'Y': // figure 7.11-2
		return isDigit(c) || 'A' <= c && c <= 'Z' || c == '#' || c == '-' || c == '/'
	default: // figure 7.11-3
		return isAlnum(c) || c == '-' || c == '_'
	}
}

// mustReadIdentifiers reads the table. It also returns, by the first two digits,
// the length of every AI that begins with them, which is what lets a decoder
// find the end of an AI.
func mustReadIdentifiers(table string) (all map[string]*identifier, lengths map[string]int) {
	all, lengths = make(map[string]*identifier), make(map[string]int)
	for line := range strings.Lines(table) {
		line, _, comment := strings.Cut(strings.TrimSpace(line), "#")
		if line == "" || comment {
			continue
		}
		format, qualifiers, _ := strings.Cut(line, ">")
		fields := strings.Fields(format)
		model := identifier{role: fields[1]}
		for _, field := range fields[2:] {
			p := mustReadPart(field)
			if !p.optional {
				model.minLength += p.min
			}
			model.maxLength += p.max
			model.parts = append(model.parts, p)
		}
		model.packed = pack(model.parts)
		if qualifiers != "" {
			for alternative := range strings.SplitSeq(qualifiers, "|") {
				model.qualifiers = append(model.qualifiers, strings.Fields(alternative))
			}
		}
		for _, ai := range mustReadBlock(fields[0]) {
			if all[ai] != nil || lengths[ai[:2]] != 0 && lengths[ai[:2]] != len(ai) {
				panic("identifiers.txt: AI " + ai + " is there twice or has another length than its neighbours")
			}
			id := model
			id.ai = ai
			all[ai], lengths[ai[:2]] = &id, len(ai)
		}
	}
	return all, lengths
}

// mustReadBlock returns the AIs of the first column of a line.
func mustReadBlock(s string) []string {
	block, digits, hasDigits := strings.Cut(s, "(")
	first, last, isRange := strings.Cut(block, "-")
	if !isRange {
		last = first
	}
	var ais []string
	from, to := mustAtoi(strings.TrimSuffix(first, "n")), mustAtoi(strings.TrimSuffix(last, "n"))
	for n := from; n <= to; n++ {
		ai := fmt.Sprintf("%0*d", len(strings.TrimSuffix(first, "n")), n)
		if !hasDigits {
			ais = append(ais, ai)
			continue
		}
		low, high, _ := strings.Cut(strings.TrimSuffix(digits, ")"), "-")
		for d := mustAtoi(low); d <= mustAtoi(high); d++ {
			ais = append(ais, ai+strconv.Itoa(d))
		}
	}
	return ais
}

// mustReadPart reads one component, for example N3:country or [X..17].
func mustReadPart(s string) part {
	var p part
	if inner, ok := strings.CutPrefix(s, "["); ok {
		p.optional, s = true, strings.TrimSuffix(inner, "]")
	}
	format, names, hasRules := strings.Cut(s, ":")
	p.set = format[0]
	if setNames[p.set] == "" {
		panic("identifiers.txt: unknown character set in " + s)
	}
	if maximum, ok := strings.CutPrefix(format[1:], ".."); ok {
		p.min, p.max = 1, mustAtoi(maximum)
	} else {
		p.max = mustAtoi(format[1:])
		p.min = p.max
	}
	if hasRules {
		for name := range strings.SplitSeq(names, ":") {
			r := rules[name]
			if r == nil {
				panic("identifiers.txt: unknown rule " + name)
			}
			p.rules = append(p.rules, r)
		}
	}
	return p
}

func mustAtoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("identifiers.txt: " + err.Error())
	}
	return n
}

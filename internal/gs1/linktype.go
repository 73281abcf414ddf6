package gs1

import (
	_ "embed"
	"regexp"
	"strings"
)

//go:embed link_types.txt
var linkTypeTable string

// linkTypes are the names of the GS1 Web Vocabulary's link types.
var linkTypes = func() map[string]bool {
	names := make(map[string]bool)
	for line := range strings.Lines(linkTypeTable) {
		if name := strings.TrimSpace(line); name != "" && name[0] != '#' {
			names[name] = true
		}
	}
	return names
}()

const (
	// linkTypePrefix abbreviates Vocabulary in a link type.
	linkTypePrefix = "gs1:"
	// Vocabulary is the namespace of the GS1 Web Vocabulary.
	Vocabulary = "https://gs1.org/voc/"
)

// vocabularies are the spellings of the namespace that are in use.
var vocabularies = []string{Vocabulary, "https://www.gs1.org/voc/", "https://ref.gs1.org/voc/", "http://gs1.org/voc/", "http://www.gs1.org/voc/"}

// otherLinkType is what a link type of another vocabulary may look like: GS1's schema of
// linksets allows no more.
var otherLinkType = regexp.MustCompile(`^https?://[A-Za-z0-9._]+/[A-Za-z0-9._/]+$`)

// ParseLinkType reads a link type: one of the GS1 Web Vocabulary as gs1:pip or as a
// whole IRI, or the whole IRI of another vocabulary. It returns GS1's in the short
// form and others as they are. What a resolver says by itself, such as
// gs1:defaultLink, is none.
func ParseLinkType(s string) (string, error) {
	name, ofGS1 := strings.CutPrefix(s, linkTypePrefix)
	for _, v := range vocabularies {
		if !ofGS1 {
			name, ofGS1 = strings.CutPrefix(s, v)
		}
	}
	switch {
	case ofGS1 && linkTypes[name]:
		return linkTypePrefix + name, nil
	case ofGS1:
		return "", invalid("The GS1 Web Vocabulary has no such link type; one that it has is gs1:pip.")
	case len(s) > 200 || !otherLinkType.MatchString(s):
		return "", invalid("A link type is one of the GS1 Web Vocabulary, such as gs1:pip, or the IRI of another vocabulary's: https:// with letters, digits, dots, underscores and slashes.")
	}
	return s, nil
}

// LinkTypeIRI returns the whole IRI of a link type that [ParseLinkType] returned.
func LinkTypeIRI(linkType string) string {
	if name, ok := strings.CutPrefix(linkType, linkTypePrefix); ok {
		return Vocabulary + name
	}
	return linkType
}

package dpp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Limits. The schemas we ship stay far below them.
const (
	maxDocument = 256 << 10 // bytes
	maxDepth    = 32        // nested objects and lists, also of attributes
	maxValues   = 10_000    // JSON values; compiling takes the square of it
	maxUnfolded = 2_000     // schemas, with every reference replaced by its target
	maxWork     = 500_000   // unfolded schemas times values of the attributes: a second or two at worst
	maxNumber   = 64        // characters of a number
	maxExponent = 300       // beyond it exact arithmetic becomes slow, then impossible
)

// scan refuses what the decoder would let pass (duplicate names, broken UTF-8)
// and what would make later steps slow.
func scan(document []byte) error {
	if len(document) > maxDocument {
		return invalid("", "The DPP schema is larger than %d KiB; shorten it.", maxDocument>>10)
	}
	if !utf8.Valid(document) {
		return invalid("", "The DPP schema is not valid UTF-8.")
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	s := scanner{decoder: decoder}
	if err := s.value("", 0); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return invalid("", "The DPP schema has something after its end; it must be one JSON object.")
	}
	return nil
}

type scanner struct {
	decoder *json.Decoder
	values  int
}

func (s *scanner) value(at string, depth int) error {
	token, err := s.decoder.Token()
	if err != nil {
		return invalid(at, "The DPP schema is not valid JSON (near byte %d).", s.decoder.InputOffset()).WithCause(err)
	}
	if s.values++; s.values > maxValues {
		return invalid("", "The DPP schema has more than %d values; shorten it.", maxValues)
	}
	switch token := token.(type) {
	case json.Number:
		if !exact(token) {
			return invalid(at, "The number at %s of the DPP schema is too long or too large.", at)
		}
	case json.Delim:
		if depth == maxDepth {
			return invalid(at, "The DPP schema nests deeper than %d levels; flatten it.", maxDepth)
		}
		return s.container(token, at, depth+1)
	}
	return nil
}

func (s *scanner) container(open json.Delim, at string, depth int) error {
	seen := map[string]bool{}
	for i := 0; s.decoder.More(); i++ {
		name := strconv.Itoa(i)
		if open == '{' {
			token, err := s.decoder.Token()
			if err != nil {
				return invalid(at, "The DPP schema is not valid JSON (near byte %d).", s.decoder.InputOffset()).WithCause(err)
			}
			name = token.(string) // the decoder allows nothing else before a colon
			if seen[name] {
				return invalid(at+pointer(name), "The DPP schema has %s twice; keep one.", at+pointer(name))
			}
			seen[name] = true
		}
		if err := s.value(at+pointer(name), depth); err != nil {
			return err
		}
	}
	if _, err := s.decoder.Token(); err != nil { // the closing bracket
		return invalid(at, "The DPP schema is not valid JSON (near byte %d).", s.decoder.InputOffset()).WithCause(err)
	}
	return nil
}

// exact reports whether the validator can calculate with the number. It uses
// rationals: a few bytes such as 1e999999 would otherwise cost megabytes, and
// larger exponents make it panic.
func exact(n json.Number) bool {
	if len(n) > maxNumber {
		return false
	}
	i := strings.IndexAny(string(n), "eE")
	if i < 0 {
		return true
	}
	exponent, err := strconv.Atoi(string(n[i+1:]))
	return err == nil && -maxExponent <= exponent && exponent <= maxExponent
}

// unfold bounds the work of one validation: it counts the schemas as if every
// reference were replaced by its target, and refuses references in a circle.
// Without it, thirty lines of allOf that refer to each other twice would keep a
// processor busy for hours.
type unfold struct {
	size map[*jsonschema.Schema]int // 0 while its parts are being counted
}

func (u *unfold) count(s *jsonschema.Schema) (int, error) {
	if size, ok := u.size[s]; ok {
		if size == 0 {
			return 0, invalid("", "The DPP schema refers to itself in a circle; attributes have a fixed depth, so spell it out.")
		}
		return size, nil
	}
	u.size[s] = 0
	total := 1
	for _, part := range parts(s) {
		n, err := u.count(part)
		if err != nil {
			return 0, err
		}
		if total += n; total > maxUnfolded {
			return 0, invalid("", "The references of the DPP schema unfold into more than %d schemas; simplify it.", maxUnfolded)
		}
	}
	u.size[s] = total
	return total, nil
}

// parts lists the schemas that the schema applies, in no particular order.
func parts(s *jsonschema.Schema) []*jsonschema.Schema {
	all := []*jsonschema.Schema{
		s.Ref, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties,
		s.Contains, s.Items2020, s.UnevaluatedItems,
	}
	if s.DynamicRef != nil {
		all = append(all, s.DynamicRef.Ref)
	}
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
		all = append(all, list...)
	}
	for _, byName := range []map[string]*jsonschema.Schema{s.Properties, s.DependentSchemas} {
		for _, part := range byName {
			all = append(all, part)
		}
	}
	for _, part := range s.PatternProperties {
		all = append(all, part)
	}
	if part, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		all = append(all, part)
	}
	for _, dependency := range s.Dependencies {
		if part, ok := dependency.(*jsonschema.Schema); ok {
			all = append(all, part)
		}
	}
	used := all[:0]
	for _, part := range all {
		if part != nil {
			used = append(used, part)
		}
	}
	return used
}

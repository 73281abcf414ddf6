package dpp

import (
	"encoding/json"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mintage/internal/strictjson"
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

// documentRules keep a DPP schema to what later steps can take.
var documentRules = strictjson.Rules{
	Bytes: maxDocument, Depth: maxDepth, Values: maxValues, Digits: maxNumber, Exponent: maxExponent,
}

// scan refuses what two readers could understand differently and what would make
// later steps slow.
func scan(document []byte) error {
	if fault := documentRules.Check(document); fault != nil {
		at := fault.Pointer()
		if fault.Kind == strictjson.TooMany || fault.Kind == strictjson.NotObject {
			at = "" // the whole is to blame
		}
		return invalid(at, "%s", fault.Text("The DPP schema"))
	}
	return nil
}

// exact reports whether the validator can calculate with the number. It uses
// rationals: a few bytes such as 1e999999 would otherwise cost megabytes, and
// larger exponents make it panic.
func exact(n json.Number) bool { return documentRules.Exact(string(n)) }

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

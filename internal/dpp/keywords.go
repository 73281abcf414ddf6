package dpp

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/message"
)

const (
	keywordPrefix      = "x-mintage-"
	keywordVersion     = keywordPrefix + "version"
	keywordProvisional = keywordPrefix + "provisional"
	keywordLabel       = keywordPrefix + "label"
	keywordUnit        = keywordPrefix + "unit"
	keywordAccess      = keywordPrefix + "access"
	keywordLevel       = keywordPrefix + "level"
	keywordGroup       = keywordPrefix + "group"
	keywordSource      = keywordPrefix + "source"
	keywordSum         = keywordPrefix + "sum"
)

const (
	// The address is only a name. Relative references resolve against it, and
	// nothing is ever loaded from it.
	schemaURL     = "mintage:///dpp/schema"
	vocabularyURL = "mintage:///dpp/vocabulary"
)

// vocabularySchema says what our keywords look like, and narrows a few of the
// standard ones. It is applied to every schema object of the document, beside
// the 2020-12 metaschema.
const vocabularySchema = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": ["object", "boolean"],
	"properties": {
		"$schema": {"enum": ["https://json-schema.org/draft/2020-12/schema"]},
		"$dynamicRef": false,
		"propertyNames": false,
		"minLength": {"$ref": "#/$defs/count"}, "maxLength": {"$ref": "#/$defs/count"},
		"minItems": {"$ref": "#/$defs/count"}, "maxItems": {"$ref": "#/$defs/count"},
		"minContains": {"$ref": "#/$defs/count"}, "maxContains": {"$ref": "#/$defs/count"},
		"minProperties": {"$ref": "#/$defs/count"}, "maxProperties": {"$ref": "#/$defs/count"},
		"x-mintage-version": {"type": "string", "minLength": 1, "maxLength": 40},
		"x-mintage-provisional": {"type": "boolean"},
		"x-mintage-label": {
			"type": "object",
			"patternProperties": {"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": {"type": "string", "minLength": 1, "maxLength": 200}},
			"additionalProperties": false
		},
		"x-mintage-unit": {"type": "string", "maxLength": 40},
		"x-mintage-access": {"enum": ["public", "legitimate_interest", "authorities"]},
		"x-mintage-level": {"enum": ["model", "batch", "item"]},
		"x-mintage-group": {"type": "string", "maxLength": 60},
		"x-mintage-source": {"type": "string", "maxLength": 400},
		"x-mintage-sum": {
			"type": "object",
			"properties": {"member": {"type": "string"}, "equals": {"type": "number"}},
			"required": ["member", "equals"],
			"additionalProperties": false
		}
	},
	"$defs": {"count": {"maximum": 2147483647}}
}`

var vocabulary = sync.OnceValue(func() *jsonschema.Vocabulary {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(vocabularySchema))
	if err != nil {
		panic(err) // a constant
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(vocabularyURL, document); err != nil {
		panic(err)
	}
	return &jsonschema.Vocabulary{
		URL:     vocabularyURL,
		Schema:  compiler.MustCompile(vocabularyURL),
		Compile: compileSum,
	}
})

// nothing is the loader of all other documents: there are none.
type nothing struct{}

func (nothing) Load(string) (any, error) { return nil, errors.New("a DPP schema stands alone") }

// compile turns a decoded document into a validator, and tells its unfolded size.
func compile(root map[string]any) (compiled *jsonschema.Schema, unfolded int, err error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(nothing{})
	compiler.AssertFormat()
	compiler.AssertVocabs()
	compiler.RegisterVocabulary(vocabulary())
	if err := compiler.AddResource(schemaURL, root); err != nil {
		return nil, 0, invalid("", "The DPP schema cannot be used.").WithCause(err)
	}
	compiled, err = compiler.Compile(schemaURL)
	if err != nil {
		return nil, 0, compileError(err)
	}
	counter := unfold{size: map[*jsonschema.Schema]int{}}
	unfolded, err = counter.count(compiled)
	return compiled, unfolded, err
}

// compileError says what the author of the schema has to change.
func compileError(err error) error {
	if _, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		return invalid("", `The DPP schema refers to another document ("$ref" or "$schema"); `+
			`copy what it needs into "$defs" and use draft 2020-12.`).WithCause(err)
	}
	if wrapper, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok { // it does not unwrap
		failed, _ := errors.AsType[*jsonschema.ValidationError](wrapper.Err)
		if problems := tidyProblems((&Schema{}).findings(failed), nil); len(problems) > 0 {
			first := problems[0]
			return invalid(first.Pointer, "The DPP schema is not a valid 2020-12 schema at %q: %s", first.Pointer, first.Message).WithCause(err)
		}
	}
	return invalid("", "The DPP schema is not a valid 2020-12 schema; check its references, anchors and ids.").WithCause(err)
}

// placeKeywords refuses our annotations where they would have no effect: an
// access class that does not count is worse than none.
func placeKeywords(value any, at string, depth int) error {
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			if err := placeKeywords(item, at+pointer(fmt.Sprint(i)), depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		top := depth == 2 && strings.HasPrefix(at, "/properties/")
		for _, key := range slices.Sorted(maps.Keys(value)) {
			here := at + pointer(key)
			switch key {
			case keywordVersion, keywordProvisional:
				if depth != 0 {
					return invalid(here, "%s belongs on the top of the DPP schema, not at %s.", key, here)
				}
			case keywordAccess, keywordLevel, keywordGroup, keywordSource:
				if !top {
					return invalid(here, "%s belongs on a property of the top level of the DPP schema, not at %s.", key, here)
				}
			case keywordLabel, keywordUnit, keywordSum:
			default:
				if strings.HasPrefix(key, keywordPrefix) {
					return invalid(here, "%s at %s is no keyword of mintage; check its spelling.", key, here)
				}
			}
			if err := placeKeywords(value[key], here, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// sum is the compiled form of x-mintage-sum.
type sum struct {
	member string
	equals *big.Rat
}

func compileSum(_ *jsonschema.CompilerContext, schema map[string]any) (jsonschema.SchemaExt, error) {
	keyword, ok := schema[keywordSum].(map[string]any)
	if !ok {
		return nil, nil
	}
	// The vocabulary's schema has checked both types.
	member, _ := keyword["member"].(string)
	number, _ := keyword["equals"].(json.Number)
	equals, ok := new(big.Rat).SetString(number.String())
	if !ok {
		return nil, fmt.Errorf("%s: equals is not a number", keywordSum)
	}
	return &sum{member: member, equals: equals}, nil
}

// Validate adds the members up. A member that is missing or not a number is the
// business of the item's own schema; the sum then says nothing.
func (s *sum) Validate(ctx *jsonschema.ValidatorContext, value any) {
	items, ok := value.([]any)
	if !ok || len(items) == 0 {
		return
	}
	total := new(big.Rat)
	for _, item := range items {
		object, _ := item.(map[string]any)
		number, _ := object[s.member].(json.Number)
		n, ok := new(big.Rat).SetString(number.String())
		if !ok {
			return
		}
		total.Add(total, n)
	}
	if total.Cmp(s.equals) != 0 {
		ctx.AddError(&wrongSum{s})
	}
}

// wrongSum is the kind of error that sum reports.
type wrongSum struct{ *sum }

func (*wrongSum) KeywordPath() []string { return []string{keywordSum} }

// LocalizedString completes the validator's interface; we do not use its texts.
func (k *wrongSum) LocalizedString(*message.Printer) string { return explain(k) }

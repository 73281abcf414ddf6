package dpp

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explain says what is wrong and what to do. It uses what the schema wants and
// never what the product has; the library's own texts quote the value.
func explain(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return fmt.Sprintf("Must be %s, not %s.", typeWords(k.Want), typeWords([]string{k.Got}))
	case *kind.Enum:
		return "Must be one of: " + choices(k.Want) + "."
	case *kind.Const:
		return "Must be " + choices([]any{k.Want}) + "."
	case *kind.Format:
		return "Must be " + formatWords(k.Want) + "."
	case *kind.Pattern:
		return fmt.Sprintf("Must match the pattern %s.", k.Want)
	case *kind.Minimum:
		return "Must be at least " + decimal(k.Want) + "."
	case *kind.Maximum:
		return "Must be at most " + decimal(k.Want) + "."
	case *kind.ExclusiveMinimum:
		return "Must be more than " + decimal(k.Want) + "."
	case *kind.ExclusiveMaximum:
		return "Must be less than " + decimal(k.Want) + "."
	case *kind.MultipleOf:
		return "Must be a multiple of " + decimal(k.Want) + "."
	case *kind.MinLength:
		return fmt.Sprintf("Must have at least %d characters.", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("Must have at most %d characters.", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("Must list at least %d, but has %d.", k.Want, k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("Must list at most %d, but has %d.", k.Want, k.Got)
	case *kind.UniqueItems:
		return fmt.Sprintf("Entries %d and %d are the same; keep one.", k.Duplicates[0]+1, k.Duplicates[1]+1)
	case *kind.MinProperties:
		return fmt.Sprintf("Must have at least %d fields, but has %d.", k.Want, k.Got)
	case *kind.MaxProperties:
		return fmt.Sprintf("Must have at most %d fields, but has %d.", k.Want, k.Got)
	case *kind.Contains, *kind.MinContains:
		return "Lacks an entry that the DPP schema demands."
	case *kind.MaxContains:
		return "Has too many entries of one sort."
	case *kind.FalseSchema:
		return "Is not allowed here; remove it."
	case *kind.OneOf:
		return "Fits more than one of the forms of which the DPP schema allows one."
	case *kind.Not:
		return "Has a form that the DPP schema forbids."
	case *kind.PropertyNames:
		return `A name under "patternProperties" is not a valid RE2 regular expression, or one under "$vocabulary" not a web address.`
	case *wrongSum:
		return fmt.Sprintf("The %q of all entries must add up to exactly %s.", k.member, decimal(k.equals))
	}
	return "Does not fit the DPP schema."
}

// expectation describes the attribute's value: ", a number in Ah".
func expectation(a Attribute) string {
	if a.Type == "" {
		return ""
	}
	words := ", " + typeWords([]string{a.Type})
	if a.Unit != "" {
		words += " in " + a.Unit
	}
	return words
}

func typeWords(types []string) string {
	words := make([]string, len(types))
	for i, t := range types {
		switch t {
		case "string":
			words[i] = "text"
		case "number":
			words[i] = "a number"
		case "integer":
			words[i] = "a whole number"
		case "boolean":
			words[i] = "true or false"
		case "array":
			words[i] = "a list"
		case "object":
			words[i] = "an object"
		default:
			words[i] = "empty"
		}
	}
	return strings.Join(words, " or ")
}

func formatWords(format string) string {
	switch format {
	case "date":
		return "a date such as 2027-03-31"
	case "date-time":
		return "a date and time such as 2027-03-31T08:30:00Z"
	case "uri", "iri":
		return "a web address such as https://example.com/page"
	case "email":
		return "an e-mail address"
	case "regex":
		return "a valid RE2 regular expression"
	}
	return "of the format " + format
}

// choices lists what the schema allows; a long list is cut.
func choices(values []any) string {
	const most = 20
	words := make([]string, 0, most)
	for i, value := range values {
		if i == most {
			words = append(words, "…")
			break
		}
		if text, ok := value.(string); ok {
			words = append(words, text)
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			encoded = []byte("?") // cannot happen: it was decoded from JSON
		}
		words = append(words, string(encoded))
	}
	return strings.Join(words, ", ")
}

// decimal writes a rational as people do; those in a schema are decimals.
func decimal(r *big.Rat) string {
	if digits, exact := r.FloatPrec(); exact {
		return r.FloatString(digits)
	}
	return r.RatString()
}

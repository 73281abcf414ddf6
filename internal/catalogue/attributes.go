package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"unicode/utf8"

	"mintage"
)

// Limits of a product's attributes.
const (
	maxAttributes     = 64 << 10 // bytes
	maxAttributeDepth = 20       // nested objects and lists, the outermost counted
)

// parseAttributes reads a JSON object strictly. What encoding/json lets pass and
// what two readers could understand differently (a name given twice) is refused.
// Numbers keep their digits.
func parseAttributes(raw json.RawMessage) (map[string]any, error) {
	if len(raw) > maxAttributes {
		return nil, invalid("attributes", "The attributes are larger than %d KiB; shorten them.", maxAttributes>>10)
	}
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	value, err := decodeJSON(raw)
	if err != nil {
		return nil, invalid("attributes", "The attributes are not valid JSON.").WithCause(err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, invalid("attributes", "The attributes must be a JSON object.")
	}
	return object, nil
}

func decodeJSON(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// checkJSON refuses what is not exactly one JSON value, names given twice and
// too deep nesting. It does not recurse: depth is what it is to bound.
func checkJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return invalid("attributes", "The attributes are not valid UTF-8.")
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	type level struct {
		names   map[string]bool // nil in a list
		isValue bool            // in an object: a name was read, its value comes
	}
	var levels []level
	for values := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && len(levels) == 0 && values == 1 {
			return nil
		}
		if err != nil || len(levels) == 0 && values == 1 {
			return invalid("attributes", "The attributes are not valid JSON (near byte %d).", decoder.InputOffset()).WithCause(err)
		}
		if len(levels) == 0 {
			values++
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			levels = levels[:len(levels)-1]
			continue
		}
		if len(levels) > 0 {
			if top := &levels[len(levels)-1]; top.names != nil {
				if name, ok := token.(string); ok && !top.isValue {
					if top.names[name] {
						return invalid("attributes", "The attributes have a name twice in one object (near byte %d); keep one.", decoder.InputOffset())
					}
					top.names[name], top.isValue = true, true
					continue
				}
				top.isValue = false
			}
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{names: map[string]bool{}})
		case json.Delim('['):
			levels = append(levels, level{})
		}
		if len(levels) > maxAttributeDepth {
			return invalid("attributes", "The attributes nest deeper than %d levels; flatten them.", maxAttributeDepth)
		}
	}
}

// encodeAttributes is the inverse of parseAttributes, under the same limits.
func encodeAttributes(object map[string]any) (json.RawMessage, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return nil, mintage.Errorf(mintage.CodeInternal, "The attributes could not be written.").WithCause(err)
	}
	raw := bytes.TrimSpace(text.Bytes())
	_, err := parseAttributes(raw)
	return raw, err
}

// compactAttributes checks attributes as they came and drops the space between
// their tokens; digits and the order of names stay.
func compactAttributes(raw json.RawMessage) (json.RawMessage, error) {
	if raw == nil {
		return json.RawMessage("{}"), nil
	}
	if _, err := parseAttributes(raw); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := json.Compact(&text, raw); err != nil {
		return nil, invalid("attributes", "The attributes are not valid JSON.").WithCause(err)
	}
	return text.Bytes(), nil
}

// patchAttributes applies a JSON merge patch (RFC 7396).
func patchAttributes(current, patch json.RawMessage) (json.RawMessage, error) {
	changes, err := parseAttributes(patch)
	if err != nil {
		return nil, err
	}
	return editAttributes(current, func(object map[string]any) { merge(object, changes) })
}

func merge(object, patch map[string]any) {
	for name, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(object, name)
		case map[string]any:
			inner, ok := object[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
			}
			merge(inner, value)
			object[name] = inner
		default:
			object[name] = value
		}
	}
}

// editAttributes returns the stored text itself where the edit changes nothing,
// so that the order of its names is no difference.
func editAttributes(current json.RawMessage, edit func(map[string]any)) (json.RawMessage, error) {
	before, err := decodeJSON(current)
	object, ok := before.(map[string]any)
	if err != nil || !ok {
		return nil, mintage.Errorf(mintage.CodeInternal, "The stored attributes cannot be read.").WithCause(err)
	}
	untouched, _ := decodeJSON(current)
	edit(object)
	if reflect.DeepEqual(untouched, any(object)) {
		return current, nil
	}
	return encodeAttributes(object)
}

package catalogue

import (
	"bytes"
	"encoding/json"
	"reflect"

	"mintage"
	"mintage/internal/strictjson"
)

const maxAttributes = 64 << 10 // bytes

// attributeRules are what a product's attributes keep to. Names that differ in
// case only are two: a DPP schema's names are exact.
var attributeRules = strictjson.Rules{Bytes: maxAttributes, Depth: 20}

// parseAttributes reads a JSON object strictly. Numbers keep their digits.
func parseAttributes(raw json.RawMessage) (map[string]any, error) {
	if fault := attributeRules.Check(raw); fault != nil {
		return nil, invalid("attributes", "%s", fault.Text("The JSON text of the attributes"))
	}
	value, err := decodeJSON(raw)
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, invalid("attributes", "The attributes are not a JSON object.").WithCause(err)
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

// checkCell holds a cell that is JSON to the rules of attributes.
func checkCell(cell string) error {
	rules := attributeRules
	rules.Lists = true
	if fault := rules.Check([]byte(cell)); fault != nil {
		return invalid("", "%s", fault.Text("The cell"))
	}
	return nil
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

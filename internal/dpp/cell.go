package dpp

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	anyNumber   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// ParseCell gives the text of a CSV cell the type that the schema wants for the
// attribute: text, json.Number, bool, or what the cell's JSON says for lists and
// objects. Space around the text is dropped; a blank cell is nil, that is, no
// value. ParseCell checks the type only: whether the value is valid is up to
// [Schema.Check].
func (s *Schema) ParseCell(attribute, cell string) (any, error) {
	a, ok := s.Attribute(attribute)
	if !ok {
		return nil, invalid("", "The DPP schema %q has no attribute of this name; check the column's heading.", s.ID)
	}
	cell = strings.TrimSpace(cell)
	if cell == "" {
		return nil, nil
	}
	switch a.Type {
	case "number":
		if !anyNumber.MatchString(cell) || !exact(json.Number(cell)) {
			return nil, invalid(a.Pointer, "%s expects a number such as 1234.5: a point for decimals, nothing between thousands, no unit.", a.Name)
		}
		return json.Number(cell), nil
	case "integer":
		if !wholeNumber.MatchString(cell) || !exact(json.Number(cell)) {
			return nil, invalid(a.Pointer, "%s expects a whole number such as 1200: nothing between thousands, no unit.", a.Name)
		}
		return json.Number(cell), nil
	case "boolean": // spreadsheets write TRUE
		switch strings.ToLower(cell) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, invalid(a.Pointer, "%s expects true or false.", a.Name)
	case "array":
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(cell))
		if list, ok := value.([]any); err == nil && ok {
			return list, nil
		}
		return nil, invalid(a.Pointer, `%s expects a list as JSON text, such as ["a", "b"].`, a.Name)
	case "object":
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(cell))
		if object, ok := value.(map[string]any); err == nil && ok {
			return object, nil
		}
		return nil, invalid(a.Pointer, `%s expects an object as JSON text, such as {"name": "value"}.`, a.Name)
	}
	return cell, nil
}

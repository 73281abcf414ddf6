package passport

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// value is a JSON value that remembers the order of its members, which decoding
// into a map forgets.
type value struct {
	kind    valueKind
	text    string // of a string, the number's digits, "true" or "false"
	items   []value
	members []member
}

type member struct {
	name string
	value
}

type valueKind int

const (
	kindNull valueKind = iota
	kindString
	kindNumber
	kindBool
	kindList
	kindObject
)

// maxDepth bounds the values that are shown; package dpp lets a product be minted
// with less.
const maxDepth = 64

var errDeep = errors.New("the value nests too deep")

func parseValue(raw json.RawMessage) (value, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return readValue(d, 0)
}

func readValue(d *json.Decoder, depth int) (value, error) {
	token, err := d.Token()
	if err != nil {
		return value{}, err
	}
	if depth == maxDepth {
		return value{}, errDeep
	}
	switch token := token.(type) {
	case string:
		return value{kind: kindString, text: token}, nil
	case json.Number:
		return value{kind: kindNumber, text: token.String()}, nil
	case bool:
		if token {
			return value{kind: kindBool, text: "true"}, nil
		}
		return value{kind: kindBool, text: "false"}, nil
	case json.Delim:
		v := value{kind: kindList}
		if token == '{' {
			v.kind = kindObject
		}
		for d.More() {
			if v.kind == kindList {
				item, err := readValue(d, depth+1)
				if err != nil {
					return value{}, err
				}
				v.items = append(v.items, item)
				continue
			}
			name, err := d.Token()
			if err != nil {
				return value{}, err
			}
			m, err := readValue(d, depth+1)
			if err != nil {
				return value{}, err
			}
			text, _ := name.(string)
			v.members = append(v.members, member{text, m})
		}
		_, err := d.Token() // the closing one
		return v, err
	}
	return value{}, nil // null
}

// absent reports whether the value says nothing. An empty list does say something:
// that there are none.
func (v value) absent() bool {
	switch v.kind {
	case kindNull:
		return true
	case kindString:
		return strings.TrimSpace(v.text) == ""
	case kindObject:
		for _, m := range v.members {
			if !m.absent() {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// scalar reports whether the value fits on one line.
func (v value) scalar() bool { return v.kind != kindList && v.kind != kindObject }

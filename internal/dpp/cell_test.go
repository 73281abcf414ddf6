package dpp

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"mintage"
)

func TestParseCell(t *testing.T) {
	s := mustParse(t, `{"type": "object", "properties": {
		"text": {"type": "string"}, "number": {"type": "number"}, "whole": {"type": "integer"}, "flag": {"type": "boolean"},
		"list": {"type": "array"}, "object": {"type": "object"}, "free": {}}}`)
	for _, c := range []struct {
		attribute, cell string
		want            any
		says            string // of the error
	}{
		{"text", " NMC 811 ", "NMC 811", ""},
		{"text", "12", "12", ""},
		{"text", " \t", nil, ""},
		{"number", "", nil, ""},
		{"number", "36", json.Number("36"), ""},
		{"number", " -0.50 ", json.Number("-0.50"), ""},
		{"number", "123456789012345678901234567890.1", json.Number("123456789012345678901234567890.1"), ""},
		{"number", "1.5e3", json.Number("1.5e3"), ""},
		{"number", "36,5", nil, "1234.5"},
		{"number", "1 000", nil, "1234.5"},
		{"number", "36 V", nil, "unit"},
		{"number", "+3", nil, "1234.5"},
		{"number", "007", nil, "1234.5"},
		{"number", "NaN", nil, "1234.5"},
		{"number", "0x10", nil, "1234.5"},
		{"number", "1e999", nil, "1234.5"},
		{"whole", "800", json.Number("800"), ""},
		{"whole", "800.0", nil, "whole number"},
		{"whole", "1.200", nil, "whole number"},
		{"flag", "true", true, ""},
		{"flag", "FALSE", false, ""},
		{"flag", "yes", nil, "true or false"},
		{"list", `[{"fibre": "wool", "percent": 100}]`, []any{map[string]any{"fibre": "wool", "percent": json.Number("100")}}, ""},
		{"list", `[]`, []any{}, ""},
		{"list", `wool`, nil, "list as JSON"},
		{"list", `{}`, nil, "list as JSON"},
		{"list", `[] []`, nil, "list as JSON"},
		{"object", `{"anode": "graphite"}`, map[string]any{"anode": "graphite"}, ""},
		{"object", `[]`, nil, "object as JSON"},
		{"free", "as it is", "as it is", ""},
		{"absent", "x", nil, "no attribute"},
		{"absent", "", nil, "no attribute"},
	} {
		got, err := s.ParseCell(c.attribute, c.cell)
		if c.says == "" {
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s %q: %#v, %v; want %#v", c.attribute, c.cell, got, err, c.want)
			}
			continue
		}
		e, ok := errors.AsType[*mintage.Error](err)
		if !ok || e.Code != mintage.CodeInvalidInput || !strings.Contains(e.Message, c.says) || got != nil {
			t.Errorf("%s %q: %#v, %v; want an error with %q", c.attribute, c.cell, got, err, c.says)
		}
		if ok && c.attribute != "absent" && e.Field != "/"+c.attribute {
			t.Errorf("%s %q: field %q", c.attribute, c.cell, e.Field)
		}
	}
}

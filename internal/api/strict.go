package api

import (
	"bytes"
	"encoding/json"
	"strconv"

	"mintage"
	"mintage/internal/strictjson"
)

// bodyRules are what a JSON body keeps to. Names that differ in case only count
// as the same: what decodes bodies after us might ignore case.
var bodyRules = strictjson.Rules{Depth: 32, FoldNames: true}

// checkJSON refuses a body that is not one JSON object which every reader
// understands in the same way. The error says where and repeats nothing.
func checkJSON(data []byte) error {
	if fault := bodyRules.Check(data); fault != nil {
		return newProblem(codeMalformed, fault.Text("The body"))
	}
	return nil
}

// decodeAny decodes JSON for huma to check. Integers that are written as such
// and fit become int64; any other number stays as it is written.
func decodeAny(data []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, mintage.Errorf(codeMalformed, "The body is not valid JSON.").WithCause(err)
	}
	return plainIntegers(value), nil
}

func plainIntegers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(v) {
			return n
		}
	case []any:
		for i := range v {
			v[i] = plainIntegers(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = plainIntegers(v[name])
		}
	}
	return value
}

// sizeText writes a limit as people say it.
func sizeText(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return strconv.FormatInt(bytes>>20, 10) + " MiB"
	case bytes >= 1<<10:
		return strconv.FormatInt(bytes>>10, 10) + " KiB"
	}
	return strconv.FormatInt(bytes, 10) + " bytes"
}

package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"mintage"
)

// maxDepth bounds how deep objects and lists may nest in a body.
const maxDepth = 32

// checkJSON refuses a body that is not one JSON object (RFC 8259) which every
// reader understands in the same way (much like RFC 7493): UTF-8 without NUL, no
// lone surrogates, no name twice in an object and none that differs from another
// only in its case. The error says where and repeats nothing.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return malformed("The body is not valid UTF-8.")
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return malformed("The body contains a NUL byte (at byte %d).", i)
	}
	if !json.Valid(data) {
		return malformed("The body is not valid JSON, or something follows it.")
	}
	if data = bytes.TrimLeft(data, " \t\r\n"); data[0] != '{' {
		return malformed("The body must be a JSON object.")
	}
	return checkTokens(data)
}

// checkTokens goes once over JSON that is known to be well-formed.
func checkTokens(data []byte) error {
	var open []map[string]bool // names seen, one entry a level; nil for a list
	isName := false            // the next string is one
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			var names map[string]bool
			if data[i] == '{' {
				names = map[string]bool{}
			}
			open, isName = append(open, names), data[i] == '{'
			if len(open) > maxDepth {
				return malformed("The body nests deeper than %d levels (at byte %d).", maxDepth, i)
			}
		case '}', ']':
			open = open[:len(open)-1]
		case ',':
			isName = open[len(open)-1] != nil
		case '"':
			end := i + 1
			for data[end] != '"' {
				if data[end] == '\\' {
					end++
				}
				end++
			}
			if err := checkEscapes(data[i+1:end], i+1); err != nil {
				return err
			}
			if isName {
				name := fold(data[i : end+1])
				if names := open[len(open)-1]; names[name] {
					return malformed("An object has a name twice, perhaps in another case (at byte %d).", i)
				}
				open[len(open)-1][name], isName = true, false
			}
			i = end
		}
	}
	return nil
}

// checkEscapes refuses what decoders replace in silence: halves of surrogate
// pairs, and NUL, which databases do not store. text is a string without its
// quotes, at is where it begins.
func checkEscapes(text []byte, at int) error {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if text[i] != 'u' {
			continue
		}
		switch unit := codeUnit(text[i:]); {
		case unit == 0:
			return malformed("The body contains an escaped NUL (at byte %d).", at+i-1)
		case unit >= 0xD800 && unit < 0xDC00 && i+6 < len(text) && text[i+5] == '\\' && text[i+6] == 'u' && isLowSurrogate(codeUnit(text[i+6:])):
			i += 10
		case unit >= 0xD800 && unit < 0xE000:
			return malformed("The body contains half of a surrogate pair (at byte %d).", at+i-1)
		default:
			i += 4
		}
	}
	return nil
}

func isLowSurrogate(unit uint64) bool { return unit >= 0xDC00 && unit < 0xE000 }

// codeUnit reads "uXXXX"; JSON that is well-formed has four hex digits there.
func codeUnit(text []byte) uint64 {
	unit, _ := strconv.ParseUint(string(text[1:5]), 16, 32)
	return unit
}

// fold returns one spelling for all names that a decoder which ignores case, as
// Go's does, takes for the same.
func fold(quoted []byte) string {
	var name string
	_ = json.Unmarshal(quoted, &name) // well-formed
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, name)
}

func malformed(format string, args ...any) error {
	return newProblem(codeMalformed, fmt.Sprintf(format, args...))
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

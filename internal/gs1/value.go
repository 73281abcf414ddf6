package gs1

import (
	"fmt"
	"unicode/utf8"

	"mintage"
)

// MaxValueLength is the most characters that a lot code or a serial number may
// have: AIs 10 and 21 are both X..20.
const MaxValueLength = 20

// charset82Symbols is what the 82-character set has besides the 26 upper-case
// letters, the 26 lower-case letters and the 10 digits.
const charset82Symbols = `!"%&'()*+,-./:;<=>?_`

// ValidateLot says whether s can be a lot code, AI (10): 1 to 20 characters of
// the 82-character set, and neither "." nor "..".
//
// GS1 allows those two, URLs do not: every URL parser takes them for "here" and
// "one up" and removes them, percent-encoded or not (RFC 3986, section 6.2.2.3),
// so a unit that carried one could not be found by its printed URL.
func ValidateLot(s string) error {
	return validateValue("lot code", "AI 10", s)
}

// ValidateSerial says whether s can be a serial number, AI (21). The rules are
// those of [ValidateLot].
func ValidateSerial(s string) error {
	return validateValue("serial number", "AI 21", s)
}

func validateValue(noun, ai, s string) error {
	if s == "" {
		return invalid("The %s is empty; a %s (GS1 %s) has 1 to %d characters.", noun, noun, ai, MaxValueLength)
	}
	if char, pos := firstOutside(s, in82); pos > 0 {
		return invalid("The %s has %s at position %d; a %s (GS1 %s) has only the letters A to Z and a to z, digits and %s",
			noun, char, pos, noun, ai, charset82Symbols)
	}
	if len(s) > MaxValueLength { // all ASCII by now, so bytes are characters
		return invalid("The %s has %d characters; a %s (GS1 %s) has 1 to %d.", noun, len(s), noun, ai, MaxValueLength)
	}
	if isDotSegment(s) {
		return invalid("The %s is %q, which no URL can carry as a part of its path.", noun, s)
	}
	return nil
}

// in82 reports whether c belongs to the AI encodable character set 82.
func in82(c byte) bool {
	switch {
	case isAlnum(c), c == '!', c == '"', '%' <= c && c <= '/', ':' <= c && c <= '?', c == '_':
		return true
	}
	return false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool {
	return isDigit(c) || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func isDotSegment(s string) bool { return s == "." || s == ".." }

// firstOutside finds the first character of s that allowed refuses (a character
// beyond ASCII always is) and returns its name and its position, counted from
// 1 in characters. The position is 0 if there is none.
func firstOutside(s string, allowed func(byte) bool) (name string, position int) {
	for i, r := range s {
		position++
		if r >= utf8.RuneSelf || !allowed(byte(r)) {
			return charName(s[i:]), position
		}
	}
	return "", 0
}

// charName names the first character of s so that a reader can tell it from its
// look-alikes: beyond ASCII by its code point, and quoted only if it is visible.
func charName(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf("the byte 0x%02X", s[0])
	case r < utf8.RuneSelf:
		return fmt.Sprintf("%q", r)
	default:
		return fmt.Sprintf("%#U", r)
	}
}

func invalid(format string, args ...any) error {
	return mintage.Errorf(mintage.CodeInvalidInput, format, args...)
}

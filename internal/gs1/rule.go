package gs1

import (
	"slices"
	"strconv"
	"strings"
)

// rule checks one component whose length and character set are already right.
// It returns what is wrong, as the rest of a sentence that begins with "The value
// of AI …", or "".
type rule func(s string) string

// rules are what identifiers.txt may ask of a component besides length and
// character set. The sections are those of the GS1 General Specifications.
//
// The values of coupons (8110 and 8112) follow specifications of their own and
// are checked for characters and length only.
var rules = map[string]rule{
	"check":     checkRule, // check digit (7.9.1)
	"pair":      pairRule,  // check character pair (7.9.5)
	"gcp":       gcpRule,   // begins with a GS1 Company Prefix
	"date0":     date0Rule, // YYMMDD, day 00 for the end of the month
	"date":      dateRule,  // YYMMDD
	"date8":     date8Rule, // YYYYMMDD
	"time":      timeRule,  // hhmm
	"hour":      within(23, "has an hour after 23"),
	"sixty":     within(59, "has a minute or second after 59"),
	"country":   countryRule,   // ISO 3166-1, numeric
	"processor": processorRule, // the same, or 999 for more than one country
	"alpha2":    alpha2Rule,    // ISO 3166-1, two letters
	"currency":  currencyRule,  // ISO 4217, numeric
	"percent":   percentRule,   // text whose % begins a percent-encoded octet
	"latitude":  within(1800000000, "has a latitude beyond the pole"),
	"longitude": within(3600000000, "has a longitude beyond 360 degrees"),
	"flag":      oneOf("01", "has another flag than 0 or 1"),
	"minus":     oneOf("-", "ends in something other than a minus sign"),
	"zero":      oneOf("0", "does not begin with 0"),
	"nonzero":   nonzeroRule,
	"unpadded":  unpaddedRule, // no leading zero
	"winding":   oneOf("019", "has another winding direction than 0, 1 or 9"),
	"sex":       oneOf("0129", "is not a code of ISO/IEC 5218 (0, 1, 2 or 9)"),
	"piece":     pieceRule,    // piece and total, two digits each
	"sequence":  sequenceRule, // birth sequence, "1/2"
	"media":     mediaRule,    // AIDC media type
	"importer":  importerRule, // importer index of AI 7040
	"package":   packageRule,  // the form of a UN/ECE Recommendation 21 code; the list is not ours
	"letter":    letterRule,   // not digits only
	"iban":      ibanRule,     // ISO 13616
}

func checkRule(s string) string {
	if checkDigit(s[:len(s)-1]) != s[len(s)-1] {
		return "has a wrong check digit"
	}
	return ""
}

// set82 and set32 are in the order that gives a character its value.
const (
	set82 = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`
	set32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
)

// pairPrimes weigh the characters before a check pair, from the right.
var pairPrimes = [...]int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83}

func pairRule(s string) string {
	const tooShort, wrong = "is too short for a check character pair", "has a wrong check character pair"
	body := len(s) - 2
	if body < 1 {
		return tooShort
	}
	sum := 0
	for i := range body {
		sum += strings.IndexByte(set82, s[i]) * pairPrimes[body-1-i]
	}
	sum %= 1021
	if s[body] != set32[sum>>5] || s[body+1] != set32[sum&31] {
		return wrong
	}
	return ""
}

// gcpRule asks for four digits, the fewest that a GS1 Company Prefix has. Whose
// prefix it is, nobody can know offline.
func gcpRule(s string) string {
	if len(s) < 4 || !allDigits(s[:4]) {
		return "does not begin with a GS1 Company Prefix (4 digits or more)"
	}
	return ""
}

func date0Rule(s string) string {
	if s[4:] == "00" {
		s = s[:4] + "01"
	}
	return dateRule(s)
}

// dateRule takes every year that is a multiple of four for a leap year, which
// holds as long as two digits mean a year from 1901 to 2099.
func dateRule(s string) string {
	return date8Rule("20" + s)
}

func date8Rule(s string) string {
	year, month, day := number(s[:4]), number(s[4:6]), number(s[6:])
	if month < 1 || month > 12 {
		return "has a month that is not 01 to 12"
	}
	if day < 1 || day > daysIn(year, month) {
		return "has a day that its month does not have"
	}
	return ""
}

func timeRule(s string) string {
	if s[:2] > "23" || s[2:] > "59" {
		return "has a time of day after 23:59"
	}
	return ""
}

func countryRule(s string) string {
	if !countryNumbers[s] {
		return "has a country that is not a number of ISO 3166-1"
	}
	return ""
}

func processorRule(s string) string {
	if s == "999" {
		return ""
	}
	return countryRule(s)
}

func alpha2Rule(s string) string {
	if !countryLetters[s] {
		return "has a country that is not two letters of ISO 3166-1"
	}
	return ""
}

func currencyRule(s string) string {
	if !currencyNumbers[s] {
		return "has a currency that is not a number of ISO 4217"
	}
	return ""
}

func percentRule(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return "has a percent sign without two hexadecimal digits after it"
		}
		i += 2
	}
	return ""
}

func nonzeroRule(s string) string {
	if strings.Trim(s, "0") == "" {
		return "has a dimension of zero"
	}
	return ""
}

func unpaddedRule(s string) string {
	if s[0] == '0' {
		return "begins with 0"
	}
	return ""
}

func pieceRule(s string) string {
	if piece, total := s[:2], s[2:]; piece == "00" || piece > total {
		return "has a piece that is not one of its total"
	}
	return ""
}

func sequenceRule(s string) string {
	if len(s) != 3 || s[1] != '/' || !isDigit(s[0]) || !isDigit(s[2]) || s[0] == '0' || s[0] > s[2] {
		return "is not a place in a birth sequence, such as 1/2"
	}
	return ""
}

func mediaRule(s string) string {
	if n := number(s); n < 1 || 10 < n && n < 80 {
		return "is not an AIDC media type (01 to 10, 80 to 99)"
	}
	return ""
}

func importerRule(s string) string {
	if !isAlnum(s[0]) && s[0] != '-' && s[0] != '_' {
		return "has an importer index that is neither a letter, a digit, a hyphen nor an underscore"
	}
	return ""
}

func packageRule(s string) string {
	for i := range len(s) {
		if !isDigit(s[i]) && (s[i] < 'A' || s[i] > 'Z') {
			return "is not a package type of UN/ECE Recommendation 21"
		}
	}
	return ""
}

func letterRule(s string) string {
	if allDigits(s) {
		return "has digits only"
	}
	return ""
}

// ibanRule checks the country and, modulo 97, the two check digits.
func ibanRule(s string) string {
	const wrong = "is not an IBAN"
	if len(s) <= 10 || !countryLetters[s[:2]] {
		return wrong
	}
	remainder := 0
	for i := range len(s) {
		c := s[(i+4)%len(s)] // the first four characters come last
		switch {
		case isDigit(c):
			remainder = (remainder*10 + int(c-'0')) % 97
		case 'A' <= c && c <= 'Z':
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		default:
			return wrong
		}
	}
	if remainder != 1 {
		return wrong
	}
	return ""
}

// within makes the rule that a number of at most 18 digits is not above a maximum.
func within(maximum int, fault string) rule {
	return func(s string) string {
		if number(s) > maximum {
			return fault
		}
		return ""
	}
}

// oneOf makes the rule that a component is one of some characters.
func oneOf(characters, fault string) rule {
	return func(s string) string {
		if len(s) != 1 || strings.IndexByte(characters, s[0]) < 0 {
			return fault
		}
		return ""
	}
}

// number returns the value of at most 18 digits.
func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the caller has seen to digits and length
	return n
}

func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case slices.Contains([]int{4, 6, 9, 11}, month):
		return 30
	}
	return 31
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return isDigit(c) || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f'
}

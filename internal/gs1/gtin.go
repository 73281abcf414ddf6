package gs1

import "strings"

// gtinLength is the length to which every GTIN is padded; AI (01) has no other.
const gtinLength = 14

// GTIN is a Global Trade Item Number of 14 digits with a correct check digit,
// as [ParseGTIN] makes it. The zero value means that a product has none.
type GTIN string

// ParseGTIN reads a GTIN-8, GTIN-12, GTIN-13 or GTIN-14 and pads it with zeros
// on the left to 14 digits, so that the four spellings of one number are equal.
//
// It refuses anything but ASCII digits (spaces and hyphens too), every other
// length, a wrong check digit and the number zero, which no one was ever
// assigned although its check digit is right.
func ParseGTIN(s string) (GTIN, error) {
	if s == "" {
		return "", invalid("The GTIN is empty.")
	}
	if char, pos := firstOutside(s, isDigit); pos > 0 {
		return "", invalid("The GTIN has %s at position %d; a GTIN has digits only.", char, pos)
	}
	switch len(s) {
	case 8, 12, 13, 14:
	case 1:
		return "", invalid("The GTIN has 1 digit; a GTIN has 8, 12, 13 or 14.")
	default:
		return "", invalid("The GTIN has %d digits; a GTIN has 8, 12, 13 or 14.", len(s))
	}
	if strings.Trim(s, "0") == "" {
		return "", invalid("The GTIN is all zeros.")
	}
	body, got := s[:len(s)-1], s[len(s)-1]
	if want := checkDigit(body); got != want {
		return "", invalid("The GTIN ends in the check digit %c, but its other digits call for %c.", got, want)
	}
	return GTIN(strings.Repeat("0", gtinLength-len(s)) + s), nil
}

// CheckDigit returns the check digit, '0' to '9', of a GS1 number whose other
// digits are given. Any length from 1 works, since the weights count from the
// right; leading zeros change nothing. It refuses the empty string and
// anything but ASCII digits.
func CheckDigit(digits string) (byte, error) {
	if digits == "" {
		return 0, invalid("There are no digits to compute a check digit from.")
	}
	if char, pos := firstOutside(digits, isDigit); pos > 0 {
		return 0, invalid("There is %s at position %d; a check digit is computed from digits only.", char, pos)
	}
	return checkDigit(digits), nil
}

// checkDigit weighs the digits 3, 1, 3, … from the right and returns what is
// missing to a multiple of ten.
func checkDigit(digits string) byte {
	sum, weight := 0, 3
	for i := len(digits) - 1; i >= 0; i-- {
		sum = (sum + weight*int(digits[i]-'0')) % 10
		weight = 4 - weight
	}
	return byte('0' + (10-sum)%10)
}

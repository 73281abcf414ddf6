package serial

import (
	"unicode/utf8"

	"mintage"
)

const (
	// Length is the number of characters of a code.
	Length = 12
	// Domain is the number of codes: 12 characters of 5 bits.
	Domain = 1 << 60
	// MaxOrdinal bounds the ordinals that codes may ever stand for. A code that
	// deciphers to MaxOrdinal or more was never issued and never will be. Databases
	// stop earlier (see [mintage.MaxProductUnits]); the ordinals between are kept
	// free, so that they can be made to hold more.
	MaxOrdinal = 1 << 40
)

// alphabet is Crockford's base32. It ascends in ASCII, so codes sort as text as
// they do as numbers.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// noDigit marks the bytes that are not in the alphabet.
const noDigit = 0xFF

var digits = func() (table [256]byte) {
	for i := range table {
		table[i] = noDigit
	}
	for i := range len(alphabet) {
		table[alphabet[i]] = byte(i)
	}
	return table
}()

// Code is the public number of a unit within its product, below [Domain]. It
// says nothing about the unit to those who lack the brand's key.
type Code uint64

// String returns the code's 12 characters, upper case, most significant first.
func (c Code) String() string {
	var b [Length]byte
	return string(c.AppendTo(b[:0]))
}

// AppendTo appends the code's 12 characters to b.
func (c Code) AppendTo(b []byte) []byte {
	return appendDigits(b, uint64(c), Length)
}

// ParseCode reads the 12 characters of a code. It is strict: upper case only,
// and I, L, O and U are not read as anything else, so that each code has exactly
// one spelling. Otherwise the error is a [mintage.Error] with
// [mintage.CodeInvalidInput] that names the first wrong character and its place.
func ParseCode(s string) (Code, error) {
	n, err := parseDigits(s, "code", Length)
	return Code(n), err
}

// appendDigits appends the last count base32 digits of n.
func appendDigits(b []byte, n uint64, count int) []byte {
	for shift := 5 * (count - 1); shift >= 0; shift -= 5 {
		b = append(b, alphabet[n>>shift&31])
	}
	return b
}

// parseDigits reads exactly count base32 digits; what names them in the error.
func parseDigits(s, what string, count int) (uint64, error) {
	if len(s) != count {
		return 0, malformed(s, what, count)
	}
	var n uint64
	for i := range len(s) {
		digit := digits[s[i]]
		if digit == noDigit {
			return 0, malformed(s, what, count)
		}
		n = n<<5 | uint64(digit)
	}
	return n, nil
}

// malformed says why s is not count base32 digits. It counts characters, not
// bytes, as the people do who read it.
func malformed(s, what string, count int) error {
	if n := utf8.RuneCountInString(s); n != count {
		return mintage.Errorf(mintage.CodeInvalidInput, "A %s has %d characters, this one has %d.", what, count, n)
	}
	position := 0
	for _, r := range s {
		position++
		if r >= utf8.RuneSelf || digits[r] == noDigit {
			return mintage.Errorf(mintage.CodeInvalidInput,
				"The %s has %q at position %d; only the characters %s are allowed.", what, r, position, alphabet)
		}
	}
	panic("serial: malformed called with well-formed digits")
}

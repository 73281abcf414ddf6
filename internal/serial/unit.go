package serial

import (
	"crypto/rand"
	"encoding/binary"
	"strings"

	"mintage"
)

// ProductCodeLength is the number of characters of a product code.
const ProductCodeLength = 8

// NewProductCode draws a product code: 8 characters of base32, 40 random bits.
// Two draws can be equal (among a million products the odds are about even), so
// the caller lets the database refuse a code that is taken and draws again.
func NewProductCode() string {
	var random [8]byte
	rand.Read(random[:]) // never fails: the program ends instead
	n := binary.BigEndian.Uint64(random[:])
	return string(appendDigits(nil, n, ProductCodeLength))
}

// ParseProductCode tells whether s is a product code, as strictly as [ParseCode].
func ParseProductCode(s string) error {
	_, err := parseDigits(s, "product code", ProductCodeLength)
	return err
}

// Unit is the public id of one unit, unique across all products.
type Unit struct {
	ProductCode string
	Code        Code
}

// String returns "{product code}-{code}", 21 characters.
func (u Unit) String() string {
	return u.ProductCode + "-" + u.Code.String()
}

// ParseUnit reads what [Unit.String] returns, as strictly as [ParseCode].
func ParseUnit(s string) (Unit, error) {
	product, text, found := strings.Cut(s, "-")
	if !found {
		return Unit{}, mintage.Errorf(mintage.CodeInvalidInput,
			"A unit id is a product code of %d characters, a hyphen and a code of %d.", ProductCodeLength, Length)
	}
	if err := ParseProductCode(product); err != nil {
		return Unit{}, err
	}
	code, err := ParseCode(text)
	if err != nil {
		return Unit{}, err
	}
	return Unit{ProductCode: product, Code: code}, nil
}

package serial

import (
	"sync"

	"mintage"
)

const (
	radix    = 32 // one numeral is one character of the code
	halfBits = 30 // 6 of the 12 characters
	halfMask = 1<<halfBits - 1
)

// width is the number of codes that go through the rounds side by side. One
// code's rounds wait for each other, so a processor that is given several codes
// at once does twice the work in the same time; past 4 it gains little.
const width = 8

// workspaces holds the lanes of running calls: AES is called through an
// interface, so a block on the stack would be moved to the heap for each code.
var workspaces = sync.Pool{New: func() any { return new([width]lane) }}

// Cipher turns the ordinals of one product into codes and back. It is immutable
// and safe for concurrent use.
type Cipher struct {
	ff1     *ff1
	product string
}

// NewCipher prepares the cipher of a product: FF1 over the brand's key (16
// bytes; 24 and 32 are accepted) with the product code as the tweak. The error
// is a [mintage.Error].
func NewCipher(brandKey []byte, productCode string) (*Cipher, error) {
	if err := ParseProductCode(productCode); err != nil {
		return nil, err
	}
	f, err := newFF1(brandKey, []byte(productCode), radix, Length)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeInternal,
			"The brand's key has %d bytes; it must have 16, 24 or 32.", len(brandKey)).WithCause(err)
	}
	return &Cipher{ff1: f, product: productCode}, nil
}

// String names the product, so that a cipher that is printed by mistake does
// not show its key.
func (c *Cipher) String() string { return "[cipher of product " + c.product + "]" }

// GoString is String, for %#v.
func (c *Cipher) GoString() string { return c.String() }

// Encrypt returns the code of an ordinal. The ordinal is below [Domain], else
// Encrypt panics: no code may ever stand for two ordinals.
func (c *Cipher) Encrypt(ordinal uint64) Code {
	var codes [1]Code
	c.Fill(codes[:], ordinal)
	return codes[0]
}

// Decrypt returns the ordinal of a code. If it is [MaxOrdinal] or more, the code
// was never issued. That includes numbers that are no code, [Domain] or more:
// they are returned as they came.
func (c *Cipher) Decrypt(code Code) uint64 {
	if code >= Domain {
		return uint64(code)
	}
	lanes := workspaces.Get().(*[width]lane)
	lanes[0].half, lanes[0].other = uint64(code)>>halfBits, uint64(code)&halfMask
	c.ff1.decrypt(lanes[:1])
	ordinal := lanes[0].half<<halfBits | lanes[0].other
	workspaces.Put(lanes)
	return ordinal
}

// Fill sets codes[i] to Encrypt(first + i), in half the time and without
// allocation. The last ordinal too is below [Domain], else Fill panics.
func (c *Cipher) Fill(codes []Code, first uint64) {
	if first >= Domain || uint64(len(codes)) > Domain-first {
		panic("serial: ordinal out of range")
	}
	lanes := workspaces.Get().(*[width]lane)
	for len(codes) > 0 {
		n := min(len(codes), width)
		for i := range lanes[:n] {
			ordinal := first + uint64(i)
			lanes[i].half, lanes[i].other = ordinal&halfMask, ordinal>>halfBits
		}
		c.ff1.encrypt(lanes[:n])
		for i := range lanes[:n] {
			codes[i] = Code(lanes[i].other<<halfBits | lanes[i].half)
		}
		codes, first = codes[n:], first+uint64(n)
	}
	workspaces.Put(lanes)
}

// Package cursor makes the cursors by which the parts of a list are asked for.
//
// A cursor holds a number of the database, never a time. It is sealed for one list
// of one brand: whoever has it learns nothing from it, and can ask for nothing else
// with it. It does not expire. Whatever is no cursor of the list is INVALID_INPUT.
package cursor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"mintage"
)

// Sealer writes and reads the cursors of one list of one brand. What a cursor
// holds is a number that the whole installation shares, so that in the clear it
// would tell one brand how much the others do. It is therefore one AES block
// (NIST SP 800-38A, a single block in ECB mode) of the number and eight zero
// bytes, under a key of the brand and the list: a text that is not such a block,
// another list's or another brand's among them, deciphers to eight zeros once in
// 2^64 times. A number is in a list once, so that equal blocks tell nothing.
type Sealer struct{ block cipher.Block }

// New derives the key of a brand's list. key is the installation's, the same in
// every process; list names the list, for example by its path.
func New(key []byte, brand int64, list string) Sealer {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "mintage cursor\x00%d\x00%s", brand, list) // a hash takes everything
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		panic(err) // 32 bytes are a key of AES-256
	}
	return Sealer{block}
}

// Encode writes the cursor of a number, which is 0 or more.
func (c Sealer) Encode(number int64) string {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:], uint64(number))
	c.block.Encrypt(b[:], b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Decode reads exactly what Encode writes for numbers from 0 on; anything else is
// INVALID_INPUT of the field cursor.
func (c Sealer) Decode(text string) (int64, error) {
	if len(text) == base64.RawURLEncoding.EncodedLen(aes.BlockSize) { // the decoder drops line ends
		b, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err == nil && len(b) == aes.BlockSize {
			c.block.Decrypt(b, b)
			number, rest := int64(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint64(b[8:])
			if number >= 0 && rest == 0 {
				return number, nil
			}
		}
	}
	return 0, mintage.Errorf(mintage.CodeInvalidInput, "The cursor is not one that this list has given; begin without one.").WithField("cursor")
}

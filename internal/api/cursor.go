package api

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"mintage"
	"mintage/internal/mint"
)

// Paging is the part of a list's input that says which part of the list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many items."`
	Cursor string `query:"cursor" doc:"The next_cursor of the part before; without it, the list's beginning."`
}

// page is the part of a list that the paging asks for, and one row more, which
// tells whether there is a next part.
func (p Paging) page(c cursors) (mint.Page, error) {
	page := mint.Page{Limit: p.Limit + 1}
	if p.Cursor == "" {
		return page, nil
	}
	var err error
	page.After, err = c.decode(p.Cursor)
	return page, err
}

// list is one part of a list.
type list[T any] struct {
	Items      []T     `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Asks for the next part; null at the end."`
}

// listOf turns rows into a part of a list; number is what orders them.
func listOf[R, T any](c cursors, rows []R, limit int, number func(R) int64, show func(R) T) *body[list[T]] {
	out := &body[list[T]]{}
	if len(rows) > limit {
		rows = rows[:limit]
		next := c.encode(number(rows[limit-1]))
		out.Body.NextCursor = &next
	}
	out.Body.Items = make([]T, len(rows))
	for i, r := range rows {
		out.Body.Items[i] = show(r)
	}
	return out
}

// cursors writes and reads the cursors of one list of one brand. What a cursor
// holds is a number that the whole installation shares, so that in the clear it
// would tell one brand how much the others do. It is therefore one AES block
// (NIST SP 800-38A, a single block in ECB mode) of the number and eight zero
// bytes, under a key of the brand and the list: a text that is not such a block,
// another list's or another brand's among them, deciphers to eight zeros once in
// 2^64 times. A number is in a list once, so that equal blocks tell nothing.
type cursors struct{ block cipher.Block }

// cursors returns those of the list that the request is about.
func (s *server) cursors(ctx context.Context) cursors {
	x := servingOf(ctx)
	return newCursors(s.CursorKey, x.principal.BrandNumber, x.path)
}

// newCursors derives the key of a brand's list; the list is named by its path.
func newCursors(key []byte, brand int64, list string) cursors {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "mintage cursor\x00%d\x00%s", brand, list) // a hash takes everything
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		panic(err) // 32 bytes are a key of AES-256
	}
	return cursors{block}
}

func (c cursors) encode(number int64) string {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:], uint64(number))
	c.block.Encrypt(b[:], b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// decode reads exactly what encode writes for numbers from 0 on.
func (c cursors) decode(text string) (int64, error) {
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

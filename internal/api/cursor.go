package api

import (
	"encoding/base64"
	"encoding/binary"

	"mintage"
	"mintage/internal/mint"
)

// cursorVersion is the first byte of a cursor, so that another kind can come to
// be without old ones being misread.
const cursorVersion = 1

// Paging is the part of a list's input that says which part of the list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many items."`
	Cursor string `query:"cursor" doc:"The next_cursor of the part before; without it, the list's beginning."`
}

// page is the part of a list that the paging asks for, and one row more, which
// tells whether there is a next part.
func (p Paging) page() (mint.Page, error) {
	page := mint.Page{Limit: p.Limit + 1}
	if p.Cursor == "" {
		return page, nil
	}
	var err error
	page.After, err = decodeCursor(p.Cursor)
	return page, err
}

// list is one part of a list.
type list[T any] struct {
	Items      []T     `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Asks for the next part; null at the end."`
}

// listOf turns rows into a part of a list; number is what orders them.
func listOf[R, T any](rows []R, limit int, number func(R) int64, show func(R) T) *body[list[T]] {
	out := &body[list[T]]{}
	if len(rows) > limit {
		rows = rows[:limit]
		next := encodeCursor(number(rows[limit-1]))
		out.Body.NextCursor = &next
	}
	out.Body.Items = make([]T, len(rows))
	for i, r := range rows {
		out.Body.Items[i] = show(r)
	}
	return out
}

func encodeCursor(number int64) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte{cursorVersion}, uint64(number)))
}

// decodeCursor reads exactly what encodeCursor writes for numbers from 0 on.
func decodeCursor(text string) (int64, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil && len(raw) == 9 && raw[0] == cursorVersion && raw[1] < 0x80 && encodeCursor(int64(binary.BigEndian.Uint64(raw[1:]))) == text {
		return int64(binary.BigEndian.Uint64(raw[1:])), nil
	}
	return 0, mintage.Errorf(mintage.CodeInvalidInput, "The cursor is not one that this list has given; begin without one.").WithField("cursor")
}

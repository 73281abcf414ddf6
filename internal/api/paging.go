package api

import (
	"context"

	"mintage/internal/cursor"
	"mintage/internal/mint"
)

// Paging is the part of a list's input that says which part of the list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many items."`
	Cursor string `query:"cursor" doc:"The next_cursor of the part before; without it, the list's beginning."`
}

// page is the part of a list that the paging asks for, and one row more, which
// tells whether there is a next part.
func (p Paging) page(c cursor.Sealer) (mint.Page, error) {
	page := mint.Page{Limit: p.Limit + 1}
	if p.Cursor == "" {
		return page, nil
	}
	var err error
	page.After, err = c.Decode(p.Cursor)
	return page, err
}

// list is one part of a list.
type list[T any] struct {
	Items      []T     `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Asks for the next part; null at the end."`
}

// listOf turns rows into a part of a list; number is what orders them.
func listOf[R, T any](c cursor.Sealer, rows []R, limit int, number func(R) int64, show func(R) T) *body[list[T]] {
	out := &body[list[T]]{}
	if len(rows) > limit {
		rows = rows[:limit]
		next := c.Encode(number(rows[limit-1]))
		out.Body.NextCursor = &next
	}
	out.Body.Items = make([]T, len(rows))
	for i, r := range rows {
		out.Body.Items[i] = show(r)
	}
	return out
}

// cursors are those of the list that the request is about.
func (s *server) cursors(ctx context.Context) cursor.Sealer {
	x := servingOf(ctx)
	return cursor.New(s.CursorKey, x.principal.BrandNumber, x.path)
}

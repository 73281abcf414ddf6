package catalogue

import (
	"context"
	"io"

	"mintage"
	"mintage/internal/store"
)

// File is a kind of CSV file that another package imports, in the way of this one's
// (see "CSV files").
type File struct {
	// Columns are the names of the columns by what their headings fold to: in lower
	// case, without spaces, underscores and hyphens.
	Columns map[string]string
	// Required are groups of columns: of each, the file has at least one.
	Required [][]string
	// Apply stores one row and returns its key and result. cell returns what a column
	// has, without the space around it. An error INVALID_INPUT, NOT_FOUND or CONFLICT
	// refuses the row, and then Apply has written nothing; any other ends the import.
	Apply func(ctx context.Context, tx store.Tx, cell func(column string) string) (key, result string, err error)
}

// Import reads a file for the principal's brand and calls each for every row, as
// [Service.ImportProducts] does.
func Import(ctx context.Context, s store.Store, p mintage.Principal, f File, r io.Reader, each func(Row) error) (Summary, error) {
	im := importer{
		service: &Service{store: s}, principal: p, layout: layout{columns: f.Columns, required: f.Required}, each: each,
		apply: func(ctx context.Context, tx store.Tx, r record) (key, result string, err error) {
			return f.Apply(ctx, tx, r.text)
		},
	}
	return im.run(ctx, r)
}

package cli

import (
	"context"
	"io"

	"mintage"
	"mintage/internal/catalogue"
)

type importFlags struct {
	brandFlag
	File string `arg:"" help:"CSV file, or - for standard input."`
}

type importProductsCmd struct{ importFlags }

func (c *importProductsCmd) Run(e *env) error {
	return c.run(e, func(a *app) importer { return a.catalogue.ImportProducts })
}

type importProductionCmd struct{ importFlags }

func (c *importProductionCmd) Run(e *env) error {
	return c.run(e, func(a *app) importer { return a.catalogue.ImportProductionBatches })
}

type importer func(context.Context, mintage.Principal, io.Reader, func(catalogue.Row) error) (catalogue.Summary, error)

func (c *importFlags) run(e *env, choose func(*app) importer) error {
	in, err := openInput(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error { return read(e, p, in, choose(a)) })
}

// rows imports a file, tells of the rows that were refused, and returns them for
// a program.
func (load importer) rows(e *env, p mintage.Principal, in io.Reader) (catalogue.Summary, []map[string]any, error) {
	refused := []map[string]any{}
	sum, err := load(e, p, in, func(r catalogue.Row) error {
		if !r.Accepted {
			refused = append(refused, map[string]any{"row": r.Row, "column": r.Column, "code": r.Code, "message": r.Message})
			e.printf("row %d refused: %s %s\n", r.Row, r.Column, r.Message)
		}
		return nil
	})
	return sum, refused, err
}

// read imports a file and tells what became of its rows.
func read(e *env, p mintage.Principal, in io.Reader, load importer) error {
	sum, refused, err := load.rows(e, p, in)
	if err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]any{
			"rows": sum.Rows, "created": sum.Created, "updated": sum.Updated,
			"unchanged": sum.Unchanged, "refused": sum.Refused, "refused_rows": refused,
		})
	}
	e.printf("%d rows: %d created, %d updated, %d unchanged, %d refused.\n", sum.Rows, sum.Created, sum.Updated, sum.Unchanged, sum.Refused)
	return nil
}

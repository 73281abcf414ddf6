package cli

import (
	"context"
	"io"
	"os"

	"mintage"
	"mintage/internal/catalogue"
)

type importFlags struct {
	File  string `arg:"" help:"CSV file, or - for standard input."`
	Brand string `help:"ID of the brand; needed where there are several." placeholder:"ID"`
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
	in := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return mintage.Errorf(mintage.CodeInvalidInput, "The file %s cannot be read; check its path and permissions.", c.File).WithCause(err)
		}
		defer f.Close()
		in = f
	}
	a, err := e.open(administer)
	if err != nil {
		return err
	}
	defer a.close(e)
	p, err := a.principal(e, c.Brand)
	if err != nil {
		return err
	}
	refused := []map[string]any{}
	sum, err := choose(a)(e, p, in, func(r catalogue.Row) error {
		if !r.Accepted {
			refused = append(refused, map[string]any{"row": r.Row, "column": r.Column, "code": r.Code, "message": r.Message})
			e.printf("row %d refused: %s %s\n", r.Row, r.Column, r.Message)
		}
		return nil
	})
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

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/mint"
)

type revokeCmd struct {
	Units []string `arg:"" optional:"" help:"Units by their unit_id."`
	brandFlag
	CSV    string `help:"CSV file of units, or - for standard input: unit_id, resolver_url, or gtin and serial; reason is optional." name:"csv" placeholder:"FILE"`
	Reason string `help:"Why: the passport page and the audit trail show it. With --csv, for rows without a reason of their own." placeholder:"TEXT"`
}

func (c *revokeCmd) Run(e *env) error {
	switch {
	case len(c.Units) == 0 && c.CSV == "" || len(c.Units) > 0 && c.CSV != "":
		return mintage.Errorf(mintage.CodeInvalidInput, "Name the units to revoke, or a file of them with --csv.")
	case c.CSV == "":
		return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error { return c.revoke(e, a, p) })
	}
	in, err := openInput(c.CSV)
	if err != nil {
		return err
	}
	defer in.Close()
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error { return c.revokeList(e, a, p, in) })
}

// revoke revokes the named units one after the other; the first that cannot be ends
// it, and those before it stay revoked.
func (c *revokeCmd) revoke(e *env, a *app, p mintage.Principal) error {
	items := make([]map[string]any, 0, len(c.Units))
	var failed error
	for _, id := range c.Units {
		u, already, err := a.mint.RevokeUnit(e, p, id, c.Reason)
		if err != nil {
			failed = err
			break
		}
		items = append(items, map[string]any{"unit_id": u.ID, "status": u.Status, "already_revoked": already})
		again := ""
		if already {
			again = " already; nothing has changed"
		}
		e.printf("%s is revoked%s.\n", u.ID, again)
	}
	if e.JSON && (failed == nil || len(items) > 0) {
		if err := e.printJSON(map[string]any{"items": items}); err != nil {
			return err
		}
	}
	return failed
}

func (c *revokeCmd) revokeList(e *env, a *app, p mintage.Principal, in io.Reader) error {
	load := importer(func(ctx context.Context, p mintage.Principal, r io.Reader, each func(catalogue.Row) error) (catalogue.Summary, error) {
		return a.mint.RevokeList(ctx, p, r, c.Reason, each)
	})
	sum, refused, err := load.rows(e, p, in)
	if err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]any{
			"rows": sum.Rows, "revoked": sum.Revoked, "already_revoked": sum.Unchanged, "refused": sum.Refused, "refused_rows": refused,
		})
	}
	e.printf("%d rows: %d revoked, %d revoked already, %d refused.\n", sum.Rows, sum.Revoked, sum.Unchanged, sum.Refused)
	return nil
}

type recallCmd struct {
	brandFlag
	Batch  string  `help:"ID of the mint batch." required:"" placeholder:"ID"`
	Lot    *string `help:"Only this lot of it." placeholder:"CODE"`
	Reason string  `help:"Why: the passport page and the audit trail show it." required:"" placeholder:"TEXT"`
}

func (c *recallCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error { return c.recall(e, a, p) })
}

func (c *recallCmd) recall(e *env, a *app, p mintage.Principal) error {
	var r *mint.Recalled
	var err error
	if c.Lot != nil {
		r, err = a.mint.RecallLot(e, p, c.Batch, *c.Lot, c.Reason)
	} else {
		r, err = a.mint.RecallBatch(e, p, c.Batch, c.Reason)
	}
	if err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]any{
			"mint_batch_id": r.Batch.ID, "lot_code": r.Lot, "first_ordinal": r.FirstOrdinal, "quantity": r.Quantity,
			"at": r.At, "already_recalled": r.Already, "still_minting": r.StillMinting,
		})
	}
	what := "Mint batch " + r.Batch.ID
	if r.Lot != "" {
		what = "Lot " + r.Lot + " of mint batch " + r.Batch.ID
	}
	if r.Already {
		e.printf("%s was recalled before; nothing has changed.\n", what)
	} else {
		e.printf("%s is recalled: all its units are revoked.\n", what)
	}
	if r.StillMinting {
		e.printf("Units of it are still being minted; they are revoked from the start.\n")
	}
	return nil
}

type countsCmd struct {
	Batch string `arg:"" help:"ID of the mint batch."`
	brandFlag
}

func (c *countsCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error { return c.show(e, a, p) })
}

func (c *countsCmd) show(e *env, a *app, p mintage.Principal) error {
	counts, err := a.mint.Counts(e, p, c.Batch)
	if err != nil {
		return err
	}
	of := func(c mintage.Counts) map[string]any {
		return map[string]any{"minted": c.Minted, "active": c.Active, "revoked": c.Revoked}
	}
	if e.JSON {
		lots := make([]map[string]any, len(counts.Lots))
		for i, lot := range counts.Lots {
			lots[i] = of(lot)
			lots[i]["lot_code"] = counts.Batch.Lots[i].Code
		}
		return e.printJSON(map[string]any{"mint_batch_id": counts.Batch.ID, "total": of(counts.Total), "lots": lots})
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	row := func(name string, c mintage.Counts) {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\n", name, c.Minted, c.Active, c.Revoked)
	}
	fmt.Fprintln(t, "LOT\tMINTED\tACTIVE\tREVOKED")
	for i, lot := range counts.Lots {
		row(counts.Batch.Lots[i].Code, lot)
	}
	row("(total)", counts.Total)
	return t.Flush()
}

// openInput opens a file to read, or standard input for "-".
func openInput(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "The file %s cannot be read; check its path and permissions.", path).WithCause(err)
	}
	return f, nil
}

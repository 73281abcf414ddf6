package cli

import (
	"bufio"
	"errors"
	"os"
	"strconv"
	"time"

	"mintage"
	"mintage/internal/audit"
)

// auditCmds are about the hash chains over the audit trail.
type auditCmds struct {
	Verify auditVerifyCmd `cmd:"" help:"Look for events that were changed since they were sealed."`
	Export auditExportCmd `cmd:"" help:"Write the heads of the chains, for safe keeping elsewhere."`
}

type auditVerifyCmd struct {
	Brand string `help:"ID of the brand; without it, all brands." placeholder:"ID"`
	tailFlag
	Head string `help:"File with heads that mintage audit export wrote: the chains must still lead through them." type:"path" placeholder:"FILE"`
}

// tailFlag bounds how long events may wait to be sealed.
type tailFlag struct {
	MaxTail time.Duration `help:"How old the oldest event may be that is not sealed yet: what waits can be changed unnoticed. Default: ${default}." default:"5m" placeholder:"DURATION"`
}

// Validate is called by kong.
func (f tailFlag) Validate() error {
	if f.MaxTail < 0 {
		return errors.New("--max-tail must be 0 or more")
	}
	return nil
}

func (f tailFlag) tail() audit.Tail { return audit.Tail{Now: now(), Max: f.MaxTail} }

func (c *auditVerifyCmd) Run(e *env) error {
	var saved *audit.Heads
	if c.Head != "" {
		f, err := os.Open(c.Head)
		if err != nil {
			return mintage.Errorf(mintage.CodeInvalidInput, "The file %s cannot be read; check its path and permissions.", c.Head).WithCause(err)
		}
		defer f.Close()
		if saved, err = audit.ReadHeads(f); err != nil {
			return err
		}
	}
	a := &app{}
	defer a.close(e)
	if err := a.openStores(e, []role{roleOperator}); err != nil {
		return err
	}
	report, err := audit.Verify(e, a.store, c.Brand, saved, c.tail())
	if err != nil {
		return err
	}
	if e.JSON {
		if err := e.printJSON(report); err != nil {
			return err
		}
	}
	damaged, waiting := 0, 0
	for _, chain := range report.Brands {
		switch {
		case chain.OK:
		case chain.Findings == 1 && chain.Examples[0].Problem == audit.UnsealedTailOld:
			waiting++
		default:
			damaged++
		}
		printChain(e, chain)
	}
	if waiting > 0 && damaged == 0 {
		return mintage.Errorf(mintage.CodeConflict, "Events of %d of %d brands wait to be sealed for too long; see that a worker runs and that no transaction of the database stays open, then verify again.", waiting, len(report.Brands))
	}
	if !report.OK {
		return mintage.Errorf(mintage.CodeConflict, "The audit trail of %d of %d brands was changed; keep the database as it is and compare it with a backup.", damaged, len(report.Brands))
	}
	return nil
}

// printChain tells people of one brand's chain.
func printChain(e *env, c *audit.Chain) {
	outcome := "ok  "
	if !c.OK {
		outcome = "FAIL"
	}
	name := c.BrandID
	if name == "" {
		name = "brand number " + strconv.FormatInt(c.BrandNumber, 10)
	}
	e.printf("%s %s  %s in %s sealed", outcome, name, counted(c.Events, "event"), counted(c.Blocks, "block"))
	if c.UnsealedEvents > 0 {
		e.printf(", %s not yet", counted(c.UnsealedEvents, "event"))
	}
	if !c.UnsealedSince.IsZero() {
		e.printf(" (since %s)", c.UnsealedSince.Format(time.RFC3339))
	}
	e.printf("\n")
	for _, f := range c.Examples {
		e.printf("     %s\n", f.Message)
	}
	if rest := c.Findings - int64(len(c.Examples)); rest > 0 {
		e.printf("     and %s more\n", counted(rest, "finding"))
	}
}

func counted(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.FormatInt(n, 10) + " " + noun
}

type auditExportCmd struct {
	Brand string `help:"ID of the brand; without it, all brands." placeholder:"ID"`
	tailFlag
	Out string `help:"File to write, or - for standard output. It appears whole or not at all." short:"o" default:"-" placeholder:"FILE"`
}

// Run leaves no event: whoever can run it can read the database anyway.
func (c *auditExportCmd) Run(e *env) error {
	a := &app{}
	defer a.close(e)
	if err := a.openStores(e, []role{roleOperator}); err != nil {
		return err
	}
	heads, err := audit.Export(e, a.store, c.Brand, c.tail())
	if err != nil {
		return err
	}
	if c.Out == "-" {
		_, err := heads.WriteTo(e.stdout)
		return err
	}
	err = writeWhole(c.Out, func(w *bufio.Writer) error {
		_, err := heads.WriteTo(w)
		return err
	})
	if err != nil {
		return err
	}
	if e.JSON {
		return e.printJSON(map[string]any{"heads": len(heads.Heads), "file": c.Out})
	}
	e.printf("Wrote the heads of %s to %s. Keep it where nobody who can write to the database can.\n", counted(int64(len(heads.Heads)), "chain"), c.Out)
	return nil
}

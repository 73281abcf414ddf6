package cli

import (
	"fmt"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/verify"
)

type verifyCmd struct{}

// Run opens the installation without trying the brands' keys: which of them
// cannot be opened is for the auditor to say.
func (verifyCmd) Run(e *env) error {
	a := &app{}
	defer a.close(e)
	if err := a.openStores(e, []role{roleOperator}); err != nil {
		return err
	}
	master, err := e.masterKey(a.store)
	if err != nil {
		return err
	}
	report, err := verify.Run(e, a.store, mint.NewKeyring(master))
	if err != nil {
		return err
	}
	if e.JSON {
		if err := e.printJSON(report); err != nil {
			return err
		}
	}
	for _, c := range report.Checks {
		e.printf("%s\n", verifyLine(c))
	}
	if !report.OK {
		return mintage.Errorf(mintage.CodeConflict, "%d of %d checks failed; stop minting and compare with a backup.", report.Failed(), len(report.Checks))
	}
	return nil
}

// verifyLine tells of one check.
func verifyLine(c *verify.Check) string {
	if c.OK {
		return fmt.Sprintf("ok   %-18s  %s", c.Name, c.Subject())
	}
	findings := "1 finding"
	if c.Findings != 1 {
		findings = fmt.Sprintf("%d findings, first", c.Findings)
	}
	return fmt.Sprintf("FAIL %-18s  %s: %s", c.Name, findings, c.Examples[0])
}

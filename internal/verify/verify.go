package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// MaxExamples is how many findings of a check are told; all are counted.
const MaxExamples = 20

// Ciphers opens the keys of brands.
type Ciphers interface {
	Cipher(ctx context.Context, r store.BrandReader, brand int64, productCode string) (*serial.Cipher, error)
}

// Report is what an audit found.
type Report struct {
	OK     bool     `json:"ok"`
	Checks []*Check `json:"checks"`
}

// Check is the outcome of one check.
type Check struct {
	Name     string   `json:"name"`
	OK       bool     `json:"ok"`
	Examined int64    `json:"examined"`
	Findings int64    `json:"findings"`
	Examples []string `json:"examples"` // the first ones

	subject func(*Check) string
}

// Subject is what was examined, for people: "1,000,000 units in 3 batches".
func (c *Check) Subject() string { return c.subject(c) }

func (c *Check) find(format string, args ...any) {
	c.Findings++
	if len(c.Examples) < MaxExamples { // formatting a million would take longer than the audit
		c.Examples = append(c.Examples, fmt.Sprintf(format, args...))
	}
}

// Failed is how many checks failed.
func (r *Report) Failed() (n int) {
	for _, c := range r.Checks {
		if !c.OK {
			n++
		}
	}
	return n
}

// Run audits a database. An error means that there is no report: the database
// cannot be used, or the master key is not the one that it was made with.
func Run(ctx context.Context, s store.Store, keys Ciphers) (*Report, error) {
	var report *Report
	err := s.Read(ctx, func(r store.Reader) (err error) {
		a := newAudit(ctx, r, keys)
		report, err = a.run()
		return err
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

// audit is one run: the checks, and what is remembered to hold others against.
type audit struct {
	ctx  context.Context
	r    store.Reader
	keys Ciphers

	counts, ranges, gaps, orphans, duplicates, codes, lots, states, events *Check
	tokens, recalls, tokenCounts, production, gtins, bases                 *Check

	all   []*Check
	fault error // of the place; ends the audit

	brands   map[int64]*brand
	products map[int64]*product
	owners   map[string]int64                   // resolver base -> brand
	claims   map[gtinKey]int64                  // -> product
	runs     map[int64]*mintage.ProductionBatch // Committed is added up here
	spans    []span                             // of all batches
	opened   map[int64]bool                     // brands whose key can be opened
}

type brand struct {
	id        string
	overIssue int

	highest      int // the highest percentage of over-issue ever, where it was asked for
	highestKnown bool
}

type product struct {
	brand    int64
	id, code string
	next     int64 // the next ordinal to be reserved
}

type gtinKey struct {
	brand int64
	gtin  string
}

func newAudit(ctx context.Context, r store.Reader, keys Ciphers) *audit {
	a := &audit{
		ctx: ctx, r: r, keys: keys,
		brands: make(map[int64]*brand), products: make(map[int64]*product), owners: make(map[string]int64),
		claims: make(map[gtinKey]int64), runs: make(map[int64]*mintage.ProductionBatch), opened: make(map[int64]bool),
	}
	check := func(name string, nouns ...string) *Check {
		c := &Check{Name: name, Examples: []string{}, subject: func(c *Check) string { return plural(c.Examined, nouns[0], nouns[1]) }}
		a.all = append(a.all, c)
		return c
	}
	a.counts = check("counts")
	a.counts.subject = func(c *Check) string {
		return plural(c.Examined, "unit", "units") + " in " + plural(int64(len(a.spans)), "batch", "batches")
	}
	a.ranges = check("ranges", "batch", "batches")
	a.gaps = check("gaps", "unit", "units")
	a.orphans = check("orphans", "row", "rows")
	a.duplicates = check("duplicates", "unit", "units")
	a.codes = check("codes", "unit", "units")
	a.lots = check("lots", "lot", "lots")
	a.states = check("states", "job", "jobs")
	a.events = check("events", "event", "events")
	a.tokens = check("tokens", "state of a unit", "states of units")
	a.recalls = check("recalls", "recall", "recalls")
	a.tokenCounts = check("token counts", "lot", "lots")
	a.production = check("production batches", "production batch", "production batches")
	a.gtins = check("gtins", "batch with a GTIN", "batches with a GTIN")
	a.bases = check("bases", "use of a resolver base", "uses of resolver bases")
	return a
}

// run reads the units last: should their table be the damaged one, the other
// checks have been made.
func (a *audit) run() (*Report, error) {
	for _, step := range []func() error{a.readBrands, a.readCatalogue, a.readPaper, a.checkLedger, a.readStates, a.readUnits} {
		if err := step(); err != nil {
			return nil, err
		}
		if a.fault != nil {
			return nil, a.fault
		}
	}
	report := &Report{OK: true, Checks: a.all}
	for _, c := range a.all {
		c.OK = c.Findings == 0
		report.OK = report.OK && c.OK
	}
	return report, nil
}

// readable notes an error of a sequence, and tells whether its row can be used
// nevertheless, as far as it goes. The checks are those that need the rows.
func (a *audit) readable(err error, checks ...*Check) bool {
	if err == nil {
		return true
	}
	if row, ok := errors.AsType[*store.RowError](err); ok {
		checks[0].find("%v", row)
		return true
	}
	switch mintage.ErrorCode(err) {
	case mintage.CodeUnavailable, mintage.CodeRetry, mintage.CodeOldSchema:
		a.fault = err
	default:
		if a.ctx.Err() != nil {
			a.fault = err
			return false
		}
		for _, c := range checks {
			c.find("the check could not be made to its end: %v", err)
		}
	}
	return false
}

// readBrands also tries the brands' keys. Where none can be opened the master
// key is to blame, which is one error and not a finding for each unit.
func (a *audit) readBrands() error {
	brands, err := a.r.Brands(a.ctx)
	if !a.readable(err, a.all...) {
		return nil
	}
	var refused error
	for _, b := range brands {
		a.orphans.Examined++
		a.brands[b.Number] = &brand{id: b.ID, overIssue: b.OverIssuePercent}
		if _, err := a.keys.Cipher(a.ctx, a.r, b.Number, anyProductCode); err != nil {
			refused = err
			a.codes.find("the codes of brand %s cannot be checked: %s", b.ID, mintage.ErrorMessage(err))
			continue
		}
		a.opened[b.Number] = true
	}
	if len(brands) > 0 && len(a.opened) == 0 {
		return refused
	}
	for base, err := range a.r.AllBases(a.ctx) {
		if !a.readable(err, a.bases) {
			return nil
		}
		a.orphans.Examined++
		a.owners[base.Base] = base.BrandNumber
		if a.brands[base.BrandNumber] == nil {
			a.orphans.find("the resolver base %q belongs to brand number %d, which does not exist", base.Base, base.BrandNumber)
		}
	}
	for _, b := range brands {
		a.checkBase(b.ResolverBase, b.Number, "brand "+b.ID)
	}
	return nil
}

// anyProductCode is a product code to try a key with.
const anyProductCode = "00000000"

// plural counts things, with commas between the thousands.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + many
}

// sorted returns the keys of a map in order, so that reports are the same twice.
func sorted[V any](m map[int64]V) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

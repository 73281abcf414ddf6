package catalogue

import (
	"context"
	"errors"
	"io"

	"mintage"
	"mintage/internal/store"
)

// What an import made of a row.
const (
	ResultCreated   = "created"
	ResultUpdated   = "updated"
	ResultRevoked   = "revoked" // of a list of units; one that was revoked before is unchanged
	ResultUnchanged = "unchanged"
	ResultRefused   = "refused"
)

// Row is the outcome of one row of a file.
type Row struct {
	Row      int // as a spreadsheet numbers it: the header is 1
	Accepted bool
	Result   string // created, updated, revoked, unchanged or refused
	Key      string // the SKU, code or unit_id of an accepted row

	// Of a refused row: what is wrong and what to do, in which column ("" for the
	// row as a whole). The message never repeats a cell.
	Column  string
	Code    mintage.Code
	Message string
}

// Summary counts the outcomes of an import.
type Summary struct {
	Rows, Created, Updated, Revoked, Unchanged, Refused int
	// IgnoredColumns are the headings that mean nothing to the import.
	IgnoredColumns []string
}

func (s *Summary) add(r Row) {
	s.Rows++
	switch r.Result {
	case ResultCreated:
		s.Created++
	case ResultUpdated:
		s.Updated++
	case ResultRevoked:
		s.Revoked++
	case ResultUnchanged:
		s.Unchanged++
	case ResultRefused:
		s.Refused++
	}
}

// Limits of one transaction of an import.
const (
	maxBatchRows  = 500
	maxBatchBytes = 4 << 20
)

// apply writes one record and returns its key and result. An error with a code
// that refusal knows refuses the record, and then apply has written nothing.
type apply func(ctx context.Context, tx store.Tx, r record) (key, result string, err error)

// errMet ends a transaction of many rows that the store runs again: somebody else
// writes the same rows in another order, and would most likely be met once more.
var errMet = errors.New("met another import")

// importer carries one import from its file to the store.
type importer struct {
	service   *Service
	principal mintage.Principal
	layout    layout
	apply     apply
	each      func(Row) error
	summary   Summary
}

func (im *importer) run(ctx context.Context, r io.Reader) (Summary, error) {
	err := im.file(ctx, r)
	return im.summary, err
}

func (im *importer) file(ctx context.Context, r io.Reader) error {
	file, err := newRows(r)
	if err != nil {
		return readError(err)
	}
	header, err := file.header()
	if errors.Is(err, io.EOF) {
		return invalid("", "The file is empty; its first row must name the columns.")
	}
	if err != nil {
		return readError(err)
	}
	if header.fault != nil {
		return header.fault
	}
	columns, err := im.layout.read(header.cells)
	if err != nil {
		return err
	}
	im.summary.IgnoredColumns = columns.ignored

	for done := false; !done; {
		var batch []row
		for size := 0; len(batch) < maxBatchRows && size < maxBatchBytes; {
			r, err := file.next()
			if errors.Is(err, io.EOF) {
				done = true
				break
			}
			if err != nil {
				return readError(err)
			}
			batch = append(batch, r)
			size += r.size
		}
		if err := im.batch(ctx, columns, batch); err != nil {
			return err
		}
	}
	return nil
}

// batch applies some rows, then tells of them.
func (im *importer) batch(ctx context.Context, columns *columns, batch []row) error {
	outcomes, err := im.write(ctx, columns, batch)
	if errors.Is(err, errMet) || errors.Is(err, errTaken) && len(batch) > 1 {
		// One at a time, no row holds a lock while it waits for another, and a row
		// that the database refuses costs only itself.
		outcomes = outcomes[:0]
		for i := range batch {
			var one []Row
			if one, err = im.write(ctx, columns, batch[i:i+1]); err != nil {
				break
			}
			outcomes = append(outcomes, one...)
		}
	} else if err != nil {
		outcomes = nil
	}
	for _, o := range outcomes { // committed, whatever happens now
		im.summary.add(o)
	}
	for _, o := range outcomes {
		if err := im.each(o); err != nil {
			return err
		}
	}
	return err
}

// write applies rows in one transaction.
func (im *importer) write(ctx context.Context, columns *columns, batch []row) ([]Row, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	outcomes := make([]Row, 0, len(batch))
	runs := 0
	fn := func(tx store.Tx) error {
		if runs++; runs > 1 && len(batch) > 1 {
			return errMet
		}
		outcomes = outcomes[:0] // the transaction may run again
		for _, r := range batch {
			outcome, err := im.one(ctx, tx, columns, r)
			if err != nil {
				return err
			}
			outcomes = append(outcomes, outcome)
		}
		return nil
	}
	if len(batch) > 1 {
		err := im.service.store.For(im.principal.BrandNumber).InTx(ctx, fn)
		return outcomes, err
	}
	err := im.service.inTx(ctx, im.principal, fn)
	if errors.Is(err, errTaken) { // still, after several attempts
		fault, _ := errors.AsType[*mintage.Error](err)
		return []Row{refused(batch[0].number, fault.Field, fault)}, nil
	}
	return outcomes, err
}

// one applies one row; an error ends the transaction.
func (im *importer) one(ctx context.Context, tx store.Tx, columns *columns, r row) (Row, error) {
	if r.fault != nil {
		return refused(r.number, "", r.fault), nil
	}
	if len(r.cells) != columns.count {
		return refused(r.number, "", invalid("", "The row has %d cells, but the header has %d; put cells that contain the separator in quotes.",
			len(r.cells), columns.count)), nil
	}
	record := record{columns: columns, cells: r.cells}
	key, result, err := im.apply(ctx, tx, record)
	if err != nil {
		if fault := refusal(err); fault != nil {
			return refused(r.number, record.column(fault), fault), nil
		}
		return Row{}, err
	}
	return Row{Row: r.number, Accepted: true, Result: result, Key: key}, nil
}

// refusal returns the fault of a row, or nil where the error is not the row's.
func refusal(err error) *mintage.Error {
	fault, ok := errors.AsType[*mintage.Error](err)
	if !ok || errors.Is(err, errTaken) {
		return nil
	}
	switch fault.Code {
	case mintage.CodeInvalidInput, mintage.CodeNotFound, mintage.CodeConflict, mintage.CodeCommitted:
		return fault
	default:
		return nil
	}
}

func refused(number int, column string, fault *mintage.Error) Row {
	return Row{Row: number, Result: ResultRefused, Column: column, Code: fault.Code, Message: fault.Message}
}

// readError is what ends an import whose file stops arriving. Rows of the
// transaction that was being gathered are not applied: the last may be torn.
func readError(err error) error {
	if _, ok := errors.AsType[*mintage.Error](err); ok {
		return err
	}
	return invalid("", "The file could not be read to its end; what was reported before is stored, so import it again.").WithCause(err)
}

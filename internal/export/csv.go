package export

import (
	"bufio"
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"mintage"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// chunk is how many units are read in one transaction.
const chunk = 10_000

// Header is the first line of a CSV export.
const Header = "unit_id,ordinal,gtin,lot,serial,code,resolver_url\n"

// Service exports the batches of a principal's brand.
type Service struct {
	store store.Store
	now   func() time.Time
}

// New returns a service. now gives the times shown to people.
func New(s store.Store, now func() time.Time) *Service {
	return &Service{store: s, now: now}
}

// Batch finds a batch to export and records the export in the audit trail.
func (s *Service) Batch(ctx context.Context, p mintage.Principal, id string) (*mintage.Batch, error) {
	var b *mintage.Batch
	err := s.store.For(p.BrandNumber).InTx(ctx, func(tx store.Tx) error {
		w, err := tx.WorkByBatchID(ctx, p.BrandNumber, mintage.CanonicalID(id))
		if err != nil {
			return err
		}
		b = &w.Batch
		e := p.Event(mintage.EventBatchExported, s.now())
		e.SubjectID, e.BatchNumber, e.Quantity = b.ID, b.Number, b.MintedQuantity
		return tx.AppendEvent(ctx, e)
	})
	return b, err
}

// CSV writes the units that b counts as minted, in ordinal order: RFC 4180 with
// LF, UTF-8 without a byte order mark, a field in quotes only where it needs
// them, every digit as it is. flush, if not nil, is called after each chunk.
func (s *Service) CSV(ctx context.Context, b *mintage.Batch, w io.Writer, flush func() error) error {
	out := bufio.NewWriterSize(w, 1<<16)
	if _, err := out.WriteString(Header); err != nil {
		return err
	}
	var row []byte
	for from := b.FirstOrdinal; from < b.NextOrdinal(); from += chunk {
		codes, err := s.codes(ctx, b, from, min(from+chunk, b.NextOrdinal()))
		if err != nil {
			return err
		}
		for i, code := range codes {
			row = appendRow(row[:0], b, from+int64(i), code)
			if _, err := out.Write(row); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if flush != nil {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// codes reads a chunk whole, so that no transaction waits for the writer.
func (s *Service) codes(ctx context.Context, b *mintage.Batch, from, to int64) ([]serial.Code, error) {
	codes := make([]serial.Code, 0, to-from)
	err := s.store.For(b.BrandNumber).Read(ctx, func(r store.Reader) error {
		codes = codes[:0]
		return r.EachUnit(ctx, b.ProductNumber, from, to, func(ordinal int64, code serial.Code) error {
			if ordinal != from+int64(len(codes)) {
				return gap(b, from+int64(len(codes)))
			}
			codes = append(codes, code)
			return nil
		})
	})
	if err == nil && int64(len(codes)) != to-from {
		err = gap(b, from+int64(len(codes)))
	}
	return codes, err
}

// gap is what an export answers instead of leaving out a unit in silence.
func gap(b *mintage.Batch, ordinal int64) error {
	return mintage.Errorf(mintage.CodeInternal, "The unit with ordinal %d of mint batch %s is missing; the database is damaged.", ordinal, b.ID)
}

func appendRow(row []byte, b *mintage.Batch, ordinal int64, code serial.Code) []byte {
	lot := b.Lot(ordinal)
	row = append(row, b.ProductCode...)
	row = append(row, '-')
	row = code.AppendTo(row)
	row = append(row, ',')
	row = strconv.AppendInt(row, ordinal, 10)
	row = append(row, ',')
	row = append(row, b.GTIN...)
	row = append(row, ',')
	row = appendField(row, lot.Code)
	row = append(row, ',')
	if b.IdentityMode == mintage.IdentitySerial {
		row = code.AppendTo(row)
	}
	row = append(row, ',')
	row = code.AppendTo(row)
	row = append(row, ',')
	row = append(row, lot.URLPrefix...)
	row = code.AppendTo(row)
	row = append(row, lot.URLSuffix...)
	return append(row, '\n')
}

// appendField quotes a field where RFC 4180 wants it. URLs, codes and numbers
// never do.
func appendField(row []byte, s string) []byte {
	if !strings.ContainsAny(s, "\",\r\n") {
		return append(row, s...)
	}
	row = append(row, '"')
	row = append(row, strings.ReplaceAll(s, `"`, `""`)...)
	return append(row, '"')
}

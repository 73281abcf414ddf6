package mint

import (
	"context"
	"io"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/store"
)

// Columns of a list of units to revoke: each unit by its unit_id, by what is printed
// on it, or by GTIN and serial; and why, where it is not the same for all.
var (
	revocationColumns = map[string]string{
		"unitid": "unit_id", "resolverurl": "resolver_url", "url": "resolver_url", "gtin": "gtin", "serial": "serial", "reason": "reason",
	}
	revocationRequired = [][]string{{"unit_id", "resolver_url", "serial"}}
)

// RevokeList revokes the units of a CSV file, in the way of the catalogue's imports:
// row by row, in transactions of some hundred rows, so that a bad row costs only
// itself. reason is why, for rows that do not say; it may be "". A row that names its unit in
// several ways, as the lines of an export do, is refused where they disagree. A
// unit that was revoked before is unchanged, so that a file may be sent twice.
func (s *Service) RevokeList(ctx context.Context, p mintage.Principal, r io.Reader, reason string, each func(catalogue.Row) error) (catalogue.Summary, error) {
	if reason != "" {
		if err := mintage.ValidateReason(reason); err != nil {
			return catalogue.Summary{}, err
		}
	}
	list := revocations{service: s, principal: p, reason: reason}
	file := catalogue.File{Columns: revocationColumns, Required: revocationRequired, Apply: list.apply}
	return catalogue.Import(ctx, s.store, p, file, r, each)
}

// revocations is one list in the making.
type revocations struct {
	service   *Service
	principal mintage.Principal
	reason    string

	tx     store.Tx // that of the finder
	finder *finder
}

func (l *revocations) apply(ctx context.Context, tx store.Tx, cell func(string) string) (key, result string, err error) {
	reason := cell("reason")
	if reason == "" {
		reason = l.reason
	}
	if reason == "" {
		return "", "", mintage.Errorf(mintage.CodeInvalidInput, "A revocation needs a reason; fill in the column reason, or give one for the whole list.").WithField("reason")
	}
	if err := mintage.ValidateReason(reason); err != nil {
		return "", "", err
	}
	if l.tx != tx { // what it remembers is one transaction's
		l.tx, l.finder = tx, l.service.newFinder(tx, l.principal.BrandNumber)
	}
	u, err := l.find(ctx, cell)
	if err != nil {
		return "", "", err
	}
	already, err := l.service.revoke(ctx, tx, l.principal, l.finder, u, reason)
	if already {
		return u.id(), catalogue.ResultUnchanged, err
	}
	return u.id(), catalogue.ResultRevoked, err
}

// find finds the unit of a row in every way that the row names it.
func (l *revocations) find(ctx context.Context, cell func(string) string) (unit *found, err error) {
	gtin, text := cell("gtin"), cell("serial")
	for _, way := range []struct {
		named bool
		find  func() (*found, error)
	}{
		{cell("unit_id") != "", func() (*found, error) { return l.finder.byID(ctx, cell("unit_id")) }},
		{cell("resolver_url") != "", func() (*found, error) { return l.finder.byURL(ctx, cell("resolver_url")) }},
		{gtin != "" && text != "", func() (*found, error) { return l.finder.bySerial(ctx, gtin, text) }},
	} {
		if !way.named {
			continue
		}
		u, err := way.find()
		switch {
		case err != nil:
			return nil, err
		case unit != nil && (unit.product.Number != u.product.Number || unit.ordinal != u.ordinal):
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "The columns of the row name different units; keep the one that is meant.")
		}
		unit = u
	}
	if unit == nil {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "The row does not name its unit; fill in unit_id, resolver_url, or gtin and serial.")
	}
	return unit, nil
}

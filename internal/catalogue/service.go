package catalogue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"mintage"
	"mintage/internal/store"
)

// Service holds the use cases. It may be used by any number of goroutines.
type Service struct {
	store store.Store
	now   func() time.Time
}

// New makes the service; now gives the times that are shown to people.
func New(s store.Store, now func() time.Time) *Service {
	return &Service{store: s, now: now}
}

// time is cut to what both databases keep, so that what a call returns equals
// what is read back.
func (s *Service) time() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// maxAttempts bounds how often a transaction that lost a race for a unique key
// is run again.
const maxAttempts = 4

// errTaken marks a CONFLICT that the database raised although the use case had
// looked before it wrote: somebody else was faster, or a random product code was
// drawn twice. Run again, the use case sees why or draws another code.
var errTaken = errors.New("lost the race for a unique key")

// taken marks a write's CONFLICT as one to run again for.
func taken(err error) error {
	if mintage.ErrorCode(err) == mintage.CodeConflict {
		return fmt.Errorf("%w: %w", errTaken, err)
	}
	return err
}

// inTx is store.InTx, run again after a lost race.
func (s *Service) inTx(ctx context.Context, p mintage.Principal, fn func(store.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.store.For(p.BrandNumber).InTx(ctx, fn)
		if !errors.Is(err, errTaken) || attempt == maxAttempts {
			return err
		}
	}
}

// event is what every change of the catalogue leaves behind.
func (s *Service) event(ctx context.Context, tx store.Tx, p mintage.Principal, e mintage.Event) error {
	e.BrandNumber, e.Actor, e.Origin, e.At = p.BrandNumber, p.Actor, p.Origin, s.time()
	return tx.AppendEvent(ctx, &e)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// storable reports whether a database can compare the text with what it holds;
// PostgreSQL fails at NUL and broken UTF-8 instead of finding nothing.
func storable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

func isNotFound(err error) bool { return mintage.ErrorCode(err) == mintage.CodeNotFound }

func invalid(field, format string, args ...any) *mintage.Error {
	return mintage.Errorf(mintage.CodeInvalidInput, format, args...).WithField(field)
}

// missing names what the store did not find.
func missing(what string, err error) error {
	if isNotFound(err) {
		return notFound(what)
	}
	return err
}

func notFound(what string) error {
	return mintage.Errorf(mintage.CodeNotFound, "There is no such %s.", what)
}

// What lists are asked with; the store's own, for those who may not import it.
type (
	// Page is part of a list.
	Page = store.Page
	// ProductFilter narrows a list of products.
	ProductFilter = store.ProductFilter
)

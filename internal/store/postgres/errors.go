package postgres

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"mintage"
)

// SQLSTATEs that mean something to us.
const (
	stateUnique            = "23505"
	stateReadOnly          = "25006"
	stateDiskFull          = "53100"
	stateCharacter         = "22021" // not in the encoding, or NUL
	stateSerialization     = "40001"
	stateDeadlock          = "40P01"
	stateLockTimeout       = "55P03"
	stateCancelled         = "57014" // by a timeout, or asked to
	statePrivilege         = "42501"
	stateUndefinedTable    = "42P01"
	stateUndefinedFunction = "42883"
	stateUndefinedSchema   = "3F000"
)

// failure translates an error of pgx. The error of a context that has ended
// stays as it is.
func failure(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*mintage.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && !connecting(err) {
		if e.Code == stateCancelled && ctx.Err() != nil {
			return ctx.Err()
		}
		return serverFailure(e)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return notFound()
	case ctx.Err() != nil:
		return ctx.Err()
	case connecting(err), disconnected(err):
		return unavailable(err)
	}
	return internal(err)
}

// serverFailure translates what the server itself reported.
func serverFailure(e *pgconn.PgError) error {
	switch e.Code {
	case stateUnique:
		return mintage.Errorf(mintage.CodeConflict, "This is taken already.").WithCause(e)
	case stateSerialization, stateDeadlock:
		return mintage.Errorf(mintage.CodeRetry, "Two changes met in the database; try again.").WithCause(e)
	case stateReadOnly:
		return readOnly().WithCause(e)
	case stateDiskFull:
		return mintage.Errorf(mintage.CodeUnavailable, "The database's disk is full.").WithCause(e)
	case stateLockTimeout:
		return unavailable(e)
	case statePrivilege:
		// A grant that is missing is a fault of the place: no job shall fail for it.
		return mintage.Errorf(mintage.CodeUnavailable,
			"The database's role has not the rights that this process needs; run mintage migrate as the owner, and see docs/postgresql.md.").WithCause(e)
	case stateUndefinedTable, stateUndefinedFunction, stateUndefinedSchema:
		return outOfDate().WithCause(e)
	case stateCharacter:
		return mintage.Errorf(mintage.CodeInvalidInput, "A text contains a character that cannot be stored.").WithCause(e)
	}
	if severity := e.SeverityUnlocalized; severity == "FATAL" || severity == "PANIC" {
		return unavailable(e) // whatever the reason, it has ended the connection
	}
	for _, class := range []string{"08", "53", "57P", "58"} {
		if len(e.Code) >= len(class) && e.Code[:len(class)] == class {
			return unavailable(e)
		}
	}
	return internal(e)
}

// connecting tells whether no connection could be made: server down, name not
// found, wrong password, too many connections.
func connecting(err error) bool {
	_, ok := errors.AsType[*pgconn.ConnectError](err)
	return ok
}

// disconnected tells whether a connection was lost, or its answer not waited for.
func disconnected(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok { // includes errno values
		return true
	}
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, pgconn.ErrConnClosed, puddle.ErrClosedPool} {
		if errors.Is(err, known) {
			return true
		}
	}
	return pgconn.Timeout(err) || pgconn.SafeToRetry(err)
}

func notFound() *mintage.Error {
	return mintage.Errorf(mintage.CodeNotFound, "There is no such entry.")
}

func conflict(message string) *mintage.Error {
	return mintage.Errorf(mintage.CodeConflict, "%s", message)
}

func unavailable(cause error) *mintage.Error {
	return mintage.Errorf(mintage.CodeUnavailable, "The database cannot be used at the moment; try again later.").WithCause(cause)
}

func readOnly() *mintage.Error {
	return mintage.Errorf(mintage.CodeUnavailable, "The database is read-only at the moment.")
}

func outOfDate() *mintage.Error {
	return mintage.Errorf(mintage.CodeOldSchema, "The database has to be migrated first: run mintage migrate.")
}

func internal(cause error) *mintage.Error {
	return mintage.Errorf(mintage.CodeInternal, "The database has refused a statement; the cause is in the log.").WithCause(cause)
}

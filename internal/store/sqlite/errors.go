package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mintage"
)

func notFound() error {
	return mintage.Errorf(mintage.CodeNotFound, "There is no such record.")
}

func conflict(message string, cause error) error {
	return mintage.Errorf(mintage.CodeConflict, "%s", message).WithCause(cause)
}

func unavailable(message string, cause error) error {
	return mintage.Errorf(mintage.CodeUnavailable, "%s", message).WithCause(cause)
}

func internal(message string, cause error) error {
	return mintage.Errorf(mintage.CodeInternal, "%s", message).WithCause(cause)
}

// fail gives an error of the driver or of database/sql the code of the contract
// and a message that is safe to show. The end of a context stays what it is, and
// so does an error that has a code.
func (s *Store) fail(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*mintage.Error](err); ok {
		return err
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return engineError(e.Code(), err)
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return notFound()
	case s.closed.Load():
		return unavailable("The database has been closed.", err)
	case errors.Is(err, sql.ErrTxDone), errors.Is(err, sql.ErrConnDone), errors.Is(err, driver.ErrBadConn):
		return unavailable("The transaction has ended.", err)
	}
	return internal("The database driver has failed.", err)
}

// engineError maps SQLite's result codes (https://sqlite.org/rescode.html). The
// low byte is the kind; extended codes are looked at first where they matter.
func engineError(code int, err error) error {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return conflict("The record exists already.", err)
	case sqlite3.SQLITE_BUSY_SNAPSHOT:
		return mintage.Errorf(mintage.CodeRetry, "Another process has written in between; try again.").WithCause(err)
	}
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return unavailable("The disk of the database file is full.", err)
	case sqlite3.SQLITE_IOERR:
		return unavailable("The disk of the database file has failed to read or write.", err)
	case sqlite3.SQLITE_READONLY:
		return unavailable("The database file is read-only.", err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return unavailable("Another process keeps the database file locked.", err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return unavailable("The database file cannot be opened; check that it and its folder exist and may be written to.", err)
	case sqlite3.SQLITE_NOMEM:
		return unavailable("The database has run out of memory.", err)
	case sqlite3.SQLITE_INTERRUPT:
		return unavailable("The statement has been interrupted.", err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		// No job's fault: failing them all would end what a restored backup goes on with.
		return unavailable("The database file is damaged; restore it from a backup.", err)
	}
	return internal("The database has failed to run a statement.", err)
}

// endsTransaction tells the errors after which SQLite may have rolled back by
// itself (https://sqlite.org/lang_transaction.html, "Response To Errors"):
// faults of the place, and a statement that its context interrupted.
func endsTransaction(err error) bool {
	switch mintage.ErrorCode(err) {
	case mintage.CodeUnavailable, mintage.CodeRetry:
		return true
	default:
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
}

package postgres

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mintage"
)

func TestFailure(t *testing.T) {
	for _, test := range []struct {
		err  error
		want mintage.Code
	}{
		{&pgconn.PgError{Code: "08006"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "08P01"}, mintage.CodeUnavailable}, // PgBouncer's
		{&pgconn.PgError{Code: "25006"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "53100"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "53300"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "57P01"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "57P03"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "58030"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "55P03"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "25P03", SeverityUnlocalized: "FATAL"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "40001"}, mintage.CodeRetry},
		{&pgconn.PgError{Code: "40P01"}, mintage.CodeRetry},
		{&pgconn.PgError{Code: "23505"}, mintage.CodeConflict},
		{&pgconn.PgError{Code: "42P01"}, mintage.CodeOldSchema},
		{&pgconn.PgError{Code: "3F000"}, mintage.CodeOldSchema},
		{&pgconn.PgError{Code: "57014"}, mintage.CodeInternal},
		{&pgconn.PgError{Code: "23514"}, mintage.CodeInternal},
		{&pgconn.PgError{Code: "42501"}, mintage.CodeUnavailable},
		{&pgconn.PgError{Code: "22021"}, mintage.CodeInvalidInput},
		{&pgconn.PgError{}, mintage.CodeInternal},
		{pgx.ErrNoRows, mintage.CodeNotFound},
		{io.EOF, mintage.CodeUnavailable},
		{io.ErrUnexpectedEOF, mintage.CodeUnavailable},
		{net.ErrClosed, mintage.CodeUnavailable},
		{&net.OpError{Op: "write", Err: syscall.EPIPE}, mintage.CodeUnavailable},
		{syscall.ECONNRESET, mintage.CodeUnavailable},
		{pgconn.ErrConnClosed, mintage.CodeUnavailable},
		{context.DeadlineExceeded, mintage.CodeUnavailable}, // one of pgx's own, as ctx has not ended
		{pgx.ErrTxCommitRollback, mintage.CodeInternal},
		{conflict("taken"), mintage.CodeConflict},
	} {
		err := failure(t.Context(), fmt.Errorf("wrapped: %w", test.err))
		if got := mintage.ErrorCode(err); got != test.want {
			t.Errorf("%v: %s, want %s", test.err, got, test.want)
		}
	}
}

// Who reads /readyz is to learn what has to be done about it.
func TestFailureSaysWhy(t *testing.T) {
	for code, want := range map[string]string{
		"53100": "The database's disk is full.",
		"25006": "The database is read-only at the moment.",
		"57P03": "The database cannot be used at the moment; try again later.",
	} {
		err := failure(t.Context(), &pgconn.PgError{Code: code, Severity: "ERROR"})
		if mintage.ErrorCode(err) != mintage.CodeUnavailable || mintage.ErrorMessage(err) != want {
			t.Errorf("%s: %v, want %q", code, err, want)
		}
	}
}

func TestFailureOfContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{io.EOF, context.Canceled, pgconn.ErrConnClosed, &pgconn.PgError{Code: "57014"}} {
		if got := failure(ctx, err); got != context.Canceled { //nolint:errorlint // as it is
			t.Errorf("%v: %v", err, got)
		}
	}
	// What the server has decided is decided.
	if got := failure(ctx, &pgconn.PgError{Code: "23505"}); mintage.ErrorCode(got) != mintage.CodeConflict {
		t.Error(got)
	}
}

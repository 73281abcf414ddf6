package mintage

import (
	"errors"
	"fmt"
)

// Code says what went wrong, for programs. Codes are part of the API: they are
// never renamed and never matched by their text's look, only compared.
type Code string

// Codes of errors that are not blocking reasons (see [Reason]).
const (
	CodeInternal     Code = "INTERNAL"           // a fault of ours; the cause is in the log
	CodeInvalidInput Code = "INVALID_INPUT"      // the caller sent something that can never work
	CodeNotSupported Code = "NOT_SUPPORTED"      // well formed, but this version cannot do it
	CodeUnauthorized Code = "UNAUTHORIZED"       // no valid credentials
	CodeForbidden    Code = "FORBIDDEN"          // valid credentials, but not for this
	CodeTooMany      Code = "TOO_MANY_REQUESTS"  // too many, too fast; try again later
	CodeNotFound     Code = "NOT_FOUND"          // unknown, or another brand's: the two look the same
	CodeConflict     Code = "CONFLICT"           // contradicts what is already stored
	CodeBlocked      Code = "MINT_BLOCKED"       // a mint request with blocking reasons
	CodeKeyReused    Code = "IDEMPOTENCY_REUSED" // the same idempotency key with another body
	CodeCommitted    Code = "BELOW_COMMITTED"    // a production batch may not shrink below what is committed
	CodeTransition   Code = "ILLEGAL_TRANSITION" // a state change that the lifecycle does not have
	CodeUnavailable  Code = "UNAVAILABLE"        // a fault of the place (connection, disk, shutdown); try again later
	CodeUnknown      Code = "OUTCOME_UNKNOWN"    // the connection broke while committing: done or not done
	CodeRetry        Code = "TRY_AGAIN"          // lost a race in the database; the same call may succeed at once
	CodeOldSchema    Code = "SCHEMA_OUT_OF_DATE" // the database wants a migration first
	CodeInUse        Code = "ALREADY_IN_USE"     // another process holds the data
)

// Error is the one error type that carries meaning across packages. Message is
// safe to show to anyone and says what to do; Err is the cause, for the log.
type Error struct {
	Code    Code
	Message string
	Field   string // JSON pointer or name of the offending input, if one applies
	Err     error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an [Error] without a cause.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithCause attaches the cause, for the log only.
func (e *Error) WithCause(err error) *Error {
	e.Err = err
	return e
}

// WithField names the input that is to blame.
func (e *Error) WithField(field string) *Error {
	e.Field = field
	return e
}

// ErrorCode returns the code of the first [Error] in err's chain: "" for nil,
// [CodeInternal] for an error without a code.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// ErrorMessage returns what may be shown to the caller.
func ErrorMessage(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return "An internal error has occurred; its cause is in the log."
}

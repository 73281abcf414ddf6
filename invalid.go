package mintage

// InvalidError is input that can never work, with every fault that was found;
// nothing was created or changed.
type InvalidError struct {
	Faults []*Error
}

func (e *InvalidError) Error() string { return string(CodeInvalidInput) + ": " + e.message() }

func (e *InvalidError) message() string {
	if len(e.Faults) == 1 {
		return e.Faults[0].Message
	}
	return "The input is not valid; each entry of errors says where and why."
}

// Unwrap makes [ErrorCode] and [ErrorMessage] work on invalid input.
func (e *InvalidError) Unwrap() error { return Errorf(CodeInvalidInput, "%s", e.message()) }

package api

import (
	"bytes"
	"errors"
	"io"
	"os"

	"mintage"
)

// spoolMemory is how much of a spool stays in memory.
const spoolMemory = 1 << 20

// spool keeps what is written until it is read: a little in memory, more in a
// temporary file without a name, which goes when the process does.
type spool struct {
	memory bytes.Buffer
	file   *os.File
}

func (s *spool) Write(p []byte) (int, error) {
	if s.memory.Len()+len(p) > spoolMemory {
		if err := s.spill(); err != nil {
			return 0, mintage.Errorf(mintage.CodeUnavailable, "There is no room for the answer in the server's temporary folder; import the file in parts.").WithCause(err)
		}
	}
	return s.memory.Write(p)
}

func (s *spool) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "mintage-import-"); err != nil {
			return err
		}
		_ = os.Remove(s.file.Name()) // where that cannot be, close does it
	}
	_, err = s.memory.WriteTo(s.file)
	return err
}

// reader returns what was written, from the beginning.
func (s *spool) reader() (io.Reader, error) {
	if s.file == nil {
		return &s.memory, nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.MultiReader(s.file, &s.memory), nil
}

func (s *spool) close() {
	if s.file != nil {
		_ = errors.Join(s.file.Close(), os.Remove(s.file.Name())) // removed before, as a rule
	}
}

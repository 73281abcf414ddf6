package catalogue

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"mintage"
)

// maxRow is the most that one row may take, in bytes. It bounds the memory of the
// reader, and leaves room for the largest attributes with all quotes doubled.
const maxRow = 256 << 10

// row is one row of a CSV file: its cells, or why it cannot be read.
type row struct {
	number int // as a spreadsheet counts: the header is 1, blank rows count
	cells  []string
	size   int // bytes in the file, or wholeLine
	fault  *mintage.Error
}

// wholeLine is the size of a row that cannot be read: it costs one line.
const wholeLine = -1

// rows reads a CSV file row by row in constant memory. encoding/csv would do but
// for one thing: after a quote that nobody closed it takes the rest of the file
// for one cell. Here such a row costs only its first line; reading goes on with
// the next one.
type rows struct {
	buffer    *bufio.Reader
	end       error // what the input ended with, once it has
	separator byte
	number    int
}

// newRows looks at the beginning of the file and fails where its encoding is one
// in which no row could be read.
func newRows(r io.Reader) (*rows, error) {
	t := &rows{buffer: bufio.NewReaderSize(r, maxRow)}
	start := t.window(4)
	if bytes.HasPrefix(start, []byte{0xFF, 0xFE}) || bytes.HasPrefix(start, []byte{0xFE, 0xFF}) || bytes.IndexByte(start, 0) >= 0 {
		return nil, invalid("", "The file is UTF-16; save it as UTF-8 (in a spreadsheet: “CSV UTF-8”).")
	}
	if bytes.HasPrefix(start, []byte("\uFEFF")) {
		t.drop(len("\uFEFF"))
	}
	return t, nil
}

// header returns the first row that has content, and settles whether the file
// separates with commas or semicolons: by which there are more cells in it.
func (t *rows) header() (row, error) {
	for {
		r, err := t.scan(',')
		if err != nil {
			return row{}, err
		}
		t.separator = ','
		if other, err := t.scan(';'); err == nil && len(other.cells) > len(r.cells) {
			r, t.separator = other, ';'
		}
		t.take(&r)
		if r.fault != nil || !blank(r.cells) {
			return r, nil
		}
	}
}

// next returns the next row that has content, or io.EOF, or the error of the
// input. A row that cannot be read has a fault; the rows after it can.
func (t *rows) next() (row, error) {
	for {
		r, err := t.scan(t.separator)
		if err != nil {
			return row{}, err
		}
		t.take(&r)
		if r.fault != nil || !blank(r.cells) { // spreadsheets export ";;;" for rows that were once used
			return r, nil
		}
	}
}

// take consumes a row that scan returned.
func (t *rows) take(r *row) {
	t.number++
	r.number = t.number
	if r.size != wholeLine {
		t.drop(r.size)
		return
	}
	for want := 0; ; want = maxRow {
		text := t.window(want)
		i := bytes.IndexByte(text, '\n')
		if i >= 0 {
			t.drop(i + 1)
			return
		}
		t.drop(len(text))
		if t.end != nil {
			return
		}
	}
}

// drop consumes n bytes that window returned.
func (t *rows) drop(n int) {
	_, _ = t.buffer.Discard(n) // they are in the buffer
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// window returns at least n of the next bytes, and fewer only where the input has
// ended.
func (t *rows) window(n int) []byte {
	if t.end != nil {
		n = 0
	}
	text, err := t.buffer.Peek(max(n, t.buffer.Buffered()))
	if err != nil {
		t.end = err
	}
	return text
}

// broken returns why the input ended before the file did, if so.
func (t *rows) broken() error {
	if errors.Is(t.end, io.EOF) {
		return nil
	}
	return t.end
}

// scan reads the next row without consuming it.
func (t *rows) scan(separator byte) (row, error) {
	for want := 4 << 10; ; {
		text := t.window(min(want, maxRow))
		atEnd := t.end != nil && t.broken() == nil
		if len(text) == 0 && atEnd {
			return row{}, io.EOF
		}
		cells, size, found := splitRow(text, separator, atEnd)
		switch {
		case found == incomplete && t.broken() != nil:
			return row{}, t.broken() // a row without its end may be torn
		case found == incomplete && len(text) < maxRow:
			want = 2 * len(text)
			continue
		case found == complete && !utf8.Valid(text[:size]):
			return row{size: size, fault: invalid("", "The row is not UTF-8; save the file as UTF-8 (in a spreadsheet: “CSV UTF-8”).")}, nil
		case found == complete:
			return row{cells: cells, size: size}, nil
		}
		// The row ends where its first line does: a quote that was opened by
		// mistake must not cost the rows after it.
		return row{size: wholeLine, fault: found.fault()}, nil
	}
}

// finding is what splitRow says of a text.
type finding int

const (
	complete   finding = iota
	incomplete         // the row goes on after the text
	bareQuote          // a quote inside a cell that does not begin with one
	afterQuote         // a cell goes on after its closing quote
	openQuote          // the file ends inside a quoted cell
)

func (f finding) fault() *mintage.Error {
	switch f {
	case bareQuote, afterQuote:
		return invalid("", "The row has a quote inside a cell; put the whole cell in quotes and write the quotes inside twice.")
	case openQuote:
		return invalid("", "A cell of the row begins with a quote that is not closed; close it, or write quotes inside a quoted cell twice.")
	case complete, incomplete:
	}
	return invalid("", "The row is longer than %d KiB, or a quote in it is not closed; shorten it or close the quote.", maxRow>>10)
}

// splitRow splits the row at the beginning of text (RFC 4180; lines end in LF or
// CRLF). It returns the cells and the bytes the row takes with its line end.
// At the end of the file the text has all that is left.
func splitRow(text []byte, separator byte, atEnd bool) (cells []string, size int, found finding) {
	for i := 0; ; {
		var cell string
		var next int
		if i < len(text) && text[i] == '"' {
			cell, next, found = quotedCell(text, i, separator, atEnd)
		} else {
			cell, next, found = plainCell(text, i, separator, atEnd)
		}
		if found != complete {
			return nil, 0, found
		}
		cells = append(cells, cell)
		if next == len(text) || text[next] != separator {
			return cells, min(next+1, len(text)), complete
		}
		i = next + 1
	}
}

// plainCell reads a cell without quotes; next is the place of the separator or
// line feed after it, or the end of the file.
func plainCell(text []byte, start int, separator byte, atEnd bool) (cell string, next int, found finding) {
	next = start
	for next < len(text) && text[next] != separator && text[next] != '\n' {
		if text[next] == '"' {
			return "", 0, bareQuote
		}
		next++
	}
	if next == len(text) && !atEnd {
		return "", 0, incomplete
	}
	raw := text[start:next]
	if next == len(text) || text[next] == '\n' {
		raw = bytes.TrimSuffix(raw, []byte("\r"))
	}
	return string(raw), next, complete
}

// quotedCell reads a cell that begins with a quote, like plainCell. Line ends
// inside become LF, so that they do not depend on the system that wrote the file.
func quotedCell(text []byte, start int, separator byte, atEnd bool) (cell string, next int, found finding) {
	unfinished := incomplete
	if atEnd {
		unfinished = openQuote
	}
	next = start + 1
	for {
		i := bytes.IndexByte(text[next:], '"')
		if i < 0 {
			return "", 0, unfinished
		}
		next += i + 1 // after the quote
		if next < len(text) && text[next] == '"' {
			next++
			continue
		}
		break
	}
	raw := text[start+1 : next-1]
	if next < len(text) && text[next] == '\r' && (next+1 == len(text) || text[next+1] == '\n') {
		next++
	}
	if next == len(text) && !atEnd {
		return "", 0, incomplete
	}
	if next < len(text) && text[next] != separator && text[next] != '\n' {
		return "", 0, afterQuote
	}
	cell = strings.ReplaceAll(string(raw), `""`, `"`)
	return strings.ReplaceAll(cell, "\r\n", "\n"), next, complete
}

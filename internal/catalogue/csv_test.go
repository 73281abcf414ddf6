package catalogue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"mintage"
	"mintage/internal/store"
)

// readAll shows a file as the reader sees it: one line a row, cells joined by
// "|", refused rows as "!".
func readAll(r io.Reader) ([]string, error) {
	file, err := newRows(r)
	if err != nil {
		return nil, err
	}
	var all []string
	next := file.header
	for {
		r, err := next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		text := strings.Join(r.cells, "|")
		if r.fault != nil {
			text = "!"
		}
		all = append(all, fmt.Sprintf("%d %s", r.number, text))
		next = file.next
	}
}

func TestRows(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		want []string
	}{
		"empty file":                   {"", nil},
		"only a byte order mark":       {"\uFEFF", nil},
		"commas":                       {"a,b\n1,2\n", []string{"1 a|b", "2 1|2"}},
		"semicolons":                   {"a;b\n1,5;2\n", []string{"1 a|b", "2 1,5|2"}},
		"the header decides":           {"a;b,c;d\n1;2,3;4", []string{"1 a|b,c|d", "2 1|2,3|4"}},
		"semicolons in quotes":         {"\"a;b;c\",d\n1,2", []string{"1 a;b;c|d", "2 1|2"}},
		"quoted header, semicolons":    {"\"a\";\"b,c\"\n1;2", []string{"1 a|b,c", "2 1|2"}},
		"byte order mark":              {"\uFEFFa,b\n1,2\n", []string{"1 a|b", "2 1|2"}},
		"byte order mark and quote":    {"\uFEFF\"a\",b\n", []string{"1 a|b"}},
		"CRLF":                         {"a,b\r\n1,2\r\n", []string{"1 a|b", "2 1|2"}},
		"CRLF after quotes":            {"a,\"b\"\r\n1,\"2\"\r\n", []string{"1 a|b", "2 1|2"}},
		"no line end at the end":       {"a,b\n1,2", []string{"1 a|b", "2 1|2"}},
		"CR at the end":                {"a,b\n1,2\r", []string{"1 a|b", "2 1|2"}},
		"CR at the end after quotes":   {"a,b\n1,\"2\"\r", []string{"1 a|b", "2 1|2"}},
		"blank rows count":             {"\n\na,b\n\n ,\t\n1,2\n;;\n\n", []string{"3 a|b", "6 1|2", "7 ;;"}},
		"blank before semicolons":      {"\r\n;;\r\na;b\r\n1;2", []string{"3 a|b", "4 1|2"}},
		"empty cells":                  {"a,b,c\n,,1\n1,,\n", []string{"1 a|b|c", "2 ||1", "3 1||"}},
		"quotes":                       {"a,b\n\"x,\"\"y\"\"\",\"\"\n", []string{"1 a|b", "2 x,\"y\"|"}},
		"lines in quotes are one row":  {"a,b\n\"x\ny\",2\n3,4", []string{"1 a|b", "2 x\ny|2", "3 3|4"}},
		"CRLF in quotes is LF":         {"a,b\r\n\"x\r\ny\",2\r\n", []string{"1 a|b", "2 x\ny|2"}},
		"quote in a cell":              {"a,b\nx\"y,2\n3,4", []string{"1 a|b", "2 !", "3 3|4"}},
		"text after a quote":           {"a,b\n\"x\"y,2\n3,4", []string{"1 a|b", "2 !", "3 3|4"}},
		"space before a quote":         {"a,b\n1, \"x\"\n3,4", []string{"1 a|b", "2 !", "3 3|4"}},
		"quote not closed":             {"a,b\n1,\"x\n3,4\n5,6", []string{"1 a|b", "2 !", "3 3|4", "4 5|6"}},
		"quote not closed, last row":   {"a,b\n1,2\n3,\"x", []string{"1 a|b", "2 1|2", "3 !"}},
		"quote not closed, then good":  {"a,b\n1,\"x\n3,4\n\"5\",6\n7,8", []string{"1 a|b", "2 !", "3 3|4", "4 5|6", "5 7|8"}},
		"every quote not closed":       {"a,b\n\"1,2\n\"3,4\n\"5,6\n7,8", []string{"1 a|b", "2 !", "3 !", "4 !", "5 7|8"}},
		"not UTF-8":                    {"a,b\n\xe4,2\n3,4", []string{"1 a|b", "2 !", "3 3|4"}},
		"not UTF-8, in quotes":         {"a,b\n\"\xe4\n\",2\n3,4", []string{"1 a|b", "2 !", "3 3|4"}},
		"wrong number of cells passes": {"a,b\n1\n1,2,3", []string{"1 a|b", "2 1", "3 1|2|3"}},
		"longest row": {"a,b\n" + strings.Repeat("x", maxRow-3) + ",2\n3,4",
			[]string{"1 a|b", "2 " + strings.Repeat("x", maxRow-3) + "|2", "3 3|4"}},
		"row too long":           {"a,b\n" + strings.Repeat("x", maxRow) + ",2\n3,4", []string{"1 a|b", "2 !", "3 3|4"}},
		"row far too long":       {"a,b\n" + strings.Repeat("x", 3*maxRow+5) + ",2\n3,4", []string{"1 a|b", "2 !", "3 3|4"}},
		"last row too long":      {"a,b\n" + strings.Repeat("x", 2*maxRow), []string{"1 a|b", "2 !"}},
		"header too long":        {strings.Repeat("x", 2*maxRow) + "\n1;2\n", []string{"1 !", "2 1;2"}},
		"open quote, then a lot": {"a,b\n1,\"x\n" + strings.Repeat("3,4\n", maxRow/4), append([]string{"1 a|b", "2 !"}, counted("3|4", 3, maxRow/4)...)},
		"only line ends":         {"\n\r\n\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			readers := map[string]io.Reader{
				"at once":   strings.NewReader(test.file),
				"with EOF":  iotest.DataErrReader(strings.NewReader(test.file)),
				"in halves": iotest.HalfReader(strings.NewReader(test.file)),
				"byte-wise": iotest.OneByteReader(strings.NewReader(test.file)),
			}
			for how, r := range readers {
				got, err := readAll(r)
				if err != nil || !slices.Equal(got, test.want) {
					t.Errorf("%s: got %.300q, %v; want %.300q", how, got, err, test.want)
				}
			}
		})
	}
}

func counted(text string, from, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%d %s", from+i, text))
	}
	return all
}

func TestRowsRefuseUTF16(t *testing.T) {
	for name, file := range map[string]string{
		"little endian, marked":   "\xff\xfea\x00,\x00b\x00",
		"big endian, marked":      "\xfe\xff\x00a\x00,\x00b",
		"little endian, unmarked": "a\x00,\x00b\x00",
		"big endian, unmarked":    "\x00a\x00,\x00b",
	} {
		_, err := readAll(strings.NewReader(file))
		if mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRowsReportTheInputsError(t *testing.T) {
	broken := errors.New("the line is cut")
	for _, file := range []string{"", "a", "a,b\n", "a,b\n1,2\n3", "a,b\n1,\"2\n3", "a,b\n" + strings.Repeat("x", maxRow+7)} {
		// A row without its line end may be torn, so it must not be returned.
		all, err := readAll(io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("%.20q: the error is %v", file, err)
		}
		if len(all) > 2 {
			t.Errorf("%.20q: %q", file, all)
		}
	}
}

// What a writer of RFC 4180 writes is read back, whatever it quotes.
func TestRowsReadWhatWasWritten(t *testing.T) {
	cell := rapid.StringOf(rapid.RuneFrom([]rune{'a', 'ä', ',', ';', '"', '\n', ' ', '7'}))
	rapid.Check(t, func(t *rapid.T) {
		separator := rapid.SampledFrom([]string{",", ";"}).Draw(t, "separator")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
		columns := rapid.IntRange(2, 5).Draw(t, "columns")
		table := rapid.SliceOf(rapid.SliceOfN(cell, columns, columns)).Draw(t, "table")

		// A header without the other separator, so that it decides.
		file := strings.Join(slices.Repeat([]string{"h"}, columns), separator) + end
		want := [][]string{}
		for _, cells := range table {
			var written []string
			for _, c := range cells {
				if strings.ContainsAny(c, "\n\""+separator) || rapid.Bool().Draw(t, "quoted") {
					c = `"` + strings.ReplaceAll(strings.ReplaceAll(c, `"`, `""`), "\n", end) + `"`
				}
				written = append(written, c)
			}
			file += strings.Join(written, separator) + end
			if !blank(cells) {
				want = append(want, cells)
			}
		}
		r, err := newRows(strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.header(); err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			got, err := r.next()
			if errors.Is(err, io.EOF) && i == len(want) {
				return
			}
			if err != nil || got.fault != nil || i >= len(want) || !slices.Equal(got.cells, want[i]) {
				t.Fatalf("row %d of %q: %+v, %v", i, file, got, err)
			}
		}
	})
}

// A file of any size is read in the memory of a few rows.
func TestRowsTakeConstantMemory(t *testing.T) {
	line := strings.Repeat("a text of some length,", 50) + "\n"
	const size = 64 << 20
	r, err := newRows(io.LimitReader(&repeater{text: line}, size))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := uint64(0)
	for n := 0; ; n++ {
		if _, err := r.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if n%10_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapAlloc)
		}
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("reading %d MiB held %d MiB", size>>20, grown>>20)
	}
}

type repeater struct {
	text string
	rest string
}

func (r *repeater) Read(p []byte) (int, error) {
	if r.rest == "" {
		r.rest = r.text
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// noStore is enough of a store for an import that stores nothing.
type noStore struct{ store.Store }

func (s noStore) For(int64) store.Transactions { return s }

func (noStore) InTx(_ context.Context, fn func(store.Tx) error) error { return fn(nil) }

func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		"", "sku,name\n1,a\n", "\uFEFFsku;name\r\n1;a\r\n", "sku,name\n\"1,a\n2,b\n", "sku,name\n1\n1,2,3\n\n;;\n,\n",
		"sku,name\n\xff,a\n\"a\r\nb\",\"c\"\"d\"\n", "a\x00,\x00", "name,gtin,dpp.weight kg,DPP.weight_kg\n",
		"sku,name,x,x\n1,\"2\"3,4,5\r", "name,sku,dpp.a\n1,2,\"{}\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		var rows []Row
		im := importer{
			service: New(noStore{}, nil),
			layout:  productLayout,
			each:    collect(&rows),
			apply: func(_ context.Context, _ store.Tx, r record) (string, string, error) {
				for _, a := range r.columns.attributes {
					_ = r.cells[a.index]
				}
				if r.text("name") == "" {
					return "", "", invalid("name", "There is no name.")
				}
				return r.text("sku"), ResultCreated, nil
			},
		}
		summary, err := im.run(t.Context(), strings.NewReader(string(file)))
		if err != nil && (mintage.ErrorCode(err) != mintage.CodeInvalidInput || len(rows) > 0) {
			t.Fatalf("%d rows and %v", len(rows), err)
		}
		accepted, refused, last := 0, 0, 1
		for _, r := range rows {
			if r.Row <= last {
				t.Fatalf("row %d comes after row %d", r.Row, last)
			}
			last = r.Row
			if r.Accepted {
				accepted++
			} else {
				refused++
				if r.Code == "" || r.Message == "" {
					t.Fatalf("row %d is refused for no reason: %+v", r.Row, r)
				}
			}
		}
		if summary.Rows != len(rows) || accepted != summary.Created || refused != summary.Refused || accepted+refused != summary.Rows {
			t.Fatalf("%d accepted, %d refused: %+v", accepted, refused, summary)
		}
	})
}

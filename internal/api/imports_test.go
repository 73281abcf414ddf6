package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/store/storetest"
)

func TestImportAnswersPerRow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		file := "\ufeffSKU;Name;GTIN;Shelf\r\n" +
			"A;First;9521234543213;x\r\n" +
			"B;Second;9521234543210;x\r\n" + // wrong check digit
			";;;\r\n" +
			"C;\"Third; with a semicolon\";;x\r\n"
		got := decode[importAnswer](w.do(call{path: "/v1/products/import", contentType: "text/csv", body: file}).is(http.StatusOK))
		want := importAnswer{
			Rows: []importRow{
				{Row: 2, Accepted: true, Result: "created", Key: "A"},
				{Row: 3, Result: "refused", Column: "gtin", Code: mintage.CodeInvalidInput, Message: got.Rows[1].Message},
				{Row: 5, Accepted: true, Result: "created", Key: "C"},
			},
			Summary: importSummary{Rows: 3, Accepted: 2, Created: 2, Refused: 1, IgnoredColumns: []string{"Shelf"}},
		}
		equal(t, "answer", got, want)
		if got.Rows[1].Message == "" {
			t.Error("the refusal says nothing")
		}
		w.unchanged(func() {
			again := decode[importAnswer](w.do(call{path: "/v1/products/import", contentType: "text/csv", body: file}).is(http.StatusOK))
			equal(t, "again", again.Summary, importSummary{Rows: 3, Accepted: 2, Unchanged: 2, Refused: 1, IgnoredColumns: []string{"Shelf"}})
		})
		pbs := decode[importAnswer](w.do(call{path: "/v1/production-batches/import", contentType: "text/csv", body: "code,sku,quantity,status\nR1,A,10,READY\nR2,X,10,READY\n"}).is(http.StatusOK))
		if pbs.Summary.Created != 1 || pbs.Summary.Refused != 1 || pbs.Rows[1].Column != "sku" || pbs.Summary.IgnoredColumns == nil {
			t.Errorf("production batches: %+v", pbs)
		}
	})
}

func TestFilesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.unchanged(func() {
			for _, body := range []string{"sku\nA\n", "\n", "sku;sku;name\na;b;c\n", "\xff\xfes\x00k\x00u\x00"} {
				a := w.do(call{path: "/v1/products/import", contentType: "text/csv", body: body})
				a.refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
			}
			for _, contentType := range []string{"application/json", "text/csv; charset=utf-16", "multipart/form-data; boundary=x"} {
				w.do(call{path: "/v1/products/import", contentType: contentType, body: "sku;name\nA;B\n"}).refuses(http.StatusUnsupportedMediaType, codeMediaType)
			}
		})
	})
}

// TestImportOfManyRows sends a file that its client does not hold either, and reads an
// answer that is larger than the server keeps in memory.
func TestImportOfManyRows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const rows = 12_000 // refused, so that it is quick: their messages are long
		file, writer := io.Pipe()
		go func() {
			_, err := io.WriteString(writer, "sku,name,gtin\n")
			for i := 0; i < rows && err == nil; i++ {
				_, err = fmt.Fprintf(writer, "S%d,Name,95212345432\n", i)
			}
			_ = writer.CloseWithError(err)
		}()
		r := w.request(call{path: "/v1/products/import", contentType: "text/csv", method: http.MethodPost})
		r.Body, r.ContentLength = file, -1
		response, err := w.http.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || len(text) < 2*spoolMemory/2 {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
		got := decode[importAnswer](&answer{t: t, body: text})
		if got.Summary.Rows != rows || got.Summary.Refused != rows || len(got.Rows) != rows || got.Rows[rows-1].Row != rows+1 {
			t.Errorf("%d rows, summary %+v", len(got.Rows), got.Summary)
		}
	})
}

// TestImportOverTheLimit keeps what was imported before the limit was met.
func TestImportOverTheLimit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, func(s *server) { s.limits.csv = 300 << 10 })
		r := w.request(call{path: "/v1/products/import", contentType: "text/csv", method: http.MethodPost})
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("sku,name\n"+strings.Repeat("A,Name\n", 1000)), &endless{left: 1 << 20})), -1
		response, err := w.http.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		a := &answer{t: t, status: response.StatusCode, header: response.Header, body: text}
		a.refuses(http.StatusRequestEntityTooLarge, codeTooLarge)

		w.do(call{path: "/v1/products/import", contentType: "text/csv", body: "sku,name\n" + strings.Repeat("x", 301<<10)}).
			refuses(http.StatusRequestEntityTooLarge, codeTooLarge)
	})
}

func TestSpool(t *testing.T) {
	s := &spool{}
	defer s.close()
	piece := strings.Repeat("0123456789", 1000)
	const pieces = 300 // 3 MB
	for range pieces {
		if _, err := s.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if s.file == nil || s.memory.Len() > spoolMemory {
		t.Errorf("%d bytes are in memory", s.memory.Len())
	}
	r, err := s.reader()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || string(got) != strings.Repeat(piece, pieces) {
		t.Errorf("%d bytes came back (%v)", len(got), err)
	}
	t.Setenv("TMPDIR", "/nonexistent")
	full := &spool{}
	defer full.close()
	if _, err := full.Write(make([]byte, spoolMemory+1)); mintage.ErrorCode(err) != mintage.CodeUnavailable || errors.Unwrap(err) == nil {
		t.Errorf("without a temporary folder: %v", err)
	}
}

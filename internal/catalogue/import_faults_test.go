package catalogue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"mintage"
	"mintage/internal/store"
)

func manyRows(n int, name string) string {
	var file strings.Builder
	file.WriteString("sku,name\n")
	for i := range n {
		fmt.Fprintf(&file, "s%d,%s\n", i, name)
	}
	return file.String()
}

// Rows are told of in order, after they are stored; whoever stops listening
// stops the import, and keeps what was stored.
func TestImportStopsWithItsListener(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		gone := errors.New("the client is gone")
		heard := 0
		summary, err := w.service.ImportProducts(t.Context(), w.p, strings.NewReader(manyRows(1400, "x")), func(r Row) error {
			heard++
			if r.Row != heard+1 {
				t.Errorf("row %d comes as number %d", r.Row, heard)
			}
			if heard == 1 {
				w.productBySKU(t, "s0")
				w.productBySKU(t, "s499")
			}
			if heard == 700 {
				return gone
			}
			return nil
		})
		if !errors.Is(err, gone) || heard != 700 || summary.Created != 1000 || summary.Rows != 1000 {
			t.Errorf("heard of %d rows: %+v, %v", heard, summary, err)
		}
		if n := len(w.allProducts(t, w.p)); n != 1000 {
			t.Errorf("%d products", n)
		}
		summary, _ = w.importProducts(t, manyRows(1400, "x"))
		if summary.Unchanged != 1000 || summary.Created != 400 {
			t.Errorf("again: %+v", summary)
		}
	})
}

// A file that stops arriving loses what was not yet stored, and nothing else.
func TestImportOfATornFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		broken := errors.New("the line is cut")
		torn := func(n int) *tornReader { return &tornReader{text: manyRows(n, "x"), err: broken} }
		for _, n := range []int{0, 499, 0, 750} {
			summary, err := w.service.ImportProducts(t.Context(), w.p, torn(n), func(Row) error { return nil })
			if !errors.Is(err, broken) || mintage.ErrorCode(err) != mintage.CodeInvalidInput {
				t.Errorf("%d: the error is %v", n, err)
			}
			if want := n / 500 * 500; summary.Rows != want {
				t.Errorf("%d: the summary is %+v", n, summary)
			}
		}
		if n := len(w.allProducts(t, w.p)); n != 500 {
			t.Errorf("%d products", n)
		}
	})
}

type tornReader struct {
	text string
	err  error
}

func (r *tornReader) Read(p []byte) (int, error) {
	if r.text == "" {
		return iotest.ErrReader(r.err).Read(p)
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// A fault of the store ends the import; what was stored before is counted.
func TestImportEndsWithTheStore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		down := mintage.Errorf(mintage.CodeUnavailable, "The database is down.")
		service := New(&failingStore{Store: w.db, good: 1, err: down}, w.clock.Now)
		heard := 0
		summary, err := service.ImportProducts(t.Context(), w.p, strings.NewReader(manyRows(1400, "x")), func(Row) error {
			heard++
			return nil
		})
		if !errors.Is(err, down) || summary.Created != 500 || heard != 500 {
			t.Errorf("heard of %d rows: %+v, %v", heard, summary, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.service.ImportProducts(ctx, w.p, strings.NewReader(manyRows(1, "x")), collect(new([]Row))); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

type failingStore struct {
	store.Store
	good int
	err  error
}

func (f *failingStore) For(int64) store.Transactions { return f }

func (f *failingStore) InTx(ctx context.Context, fn func(store.Tx) error) error {
	if f.good--; f.good < 0 {
		return f.err
	}
	return f.Store.InTx(ctx, fn)
}

// A row that the database refuses although the import had looked costs only
// itself.
func TestImportSurvivesLostRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		taken := w.NewProduct(w.brand)
		unlucky := &unluckyStore{Store: w.db, code: taken.Code, times: 1}
		service := New(unlucky, w.clock.Now)
		var rows []Row
		summary, err := service.ImportProducts(t.Context(), w.p, strings.NewReader(manyRows(3, "x")), collect(&rows))
		if err != nil || summary.Created != 3 {
			t.Errorf("%+v, %v", summary, err)
		}
		wantRows(t, rows, []string{"2 created s0", "3 created s1", "4 created s2"})

		// The first attempt together, then every attempt of the first row alone.
		unlucky.times = 1 + maxAttempts
		rows = nil
		summary, err = service.ImportProducts(t.Context(), w.p, strings.NewReader("sku,name\nu0,x\nu1,x\ns2,x\n"), collect(&rows))
		if err != nil || summary.Created != 1 || summary.Refused != 1 {
			t.Errorf("%+v, %v", summary, err)
		}
		wantRows(t, rows, []string{"2 CONFLICT ", "3 created u1", "4 unchanged s2"})
		if n := len(w.events(t)); n != 4 {
			t.Errorf("%d events", n)
		}
	})
}

// Two imports of the same products in opposite order both end, and every row of
// both is accepted.
func TestImportsMeet(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.importProducts(t, manyRows(200, "old"))
		up := manyRows(400, "up")
		lines := strings.Split(strings.TrimSuffix(manyRows(400, "down"), "\n"), "\n")
		for i, j := 1, len(lines)-1; i < j; i, j = i+1, j-1 {
			lines[i], lines[j] = lines[j], lines[i]
		}
		var group sync.WaitGroup
		for _, file := range []string{up, strings.Join(lines, "\n")} {
			group.Go(func() {
				summary, err := w.service.ImportProducts(t.Context(), w.p, strings.NewReader(file), func(Row) error { return nil })
				if err != nil || summary.Rows != 400 || summary.Refused != 0 {
					t.Errorf("%+v, %v", summary, err)
				}
			})
		}
		group.Wait()
		if n := len(w.allProducts(t, w.p)); n != 400 {
			t.Errorf("%d products", n)
		}
	})
}

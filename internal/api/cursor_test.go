package api

import (
	"encoding/base64"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mintage"
)

var (
	cursorKey  = []byte("key of the test")
	ourCursors = newCursors(cursorKey, 1, "/v1/products")
)

func TestCursors(t *testing.T) {
	for _, n := range []int64{0, 1, 199, math.MaxInt64} {
		got, err := ourCursors.decode(ourCursors.encode(n))
		if err != nil || got != n {
			t.Errorf("%d became %d (%v)", n, got, err)
		}
	}
	good := ourCursors.encode(5)
	bad := []string{
		"x", good + "=", good + "A", good[:21], good + "\n", good[:11] + "\n" + good[12:], " " + good, good[:21] + "_", strings.Repeat("A", 1<<16),
		ourCursors.encode(-1), ourCursors.encode(math.MinInt64),
		// What another brand, another list or another installation has given.
		newCursors(cursorKey, 2, "/v1/products").encode(5),
		newCursors(cursorKey, 1, "/v1/events").encode(5),
		newCursors(cursorKey, 11, "/v1/product").encode(5),
		newCursors([]byte("another key"), 1, "/v1/products").encode(5),
	}
	for i := range good { // no character is without meaning
		other := "A"
		if good[i] == 'A' {
			other = "E" // not B, which differs in bits that the last character does not have
		}
		bad = append(bad, good[:i]+other+good[i+1:])
	}
	for _, bad := range bad {
		if n, err := ourCursors.decode(bad); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%.30q became %d (%v)", bad, n, err)
		}
	}
}

// TestCursorsTellNothing: neighbours do not look alike, as numbers do.
func TestCursorsTellNothing(t *testing.T) {
	one, _ := base64.RawURLEncoding.DecodeString(ourCursors.encode(1))
	two, _ := base64.RawURLEncoding.DecodeString(ourCursors.encode(2))
	same := 0
	for i := range one {
		if one[i] == two[i] {
			same++
		}
	}
	if len(one) != 16 || len(two) != 16 || same > 4 {
		t.Errorf("%x and %x", one, two)
	}
}

func FuzzCursor(f *testing.F) {
	for _, n := range []int64{0, 1, 1 << 40, math.MaxInt64} {
		f.Add(ourCursors.encode(n))
	}
	f.Add("AQ")
	f.Add("//////////////////////")
	f.Add(newCursors(cursorKey, 2, "/v1/products").encode(1))
	f.Add(ourCursors.encode(-1))
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ourCursors.decode(text)
		if err == nil && (n < 0 || ourCursors.encode(n) != text) {
			t.Fatalf("%q became %d", text, n)
		}
		if err != nil && (n != 0 || mintage.ErrorCode(err) != mintage.CodeInvalidInput) {
			t.Fatalf("%q: %d, %v", text, n, err)
		}
	})
}

// TestCursorsBelongToTheirList asks each list with the cursors of all others, of
// this brand and of another with as many rows.
func TestCursorsBelongToTheirList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		lists := []string{"/v1/products", "/v1/production-batches", "/v1/mint-jobs", "/v1/mint-batches", "/v1/events"}
		fill := func() (paths, cursors []string) {
			var batches []string
			for _, sku := range []string{"A", "B"} {
				p := w.newProduct(sku)
				w.do(call{method: http.MethodPut, path: "/v1/production-batches/" + sku, body: `{"sku":"A","quantity":1,"status":"READY"}`}).is(http.StatusCreated)
				batches = append(batches, "/v1/mint-batches/"+w.submit(p.ID, 2).BatchID+"/units")
			}
			w.mintAll(2)
			paths = append(slices.Clone(lists), batches...)
			for _, path := range paths {
				part := page[any](w, path, "", 1)
				if part.NextCursor == nil {
					t.Fatalf("%s has one part", path)
				}
				cursors = append(cursors, *part.NextCursor)
			}
			return paths, cursors
		}
		paths, cursors := fill()
		w.brand = w.newBrand("https://other.example")
		theirs, strange := fill()
		for i, path := range theirs {
			for j, cursor := range append(slices.Clone(strange), cursors...) {
				a := w.do(call{path: path + "?cursor=" + cursor})
				if j == i {
					a.is(http.StatusOK)
				} else if p := a.refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput); p.Errors[0].Field != "cursor" {
					t.Errorf("%s with a cursor of %s: %+v", path, append(slices.Clone(theirs), paths...)[j], p)
				}
			}
		}
	})
}

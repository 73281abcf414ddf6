package api

import (
	"net/http"
	"slices"
	"testing"

	"mintage"
)

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

package api

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// page reads one part of a list.
func page[T any](w *world, path, cursor string, limit int) list[T] {
	w.t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	path += separator + "limit=" + strconv.Itoa(limit)
	if cursor != "" {
		path += "&cursor=" + cursor
	}
	return decode[list[T]](w.do(call{path: path}).is(http.StatusOK))
}

// TestPagesStayWhileRowsAreAdded reads each list part by part, adds rows between
// the parts, and must see exactly the rows that were there at the beginning.
func TestPagesStayWhileRowsAreAdded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		base := w.newProduct("BASE")
		n := 0
		add := func() {
			n++
			w.newProduct(fmt.Sprintf("P-%d", n))
			w.do(call{method: http.MethodPut, path: fmt.Sprintf("/v1/production-batches/R-%d", n), body: `{"sku":"BASE","quantity":1,"status":"READY"}`}).is(http.StatusCreated)
			w.submit(base.ID, 1)
		}
		for range 7 {
			add()
		}
		for _, path := range []string{"/v1/products", "/v1/production-batches", "/v1/mint-jobs", "/v1/mint-batches", "/v1/events", "/v1/mint-jobs?product_id=" + base.ID} {
			all := page[map[string]any](w, path, "", 200)
			if all.NextCursor != nil || len(all.Items) < 7 {
				t.Fatalf("%s: %d rows, next cursor %v", path, len(all.Items), all.NextCursor)
			}
			var seen []map[string]any
			cursor := ""
			for parts := 0; ; parts++ {
				part := page[map[string]any](w, path, cursor, 3)
				seen = append(seen, part.Items...)
				if part.NextCursor == nil {
					break
				}
				if len(part.Items) != 3 || parts > len(all.Items) {
					t.Fatalf("%s: a part of %d rows", path, len(part.Items))
				}
				cursor = *part.NextCursor
				add()
			}
			equal(t, path, encode(t, seen), encode(t, all.Items))
		}
		// A part that ends with the list has no next one.
		all := page[map[string]any](w, "/v1/products", "", 200)
		if last := page[map[string]any](w, "/v1/products", "", len(all.Items)); last.NextCursor != nil {
			t.Error("a full last part points to a next one")
		}
	})
}

func TestProductsAreFoundByWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, sku := range []string{"JKT-RAIN-M", "JKT-WIND-M", "CAP-WOOL"} {
			w.newProduct(sku)
		}
		for search, want := range map[string]string{"jkt": "JKT-WIND-M JKT-RAIN-M", "M Jk rai": "JKT-RAIN-M", "kt": "", "": "CAP-WOOL JKT-WIND-M JKT-RAIN-M"} {
			var found []string
			for _, p := range page[product](w, "/v1/products?search="+url.QueryEscape(search), "", 10).Items {
				found = append(found, p.SKU)
			}
			equal(t, search, strings.Join(found, " "), want)
		}
		part := page[product](w, "/v1/products?search=jkt", "", 1)
		rest := page[product](w, "/v1/products?search=jkt", *part.NextCursor, 1)
		equal(t, "the next part", rest.Items[0].SKU, "JKT-RAIN-M")
		w.do(call{path: "/v1/products?search=" + strings.Repeat("a", 201)}).is(http.StatusUnprocessableEntity)
	})
}

// TestUnitsPageWhileTheyAreMinted asks with the same cursor again when the list
// ended before the batch did.
func TestUnitsPageWhileTheyAreMinted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.newProduct("P")
		w.submit(p.ID, 3) // so that the ordinals do not begin at 0
		w.mintAll(3)
		sub := w.submit(p.ID, 10)
		path := "/v1/mint-batches/" + sub.BatchID + "/units"
		if part := page[unit](w, path, "", 4); len(part.Items) != 0 || part.NextCursor != nil {
			t.Fatalf("units of a batch that has none: %+v", part)
		}
		w.mintSome(4)
		first := page[unit](w, path, "", 2)
		w.mintSome(1)
		middle := page[unit](w, path, *first.NextCursor, 200)
		w.mintAll(5)
		rest := page[unit](w, path, *first.NextCursor, 200)
		ordinals := func(parts ...list[unit]) (all []int64) {
			for _, p := range parts {
				for _, u := range p.Items {
					all = append(all, u.Ordinal)
				}
			}
			return all
		}
		equal(t, "at the beginning", ordinals(first), []int64{3, 4})
		equal(t, "meanwhile", ordinals(middle), []int64{5, 6, 7})
		equal(t, "at the end", ordinals(first, rest), []int64{3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
		if middle.NextCursor != nil || rest.NextCursor != nil {
			t.Error("the list does not end where minting stands")
		}
	})
}

// TestExportIsTheList compares the file with the units as they are listed.
func TestExportIsTheList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := decode[product](w.do(call{path: "/v1/products", body: `{"sku":"P","name":"P","gtin":"96385074"}`}).is(http.StatusCreated))
		w.submit(p.ID, 4)
		sub := w.submit(p.ID, 250, func(m map[string]any) {
			m["lots"] = []any{map[string]any{"lot_code": "007", "quantity": 100}, map[string]any{"lot_code": `A,"B"`, "quantity": 150}}
		})
		w.mintAll(60)
		a := w.do(call{path: "/v1/mint-batches/" + sub.BatchID + "/export"}).is(http.StatusOK)
		equal(t, "file name", a.header.Get("Content-Disposition"), `attachment; filename="mint-batch-`+sub.BatchID+`.csv"`)
		equal(t, "content type", a.header.Get("Content-Type"), "text/csv; charset=utf-8")
		records, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		want := [][]string{{"unit_id", "ordinal", "gtin", "lot", "serial", "code", "resolver_url"}}
		for cursor := ""; ; {
			part := page[unit](w, "/v1/mint-batches/"+sub.BatchID+"/units", cursor, 99)
			for _, u := range part.Items {
				want = append(want, []string{u.ID, strconv.FormatInt(u.Ordinal, 10), *u.GTIN, *u.Lot, *u.Serial, u.Code, u.ResolverURL})
			}
			if part.NextCursor == nil {
				break
			}
			cursor = *part.NextCursor
		}
		equal(t, "rows", len(records), 251)
		equal(t, "export", records, want)
		if records[1][2] != "00000096385074" || records[1][3] != "007" || records[1][1] != "4" {
			t.Errorf("first row %v", records[1])
		}
	})
}

// TestProductionBatchCodes takes codes that do not fit into a path as they are.
func TestProductionBatchCodes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.newProduct("P")
		codes := []string{"A/B", "50%", "%2F", "Käse 1", "a?b#c", "..", "import"}
		for _, code := range codes {
			path := "/v1/production-batches/" + strings.ReplaceAll(url.PathEscape(code), ".", "%2E")
			a := w.do(call{method: http.MethodPut, path: path, body: `{"sku":"P","quantity":1,"status":"PLANNED"}`}).is(http.StatusCreated)
			equal(t, "code", decode[productionBatch](a).Code, code)
			w.unchanged(func() {
				w.do(call{method: http.MethodPut, path: path, body: `{"sku":"P","quantity":1,"status":"PLANNED"}`}).is(http.StatusOK)
			})
		}
		var got []string
		for _, pb := range page[productionBatch](w, "/v1/production-batches", "", 50).Items {
			got = append(got, pb.Code)
		}
		slices.Reverse(got)
		equal(t, "codes", got, codes)
	})
}

package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/mint"
)

func TestRevocationsNeedAReason(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(w.newProduct("P").ID, 2)
		w.mintAll(10)
		u := page[unit](w, "/v1/mint-batches/"+sub.BatchID+"/units", "", 1).Items[0]
		w.unchanged(func() {
			for _, path := range []string{"/v1/units/" + u.ID + "/revoke", "/v1/mint-batches/" + sub.BatchID + "/recall"} {
				for _, body := range []string{`{}`, `{"reason":""}`, `{"reason":null}`, `{"reason":" x"}`, `{"reason":"` + strings.Repeat("x", 501) + `"}`} {
					p := w.do(call{path: path, body: body}).refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
					if len(p.Errors) != 1 || p.Errors[0].Field != "/reason" {
						t.Errorf("%s %s: %+v", path, body, p)
					}
				}
			}
			a := w.do(call{path: "/v1/revocations", contentType: "text/csv", body: "unit_id\n" + u.ID + "\n"}).is(http.StatusOK)
			if got := decode[revocationAnswer](a); got.Rows[0].Column != "reason" || got.Summary.Refused != 1 {
				t.Errorf("%+v", got)
			}
			w.do(call{path: "/v1/revocations?reason=" + strings.Repeat("x", 501), contentType: "text/csv", body: "unit_id\n" + u.ID + "\n"}).
				refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
			w.do(call{path: "/v1/revocations?reason=x", contentType: "text/csv", body: "code\nx\n"}).refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
			w.do(call{path: "/v1/mint-batches/" + sub.BatchID + "/lots/none/recall", body: `{"reason":"x"}`}).refuses(http.StatusNotFound, mintage.CodeNotFound)
		})
	})
}

// TestRecallWhileMinting asks for a recall of a batch in the making, by a lot code that
// a path has to encode.
func TestRecallWhileMinting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(w.newProduct("P").ID, 6, func(m map[string]any) {
			m["lots"] = []any{map[string]any{"lot_code": "A/1", "quantity": 2}, map[string]any{"lot_code": "B%", "quantity": 4}}
		})
		w.mintSome(3)
		got := decode[recall](w.do(call{path: "/v1/mint-batches/" + sub.BatchID + "/lots/" + url.PathEscape("A/1") + "/recall", body: `{"reason":"x"}`}).is(http.StatusOK))
		if got.StillMinting || *got.Lot != "A/1" {
			t.Errorf("%+v", got)
		}
		got = decode[recall](w.do(call{path: "/v1/mint-batches/" + sub.BatchID + "/lots/" + url.PathEscape("B%") + "/recall", body: `{"reason":"x"}`}).is(http.StatusOK))
		if !got.StillMinting || got.AlreadyRecalled || got.Quantity != 4 {
			t.Errorf("%+v", got)
		}
		w.mintAll(10)
		c := decode[batchCounts](w.do(call{path: "/v1/mint-batches/" + sub.BatchID + "/counts"}).is(http.StatusOK))
		if c.Total != (counts{Revoked: 6}) || c.Lots[1].Revoked != 4 {
			t.Errorf("%+v", c)
		}
		for _, u := range page[unit](w, "/v1/mint-batches/"+sub.BatchID+"/units", "", 10).Items {
			if u.Status != mintage.TokenRevoked || *u.RevocationReason != "x" {
				t.Errorf("%+v", u)
			}
		}
		events := page[event](w, "/v1/events?kind=mint_batch.recalled", "", 10).Items
		if len(events) != 2 || *events[0].Quantity != 4 || *events[0].FirstOrdinal != 2 || *events[0].Message != "x" {
			t.Errorf("events %+v", events)
		}
	})
}

func TestLinksThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		path := "/v1/products/" + w.newProduct("P").ID + "/links"
		w.unchanged(func() {
			for body, want := range map[string][]string{
				`{}`:             {"/links"},
				`{"links":null}`: {"/links"},
				`{"links":[{"link_type":"gs1:none","href":"http://www.example.com/<x>","title":"x","default":true}]}`: {"/links/0/href", "/links/0/link_type"},
				`{"links":[{"link_type":"gs1:pip","href":"https://www.example.com","title":"x"}]}`:                    {"/links"},
				`{"links":[{"link_type":"gs1:pip","href":"https://www.example.com","title":"x","default":true,"language":""},
					{"link_type":"gs1:pip","href":"https://{gtin}/","title":"x","language":"english"}]}`: {"/links/1/href", "/links/1/language"},
			} {
				a := w.do(call{method: http.MethodPut, path: path, body: body})
				var fields []string
				for _, f := range a.refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput).Errors {
					fields = append(fields, f.Field)
				}
				slices.Sort(fields)
				equal(t, body, fields, want)
				if strings.Contains(string(a.body), "<x>") {
					t.Errorf("the answer repeats the body: %s", a.body)
				}
			}
			w.do(call{method: http.MethodPut, path: "/v1/products/none/links", body: `{"links":[]}`}).refuses(http.StatusNotFound, mintage.CodeNotFound)
		})
		none := decode[productLinks](w.do(call{method: http.MethodPut, path: path, body: `{"links":[]}`}).is(http.StatusOK))
		if none.Links == nil || len(none.Links) != 0 {
			t.Errorf("%+v", none)
		}
	})
}

func TestLogosThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		put := func(contentType, body string) *answer {
			return w.do(call{method: http.MethodPut, path: "/v1/brand/logo", contentType: contentType, body: body})
		}
		w.unchanged(func() {
			put("image/png", "no image").refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
			put("image/png", `<svg xmlns="http://www.w3.org/2000/svg"/>`).refuses(http.StatusUnprocessableEntity, mintage.CodeInvalidInput)
			put("image/svg+xml", tinyPNG).refuses(http.StatusUnsupportedMediaType, codeMediaType)
			put("application/json", tinyPNG).refuses(http.StatusUnsupportedMediaType, codeMediaType)
			put("image/png", tinyPNG+strings.Repeat("x", mint.MaxLogoBytes)).refuses(http.StatusRequestEntityTooLarge, codeTooLarge)
			put("image/png", "").is(http.StatusUnprocessableEntity)
		})
		put("image/jpeg", tinyPNG).is(http.StatusNoContent) // what it is counts, not what it is called
		equal(t, "type", w.do(call{path: "/v1/brand/logo"}).is(http.StatusOK).header.Get("Content-Type"), "image/png")
		if b := decode[brand](w.do(call{path: "/v1/brand"})); !b.HasLogo {
			t.Errorf("%+v", b)
		}
	})
}

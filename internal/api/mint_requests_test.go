package api

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"mintage"
)

// TestPreflightIsSubmit gives both the same blocked requests.
func TestPreflightIsSubmit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := decode[product](w.do(call{path: "/v1/products", body: `{"sku":"P","name":"P","dpp_schema":"battery","commercial_status":"DRAFT"}`}).is(http.StatusCreated))
		other := w.newProduct("OTHER")
		pb := decode[productionBatch](w.do(call{method: http.MethodPut, path: "/v1/production-batches/R", body: `{"sku":"OTHER","quantity":5,"status":"PLANNED"}`}).is(http.StatusCreated))
		none := "01890000-0000-7000-8000-000000000000"
		link := func(id string) func(map[string]any) {
			return func(m map[string]any) { m["production_batch_id"] = id }
		}
		w.unchanged(func() {
			for _, c := range []struct {
				body  map[string]any
				codes []mintage.Code // in this order, repeated ones once
			}{
				{requestBody(none, 1), []mintage.Code{mintage.ReasonProductNotFound}},
				{requestBody(none, 1, link(none)), []mintage.Code{mintage.ReasonProductNotFound, mintage.ReasonProductionNotFound}},
				{requestBody(other.ID, 6, link(pb.ID)), []mintage.Code{mintage.ReasonProductionNotReady, mintage.ReasonQuantityExceeds}},
				{requestBody(p.ID, 6, link(pb.ID)), []mintage.Code{mintage.ReasonStatusNotActive, mintage.ReasonFieldMissing,
					mintage.ReasonProductionMismatch, mintage.ReasonProductionNotReady, mintage.ReasonQuantityExceeds}},
			} {
				header := map[string]string{"X-Request-Id": "same", "Idempotency-Key": "k"}
				asked := w.do(call{path: "/v1/mint-requests/preflight", body: encode(t, c.body), header: header})
				submitted := w.do(call{path: "/v1/mint-requests", body: encode(t, c.body), header: header})
				if !bytes.Equal(asked.body, submitted.body) || asked.status != submitted.status {
					t.Errorf("preflight says %s\nsubmission says %s", asked.body, submitted.body)
				}
				got := submitted.refuses(http.StatusUnprocessableEntity, mintage.CodeBlocked)
				var codes []mintage.Code
				for _, r := range got.BlockingReasons {
					if len(codes) == 0 || codes[len(codes)-1] != r.Code {
						codes = append(codes, r.Code)
					}
					if r.Message == "" || r.Field == "" {
						t.Errorf("reason %+v", r)
					}
					if r.Code == mintage.ReasonQuantityExceeds && (*r.ProductionBatchQuantity != 5 || *r.CommittedQuantity != 0 || *r.RemainingQuantity != 5) {
						t.Errorf("quantities of %+v", r)
					}
				}
				equal(t, "reasons", codes, c.codes)
			}
		})
		// A blocked request has not used up its key.
		header := map[string]string{"Idempotency-Key": "k"}
		w.do(call{path: "/v1/mint-requests", body: encode(t, requestBody(other.ID, 1)), header: header}).is(http.StatusCreated)
	})
}

// TestOneKeyRaced submits the same request under one key from many sides.
func TestOneKeyRaced(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		body := encode(t, requestBody(w.newProduct("P").ID, 5))
		const sides = 8
		answers := make([]*answer, sides)
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for i := range sides {
			r := w.request(call{path: "/v1/mint-requests", body: body, header: map[string]string{"Idempotency-Key": "one"}})
			wg.Go(func() {
				<-begin
				response, err := w.http.Client().Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				text, err := io.ReadAll(response.Body)
				if err != nil {
					t.Error(err)
				}
				answers[i] = &answer{t: t, status: response.StatusCode, header: response.Header, body: text}
			})
		}
		close(begin)
		wg.Wait()
		if t.Failed() {
			return
		}
		first := 0
		ids := map[string]bool{}
		for _, a := range answers {
			s := decode[submission](a)
			ids[s.JobID+s.BatchID] = true
			switch {
			case a.status == http.StatusCreated && !s.IsDuplicate:
				first++
			case a.status != http.StatusOK || !s.IsDuplicate:
				t.Errorf("%d %s", a.status, a.body)
			}
		}
		if first != 1 || len(ids) != 1 {
			t.Errorf("%d were first, with %d jobs", first, len(ids))
		}
		equal(t, "jobs", len(page[mintJob](w, "/v1/mint-jobs", "", 50).Items), 1)
	})
}

func TestPushBelowCommitted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.newProduct("P")
		w.newProduct("Q")
		put := func(body string) *answer {
			return w.do(call{method: http.MethodPut, path: "/v1/production-batches/R", body: body})
		}
		pb := decode[productionBatch](put(`{"sku":"P","quantity":100,"status":"READY"}`).is(http.StatusCreated))
		w.submit(p.ID, 60, func(m map[string]any) { m["production_batch_id"] = pb.ID })
		w.unchanged(func() {
			for body, field := range map[string]string{
				`{"sku":"P","quantity":59,"status":"READY"}`:  "/quantity",
				`{"sku":"Q","quantity":100,"status":"READY"}`: "/product_id",
			} {
				got := put(body).refuses(http.StatusConflict, mintage.CodeCommitted)
				if got.CommittedQuantity == nil || *got.CommittedQuantity != 60 || len(got.Errors) != 1 || got.Errors[0].Field != field {
					t.Errorf("%s: %+v", body, got)
				}
			}
		})
		lowered := decode[productionBatch](put(`{"sku":"P","quantity":60,"status":"CLOSED"}`).is(http.StatusOK))
		if lowered.Quantity != 60 || lowered.Committed != 60 {
			t.Errorf("lowered %+v", lowered)
		}
		w.do(call{path: "/v1/products", body: `{"sku":"P","name":"P"}`}).refuses(http.StatusConflict, mintage.CodeConflict)
	})
}

// TestProductWithoutRoom: preflight and submission say the same of a product that
// cannot have so many units, and a smaller request goes.
func TestProductWithoutRoom(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.newProduct("P")
		raw := w.db.Raw(t)
		defer raw.Close()
		if _, err := raw.ExecContext(t.Context(), fmt.Sprintf("UPDATE products SET next_ordinal = %d", mintage.MaxProductUnits-5)); err != nil {
			t.Fatal(err)
		}
		w.unchanged(func() {
			var details []string
			for _, path := range []string{"/v1/mint-requests", "/v1/mint-requests/preflight"} {
				refused := w.do(call{path: path, body: encode(t, requestBody(p.ID, 6))}).refuses(http.StatusConflict, mintage.CodeConflict)
				details = append(details, refused.Detail)
			}
			if details[0] != details[1] || !strings.Contains(details[0], "room for 5 more") {
				t.Errorf("they say %q", details)
			}
			w.do(call{path: "/v1/mint-requests/preflight", body: encode(t, requestBody(p.ID, 5))}).is(http.StatusOK)
		})
		w.submit(p.ID, 5)
	})
}

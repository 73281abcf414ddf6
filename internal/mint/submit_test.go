package mint_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// blockedFor asserts that a request was blocked, for just these reasons.
func blockedFor(t testing.TB, err error, want ...mintage.Code) {
	t.Helper()
	blocked, ok := errors.AsType[*mintage.BlockedError](err)
	if !ok {
		t.Fatalf("got %v, want a blocked request", err)
	}
	if got := codes(blocked.Reasons); !slices.Equal(got, want) {
		t.Fatalf("blocked for %v, want %v", got, want)
	}
}

func codes(reasons []mintage.Reason) []mintage.Code {
	var list []mintage.Code
	for _, r := range reasons {
		list = append(list, r.Code)
	}
	return list
}

// distinct drops repeated codes: fields come in the order of the schema, so that
// missing and invalid ones alternate.
func distinct(list []mintage.Code) (once []mintage.Code) {
	for _, c := range list {
		if !slices.Contains(once, c) {
			once = append(once, c)
		}
	}
	return once
}

// oneField gives a product a schema of the brand's own that demands one field.
func oneField(attributes string) func(w *world) func(*mintage.Product) {
	return func(w *world) func(*mintage.Product) {
		w.t.Helper()
		own := &store.Schema{ID: "toys", Document: []byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","required":["age"],"properties":{"age":{"type":"integer"}}}`)}
		if err := w.db.InTx(w.t.Context(), func(tx store.Tx) error { return tx.PutSchema(w.t.Context(), w.brand.Number, own) }); err != nil {
			w.t.Fatal(err)
		}
		return func(p *mintage.Product) { p.SchemaID, p.Attributes = own.ID, []byte(attributes) }
	}
}

// incomplete lacks some fields of the battery schema and has a wrong one.
const incomplete = `{"manufacturer_name": "M", "battery_category": "car"}`

func TestBlockingReasons(t *testing.T) {
	type scene struct {
		product *mintage.Product
		req     *mintage.MintRequest
	}
	gs1 := func(b *mintage.Brand) { b.GS1Required = true }
	for _, tc := range []struct {
		name  string
		brand func(*mintage.Brand)
		edit  func(w *world, s *scene)
		want  []mintage.Code
		field string
	}{
		{name: "none", edit: func(*world, *scene) {}},
		{"unknown product", nil, func(_ *world, s *scene) { s.req.ProductID = storetest.NewID() },
			[]mintage.Code{mintage.ReasonProductNotFound}, "/product_id"},
		{"no identifier at all", nil, func(_ *world, s *scene) { s.req.ProductID = "x'); DROP TABLE units; --" },
			[]mintage.Code{mintage.ReasonProductNotFound}, "/product_id"},
		{"another brand's product", nil, func(w *world, s *scene) { s.req.ProductID = w.NewProduct(w.NewBrand()).ID },
			[]mintage.Code{mintage.ReasonProductNotFound}, "/product_id"},
		{"draft", nil, func(w *world, s *scene) {
			s.req.ProductID = w.NewProduct(w.brand, func(p *mintage.Product) { p.Status = mintage.ProductDraft }).ID
		}, []mintage.Code{mintage.ReasonStatusNotActive}, "/product_id"},
		{"a DPP field is missing", nil, func(w *world, s *scene) {
			s.req.ProductID = w.NewProduct(w.brand, oneField(`{}`)(w)).ID
		}, []mintage.Code{mintage.ReasonFieldMissing}, "/attributes/age"},
		{"a DPP field is invalid", nil, func(w *world, s *scene) {
			s.req.ProductID = w.NewProduct(w.brand, oneField(`{"age": "three"}`)(w)).ID
		}, []mintage.Code{mintage.ReasonFieldInvalid}, "/attributes/age"},
		{"no GTIN where the brand demands one", gs1, func(w *world, s *scene) {
			s.req.ProductID = w.NewProduct(w.brand, func(p *mintage.Product) { p.GTIN = "" }).ID
		}, []mintage.Code{mintage.ReasonGTINRequired}, "/product_id"},
		{"GTIN of another product", nil, func(w *world, s *scene) {
			gtin := w.NewGTIN()
			share := func(p *mintage.Product) { p.GTIN = gtin }
			w.submit(request(w.NewProduct(w.brand, share), 1))
			s.req.ProductID = w.NewProduct(w.brand, share).ID
		}, []mintage.Code{mintage.ReasonGTINTaken}, "/product_id"},
		{"unknown production batch", nil, func(_ *world, s *scene) { s.req.ProductionBatchID = storetest.NewID() },
			[]mintage.Code{mintage.ReasonProductionNotFound}, "/production_batch_id"},
		{"another brand's production batch", nil, func(w *world, s *scene) {
			s.req.ProductionBatchID = w.NewProductionBatch(w.NewProduct(w.NewBrand()), 100).ID
		}, []mintage.Code{mintage.ReasonProductionNotFound}, "/production_batch_id"},
		{"production batch of another product", nil, func(w *world, s *scene) {
			s.req.ProductionBatchID = w.NewProductionBatch(w.NewProduct(w.brand), 100).ID
		}, []mintage.Code{mintage.ReasonProductionMismatch}, "/production_batch_id"},
		{"production batch not ready", nil, func(w *world, s *scene) {
			s.req.ProductionBatchID = w.NewProductionBatch(s.product, 100, func(b *mintage.ProductionBatch) { b.Status = mintage.ProductionPlanned }).ID
		}, []mintage.Code{mintage.ReasonProductionNotReady}, "/production_batch_id"},
		{"more than the production batch", nil, func(w *world, s *scene) {
			s.req.ProductionBatchID = w.NewProductionBatch(s.product, 9).ID
		}, []mintage.Code{mintage.ReasonQuantityExceeds}, "/requested_quantity"},
		{"all together", gs1, func(w *world, s *scene) {
			s.req.ProductID = w.NewProduct(w.brand, func(p *mintage.Product) {
				p.Status, p.SchemaID, p.Attributes, p.GTIN = mintage.ProductDiscontinued, "textile", []byte(`{"weight_g": "heavy"}`), ""
			}).ID
			s.req.ProductionBatchID = w.NewProductionBatch(s.product, 9, func(b *mintage.ProductionBatch) { b.Status = mintage.ProductionClosed }).ID
		}, []mintage.Code{
			mintage.ReasonStatusNotActive, mintage.ReasonFieldMissing, mintage.ReasonFieldInvalid, mintage.ReasonGTINRequired,
			mintage.ReasonProductionMismatch, mintage.ReasonProductionNotReady, mintage.ReasonQuantityExceeds,
		}, "/product_id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *storetest.DB) {
				var edits []func(*mintage.Brand)
				if tc.brand != nil {
					edits = append(edits, tc.brand)
				}
				w := newWorld(t, db, edits...)
				s := &scene{product: w.NewProduct(w.brand)}
				s.req = request(s.product, 10)
				tc.edit(w, s)
				before := storetest.Snapshot(t, db)

				reasons, err := w.service.Preflight(t.Context(), w.p, s.req)
				if err != nil {
					t.Fatal(err)
				}
				if got := distinct(codes(reasons)); !slices.Equal(got, tc.want) {
					t.Fatalf("preflight: %v, want %v", got, tc.want)
				}
				if len(reasons) > 0 && reasons[0].Field != tc.field {
					t.Errorf("the first reason points at %q, want %q", reasons[0].Field, tc.field)
				}
				if after := storetest.Snapshot(t, db); after != before {
					t.Errorf("preflight changed something:\n%s", storetest.Changes(before, after))
				}
				if tc.want == nil {
					w.submit(s.req)
					return
				}
				_, err = w.service.Submit(t.Context(), w.p, s.req, "key")
				blockedFor(t, err, codes(reasons)...)
				if after := storetest.Snapshot(t, db); after != before {
					t.Errorf("a blocked submission left something behind:\n%s", storetest.Changes(before, after))
				}
			})
		})
	}
}

func TestEachDPPFieldIsItsOwnReason(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand, func(p *mintage.Product) { p.SchemaID, p.Attributes = "battery", []byte(incomplete) })
		reasons, err := w.service.Preflight(t.Context(), w.p, request(p, 1))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]mintage.Code{}
		for _, r := range reasons {
			if _, twice := seen[r.Field]; twice || !strings.HasPrefix(r.Field, "/attributes/") || r.Message == "" {
				t.Errorf("reason %+v", r)
			}
			seen[r.Field] = r.Code
		}
		if seen["/attributes/battery_category"] != mintage.ReasonFieldInvalid || seen["/attributes/battery_model"] != mintage.ReasonFieldMissing {
			t.Errorf("the reasons are %v", seen)
		}
		if _, given := seen["/attributes/manufacturer_name"]; given {
			t.Error("a field that is there is called missing")
		}
	})
}

func TestMalformedRequestsLeaveNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		before := storetest.Snapshot(t, w.db)
		for _, quantity := range []int64{0, -1, 1_000_001, 1 << 62, -1 << 63} {
			_, err := w.service.Submit(t.Context(), w.p, request(p, quantity), "key")
			code(t, err, mintage.CodeInvalidInput)
			_, err = w.service.Preflight(t.Context(), w.p, request(p, quantity))
			code(t, err, mintage.CodeInvalidInput)
		}
		_, err := w.service.Submit(t.Context(), w.p, request(p, 1), "bad\x00key")
		code(t, err, mintage.CodeInvalidInput)
		if after := storetest.Snapshot(t, w.db); after != before {
			t.Errorf("something changed:\n%s", storetest.Changes(before, after))
		}
		if got := w.work(w.submit(request(p, 1_000_000))); got.Batch.RequestedQuantity != 1_000_000 {
			t.Errorf("%+v", got.Batch)
		}
	})
}

func TestSameKeySameRequestIsADuplicate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		first, err := w.service.Submit(t.Context(), w.p, request(p, 5), "key")
		if err != nil || first.Duplicate {
			t.Fatalf("%+v, %v", first, err)
		}
		w.run([]*mint.Submission{first}, w.engine(w.db))
		before := storetest.Snapshot(t, w.db)
		again, err := w.service.Submit(t.Context(), w.p, request(p, 5), `"key"`)
		if err != nil {
			t.Fatal(err)
		}
		if !again.Duplicate || again.JobID != first.JobID || again.BatchID != first.BatchID || again.Status != mintage.JobCompleted {
			t.Errorf("again: %+v, first: %+v", again, first)
		}
		_, err = w.service.Submit(t.Context(), w.p, request(p, 6), "key")
		code(t, err, mintage.CodeKeyReused)
		if after := storetest.Snapshot(t, w.db); after != before {
			t.Errorf("something changed:\n%s", storetest.Changes(before, after))
		}

		// Another brand's key is another key.
		other := w.NewBrand()
		theirs, err := w.service.Submit(t.Context(), mintage.Principal{BrandNumber: other.Number}, request(w.NewProduct(other), 5), "key")
		if err != nil || theirs.Duplicate {
			t.Errorf("%+v, %v", theirs, err)
		}
	})
}

func TestABlockedRequestDoesNotUseUpItsKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		run := w.NewProductionBatch(p, 4)
		req := request(p, 5)
		req.ProductionBatchID = run.ID
		_, err := w.service.Submit(t.Context(), w.p, req, "key")
		blockedFor(t, err, mintage.ReasonQuantityExceeds)
		if sub, err := w.service.Submit(t.Context(), w.p, request(p, 6), "key"); err != nil || sub.Duplicate {
			t.Errorf("%+v, %v", sub, err)
		}
	})
}

// race runs fn n times at the same moment and returns what came of it.
func race(n int, fn func(i int) (*mint.Submission, error)) (subs []*mint.Submission, errs []error) {
	subs, errs = make([]*mint.Submission, n), make([]error, n)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			subs[i], errs[i] = fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return subs, errs
}

func TestOneKeyAtTheSameMoment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		services := []*mint.Service{w.service, mint.New(w.db.Reopen(t), w.keys, w.Now)}
		for round := range 10 {
			key := fmt.Sprint("key ", round)
			subs, errs := race(8, func(i int) (*mint.Submission, error) {
				return services[i%2].Submit(context.Background(), w.p, request(p, 5), key)
			})
			duplicates := 0
			for i, sub := range subs {
				if errs[i] != nil {
					t.Fatal(errs[i])
				}
				if sub.Duplicate {
					duplicates++
				}
				if sub.JobID != subs[0].JobID || sub.BatchID != subs[0].BatchID {
					t.Errorf("two jobs under one key: %s and %s", sub.JobID, subs[0].JobID)
				}
			}
			if duplicates != 7 {
				t.Errorf("%d of 8 are duplicates", duplicates)
			}
		}
		if n := w.query("SELECT count(*) FROM mint_jobs"); n != 10 {
			t.Errorf("%d jobs, want 10", n)
		}
	})
}

func TestRaceForTheLastUnits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		services := []*mint.Service{w.service, mint.New(w.db.Reopen(t), w.keys, w.Now)}
		for range 5 {
			req := request(p, 30)
			req.ProductionBatchID = w.NewProductionBatch(p, 100).ID
			_, errs := race(8, func(i int) (*mint.Submission, error) {
				return services[i%2].Submit(context.Background(), w.p, req, "")
			})
			accepted := 0
			for _, err := range errs {
				if err == nil {
					accepted++
					continue
				}
				blockedFor(t, err, mintage.ReasonQuantityExceeds)
			}
			if accepted != 3 {
				t.Errorf("%d requests for 30 were accepted against 100", accepted)
			}
		}
	})
}

// Two products with one GTIN, submitted at the same moment: one of them gets it.
func TestRaceForAGTIN(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		services := []*mint.Service{w.service, mint.New(w.db.Reopen(t), w.keys, w.Now)}
		for range 5 {
			gtin := w.NewGTIN()
			share := func(p *mintage.Product) { p.GTIN = gtin }
			products := []*mintage.Product{w.NewProduct(w.brand, share), w.NewProduct(w.brand, share)}
			_, errs := race(2, func(i int) (*mint.Submission, error) {
				return services[i].Submit(context.Background(), w.p, request(products[i], 1), "")
			})
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("%v, %v", errs[0], errs[1])
			}
			blockedFor(t, errors.Join(errs...), mintage.ReasonGTINTaken)
		}
	})
}

func TestOverIssue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, func(b *mintage.Brand) { b.OverIssuePercent = 5 })
		p := w.NewProduct(w.brand)
		req := request(p, 106)
		req.ProductionBatchID = w.NewProductionBatch(p, 101).ID // 5 % of 101, rounded down, is 5
		_, err := w.service.Submit(t.Context(), w.p, req, "")
		code(t, err, "")
		req.RequestedQuantity = 1
		_, err = w.service.Submit(t.Context(), w.p, req, "")
		blockedFor(t, err, mintage.ReasonQuantityExceeds)
	})
}

func TestLotsAndURLs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, func(b *mintage.Brand) { b.ResolverBase = "https://id.acme.example/dpp" })
		p := w.NewProduct(w.brand, func(p *mintage.Product) { p.GTIN = "09520123456788" })
		run := w.NewProductionBatch(p, 1000, func(b *mintage.ProductionBatch) { b.Code = "PB-1/A" })
		bad := w.NewProductionBatch(p, 1000, func(b *mintage.ProductionBatch) { b.Code = "a code that is no lot" })
		bare := w.NewProduct(w.brand, func(p *mintage.Product) { p.GTIN = "" })
		lots := []mintage.LotRequest{{LotCode: "L1", Quantity: 2}, {LotCode: "L%2", Quantity: 3}}
		for _, tc := range []struct {
			name string
			req  mintage.MintRequest
			want []string // the URL of each lot's first unit, with {} for the code
		}{
			{"serial", mintage.MintRequest{ProductID: p.ID, IdentityMode: "serial"}, []string{"/01/09520123456788/21/{}"}},
			{"batch", mintage.MintRequest{ProductID: p.ID, IdentityMode: "batch"}, []string{"/01/09520123456788?u={}"}},
			{"serial with lots", mintage.MintRequest{ProductID: p.ID, IdentityMode: "serial", Lots: lots},
				[]string{"/01/09520123456788/10/L1/21/{}", "/01/09520123456788/10/L%252/21/{}"}},
			{"batch with lots", mintage.MintRequest{ProductID: p.ID, IdentityMode: "batch", Lots: lots},
				[]string{"/01/09520123456788/10/L1?u={}", "/01/09520123456788/10/L%252?u={}"}},
			{"production batch as lot", mintage.MintRequest{ProductID: p.ID, IdentityMode: "serial", ProductionBatchID: run.ID},
				[]string{"/01/09520123456788/10/PB-1%2FA/21/{}"}},
			{"its code is no lot", mintage.MintRequest{ProductID: p.ID, IdentityMode: "serial", ProductionBatchID: bad.ID},
				[]string{"/01/09520123456788/21/{}"}},
			{"no GTIN", mintage.MintRequest{ProductID: bare.ID, IdentityMode: "serial"}, []string{"/u/" + bare.Code + "/{}"}},
			{"no GTIN, lots", mintage.MintRequest{ProductID: bare.ID, IdentityMode: "batch", Lots: lots},
				[]string{"/u/" + bare.Code + "/{}", "/u/" + bare.Code + "/{}"}},
		} {
			tc.req.RequestedQuantity, tc.req.ActivationMode = 5, mintage.FirstScan
			sub := w.submit(&tc.req)
			w.run([]*mint.Submission{sub}, w.engine(w.db, smallCycles(3)))
			batch := w.work(sub).Batch
			units, err := w.service.Units(t.Context(), w.p, sub.BatchID, -1, 100)
			if err != nil || len(units) != 5 {
				t.Fatalf("%s: %d units, %v", tc.name, len(units), err)
			}
			if len(batch.Lots) != len(tc.want) {
				t.Fatalf("%s: %d lots, want %d", tc.name, len(batch.Lots), len(tc.want))
			}
			for i, l := range batch.Lots {
				u := units[l.FirstOrdinal-batch.FirstOrdinal]
				if want := "https://id.acme.example/dpp" + strings.ReplaceAll(tc.want[i], "{}", u.Code); u.ResolverURL != want {
					t.Errorf("%s: %s, want %s", tc.name, u.ResolverURL, want)
				}
				if u.Lot != l.Code || u.Status != mintage.TokenMinted || !u.ActivatedAt.IsZero() || u.CreatedAt.IsZero() {
					t.Errorf("%s: %+v", tc.name, u)
				}
				if (u.Serial == u.Code) != (tc.req.IdentityMode == "serial") {
					t.Errorf("%s: serial %q, code %q", tc.name, u.Serial, u.Code)
				}
				one, err := w.service.Unit(t.Context(), w.p, u.ID)
				if err != nil || *one != *u {
					t.Errorf("%s: by its identifier %+v, %v; in the list %+v", tc.name, one, err, u)
				}
			}
		}
		w.exact()
	})
}

// What is printed stays true: edits after the submission do not reach its units.
func TestABatchKeepsWhatItWasSubmittedWith(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		sub := w.submit(request(p, 5))
		before := w.work(sub).Batch
		err := w.db.InTx(t.Context(), func(tx store.Tx) error {
			w.brand.ResolverBase = "https://elsewhere.example"
			p.GTIN = w.NewGTIN()
			return errors.Join(tx.UpdateBrand(t.Context(), w.brand), tx.UpdateProduct(t.Context(), p))
		})
		if err != nil {
			t.Fatal(err)
		}
		w.run([]*mint.Submission{sub}, w.engine(w.db))
		units, err := w.service.Units(t.Context(), w.p, sub.BatchID, -1, 10)
		if err != nil || len(units) != 5 {
			t.Fatal(len(units), err)
		}
		for _, u := range units {
			if u.GTIN != before.GTIN || !strings.HasPrefix(u.ResolverURL, before.ResolverBase+"/01/"+before.GTIN) {
				t.Errorf("%+v", u)
			}
		}
		next := w.work(w.submit(request(p, 1))).Batch
		if next.ResolverBase != "https://elsewhere.example" || next.GTIN != p.GTIN {
			t.Errorf("%+v", next)
		}

		// The old GTIN stays this product's for ever.
		other := w.NewProduct(w.brand, func(o *mintage.Product) { o.GTIN = before.GTIN })
		_, err = w.service.Submit(t.Context(), w.p, request(other, 1), "")
		blockedFor(t, err, mintage.ReasonGTINTaken)
	})
}

func TestNobodySeesAnothersUnits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(request(w.NewProduct(w.brand), 2))
		w.run([]*mint.Submission{sub}, w.engine(w.db))
		units, err := w.service.Units(t.Context(), w.p, sub.BatchID, -1, 10)
		if err != nil {
			t.Fatal(err)
		}
		stranger := mintage.Principal{BrandNumber: w.NewBrand().Number, Role: mintage.RoleOwner}
		for name, look := range map[string]func() error{
			"unit":  func() error { _, err := w.service.Unit(t.Context(), stranger, units[0].ID); return err },
			"units": func() error { _, err := w.service.Units(t.Context(), stranger, sub.BatchID, -1, 1); return err },
			"job":   func() error { _, err := w.service.Job(t.Context(), stranger, sub.JobID); return err },
			"batch": func() error { _, err := w.service.Batch(t.Context(), stranger, sub.BatchID); return err },
			"events": func() error {
				_, err := w.service.Events(t.Context(), stranger, mint.EventFilter{BatchID: sub.BatchID}, store.Page{Limit: 1})
				return err
			},
			"never issued": func() error {
				id := units[0].ID
				last := "0"
				if strings.HasSuffix(id, last) {
					last = "1"
				}
				_, err := w.service.Unit(t.Context(), w.p, id[:len(id)-1]+last)
				return err
			},
		} {
			if err := look(); mintage.ErrorCode(err) != mintage.CodeNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		if list, err := w.service.List(t.Context(), stranger, mint.Filter{}, store.Page{Limit: 10}); err != nil || len(list) != 0 {
			t.Errorf("a stranger lists %d jobs, %v", len(list), err)
		}
	})
}

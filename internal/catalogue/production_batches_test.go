package catalogue

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
)

func TestPutProductionBatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		product, other := w.NewProduct(w.brand), w.NewProduct(w.brand)
		in := ProductionBatchInput{Code: "PB-1", SKU: product.SKU, Quantity: 100, Status: mintage.ProductionPlanned}
		pb, created, err := w.service.PutProductionBatch(ctx, w.p, in)
		if err != nil || !created {
			t.Fatalf("created %t, %v", created, err)
		}
		want := &mintage.ProductionBatch{
			Number: pb.Number, ID: pb.ID, BrandNumber: w.brand.Number, Code: "PB-1", ProductNumber: product.Number, ProductID: product.ID,
			Quantity: 100, Status: mintage.ProductionPlanned, CreatedAt: w.service.time(), UpdatedAt: w.service.time(),
		}
		if !reflect.DeepEqual(pb, want) {
			t.Errorf("created\n%+v, want\n%+v", pb, want)
		}
		createdAt := w.service.time()
		wantEvents(t, w, "production_batch.created "+pb.ID+" →PLANNED")

		// Said twice, also by the product's other name.
		w.unchanged(t, func() {
			for _, again := range []ProductionBatchInput{in, {Code: in.Code, ProductID: strings.ToUpper(product.ID), Quantity: 100, Status: in.Status},
				{Code: in.Code, ProductID: product.ID, SKU: product.SKU, Quantity: 100, Status: in.Status}} {
				pb, created, err := w.service.PutProductionBatch(ctx, w.p, again)
				if err != nil || created || !reflect.DeepEqual(pb, want) {
					t.Errorf("again: %+v, %t, %v", pb, created, err)
				}
			}
		})

		w.clock.Advance(time.Hour)
		pb, created, err = w.service.PutProductionBatch(ctx, w.p, ProductionBatchInput{Code: "PB-1", ProductID: other.ID, Quantity: 90, Status: mintage.ProductionReady})
		want.ProductNumber, want.ProductID, want.Quantity, want.Status, want.UpdatedAt = other.Number, other.ID, 90, mintage.ProductionReady, createdAt.Add(time.Hour)
		if err != nil || created || !reflect.DeepEqual(pb, want) {
			t.Errorf("changed\n%+v, %t, %v, want\n%+v", pb, created, err, want)
		}
		for name, read := range map[string]func() (*mintage.ProductionBatch, error){
			"by id":   func() (*mintage.ProductionBatch, error) { return w.service.ProductionBatch(ctx, w.p, pb.ID) },
			"by code": func() (*mintage.ProductionBatch, error) { return w.service.ProductionBatchByCode(ctx, w.p, "PB-1") },
		} {
			if stored, err := read(); err != nil || !reflect.DeepEqual(stored, want) {
				t.Errorf("%s\n%+v, %v, want\n%+v", name, stored, err, want)
			}
		}
		last := w.events(t)[1]
		if last.Kind != mintage.EventProductionUpdated || last.From != "PLANNED" || last.To != "READY" || last.Message != "Changed: product, quantity, status." {
			t.Errorf("the event is %+v", last)
		}
		for id, n := range map[string]int{"": 1, other.ID: 1, product.ID: 0} {
			list, err := w.service.ProductionBatches(ctx, w.p, id, store.Page{Limit: 10})
			if err != nil || len(list) != n {
				t.Errorf("%d production batches of %q, %v, want %d", len(list), id, err, n)
			}
		}
	})
}

func TestPutProductionBatchRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product, other := w.NewProduct(w.brand), w.NewProduct(w.brand)
		pb := w.NewProductionBatch(product, 10)
		good := ProductionBatchInput{Code: "PB", SKU: product.SKU, Quantity: 1, Status: mintage.ProductionReady}
		w.unchanged(t, func() {
			for name, test := range map[string]struct {
				edit  func(*ProductionBatchInput)
				field string
			}{
				"no code":            {func(in *ProductionBatchInput) { in.Code = "" }, "code"},
				"NUL in the code":    {func(in *ProductionBatchInput) { in.Code = "\x00" }, "code"},
				"no product":         {func(in *ProductionBatchInput) { in.SKU = "" }, "product_id"},
				"unknown SKU":        {func(in *ProductionBatchInput) { in.SKU = "?" }, "sku"},
				"impossible SKU":     {func(in *ProductionBatchInput) { in.SKU = "\x00" }, "sku"},
				"unknown product":    {func(in *ProductionBatchInput) { in.ProductID = newID() }, "product_id"},
				"id that is none":    {func(in *ProductionBatchInput) { in.ProductID = "1" }, "product_id"},
				"two products":       {func(in *ProductionBatchInput) { in.ProductID = other.ID }, "sku"},
				"quantity 0":         {func(in *ProductionBatchInput) { in.Quantity = 0 }, "quantity"},
				"quantity too large": {func(in *ProductionBatchInput) { in.Quantity = mintage.MaxProductionQuantity + 1 }, "quantity"},
				"no status":          {func(in *ProductionBatchInput) { in.Status = "" }, "status"},
			} {
				for _, code := range []string{good.Code, pb.Code} {
					t.Run(name+" "+code, func(t *testing.T) {
						in := good
						in.Code = code
						test.edit(&in)
						_, _, err := w.service.PutProductionBatch(t.Context(), w.p, in)
						wantError(t, err, mintage.CodeInvalidInput, test.field)
					})
				}
			}
		})
	})
}

func TestPutProductionBatchKeepsWhatIsCommitted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		brand := w.NewBrand(func(b *mintage.Brand) { b.OverIssuePercent = 10 })
		p := principal(brand)
		product, other := w.NewProduct(brand), w.NewProduct(brand)
		put := func(product *mintage.Product, quantity int64, status mintage.ProductionBatchStatus) error {
			_, _, err := w.service.PutProductionBatch(ctx, p, ProductionBatchInput{Code: "PB", ProductID: product.ID, Quantity: quantity, Status: status})
			return err
		}
		if err := put(product, 1000, mintage.ProductionReady); err != nil {
			t.Fatal(err)
		}
		pb, err := w.service.ProductionBatchByCode(ctx, p, "PB")
		if err != nil {
			t.Fatal(err)
		}
		w.SubmitRequest(submission(pb, product, 550))
		w.unchanged(t, func() {
			err := put(product, 499, mintage.ProductionReady)
			wantError(t, err, mintage.CodeCommitted, "quantity")
			if !strings.Contains(mintage.ErrorMessage(err), "550") {
				t.Errorf("the message does not say what is committed: %v", err)
			}
			wantError(t, put(other, 1000, mintage.ProductionReady), mintage.CodeCommitted, "product_id")
		})
		for _, err := range []error{
			put(product, 500, mintage.ProductionReady), // with the over-issue it is enough
			put(product, 500, mintage.ProductionClosed),
			put(product, 2000, mintage.ProductionReady),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// Of many who push one code at once one creates it; the others change it or find
// it as it is.
func TestPutProductionBatchRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand)
		const n = 8
		var mu sync.Mutex
		creations := 0
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				_, created, err := w.service.PutProductionBatch(t.Context(), w.p, ProductionBatchInput{
					Code: "PB", SKU: product.SKU, Quantity: int64(100 + i), Status: mintage.ProductionReady,
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if created {
					creations++
				}
			})
		}
		group.Wait()
		if creations != 1 || len(w.events(t)) != n {
			t.Errorf("%d creations, %d events", creations, len(w.events(t)))
		}
	})
}

// A push that would lower the quantity waits for a submission that is about to
// commit, and then sees it.
func TestPutProductionBatchWaitsForSubmissions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand)
		pb := w.NewProductionBatch(product, 100)
		pushed := make(chan error, 1)
		err := w.db.InTx(t.Context(), func(tx store.Tx) error {
			if _, err := w.Create(t.Context(), tx, submission(pb, product, 80)); err != nil {
				return err
			}
			go func() {
				_, _, err := w.service.PutProductionBatch(context.WithoutCancel(t.Context()), w.p, ProductionBatchInput{
					Code: pb.Code, SKU: product.SKU, Quantity: 50, Status: mintage.ProductionReady,
				})
				pushed <- err
			}()
			w.db.AwaitBlocked(t, 1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, <-pushed, mintage.CodeCommitted, "quantity")
	})
}

func TestImportProductionBatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand, func(p *mintage.Product) { p.SKU = "A-1" })
		other := w.NewProduct(w.brand, func(p *mintage.Product) { p.SKU = "A-2" })
		committed := w.NewProductionBatch(product, 100, func(pb *mintage.ProductionBatch) { pb.Code = "C" })
		w.SubmitRequest(submission(committed, product, 80))
		file := "Code;SKU;Quantity;Status;Plant\n" +
			"P1;A-1; 01200 ;ready;7\n" + // 2
			"P2;A-2;1,200,000;READY;7\n" +
			"P3;A-2;1e6;READY;7\n" +
			"P4;A-2;0;READY;7\n" +
			"P5;A-2;99999999999999999999;READY;7\n" +
			"P6;?;5;READY;7\n" + // 7
			"P7;;5;READY;7\n" +
			"P8;A-2;;READY;7\n" +
			"P9;A-2;5;;7\n" +
			";A-2;5;READY;7\n" +
			"C;A-1;79;READY;7\n" + // 12
			"C;A-2;100;READY;7\n" +
			"C;A-1;80;;7\n" +
			"P1;;;closed;7\n" +
			"P1;A-1;1200;CLOSED\n" + // 16
			"P1;A-2;1200;CLOSED;7\n"
		summary, rows := w.importProductionBatches(t, file)
		want := []string{
			"2 created P1", "3 INVALID_INPUT quantity", "4 INVALID_INPUT quantity", "5 INVALID_INPUT quantity", "6 INVALID_INPUT quantity",
			"7 INVALID_INPUT sku", "8 INVALID_INPUT sku", "9 INVALID_INPUT quantity", "10 INVALID_INPUT status", "11 INVALID_INPUT code",
			"12 BELOW_COMMITTED quantity", "13 BELOW_COMMITTED sku", "14 updated C", "15 updated P1", "16 INVALID_INPUT ", "17 updated P1",
		}
		wantRows(t, rows, want)
		if !reflect.DeepEqual(summary, Summary{Rows: 16, Created: 1, Updated: 3, Refused: 12, IgnoredColumns: []string{"Plant"}}) {
			t.Errorf("the summary is %+v", summary)
		}
		pb, err := w.service.ProductionBatchByCode(t.Context(), w.p, "P1")
		if err != nil || pb.Quantity != 1200 || pb.Status != mintage.ProductionClosed || pb.ProductID != other.ID {
			t.Errorf("got %+v, %v", pb, err)
		}
	})
}

func TestImportProductionBatchesByProductID(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		product := w.NewProduct(w.brand)
		file := "product_id,status,quantity,code\n" + product.ID + ",READY,5,a\n" + strings.ToUpper(product.ID) + ",READY,5,a\n" + newID() + ",READY,5,b\n,READY,5,c\n"
		_, rows := w.importProductionBatches(t, file)
		wantRows(t, rows, []string{"2 created a", "3 unchanged a", "4 INVALID_INPUT product_id", "5 INVALID_INPUT product_id"})
		w.unchanged(t, func() {
			summary, _ := w.importProductionBatches(t, file)
			if summary.Unchanged != 2 {
				t.Errorf("the summary is %+v", summary)
			}
		})
	})
}

func wantRows(t testing.TB, rows []Row, want []string) {
	t.Helper()
	var got []string
	for _, r := range rows {
		if r.Accepted != (r.Result != ResultRefused) || r.Accepted != (r.Message == "") || r.Accepted != (r.Code == "") {
			t.Errorf("the row contradicts itself: %+v", r)
		}
		if r.Accepted {
			got = append(got, fmt.Sprintf("%d %s %s", r.Row, r.Result, r.Key))
		} else {
			got = append(got, fmt.Sprintf("%d %s %s", r.Row, r.Code, r.Column))
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the rows are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

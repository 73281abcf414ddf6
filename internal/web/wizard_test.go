package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// wizardURL is the wizard at a step, with what was typed in pairs of name and value.
func wizardURL(step string, pairs ...string) string {
	query := url.Values{"step": {step}}
	for i := 0; i < len(pairs); i += 2 {
		query.Add(pairs[i], pairs[i+1])
	}
	return "/mint/new?" + query.Encode()
}

// works are the batches that a brand has.
func (w *world) works(b *mintage.Brand) []*mint.Work {
	w.t.Helper()
	list, err := w.server.Mint.List(w.t.Context(), w.owner(b), mint.Filter{}, mint.Page{Limit: 10})
	w.must(err)
	return list
}

var batchPage = regexp.MustCompile(`^/mint/batches/([0-9a-f-]{36})\?done=(submitted|already)$`)

// submitted asserts where a submission leads, and returns the batch.
func (p *page) submitted(done string) string {
	p.t.Helper()
	p.wants(http.StatusSeeOther)
	m := batchPage.FindStringSubmatch(p.header.Get("Location"))
	if m == nil || m[2] != done {
		p.t.Fatalf("it goes to %s", p.header.Get("Location"))
	}
	return m[1]
}

func TestWizardInBothModes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.as(w.invite(brand, "kim@example.com", mintage.RoleOperator))
		jacket := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.Name = "Trail jacket, <M>" })
		run := w.fixture.NewProductionBatch(jacket, 1_200_000)

		// Opening it makes the key, which all that follows carries.
		opened := kim.get("/mint/new").wants(http.StatusSeeOther).header.Get("Location")
		at, err := url.Parse(opened)
		w.must(err)
		key := at.Query().Get("key")
		if key == "" || at.Path != "/mint/new" || at.Query().Get("step") != "product" {
			t.Fatalf("it opens at %s", opened)
		}
		kim.get(opened).wants(http.StatusOK, "Which product do you want to mint?", jacket.Name, jacket.SKU, jacket.GTIN, "Ready to mint").lacks("There is a problem", "<M>\"")
		kim.get(wizardURL("run", "key", key, "product_id", jacket.ID)).wants(http.StatusOK, run.Code, "1,200,000 of 1,200,000 left", "READY")

		for mode, want := range map[mintage.IdentityMode]struct{ before, after string }{
			mintage.IdentitySerial: {brand.ResolverBase + "/01/" + jacket.GTIN + "/10/PB-A/21/", ""},
			mintage.IdentityBatch:  {brand.ResolverBase + "/01/" + jacket.GTIN + "/10/PB-A?u=", ""},
		} {
			key := key + string(mode)
			typed := []string{
				"key", key, "product_id", jacket.ID, "production_batch_id", run.ID, "identity_mode", string(mode), "activation_mode", "first_scan",
				"quantity", "500.000", "lot_code", "PB-A", "lot_quantity", "200,000", "lot_code", "PB-B", "lot_quantity", "",
			}
			kim.get(wizardURL("configuration", typed...)).wants(http.StatusOK, want.before, "33 × 33 modules", " left in production batch "+run.Code, "Sum 500,000").lacks("There is a problem")
			kim.get(wizardURL("review", typed...)).wants(http.StatusOK, "Mint 500,000 units", want.before, "300,000", "At first scan").lacks("There is a problem")
			if got := len(w.works(brand)); mode == mintage.IdentitySerial && got > 1 {
				t.Fatalf("looking at it has made %d batches", got)
			}

			batch := kim.post(wizardURL("review", typed...)).submitted("submitted")
			work, err := w.server.Mint.Batch(t.Context(), w.owner(brand), batch)
			w.must(err)
			b := work.Batch
			if b.IdentityMode != mode || b.ActivationMode != mintage.FirstScan || b.RequestedQuantity != 500_000 || b.ProductionBatchID != run.ID ||
				len(b.Lots) != 2 || b.Lots[0].Code != "PB-A" || b.Lots[0].Quantity != 200_000 || b.Lots[1].Code != "PB-B" || b.Lots[1].Quantity != 300_000 {
				t.Errorf("what was submitted is %+v", b)
			}
			if b.Lots[0].URLPrefix != want.before || b.Lots[0].URLSuffix != want.after {
				t.Errorf("its URLs are %s…%s", b.Lots[0].URLPrefix, b.Lots[0].URLSuffix)
			}

			// A double click, a reload, the back button.
			before := storetest.Snapshot(t, w.db)
			if again := kim.post(wizardURL("review", typed...)).submitted("already"); again != batch {
				t.Errorf("the second attempt leads to %s", again)
			}
			kim.get(wizardURL("review", typed...)).wants(http.StatusOK, "already submitted", "/mint/batches/"+batch+"?done=already").lacks("There is a problem", "Mint 500,000 units")
			if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
				t.Errorf("the second attempt has changed something:\n%s", changes)
			}
		}
	})
}

// Under a key that was used, other values are a request of their own, which nobody
// makes by accident.
func TestWizardWithOtherValues(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.as(w.invite(brand, "kim@example.com", mintage.RoleOperator))
		product := w.fixture.NewProduct(brand)
		with := func(quantity, key string) string {
			return wizardURL("review", "key", key, "product_id", product.ID, "quantity", quantity)
		}
		batch := kim.post(with("10", "first")).submitted("submitted")
		page := kim.post(with("20", "first")).wants(http.StatusUnprocessableEntity, "You have already submitted from this page, with other values.", "/mint/batches/"+batch, "Mint 20 units")
		if n := len(w.works(brand)); n != 1 {
			t.Fatalf("there are %d batches", n)
		}
		action := regexp.MustCompile(`action="(/mint/new\?[^"]*)"`).FindStringSubmatch(page.body)
		if action == nil || strings.Contains(action[1], "key=first") {
			t.Fatalf("the form goes to %q", action)
		}
		next := strings.ReplaceAll(action[1], "&amp;", "&")
		other := kim.post(next).submitted("submitted")
		if other == batch {
			t.Error("both are one batch")
		}
		kim.post(next).submitted("already")

		// Without a key nothing is submitted: a page of ours always has one.
		kim.post(wizardURL("review", "product_id", product.ID, "quantity", "5")).wants(http.StatusSeeOther)
		kim.post(wizardURL("review", "key", "ключ", "product_id", product.ID, "quantity", "5")).wants(http.StatusSeeOther)
		if n := len(w.works(brand)); n != 2 {
			t.Errorf("there are %d batches", n)
		}
	})
}

// Each reason that blocks a request is said at the field that it concerns, when the
// page is opened and when it is submitted; all of them at once.
func TestWizardBlocked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.as(w.invite(brand, "kim@example.com", mintage.RoleAdmin))
		taken := w.fixture.NewProduct(brand)
		w.fixture.Submit(taken, 1)
		battery := func(p *mintage.Product) {
			p.SchemaID, p.Attributes = "battery", []byte(`{"battery_category":"none such"}`)
		}
		for name, try := range map[string]struct {
			product []func(*mintage.Product)
			run     func(*mintage.ProductionBatch)
			want    []string
			field   string
		}{
			"status":   {product: []func(*mintage.Product){func(p *mintage.Product) { p.Status = mintage.ProductDraft }}, want: []string{"Its commercial status is DRAFT"}, field: "product_id"},
			"DPP":      {product: []func(*mintage.Product){battery}, want: []string{"“Rated capacity” is missing", "“Battery category” does not fit the DPP schema"}, field: "product_id"},
			"GTIN":     {product: []func(*mintage.Product){func(p *mintage.Product) { p.GTIN = taken.GTIN }}, want: []string{"Its GTIN belongs to another product"}, field: "product_id"},
			"planned":  {run: func(b *mintage.ProductionBatch) { b.Status = mintage.ProductionPlanned }, want: []string{"is PLANNED; it must be READY"}, field: "production_batch_id"},
			"quantity": {run: func(b *mintage.ProductionBatch) { b.Quantity = 9 }, want: []string{"10 units are requested, but only 9 remain: the production batch has 9, of which 0"}, field: "quantity"},
			"all": {
				product: []func(*mintage.Product){battery, func(p *mintage.Product) { p.Status, p.GTIN = mintage.ProductDiscontinued, taken.GTIN }},
				run:     func(b *mintage.ProductionBatch) { b.Quantity, b.Status = 9, mintage.ProductionClosed },
				want:    []string{"is DISCONTINUED", "“Rated capacity” is missing", "“Battery category” does not", "Its GTIN belongs", "is CLOSED", "only 9 remain"}, field: "product_id",
			},
		} {
			t.Run(name, func(t *testing.T) {
				product := w.fixture.NewProduct(brand, try.product...)
				run := w.fixture.NewProductionBatch(product, 1000, func(b *mintage.ProductionBatch) {
					if try.run != nil {
						try.run(b)
					}
				})
				at := wizardURL("review", "key", name, "product_id", product.ID, "production_batch_id", run.ID, "quantity", "10")
				before := storetest.Snapshot(t, w.db)
				for _, page := range []*page{kim.get(at).wants(http.StatusOK), kim.post(at).wants(http.StatusUnprocessableEntity)} {
					page.t = t
					page.wants(page.status, try.want...).wants(page.status, "There is a problem", `<a href="#`+try.field+`">`, "Check again").lacks("Mint 10 units")
					_, row, _ := strings.Cut(page.body, `<div id="`+try.field+`"`)
					if row, _, _ = strings.Cut(row, "</div>"); !strings.Contains(row, `class="fault"`) {
						t.Errorf("nothing is said at %s", try.field)
					}
					if try.product != nil {
						page.wants(page.status, `href="/products/`+product.ID+`/edit"`)
					}
				}
				if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
					t.Errorf("something has changed:\n%s", changes)
				}
				if try.product != nil {
					kim.get(wizardURL("product", "key", name, "product_id", product.ID)).wants(http.StatusOK, "Not ready", try.want[0]).lacks("There is a problem")
				}
			})
		}
		w.must(func() error {
			yes := true
			_, err := w.server.Mint.UpdateBrand(t.Context(), w.owner(brand), mint.SettingsPatch{GS1Required: &yes})
			return err
		}())
		bare := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.GTIN = "" })
		german := *kim
		german.accept = "de"
		german.get(wizardURL("review", "key", "x", "product_id", bare.ID, "quantity", "1")).wants(http.StatusOK, "Ihre Marke verlangt GS1 Digital Links", "Noch einmal prüfen")
		viewer := w.as(w.invite(brand, "operator@example.com", mintage.RoleOperator))
		viewer.get(wizardURL("product", "key", "x", "product_id", bare.ID)).wants(http.StatusOK, "It has no GTIN", "Open the product").lacks("Edit the product")
	})
}

func TestReasonsHaveWords(t *testing.T) {
	all, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all.list {
		for _, code := range []mintage.Code{
			mintage.ReasonProductNotFound, mintage.ReasonStatusNotActive, mintage.ReasonFieldMissing, mintage.ReasonFieldInvalid, mintage.ReasonGTINRequired,
			mintage.ReasonGTINTaken, mintage.ReasonProductionNotFound, mintage.ReasonProductionMismatch, mintage.ReasonProductionNotReady, mintage.ReasonQuantityExceeds,
		} {
			if l.texts["wizard.reason."+string(code)] == "" {
				t.Errorf("%s has no words for %s", l.code, code)
			}
		}
		for _, s := range mintage.CommercialStatuses {
			if l.texts["wizard.status."+string(s)] == "" {
				t.Errorf("%s has no word for %s", l.code, s)
			}
		}
		for _, s := range mintage.ProductionBatchStatuses {
			if l.texts["wizard.run."+string(s)] == "" {
				t.Errorf("%s has no word for %s", l.code, s)
			}
		}
	}
}

// What does not exist, and what is another brand's, look the same, at whichever step
// and when submitted.
func TestWizardForeignIDs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand, other := w.fixture.NewBrand(), w.fixture.NewBrand()
		kim := w.as(w.invite(brand, "kim@example.com", mintage.RoleOperator))
		mine, second := w.fixture.NewProduct(brand), w.fixture.NewProduct(brand)
		theirs := w.fixture.NewProduct(other, func(p *mintage.Product) { p.Name = "Secret thing" })
		theirRun := w.fixture.NewProductionBatch(theirs, 77_777)
		secondRun := w.fixture.NewProductionBatch(second, 5)

		same := func(step, name, foreign string, want string, more ...string) {
			t.Helper()
			bodies := []string{}
			for _, id := range []string{foreign, storetest.NewID(), "nonsense", "'"} {
				at := wizardURL(step, append([]string{"key", "k", name, id}, more...)...)
				page := kim.get(at).wants(http.StatusOK, want).lacks(theirs.Name, theirs.SKU, theirRun.Code, "77,777")
				kim.post(at).wants(http.StatusUnprocessableEntity, want)
				bodies = append(bodies, strings.ReplaceAll(strings.ReplaceAll(page.body, id, "ID"), "&#39;", "ID"))
			}
			for _, body := range bodies[1:2] {
				if body != bodies[0] {
					t.Errorf("%s: another brand's does not look like one that does not exist", name)
				}
			}
		}
		for _, step := range []string{"run", "configuration", "review"} {
			same(step, "product_id", theirs.ID, "There is no such product", "quantity", "1")
		}
		same("review", "production_batch_id", theirRun.ID, "There is no such production batch", "product_id", mine.ID, "quantity", "1")
		kim.get(wizardURL("review", "key", "k", "product_id", mine.ID, "production_batch_id", secondRun.ID, "quantity", "1")).
			wants(http.StatusOK, "This production batch is of another product").lacks(secondRun.Code)
		if len(w.works(brand))+len(w.works(other)) != 0 {
			t.Error("something was submitted")
		}
	})
}

// Nothing that was typed is lost, whichever way one goes, and no step complains before
// it was left.
func TestWizardKeepsWhatWasTyped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.as(w.invite(brand, "kim@example.com", mintage.RoleOperator))
		product := w.fixture.NewProduct(brand)
		run := w.fixture.NewProductionBatch(product, 100)
		typed := []string{
			"key", "k", "q", "", "product_id", product.ID, "production_batch_id", run.ID, "identity_mode", "batch", "activation_mode", "first_scan",
			"quantity", "1x", "lot_code", "A \"1\"", "lot_quantity", "x", "lot_code", "", "lot_quantity", "", "lot_code", "B", "lot_quantity", "7",
		}
		// What the wizard's form carries, but for what is chosen among options.
		carried := func(p *page) string {
			var list []string
			_, wizard, _ := strings.Cut(p.body, `id="wizard"`)
			for _, input := range regexp.MustCompile(`<input[^>]*>`).FindAllString(wizard, -1) {
				name, value := attribute(input, "name"), attribute(input, "value")
				if kind := attribute(input, "type"); value != "" && (kind == "hidden" || kind == "text") {
					list = append(list, name+"="+value)
				}
			}
			return strings.Join(list, " ")
		}
		for step, others := range map[string]string{
			"product":       "key=k production_batch_id=" + run.ID + ` identity_mode=batch activation_mode=first_scan quantity=1x lot_code=A "1" lot_quantity=x lot_code=B lot_quantity=7`,
			"run":           "key=k product_id=" + product.ID + ` identity_mode=batch activation_mode=first_scan quantity=1x lot_code=A "1" lot_quantity=x lot_code=B lot_quantity=7`,
			"configuration": "key=k product_id=" + product.ID + " production_batch_id=" + run.ID + ` quantity=1x lot_code=A "1" lot_quantity=x lot_code=B lot_quantity=7`,
		} {
			page := kim.get(wizardURL(step, typed...)).wants(http.StatusOK).lacks("There is a problem")
			if got := carried(page); got != others {
				t.Errorf("%s carries\n%s instead of\n%s", step, got, others)
			}
		}
		kim.get(wizardURL("product", typed...)).wants(http.StatusOK, `value="`+product.ID+`" id="product_id" checked`)
		kim.get(wizardURL("run", typed...)).wants(http.StatusOK, `value="`+run.ID+`" checked`)
		kim.get(wizardURL("configuration", typed...)).wants(http.StatusOK, `value="batch" checked`, `value="first_scan" checked`)
		// Going on is what makes it complain: at the step, with everything in place.
		page := kim.get(wizardURL("review", typed...)).wants(http.StatusOK, "There is a problem", "What should be minted?",
			`<a href="#quantity">Enter a whole number of 1 to 1,000,000 units</a>`, `<a href="#lot_code-0">Lot 1: enter a lot code`, `<a href="#lot_quantity-0">Lot 1: enter its quantity`)
		page.wants(http.StatusOK, `value="1x"`)

		kim.get(wizardURL("configuration", "key", "k")).wants(http.StatusOK, "Which product do you want to mint?", `<a href="#product_id">Choose a product</a>`)
		kim.get("/mint/new?key=k&product_id="+product.ID+"&quantity=5").wants(http.StatusOK, "Mint 5 units") // a link that is filled in
		kim.get("/mint/new?key=k&product_id="+product.ID).wants(http.StatusOK, "What should be minted?").lacks("There is a problem")
		kim.get("/mint/new?quantity=%00").wants(http.StatusBadRequest)
		kim.get("/mint/new?quantity=%zz").wants(http.StatusBadRequest)
	})
}

func TestWizardForAdminsOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand(func(b *mintage.Brand) { b.AdminsSubmit = true })
		operator := w.as(w.invite(brand, "operator@example.com", mintage.RoleOperator))
		admin := w.as(w.invite(brand, "admin@example.com", mintage.RoleAdmin))
		product := w.fixture.NewProduct(brand)
		for _, step := range wizardSteps() {
			at := wizardURL(step, "key", "k", "product_id", product.ID, "quantity", "3")
			operator.get(at).wants(http.StatusOK, "only admins and owners submit mint requests").lacks("Mint 3 units")
			admin.get(at).wants(http.StatusOK).lacks("only admins and owners submit mint requests")
		}
		at := wizardURL("review", "key", "k", "product_id", product.ID, "quantity", "3")
		operator.get(at).wants(http.StatusOK, "Copy the link for an admin", `data-copy="`+w.http.URL+"/mint/new?")
		operator.post(at).wants(http.StatusForbidden)
		if len(w.works(brand)) != 0 {
			t.Fatal("an operator has submitted")
		}
		admin.post(at).submitted("submitted")
	})
}

// Where the connection broke while committing, the review says what has come of it.
func TestWizardWithoutAnAnswer(t *testing.T) {
	db := storetest.Open(t, "sqlite")
	broken := &breaking{Store: db}
	w := newWorld(t, db, broken)
	brand := w.fixture.NewBrand()
	kim := w.as(w.invite(brand, "kim@example.com", mintage.RoleOperator))
	product := w.fixture.NewProduct(brand)
	for committed, want := range map[bool]string{true: "already submitted", false: "was not submitted. Submit it again."} {
		at := wizardURL("review", "key", want, "product_id", product.ID, "quantity", "3")
		broken.now, broken.committed = true, committed
		page := kim.post(at).wants(http.StatusSeeOther)
		broken.now = false
		kim.get(page.header.Get("Location")).wants(http.StatusOK, want)
	}
	if n := len(w.works(brand)); n != 1 {
		t.Errorf("there are %d batches", n)
	}
}

// breaking is a store whose transactions end without an answer.
type breaking struct {
	store.Store
	now, committed bool
}

func (b *breaking) For(brand int64) store.Transactions { return &breakingTx{b.Store.For(brand), b} }

type breakingTx struct {
	store.Transactions
	b *breaking
}

func (t *breakingTx) InTx(ctx context.Context, fn func(store.Tx) error) error {
	if t.b.now && !t.b.committed {
		return mintage.Errorf(mintage.CodeUnknown, "The connection broke.")
	}
	err := t.Transactions.InTx(ctx, fn)
	if err == nil && t.b.now {
		return mintage.Errorf(mintage.CodeUnknown, "The connection broke.")
	}
	return err
}

func TestWizardLots(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.as(w.invite(brand, "kim@example.com", mintage.RoleOperator))
		product := w.fixture.NewProduct(brand)
		run := w.fixture.NewProductionBatch(product, 1000)
		next := w.fixture.NewProductionBatch(product, 1000)
		step := func(step string, pairs ...string) *page {
			t.Helper()
			return kim.get(wizardURL(step, append([]string{"key", "k", "product_id", product.ID}, pairs...)...)).wants(http.StatusOK)
		}
		lots := func(pairs ...string) (list []string) {
			for i := 0; i < len(pairs); i += 2 {
				list = append(list, "lot_code", pairs[i], "lot_quantity", pairs[i+1])
			}
			return append(list, "quantity", "100")
		}
		step("review", lots("A", "60", "B", "30")...).wants(http.StatusOK, `<a href="#lots">The lots sum to 90, but 100 units are requested`)
		step("configuration", lots("A", "60", "B", "30")...).wants(http.StatusOK, "10 units are in no lot yet").lacks("There is a problem")
		step("configuration", lots("A", "60", "B", "50")...).wants(http.StatusOK, "10 units too many in the lots")
		step("review", lots("A", "60", "A", "40")...).wants(http.StatusOK, `<a href="#lot_code-1">Lot 2: this code is in the table already`)
		step("review", lots("A", "", "B", "")...).wants(http.StatusOK, `<a href="#lot_quantity-0">Lot 1: enter its quantity`, "Lot 2: enter its quantity")
		step("review", lots("A", "100", "B", "")...).wants(http.StatusOK, `<a href="#lot_quantity-1">Lot 2: enter its quantity`)
		step("review", lots("A/1", "60", "", "", "B", "")...).wants(http.StatusOK, "Mint 100 units", "/10/A%2F1/21/")
		var many []string
		for i := range 101 {
			many = append(many, "L"+strings.Repeat("1", i%19)+string(rune('A'+i/19)), "1")
		}
		step("review", lots(many...)...).wants(http.StatusOK, `<a href="#lots">A request may have 100 lots at most`)

		// A production batch's code is the lot, as submission has it; it follows when
		// another one is chosen, and does not come back once it was cleared.
		step("configuration", "production_batch_id", run.ID, "quantity", "100").wants(http.StatusOK, `name="lot_code" type="text" value="`+run.Code+`"`)
		step("configuration", "production_batch_id", run.ID, "quantity", "100", "lot_code", "", "lot_quantity", "").wants(http.StatusOK, "Without lots, all units are in lot "+run.Code).
			lacks(`value="` + run.Code + `"`)
		step("run", "production_batch_id", run.ID, "quantity", "100", "lot_code", run.Code, "lot_quantity", "").lacks(`name="lot_code"`)
		step("review", "production_batch_id", next.ID, "quantity", "100").wants(http.StatusOK, "/10/"+next.Code+"/21/")
		batch := kim.post(wizardURL("review", "key", "k", "product_id", product.ID, "production_batch_id", run.ID, "quantity", "100", "lot_code", run.Code, "lot_quantity", "100")).submitted("submitted")
		work, err := w.server.Mint.Batch(t.Context(), w.owner(brand), batch)
		w.must(err)
		if l := work.Batch.Lots; len(l) != 1 || l[0].Code != run.Code || l[0].Quantity != 100 {
			t.Errorf("the lots are %+v", l)
		}
	})
}

func TestParseQuantity(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "1000000": 1_000_000, "1,000,000": 1_000_000, "1.000.000": 1_000_000, "1 000 000": 1_000_000, "1\u202f000\u00a0000": 1_000_000,
		"1'000’000": 1_000_000, " 12 ": 12, "0": 0, "007": 7,
		"": -1, "x": -1, "1x": -1, "-1": -1, "+1": -1, "1.5": -1, "1,50": -1, "1.000,000": -1, "1,0000": -1, "1000,000": -1, ",000": -1, "1,": -1, "1e6": -1,
		"١": -1, "9999999999999999999": -1,
	} {
		got, ok := parseQuantity(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d instead of %d", text, got, want)
		}
	}
}

package web

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

func TestBatchPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		viewer, operator, admin := w.invite(brand, "v@example.com", mintage.RoleViewer), w.invite(brand, "o@example.com", mintage.RoleOperator), w.invite(brand, "a@example.com", mintage.RoleAdmin)
		jacket := w.fixture.NewProduct(brand, func(p *mintage.Product) { p.Name = "Trail jacket, <M>" })
		run := w.fixture.NewProductionBatch(jacket, 10_000)
		work := w.fixture.SubmitRequest(storetest.Submission{
			Product: jacket, Production: run, Quantity: 3000,
			Lots: []mintage.LotRequest{{LotCode: "A/1", Quantity: 1000}, {LotCode: "B", Quantity: 2000}},
		})
		path := "/mint/batches/" + work.Batch.ID
		w.as(operator).get(path+"?done=submitted").wants(http.StatusOK, "Trail jacket, <M>", "QUEUED", "0 %", "of 3,000 units", "Waits for a worker",
			"Your mint request was accepted", `aria-disabled="true"`, run.Code, jacket.SKU, work.Batch.ID, work.Job.ID, work.Batch.ResolverBase, "/static/"+w.server.static.names["batch.js"]).
			lacks("export.csv", "data-done")
		w.fixture.Mint(1500)
		w.fixture.Activate(&work.Batch, work.Batch.FirstOrdinal)
		page := w.as(operator).get(path+"?done=already").wants(http.StatusOK, "PROCESSING", "50 %", "<strong>1,500</strong> of 3,000 units", "This was submitted before",
			path+"/export.csv", "/mint/tokens?batch="+work.Batch.ID, "500 ", "A/1", "1,499")
		page.lacks("/recall", "Minting stopped")
		w.as(viewer).get(path).wants(http.StatusOK, "50 %").lacks("export.csv", "/mint/tokens?", "/recall")
		w.as(admin).get(path).wants(http.StatusOK, path+"/recall", path+"/recall?lot=A%2f1")

		w.fixture.Fail()
		page = w.as(operator).get(path).wants(http.StatusOK, "FAILED", "Minting stopped", "3 attempts in a row failed", "1,500 of 3,000 units were minted",
			"The other 1,500 are free again", "Mint the remaining 1,500", "data-done",
			"/mint/new?activation_mode=first_scan&identity_mode=serial&lot_code=B&lot_quantity=1500&product_id="+jacket.ID+"&production_batch_id="+run.ID+"&quantity=1500")
		page.lacks("lot_code=A")
		w.as(viewer).get(path).wants(http.StatusOK, "Minting stopped").lacks("Mint the remaining")
		w.as(operator).get("/mint/batches/"+strings.ToUpper(work.Batch.ID)).wants(http.StatusOK, work.Batch.ID)

		german := w.as(operator)
		german.accept = "de"
		german.get(path).wants(http.StatusOK, "Das Minten wurde beendet", "Die restlichen 1.500 minten")
	})
}

func TestMintAgain(t *testing.T) {
	b := &mintage.Batch{
		ProductID: "p", IdentityMode: mintage.IdentityBatch, ActivationMode: mintage.ActiveAtMint, RequestedQuantity: 10, MintedQuantity: 3, FirstOrdinal: 100,
		Lots: []mintage.Lot{{Code: "A", FirstOrdinal: 100, Quantity: 2}, {Code: "B", FirstOrdinal: 102, Quantity: 3}, {Code: "C", FirstOrdinal: 105, Quantity: 5}},
	}
	want := "/mint/new?activation_mode=active_at_mint&identity_mode=batch&lot_code=B&lot_code=C&lot_quantity=2&lot_quantity=5&product_id=p&quantity=7"
	if got := mintAgain(b); got != want {
		t.Errorf("it begins at %s instead of %s", got, want)
	}
}

func TestForeignBatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOwner)
		foreign := w.fixture.Submit(w.fixture.NewProduct(w.fixture.NewBrand()), 3)
		w.fixture.Mint(3)
		b := w.as(kim)
		before := storetest.Snapshot(t, w.db)
		for _, path := range []string{"", "/progress", "/export.csv"} {
			theirs := b.get("/mint/batches/" + foreign.Batch.ID + path).wants(http.StatusNotFound)
			nobodys := b.get("/mint/batches/" + storetest.NewID() + path).wants(http.StatusNotFound)
			b.get("/mint/batches/x" + path).wants(http.StatusNotFound)
			if theirs.body != nobodys.body {
				t.Errorf("%s of another brand's batch does not look like one that does not exist", path)
			}
		}
		b.get("/mint/activity?actor=user:"+storetest.NewID()).wants(http.StatusOK, "Nothing matches")
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("looking has changed something:\n%s", changes)
		}
	})
}

func TestExport(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		brand := w.fixture.NewBrand()
		operator, viewer := w.invite(brand, "o@example.com", mintage.RoleOperator), w.invite(brand, "v@example.com", mintage.RoleViewer)
		work := w.fixture.Submit(w.fixture.NewProduct(brand), 12)
		w.fixture.Mint(12)
		path := "/mint/batches/" + work.Batch.ID + "/export.csv"
		file := w.as(operator).get(path).wants(http.StatusOK)
		if lines := strings.Count(file.body, "\n"); lines != 13 || !strings.HasPrefix(file.body, "unit_id,ordinal,") {
			t.Errorf("it has %d lines: %.80s", lines, file.body)
		}
		if got := file.header.Get("Content-Disposition"); got != `attachment; filename="mint-batch-`+work.Batch.ID+`.csv"` || file.header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("it comes as %s, %s", got, file.header.Get("Content-Type"))
		}
		w.as(viewer).get(path).wants(http.StatusForbidden, "This needs the role Operator")
		w.as(operator).do("HEAD", path, nil, nil).wants(http.StatusNotFound) // it would leave an event and no file
		events, err := w.server.Mint.Events(t.Context(), w.owner(brand), mint.EventFilter{Kind: mintage.EventBatchExported}, mint.Page{Limit: 10})
		if err != nil || len(events) != 1 || events[0].Actor != "user:"+operator.id || events[0].Quantity != 12 {
			t.Errorf("the events are %+v, %v", events, err)
		}
		w.as(operator).get("/mint/exports").wants(http.StatusOK, path, "Latest exports", "12 units exported", "Kim Example", `aria-current="page">Exports`)
		w.as(viewer).get("/mint/exports").wants(http.StatusForbidden)

		// What is damaged must not look like a file.
		raw := w.db.Raw(t)
		defer raw.Close()
		if _, err := raw.ExecContext(t.Context(), "DELETE FROM units WHERE ordinal = 5"); err != nil {
			t.Fatal(err)
		}
		if broken := w.as(operator).get(path).wants(http.StatusInternalServerError, "Something went wrong"); broken.header.Get("Content-Disposition") != "" {
			t.Error("a refusal looks like a file")
		}
	})
}

func TestExportsWhereNothingIsMinted(t *testing.T) {
	w := newSQLiteWorld(t)
	brand := w.fixture.NewBrand()
	kim := w.invite(brand, "kim@example.com", mintage.RoleOperator)
	w.as(kim).get("/mint/exports").wants(http.StatusOK, "There is nothing to export yet").lacks("Latest exports")
	queued := w.fixture.Submit(w.fixture.NewProduct(brand), 3)
	w.as(kim).get("/mint/exports").wants(http.StatusOK, "There is nothing to export yet")
	w.fixture.Fail()
	w.as(kim).get("/mint/exports").wants(http.StatusOK, queued.Batch.ID, "Nothing minted").lacks("export.csv")
}

// follower reads a stream of progress.
type follower struct {
	t      *testing.T
	events chan streamed // closed at the end
	header http.Header
}

type streamed struct{ name, data string }

// follow opens the stream of a batch.
func (b *browser) follow(t *testing.T, batch string) *follower {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.w.http.URL+"/mint/batches/"+batch+"/progress", http.NoBody)
	b.w.must(err)
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Accept-Language", b.accept)
	answer, err := b.client.Do(r)
	b.w.must(err)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("a stream answers %d %s", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	f := &follower{t: t, events: make(chan streamed, 1000), header: answer.Header}
	go func() {
		defer close(f.events)
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		var e streamed
		for lines.Scan() {
			switch name, value, _ := strings.Cut(lines.Text(), ":"); name {
			case "event":
				e.name = strings.TrimSpace(value)
			case "data":
				e.data += strings.TrimSpace(value) + "\n"
			case "":
				f.events <- e
				e = streamed{}
			default:
				t.Errorf("an odd line: %q", lines.Text())
			}
		}
	}()
	return f
}

// next returns the next event; ok is false at the end of the stream.
func (f *follower) next() (e streamed, ok bool) {
	f.t.Helper()
	select {
	case e, ok = <-f.events:
	case <-time.After(30 * time.Second):
		f.t.Fatal("the stream is silent")
	}
	return e, ok
}

// until reads on to the first event that says something.
func (f *follower) until(what string) {
	f.t.Helper()
	for {
		e, ok := f.next()
		if !ok {
			f.t.Fatalf("it ends before it says %s", what)
		}
		if strings.Contains(e.data, what) {
			return
		}
	}
}

// last returns the last event before the stream ends.
func (f *follower) last() (last streamed) {
	f.t.Helper()
	for {
		e, ok := f.next()
		if !ok {
			return last
		}
		last = e
	}
}

func (w *world) engine(cycle int) *mint.Engine {
	return mint.NewEngine(w.db, mint.NewKeyring(w.fixture.MasterKey), mint.Options{CycleSize: cycle, Poll: time.Millisecond})
}

// TestProgress follows a batch that a worker mints meanwhile.
func TestProgress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.server.streams.interval = time.Millisecond
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleViewer)
		work := w.fixture.Submit(w.fixture.NewProduct(brand), 400)
		b := w.as(kim)
		f := b.follow(t, work.Batch.ID)
		first, _ := f.next()
		if first.name != "progress" || !strings.Contains(first.data, `data-state="QUEUED"`) || strings.Contains(first.data, "data-final") {
			t.Fatalf("at once: %+v", first)
		}
		if !strings.Contains(f.header.Get("Cache-Control"), "no-store") || f.header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("proxies may hold it back: %v", f.header)
		}
		worked := make(chan error, 1)
		go func() { worked <- w.engine(10).RunOnce(t.Context(), 0) }()
		last := f.last()
		if err := <-worked; err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`data-state="COMPLETED"`, "data-final", `data-percent="100"`, "<strong>400</strong>", "COMPLETED. 400 of 400 units"} {
			if !strings.Contains(last.data, want) {
				t.Errorf("at last it does not say %s: %s", want, last.data)
			}
		}
		if found := inline.FindString(last.data); found != "" {
			t.Errorf("an event has %q", found)
		}
		// Who comes back later is told once, in the language of the page.
		b.accept = "de"
		again := b.follow(t, work.Batch.ID)
		if e, _ := again.next(); !strings.Contains(e.data, "FERTIG. 400 von 400 Einheiten") {
			t.Errorf("afterwards: %+v", e)
		}
		if e, ok := again.next(); ok {
			t.Errorf("it goes on: %+v", e)
		}
		b.do("HEAD", "/mint/batches/"+work.Batch.ID+"/progress", nil, nil).wants(http.StatusNotFound)
	})
}

// TestProgressEndsWithItsReader: who may not see the batch any more does not.
func TestProgressEndsWithItsReader(t *testing.T) {
	endings := map[string]func(w *world, b *browser, brand *mintage.Brand, kim person){
		"the membership": func(w *world, _ *browser, brand *mintage.Brand, kim person) {
			w.must(w.server.Access.RemoveMember(w.t.Context(), w.owner(brand), kim.id))
		},
		"the session": func(_ *world, b *browser, _ *mintage.Brand, _ person) {
			b.post("/sign-out").goesTo("/sign-in?done=signed_out")
		},
		"all sessions": func(w *world, _ *browser, _ *mintage.Brand, kim person) {
			w.must(w.server.Access.SignOutEverywhere(w.in(w.user(kim)), kim.id, mintage.Origin{}))
		},
	}
	each(t, func(t *testing.T, w *world) {
		w.server.streams = streams{interval: time.Millisecond, beat: time.Hour}
		for name, end := range endings {
			t.Run(name, func(t *testing.T) {
				brand, second := w.fixture.NewBrand(), w.fixture.NewBrand()
				kim := w.invite(brand, strings.ReplaceAll(name, " ", "")+"@example.com", mintage.RoleViewer)
				w.join(kim, second, mintage.RoleOwner)
				work := w.fixture.Submit(w.fixture.NewProduct(brand), 3)
				b := w.as(kim)
				f := b.follow(t, work.Batch.ID)
				if e, _ := f.next(); e.name != "progress" {
					t.Fatalf("at once: %+v", e)
				}
				// Another brand that is chosen in another window is no reason to end.
				b.post("/account/brand", "brand_id", second.ID).goesTo("/mint")
				w.fixture.Mint(1)
				f.until(`data-percent="33"`)
				defer w.fixture.Mint(2)
				end(w, b, brand, kim)
				if e := f.last(); e.name != "ended" {
					t.Errorf("at last: %+v", e)
				}
			})
		}
	})
}

func TestExportEndsWithItsReader(t *testing.T) {
	eachStore(t, func(t *testing.T, db *storetest.DB, s store.Store) {
		w := newWorld(t, db, s)
		w.server.streams.recheck = 0
		brand := w.fixture.NewBrand()
		kim := w.invite(brand, "kim@example.com", mintage.RoleOperator)
		work := w.fixture.Submit(w.fixture.NewProduct(brand), 200_000)
		w.must(w.engine(20_000).RunOnce(t.Context(), 0))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.http.URL+"/mint/batches/"+work.Batch.ID+"/export.csv", http.NoBody)
		w.must(err)
		answer, err := w.as(kim).client.Do(r)
		w.must(err)
		defer answer.Body.Close()
		w.must(w.server.Access.RemoveMember(t.Context(), w.owner(brand), kim.id))
		lines := 0
		scanner := bufio.NewScanner(answer.Body)
		for scanner.Scan() {
			lines++
		}
		if scanner.Err() == nil || lines > 200_000 {
			t.Errorf("the export of who was removed goes on to its end: %d lines", lines)
		}
	})
}

func TestProgressBeatsAndEndsOnShutdown(t *testing.T) {
	stopping := make(chan struct{})
	w := newSQLiteWorld(t, func(d *Deps) { d.Stopping = stopping })
	w.server.streams = streams{interval: time.Hour, beat: time.Millisecond, recheck: time.Hour}
	brand := w.fixture.NewBrand()
	kim := w.invite(brand, "kim@example.com", mintage.RoleViewer)
	work := w.fixture.Submit(w.fixture.NewProduct(brand), 3)
	f := w.as(kim).follow(t, work.Batch.ID)
	for range 3 { // the whole state each time
		if e, ok := f.next(); !ok || e.name != "progress" || !strings.Contains(e.data, "QUEUED") {
			t.Fatalf("instead of a beat: %+v", e)
		}
	}
	close(stopping)
	if e := f.last(); e.name == "ended" {
		t.Error("a restart of the server looks like the end of the session")
	}
}

func TestPace(t *testing.T) {
	begin := time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)
	w := &mint.Work{Job: mintage.Job{Status: mintage.JobProcessing, StartedAt: begin}, Batch: mintage.Batch{RequestedQuantity: 1_000_000}}
	p := &pace{}
	for _, step := range []struct {
		after  time.Duration
		minted int64
		want   int64
	}{
		{50 * time.Millisecond, 20_000, 0}, // too early to say
		{time.Second, 20_000, 20_000},
		{2 * time.Second, 61_234, 30_600},
		{12 * time.Second, 261_234, 20_000}, // the window begins at 2 s
		{22 * time.Second, 261_234, 0},      // it stands still
	} {
		w.Batch.MintedQuantity = step.minted
		if got := p.rate(w, begin.Add(step.after)); got != step.want {
			t.Errorf("after %s with %d units it is %d, want %d", step.after, step.minted, got, step.want)
		}
	}
	w.Job.Status, w.Job.FinishedAt, w.Batch.MintedQuantity = mintage.JobCompleted, begin.Add(50*time.Second), 1_000_000
	if got := p.rate(w, begin.Add(time.Hour)); got != 20_000 {
		t.Errorf("on the whole it is %d", got)
	}
	w.Job.StartedAt = time.Time{}
	if got := p.rate(w, begin); got != 0 {
		t.Errorf("before it begins it is %d", got)
	}
	all, err := loadLanguages()
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[time.Duration]string{
		0: "about 1 s left", 59 * time.Second: "about 59 s left", time.Minute: "about 2 min left", 3 * time.Hour: "about 4 h left",
	} {
		if got := all.list[0].left(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestStillAdmitted(t *testing.T) {
	w := newSQLiteWorld(t)
	brand := w.fixture.NewBrand()
	kim := w.invite(brand, "kim@example.com", mintage.RoleOperator)
	w.server.streams.recheck = 0
	asked := make(chan func() error, 1)
	route := Route{Method: "GET", Path: "/test/stream", Operation: opViewDashboard, handle: func(v *visit) error {
		asked <- v.stillAdmitted("export_mint_batch")
		return v.render(http.StatusOK, "link_used", nil)
	}}
	w.server.mux.HandleFunc(route.Pattern(), func(rw http.ResponseWriter, r *http.Request) {
		w.server.serve(route, rw, r.WithContext(context.WithoutCancel(r.Context())))
	})
	w.as(kim).get("/test/stream").wants(http.StatusOK)
	admitted := <-asked
	w.must(admitted())
	owner := w.owner(brand)
	w.must(w.server.Access.ChangeMember(t.Context(), owner, kim.id, mintage.RoleViewer))
	if err := admitted(); mintage.ErrorCode(err) != mintage.CodeForbidden {
		t.Errorf("with a lower role: %v", err)
	}
	w.must(w.server.Access.ChangeMember(t.Context(), owner, kim.id, mintage.RoleAdmin))
	w.must(admitted())
	w.must(w.server.Access.RemoveMember(t.Context(), owner, kim.id))
	if err := admitted(); mintage.ErrorCode(err) != mintage.CodeNotFound {
		t.Errorf("after the removal: %v", err)
	}
}

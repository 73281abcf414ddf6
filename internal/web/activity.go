package web

import (
	"net/http"
	"strings"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/mint"
)

// activityLength is how many events one part of the list has.
const activityLength = 50

// activityGroup is the events that people look for together.
type activityGroup struct {
	Name  string
	kinds []mintage.EventKind
}

// activityGroups are the choices of the filter. Each kind of event is in one of them.
func activityGroups() []activityGroup {
	return []activityGroup{
		{"minting", []mintage.EventKind{mintage.EventJobTransition, mintage.EventJobStrike, mintage.EventBatchTransition, mintage.EventBatchCycle}},
		{"exports", []mintage.EventKind{mintage.EventBatchExported}},
		{"revocations", []mintage.EventKind{mintage.EventUnitTransition, mintage.EventRecalled}},
		{"catalogue", []mintage.EventKind{
			mintage.EventProductCreated, mintage.EventProductUpdated, mintage.EventLinksChanged,
			mintage.EventProductionCreated, mintage.EventProductionUpdated, mintage.EventSchemaStored,
		}},
		{"people", []mintage.EventKind{
			mintage.EventMemberAdded, mintage.EventMemberChanged, mintage.EventMemberRemoved, mintage.EventMemberInvited, mintage.EventNameChanged,
			mintage.EventSignedIn, mintage.EventSignInRefused, mintage.EventSignedOut, mintage.EventPasswordChanged,
		}},
		{"keys", []mintage.EventKind{mintage.EventKeyCreated, mintage.EventKeyRotated, mintage.EventKeyRevoked}},
		{"brand", []mintage.EventKind{mintage.EventBrandCreated, mintage.EventBrandUpdated, mintage.EventLogoChanged}},
	}
}

// activityFilter is what the URL says of the list.
type activityFilter struct {
	Group       string
	Actor       string
	From, Until string // UTC days, both of them included
}

// Narrow reports whether the filter leaves anything out.
func (f activityFilter) Narrow() bool { return f != activityFilter{} }

// activityData is the tab of what happened.
type activityData struct {
	Head *dashboardHead
	part[activityRow]

	Filter activityFilter
	Groups []activityGroup
	Actors []option
	// Backwards says that no day is between the filter's two.
	Backwards bool
}

// activityRow is one event in plain words.
type activityRow struct {
	Number int64
	At     time.Time
	Text   string
	Path   string // of what it is about; "" where that has no page
	On     string // what it is about
	Note   string // a reason, or what changed
	By     string
}

// activityPage lists what happened in the brand, newest first.
func (v *visit) activityPage() error {
	head, err := v.dashboardHead(tabActivity)
	if err != nil {
		return err
	}
	d := activityData{Head: head, Groups: activityGroups()}
	filter := mint.EventFilter{Notable: true}
	d.Filter = v.activityFilter(&filter)
	if d.Actors, err = v.actorOptions(d.Filter.Actor); err != nil {
		return err
	}
	d.Backwards = !filter.From.IsZero() && !filter.Until.IsZero() && !filter.From.Before(filter.Until)
	if !d.Backwards {
		if d.part, err = v.activityPart(filter); err != nil {
			return err
		}
	}
	return v.render(http.StatusOK, "activity", d)
}

// activityPart reads the part of the events that the request asks for.
func (v *visit) activityPart(filter mint.EventFilter) (p part[activityRow], err error) {
	page, err := v.page(activityLength)
	if err != nil {
		return p, err
	}
	events, err := v.Mint.Events(v.ctx(), v.principal, filter, page)
	if err != nil {
		return p, err
	}
	found := partOf(v, events, activityLength, func(e *mintage.Event) int64 { return e.Number })
	p.Next = found.Next
	p.Rows, err = v.activityRows(found.Rows)
	return p, err
}

// activityFilter reads the filter from the URL. What is no choice of it is none.
func (v *visit) activityFilter(to *mint.EventFilter) (f activityFilter) {
	query := v.r.URL.Query()
	for _, g := range activityGroups() {
		if query.Get("group") == g.Name {
			f.Group, to.Kinds = g.Name, g.kinds
		}
	}
	if actor := query.Get("actor"); cleanText(actor) {
		f.Actor, to.Actor = actor, actor
	}
	if day, err := time.Parse(time.DateOnly, query.Get("from")); err == nil {
		f.From, to.From = query.Get("from"), day
	}
	if day, err := time.Parse(time.DateOnly, query.Get("until")); err == nil {
		f.Until, to.Until = query.Get("until"), day.AddDate(0, 0, 1)
	}
	return f
}

// actorOptions are the actors to choose from; the chosen one is always among them.
func (v *visit) actorOptions(chosen string) ([]option, error) {
	known, err := v.Access.Actors(v.ctx(), v.principal, nil)
	if err != nil {
		return nil, err
	}
	var options []option
	found := chosen == ""
	for _, a := range append(known, access.Actor{ID: "cli"}) {
		name := v.actorName(a)
		if a.ID == "cli" {
			name = v.strangerName(a.ID)
		}
		options = append(options, option{Value: a.ID, Label: name})
		found = found || a.ID == chosen
	}
	if !found { // whose name the URL alone must not tell
		options = append(options, option{Value: chosen, Label: v.strangerName(chosen)})
	}
	return options, nil
}

// activityWords puts events into words; it knows what they are about.
type activityWords struct {
	*visit

	name        func(actor string) string
	works       map[string]*mint.Work
	products    map[string]*mintage.Product
	productions map[string]*mintage.ProductionBatch
}

// activityRows puts events into words.
func (v *visit) activityRows(events []*mintage.Event) ([]activityRow, error) {
	words, err := v.activityWords(events)
	if err != nil {
		return nil, err
	}
	rows := make([]activityRow, len(events))
	for i, e := range events {
		rows[i] = words.row(e)
	}
	return rows, nil
}

// activityWords reads what a list of events is about.
func (v *visit) activityWords(events []*mintage.Event) (*activityWords, error) {
	words := &activityWords{visit: v}
	var actors, batches, products, productions []string
	for _, e := range events {
		actors = append(actors, e.Actor)
		switch {
		case e.BatchID != "":
			batches = append(batches, e.BatchID)
		case strings.HasPrefix(string(e.Kind), "member."):
			actors = append(actors, "user:"+e.SubjectID)
		case strings.HasPrefix(string(e.Kind), "product."):
			products = append(products, e.SubjectID)
		case strings.HasPrefix(string(e.Kind), "production_batch."):
			productions = append(productions, e.SubjectID)
		}
	}
	var err error
	if words.name, err = v.names(actors); err != nil {
		return nil, err
	}
	if words.works, err = v.Mint.Batches(v.ctx(), v.principal, batches); err != nil {
		return nil, err
	}
	for _, w := range words.works {
		products = append(products, w.Batch.ProductID)
	}
	if words.products, err = v.Catalogue.ProductsByID(v.ctx(), v.principal, products); err != nil {
		return nil, err
	}
	words.productions, err = v.Catalogue.ProductionBatchesByID(v.ctx(), v.principal, productions)
	return words, err
}

func (w *activityWords) row(e *mintage.Event) activityRow {
	row := activityRow{Number: e.Number, At: e.At, By: w.name(e.Actor), Text: w.language.text("activity." + string(e.Kind)), Note: w.note(e)}
	switch kind, _, _ := strings.Cut(string(e.Kind), "."); kind {
	case "mint_job":
		if e.Kind == mintage.EventJobTransition {
			row.Text = w.language.text("activity.mint_job.transition." + e.To)
		}
		row.On, row.Path = w.batch(e)
	case "mint_batch":
		row.On, row.Path = w.batch(e)
		if e.Quantity > 0 {
			row.Text = w.language.text("activity."+string(e.Kind), e.Quantity)
		}
	case "unit":
		row.On, row.Path = e.SubjectID, "/mint/tokens/"+e.SubjectID
	case "product":
		if p := w.products[e.SubjectID]; p != nil {
			row.On, row.Path = p.Name, "/products/"+p.ID
		}
	case "production_batch":
		if p := w.productions[e.SubjectID]; p != nil {
			row.On, row.Path = p.Code, "/production-batches"
		}
	case "member":
		// What people do themselves needs no other name.
		if user := "user:" + e.SubjectID; user != e.Actor {
			row.On = w.member(user)
		}
	case "api_key":
		row.On = w.name("key:" + e.SubjectID)
	case "dpp_schema":
		row.On = e.SubjectID
	}
	return row
}

// member is a member's name; "" for an invitation, whose ID is nobody's.
func (w *activityWords) member(actor string) string {
	if name := w.name(actor); name != w.strangerName(actor) {
		return name
	}
	return ""
}

// batch is what an event about a batch is about.
func (w *activityWords) batch(e *mintage.Event) (on, path string) {
	work := w.works[e.BatchID]
	if work == nil {
		return "", ""
	}
	path = "/mint/batches/" + e.BatchID
	if p := w.products[work.Batch.ProductID]; p != nil {
		on = p.Name
	}
	return on, path
}

// note is what else an event says.
func (w *activityWords) note(e *mintage.Event) string {
	switch e.Kind {
	case mintage.EventMemberAdded, mintage.EventMemberInvited:
		return w.language.text("role." + e.To)
	case mintage.EventMemberChanged:
		return w.language.text("activity.note.changed", w.language.text("role."+e.From), w.language.text("role."+e.To))
	case mintage.EventBrandUpdated:
		if e.From != e.To {
			return w.language.text("activity.note.over_issue", e.From, e.To)
		}
		return ""
	case mintage.EventJobTransition:
		if work := w.works[e.BatchID]; work != nil && e.To == string(mintage.JobQueued) {
			return w.language.text("activity.note.units", work.Batch.RequestedQuantity)
		}
		return e.Message
	case mintage.EventRecalled:
		if lot := w.lot(e); lot != "" {
			return w.language.text("activity.note.lot", lot, e.Message)
		}
		return e.Message
	case mintage.EventJobStrike, mintage.EventUnitTransition:
		return e.Message
	default:
		return ""
	}
}

// lot is the code of the lot that was recalled, "" for a whole batch.
func (w *activityWords) lot(e *mintage.Event) string {
	work := w.works[e.BatchID]
	if work == nil || e.Quantity == work.Batch.RequestedQuantity {
		return ""
	}
	return work.Batch.Lot(e.FirstOrdinal).Code
}

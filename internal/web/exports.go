package web

import (
	"net/http"

	"mintage"
	"mintage/internal/mint"
)

// exportsShown is how many past exports the tab shows; all are in the activity.
const exportsShown = 10

// exportsData is the tab of exports.
type exportsData struct {
	Head *dashboardHead
	part[batchRow]

	Exported []activityRow // the latest
}

// exportsPage lists the batches that can be exported, and what was.
func (v *visit) exportsPage() error {
	head, err := v.dashboardHead(tabExports)
	if err != nil {
		return err
	}
	d := exportsData{Head: head}
	if d.part, err = v.batchRows(mint.Filter{Begun: true}, batchesLength); err != nil {
		return err
	}
	events, err := v.Mint.Events(v.ctx(), v.principal,
		mint.EventFilter{Kinds: []mintage.EventKind{mintage.EventBatchExported}, Notable: true}, mint.Page{Limit: exportsShown})
	if err != nil {
		return err
	}
	if d.Exported, err = v.activityRows(events); err != nil {
		return err
	}
	return v.render(http.StatusOK, "exports", d)
}

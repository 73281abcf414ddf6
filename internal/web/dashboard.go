package web

import (
	"net/http"

	"mintage"
	"mintage/internal/mint"
)

// dashboardLength is how many batches the dashboard shows.
const dashboardLength = 20

// batchRow is one batch on the dashboard.
type batchRow struct {
	mint.Work
	Product *mintage.Product
}

// Percent is how far minting is, 0 to 100, rounded down so that 100 means done.
func (r batchRow) Percent() int64 {
	if r.Batch.RequestedQuantity == 0 {
		return 0
	}
	return 100 * r.Batch.MintedQuantity / r.Batch.RequestedQuantity
}

// dashboardData is what the dashboard shows.
type dashboardData struct {
	Batches []batchRow
	Start   *gettingStarted // of a brand without a batch
}

// home is where the wordmark leads.
func (v *visit) home() error {
	v.redirect("/mint")
	return nil
}

// dashboard shows the brand's newest batches.
func (v *visit) dashboard() error {
	works, err := v.Mint.List(v.ctx(), v.principal, mint.Filter{}, mint.Page{Limit: dashboardLength})
	if err != nil {
		return err
	}
	products := map[string]*mintage.Product{}
	rows := make([]batchRow, 0, len(works))
	for _, w := range works {
		p := products[w.Batch.ProductID]
		if p == nil {
			if p, err = v.Catalogue.Product(v.ctx(), v.principal, w.Batch.ProductID); err != nil {
				return err
			}
			products[w.Batch.ProductID] = p
		}
		rows = append(rows, batchRow{*w, p})
	}
	d := dashboardData{Batches: rows}
	if len(rows) == 0 {
		if d.Start, err = v.gettingStarted(); err != nil {
			return err
		}
	}
	return v.render(http.StatusOK, "dashboard", d)
}

package web

import (
	"net/http"
	"net/url"
	"strings"

	"mintage/internal/mint"
)

// searchPage is what a search found, or why it found nothing.
type searchPage struct {
	*mint.Hits

	Head  *dashboardHead
	Query string
}

// Nothing reports whether there is nothing to show.
func (s *searchPage) Nothing() bool {
	return s.UnitID == "" && len(s.Products) == 0 && len(s.Lots) == 0
}

// MaxHits is how many batches a search lists.
func (s *searchPage) MaxHits() int { return mint.MaxHits }

// clean is a text of a query without the blanks around it; "" where it is no text that
// anything can be called.
func clean(text string) string {
	text = strings.TrimSpace(text)
	if !cleanText(text) {
		return ""
	}
	return text
}

// search leads to the one token or batch that was meant, or shows what may have been.
func (v *visit) search() error {
	query := clean(v.r.URL.Query().Get("q"))
	hits, err := v.Mint.Search(v.ctx(), v.principal, query)
	if err != nil {
		return err
	}
	switch {
	case hits.UnitID != "" && hits.Address == "":
		v.redirect(tokenPath(hits.UnitID))
		return nil
	case hits.Batch != nil:
		v.redirect("/mint/batches/" + hits.Batch.Batch.ID)
		return nil
	}
	head, err := v.dashboardHead("search")
	if err != nil {
		return err
	}
	head.Query = query
	return v.render(http.StatusOK, "search", &searchPage{Hits: hits, Head: head, Query: query})
}

func tokenPath(unitID string) string { return "/mint/tokens/" + url.PathEscape(unitID) }

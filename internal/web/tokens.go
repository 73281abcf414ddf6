package web

import (
	"net/http"
	"slices"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/mint"
)

// tokensLength is how many tokens one part of the list has.
const tokensLength = 50

// opListTokens is to see codes in bulk, which more than seeing the dashboard takes.
const opListTokens access.Operation = "list_units"

// tokensPage is the tab of tokens.
type tokensPage struct {
	part[*mint.Token]

	Head   *dashboardHead
	Filter mint.TokenFilter
	// Allowed says that the member may see codes in bulk; Least is the role that it takes.
	Allowed bool
	Least   mintage.Role
	// Unknown says that the filter names a product or batch that the brand does not have.
	Unknown bool
	// Searching says that the part ended before it was full.
	Searching bool
}

// Filtered reports whether any filter is set.
func (t *tokensPage) Filtered() bool { return t.Filter != mint.TokenFilter{} }

// Statuses are what the list can be narrowed to.
func (t *tokensPage) Statuses() []mintage.TokenStatus { return mintage.TokenStatuses }

// TokenState describes the chip of a token's state.
func (v *view) TokenState(s mintage.TokenStatus) chip {
	return chip{State: string(s), Text: v.T("state." + string(s))}
}

// Groups cuts a code into groups of four characters.
func (v *view) Groups(code string) (groups []string) {
	for len(code) > 4 {
		groups, code = append(groups, code[:4]), code[4:]
	}
	return append(groups, code)
}

// tokens lists the brand's tokens, those of the newest batch first.
func (v *visit) tokens() error {
	head, err := v.dashboardHead(tabTokens)
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	page := tokensPage{Head: head, Filter: mint.TokenFilter{
		Product: clean(query.Get("product")), BatchID: clean(query.Get("batch")), Lot: clean(query.Get("lot")), Status: mintage.TokenStatus(query.Get("status")),
	}}
	if !slices.Contains(mintage.TokenStatuses, page.Filter.Status) {
		page.Filter.Status = ""
	}
	page.Least, _ = access.LeastRole(opListTokens)
	if page.Allowed = access.Allow(v.principal, opListTokens) == nil; !page.Allowed {
		return v.render(http.StatusOK, "tokens", &page)
	}
	at, err := v.page(tokensLength)
	if err != nil {
		return err
	}
	at.Limit = tokensLength // the list itself looks one further
	list, err := v.Mint.Tokens(v.ctx(), v.principal, page.Filter, at)
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		page.Unknown = true
		return v.render(http.StatusOK, "tokens", &page)
	}
	if err != nil {
		return err
	}
	page.Rows, page.Searching = list.Tokens, list.Searching
	if list.Next != 0 {
		query.Set("cursor", v.cursors().Encode(list.Next))
		page.Next = v.r.URL.Path + "?" + query.Encode()
	}
	return v.render(http.StatusOK, "tokens", &page)
}

package mint

import (
	"context"

	"mintage"
	"mintage/internal/store"
)

// TokensWithin is Tokens where a part may cost no more than this.
func (s *Service) TokensWithin(ctx context.Context, p mintage.Principal, f TokenFilter, page store.Page, budget int) (*TokenPart, error) {
	return s.tokens(ctx, p, f, page, budget)
}

// TokenBudget is what a part of the list of tokens may cost.
const TokenBudget = tokenBudget

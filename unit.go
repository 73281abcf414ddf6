package mintage

import (
	"slices"
	"time"
)

// TokenStatus is the state of a unit in its public life.
type TokenStatus string

// States of a token. revoked is final.
const (
	TokenMinted  TokenStatus = "minted" // exists, waits for its first scan
	TokenActive  TokenStatus = "active"
	TokenRevoked TokenStatus = "revoked"
)

// TokenStatuses lists every state, in the order of a token's life.
var TokenStatuses = []TokenStatus{TokenMinted, TokenActive, TokenRevoked}

// tokenTransitions is the whole lifecycle of a token.
var tokenTransitions = map[TokenStatus][]TokenStatus{
	TokenMinted: {TokenActive, TokenRevoked},
	TokenActive: {TokenRevoked},
}

// To returns nil where a token in state s may become next, else an [Error] with
// [CodeTransition].
func (s TokenStatus) To(next TokenStatus) error {
	if slices.Contains(tokenTransitions[s], next) {
		return nil
	}
	return Errorf(CodeTransition, "A token cannot go from %s to %s.", s, next)
}

// Final reports whether no transition leads out of s.
func (s TokenStatus) Final() bool { return len(tokenTransitions[s]) == 0 }

// Unit is one minted identity as its brand sees it. Only product, ordinal and
// code are stored for it; the rest follows from its batch and lot.
type Unit struct {
	ID          string // the product's code and the unit's, see serial.Unit
	ProductID   string
	BatchID     string
	Ordinal     int64 // counted from 0 within the product, never reused
	Code        string
	GTIN        string // 14 digits, or ""
	Lot         string // or ""
	Serial      string // GS1 AI (21); "" in batch mode
	ResolverURL string
	Status      TokenStatus
	CreatedAt   time.Time
	ActivatedAt time.Time // zero before
	RevokedAt   time.Time // zero before

	RevocationReason string // of the unit's own revocation or the recall that covers it, whichever came first
}

// History tells the unit's life in order: at most one entry for each state.
func (u *Unit) History() []UnitState {
	life := []UnitState{{Ordinal: u.Ordinal, Status: TokenMinted, At: u.CreatedAt}}
	if !u.ActivatedAt.IsZero() {
		life = append(life, UnitState{Ordinal: u.Ordinal, Status: TokenActive, At: u.ActivatedAt})
	}
	if !u.RevokedAt.IsZero() {
		life = append(life, UnitState{Ordinal: u.Ordinal, Status: TokenRevoked, At: u.RevokedAt, Reason: u.RevocationReason})
	}
	return life
}

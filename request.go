package mintage

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
)

// IdentityMode says what makes a unit's identity.
type IdentityMode string

// Identity modes.
const (
	IdentitySerial IdentityMode = "serial" // each unit has its own serial number
	IdentityBatch  IdentityMode = "batch"  // units share a lot; each still has its own code
)

// IdentityModes are all of them.
var IdentityModes = []IdentityMode{IdentitySerial, IdentityBatch}

// ActivationMode says when a token becomes active.
type ActivationMode string

// Activation modes.
const (
	ActiveAtMint ActivationMode = "active_at_mint"
	FirstScan    ActivationMode = "first_scan"
)

// ActivationModes are all of them.
var ActivationModes = []ActivationMode{ActiveAtMint, FirstScan}

// Born is the state in which a token of this mode is minted.
func (m ActivationMode) Born() TokenStatus {
	if m == ActiveAtMint {
		return TokenActive
	}
	return TokenMinted
}

// Limits of one mint request.
const (
	MaxRequestQuantity = 1_000_000
	MaxLots            = 100
)

// MintRequest is what a user submits.
type MintRequest struct {
	ProductID         string         `json:"product_id"`
	RequestedQuantity int64          `json:"requested_quantity"`
	IdentityMode      IdentityMode   `json:"identity_mode"`
	ActivationMode    ActivationMode `json:"activation_mode"`
	ProductionBatchID string         `json:"production_batch_id,omitempty"`
	Lots              []LotRequest   `json:"lots,omitempty"`
	Serials           []string       `json:"serials,omitempty"`
}

// LotRequest is one lot of a request: its code (GS1 AI 10) and quantity.
type LotRequest struct {
	LotCode  string `json:"lot_code"`
	Quantity int64  `json:"quantity"`
}

// Validate refuses a malformed request: one that could be accepted in no state
// of the world. It returns every fault, in the order of the fields; each carries
// a JSON pointer. validLot checks a lot code (GS1 AI 10).
func (r *MintRequest) Validate(validLot func(string) error) []*Error {
	var faults []*Error
	fault := func(field, format string, args ...any) {
		faults = append(faults, Errorf(CodeInvalidInput, format, args...).WithField(field))
	}
	if r.ProductID == "" {
		fault("/product_id", "The product_id is missing.")
	}
	if r.RequestedQuantity < 1 || r.RequestedQuantity > MaxRequestQuantity {
		fault("/requested_quantity", "The requested quantity must be 1 to %d; submit a larger run as several requests.", MaxRequestQuantity)
	}
	if !slices.Contains(IdentityModes, r.IdentityMode) {
		fault("/identity_mode", "The identity mode must be serial or batch.")
	}
	if !slices.Contains(ActivationModes, r.ActivationMode) {
		fault("/activation_mode", "The activation mode must be active_at_mint or first_scan.")
	}
	faults = append(faults, r.validateLots(validLot)...)
	if len(r.Serials) > 0 {
		faults = append(faults, Errorf(CodeNotSupported, "Customers' own serials are not supported yet; leave the field out and serials are generated.").WithField("/serials"))
	}
	return faults
}

func (r *MintRequest) validateLots(validLot func(string) error) []*Error {
	if len(r.Lots) == 0 {
		return nil
	}
	if len(r.Lots) > MaxLots {
		return []*Error{Errorf(CodeInvalidInput, "A request may have %d lots at most.", MaxLots).WithField("/lots")}
	}
	var faults []*Error
	seen := make(map[string]bool, len(r.Lots))
	sum := int64(0)
	for i, l := range r.Lots {
		code, quantity := fmt.Sprintf("/lots/%d/lot_code", i), fmt.Sprintf("/lots/%d/quantity", i)
		if err := validLot(l.LotCode); err != nil {
			faults = append(faults, Errorf(CodeInvalidInput, "%s", ErrorMessage(err)).WithField(code))
		} else if seen[l.LotCode] {
			faults = append(faults, Errorf(CodeInvalidInput, "The lot code stands in the request twice; give each lot its own code.").WithField(code))
		}
		seen[l.LotCode] = true
		if l.Quantity < 1 || l.Quantity > MaxRequestQuantity {
			faults = append(faults, Errorf(CodeInvalidInput, "The quantity of a lot must be 1 to %d.", MaxRequestQuantity).WithField(quantity))
			continue
		}
		sum += l.Quantity
	}
	if len(faults) == 0 && sum != r.RequestedQuantity {
		faults = append(faults, Errorf(CodeInvalidInput, "The lots sum to %d, but %d units are requested.", sum, r.RequestedQuantity).WithField("/lots"))
	}
	return faults
}

// Hash identifies the content of a request: two requests that ask for the same
// have the same hash, however their JSON was written.
func (r *MintRequest) Hash() []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and integers always marshal
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// ValidateIdempotencyKey refuses a key that is not 1 to 255 printable ASCII
// characters, and returns it without the quotes that the header's draft standard
// (draft-ietf-httpapi-idempotency-key-header) puts around it.
func ValidateIdempotencyKey(key string) (string, error) {
	if n := len(key); n >= 2 && key[0] == '"' && key[n-1] == '"' {
		key = key[1 : n-1]
	}
	if len(key) < 1 || len(key) > 255 {
		return "", Errorf(CodeInvalidInput, "An idempotency key has 1 to 255 characters; this one has %d.", len(key)).WithField("Idempotency-Key")
	}
	for i := range len(key) {
		if key[i] < 0x20 || key[i] > 0x7e {
			return "", Errorf(CodeInvalidInput, "Character %d of the idempotency key is not printable ASCII.", i+1).WithField("Idempotency-Key")
		}
	}
	return key, nil
}

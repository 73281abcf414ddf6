package mintage

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxOverIssuePercent bounds [Brand.OverIssuePercent].
const MaxOverIssuePercent = 100

// Brand is the tenant: it owns everything else, and no brand sees another's.
type Brand struct {
	Number int64
	ID     string
	Name   string

	// ResolverBase is the base of the URLs minted from now on. It belongs to
	// this brand for ever, also after another one took its place.
	ResolverBase string
	// GS1Required refuses requests for products without a GTIN.
	GS1Required bool
	// OverIssuePercent, 0 to MaxOverIssuePercent, is minted beyond a production batch's quantity
	// at most, for spoiled labels.
	OverIssuePercent int
	// LotFromProductionBatch makes a linked production batch's code the lot of a
	// request that names none.
	LotFromProductionBatch bool
	// AdminsSubmit keeps operators from submitting mint requests.
	AdminsSubmit bool
	// TapToActivate asks for one tap on the passport page where a scan alone would
	// activate: for brands whose mails and chats are full of link scanners.
	TapToActivate bool
	// DefaultIdentityMode and DefaultActivationMode are what the minting wizard proposes;
	// a request through the API always says its own.
	DefaultIdentityMode   IdentityMode
	DefaultActivationMode ActivationMode
	// CycleSize, 1 to MaxCycle, is the most units of a cycle, for jobs submitted from now on.
	CycleSize int
	// AccentColour of the passport page, "#rrggbb", or "" for mintage's own.
	AccentColour string
	// Logo of the passport page, PNG, JPEG or WebP; not read with the brand.
	HasLogo bool

	// SealedKey is the key of the brand's serials, encrypted under the master key.
	SealedKey []byte
	CreatedAt time.Time
}

// Validate refuses a brand that cannot be stored.
func (b *Brand) Validate() error {
	if err := validateText("name", b.Name, 200); err != nil {
		return err
	}
	if b.OverIssuePercent < 0 || b.OverIssuePercent > MaxOverIssuePercent {
		return Errorf(CodeInvalidInput, "The over-issue percentage must be 0 to %d.", MaxOverIssuePercent).WithField("over_issue_percent")
	}
	if !slices.Contains(IdentityModes, b.DefaultIdentityMode) {
		return Errorf(CodeInvalidInput, "The default identity mode must be serial or batch.").WithField("default_identity_mode")
	}
	if !slices.Contains(ActivationModes, b.DefaultActivationMode) {
		return Errorf(CodeInvalidInput, "The default activation mode must be active_at_mint or first_scan.").WithField("default_activation_mode")
	}
	if b.CycleSize < 1 || b.CycleSize > MaxCycle {
		return Errorf(CodeInvalidInput, "The cycle size must be 1 to %d.", MaxCycle).WithField("cycle_size")
	}
	return nil
}

// SetDefaults gives what was not said the value that a new brand has.
func (b *Brand) SetDefaults() {
	if b.DefaultIdentityMode == "" {
		b.DefaultIdentityMode = IdentitySerial
	}
	if b.DefaultActivationMode == "" {
		b.DefaultActivationMode = ActiveAtMint
	}
	if b.CycleSize == 0 {
		b.CycleSize = MaxCycle
	}
}

// validateText bounds a text that people typed: its length in characters, valid
// UTF-8, and no control characters, which would break a label or a log.
func validateText(field, s string, maximum int) error {
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		return Errorf(CodeInvalidInput, "The %s is not valid UTF-8.", field).WithField(field)
	case n < 1 || n > maximum:
		return Errorf(CodeInvalidInput, "The %s has %d characters; it may have 1 to %d.", field, n, maximum).WithField(field)
	case strings.ContainsFunc(s, unicode.IsControl):
		return Errorf(CodeInvalidInput, "The %s contains a control character.", field).WithField(field)
	case strings.TrimSpace(s) != s:
		return Errorf(CodeInvalidInput, "The %s begins or ends with a space.", field).WithField(field)
	}
	return nil
}

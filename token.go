package mintage

import "time"

// Recall revokes a run of units at once, those still to be minted included.
type Recall struct {
	BrandNumber   int64
	ProductNumber int64
	BatchNumber   int64
	FirstOrdinal  int64 // it covers [FirstOrdinal, FirstOrdinal+Quantity)
	Quantity      int64
	Lot           string // the lot recalled; "" for a whole batch, or a lot without a code
	Reason        string
	At            time.Time
}

// Covers reports whether the recall revokes the unit with this ordinal.
func (r Recall) Covers(ordinal int64) bool {
	return r.FirstOrdinal <= ordinal && ordinal < r.FirstOrdinal+r.Quantity
}

// UnitState is what happened to one unit after it was minted: at most one row
// each for active and revoked.
type UnitState struct {
	ProductNumber int64
	Ordinal       int64
	Status        TokenStatus // active or revoked
	At            time.Time
	Reason        string // of a revocation
}

// Counts are the minted units of a batch or lot by their state.
type Counts struct {
	Minted, Active, Revoked int64
}

// ValidateReason refuses a reason for a revocation that cannot be stored.
func ValidateReason(reason string) error { return validateText("reason", reason, 500) }

// ScanOutcome says what a scan was answered with.
type ScanOutcome string

// Outcomes of scans.
const (
	ScanActivated ScanOutcome = "activated"  // by this scan
	ScanActive    ScanOutcome = "active"     // was active before
	ScanMinted    ScanOutcome = "minted"     // exists, and this scan could not activate it (a robot, or a tap is asked for)
	ScanRevoked   ScanOutcome = "revoked"    // answered 410
	ScanNotIssued ScanOutcome = "not_issued" // the code was never issued
	ScanLot       ScanOutcome = "lot"        // a lot's URL
	ScanProduct   ScanOutcome = "product"    // a product's URL
)

// AgentClass says coarsely what scanned.
type AgentClass string

// Classes of user agents.
const (
	AgentPhone   AgentClass = "phone"
	AgentDesktop AgentClass = "desktop"
	AgentMachine AgentClass = "machine" // a program that says so by its name, or by what it accepts
	AgentRobot   AgentClass = "robot"   // search engines, link previews, prefetches, bare HTTP libraries, no User-Agent
)

// Scan is one opening of a printed URL, without personal data.
type Scan struct {
	ProductNumber int64
	Ordinal       int64 // -1 for a lot, a product or a code that was not issued
	At            time.Time
	Network       string // the address cut to /24 (IPv4) or /48 (IPv6)
	Agent         AgentClass
	Language      string // primary language subtag asked for first, or ""
	Outcome       ScanOutcome
}

// Link is one of the places that a product's code leads to (GS1 Conformant
// Resolver standard 1.2, link types of the GS1 Web Vocabulary).
type Link struct {
	Type      string // "gs1:pip"
	Href      string // may have {gtin}, {lot}, {serial}, {code}, {unit_id}
	Title     string
	Language  string // BCP 47, or "" for any
	MediaType string // or "" for any
	Context   string // or ""
	Default   bool   // exactly one link of a product that has links
}

// placeholders of a link's href.
var placeholders = []string{"{gtin}", "{lot}", "{serial}", "{code}", "{unit_id}"}

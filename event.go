package mintage

import "time"

// EventKind says to what something happened, and what.
type EventKind string

// Kinds of events. Transitions carry From and To.
const (
	EventBrandCreated      EventKind = "brand.created"
	EventBrandUpdated      EventKind = "brand.updated" // From, To: the over-issue percentage, where it changed
	EventSchemaStored      EventKind = "dpp_schema.stored"
	EventKeyCreated        EventKind = "api_key.created"
	EventKeyRotated        EventKind = "api_key.rotated" // To: the key that takes its place
	EventKeyRevoked        EventKind = "api_key.revoked"
	EventMemberAdded       EventKind = "member.added" // To: the role
	EventMemberChanged     EventKind = "member.changed"
	EventMemberRemoved     EventKind = "member.removed" // or the invitation
	EventMemberInvited     EventKind = "member.invited" // of the invitation's ID; its link was made
	EventSignedIn          EventKind = "member.signed_in"
	EventSignInRefused     EventKind = "member.sign_in_refused" // a wrong password of a known member
	EventSignedOut         EventKind = "member.signed_out"      // everywhere
	EventPasswordChanged   EventKind = "member.password_changed"
	EventNameChanged       EventKind = "member.name_changed"
	EventProductCreated    EventKind = "product.created"
	EventProductUpdated    EventKind = "product.updated"
	EventProductionCreated EventKind = "production_batch.created"
	EventProductionUpdated EventKind = "production_batch.updated"
	EventJobTransition     EventKind = "mint_job.transition"
	EventJobStrike         EventKind = "mint_job.strike" // a failed cycle; Message says why
	EventBatchTransition   EventKind = "mint_batch.transition"
	EventBatchCycle        EventKind = "mint_batch.cycle" // one cycle: FirstOrdinal and Quantity
	EventBatchExported     EventKind = "mint_batch.exported"
	EventUnitTransition    EventKind = "unit.transition"     // one unit: FirstOrdinal; Quantity is 1
	EventRecalled          EventKind = "mint_batch.recalled" // a batch or a lot: FirstOrdinal and Quantity
	EventLinksChanged      EventKind = "product.links_changed"
	EventLogoChanged       EventKind = "brand.logo_changed"
)

// Event is one thing that happened, written in the transaction that made it
// happen and never changed.
type Event struct {
	Number      int64
	BrandNumber int64
	At          time.Time
	Kind        EventKind
	Actor       string // who: "key:…", "user:…", "worker:…", "cli"
	Origin      Origin // from where
	SubjectID   string // the ID of what Kind names

	BatchNumber   int64 // of the batch and job concerned; 0 if none
	BatchID       string
	JobID         string
	ProductNumber int64 // with FirstOrdinal and Quantity: a range of units; 0 if none
	FirstOrdinal  int64
	Quantity      int64

	From, To string
	Message  string
}

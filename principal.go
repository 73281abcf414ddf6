package mintage

import (
	"net/netip"
	"time"
)

// Principal is who asks: one brand's key, user or worker. Use cases take the
// brand from here and from nowhere else.
type Principal struct {
	BrandNumber int64
	Role        Role
	Actor       string // as written into events: "key:…", "user:…", "cli"
	// AdminsSubmit is the brand's setting: only admins and owners may submit.
	AdminsSubmit bool
	Origin       Origin
}

// Origin is where a request came from, as far as the audit trail keeps it.
type Origin struct {
	AddressClass AddressClass
	RequestID    string // "" where there was no request
}

// AddressClass says what kind of address a request came from; the address itself
// is personal data and is not kept.
type AddressClass string

// Classes of addresses.
const (
	AddressNone     AddressClass = ""         // a command or a worker
	AddressLoopback AddressClass = "loopback" // this machine
	AddressPrivate  AddressClass = "private"  // a private or link-local network
	AddressPublic   AddressClass = "public"   // anywhere else
)

// ClassOf returns the class of an address.
func ClassOf(a netip.Addr) AddressClass {
	a = a.Unmap()
	switch {
	case !a.IsValid():
		return AddressNone
	case a.IsLoopback():
		return AddressLoopback
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return AddressPrivate
	}
	return AddressPublic
}

// Event begins an event of the principal's brand: who it was, from where and when.
func (p Principal) Event(kind EventKind, at time.Time) *Event {
	return &Event{BrandNumber: p.BrandNumber, At: at, Kind: kind, Actor: p.Actor, Origin: p.Origin}
}

package agent

import "net/netip"

// How much of an address is kept: what a provider gives to many, so that it leads
// to no person.
const (
	bitsIPv4 = 24
	bitsIPv6 = 48
)

// Network cuts an address to its network, such as "192.0.2.0/24" or
// "2001:db8:1::/48"; "" for the zero address. An IPv4 address in the form of an IPv6
// one (RFC 4291, section 2.5.5.2) counts as what it is.
func Network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	bits := bitsIPv6
	if a.Is4() {
		bits = bitsIPv4
	}
	p, err := a.Prefix(bits)
	if err != nil || !p.IsValid() {
		return ""
	}
	return p.String()
}

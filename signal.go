package mintage

import "time"

// The duplicate signal: one unit is scanned by those who hold it, so that scans
// from very many networks hint at copies of its code. A phone roams and goods
// stand in shops, so the bound is generous; it is a hint to a person, and changes
// nothing by itself.
const (
	// SignalWindow is how far back scans count, in whole days.
	SignalWindow = 30 * 24 * time.Hour
	// SignalNetworks is how many different networks one unit may be scanned from
	// within the window, robots left out, without a signal.
	SignalNetworks = 25
	// SignalScans is how many of a unit's latest scans are looked at, robots left out: a
	// code that all the world scans must not cost more with each scan.
	SignalScans = 5_000
)

// SignalSince is from when on scans count: midnight UTC at the beginning of
// [SignalWindow].
func SignalSince(now time.Time) time.Time {
	return now.UTC().Add(-SignalWindow).Truncate(24 * time.Hour)
}

// Suspicious reports whether scans from so many different networks since
// [SignalSince] are more than one unit explains.
func Suspicious(networks int64) bool { return networks > SignalNetworks }
